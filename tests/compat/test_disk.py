"""Names and modes on disk (contract 5.7), and s6-svperms (matrix row 13)."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest

from world.events import Subscriber
from world.programs import AS_NOBODY, Programs
from world.running import World
from world.waiting import until
from world.witness import SLEEPER, sleeper

ROOT = os.geteuid() == 0
AS_NOBODY_IN_GROUP = ("setpriv", "--reuid=65534", "--regid=65534", "--groups=60")
GROUP = 60


def modes(top: Path) -> dict[str, str]:
    """Every entry below `top`: kind and mode."""
    found = {}
    for path in sorted(top.rglob("*")):
        if path.name.startswith((".stderr", "ftrig1")):
            continue
        try:
            how = path.lstat().st_mode
        except FileNotFoundError:  # just being renamed into place
            continue
        kind = {stat.S_IFDIR: "d", stat.S_IFIFO: "p", stat.S_IFREG: "-"}[stat.S_IFMT(how)]
        found[str(path.relative_to(top))] = f"{kind}{stat.S_IMODE(how):o}"
    return found


def launch(world: World, programs: Programs, servicedir: Path, umask: str) -> None:
    """Start a supervisor in a directory that has nothing yet, under a umask."""
    command = f'umask {umask}; exec "$0" "$@"'
    argv = ["sh", "-c", command, str(programs.path("s6-supervise")), servicedir.name]
    popen, _ = world.launch(argv, programs.environment(), servicedir.parent)
    world.stop_later(popen, servicedir)
    until((servicedir / "supervise/status").exists, "the first status")


@pytest.mark.parametrize(
    ("umask", "status", "down"),
    [("022", "-644", "-644"), ("077", "-600", "-600"), ("0", "-666", "-666")],
)
def test_what_a_supervisor_makes(
    world: World, daemons: Programs, tools: Programs, umask: str, status: str, down: str
) -> None:
    servicedir = world.service(sleeper())
    launch(world, daemons, servicedir, umask)
    assert tools.run("s6-svc", "-D", servicedir).code == 0
    until((servicedir / "down").exists, "the down file")
    expected = {
        "run": "-755",
        "down": down,
        "event": "d3730",
        "supervise": "d700",
        "supervise/lock": "-644",
        "supervise/control": "p600",
        "supervise/status": status,
        "supervise/death_tally": status,
        **({"supervise/child": "-600"} if daemons.expects.adopts else {}),
    }
    # While it goes down, a file being replaced may be seen beside them.
    until(lambda: modes(servicedir) == expected, "these", explain=lambda: modes(servicedir))
    assert (servicedir / "event").stat().st_gid == os.getegid()
    assert (servicedir / "supervise/lock").read_bytes() == b""


def test_what_exists_is_left_alone(world: World, daemons: Programs) -> None:
    servicedir = world.service({"run!": SLEEPER, "down": "", "event": {}, "supervise": {}})
    (servicedir / "event").chmod(0o1733)
    (servicedir / "supervise").chmod(0o711)
    launch(world, daemons, servicedir, "022")
    seen = modes(servicedir)
    assert (seen["event"], seen["supervise"]) == ("d1733", "d711")


@pytest.mark.parametrize("exists", [True, False], ids=["target", "dangling"])
def test_links_elsewhere(world: World, daemons: Programs, tools: Programs, exists: bool) -> None:
    """supervise/ and event/ may be links to another place; a missing target is made."""
    servicedir = world.service({"run!": SLEEPER, "down": ""})
    for name in ("supervise", "event"):
        target = world.top / f"elsewhere-{name}"
        if exists:
            target.mkdir(mode=0o700)
        (servicedir / name).symlink_to(target)
    if exists and not daemons.expects.accepts_links_to_directories:
        said = daemons.run("s6-supervise", "web", cwd=world.top)
        assert said.code == 111
        assert "File exists" in said.err
        return
    launch(world, daemons, servicedir, "022")
    assert (world.top / "elsewhere-supervise/status").exists()
    assert (world.top / "elsewhere-event").is_dir()
    assert tools.run("s6-svok", servicedir).code == 0


@pytest.mark.parametrize("umask", ["022", "077"])
def test_what_a_scanner_makes(world: World, daemons: Programs, umask: str) -> None:
    scandir = world.plant({"web": sleeper(down="")}, "scan")
    world.scan(daemons, scandir, under=["sh", "-c", f'umask {umask}; exec "$0" "$@"'])
    seen = {name: how for name, how in modes(scandir).items() if name.startswith(".s6-svscan")}
    assert seen == {
        ".s6-svscan": "d700",
        ".s6-svscan/lock": "-600",
        ".s6-svscan/control": "p600",
    }


def test_the_fifo_of_a_subscriber(world: World, daemons: Programs, tools: Programs) -> None:
    """Mode 0622 lets a supervisor of another user reach it; 2.11 makes it private."""
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    world.start(tools, "s6-svwait", "-u", supervisor.directory)
    fifos = until(
        lambda: [
            path
            for path in (supervisor.directory / "event").glob("ftrig1:*")
            if path != supervisor.events.path
        ],
        "the subscription",
    )
    assert len(fifos[0].name) == 39
    how = fifos[0].stat().st_mode
    assert stat.S_ISFIFO(how)
    assert stat.S_IMODE(how) == tools.expects.subscriber_mode


SHOWN = [
    # options, the three lines, modes of supervise, control, event
    ("-u", ("owner", "owner", None), (0o700, 0o600, None)),
    ("-g", ("group", "owner", None), (0o710, 0o600, None)),
    ("-G", ("group", "group", None), (0o710, 0o620, None)),
    ("-o", ("public", "owner", None), (0o711, 0o600, None)),
    ("-O", ("public", "group", None), (0o711, 0o620, None)),
    ("-e", (None, None, "public"), (None, None, 0o1733)),
    ("-E", (None, None, "group"), (None, None, 0o3730)),
]


def shown(word: str | None, otherwise: str) -> str:
    name = grp.getgrgid(GROUP).gr_name
    return f"group {name}" if word == "group" else word or otherwise


@pytest.mark.skipif(not ROOT, reason="only root can give a directory to any group")
@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize(("option", "lines", "wanted"), SHOWN, ids=[case[0] for case in SHOWN])
def test_svperms(
    world: World,
    daemons: Programs,
    tools: Programs,
    option: str,
    lines: tuple[str | None, ...],
    wanted: tuple[int | None, ...],
    by_name: bool,
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    directory = supervisor.directory
    group = (
        [grp.getgrgid(GROUP).gr_name if by_name else f":{GROUP}"] if option in "-g-G-O-E" else []
    )
    before = tools.run("s6-svperms", directory)
    gid = grp.getgrgid(os.getegid()).gr_name
    assert before.out == (
        f"{directory} status: owner\n{directory} control: owner\n{directory} events: group {gid}\n"
    )
    said = tools.run("s6-svperms", option, *group, directory)
    assert (said.code, said.out, said.err) == (0, "", "")
    after = tools.run("s6-svperms", "-v", directory)
    expected = (
        f"{directory} status: {shown(lines[0], 'owner')}\n"
        f"{directory} control: {shown(lines[1], 'owner')}\n"
        f"{directory} events: {shown(lines[2], f'group {gid}')}\n"
    )
    assert (after.code, after.out) == (0, expected)
    for name, mode in zip(("supervise", "supervise/control", "event"), wanted, strict=True):
        if mode is not None:
            assert stat.S_IMODE((directory / name).stat().st_mode) == mode, name


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_what_permissions_mean_for_others(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    directory = supervisor.directory

    def codes(under: tuple[str, ...]) -> list[int]:
        calls = (["s6-svok"], ["s6-svstat"], ["s6-svc", "-O"])
        return [tools.run(*call, directory, under=under).code for call in calls]

    assert codes(AS_NOBODY) == [111, 111, 111]
    assert tools.run("s6-svperms", "-o", directory).code == 0
    assert codes(AS_NOBODY) == [0, 0, 111]
    assert tools.run("s6-svperms", "-G", f":{GROUP}", directory).code == 0
    assert codes(AS_NOBODY) == [111, 111, 111]
    assert codes(AS_NOBODY_IN_GROUP) == [0, 0, 0]
    assert tools.run("s6-svperms", "-g", f":{GROUP}", directory).code == 0
    assert codes(AS_NOBODY_IN_GROUP) == [0, 0, 111]


def test_svperms_without_a_supervisor(world: World, tools: Programs) -> None:
    servicedir = world.service(sleeper())
    said = tools.run("s6-svperms", servicedir)
    assert said.code == 1
    assert str(servicedir) in said.err


def test_mkfifodir(world: World, tools: Programs) -> None:
    place = world.top / "fifodir"
    assert tools.run("s6-mkfifodir", place).code == 0
    assert modes(world.top)["fifodir"] == "d1733"
    place.chmod(0o700)
    assert tools.run("s6-mkfifodir", place).code == 0
    assert modes(world.top)["fifodir"] == "d700", "an existing one is left alone"
    assert tools.run("s6-mkfifodir", "-f", place).code == 0
    assert modes(world.top)["fifodir"] == "d1733"
    private = world.top / "private"
    assert tools.run("s6-mkfifodir", "-g", str(os.getegid()), private).code == 0
    assert modes(world.top)["private"] == "d3730"
    assert private.stat().st_gid == os.getegid()


def test_cleanfifodir(world: World, tools: Programs) -> None:
    """Takes away what has no reader, and nothing else; in 2.11 it never finds anything."""
    fifodir = world.plant({"other": "", "ftrig1:short": ""}, "fifodir")
    with Subscriber(fifodir) as listening:
        gone = Subscriber(fifodir)
        gone.abandon()
        assert tools.run("s6-cleanfifodir", fifodir).code == 0
        assert listening.path.exists()
    assert gone.path.exists() != tools.expects.cleanfifodir_cleans
    assert (fifodir / "other").exists()
    assert (fifodir / "ftrig1:short").exists()
