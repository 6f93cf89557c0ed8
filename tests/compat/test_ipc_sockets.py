"""s6-ipcserver-socketbinder: the socket that a program gets, and its name (contract 1.8)."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from world.becoming import become
from world.programs import Programs, Result
from world.running import World

BINDER = "s6-ipcserver-socketbinder"

_WITNESS = """
import json, os, socket
its = socket.socket(fileno=0)
listens = its.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
print(json.dumps({"family": its.family, "kind": its.type, "listens": listens,
    "name": its.getsockname(), "blocks": os.get_blocking(0)}))
"""


def bind(tools: Programs, cwd: Path, *words: str) -> dict[str, object]:
    """What the program under s6-ipcserver-socketbinder finds as its standard input."""
    said = tools.run(BINDER, *words, sys.executable, "-ISc", _WITNESS, cwd=cwd)
    assert (said.code, said.err) == (0, ""), said
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("options", "kind", "listens", "blocks"),
    [
        ("", socket.SOCK_STREAM, 1, False),
        ("-M", socket.SOCK_STREAM, 1, False),
        ("-B", socket.SOCK_STREAM, 1, True),
        ("-b0", socket.SOCK_STREAM, 0, False),
        ("-b 1", socket.SOCK_STREAM, 1, False),
        ("-b 4294967295", socket.SOCK_STREAM, 1, False),
        ("-mM", socket.SOCK_STREAM, 1, False),
        ("-m -b0", socket.SOCK_DGRAM, 0, False),
        ("-MmBb 0", socket.SOCK_DGRAM, 0, True),
    ],
)
def test_the_socket(
    world: World, tools: Programs, options: str, kind: int, listens: int, blocks: bool
) -> None:
    found = bind(tools, world.top, *options.split(), "the socket")
    assert found == {
        "family": socket.AF_UNIX,
        "kind": kind,
        "listens": listens,
        "name": "the socket",
        "blocks": blocks,
    }


@pytest.mark.parametrize("options", ["-m", "-m -b 5"])
def test_datagrams_are_not_listened_for(world: World, tools: Programs, options: str) -> None:
    if tools.expects.binds_datagrams:
        assert bind(tools, world.top, *options.split(), "it")["kind"] == socket.SOCK_DGRAM
    else:
        assert tools.run(BINDER, *options.split(), "it", "true", cwd=world.top).code == 111


@pytest.mark.parametrize(
    ("perms", "mode"),
    [
        ("", 0o777),
        ("-a 0600", 0o600),
        ("-a 700", 0o700),
        ("-a 0", 0),
        ("-a 1777", 0o777),
        ("-a 7000", 0),
        ("-a 0600 -a 0660", 0o660),
    ],
)
def test_its_mode(world: World, tools: Programs, perms: str, mode: int) -> None:
    """Ours to say, whatever the umask; and the umask is the program's again."""
    words = [BINDER, *perms.split(), "it", "sh", "-c", "umask"]
    said = tools.run(
        words[0], *words[1:], cwd=world.top, under=["sh", "-c", 'umask 027; "$@"', "-"]
    )
    assert (said.code, said.out) == (0, "0027\n"), said
    its = (world.top / "it").stat()
    assert stat.S_ISSOCK(its.st_mode)
    assert its.st_mode & 0o7777 == mode


def test_nothing_else_is_passed_on(world: World, tools: Programs) -> None:
    seen = become(tools, BINDER, "it", env={"A": "b"}, cwd=world.top)
    assert seen.descriptors[0].startswith("socket:")
    plain = become(tools, "s6-setuidgid", "", env={"A": "b"}, cwd=world.top)
    assert set(seen.descriptors) == set(plain.descriptors)
    assert seen.environment == plain.environment
    assert seen.ignored == plain.ignored


