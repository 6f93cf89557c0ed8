"""s6-sudo, s6-sudoc and s6-sudod: programs run with somebody else's rights (contract 1.9)."""

from __future__ import annotations

import array
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from world import process
from world.programs import AS_NOBODY, Programs, Result
from world.running import World
from world.sockets import NAME, Server, everything, server
from world.waiting import holds_for, until, until_line, until_lines

ROOT = os.geteuid() == 0
GREETING, REQUEST = b"s6-sudo b v1.0\n", b"s6-sudo a v1.0\n"


@contextlib.contextmanager
def sudod(
    world: World, daemons: Programs, *words: str, env: dict[str, str] | None = None
) -> Iterator[Server]:
    with server(world, daemons, "-a", "0666", "--", "s6-sudod", *words, env=env) as its:
        yield its


def sudo(its: Server, tools: Programs, *words: str, env: dict[str, str] | None = None) -> Result:
    return tools.run("s6-sudo", *words, cwd=its.directory, env=env)


def test_words_of_both(world: World, daemons: Programs, tools: Programs) -> None:
    """The server has the beginning of the command line, the client its end."""
    with sudod(world, daemons, "printf", "<%s>", "a b") as its:
        assert sudo(its, tools, NAME).out == "<a b>"
        assert sudo(its, tools, NAME, "c", "", "-x", "\n").out == "<a b><c><><-x><\n>"
        assert sudo(its, tools, "--", NAME, "-e").out == "<a b><-e>"
    with sudod(world, daemons) as its:
        assert sudo(its, tools, NAME, "echo", "all mine").out == "all mine\n"


ENDINGS = {
    "exit 0": 0,
    "exit 1": 1,
    "exit 100": 100,
    "exit 127": 127,
    "exit 128": 128,
    "exit 255": 128,
    "kill -9 $$": 137,
    "kill -TERM $$": 143,
}


def test_exit_codes(world: World, daemons: Programs, tools: Programs) -> None:
    with sudod(world, daemons, "sh", "-c") as its:
        for script, code in ENDINGS.items():
            said = sudo(its, tools, NAME, script)
            assert (said.code, said.out, said.err) == (code, "", ""), script
        its.until_children(0)
        assert its.said() == ""


_DESCRIPTORS = """
import json, os, sys
print(sys.stdin.read() + "out")
print("err", file=sys.stderr)
its = {}
for number in os.listdir("/proc/self/fd"):
    try:
        its[number] = os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        pass  # the directory that was listed
with open("list", "w") as file:
    json.dump(its, file)
"""


def test_the_descriptors_are_the_clients(world: World, daemons: Programs, tools: Programs) -> None:
    """Three of them, and none of the connection."""
    (world.top / "in").write_text("input")
    with sudod(world, daemons, sys.executable, "-ISc", _DESCRIPTORS):
        with (world.top / "in").open() as stdin, (world.top / "out").open("w") as stdout:
            done = subprocess.run(
                [tools.path("s6-sudo"), NAME],
                env=tools.environment(),
                cwd=world.top,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                check=True,
                timeout=30,
            )
        assert (world.top / "out").read_text() == "inputout\n"
        assert done.stderr == b"err\n"
        found = json.loads((world.top / "list").read_text())
        assert found.pop("0") == str(world.top / "in")
        assert found.pop("1") == str(world.top / "out")
        assert found.pop("2").startswith("pipe:")
        assert found == {}


@pytest.mark.parametrize("options", ["", "-0", "-1", "-2", "-012", "-d", "-d0"])
def test_descriptors_that_are_spared(
    world: World, daemons: Programs, tools: Programs, options: str
) -> None:
    script = "cat; echo out; echo err >&2; exit 3"
    with sudod(world, daemons, *options.split(), "sh", "-c", script) as its:
        done = subprocess.run(
            [tools.path("s6-sudo"), NAME],
            env=tools.environment(),
            cwd=world.top,
            input=b"in",
            capture_output=True,
            check=False,
            timeout=30,
        )
        spared = set("012") if "d" in options else set(options)
        assert done.returncode == 3
        read = b"" if "0" in spared else b"in"
        assert done.stdout == (b"" if "1" in spared else read + b"out\n")
        assert done.stderr == (b"" if "2" in spared else b"err\n")
        assert its.said() == ("err\n" if "2" in spared else "")


