"""s6-svscanctl letters and scanning (matrix row 15, contract 2.1-2.4, 2.6)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import Scanner, World
from world.status import status
from world.tree import FIFO, Content, Link, plant
from world.waiting import holds_for, until, until_line
from world.witness import recorder, sleeper

FINISH = '#!/bin/sh\necho "$0 $# $PWD $$" >finished\nexit 17\n'


def tree(world: World, *names: str, **more: Content) -> Path:
    """A scan directory with a finish that exits 17."""
    content: dict[str, Content] = {name: sleeper() for name in names}
    content[".s6-svscan/finish!"] = FINISH
    for name, service in more.items():
        content[name] = service
    return world.plant(content, "scan")


def gone(*pids: int) -> bool:
    return not any(process.alive(pid) for pid in pids)


def stopped(scanner: Scanner) -> None:
    """The scanner became its finish, which exits 17."""
    assert scanner.exit_code() == 17
    words = (scanner.directory / "finished").read_text().split()
    assert words == [".s6-svscan/finish", "0", str(scanner.directory), str(scanner.pid)]


def test_a_rescans(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"))
    scanner.until_supervised("web")
    plant(scanner.directory / "later", sleeper())
    plant(scanner.directory, {"a-file": "", ".hidden": sleeper()})
    assert holds_for(lambda: sorted(scanner.supervisors()) == ["web"], 0.1)
    assert tools.run("s6-svscanctl", "-a", scanner.directory).code == 0
    scanner.until_supervised("later", "web")


def test_t_rescans_every_so_often(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"), "-t", "100")
    scanner.until_supervised("web")
    plant(scanner.directory / "later", sleeper())
    scanner.until_supervised("later", "web")


@pytest.mark.parametrize("letter", ["t", "i", "q"])
def test_orderly_stop(world: World, daemons: Programs, tools: Programs, letter: str) -> None:
    scanner = world.scan(daemons, tree(world, "web", "other", down=sleeper(down="")))
    supervisors = scanner.until_supervised("web", "other", "down")
    services = scanner.until_up("web", "other")
    assert tools.run("s6-svscanctl", f"-{letter}", scanner.directory).code == 0
    stopped(scanner)
    assert gone(*supervisors.values(), *services.values())
    assert status(scanner.directory / "web").down


def test_b_leaves_everything_running(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"))
    supervisors = scanner.until_supervised("web")
    service = scanner.until_up("web")["web"]
    assert tools.run("s6-svscanctl", "-b", scanner.directory).code == 0
    stopped(scanner)
    assert process.alive(service)
    assert tools.run("s6-svok", scanner.directory / "web").code == 0
    assert tools.run("s6-svc", "-wD", "-dx", scanner.directory / "web").code == 0
    until(lambda: gone(*supervisors.values()))


def test_without_finish_the_code_is_0(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_up("web")
    scanner.control("t")
    assert scanner.exit_code() == 0


def test_finish_inherits_nothing(world: World, daemons: Programs) -> None:
    """It is the scanner's process, without its descriptors, mask or handlers."""
    scandir = world.plant({".s6-svscan/finish!": "#!/bin/sh\nexec sleep 1000\n"}, "scan")
    scanner = world.scan(daemons, scandir, env={"WITNESS": "yes"})
    scanner.control("t")
    until(lambda: process.sleeps(scanner.pid, "sleep", "1000"), "finish")
    it = process.look(scanner.pid)
    assert sorted(it.descriptors) == [0, 1, 2]
    assert (it.blocked, it.caught) == (frozenset(), frozenset())
    assert it.ignored <= {32, 33}
    assert it.env["WITNESS"] == "yes"
    scanner.kill()


def test_finish_that_cannot_be_run_means_crash(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        ".s6-svscan/finish": "not executable\n",
        ".s6-svscan/crash!": "#!/bin/sh\nexit 19\n",
    }
    scanner = world.scan(daemons, world.plant(content, "scan"))
    scanner.control("t")
    assert scanner.exit_code() == 19
    assert "finish" in scanner.said()


