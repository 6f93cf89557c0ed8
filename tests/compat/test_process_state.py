"""s6-envdir, s6-softlimit, s6-setsid: what a program starts with, seen by a witness."""

from __future__ import annotations

import errno
import os
import pty
import random
import select

import pytest

from world import process
from world.becoming import become
from world.programs import Programs
from world.running import World
from world.tree import FIFO, Content, Link
from world.waiting import PATIENCE_S, holds_for, until

FILES: dict[str, Content] = {
    "A": "a b \t\r\nsecond\n\n",
    "NUL": b"x\0y\n",
    "BYTES": b"caf\xe9\xff\n",
    "EMPTY": "",
    "NEWLINE": "\n",
    "BLANK": " \t\r\n",
    "LEADING": "  lead",
    "LONG": "x" * 5000 + " \nz",
    "LONGLINES": "y" * 4095 + "\n\n",
    "EQUALS": "B=C",
    "NO=NAME": "value",
    ".HIDDEN": "value",
    "LINK": Link("A"),
    "NULL": Link("/dev/null"),
}

READ = {
    # option → what differs from it without
    "": {"A": "a b", "NUL": "x\ny", "LONG": "x" * 4095, "BLANK": ""},
    "-n": {"A": "a b \t\r", "BLANK": " \t\r"},
    "-f": {"A": "a b \t\r\nsecond\n", "BLANK": " \t\r"},
    "-fn": {"A": "a b \t\r\nsecond\n\n", "NUL": "x\ny\n", "BLANK": " \t\r\n", "NEWLINE": "\n"},
    "-fL": {"A": "a b \t\r\nsecond\n", "LONG": "x" * 5000 + " \nz", "BLANK": " \t\r"},
    "-c _": {"NUL": "x_y"},
    "-c ab": {"NUL": "xay"},
    "-I": {},
}


@pytest.mark.parametrize("options", READ)
def test_envdir(world: World, tools: Programs, options: str) -> None:
    world.plant(FILES, "env")
    env = {"EMPTY": "there", "NULL": "there", "OTHER": "kept", "A": "old"}
    seen = become(tools, "s6-envdir", *options.split(), "env", env=env, cwd=world.top)
    expected = {**READ[""], **READ[options]}
    names = (
        "A",
        "NUL",
        "EMPTY",
        "NEWLINE",
        "BLANK",
        "LEADING",
        "LONG",
        "EQUALS",
        "NO",
        "NULL",
        "OTHER",
    )
    variables = seen.variables(*names, ".HIDDEN", "LINK", "BYTES")
    assert variables.pop("LINK") == expected["A"]
    assert variables.pop("BYTES").rstrip("\n") == "caf\udce9\udcff"
    assert variables == {
        **{"NEWLINE": "", "LEADING": "  lead", "EQUALS": "B=C", "OTHER": "kept"},
        **expected,
    }


def test_envdir_of_long_lines(world: World, tools: Programs) -> None:
    """With -L, 4095 bytes are no limit, and a last line needs no newline."""
    world.plant({"LINE": "x" * 9000 + "\nmore", "LAST": "value"}, "env")
    seen = become(tools, "s6-envdir", "-L", "env", cwd=world.top)
    last = "" if tools.expects.envdir_loses_last_lines else "value"
    assert seen.variables("LINE", "LAST") == {"LINE": "x" * 9000, "LAST": last}


@pytest.mark.parametrize("options", ["", "-f", "-n", "-fn", "-fL", "-fLn", "-c z"])
def test_envdir_of_anything(world: World, tools: Programs, options: str) -> None:
    """Files made by dice; expected is what the rules of the manual give."""
    dice = random.Random(options)
    files = {
        f"V{n}": bytes(
            dice.choices(b"a \t\r\n\0=\xff", k=dice.choice([0, 1, 3, 9, 4094, 4096, 4100]))
        )
        for n in range(40)
    }
    world.plant(files, "env")
    seen = become(tools, "s6-envdir", *options.split(), "env", cwd=world.top)
    expected = {name: by_the_manual(content, options) for name, content in files.items() if content}
    assert seen.variables(*files) == expected


def by_the_manual(content: bytes, options: str) -> str:
    taken = content if "L" in options else content[:4095]
    if "f" in options:
        taken = taken if "n" in options else taken.removesuffix(b"\n")
    else:
        taken = taken.split(b"\n")[0]
        taken = taken if "n" in options else taken.rstrip(b" \t\r")
    return os.fsdecode(taken.replace(b"\0", b"z" if "z" in options else b"\n"))


