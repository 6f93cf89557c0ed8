"""s6-ps and s6-logwatch: what others do (contract execline §5.2)."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
from pathlib import Path

import pytest

from world import process
from world.programs import AS_NOBODY
from world.running import World
from world.waiting import PATIENCE_S, until

from .conftest import Utilities

FIELDS = (
    *("pid", "comm", "s", "ppid", "pgrp", "sess", "tty", "tpgid", "minflt", "cminflt", "majflt"),
    *("cmajflt", "utime", "stime", "cutime", "cstime", "prio", "nice", "thcount", "start", "vsize"),
    *(
        "rss",
        "rsslimit",
        "psr",
        "rtprio",
        "policy",
        "user",
        "group",
        "pmem",
        "wchan",
        "args",
        "env",
    ),
    *("pcpu", "ttime", "cttime", "tstart", "cpcpu"),
)


def shown(run: Utilities, pid: int, fields: str, *words: str) -> str:
    """What s6-ps shows of one process, besides its id."""
    done = run("s6-ps", *words, "-o", f"pid,{fields}")
    assert (done.code, done.err) == (0, "")
    lines = [line.split(None, 1) for line in done.out.decode().splitlines()]
    return next(line[1] for line in lines if line[0] == str(pid))


def test_what_the_kernel_says(run: Utilities) -> None:
    with subprocess.Popen(
        ["sh", "-c", "read line; :", "a  b", "\x1b[2J\nc"],
        stdin=subprocess.PIPE,
        env={"SECRET": "x y"},
        start_new_session=True,
    ) as popen:
        pid = popen.pid
        until(lambda: process.look(pid).argv[0] == "sh")
        until(lambda: process.look(pid).state == "S")
        me = pwd.getpwuid(os.geteuid()).pw_name
        facts = shown(run, pid, "comm,s,ppid,pgrp,sess,tty,nice,thcount,policy,user,args").split(
            None, 10
        )
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        state = "Ss" + ("N" if nice > 0 else "<" if nice < 0 else "")
        expected = ["sh", state, os.getpid(), pid, pid, "-", nice, 1, "NORMAL", me]
        assert facts[:10] == [str(fact) for fact in expected]
        assert facts[10] == "sh -c read line; : a  b ?[2J?c"
        assert "SECRET=x y" in shown(run, pid, "env")
        assert re.fullmatch(r"@4[0-9a-f]{23}", shown(run, pid, "tstart").strip())
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        assert shown(run, pid, "vsize,rsslimit,psr").split()[:2] == [
            str(int(stat[20]) // 1024),
            str(int(stat[22]) // 1024),
        ]
        popen.communicate(b"\n")


def test_every_column(run: Utilities) -> None:
    done = run("s6-ps", "-w", "3", "-o", ",".join(FIELDS))
    assert (done.code, done.err) == (0, "")
    heading, *lines = done.out.decode(errors="replace").splitlines()
    assert len(heading.split()) == len(FIELDS)
    assert len(lines) >= 2
    assert all("   " in line for line in lines)


def test_the_usual_columns(run: Utilities) -> None:
    for words, heading in (
        ([], "USER PID TTY STAT START COMMAND"),
        (["-l"], "USER PID C%CPU %MEM VSZ RSS TTY STAT START CTTIME COMMAND"),
        (["-o", "pid", "-l", "-o", "args"], "COMMAND"),
    ):
        done = run("s6-ps", *words)
        first, *lines = done.out.decode(errors="replace").splitlines()
        assert (done.code, done.err) == (0, "")
        assert first.split() == heading.split()
        assert any("s6-ps" in line for line in lines)
    pids = [int(line.split()[0]) for line in run("s6-ps", "-o", "pid").out.splitlines()[1:]]
    assert pids == sorted(pids)


def test_a_tree(run: Utilities) -> None:
    """In a PID namespace: PID 1, its children at the margin, theirs below them."""
    done = run.sh(
        "sh -c 'sleep 60; :' & sleep 61 & until s6-ps | grep -q 'sleep 60$'; do :; done;"
        " s6-ps -H -o ppid,args",
        "pid",
    )
    lines = [line for line in done.out.decode().splitlines() if "sh -c sh" not in line]
    assert [re.sub(r"^ *\d+  ", "", line) for line in lines[1:4]] == [
        "sh -c sleep 60; :",
        " \\_ sleep 60",
        "sleep 61",
    ]
    assert (done.code, done.err) == (0, "")


def test_the_dead(run: Utilities) -> None:
    with subprocess.Popen(["true"]) as popen:
        until(lambda: Path(f"/proc/{popen.pid}/stat").read_text().split()[2] == "Z")
        assert shown(run, popen.pid, "args") == "true <defunct>"


def test_what_is_not_ours_to_know(run: Utilities) -> None:
    done = run("s6-ps", "-o", "pid,env,user", under=AS_NOBODY)
    assert done.code == 0
    assert done.out.decode().splitlines()[1].split()[1] == "*"


def test_functions_of_the_kernel_by_a_file(run: Utilities) -> None:
    (run.top / "map").write_text("0000000000000001 T one\n0000000000000000 t zero\nbad\n")
    done = run("s6-ps", "-W", "map", "-o", "pid,wchan")
    assert (done.code, done.err) == (0, "")
    known = {line.split()[1] for line in done.out.decode().splitlines()[1:]}
    assert known <= {"-", "one", "?", "*"}
    done = run("s6-ps", "-W", "no/such", "-o", "pid,wchan")
    assert done.code == 0
    assert done.err == "s6-ps: warning: unable to read no/such: No such file or directory\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "pid,nothing"], 'invalid field for -o option: "nothing"'),
        (["-o", ""], 'invalid field for -o option: ""'),
        (["-o", "pid,"], 'invalid field for -o option: ""'),
        (["-o", "pid,s,pid"], 'duplicate field for -o option: "pid"'),
        (["-w", "x"], 'option -w: "x" is not a number'),
    ],
)
def test_wrong_columns(run: Utilities, words: list[str], message: str) -> None:
    done = run("s6-ps", *words)
    assert (done.code, done.out) == (100, b"")
    assert f"s6-ps: fatal: {message}\n" in done.err


def test_a_log_is_followed_across_rotations(run: Utilities, world: World) -> None:
    """The real logger, whose files are full after some lines, and a reader that misses none."""
    (run.top / "log").mkdir()
    with (
        subprocess.Popen(
            [run.programs.path("s6-log"), "n9999", "s4096", "./log"],
            cwd=run.top,
            stdin=subprocess.PIPE,
            text=True,
        ) as logger,
        subprocess.Popen(
            [run.programs.path("s6-logwatch"), "log"],
            cwd=run.top,
            stdout=subprocess.PIPE,
            text=True,
        ) as watcher,
    ):
        assert logger.stdin
        assert watcher.stdout
        for number in range(300):
            line = f"{number} {'x' * 60}\n"
            logger.stdin.write(line)
            logger.stdin.flush()
            assert watcher.stdout.readline() == line
        assert len(list((run.top / "log").glob("@*"))) > 2
        logger.stdin.close()
        assert logger.wait(PATIENCE_S) == 0
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(PATIENCE_S) == -signal.SIGTERM


def test_a_log_that_is_not_there_yet(run: Utilities) -> None:
    with subprocess.Popen(
        [run.programs.path("s6-logwatch")], cwd=run.top, stdout=subprocess.PIPE
    ) as watcher:
        assert watcher.stdout
        until(lambda: "anon_inode:inotify" in process.look(watcher.pid).descriptors.values())
        (run.top / "current").write_bytes(b"first\n")
        assert watcher.stdout.readline() == b"first\n"
        with (run.top / "current").open("ab") as old:
            (run.top / "current").rename(run.top / "previous")
            old.write(b"late\n")
        (run.top / "current").write_bytes(b"second\n")
        assert watcher.stdout.readline() == b"late\n"
        assert watcher.stdout.readline() == b"second\n"
        watcher.stdout.close()
        assert watcher.wait(PATIENCE_S) == 0, "nobody reads it any more"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no/such"], 111, "unable to watch no/such: No such file or directory"),
        (["file"], 111, "unable to watch file: Not a directory"),
        (["dir"], 111, "unable to follow dir: Is a directory"),
        (["-m", "x"], 100, 'option -m: "x" is not a number'),
    ],
)
def test_no_log(run: Utilities, words: list[str], code: int, message: str) -> None:
    (run.top / "file").write_text("")
    (run.top / "dir/current").mkdir(parents=True)
    done = run("s6-logwatch", *words)
    assert (done.code, done.out) == (code, b"")
    assert f"s6-logwatch: fatal: {message}\n" in done.err
