"""s6-setlock and s6-fghack: programs that are held until something is let go."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from world import process
from world.becoming import become
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until


def may_lock(path: Path, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether nobody's lock is in the way of one of ours."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, kind | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def holder(world: World, tools: Programs, *words: str) -> subprocess.Popen[bytes]:
    """Start s6-setlock with these words, and wait until the program runs that it becomes."""
    popen = subprocess.Popen(
        [tools.path("s6-setlock"), *words, "sleep", "1000"],
        env=tools.environment(),
        cwd=world.top,
        stdin=subprocess.DEVNULL,
    )
    until(lambda: process.argv_of(popen.pid)[0] == "sleep", "the program")
    return popen


def end(popen: subprocess.Popen[bytes]) -> None:
    popen.kill()
    popen.wait()


EXCLUSIVE = [[], ["-w"], ["-rw"], ["-N"], ["-n"], ["-nN"], ["-wN", "-t", "5000"]]


@pytest.mark.parametrize("options", EXCLUSIVE, ids=" ".join)
def test_an_exclusive_lock(world: World, tools: Programs, options: list[str]) -> None:
    lock = world.top / "lock"
    running = holder(world, tools, *options, "lock")
    try:
        assert not may_lock(lock, fcntl.LOCK_EX)
        assert not may_lock(lock, fcntl.LOCK_SH)
        assert lock.stat().st_mode & 0o777 == 0o666 & ~process.look(running.pid).umask
        assert lock.read_bytes() == b""
    finally:
        end(running)
    until(lambda: may_lock(lock), "the lock is free again")


@pytest.mark.parametrize("options", [["-r"], ["-wr"], ["-rn"], ["-r", "-t", "5000"]], ids=" ".join)
def test_a_shared_lock(world: World, tools: Programs, options: list[str]) -> None:
    lock = world.top / "lock"
    running = holder(world, tools, *options, "lock")
    try:
        assert not may_lock(lock, fcntl.LOCK_EX)
        assert may_lock(lock, fcntl.LOCK_SH)
        said = tools.run("s6-setlock", *options, "lock", "echo", "became", cwd=world.top)
        assert (said.code, said.out, said.err) == (0, "became\n", "")
    finally:
        end(running)


@pytest.mark.parametrize(
    ("options", "held"),
    [("-n", "-w"), ("-n", "-r"), ("-rn", "-w"), ("-t50", "-w"), ("-t50", "-r"), ("-rt50", "-w")],
)
def test_somebody_else_has_it(world: World, tools: Programs, options: str, held: str) -> None:
    """Locks of the two sets and of other programs are in each other's way."""
    lock = world.plant({"lock": "content"}) / "lock"
    with lock.open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX if held == "-w" else fcntl.LOCK_SH)
        said = tools.run("s6-setlock", options, "lock", "echo", "became", cwd=world.top)
        assert (said.code, said.out) == (1, ""), said
        assert said.err.startswith("s6-setlock: fatal: ")
    said = tools.run("s6-setlock", options, "lock", "echo", "became", cwd=world.top)
    assert (said.code, said.out) == (0, "became\n")
    assert lock.read_text() == "content"


@pytest.mark.parametrize("options", [[], ["-t", "60000"], ["-r"]], ids=" ".join)
def test_waiting_for_it(world: World, tools: Programs, options: list[str]) -> None:
    lock = world.plant({"lock": ""}) / "lock"
    with lock.open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            [tools.path("s6-setlock"), *options, "lock", "sleep", "1000"],
            env=tools.environment(),
            cwd=world.top,
        )
        try:
            until(lambda: "lock" in str(process.descriptors_of(waiting.pid)) or "-t" in options)
            assert holds_for(lambda: process.argv_of(waiting.pid)[0] != "sleep", 0.1)
            fcntl.lockf(mine, fcntl.LOCK_UN)
            until(lambda: process.argv_of(waiting.pid)[0] == "sleep", "the program")
            assert not may_lock(lock)
            now = process.look(waiting.pid)
            assert (now.blocked, now.caught) == (frozenset(), frozenset())
        finally:
            end(waiting)


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("absent/lock echo became", 111, "absent/lock"),
        ("-r absent/lock echo became", 111, "absent/lock"),
        (". echo became", 111, "."),
        ("fifo echo became", 111, "fifo"),
        ("-t x lock echo became", 100, "usage"),
        ("-z lock echo became", 100, "usage"),
        ("lock", 100, "usage"),
        ("", 100, "usage"),
        ("lock nosuchprogram", 127, "nosuchprogram"),
        ("lock /", 126, "/"),
    ],
)
def test_setlock_fails(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    os.mkfifo(world.top / "fifo")
    said = tools.run("s6-setlock", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, ""), said
    assert names in said.err
    assert said.err.startswith("s6-setlock: ")


def test_no_time_is_no_limit(world: World, tools: Programs) -> None:
    """`-t 0`, and `-n` before or behind `-t`: as since 2.12."""
    lock = world.plant({"lock": ""}) / "lock"
    with lock.open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            [tools.path("s6-setlock"), "-t0", "lock", "sleep", "1000"],
            env=tools.environment(),
            cwd=world.top,
            stderr=subprocess.DEVNULL,
        )
        try:
            if tools.expects.setlock_of_2_12:
                assert holds_for(lambda: waiting.poll() is None, 0.2)
            else:
                assert waiting.wait(10) == 1
        finally:
            end(waiting)
        if tools.expects.setlock_of_2_12:
            said = tools.run("s6-setlock", "-n", "-t", "60000", "lock", "true", cwd=world.top)
            assert said.code == 1


