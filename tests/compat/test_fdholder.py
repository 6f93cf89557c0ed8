"""s6-fdholder-*: what is stored can be had, by whoever may, as long as its time has not ended."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from world.holding import (
    EVERYTHING,
    TAI_OFFSET_S,
    Holder,
    ask,
    database,
    hold,
    opened,
    rules,
    stamp,
    until_descriptors,
)
from world.programs import Programs, Result
from world.running import World
from world.waiting import holds_for, until


def store(
    tools: Programs, holder: Holder, name: str, path: Path | str = os.devnull, *options: str
) -> Result:
    with opened(path) as descriptor:
        options = (*options, "-d", str(descriptor))
        return ask(tools, holder, "store", name, options=options, keep=[descriptor])


def names(tools: Programs, holder: Holder) -> list[str]:
    done = ask(tools, holder, "list")
    assert (done.code, done.err) == (0, "")
    return sorted(done.out.splitlines())


def test_store_list_retrieve_delete(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.descriptors()
    for name in ("one", "two"):
        (world.top / name).write_text(f"content of {name}\n")
        assert store(tools, holder, name, world.top / name) == Result(0, "", "")
    assert names(tools, holder) == ["one", "two"]
    assert ask(tools, holder, "retrieve", "one", "cat") == Result(0, "content of one\n", "")
    until_descriptors(holder, before + 2)
    got = ask(tools, holder, "retrieve", "two", "cat", options=["-t", "20000", "-D"])
    assert got == Result(0, "content of two\n", "")
    assert names(tools, holder) == ["one"]
    assert ask(tools, holder, "delete", "one", options=["-t", "20000"]) == Result(0, "", "")
    assert names(tools, holder) == []
    until_descriptors(holder, before)
    assert holder.end() == (0, "")


def test_stdin_is_what_is_stored_when_nothing_else_is_said(
    world: World, daemons: Programs, tools: Programs
) -> None:
    holder = hold(world, daemons)
    assert ask(tools, holder, "store", "null").code == 0
    done = ask(tools, holder, "retrieve", "null", "readlink", "/proc/self/fd/0")
    assert done == Result(0, "/dev/null\n", "")


def test_a_retrieved_descriptor_is_the_only_one_passed_on(
    world: World, daemons: Programs, tools: Programs
) -> None:
    holder = hold(world, daemons)
    assert store(tools, holder, "x").code == 0
    more = "test -e /proc/$$/fd/3 || test -e /proc/$$/fd/4"
    assert ask(tools, holder, "retrieve", "x", "sh", "-c", more).code == 1


REFUSALS = [
    ("store", ["held"], errno.EBUSY),
    ("delete", ["other"], errno.ENOENT),
    ("retrieve", ["other", "true"], errno.ENOENT),
    ("store", ["x" * 256], errno.ENAMETOOLONG),
    ("delete", ["x" * 256], errno.ENAMETOOLONG),
    ("retrieve", ["x" * 256, "true"], errno.ENAMETOOLONG),
    ("store", [""], None),
    ("delete", [""], None),
    ("retrieve", ["", "true"], None),
]


def test_what_cannot_be_done(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    assert store(tools, holder, "held").code == 0
    for what, words, why in REFUSALS:
        done = ask(tools, holder, what, *words)
        assert (done.code, done.out) == (1, ""), (what, words)
        assert done.err.startswith(f"s6-fdholder-{what}: fatal: unable to ")
        assert why is None or os.strerror(why) in done.err, (what, words)
    assert names(tools, holder) == ["held"]


def test_a_descriptor_that_is_not_open(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    for number in (99, 2**31 - 1, 2**31, 2**32 - 1):
        if number >= 2**31 and tools.expects.fdholder_stores_closed:
            continue  # theirs takes the sign for a note of its own, and stores descriptor 0
        done = ask(tools, holder, "store", "x", options=["-d", str(number)])
        assert done.code == 1
        assert "Bad file descriptor" in done.err
    assert names(tools, holder) == []


def test_a_closed_stdin_is_not_stored(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    program = tools.path("s6-fdholder-store")
    done = subprocess.run(
        ["sh", "-c", f"exec {program} {holder.socket} x <&-"],
        env=tools.environment(),
        capture_output=True,
        check=False,
    )
    # The original's own socket gets the number, and it stores that.
    assert done.returncode == (1 if tools.expects.fdholder_stores_closed is False else 0)
    assert names(tools, holder) == (["x"] if tools.expects.fdholder_stores_closed else [])


USAGE = [
    ("store", []),
    ("store", ["sock"]),
    ("store", ["-x", "sock", "id"]),
    ("store", ["-d", "x", "sock", "id"]),
    ("store", ["-T", "-1", "sock", "id"]),
    ("store", ["-t", "", "sock", "id"]),
    ("delete", ["sock"]),
    ("delete", ["-D", "sock", "id"]),
    ("retrieve", ["sock"]),
    ("retrieve", ["sock", "id"]),
    ("list", []),
    ("list", ["-t", "1x", "sock"]),
    ("getdump", ["sock"]),
    ("setdump", []),
    ("transferdump", ["sock"]),
    ("transferdump", ["-t", "x", "a", "b"]),
    ("transferdump", ["-t", "1x", "a", "b"]),
    ("transferdump", ["-t", "1:x", "a", "b"]),
    ("daemon", []),
    ("daemon", ["-i", "rules"]),
    ("daemon", ["sock"]),
    ("daemon", ["-u", "root", "-i", "rules", "sock"]),
    ("daemon", ["-c", "x", "-i", "rules", "sock"]),
    ("daemon", ["-G", "x", "-i", "rules", "sock"]),
]


@pytest.mark.parametrize(
    ("what", "words"), USAGE, ids=lambda it: " ".join(it) if isinstance(it, list) else it
)
def test_wrong_usage(world: World, tools: Programs, what: str, words: list[str]) -> None:
    name = f"s6-fdholder-{what}"
    done = tools.run(name, *words, cwd=world.top, env={"S6_FD#": "0"})
    assert (done.code, done.out) == (100, "")
    assert name in done.err


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("store", ["id"]),
        ("delete", ["id"]),
        ("retrieve", ["id", "true"]),
        ("list", []),
        ("getdump", ["true"]),
        ("setdump", []),
        ("transferdump", ["other"]),
    ],
)
@pytest.mark.parametrize("socket", ["absent", "file", "x" * 200])
def test_no_server(world: World, tools: Programs, what: str, words: list[str], socket: str) -> None:
    (world.top / "file").write_text("")
    done = ask(tools, world.top / socket, what, *words, env={"S6_FD#": "0"})
    assert (done.code, done.out) == (111, "")
    assert done.err.startswith(f"s6-fdholder-{what}: fatal: unable to connect to ")


@pytest.mark.parametrize(("program", "code"), [("true", 0), ("no-such-program", 127), ("/", 126)])
@pytest.mark.parametrize("what", ["retrieve", "getdump"])
def test_the_program_that_gets_it(
    world: World, daemons: Programs, tools: Programs, what: str, program: str, code: int
) -> None:
    holder = hold(world, daemons)
    assert store(tools, holder, "x").code == 0
    words = ["x", program] if what == "retrieve" else [program]
    assert ask(tools, holder, what, *words).code == code


NAMES = {
    "plain name": "plain name",
    '"quoted"': '"quoted"',
    "back\\slash": "back\\\\slash",
    "line\nfeed\t\r": "line\\nfeed\\t\\r",
    "\x01\x7f": "\\0x01\\0x7f",
    "ä": "\\0xc3\\0xa4",
    "x" * 255: "x" * 255,
}
"""Names, and how a list shows them."""


def test_names_in_a_list(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    for name in NAMES:
        assert store(tools, holder, name).code == 0
    assert names(tools, holder) == sorted(NAMES.values())


RIGHTS = [
    ("LIST", "list", []),
    ("GETDUMP", "getdump", ["true"]),
    ("SETDUMP", "setdump", []),
    ("STORE_REGEX", "store", ["new"]),
    ("RETRIEVE_REGEX", "retrieve", ["held", "true"]),
    ("STORE_REGEX", "delete", ["held"]),
]


def test_a_right_is_for_one_thing(world: World, daemons: Programs, tools: Programs) -> None:
    where = rules(world.top)
    holder = hold(world, daemons, rules=["-i", where])
    env = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "held"}
    assert store(tools, holder, "held").code == 0
    for right, what, words in RIGHTS:
        # Rules in a directory are read for each client.
        for name, value in EVERYTHING.items():
            (where / "uid/self/env" / name).write_text("" if name.endswith(right) else value)
        done = ask(tools, holder, what, *words, env=env)
        assert done.code == 1, what
        assert os.strerror(errno.EPERM) in done.err
        for name, value in EVERYTHING.items():
            (where / "uid/self/env" / name).write_text(value if name.endswith(right) else "")
        assert ask(tools, holder, what, *words, env=env).code == 0, what


def test_who_may_not_delete_may_not_retrieve_and_delete(
    world: World, daemons: Programs, tools: Programs
) -> None:
    env = {**EVERYTHING, "S6_FDHOLDER_STORE_REGEX": "^a"}
    holder = hold(world, daemons, rules=["-i", rules(world.top, env=env)])
    dump = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "ba"}
    assert ask(tools, holder, "setdump", env=dump).code == 0, "rights of single names do not count"
    assert ask(tools, holder, "retrieve", "ba", "true", options=["-D"]).code == 1
    assert ask(tools, holder, "retrieve", "ba", "true").code == 0
    assert store(tools, holder, "b").code == 1
    assert store(tools, holder, "a").code == 0


KEYS = [
    ({"uid/self/deny": "", "uid/default/allow": ""}, False),
    ({"uid/self/allow": "", f"uid/{os.geteuid()}/deny": ""}, True),
    ({f"uid/{os.geteuid()}/deny": "", "gid/self/allow": ""}, False),
    ({"gid/self/allow": "", f"gid/{os.getegid()}/deny": ""}, True),
    ({f"gid/{os.getegid()}/deny": "", "uid/default/allow": ""}, False),
    ({"uid/default/allow": "", "gid/default/deny": ""}, True),
    ({"uid/default/deny": ""}, False),
    ({"uid/self/allow": "", "uid/self/deny": ""}, True),
    ({"uid/self/env/X": "y", "uid/default/allow": ""}, True),
    ({}, False),
]


@pytest.mark.parametrize("form", ["-i", "-x"])
@pytest.mark.parametrize(
    ("tree", "lets_in"), KEYS, ids=lambda it: " ".join(it) if isinstance(it, dict) else ""
)
def test_the_first_rule_decides(
    world: World, daemons: Programs, form: str, tree: dict[str, str], lets_in: bool
) -> None:
    env = {
        f"{key.rpartition('/')[0]}/env/S6_FDHOLDER_LIST": "\n"
        for key in tree
        if key.endswith("allow")
    }
    (world.top / "rules").mkdir()
    world.plant({**tree, **env}, "rules")
    where = world.top / "rules"
    if form == "-x":
        where = database(where)
    holder = hold(world, daemons, rules=[form, where])
    before = holder.descriptors()
    with holder.connect() as client:
        if lets_in:
            assert client.ask(b"L") == b"\0\0\0\0\0"
        else:
            assert client.is_closed()
    until_descriptors(holder, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uid/self/env/S6_FDHOLDER_STORE_REGEX": "("}, "S6_FDHOLDER_STORE_REGEX"),
        ({"uid/self/env/S6_FDHOLDER_RETRIEVE_REGEX": "["}, "S6_FDHOLDER_RETRIEVE_REGEX"),
        ({"uid/self/env/directory/file": ""}, "warning"),
    ],
)
def test_wrong_rules_keep_out(
    world: World, daemons: Programs, change: dict[str, str], message: str
) -> None:
    where = rules(world.top, env={"S6_FDHOLDER_LIST": "\n"})
    world.plant(change, "rules")
    holder = hold(world, daemons, rules=["-i", where])
    with holder.connect() as client:
        assert client.is_closed()
    assert message in holder.end()[1]


def test_hangup_opens_the_database_again(world: World, daemons: Programs, tools: Programs) -> None:
    where = rules(world.top, env={})
    file = database(where)
    holder = hold(world, daemons, rules=["-x", file])
    assert ask(tools, holder, "list").code == 1
    (where / "uid/self/env").mkdir(exist_ok=True)
    (where / "uid/self/env/S6_FDHOLDER_LIST").write_text("\n")
    assert database(where) == file
    assert ask(tools, holder, "list").code == 1, "it has the old one open"
    holder.popen.send_signal(signal.SIGHUP)
    until(lambda: ask(tools, holder, "list").code == 0, "the new rules")
    file.unlink()
    holder.popen.send_signal(signal.SIGHUP)
    assert holds_for(lambda: ask(tools, holder, "list").code == 0, 0.1), "better old than none"


def test_a_database_by_the_compiler(world: World, daemons: Programs, tools: Programs) -> None:
    """Rules that s6-accessrules-cdb-from-fs has written, of either set, are understood."""
    where, file = rules(world.top), world.top / "compiled"
    assert tools.run("s6-accessrules-cdb-from-fs", file, where).code == 0
    holder = hold(world, daemons, rules=["-x", file])
    assert store(tools, holder, "a") == Result(0, "", "")
    assert ask(tools, holder, "retrieve", "a", "true", options=["-D"]).code == 0
    assert names(tools, holder) == []


def test_without_the_database_it_does_not_start(world: World, daemons: Programs) -> None:
    done = daemons.run("s6-fdholder-daemon", "-x", "absent", "sock", cwd=world.top)
    assert done.code == 111
    assert "absent: No such file or directory" in done.err


def test_the_dump_in_the_environment(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    assert store(tools, holder, "for ever").code == 0
    assert store(tools, holder, "soon", os.devnull, "-T", "1000000").code == 0
    stale = {"S6_FDLIMIT_0": "x", "S6_FDLIMIT_1": "x", "S6_FD#": "7", "S6_FDID_0": "x"}
    done = ask(tools, holder, "getdump", "env", env=stale)
    lines = [line for line in done.out.splitlines() if line.startswith("S6_FD")]
    variables = dict(line.split("=", 1) for line in lines)
    assert variables.pop("S6_FD#") == "2"
    limits = {variables[f"S6_FDID_{n}"]: variables.get(f"S6_FDLIMIT_{n}") for n in (0, 1)}
    assert set(limits) == {"for ever", "soon"}
    assert limits["for ever"] is None
    expected = int.from_bytes(stamp(1000)[:8], "big")
    assert limits["soon"]
    assert abs(int(limits["soon"][1:17], 16) - expected) < 10
    paths = ["-e", *(f"/proc/self/fd/{variables[f'S6_FD_{n}']}" for n in (0, 1))]
    done = ask(tools, holder, "getdump", "readlink", *paths)
    assert done.out == "/dev/null\n" * 2 or "readlink" in done.err


def test_a_dump_set_is_the_dump_got(world: World, daemons: Programs, tools: Programs) -> None:
    first, second = hold(world, daemons), hold(world, daemons, name="other")
    assert store(tools, first, "a", os.devnull, "-T", "1000000").code == 0
    assert store(tools, first, "b", world.top / "rules").code == 0
    assert store(tools, second, "b").code == 0
    assert store(tools, second, "c").code == 0
    setdump = tools.path("s6-fdholder-setdump")
    assert ask(tools, first, "getdump", setdump, second.socket) == Result(0, "", "")
    assert names(tools, second) == ["a", "b", "c"]
    done = ask(tools, second, "retrieve", "b", "readlink", "/proc/self/fd/0")
    assert done.out == f"{world.top}/rules\n", "the new one is in the place of the old"
    show = ["sh", "-c", "env | sed -n 's/^S6_FDLIMIT_[0-9]*=//p'"]
    limits = [ask(tools, each, "getdump", *show).out for each in (first, second)]
    assert limits[0] == limits[1] != ""


@pytest.mark.parametrize(
    "options",
    [[], ["-t", "5000"], ["-t", "5000:"], ["-t", ":5000"], ["-t", "5000:5000"], ["-t", ":"]],
)
def test_transfer(world: World, daemons: Programs, tools: Programs, options: list[str]) -> None:
    first, second = hold(world, daemons), hold(world, daemons, name="other")
    assert ask(tools, first, "transferdump", second.socket, options=options) == Result(0, "", "")
    assert store(tools, first, "a").code == 0
    assert ask(tools, first, "transferdump", second.socket, options=options) == Result(0, "", "")
    assert names(tools, first) == names(tools, second) == ["a"]


def test_transfers_that_are_refused(world: World, daemons: Programs, tools: Programs) -> None:
    """By the one who is to give, or by the one who is to take."""
    open_to_all = hold(world, daemons)
    nothing = rules(world.top / "other", env={})
    closed = hold(world, daemons, rules=["-i", nothing], name="closed")
    assert store(tools, open_to_all, "a").code == 0
    for source, target in ((open_to_all, closed), (closed, open_to_all)):
        done = ask(tools, source, "transferdump", target.socket)
        assert (done.code, done.out) == (1, "")
        assert os.strerror(errno.EPERM) in done.err


def test_transfer_between_two_holders(world: World, daemons: Programs, tools: Programs) -> None:
    """In mixed pairings, from a holder of one kind to one of the other and back."""
    first, second = hold(world, daemons), hold(world, tools, name="other")
    assert store(tools, first, "a", os.devnull, "-T", "1000000").code == 0
    assert store(daemons, second, "b").code == 0
    assert ask(tools, first, "transferdump", second.socket) == Result(0, "", "")
    assert names(daemons, second) == ["a", "b"]
    assert ask(daemons, second, "transferdump", first.socket) == Result(0, "", "")
    assert names(tools, first) == ["a", "b"]
    show = ["sh", "-c", "env | sed -n 's/^S6_FDLIMIT_[0-9]*=//p'"]
    limits = [ask(tools, each, "getdump", *show).out for each in (first, second)]
    assert limits[0] == limits[1] != ""


@pytest.mark.parametrize("count", [253, 254, 600])
def test_large_dumps(world: World, daemons: Programs, tools: Programs, count: int) -> None:
    first, second = hold(world, daemons), hold(world, daemons, name="other")
    with opened() as descriptor:
        dump = {"S6_FD#": str(count)}
        for number in range(count):
            dump |= {f"S6_FD_{number}": str(descriptor), f"S6_FDID_{number}": f"n{number:03}"}
        done = ask(tools, first, "setdump", env=dump, keep=[descriptor])
    if count > 253 and not tools.expects.fdholder_sets_large_dumps:
        assert done.code != 0
        return
    assert done == Result(0, "", "")
    expected = [f"n{number:03}" for number in range(count)]
    assert names(tools, first) == expected
    if count > 253 and not daemons.expects.fdholder_gives_large_dumps:
        assert ask(tools, first, "getdump", "true").code == 1
        return
    script = f'test "${{S6_FD_{count - 1}}}" -gt 2 && ls /proc/$$/fd | wc -l'
    done = ask(tools, first, "getdump", "sh", "-c", script)
    assert int(done.out) >= count + 3
    assert ask(tools, first, "transferdump", second.socket).code == 0
    assert names(tools, second) == expected


DUMPS = [
    ({}, "S6_FD#"),
    ({"S6_FD#": "x"}, "S6_FD#"),
    ({"S6_FD#": "-1"}, "S6_FD#"),
    ({"S6_FD#": "1"}, "S6_FD_0"),
    ({"S6_FD#": "1", "S6_FD_0": "x", "S6_FDID_0": "a"}, "S6_FD_0"),
    ({"S6_FD#": "1", "S6_FD_0": "0"}, "S6_FDID_0"),
    ({"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": ""}, "S6_FDID_0"),
    ({"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "x" * 256}, "S6_FDID_0"),
    ({"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "a", "S6_FDLIMIT_0": "soon"}, "S6_FDLIMIT_0"),
    ({"S6_FD#": "2", "S6_FD_0": "0", "S6_FDID_0": "a"}, "S6_FD_1"),
]


def test_a_dump_that_is_not_described(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    for env, variable in DUMPS:
        done = ask(tools, holder, "setdump", env=env)
        assert (done.code, done.out) == (100, ""), env
        assert variable in done.err
    assert names(tools, holder) == []


def test_a_limit_given_as_a_label(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    label = f"@{TAI_OFFSET_S + 4_000_000_000:016x}{5:08x}"
    dump = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "a", "S6_FDLIMIT_0": label}
    assert ask(tools, holder, "setdump", env=dump).code == 0
    done = ask(tools, holder, "getdump", "printenv", "S6_FDLIMIT_0")
    assert done.out == f"{label}\n"


def test_time_ends(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.descriptors()
    assert store(tools, holder, "for ever").code == 0
    assert store(tools, holder, "short", os.devnull, "-T", "100").code == 0
    # Nobody has to ask: it is closed when its time has come.
    until_descriptors(holder, before + 1)
    assert names(tools, holder) == ["for ever"]


def test_no_more_than_it_may_hold(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons, "-n", "2")
    for name in ("a", "b"):
        assert store(tools, holder, name).code == 0
    done = store(tools, holder, "c")
    assert done.code == 1
    assert os.strerror(errno.ENFILE) in done.err
    dump = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "a"}
    done = ask(tools, holder, "setdump", env=dump)
    assert done.code == 1
    assert os.strerror(errno.ENFILE) in done.err
    assert ask(tools, holder, "delete", "a").code == 0
    assert ask(tools, holder, "setdump", env=dump).code == 0


def test_no_more_clients_than_it_may_have(world: World, daemons: Programs, tools: Programs) -> None:
    holder = hold(world, daemons, "-c", "1")
    with holder.connect() as client:
        assert client.ask(b"L") == b"\0\0\0\0\0"
        waiting = world.start(tools, "s6-fdholder-list", holder.socket)
        assert holds_for(lambda: waiting.poll() is None, 0.1)
        done = ask(tools, holder, "list", options=["-t", "50"])
        assert done.code == 1
        assert os.strerror(errno.ETIMEDOUT) in done.err
    assert waiting.wait(10) == 0


def test_rights_are_given_up(world: World, daemons: Programs, tools: Programs) -> None:
    if os.geteuid():
        return  # an ordinary user has nothing to give up; root's run checks it
    world.top.chmod(0o755)
    where = rules(world.top, key="uid/default")
    options = ["-u", "65534", "-g", "65533", "-G", "5,6"]
    holder = hold(world, daemons, *options, rules=["-i", where])
    status = Path(f"/proc/{holder.pid}/status").read_text()
    for line in ("Uid:" + "\t65534" * 4, "Gid:" + "\t65533" * 4, "Groups:\t5 6"):
        assert line in status
    assert store(tools, holder, "x").code == 0


def test_the_socket_of_another_is_replaced_or_not(world: World, daemons: Programs) -> None:
    where = rules(world.top)
    (world.top / "socket").write_text("")
    done = daemons.run("s6-fdholder-daemon", "-D", "-i", where, "socket", cwd=world.top)
    assert done.code == 111
    assert (world.top / "socket").is_file()
    holder = hold(world, daemons, "-d", rules=["-i", where])
    assert holder.socket.is_socket()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 100, "rules"),
        (["-i", "rules"], 100, "stdin is not a socket"),
        (["-x", "absent"], 100, "stdin is not a socket"),
        (["-n", "x", "-i", "rules"], 100, "s6-fdholderd"),
    ],
)
def test_the_server_alone(
    world: World, daemons: Programs, words: list[str], code: int, message: str
) -> None:
    done = daemons.run("s6-fdholderd", *words, cwd=world.top)
    assert done.code == code
    assert message in done.err or "access rights" in done.err


def test_the_service_that_an_image_gets(world: World, daemons: Programs) -> None:
    """The run script and the rules of `s6x install`, under a supervisor of ours."""
    if os.geteuid() or daemons.name != "ours":
        return  # it gives up rights, and runs by the programs of an image
    layout = import_module("s6x.image.layout")
    top = world.top / "image"
    for entry in layout.layout("v2", ()):
        rest = entry.path.partition("/s6-fdholderd/")[2]
        if rest:
            place = top / rest
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(entry.content.replace(layout.STATE, str(world.top)))
            place.chmod(getattr(entry, "mode", None) or 0o644)
    run = top / "run"
    run.write_text(run.read_text().replace("/bin/execlineb", str(daemons.path("execlineb"))))
    (top / "down").unlink()
    supervisor = world.supervise(daemons, top)
    until(lambda: supervisor.status().up and supervisor.status().ready, explain=supervisor.said)
    holder = world.top / "fdholderd-socket"
    assert ask(daemons, holder, "store", "x") == Result(0, "", "")
    assert ask(daemons, holder, "list") == Result(0, "x\n", "")
    under = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    assert daemons.run("s6-fdholder-list", holder, under=under) == Result(0, "x\n", "")
    assert daemons.run("s6-fdholder-delete", holder, "x", under=under).code == 1
