"""s6-ipcserver-access and the two forms of access rules (contract 1.8)."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from world.programs import Programs, Result
from world.running import World
from world.sockets import server
from world.tree import Content

CLIENT = {"PROTO": "IPC", "IPCREMOTEEUID": "1001", "IPCREMOTEEGID": "2002"}
SELF = {"IPCREMOTEEUID": str(os.geteuid()), "IPCREMOTEEGID": str(os.getegid())}
SHOW = ("sh", "-c", 'echo "came in"')


def rules(world: World, tree: dict[str, Content], *, made_by: Programs | None = None) -> list[str]:
    """The options of s6-ipcserver-access for these rules, as a directory or as a database."""
    world.plant(tree, under="rules")
    if made_by is None:
        return ["-i", str(world.top / "rules")]
    cdb = world.top / "rules.cdb"
    said = made_by.run("s6-accessrules-cdb-from-fs", str(cdb), str(world.top / "rules"))
    assert (said.code, said.out, said.err) == (0, "", "")
    return ["-x", str(cdb)]


def access(tools: Programs, *words: str, **env: str) -> Result:
    return tools.run("s6-ipcserver-access", *words, env={**CLIENT, **env})


ORDER: list[tuple[dict[str, Content], dict[str, str], bool]] = [
    ({}, {}, False),
    ({"uid/1001/allow": ""}, {}, True),
    ({"uid/1001/deny": ""}, {}, False),
    ({"uid/1002/allow": ""}, {}, False),
    ({"uid/1001/allow": "", "uid/1001/deny": ""}, {}, True),
    ({"gid/2002/allow": ""}, {}, True),
    ({"gid/1001/allow": "", "uid/2002/allow": ""}, {}, False),
    ({"uid/1001/deny": "", "gid/2002/allow": "", "uid/default/allow": ""}, {}, False),
    ({"uid/1001/allow": "", "gid/2002/deny": "", "uid/default/deny": ""}, {}, True),
    ({"gid/2002/deny": "", "uid/default/allow": ""}, {}, False),
    ({"uid/default/allow": ""}, {}, True),
    ({"gid/default/allow": ""}, {}, False),
    ({"uid/1001/env/A": "neither", "uid/default/allow": ""}, {}, True),
    ({"uid/self/allow": ""}, {}, False),
    ({"uid/self/allow": ""}, SELF, True),
    ({"gid/self/allow": ""}, SELF, True),
    ({f"uid/{os.geteuid()}/allow": "", "uid/self/deny": ""}, SELF, False),
    ({f"gid/{os.getegid()}/allow": "", "gid/self/deny": ""}, SELF, False),
    ({f"uid/{os.geteuid()}/deny": "", "gid/self/allow": ""}, SELF, False),
]


@pytest.mark.parametrize("form", ["directory", "database"])
def test_who_comes_in(world: World, daemons: Programs, tools: Programs, form: str) -> None:
    """The first key with a rule decides; the databases of each set are read by both."""
    for number, (tree, client, comes_in) in enumerate(ORDER):
        shutil.rmtree(world.top / "rules", ignore_errors=True)
        (world.top / "rules").mkdir()
        made_by = None if form == "directory" else daemons
        said = access(tools, "-l", "x", *rules(world, tree, made_by=made_by), *SHOW, **client)
        expected = (0, "came in\n") if comes_in else (1, "")
        assert (said.code, said.out) == expected, (number, tree, said)


TERMS: dict[str, Content] = {
    "uid/1001/allow": "",
    "uid/1001/env/ADDED": "value  \t\nsecond line",
    "uid/1001/env/EMPTY": "\n",
    "uid/1001/env/REMOVED": "",
    "uid/1001/env/PROTO2": "a = b",
    "uid/1001/env/.hidden": "x",
    "uid/1001/env/IPCREMOTEEUID": "changed",
}


@pytest.mark.parametrize("form", ["directory", "database"])
def test_the_environment(world: World, daemons: Programs, tools: Programs, form: str) -> None:
    made_by = None if form == "directory" else daemons
    given = rules(world, TERMS, made_by=made_by)
    env = {"REMOVED": "x", "KEPT": "y", "IPCLOCALPATH": "old", "IPCCONNNUM": "3"}
    chain = ["s6-ipcserver-socketbinder", str(world.top / "it"), "s6-ipcserver-access", *given]

    def found(*options: str) -> dict[str, str]:
        said = tools.run(chain[0], *chain[1:], *options, "env", "-0", env={**CLIENT, **env})
        assert said.code == 0, said
        return dict(entry.split("=", 1) for entry in said.out.split("\0")[:-1])

    usual = found()
    assert (usual["ADDED"], usual["EMPTY"], usual["PROTO2"]) == ("value", "", "a = b")
    assert not {"REMOVED", ".hidden"} & set(usual)
    assert usual["KEPT"] == "y"
    assert usual["IPCREMOTEEUID"] == "changed"
    assert usual["IPCLOCALPATH"] == str(world.top / "it")
    assert usual["PROTO"] == "IPC"
    assert found("-l", "given")["IPCLOCALPATH"] == "given"
    assert found("-Ee") == usual
    without = found("-E")
    assert not {name for name in without if name.startswith("IPC") or name == "PROTO"}
    assert without["ADDED"] == "value"


@pytest.mark.parametrize("form", ["directory", "database"])
def test_another_program(world: World, daemons: Programs, tools: Programs, form: str) -> None:
    """A line of execline instead of the usual program, with the environment of the rule."""
    tree: dict[str, Content] = {
        "uid/1001/allow": "",
        "uid/1001/env/A": "value",
        "uid/1001/exec": 'sh -c "echo instead $A"\n',
    }
    given = rules(world, tree, made_by=None if form == "directory" else daemons)
    assert access(tools, "-l", "x", *given, *SHOW).out == "instead value\n"
    shutil.rmtree(world.top / "rules")
    given = rules(
        world,
        {"uid/1001/allow": "", "uid/1001/exec": ""},
        made_by=None if form == "directory" else daemons,
    )
    assert access(tools, "-l", "x", *given, *SHOW).out == "came in\n"


@pytest.mark.parametrize(
    ("verbosity", "said_in", "said_out"),
    [("", True, False), ("-v0", False, False), ("-v1", True, False), ("-v2", True, True)],
)
def test_what_is_said(
    world: World, tools: Programs, verbosity: str, said_in: bool, said_out: bool
) -> None:
    given = rules(world, {"uid/1001/allow": ""})
    said = access(tools, "-l", "x", *verbosity.split(), *given, *SHOW)
    assert ("s6-ipcserver-access: info: allow pid " in said.err) is said_in
    assert (" uid 1001 gid 2002" in said.err) is said_in
    said = access(tools, *verbosity.split(), *given, *SHOW, IPCREMOTEEUID="5")
    assert ("s6-ipcserver-access: info: deny pid " in said.err) is said_out
    said = access(tools, "-l", "x", *verbosity.split(), *SHOW)
    assert said.code == 0
    assert ("warning" in said.err) is said_out


@pytest.mark.parametrize(
    ("words", "env", "code"),
    [
        ("", {}, 100),
        ("-z true", {}, 100),
        ("-v x true", {}, 100),
        ("-l", {}, 100),
        ("true", {"IPCREMOTEEUID": ""}, 100),
        ("true", {"IPCREMOTEEUID": "x"}, 100),
        ("true", {"IPCREMOTEEGID": "-1"}, 100),
        ("true", {"PROTO": "TCP"}, 100),
        ("-l x true", {"PROTO": "X", "XREMOTEEUID": "1", "XREMOTEEGID": "1"}, 0),
        ("-x absent true", {}, 111),
        ("-l x nosuchprogram", {}, 127),
        ("-l x /", {}, 126),
        ("true", {}, 111),  # standard input is no socket
    ],
)
def test_it_fails(tools: Programs, words: str, env: dict[str, str], code: int) -> None:
    said = access(tools, *words.split(), **env)
    assert (said.code, said.out) == (code, ""), said


def test_without_variables(tools: Programs) -> None:
    said = tools.run("s6-ipcserver-access", "true")
    assert said.code == 100
    assert "PROTO" in said.err


@pytest.mark.parametrize(
    "broken",
    [
        {"uid/1001": "no directory"},
        {"uid/1001/allow": "", "uid/1001/env": "no directory"},
        {"uid/1001/allow": "", "uid/1001/exec/x": ""},
    ],
)
def test_rules_that_cannot_be_read(
    world: World, tools: Programs, broken: dict[str, Content]
) -> None:
    """Nobody comes in: 111, whoever would be next in the order."""
    given = rules(world, {**broken, "uid/default/allow": ""})
    said = access(tools, "-l", "x", *given, *SHOW)
    assert (said.code, said.out) == (111, "")
    said = access(tools, "-l", "x", *given, *SHOW, IPCREMOTEEUID="5")
    assert (said.code, said.out) == (0, "came in\n")


def test_databases_that_are_none(world: World, tools: Programs) -> None:
    cdb = world.top / "cdb"
    for content in (b"", b"x" * 100, b"\xff" * 4096, b"\xff\xff\xff\x7f" * 1000):
        cdb.write_bytes(content)
        said = access(tools, "-x", str(cdb), *SHOW)
        assert (said.code, said.out) == (111, ""), said
        assert said.err.startswith("s6-ipcserver-access: fatal: ")


def test_in_a_server(world: World, daemons: Programs, tools: Programs) -> None:
    """The chain as it is used; a client that may not come in reads end-of-file."""
    tree: dict[str, Content] = {"uid/self/allow": "", "uid/self/env/WHO": "you"}
    given = rules(world, tree, made_by=tools)
    chain = [str(tools.path("s6-ipcserver-access")), *given, "sh", "-c", 'echo "$WHO"']
    with server(world, daemons, "--", *chain) as its:
        assert its.ask() == b"you\n"
        its.until_children(0)
        (world.top / "rules/uid/self/allow").rename(world.top / "rules/uid/self/deny")
        rules(world, {}, made_by=tools)
        assert its.ask() == b""
        its.until_children(0)


def cdb(tools: Programs, world: World, *words: str) -> Result:
    return tools.run("s6-accessrules-cdb-from-fs", *words, cwd=world.top)


SINGLE: list[dict[str, Content]] = [
    {},
    {"uid/5/allow": ""},
    {"uid/5/deny": ""},
    {"gid/self/allow": "content", "gid/self/deny": ""},
    {"uid/5/allow": "", "uid/5/env/A": "b"},
    {"uid/5/allow": "", "uid/5/env/A": ""},
    {"uid/5/allow": "", "uid/5/env/A": "b \t \nc"},
    {"uid/5/allow": "", "uid/5/env/A": b"b\0c\n"},
    {"uid/5/allow": "", "uid/5/env/A": "x" * 4000},
    {"uid/5/allow": "", "uid/5/exec": "echo hi\n"},
    {"uid/5/allow": "", "uid/5/exec": ""},
    {"uid/5/allow": "", "uid/5/env/A": "b", "uid/5/exec": "x" * 4000},
    {"uid/5/exec": "neither"},
    {"uid/5/deny": "", "uid/5/env/A": "b", "uid/5/exec": "x"},
    {"ip4/192.168.0.0_16/allow": ""},
    {"reversedns/example.com/deny": ""},
    {".hidden/5/allow": "", "uid/.5/allow": ""},
]


def test_the_bytes(world: World, tools: Programs) -> None:
    """Where the order of a directory plays no role, both sets write the same."""
    for number, tree in enumerate(SINGLE):
        (world.top / f"rules{number}").mkdir()
        world.plant(tree, under=f"rules{number}")
        said = cdb(tools, world, f"{number}.cdb", f"rules{number}")
        assert (said.code, said.out, said.err) == (0, "", "")
        theirs = Path("/usr/bin/s6-accessrules-cdb-from-fs")
        if theirs.exists():
            reference = Programs(tools.name, theirs.parent, tools.expects)
            assert cdb(reference, world, "reference", f"rules{number}").code == 0
            assert (world.top / f"{number}.cdb").read_bytes() == (
                world.top / "reference"
            ).read_bytes(), tree


LARGE: dict[str, Content] = {
    **{f"uid/{n}/allow": "" for n in range(60)},
    **{f"uid/{n}/env/A{m}": f"value {n} {m}" for n in range(0, 60, 10) for m in range(5)},
    **{f"gid/{n}/deny": "" for n in range(20)},
    "uid/7/exec": "echo 7\n",
    "uid/default/allow": "",
    "uid/default/env/GONE": "",
}


def content(top: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()
    }


def test_there_and_back(world: World, daemons: Programs, tools: Programs) -> None:
    """A database made by one set is taken apart by the other; nothing is lost."""
    world.plant(LARGE, under="rules")
    assert cdb(daemons, world, "cdb", "rules").code == 0
    said = tools.run("s6-accessrules-fs-from-cdb", "back", "cdb", cwd=world.top)
    assert (said.code, said.out, said.err) == (0, "", "")
    back = content(world.top / "back")
    ends = {
        name: text + b"\n" if "/env/A" in name else text
        for name, text in content(world.top / "rules").items()
    }
    assert back == ends
    directories = [path for path in (world.top / "back").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o777 for path in directories} == {0o755}


@pytest.mark.ours_only
def test_equal_rules_are_equal_bytes(world: World, tools: Programs) -> None:
    """In whatever order the files were made."""
    world.plant(LARGE, under="one")
    world.plant(dict(reversed(LARGE.items())), under="two")
    assert cdb(tools, world, "1", "one").code == cdb(tools, world, "2", "two").code == 0
    assert (world.top / "1").read_bytes() == (world.top / "2").read_bytes()


def test_the_old_database_is_replaced_whole(world: World, tools: Programs) -> None:
    world.plant({"uid/5/allow": ""}, under="rules")
    database = world.top / "cdb"
    database.write_text("old")
    with database.open() as old:
        assert cdb(tools, world, "cdb", "rules").code == 0
        assert old.read() == "old"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert sorted(path.name for path in world.top.iterdir()) == ["cdb", "rules"]


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({"file": ""}, 111),
        ({"uid/5/allow": "", "uid/5/env": "no directory"}, 111),
        ({"uid/5/allow": "", "uid/5/env/A/B": "a directory"}, 111),
        ({"uid/5/allow": "", **{f"uid/5/env/A{n}": "x" * 3000 for n in range(2)}}, 100),
    ],
)
def test_rules_that_cannot_be_made(
    world: World, tools: Programs, tree: dict[str, Content], code: int
) -> None:
    world.plant(tree, under="rules")
    (world.top / "cdb").write_text("old")
    said = cdb(tools, world, "cdb", "rules")
    assert (said.code, said.out) == (code, ""), said
    assert (world.top / "cdb").read_text() == "old"
    assert sorted(path.name for path in world.top.iterdir()) == ["cdb", "rules"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 100),
        ("cdb", 100),
        ("cdb absent", 111),
        ("absent/cdb rules", 111),
    ],
)
def test_cdb_from_fs_fails(world: World, tools: Programs, words: str, code: int) -> None:
    (world.top / "rules").mkdir()
    said = cdb(tools, world, *words.split())
    assert (said.code, said.out) == (code, ""), said
    assert sorted(path.name for path in world.top.iterdir()) == ["rules"]


@pytest.mark.ours_only
@pytest.mark.parametrize("options", ["-m 0644", "-m0644", "--mode=644"])
def test_the_mode_of_a_database(world: World, tools: Programs, options: str) -> None:
    """As of 2.14; exact, whatever the umask."""
    (world.top / "rules").mkdir()
    assert cdb(tools, world, *options.split(), "cdb", "rules").code == 0
    assert stat.S_IMODE((world.top / "cdb").stat().st_mode) == 0o644
    assert cdb(tools, world, "-m", "rw", "cdb", "rules").code == 100


@pytest.mark.parametrize(
    ("words", "code"),
    [("", 100), ("dir", 100), ("dir absent", 111), ("rules cdb", 111), ("absent/dir cdb", 111)],
)
def test_fs_from_cdb_fails(world: World, tools: Programs, words: str, code: int) -> None:
    world.plant({"uid/5/allow": ""}, under="rules")
    assert cdb(tools, world, "cdb", "rules").code == 0
    said = tools.run("s6-accessrules-fs-from-cdb", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, ""), said
    assert content(world.top / "rules") == {"uid/5/allow": b""}


def made(*records: tuple[bytes, bytes]) -> bytes:
    """A database by an independent hand: records and tables, enough for a walk through it."""
    body = b"".join(
        len(key).to_bytes(4, "little") + len(data).to_bytes(4, "little") + key + data
        for key, data in records
    )
    end = (2048 + len(body)).to_bytes(4, "little")
    return (end + bytes(4)) * 256 + body


@pytest.mark.ours_only
@pytest.mark.parametrize(
    ("key", "data"),
    [
        (b"../outside", b"D"),
        (b"uid/../../outside", b"D"),
        (b"/tmp/s6x-outside", b"D"),
        (b"", b"D"),
        (b".", b"D"),
        (b"uid//5", b"D"),
        (b"uid/5/", b"D"),
        (b"uid/\0", b"D"),
        (b"x" * 300, b"D"),
        (b"uid/5", b"A\0\x0a../../x=1\0\0\0"),
        (b"uid/5", b"A\0\x07a/b=c\0\0\0\0"),
        (b"uid/5", b"A\0\x05..=1\0\0\0"),
        (b"uid/5", b"A\0\x03=1\0\0\0"),
        (b"uid/5", b"A\0\x09A=1"),
        (b"uid/5", b""),
    ],
)
def test_names_that_lead_elsewhere(world: World, tools: Programs, key: bytes, data: bytes) -> None:
    """The originals write wherever a database says; nothing is written at all."""
    (world.top / "cdb").write_bytes(made((b"uid/1", b"D"), (key, data)))
    said = tools.run("s6-accessrules-fs-from-cdb", "dir/", "cdb", cwd=world.top)
    assert (said.code, said.out) == (111, ""), said
    assert sorted(path.name for path in world.top.iterdir()) == ["cdb"]


@pytest.mark.ours_only
def test_a_newline_in_a_value(world: World, tools: Programs) -> None:
    """Kept, there and back: the originals write two lines, of which one is read."""
    world.plant({"uid/1001/allow": "", "uid/1001/env/A": b"b\0c"}, under="rules")
    assert cdb(tools, world, "cdb", "rules").code == 0
    assert tools.run("s6-accessrules-fs-from-cdb", "back", "cdb", cwd=world.top).code == 0
    said = access(tools, "-l", "x", "-i", str(world.top / "back"), "printenv", "A")
    assert said.out == "b\nc\n"