def test_pipes_end_when_the_program_closes_them(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """Neither client nor server holds them."""
    with sudod(
        world, daemons, "sh", "-c", "exec >&- <&-; echo >closed; read x <wait; exit 4"
    ) as its:
        os.mkfifo(world.top / "wait")
        client = subprocess.Popen(
            [tools.path("s6-sudo"), NAME],
            env=tools.environment(),
            cwd=world.top,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdin
        assert client.stdout
        assert client.stdout.read() == b""
        until(lambda: (world.top / "closed").exists())
        with pytest.raises(BrokenPipeError):
            os.write(client.stdin.fileno(), b"x")
        assert client.poll() is None
        (world.top / "wait").write_text("")
        assert client.wait(10) == 4
        client.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            client.stdin.close()
        its.until_children(0)


def variables(text: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)


def test_the_environment(world: World, daemons: Programs, tools: Programs) -> None:
    """The server's; what is set and empty there is the client's to say, and nothing else."""
    here = {"ASKED": "", "EMPTY": "", "OWN": "server", "LD_PRELOAD_": "server"}
    there = {"ASKED": "a = b\nc", "OWN": "client", "OTHER": "client", "IFS": "x", "ASK": "x"}
    with sudod(world, daemons, "env", "-0", env=here) as its:
        found = variables(sudo(its, tools, NAME, env=there).out)
        assert found["ASKED"] == "a = b\nc"
        assert found["EMPTY"] == ""
        assert found["OWN"] == found["LD_PRELOAD_"] == "server"
        assert not {"OTHER", "ASK", "IFS"} & set(found)
        assert found["PATH"] == daemons.environment()["PATH"]
        assert (found["PROTO"], found["IPCCONNNUM"]) == ("IPC", "1")
        found = variables(sudo(its, tools, "-e", NAME, env=there).out)
        assert found["ASKED"] == ""


def test_the_path_is_the_servers(world: World, daemons: Programs, tools: Programs) -> None:
    """A client cannot say what a word of the server means."""
    for place in ("server", "client"):
        (world.top / place).mkdir()
        program = world.top / place / "prog"
        program.write_text(f"#!/bin/sh\necho {place}\n")
        program.chmod(0o755)
    here = f"{daemons.environment()['PATH']}:{world.top / 'server'}"
    there = f"{world.top / 'client'}:{tools.environment()['PATH']}"
    with sudod(world, daemons, "prog", env={"PATH": here}) as its:
        assert sudo(its, tools, NAME, env={"PATH": there}).out == "server\n"


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_whose_rights(world: World, daemons: Programs, tools: Programs) -> None:
    """Those of the server, all of them, and none of the client's."""
    script = "grep -E '^(Uid|Gid|Groups|CapEff|Umask)' /proc/self/status; pwd"
    with sudod(world, daemons, "sh", "-c", script) as its:
        done = subprocess.run(
            [*AS_NOBODY, "sh", "-c", 'umask 077; exec "$@"', "-", tools.path("s6-sudo"), its.path],
            env=tools.environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        *lines, where = done.stdout.splitlines()
        fields = dict(line.split(":\t") for line in lines)
        assert fields["Uid"].split() == [str(os.geteuid())] * 4
        assert fields["Gid"].split() == [str(os.getegid())] * 4
        assert int(fields["CapEff"], 16) != 0
        assert fields["Umask"] == f"{process.look(its.pid).umask:04o}"
        assert where == str(world.top)


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_rights_that_the_server_gave_up(world: World, daemons: Programs, tools: Programs) -> None:
    """A client that is root gets no more than the server has."""
    options = ["-u", "65534", "-g", "65534", "-G", ""]
    script = "grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status"
    with server(world, daemons, *options, "--", "s6-sudod", "sh", "-c", script) as its:
        said = sudo(its, tools, NAME)
        fields = dict(line.split(":\t") for line in said.out.splitlines())
        assert fields["Uid"].split() == fields["Gid"].split() == ["65534"] * 4
        assert fields["Groups"].split() == ["65534"]
        assert int(fields["CapEff"], 16) == 0


def client(world: World, tools: Programs, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [tools.path("s6-sudo"), *words],
        env=tools.environment(),
        cwd=world.top,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def test_the_client_goes(world: World, daemons: Programs, tools: Programs) -> None:
    """The program is told to end, even if it is stopped."""
    script = "trap 'echo told >>log; exit' TERM; echo $$ >>log; sleep 0.1; kill -STOP $$; "
    script += "while :; do sleep 0.02; done"
    with sudod(world, daemons, "sh", "-c", script) as its:
        leaving = client(world, tools, NAME)
        pid = int(until_lines(world.top / "log", 1)[0])
        until(lambda: process.state_of(pid) == "T")
        leaving.kill()
        leaving.communicate()
        until_line(world.top / "log", "told")
        until(lambda: not process.alive(pid))
        its.until_children(0)


def test_the_client_goes_and_the_program_stays(
    world: World, daemons: Programs, tools: Programs
) -> None:
    os.mkfifo(world.top / "wait")
    script = "echo $$ >>log; cat <wait; echo end >>log"
    with sudod(world, daemons, "-d", "sh", "-c", script) as its:
        leaving = client(world, tools, NAME)
        pid = int(until_lines(world.top / "log", 1)[0])
        leaving.kill()
        leaving.communicate()
        assert holds_for(lambda: process.alive(pid), 0.1)
        (world.top / "wait").write_text("")
        until_line(world.top / "log", "end")
        its.until_children(0)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["nosuchprogram"], "No such file"),
        (["/"], "Permission denied"),
        (["./plain"], "Permission denied"),
    ],
)
def test_a_program_that_cannot_be_run(
    world: World, daemons: Programs, tools: Programs, words: list[str], names: str
) -> None:
    (world.top / "plain").write_text("no program")
    with sudod(world, daemons) as its:
        said = sudo(its, tools, NAME, *words)
        assert (said.code, said.out) == (111, "")
        assert "s6-sudoc: fatal: " in said.err
        assert names in said.err
        its.until_children(0)


def test_no_words_at_all(world: World, daemons: Programs, tools: Programs) -> None:
    """Nothing to run: 2.11 takes that for a success of nothing and says 0."""
    with sudod(world, daemons) as its:
        said = sudo(its, tools, NAME)
        if daemons.expects.sudo_of_nothing is None:
            assert said.code == 111
        else:
            assert said.code == daemons.expects.sudo_of_nothing
        its.until_children(0)


def test_time_to_start_and_to_end(world: World, daemons: Programs, tools: Programs) -> None:
    """`-t` ends when the program runs; `-T` begins then."""
    with sudod(world, daemons, "sh", "-c") as its:
        said = sudo(its, tools, "-t", "20000", "-T", "100", NAME, "exec sleep 1000")
        assert said.code == 111
        assert said.err.startswith("s6-sudoc: fatal: ")
        its.until_children(0)
        assert sudo(its, tools, "-t", "20000", "-T", "0", NAME, "sleep 0.1; exit 4").code == 4
        assert sudo(its, tools, "-t", "100", NAME, "sleep 0.3; exit 5").code == 5
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(os.fspath(world.top / "silent"))
        silent.listen()
        said = tools.run("s6-sudo", "-t", "100", "silent", "x", cwd=world.top)
        assert said.code == 111
        assert said.err.startswith("s6-sudoc: fatal: ")


def served(world: World, *answers: bytes) -> tuple[Path, int]:
    """A server that says these bytes, and waits for a request after its greeting; path and pid."""
    path = world.top / "fake"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(path))
    listener.listen()
    pid = os.fork()
    if pid == 0:
        connection, _ = listener.accept()
        for answer in answers:
            connection.sendall(answer)
            if answer.startswith(GREETING):
                connection.recv(1 << 16)
        os._exit(0)
    listener.close()
    return path, pid


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([b""], 111),
        ([b"s6-sudo b"], 111),
        ([b"s6-sudo c v1.0\n"], 100),
        ([b"HTTP/1.1 400 no\r\n\r\n"], 100),
        ([GREETING], 111),
        ([GREETING, b"\x0d"], 111),
        ([GREETING, b"\xff"], 111),
        ([GREETING, b"\0"], 111),
        ([GREETING, b"\0\0\0"], 111),
        ([GREETING, b"\0\0\0\x07\0"], 7),
        ([GREETING + b"\0\0\0\0\x0f"], 143),
        ([GREETING, b"\0\0\0\x07\0and more"], 7),
    ],
)
def test_servers_that_are_none(
    world: World, tools: Programs, answers: list[bytes], code: int
) -> None:
    path, pid = served(world, *answers)
    said = tools.run("s6-sudo", str(path), "x")
    assert (said.code, said.out) == (code, "")
    assert (said.err == "") is (code not in (100, 111))
    process.kill(pid)
    os.waitpid(pid, 0)