def test_a_name_that_was_used(world: World, tools: Programs) -> None:
    """`-d` removes what is in the way, whatever it is; `-D` does not."""
    (world.top / "it").write_text("somebody's")
    said = tools.run(BINDER, "-D", "it", "true", cwd=world.top)
    assert said.code == 111
    assert said.err.startswith(f"{BINDER}: fatal: unable to bind to it: Address already in use")
    assert (world.top / "it").read_text() == "somebody's"
    for options in ([], ["-d"], ["-Dd"]):
        assert bind(tools, world.top, *options, "it")["name"] == "it"
    assert stat.S_ISSOCK((world.top / "it").stat().st_mode)
    target = world.top / "target"
    target.write_text("kept")
    (world.top / "link").symlink_to(target)
    bind(tools, world.top, "link")
    assert target.read_text() == "kept"
    assert not (world.top / "link").is_symlink()


def test_two_that_want_one_name(world: World, tools: Programs) -> None:
    """Between removing and binding, a lock keeps others out: those of the other set as well."""
    lock = world.top / "it.lock"
    assert bind(tools, world.top, "it")["name"] == "it"
    assert lock.stat().st_mode & 0o777 == 0o600
    before = (world.top / "it").stat().st_ino
    with lock.open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        said = tools.run(BINDER, "it", "echo", "became", cwd=world.top)
    assert (said.code, said.out) == (111, ""), said
    assert said.err.startswith(f"{BINDER}: fatal: unable to bind to it: ")
    assert (world.top / "it").stat().st_ino == before
    assert bind(tools, world.top, "-D", "other")["name"] == "other"
    assert not (world.top / "other.lock").exists()


def test_the_longest_name(world: World, tools: Programs) -> None:
    assert bind(tools, world.top, "x" * 107)["name"] == "x" * 107
    said = tools.run(BINDER, "y" * 108, "echo", "became", cwd=world.top)
    assert (said.code, said.out) == (111, "")
    assert "unable to bind to yyy" in said.err
    assert not (world.top / ("y" * 108)).exists()


def test_no_name(world: World, tools: Programs) -> None:
    """An empty word is no path: the original gives the socket a name of 108 NULs."""
    said = tools.run(BINDER, "-D", "", "echo", "became", cwd=world.top)
    assert said.code == (0 if tools.expects.binds_nothing else 111), said


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("", 100, "usage"),
        ("it", 100, "usage"),
        ("-z it true", 100, "usage"),
        ("-a 8 it true", 100, "usage"),
        ("-a rwx it true", 100, "usage"),
        ("-b x it true", 100, "usage"),
        ("-b -1 it true", 100, "usage"),
        ("absent/it true", 111, "absent/it"),
        (". true", 111, "."),
        ("-D . true", 111, "."),
        ("it nosuchprogram", 127, "nosuchprogram"),
        ("it /", 126, "/"),
    ],
)
def test_it_fails(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    said = tools.run(BINDER, *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, ""), said
    assert names in said.err
    assert said.err.startswith(f"{BINDER}: ")


def test_clients_are_served(world: World, tools: Programs) -> None:
    """A stream from end to end."""
    its = "its = socket.socket(fileno=0); its.setblocking(True)"
    script = f"import socket; {its}; its.accept()[0].send(b'hello')"
    server = subprocess.Popen(
        [tools.path(BINDER), "it", "sh", "-c", f'echo; exec {sys.executable} -ISc "{script}"'],
        env=tools.environment(),
        cwd=world.top,
        stdout=subprocess.PIPE,
    )
    assert server.stdout
    assert server.stdout.readline() == b"\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.fspath(world.top / "it"))
        assert client.recv(100) == b"hello"
    assert server.wait(10) == 0
    server.stdout.close()


@pytest.mark.ours_only
def test_messages(world: World, tools: Programs) -> None:
    said: Result = tools.run(BINDER, "-a", "x", "it", "true", cwd=world.top)
    assert 'option -a: "x" is no octal number' in said.err
    said = tools.run(BINDER, "x" * 108, "true", cwd=world.top)
    assert said.err.endswith(": File name too long\n")