@pytest.mark.ours_only
@pytest.mark.parametrize("number", [0, 3, 4, 7, 200])
@pytest.mark.parametrize("kind", ["-w", "-r"])
def test_the_lock_on_a_descriptor(world: World, tools: Programs, number: int, kind: str) -> None:
    """s6 2.12 and later lose it for every number but the lowest free one."""
    lock = world.top / "lock"
    running = holder(world, tools, kind, "-d", str(number), "lock")
    try:
        open_now = process.descriptors_of(running.pid)
        assert [n for n, path in open_now.items() if path == str(lock)] == [number]
        assert not may_lock(lock)
    finally:
        end(running)
    until(lambda: may_lock(lock), "the lock is free again")


@pytest.mark.ours_only
def test_messages_of_setlock(world: World, tools: Programs) -> None:
    lock = world.plant({"lock": ""}) / "lock"
    for words, code, message in [
        ("-d x lock true", 100, 'option -d: "x" is not a number'),
        ("-d 4294967295 lock true", 111, "on descriptor 4294967295: Bad file descriptor"),
        ("-d 99999999 lock true", 111, "on descriptor 99999999: Bad file descriptor"),
        ("absent/lock true", 111, "unable to open absent/lock: No such file or directory"),
    ]:
        said = tools.run("s6-setlock", *words.split(), cwd=world.top)
        assert (said.code, message in said.err) == (code, True), said
    with lock.open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        for options, end_of_message in (("-n", "holds it\n"), ("-t20", "holds it (timed out)\n")):
            said = tools.run("s6-setlock", options, "lock", "true", cwd=world.top)
            assert (
                said.err
                == f"s6-setlock: fatal: unable to lock lock: somebody else {end_of_message}"
            )


def test_whose_lock_it_is(world: World, tools: Programs) -> None:
    """The process's, lost when it closes any descriptor of the file; or the descriptor's."""
    lock = world.top / "lock"
    chain = ["s6-setlock", "lock", "s6-setlock", "-n", "lock", "true"]
    said = tools.run(chain[0], *chain[1:], cwd=world.top)
    assert said.code == (1 if tools.expects.lock_is_the_files else 0)
    os.mkfifo(world.top / "hold")
    script = "(exec >/dev/null 2>&1; read line <hold) & exit 0"
    said = tools.run("s6-setlock", "lock", "sh", "-c", script, cwd=world.top)
    assert said.code == 0
    assert may_lock(lock) is not tools.expects.lock_is_the_files
    with (world.top / "hold").open("w") as hold:
        hold.write("end\n")
    until(lambda: may_lock(lock), "the last one has let go")


def test_fghack_waits_for_what_is_left(world: World, tools: Programs) -> None:
    os.mkfifo(world.top / "hold")
    script = "(exec >/dev/null 2>&1; read line <hold) & echo $!; exit 3"
    running = subprocess.Popen(
        [tools.path("s6-fghack"), "sh", "-c", script],
        env=tools.environment(),
        cwd=world.top,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    daemon = int(running.stdout.readline())
    assert holds_for(lambda: running.poll() is None, 0.1)
    assert process.alive(daemon)
    with (world.top / "hold").open("w") as hold:
        hold.write("end\n")
    assert running.wait(10) == 3
    running.stdout.close()


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("exit 127", 127), ("exit 200", 200), ("echo x >&9", 102)],
)
def test_fghack_codes(tools: Programs, script: str, code: int) -> None:
    said = tools.run("s6-fghack", "sh", "-c", script)
    assert said.code == code, said
    assert (said.err == "") is (code != 102)


def test_fghack_when_the_program_is_killed(tools: Programs) -> None:
    said = tools.run("s6-fghack", "sh", "-c", "kill -9 $$", "word")
    assert said.code == tools.expects.fghack_death_by_signal


@pytest.mark.parametrize(("words", "code"), [("nosuchprogram", 111), ("/", 111), ("", 100)])
def test_fghack_without_program(tools: Programs, words: str, code: int) -> None:
    said = tools.run("s6-fghack", *words.split())
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("s6-fghack: ")
    assert words in said.err


def test_fghack_passes_many_copies_of_one_pipe(tools: Programs) -> None:
    seen = become(tools, "s6-fghack")
    targets = list(seen.descriptors.values())
    copies = {target: targets.count(target) for target in targets if target.startswith("pipe:")}
    assert sorted(copies.values())[-1] == 31


@pytest.mark.ours_only
def test_fghack_and_a_parent_that_ignores_children(tools: Programs) -> None:
    """Who ignores SIGCHLD lets the kernel reap: the exit code must not be lost."""
    under = ("sh", "-c", 'trap "" CHLD; exec "$@"', "sh")
    assert tools.run("s6-fghack", "sh", "-c", "exit 9", under=under).code == 9