def test_why_the_server_refuses_is_said(world: World, tools: Programs) -> None:
    path, pid = served(world, GREETING, b"\x0d")
    said = tools.run("s6-sudo", str(path), "x")
    assert "Permission denied" in said.err
    os.waitpid(pid, 0)


def framed(body: bytes, descriptors: int = 3) -> bytes:
    return struct.pack(">IH", len(body), descriptors) + body


def asked(argc: int, envc: int, words: bytes, env: bytes, *, lengths: bytes = b"") -> bytes:
    sizes = lengths or struct.pack(">II", len(words), len(env))
    return REQUEST + struct.pack(">II", argc, envc) + sizes + words + env


def say(its: Server, raw: bytes, descriptors: int = 3) -> bytes:
    """Send this, with descriptors, close our half, and return all that comes."""
    null = os.open("/dev/null", os.O_RDWR)
    fds = array.array("i", [null] * descriptors)
    with its.connect() as peer:
        assert peer.recv(len(GREETING)) == GREETING
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if descriptors else []
        peer.sendmsg([raw], ancillary)
        peer.shutdown(socket.SHUT_WR)
        answer = everything(peer)
    os.close(null)
    return answer


HOSTILE = [
    ("right", framed(asked(1, 0, b"x\0", b"")), 3, b"\0\0\0\0\0"),
    ("more than it says", framed(asked(1, 0, b"x\0y\0", b"")), 3, b"\0\0\0\0\0"),
    ("nothing", b"", 0, b""),
    ("half a head", b"\0\0", 3, b""),
    ("empty", framed(b""), 3, b""),
    ("another greeting", framed(GREETING + b"\0" * 16), 3, b""),
    ("no descriptors", framed(asked(1, 0, b"x\0", b""), 0), 0, b""),
    ("two descriptors", framed(asked(1, 0, b"x\0", b""), 2), 2, b""),
    ("four descriptors", framed(asked(1, 0, b"x\0", b""), 4), 4, b""),
    ("descriptors that do not come", framed(asked(1, 0, b"x\0", b""), 3), 0, b""),
    ("too many descriptors", framed(asked(1, 0, b"x\0", b""), 300), 3, b""),
    ("too short", framed(REQUEST + b"\0" * 15), 3, b""),
    ("lengths too large", framed(asked(0, 0, b"", b"", lengths=b"\xff" * 8)), 3, b""),
    ("lengths too small", framed(asked(1, 0, b"x\0", b"", lengths=b"\0" * 8)), 3, b""),
    ("too many words", framed(asked(131073, 0, b"x\0", b"")), 3, b""),
    ("too many variables", framed(asked(1, 1 << 31, b"x\0", b"")), 3, b""),
    ("words that are missing", framed(asked(3, 0, b"x\0", b"")), 3, b"\x16"),
    ("a word without end", framed(asked(1, 0, b"x", b"")), 3, b"\x16"),
    ("a variable without end", framed(asked(1, 1, b"x\0", b"A=1")), 3, b"\x16"),
    ("a variable without value", framed(asked(1, 1, b"x\0", b"A\0")), 3, b"\x16"),
    ("cut off", framed(asked(1, 0, b"x\0", b""))[:-1], 3, b""),
]