def test_finish_and_crash_cannot_be_run(world: World, daemons: Programs) -> None:
    """2.11: 111. Later releases: the code of a failed exec."""
    scandir = world.plant({".s6-svscan/finish": "", ".s6-svscan/crash": ""}, "scan")
    scanner = world.scan(daemons, scandir)
    scanner.control("t")
    assert scanner.exit_code() == daemons.expects.no_crash_script


def test_n_dismisses_what_is_gone(world: World, daemons: Programs, tools: Programs) -> None:
    scandir = tree(world, "keep")
    plant(world.top / "real", sleeper())
    (scandir / "linked").symlink_to(world.top / "real")
    scanner = world.scan(daemons, scandir)
    before = scanner.until_supervised("keep", "linked")
    scanner.until_up("keep", "linked")
    (scandir / "linked").unlink()
    assert tools.run("s6-svscanctl", "-a", scandir).code == 0
    assert holds_for(lambda: scanner.supervisors() == before, 0.2), "inactive, but still there"
    assert tools.run("s6-svscanctl", "-n", scandir).code == 0
    assert scanner.until_supervised("keep") == {"keep": before["keep"]}
    assert status(world.top / "real").down


@pytest.mark.parametrize("letters", ["h", "an", "aN", "ha"])
def test_combinations_that_prune(
    world: World, daemons: Programs, tools: Programs, letters: str
) -> None:
    scandir = tree(world, "keep")
    plant(world.top / "real", sleeper())
    (scandir / "linked").symlink_to(world.top / "real")
    scanner = world.scan(daemons, scandir)
    before = scanner.until_supervised("keep", "linked")
    (scandir / "linked").unlink()
    plant(scandir / "new", sleeper())
    assert tools.run("s6-svscanctl", f"-{letters}", scandir).code == 0
    after = scanner.until_supervised("keep", "new")
    assert after["keep"] == before["keep"]


def test_a_new_link_to_the_same_directory_keeps_the_supervisor(
    world: World, daemons: Programs
) -> None:
    scandir = tree(world)
    plant(world.top / "real", sleeper())
    (scandir / "one").symlink_to(world.top / "real")
    scanner = world.scan(daemons, scandir)
    before = scanner.until_supervised("one")
    (scandir / "one").unlink()
    scanner.control("a")
    (scandir / "one").symlink_to(world.top / "real")
    scanner.control("an")
    scanner.control("?")
    until(
        lambda: "?" in scanner.said() or "invalid" in scanner.said() or "unknown" in scanner.said()
    )
    assert scanner.supervisors() == before


def test_an_inactive_service_is_not_supervised_again(world: World, daemons: Programs) -> None:
    scandir = tree(world, "keep")
    plant(world.top / "real", sleeper())
    (scandir / "linked").symlink_to(world.top / "real")
    scanner = world.scan(daemons, scandir)
    before = scanner.until_supervised("keep", "linked")
    scanner.until_up("linked")
    (scandir / "linked").unlink()
    # A supervisor that leaves while it is inactive stays away.
    scanner.control("a")
    plant(scandir / "marker", sleeper())
    scanner.control("a")
    scanner.until_supervised("keep", "linked", "marker")
    process.kill(before["linked"], signal.SIGTERM)
    scanner.until_supervised("keep", "marker")
    assert holds_for(lambda: "linked" not in scanner.supervisors(), 1.2)