ENVDIR_FAILS = [
    # words, exit code, what the message names
    ("absent echo became", 111, "absent"),
    ("-Ii absent echo became", 111, "absent"),
    ("-i absent echo became", 111, "absent"),
    ("file echo became", 111, "file"),
    ("-I file echo became", 111, "file"),
    ("withdir echo became", 111, "withdir"),
    ("dangling echo became", 111, "dangling"),
    ("good", 100, "usage"),
    ("-z good echo became", 100, "usage"),
    ("-c", 100, "usage"),
    ("good nosuchprogram", 127, "nosuchprogram"),
    ("good /", 126, "/"),
]


@pytest.mark.parametrize(("words", "code", "names"), ENVDIR_FAILS)
def test_envdir_fails(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    world.plant(
        {
            **{"good": {"A": "1"}, "withdir": {"A": "1", "sub": {}}, "file": "text"},
            "dangling": {"A": "1", "LINK": Link("nowhere")},
        }
    )
    said = tools.run("s6-envdir", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, ""), said
    assert said.err.startswith("s6-envdir: ")
    assert names in said.err


def test_envdir_need_not_be_there(world: World, tools: Programs) -> None:
    seen = become(tools, "s6-envdir", "-iI", "absent", env={"A": "1"}, cwd=world.top)
    assert seen.variables("A") == {"A": "1"}


@pytest.mark.ours_only
def test_envdir_names_what_it_cannot_read(world: World, tools: Programs) -> None:
    """A FIFO would keep the original waiting for ever."""
    world.plant({"dir": {"D": {}}, "fifo": {"F": FIFO}, "long": {"X": "x" * 200_000}})
    for words, message in [
        (["dir"], "unable to read dir/D: Is a directory"),
        (["fifo"], "unable to read fifo/F: Illegal seek"),
        (["-L", "long"], "unable to take X from long: Argument list too long"),
    ]:
        said = tools.run("s6-envdir", *words, "echo", "became", cwd=world.top)
        assert (said.code, said.out) == (111, "")
        assert said.err == f"s6-envdir: fatal: {message}\n"
    said = tools.run("s6-envdir", "-c", "", "dir", "true", cwd=world.top)
    assert (said.code, "option -c needs a character" in said.err) == (100, True)


OPEN = "open files"
LIMITS = [
    # the words, under which limits of open files (soft:hard); the resulting ones
    ("-o 100", "200:300", "100", "300"),
    ("-o 1000", "200:300", "300", "300"),
    ("-o =", "200:300", "300", "300"),
    ("-o 100 -o =", "200:300", "300", "300"),
    ("-h -o 250", "200:300", "200", "250"),
    ("-H -o 250", "200:300", "250", "250"),
    ("-o 150 -h -o 160", "200:300", "150", "160"),
    ("-H -h -o 250", "200:300", "200", "250"),
    ("-h -H -o 250", "200:300", "250", "250"),
    ("-c 5 -o 30", "200:300", "30", "300"),
]


@pytest.mark.parametrize(("words", "before", "soft", "hard"), LIMITS)
def test_softlimit(tools: Programs, words: str, before: str, soft: str, hard: str) -> None:
    under = ("prlimit", f"--nofile={before}")
    seen = become(tools, "s6-softlimit", *words.split(), under=under)
    assert seen.limits[OPEN] == (soft, hard)


@pytest.mark.parametrize(
    ("letter", "names"),
    [
        ("a", ["address space"]),
        ("c", ["core file size"]),
        ("d", ["data size"]),
        ("f", ["file size"]),
        ("l", ["locked memory"]),
        ("m", ["data size", "stack size", "locked memory", "address space"]),
        ("o", ["open files"]),
        ("p", ["processes"]),
        ("r", ["resident set"]),
        ("s", ["stack size"]),
        ("t", ["cpu time"]),
    ],
)
def test_which_limit(tools: Programs, letter: str, names: list[str]) -> None:
    amount = {"o": "77", "p": "4000", "l": "65536"}.get(letter, "7340032")
    before = become(tools, "s6-softlimit")
    seen = become(tools, "s6-softlimit", f"-{letter}", amount)
    changed = {name for name, limit in seen.limits.items() if limit != before.limits[name]}
    assert changed == set(names)
    assert {seen.limits[name] for name in names} == {
        (amount, before.limits[name][1]) for name in names
    }


def test_unlimited(tools: Programs) -> None:
    words = ("-c", "0", "-c", "18446744073709551615")
    assert become(tools, "s6-softlimit", *words).limits["core file size"][0] == "unlimited"


SOFTLIMIT_FAILS = [
    ("-o x echo became", 100),
    ("-o -1 echo became", 100),
    ("-o 18446744073709551616 echo became", 100),
    ("-o", 100),
    ("-o 100", 100),
    ("-o 100 nosuchprogram", 127),
    ("-o 100 /", 126),
]


@pytest.mark.parametrize(("words", "code"), SOFTLIMIT_FAILS)
def test_softlimit_fails(tools: Programs, words: str, code: int) -> None:
    said = tools.run("s6-softlimit", *words.split())
    assert (said.code, said.out) == (code, ""), said
    assert said.err.startswith("s6-softlimit: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_cannot_raise_a_hard_limit(tools: Programs) -> None:
    under = ("prlimit", "--nofile=50:100", "setpriv", "--reuid=65534", "--clear-groups")
    said = tools.run("s6-softlimit", "-h", "-o", "200", "echo", "became", under=under)
    assert (said.code, said.out) == (111, ""), said
    assert "Operation not permitted" in said.err


def test_a_hard_limit_below_the_soft_one(tools: Programs) -> None:
    """Lowers both, the manual says."""
    if not tools.expects.hard_limits_lower_soft_ones:
        assert tools.run("s6-softlimit", "-o", "90", "-h", "-o", "80", "true").code == 111
        return
    seen = become(tools, "s6-softlimit", "-o", "90", "-h", "-o", "80")
    assert seen.limits[OPEN] == ("80", "80")


def test_unknown_limits(tools: Programs) -> None:
    """A limit that is not there is not to be mistaken for one that is."""
    said = tools.run("s6-softlimit", "-x", "echo", "became")
    if tools.expects.softlimit_ignores_mistakes:
        assert (said.code, said.out) == (0, "became\n")
    else:
        assert (said.code, said.out) == (100, "")
        assert "unknown option -x" in said.err


def test_memory_below_our_own_needs(tools: Programs) -> None:
    """A small program with many words fits where the chain loader itself would not."""
    words = [str(n) for n in range(30_000)]
    assert tools.run("s6-softlimit", "-d", "0", "/bin/busybox", "true", *words).code == 0
    assert tools.run("s6-softlimit", "-a", "4000000", "/bin/busybox", "true", *words).code == 0


@pytest.mark.ours_only
def test_realtime_priority(tools: Programs) -> None:
    before = become(tools, "s6-softlimit").limits["realtime priority"]
    seen = become(tools, "s6-softlimit", "-P", "=").limits["realtime priority"]
    assert seen == (before[1], before[1])
    said = tools.run("s6-softlimit", "-P", "high", "echo", "became")
    assert (said.code, 'option -P: "high" is neither a number nor =' in said.err) == (100, True)


OWN_SESSION = ["", "-s", "-bs", "-fs", "-I", "-i", "-q", "-d 1"]


@pytest.mark.parametrize("options", OWN_SESSION)
def test_a_session_of_its_own(tools: Programs, options: str) -> None:
    seen = become(tools, "s6-setsid", *options.split())
    assert (seen.sid, seen.pgid, seen.warnings) == (seen.pid, seen.pid, "")


@pytest.mark.parametrize("options", ["-b", "-sb", "-gb", "-ib"])
def test_a_group_of_its_own(tools: Programs, options: str) -> None:
    seen = become(tools, "s6-setsid", *options.split())
    assert (seen.sid, seen.pgid, seen.warnings) == (os.getsid(0), seen.pid, "")


LEADER = ("setsid", "-w")
"""Starts a program that leads its session already, so that it can start none."""


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        *[("", 0, "warning"), ("-I", 0, "warning"), ("-q", 0, ""), ("-i", 111, "fatal")],
        *[("-iI", 0, "warning"), ("-Iq", 0, ""), ("-iq", 0, ""), ("-qi", 111, "fatal")],
        ("-qI", 0, "warning"),
    ],
)
def test_what_cannot_be_done(tools: Programs, options: str, code: int, said: str) -> None:
    done = tools.run("s6-setsid", *options.split(), "echo", "became", under=LEADER)
    assert done.code == code, done
    assert done.out == ("became\n" if code == 0 else "")
    assert done.err.startswith(f"s6-setsid: {said}: ") if said else done.err == ""