def test_hostile_clients(world: World, daemons: Programs) -> None:
    """What is no request is refused, and the next client is served."""
    for name, raw, descriptors, answer in HOSTILE:
        with sudod(world, daemons, "sh", "-c", ":") as its:
            assert say(its, raw, descriptors) == answer, name
            its.until_children(0)
            said = its.said()
            refused = answer != b"\0" * 5
            assert said.startswith("s6-sudod: fatal: ") if refused else said == "", (name, said)
            assert say(its, framed(asked(1, 0, b"x\0", b""))) == b"\0\0\0\0\0", name


@pytest.mark.ours_only
def test_a_request_that_would_fill_memory(world: World, daemons: Programs) -> None:
    """No more is read than a program could be given."""
    with sudod(world, daemons, "true") as its:
        assert say(its, struct.pack(">IH", 1 << 27, 3) + b"x" * 100) == b""
        its.until_children(0)


def test_clients_that_say_nothing(world: World, daemons: Programs) -> None:
    """`-t` is for the whole of the request, however slowly it comes."""
    with sudod(world, daemons, "-t", "150", "true") as its:
        with its.connect() as silent, its.connect() as slow:
            silent.recv(99)
            slow.recv(99)
            slow.send(framed(asked(1, 0, b"x\0", b""))[:20])
            assert everything(silent) == b""
            assert everything(slow) == b""
        its.until_children(0)
        assert its.said().count("s6-sudod: fatal: ") == 2