def test_a_dead_supervisor_is_replaced(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"))
    first = scanner.until_supervised("web")["web"]
    scanner.until_up("web")
    process.kill(first, signal.SIGTERM)
    second = until(
        lambda: pid if (pid := scanner.supervisors().get("web")) not in (None, first) else None,
        "another supervisor",
    )
    assert second != first
    scanner.until_up("web")


def test_z_reaps(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"))
    scanner.until_up("web")
    assert tools.run("s6-svscanctl", "-z", scanner.directory).code == 0
    assert scanner.running()


def test_unknown_bytes(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, tree(world, "web"))
    before = scanner.until_supervised("web")
    known = b"znNahitqbsS"
    scanner.control(bytes(byte for byte in range(256) if byte not in known) + b"a")
    plant(scanner.directory / "later", sleeper())
    assert tools.run("s6-svscanctl", "-a", scanner.directory).code == 0
    assert scanner.until_supervised("later", "web")["web"] == before["web"]
    assert "warning" in scanner.said()


def test_stop_behind_a_rescan(world: World, daemons: Programs, tools: Programs) -> None:
    """Releases from 2.12 on hang here for ever: the rescan swallows the stop."""
    scanner = world.scan(daemons, tree(world, "web"))
    scanner.until_up("web")
    assert tools.run("s6-svscanctl", "-at", scanner.directory).code == 0
    stopped(scanner)


def test_several_letters_in_order(world: World, tools: Programs) -> None:
    """What s6-svscanctl writes, seen by a fifo that nobody but the test reads."""
    scandir = world.plant({".s6-svscan/control": FIFO}, "scan")
    reader = os.open(scandir / ".s6-svscan/control", os.O_RDONLY | os.O_NONBLOCK)
    for letters in (*"zabhitqnN", "zabhitqnN", "nNzz"):
        said = tools.run("s6-svscanctl", f"-{letters}", scandir)
        assert (said.code, said.err) == (0, "")
        assert os.read(reader, 100) == letters.encode()
    os.close(reader)


def test_nobody_listens(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, tree(world))
    scanner.control("t")
    stopped(scanner)
    said = tools.run("s6-svscanctl", "-a", scanner.directory)
    assert said.code == 100
    assert str(scanner.directory) in said.err
    never = world.plant({}, "never")
    assert tools.run("s6-svscanctl", "-a", never).code == 100


def test_too_many_services(world: World, daemons: Programs) -> None:
    """The rest is left out with a word about it, and what runs goes on running."""
    scandir = tree(world, "a", "b", "c", "d")
    scanner = world.scan(daemons, scandir, daemons.expects.limit_of_services, "4")
    before = scanner.until_supervised("a", "b", "c", "d")
    plant(scandir, {"e": sleeper(), "f": sleeper()})
    scanner.control("a")
    until(lambda: "warning" in scanner.said(), "a warning")
    assert scanner.supervisors() == before


def test_names_that_are_odd(world: World, daemons: Programs, tools: Programs) -> None:
    names = ["with space", "with\nnewline", "ütf", "-dash", "a" * 200, "tab\there"]
    scanner = world.scan(daemons, tree(world, *names))
    pids = scanner.until_up(*names)
    assert len(set(pids.values())) == len(names)
    for name in names:
        assert tools.run("s6-svok", scanner.directory / name).code == 0
    assert tools.run("s6-svscanctl", "-t", scanner.directory).code == 0
    stopped(scanner)
    assert gone(*pids.values())


def test_a_dangling_link_disturbs_nobody(world: World, daemons: Programs) -> None:
    scandir = tree(world, "web")
    (scandir / "dangling").symlink_to("/nonexistent")
    scanner = world.scan(daemons, scandir)
    scanner.until_supervised("web")
    plant(scandir / "later", sleeper())
    scanner.control("a")
    scanner.until_supervised("later", "web")


def test_links_and_order_of_signals(world: World, daemons: Programs) -> None:
    """SIGTERM reaches a service as its own down signal."""
    service = {**recorder(), "down-signal": "USR1\n"}
    service["run!"] = str(service["run!"]).replace("' TERM", "' USR1").replace(" USR1 ", " ")
    scandir = world.plant({"linked": Link(world.top / "real")}, "scan")
    plant(world.top / "real", service)
    scanner = world.scan(daemons, scandir)
    pid = scanner.until_up("linked")["linked"]
    until_line(world.top / "real/signals", f"ready {pid}")
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert "TERM" in (world.top / "real/signals").read_text()