@pytest.mark.parametrize("words", ["-d x true", "-z true", "", "-d", "-s"])
def test_setsid_usage(tools: Programs, words: str) -> None:
    said = tools.run("s6-setsid", *words.split())
    assert (said.code, said.out) == (100, ""), said
    assert "usage: s6-setsid" in said.err


@pytest.mark.parametrize(("program", "code"), [("nosuchprogram", 127), ("/", 126)])
def test_setsid_to_no_program(tools: Programs, program: str, code: int) -> None:
    assert tools.run("s6-setsid", program).code == code


def on_a_terminal(words: list[str], env: dict[str, str]) -> tuple[int, str]:
    """Run words as the leader of a session with a terminal: exit code, output on the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(words[0], words, env)
    said = b""
    try:
        while more := next_of(terminal):
            said += more
    finally:
        for stray in (pid, *process.descendants_of(pid)):
            process.kill(stray)
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), said.decode()


def next_of(terminal: int) -> bytes:
    """What is written to a terminal next; nothing when nobody has it open any more."""
    ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
    assert ready, "whatever has the terminal does not end"
    try:
        return os.read(terminal, 4096)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


SHOW = "exec cut -d' ' -f5,8 /proc/self/stat"
"""Prints process group and foreground group of its process."""

FOREGROUND = [
    # how s6-setsid is called, and whether its program is in the foreground
    ("trap '' TTOU; s6-setsid -f", True),
    ("trap '' TTOU; s6-setsid -d 0 -f", True),
    ("s6-setsid -gb", False),
    ("s6-setsid -b", False),
    ("trap '' TTOU; exec 5<&0 </dev/null; s6-setsid -d 5 -f", True),
    ("trap '' TTOU; exec 5<&0 </dev/null; s6-setsid -d5 -if", True),
    ("trap '' TTOU; exec </dev/null; s6-setsid -qd 9 -f", False),
]


@pytest.mark.parametrize(("call", "foreground"), FOREGROUND, ids=[case[0] for case in FOREGROUND])
def test_the_foreground(tools: Programs, call: str, foreground: bool) -> None:
    """The shell that leads the session is in the foreground first."""
    code, said = on_a_terminal(["sh", "-c", f'{call} sh -c "{SHOW}"; true'], tools.environment())
    assert code == 0, said
    group, front = said.split()
    assert (group == front) is foreground, said


def test_the_terminal_is_found(tools: Programs) -> None:
    """2.11 takes descriptor 0, 2.15 /dev/tty: the second if the first is no terminal."""
    call = f'trap "" TTOU; exec </dev/null; s6-setsid -if sh -c "{SHOW}"; echo $?'
    code, said = on_a_terminal(["sh", "-c", call], tools.environment())
    assert code == 0
    if tools.expects.setsid_finds_the_terminal:
        group, front, result = said.split()
        assert (group, result) == (front, "0")
    else:
        assert said.split()[-1] == "111"


def test_taking_the_terminal(tools: Programs) -> None:
    """The original gives SIGTTOU a handler, whose return restarts what the signal interrupted."""
    pid, terminal = pty.fork()
    if pid == 0:
        words = ["sh", "-c", "s6-setsid -g sleep 1000; true"]
        os.execvpe(words[0], words, tools.environment())
    try:
        child = until(lambda: process.children_of(pid), "s6-setsid")[0]
        if tools.expects.setsid_grabs:
            until(lambda: os.tcgetpgrp(terminal) == child, "it has the terminal")
            until(lambda: process.argv_of(child)[0] == "sleep", "the program")
            assert process.look(child).blocked == frozenset()
        else:
            until(lambda: process.group_of(child) == child, "its process group")
            assert holds_for(lambda: os.tcgetpgrp(terminal) == pid, 0.2)
            assert process.argv_of(child)[0] == "s6-setsid"
        process.kill(child)
    finally:
        process.kill(pid)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_a_group_in_the_background_stops_when_it_asks(tools: Programs) -> None:
    """As -f, unlike -g, respects who is in the foreground."""
    pid, terminal = pty.fork()
    if pid == 0:
        words = ["sh", "-c", "s6-setsid -f sleep 1000; true"]
        os.execvpe(words[0], words, tools.environment())
    try:
        child = until(lambda: process.children_of(pid), "s6-setsid")[0]
        until(lambda: process.state_of(child) == "T", "it stops")
        process.kill(child)
    finally:
        process.kill(pid)
        os.waitpid(pid, 0)
        os.close(terminal)


@pytest.mark.ours_only
@pytest.mark.parametrize(
    ("options", "foreground"),
    [
        ("--foreground-process-group-grab", True),
        ("--process-group --foreground --grab", True),
        ("--background-process-group", False),
        ("--process-group", False),
        ("--process-group --foreground --grab -b", False),
        ("--ctty=0 -g", True),
    ],
)
def test_long_options(tools: Programs, options: str, foreground: bool) -> None:
    call = f's6-setsid {options} --strict sh -c "{SHOW}"; true'
    code, said = on_a_terminal(["sh", "-c", call], tools.environment())
    group, front = said.split()
    assert (code, group == front) == (0, foreground), said
    seen = become(tools, "s6-setsid", "--session", "--no-strict")
    assert seen.sid == seen.pid