def test_many_words(world: World, daemons: Programs, tools: Programs) -> None:
    """A hundred thousand of them, and a variable of 100 kB: more than a socket takes at once."""
    words = ["x"] * 100_000
    with sudod(world, daemons, "sh", "-c", "echo $# ${#BIG}", env={"BIG": ""}) as its:
        said = sudo(its, tools, NAME, *words, env={"BIG": "y" * 100_000})
        if tools.expects.sudo_sends_much:
            assert (said.code, said.out) == (0, "99999 100000\n"), said.err
        else:
            assert (said.code, "Bad file descriptor" in said.err) == (111, True)


def test_several_at_once(world: World, daemons: Programs, tools: Programs) -> None:
    with sudod(world, daemons, "sh", "-c", 'sleep 0.1; exit "$0"') as its:
        clients = [client(world, tools, NAME, str(code)) for code in range(20)]
        for code, one in enumerate(clients):
            _, errors = one.communicate(timeout=30)
            assert (one.returncode, errors) == (code, b"")
        its.until_children(0)


@pytest.mark.parametrize(
    ("program", "words", "code"),
    [
        ("s6-sudo", "", 100),
        ("s6-sudo", "-z it", 100),
        ("s6-sudo", "-t x it", 100),
        ("s6-sudo", "-T", 100),
        ("s6-sudo", "absent", 111),
        ("s6-sudoc", "-z", 100),
        ("s6-sudoc", "-T x", 100),
        ("s6-sudoc", "", 111),
        ("s6-sudod", "-z", 100),
        ("s6-sudod", "-t x", 100),
        ("s6-sudod", "true", 111),
    ],
)
def test_it_fails(tools: Programs, program: str, words: str, code: int) -> None:
    said = tools.run(program, *words.split())
    assert said.code == code, said
    assert "fatal: " in said.err or "usage: " in said.err


@pytest.mark.ours_only  # Debian's call each other by their absolute paths
@pytest.mark.parametrize(
    ("words", "chain"),
    [
        ("it", "-- it s6-sudoc -t 0 -T 0 --"),
        ("-q it a", "-q -- it s6-sudoc -t 0 -T 0 -- a"),
        ("-qQv it a -b", "-v -- it s6-sudoc -t 0 -T 0 -- a -b"),
        ("-vvvvvv it", "-v -v -v -- it s6-sudoc -t 0 -T 0 --"),
        ("-p b -l n it", "-p b -l n -- it s6-sudoc -t 0 -T 0 --"),
        ("-e -t 5 -T 6 it", "-- it s6-sudoc -e -t 5 -T 6 --"),
    ],
)
def test_the_chain(world: World, tools: Programs, words: str, chain: str) -> None:
    made = world.top / "bin"
    made.mkdir()
    witness = made / "s6-ipcclient"
    witness.write_text('#!/bin/sh\necho "$@"\n')
    witness.chmod(0o755)
    said = tools.run("s6-sudo", *words.split(), env={"PATH": f"{made}:/usr/bin:/bin"})
    assert (said.code, said.out) == (0, chain + "\n"), said


def test_the_name_and_the_path_of_the_client(
    world: World, daemons: Programs, tools: Programs
) -> None:
    script = 'echo "$IPCREMOTEPATH"'
    with sudod(world, daemons, "sh", "-c", script) as its:
        assert sudo(its, tools, "-p", "me", NAME).out == "me\n"
        assert sudo(its, tools, "-v", NAME).err.startswith("s6-ipcclient: ")


def test_signals_of_the_server_reach_nobody(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """A killed s6-sudod leaves the program alone; the client is told nothing more."""
    with sudod(world, daemons, "sh", "-c", "echo $$ >log; exec sleep 1000") as its:
        waiting = client(world, tools, NAME)
        pid = int(until_lines(world.top / "log", 1)[0])
        (serving,) = its.until_children(1)
        os.kill(serving, signal.SIGKILL)
        assert waiting.wait(10) == 111
        assert process.alive(pid)
        world.end(pid)
        waiting.communicate()


def test_witness_in_python(world: World, daemons: Programs, tools: Programs) -> None:
    """Signals: none blocked or ignored."""
    script = (
        "import signal; print([n for n in range(1, 32) if n not in (9, 19) and"
        " signal.getsignal(n) is signal.SIG_IGN], signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    )
    with sudod(world, daemons, sys.executable, "-ISc", script) as its:
        # Python itself ignores SIGPIPE and SIGXFSZ.
        assert sudo(its, tools, NAME).out == "[13, 25] set()\n"
