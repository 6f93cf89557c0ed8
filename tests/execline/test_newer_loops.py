"""Loops, waiting and signals: what 2.9.9 has and 2.9.3 has not, what s6x does better, and long."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from world.meaning import quoted
from world.scripts import Case, Commands
from world.waiting import until

NEWER = [
    # script, standard input, stdout, exit code, what the message says
    ("forx -P 2 -E i { a } echo ${i}", "", "a\n", 0, ""),
    ("forx -E -P 0 i { a b } echo ${i}", "", "a\nb\n", 0, ""),
    ("forx -E -P 1 -x 3 i { 1 3 2 } foreground { echo ${i} } exit ${i}", "", "1\n3\n", 3, ""),
    ("forx -E -p -P 1 i { a b } echo ${i}", "", "a\nb\n", 0, ""),
    ("forx -P x i { a } echo no", "", "", 100, "forx: usage:"),
    ("forx -E -P 2 -x 3 i { 1 3 2 } exit ${i}", "", "", 1, ""),
    ("forx -E -p -x 3 i { 1 3 2 } exit ${i}", "", "", 1, ""),
    ("forx -E -p -o 1,2 i { 1 3 2 } exit ${i}", "", "", 1, ""),
    ("forx -E -p -o 1,2,3 i { 1 3 2 } exit ${i}", "", "", 0, ""),
    ("forx -E -p i { 1 3 2 } exit ${i}", "", "", 0, ""),
    ("forstdin -E -P 2 i true", "a\nb\n", "", 0, ""),
    ("forstdin -E -P 2 -x 3 i exit ${i}", "1\n3\n", "", 0, ""),
    ("forstdin -E -P 1 -x 3 i exit ${i}", "1\n3\n", "", 3, ""),
    ("forbacktickx -P 2 i { echo a } true", "", "", 0, ""),
    ("forbacktickx i { echo a }", "", "", 0, "forbacktickx: fatal: no program given"),
    ("forstdin -NC -E i printf '<%s>' ${i}", "\n\na\n\nb", "<a\n><b>", 0, ""),
    ("forstdin -NC -E i printf '<%s>' ${i}", "\nx", "<x>", 0, ""),
    ("forstdin -E -d '' i echo ${i}", "99999999:a", "", 111, "unable to read a record"),
    ("wait --timeout=50 { } echo a", "", "a\n", 0, ""),
    ("wait --reap --all { } echo a", "", "a\n", 0, ""),
    ("background { sh -c 'exit 7' } wait --one { } importas s ? echo $s", "", "7\n", 0, ""),
    ("background { sleep 0.1 } wait --insist --reap { } echo no", "", "", 99, "unable to wait"),
    ("background { sleep 0.1 } wait --insist --no-insist --reap { } echo on", "", "on\n", 0, ""),
    ("wait -x", "", "", 100, "wait: fatal: unrecognized short option: x"),
    ("export ? 5 wait -o -t 10 { } importas -D unset s ? echo $s", "", "unset\n", 0, ""),
    ("export EXECLINE_STRICT 2 wait 1 '' echo after", "", "after\n", 0, ""),
    ("trap { 0 { echo no } } true", "", "", 100, "unrecognized directive: 0"),
    ("trap { SIGKILL { echo no } } true", "", "", 100, "SIGKILL (9) cannot be trapped"),
    ("trap { SIGTERM } true", "", "", 100, "unterminated internal block for directive SIGTERM"),
    ("trap { TERM { a } term { b } } true", "", "", 100, "duplicate directive: term"),
    # Whatever is put in, it is data.
    ("forx -E i { '${i}' '$i' '\\\\${i}' } printf '<%s>' ${i}", "", "<${i}><$i><\\${i}>", 0, ""),
    ("forbacktickx -E i { echo '} x' } foreground { echo ${i} } echo end", "", "} x\nend\n", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("script", "stdin", "stdout", "code", "message"), NEWER)
def test_newer(
    ours: Commands, tmp_path: Path, script: str, stdin: str, stdout: str, code: int, message: str
) -> None:
    ran = ours.run(Case(script, quoted(script), stdin=stdin), tmp_path)
    assert (ran.exit, ran.stdout) == (code, stdout), ran.stderr
    assert message in ran.stderr
    assert message or not ran.stderr


@contextmanager
def started(commands: Commands, script: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A script that runs; at the end, all of its process group is killed."""
    running = subprocess.Popen(
        [commands.directory / "execlineb", "-Pc", quoted(script)],
        env={"PATH": f"{commands.directory}:/usr/bin:/bin"},
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert running.stdin
        assert running.stdout
        running.stdin.close()
        running.stdout.close()


def line_of(running: subprocess.Popen[str]) -> str:
    assert running.stdout
    return running.stdout.readline()


LOOPS = [
    "forx x { a b } sh -c 'echo $$; exec sleep 20'",
    "forx -p x { a } sh -c 'echo $$; exec sleep 20'",
    "loopwhilex sh -c 'echo $$; exec sleep 20'",
    "forbacktickx x { echo a } sh -c 'echo $$; exec sleep 20'",
    "background { sh -c 'echo $$; exec sleep 20' } wait { }",
    "background { sh -c 'echo $$; exec sleep 20' } wait -t 20000 { }",
    "trap { SIGUSR1 { true } } sh -c 'echo $$; exec sleep 20'",
]


@pytest.mark.parametrize("script", LOOPS)
def test_a_killed_loop_leaves_its_child_alone(
    implementation: Commands, tmp_path: Path, script: str
) -> None:
    with started(implementation, script, tmp_path) as running:
        child = int(line_of(running))
        running.terminate()
        assert running.wait(20) == -signal.SIGTERM
        os.kill(child, 0)


@pytest.mark.parametrize("script", LOOPS)
def test_children_find_signals_as_they_were(
    implementation: Commands, tmp_path: Path, script: str
) -> None:
    """A blocked signal stays blocked where the program keeps its mask, and no other is."""
    script = script.replace("echo $$; exec sleep 20", "grep SigBlk /proc/self/status; exit 1")
    told = subprocess.run(
        [implementation.directory / "execlineb", "-Pc", quoted(script)],
        env={"PATH": f"{implementation.directory}:/usr/bin:/bin"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert re.findall(r"SigBlk:\t0{16}", told.stdout)
    assert len(set(told.stdout.splitlines())) == 1


def test_a_wait_that_was_ignoring_children(ours: Commands, tmp_path: Path) -> None:
    """Who ignores SIGCHLD has no children to wait for; with a limit, they are seen all the same."""
    ignoring = ["sh", "-c", 'trap "" CHLD; exec "$@"', "sh"]
    script = "background { sh -c 'exit 3' } wait -o -t 5000 { } importas -D none s ? echo $s"
    told = subprocess.run(
        [*ignoring, ours.directory / "execlineb", "-Pc", quoted(script)],
        env={"PATH": f"{ours.directory}:/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert told.stdout in ("3\n", "none\n")
    assert (told.returncode, told.stderr) == (0, "")


def test_a_trap_answers_while_its_program_runs(implementation: Commands, tmp_path: Path) -> None:
    script = (
        "trap { SIGHUP { echo hup } SIGTERM { importas p ! kill $p } } sh -c 'echo on; exec cat'"
    )
    with started(implementation, script, tmp_path) as running:
        assert line_of(running) == "on\n"
        for _ in range(3):
            running.send_signal(signal.SIGHUP)
            assert line_of(running) == "hup\n"
            # The next one is answered only when the block has ended and was seen to.
            until(lambda: len(children(running.pid)) == 1)
        running.terminate()
        assert running.wait(20) == 128 + signal.SIGTERM


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_signals_just_before_the_end_are_answered(ours: Commands, tmp_path: Path) -> None:
    """Also those whose numbers are above that of SIGCHLD."""
    script = "trap { SIGWINCH { touch seen } } sh -c 'kill -WINCH $PPID'"
    for _ in range(20):
        with started(ours, script, tmp_path) as running:
            assert running.wait(20) == 0
            until((tmp_path / "seen").exists)
            (tmp_path / "seen").unlink()


def memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found.group(1))


@pytest.mark.parametrize(
    "script",
    [
        "forstdin -E l s6-echo ${l}",
        "forstdin l s6-echo line",
        "forstdin -d ': ' -E l s6-echo ${l}",
        "forbacktickx -E l { cat } s6-echo ${l}",
    ],
)
def test_a_stream_does_not_fill_memory(ours: Commands, tmp_path: Path, script: str) -> None:
    with started(ours, script, tmp_path) as running:
        assert running.stdin

        def feed(lines: int) -> int:
            assert running.stdin
            for _ in range(lines):
                running.stdin.write("a:line\n" if ":" in script else "a line of some words\n")
                running.stdin.flush()
                assert line_of(running)
            return memory_kb(running.pid)

        before = feed(300)
        assert feed(1500) <= before + 64


def test_a_loop_does_not_fill_memory(ours: Commands, tmp_path: Path) -> None:
    script = "fdmove -c 3 1 loopwhilex sh -c 'echo >&3'"
    with started(ours, script, tmp_path) as running:
        for _ in range(50):
            line_of(running)
        before = memory_kb(running.pid)
        for _ in range(300):
            line_of(running)
        assert memory_kb(running.pid) <= before + 64
