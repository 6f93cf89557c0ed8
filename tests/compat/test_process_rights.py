"""s6-envuidgid, s6-applyuidgid, s6-setuidgid: who a program becomes, seen by a witness."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from world.becoming import become
from world.programs import Programs
from world.running import World
from world.waiting import lines_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\n"
    "web:x:1001:1002:Web,,,:/srv:/bin/false\n"
    "# comment\n\n"
    "short:x:5\n"
    "words:x:five:5::/:\n"
    "half:x:1003:0::/:\n"
    "twice:x:1004:1005::/:\n"
    "twice:x:0:0::/:\n"
    "Jos\udce9:x:1006:1006:caf\udce9:/:\n"
    "+::::::\n"
    "last:x:1007:1008::/:"
)
GROUP = (
    "root:x:0:\nweb:x:1002:\nlogs:x:2001:other,web\nmail:x:2002:web\nweb2:x:2003:web2\n"
    "broken\nshort:x:7\nadm:x:2004:other, half,web\n+:::\n"
)


@pytest.fixture
def accounts(world: World) -> tuple[str, ...]:
    """Words before a program that give it a passwd and a group file of its own."""
    top = world.plant(
        {
            "passwd": PASSWD.encode(errors="surrogateescape"),
            "group": GROUP.encode(),
        },
        "etc",
    )
    top.chmod(0o755)
    mounts = "".join(f"mount --bind {top / name} /etc/{name} && " for name in ("passwd", "group"))
    return ("unshare", "-m", "sh", "-c", f'{mounts} exec "$@"', "sh")


IDS = ("UID", "GID", "GIDLIST")

ENVUIDGID = [
    # the words, and what is in UID, GID, GIDLIST
    ("web", "1001 1002 2001,2002,2004"),
    ("root", "0 0 "),
    ("twice", "1004 1005 "),
    ("last", "1007 1008 "),
    ("-u web", "1001 - -"),
    ("-g logs", "- 2001 -"),
    ("-ug logs", "- 2001 -"),
    ("-gu web", "1001 - -"),
    ("-B web:logs", "1001 2001 -"),
    ("-B web", "1001 0 -"),
    ("-B :logs", "0 2001 -"),
    ("-B :", "0 0 -"),
    ("-D 5:6:7 -B web", "1001 6 -"),
    ("-D 5:6:7 -B nosuch:logs", "5 2001 -"),
    ("-n web", "1001 0 -"),
    ("-n 12", "12 0 -"),
    ("-n 12:13", "12 13 -"),
    ("-n web:13", "1001 13 -"),
    ("-nu 12", "12 - -"),
    ("-gn 12", "- 12 -"),
    ("-D 1:2:3,4 nosuch", "1 2 3,4"),
    ("-D 1:2:3,4 web", "1001 1002 2001,2002,2004"),
    ("-D 1 nosuch", "1 0 "),
    ("-D : nosuch", "0 0 "),
    ("-D 1::3 nosuch", "1 0 3"),
    ("-i -D 1:2:3 nosuch", "1 2 3"),
    ("-D 1:2:3 -u nosuch", "1 - -"),
    ("-D 1:2:3 -g nosuch", "- 2 -"),
]


@pytest.mark.parametrize(("words", "expected"), ENVUIDGID, ids=[case[0] for case in ENVUIDGID])
def test_envuidgid(tools: Programs, accounts: tuple[str, ...], words: str, expected: str) -> None:
    seen = become(tools, "s6-envuidgid", *words.split(), under=accounts)
    values = [word if word != "-" else None for word in expected.split(" ")]
    assert seen.variables(*IDS) == {n: v for n, v in zip(IDS, values, strict=True) if v is not None}
    assert seen.uids == (0,) * 4


UNKNOWN = ["nosuch", "short", "words", "+", "-u nosuch", "-g nosuch", "-B web:nosuch", "-n nosuch"]


@pytest.mark.parametrize("words", [*UNKNOWN, "-D 1:2:3 -i nosuch", "-n 12:x", "-g short:x"])
def test_unknown_accounts(tools: Programs, accounts: tuple[str, ...], words: str) -> None:
    said = tools.run("s6-envuidgid", *words.split(), "true", under=accounts)
    assert said.code == 1, said
    assert said.err.startswith("s6-envuidgid: fatal: unknown ")


@pytest.mark.parametrize(
    "name", ["nosuch", "short", "words", "+", "Jos\udce9\udce9", "\ufffd", "web "]
)
def test_setuidgid_to_nobody(tools: Programs, accounts: tuple[str, ...], name: str) -> None:
    said = tools.run("s6-setuidgid", name, "echo", "became", under=accounts)
    assert (said.code, said.out) == (1, ""), said
    assert "fatal: unknown user: " in said.err


@pytest.mark.parametrize("variables", [{}, {"UID": "x", "GID": "5", "GIDLIST": "0"}])
def test_setuidgid(tools: Programs, accounts: tuple[str, ...], variables: dict[str, str]) -> None:
    """Its groups and no others, no capability left, and no variable of the way there."""
    seen = become(tools, "s6-setuidgid", "web", under=accounts, env=variables)
    assert (seen.uids, seen.gids) == ((1001,) * 4, (1002,) * 4)
    assert seen.groups == (1002, 2001, 2002, 2004)
    assert seen.capabilities["CapEff"] == seen.capabilities["CapPrm"] == 0
    assert seen.variables(*IDS) == {}


def test_setuidgid_drops_the_groups_that_were(tools: Programs) -> None:
    under = ("setpriv", "--groups=4,24,27")
    for name in ("nobody", "65534:65534"):
        seen = become(tools, "s6-setuidgid", name, under=under)
        assert (seen.uids, seen.groups) == ((65534,) * 4, (65534,)), name


def test_setuidgid_by_number_leaves_the_environment(tools: Programs) -> None:
    seen = become(tools, "s6-setuidgid", "12:13", env={"UID": "kept"})
    assert (seen.uids, seen.gids, seen.groups) == ((12,) * 4, (13,) * 4, (13,))
    assert seen.variables(*IDS) == {"UID": "kept"}


def test_setuidgid_to_no_name_just_runs(tools: Programs) -> None:
    seen = become(tools, "s6-setuidgid", "", env={"UID": "kept"}, under=("setpriv", "--groups=4"))
    assert (seen.uids, seen.groups) == ((0,) * 4, (4,))
    assert seen.variables("UID") == {"UID": "kept"}


@pytest.mark.parametrize("name", ["half", "1003:0"])
def test_zero_is_an_id(tools: Programs, accounts: tuple[str, ...], name: str) -> None:
    """Whoever asks for group 0 does not want to stay in the group where we are."""
    seen = become(
        tools, "s6-setuidgid", name, under=(*accounts, "setpriv", "--regid=27", "--keep-groups")
    )
    group = 0 if tools.expects.setuidgid_takes_zero_literally else 27
    others = (2004,) if name == "half" else ()
    assert (seen.uids, seen.gids, seen.groups) == ((1003,) * 4, (group,) * 4, (group, *others))


APPLYUIDGID = [
    # the words; uid, gid, groups
    ("", 0, 0, (4, 27)),
    ("-u 12 -g 13 -G 14,15", 12, 13, (13, 14, 15)),
    ("-u 12 -g 13", 12, 13, (4, 27)),
    ("-u 0 -g 0", 0, 0, (4, 27)),
    ("-g 13", 0, 13, (4, 27)),
    ("-G 14,14,3", 0, 0, (0, 3, 14, 14)),
    ("-g 13 -G 14,13", 0, 13, (13, 14)),
    ("-G 1:2;3", 0, 0, (0, 1, 2, 3)),
    ("-G 7, ", 0, 0, (0, 7)),
    ("-G {empty}", 0, 0, (0,)),
    ("-u 5 -u 6", 6, 0, (4, 27)),
    ("-U", 21, 22, (22, 23, 24)),
    ("-u 5 -g 6 -U", 21, 22, (22, 23, 24)),
    ("-U -u 5 -G 9", 5, 22, (9, 22)),
]


@pytest.mark.parametrize(
    ("words", "uid", "gid", "groups"), APPLYUIDGID, ids=[case[0] for case in APPLYUIDGID]
)
@pytest.mark.parametrize("unset", ["", "-z"])
def test_applyuidgid(
    tools: Programs, words: str, uid: int, gid: int, groups: tuple[int, ...], unset: str
) -> None:
    variables = {"UID": "21", "GID": "22", "GIDLIST": "23,24"}
    chain = [word.replace("{empty}", "") for word in words.split()]
    if unset:
        chain.append(unset)
    under = ("setpriv", "--groups=4,27")
    seen = become(tools, "s6-applyuidgid", *chain, under=under, env=variables)
    assert (seen.uids, seen.gids) == ((uid,) * 4, (gid,) * 4)
    assert tuple(sorted(seen.groups)) == groups
    assert seen.variables(*IDS) == ({} if unset else variables)
    if uid:
        assert seen.capabilities["CapEff"] == 0


REFUSED = [
    # the words, the environment, exit code, what is said
    ("s6-applyuidgid -u x true", {}, 100, "usage"),
    ("s6-applyuidgid -u +5 true", {}, 100, "usage"),
    ("s6-applyuidgid -u -1 true", {}, 100, "usage"),
    ("s6-applyuidgid -u 4294967296 true", {}, 100, "usage"),
    ("s6-applyuidgid -G x true", {}, 100, "usage"),
    ("s6-applyuidgid -G ,1 true", {}, 100, "usage"),
    ("s6-applyuidgid -g {empty} true", {}, 100, "usage"),
    ("s6-applyuidgid -u 5", {}, 100, "usage"),
    ("s6-applyuidgid -u 4294967295 true", {}, 111, "Invalid argument"),
    ("s6-applyuidgid -g 4294967295 true", {}, 111, "Invalid argument"),
    ("s6-applyuidgid -G 4294967295 true", {}, 111, "Invalid argument"),
    ("s6-applyuidgid -U true", {}, 100, "UID"),
    ("s6-applyuidgid -U true", {"UID": "1"}, 100, "GID"),
    ("s6-applyuidgid -U true", {"UID": "1", "GID": "2"}, 100, "GIDLIST"),
    ("s6-applyuidgid -U true", {"UID": "", "GID": "2", "GIDLIST": ""}, 100, "UID"),
    ("s6-applyuidgid -U true", {"UID": "1", "GID": "2", "GIDLIST": "x"}, 100, "GIDLIST"),
    ("s6-applyuidgid -u 5 nosuchprogram", {}, 127, "nosuchprogram"),
    ("s6-applyuidgid -u 5 /", {}, 126, "/"),
    ("s6-setuidgid 12: true", {}, 100, "usage"),
    ("s6-setuidgid :13 true", {}, 100, "usage"),
    ("s6-setuidgid root:root true", {}, 100, "usage"),
    ("s6-setuidgid 1:2:3 true", {}, 100, "usage"),
    ("s6-setuidgid nobody", {}, 100, "usage"),
    ("s6-setuidgid nobody nosuchprogram", {}, 127, "nosuchprogram"),
    ("s6-setuidgid nobody /", {}, 126, "/"),
    ("s6-envuidgid nobody", {}, 100, "usage"),
    ("s6-envuidgid -D x nobody true", {}, 100, "usage"),
    ("s6-envuidgid -D 1:x nobody true", {}, 100, "usage"),
    ("s6-envuidgid -D 1:2:x nobody true", {}, 100, "usage"),
    ("s6-envuidgid nobody nosuchprogram", {}, 127, "nosuchprogram"),
    ("s6-envuidgid nobody /", {}, 126, "/"),
]


@pytest.mark.parametrize(("line", "env", "code", "why"), REFUSED)
def test_what_cannot_be_is_refused(
    tools: Programs, line: str, env: dict[str, str], code: int, why: str
) -> None:
    program, *words = (word.replace("{empty}", "") for word in line.split())
    said = tools.run(program, *words, env=env)
    assert (said.code, said.out) == (code, ""), said
    assert why in said.err


@pytest.mark.parametrize(
    "words",
    [
        *("s6-setuidgid daemon", "s6-setuidgid root", "s6-setuidgid 0:0", "s6-setuidgid nobody"),
        *("s6-applyuidgid -G 5", "s6-applyuidgid -g 1", "s6-applyuidgid -u 1"),
        "s6-applyuidgid -G {empty}",
    ],
)
def test_without_the_right_to_change_nothing_runs(tools: Programs, words: str) -> None:
    program, *arguments = (word.replace("{empty}", "") for word in words.split())
    under = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    said = tools.run(program, *arguments, "echo", "became", under=under)
    assert (said.code, said.out) == (111, ""), said
    assert "Operation not permitted" in said.err


@pytest.mark.parametrize("lacking", ["setuid", "setgid"])
def test_half_of_the_right_is_not_enough(tools: Programs, lacking: str) -> None:
    """Root in a container without one of the two capabilities: never half of the change."""
    under = ("setpriv", f"--bounding-set=-{lacking}", f"--inh-caps=-{lacking}")
    said = tools.run("s6-setuidgid", "nobody", "echo", "became", under=under)
    assert (said.code, said.out) == (111, ""), said
    assert "Operation not permitted" in said.err


LIES = {
    "setgroups": "unable to set the supplementary groups (the kernel still says [27])",
    "setgid,setresgid": "unable to become group 1 (the kernel still says [0, 0, 0])",
    "setuid,setresuid": "unable to become user 1 (the kernel still says [0, 0, 0])",
}
"""System calls, and what must be said when one of them reports success and does nothing."""


@pytest.mark.parametrize("calls", LIES)
def test_a_change_that_did_not_happen_is_found_out(tools: Programs, calls: str) -> None:
    """As under a sandbox that answers for the kernel: nothing runs with rights too many."""
    under = ("setpriv", "--groups=27", "strace", "-qq", "-o/dev/null", f"-einject={calls}:retval=0")
    said = tools.run("s6-setuidgid", "daemon", "echo", "became", under=under)
    if not tools.expects.verifies_rights:
        assert (said.code, said.out) == (0, "became\n"), said
        return
    assert (said.code, said.out) == (111, ""), said
    assert said.err == f"s6-setuidgid: fatal: {LIES[calls]}: Operation not permitted\n"


def test_the_order_of_the_changes(world: World, tools: Programs) -> None:
    """Groups, group, user: behind any other order, the rest would be refused."""
    calls = "setgroups,setgid,setuid,setresgid,setresuid,setreuid,setregid"
    trace = world.top / "trace"
    under = ("strace", "-qq", f"-o{trace}", f"-etrace={calls}")
    for words in (["s6-setuidgid", "daemon"], ["s6-applyuidgid", "-u1", "-g1", "-G", "1"]):
        assert tools.run(words[0], *words[1:], "true", under=under).code == 0
        called = [line.partition("(")[0].replace("setres", "set") for line in lines_of(trace)]
        assert called == ["setgroups", "setgid", "setuid"]


def test_capabilities_that_are_told_to_stay(tools: Programs) -> None:
    """SECBIT_NO_SETUID_FIXUP is inherited: some container runtime's idea, not the service's."""
    some = ("--inh-caps=+setuid,+net_raw", "--ambient-caps=+setuid,+net_raw")
    under = ("setpriv", "--securebits=+no_setuid_fixup", *some)
    seen = become(tools, "s6-setuidgid", "daemon", under=under)
    assert seen.uids == (1,) * 4
    assert (seen.capabilities["CapEff"] != 0) == tools.expects.keeps_ambient_capabilities


def test_ambient_capabilities_do_not_go_along(tools: Programs) -> None:
    """Root's are gone by the kernel's doing; those of an ordinary user would stay."""
    some = "--inh-caps=+setuid,+setgid,+net_raw", "--ambient-caps=+setuid,+setgid,+net_raw"
    from_root = become(tools, "s6-setuidgid", "daemon", under=("setpriv", *some))
    assert from_root.capabilities["CapEff"] == from_root.capabilities["CapAmb"] == 0
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *some)
    seen = become(tools, "s6-setuidgid", "daemon", under=user)
    assert (seen.uids, seen.gids, seen.groups) == ((1,) * 4, (1,) * 4, (1,))
    kept = seen.capabilities["CapEff"] != 0
    assert kept == tools.expects.keeps_ambient_capabilities
    assert (seen.capabilities["CapAmb"] != 0) == kept


def test_lists_with_something_else_in_them(tools: Programs) -> None:
    """A group that is lost without a word is a file that cannot be read tomorrow."""
    for words in (["-G", "7,x"], ["-G", "7,8,-1"]):
        said = tools.run("s6-applyuidgid", *words, "true")
        assert said.code == (0 if tools.expects.id_lists_may_end_in_anything else 100)
    said = tools.run("s6-envuidgid", "-D", "1:2:3,x", "nosuch", "true")
    if not tools.expects.id_lists_may_end_in_anything:
        assert said.code == 100
        assert 'option -D: "3,x" is no list of numerical ids' in said.err


@pytest.mark.ours_only
def test_messages_say_what_to_do(tools: Programs, accounts: tuple[str, ...]) -> None:
    for words, message in [
        (["s6-setuidgid", "nosuch"], 'unknown user: "nosuch" has no line in /etc/passwd'),
        (["s6-envuidgid", "-g", "no\nsuch"], 'group: "no\\nsuch" has no line in /etc/group'),
        (["s6-applyuidgid", "-U"], "$UID is not set; s6-envuidgid sets it"),
        (["s6-applyuidgid", "-u", "root"], 'option -u: "root" is no numerical id'),
        (["s6-setuidgid", "root:root"], 'uid:gid: "root" is no numerical id'),
    ]:
        said = tools.run(words[0], *words[1:], "true", under=accounts)
        assert message in said.err
        assert said.err.splitlines()[-1].startswith(f"{words[0]}: fatal: ")


@pytest.mark.ours_only
def test_account_files_that_cannot_be_read(tools: Programs, world: World) -> None:
    """Whom a file lists is not known then; only a file that is not there is an empty one."""
    top = world.plant({"dir": {}}, "etc")
    under = ("unshare", "-m", "sh", "-c", f'mount --bind {top} /etc && exec "$@"', "sh")
    said = tools.run("s6-setuidgid", "root", "true", under=under)
    assert (said.code, "unknown user" in said.err) == (1, True)
    (top / "passwd").write_text(PASSWD.encode("utf-8", "replace").decode())
    (top / "group").mkdir()
    said = tools.run("s6-setuidgid", "web", "true", under=under)
    assert (said.code, "unable to read /etc/group: Is a directory" in said.err) == (111, True), said


@pytest.mark.ours_only
@pytest.mark.parametrize(
    "line", ["{passwd}", "x:x:{id}:0::/:", "x:x:0:{id}::/:", "{nul}x:x:1:1::/:"]
)
@pytest.mark.parametrize(
    "number", ["-1", "+0", "4294967295", "4294967296", " 0", "0x0", "", "\u0660"]
)
def test_hostile_lines_give_nobody_an_id(
    tools: Programs, world: World, line: str, number: str
) -> None:
    text = line.format(id=number, passwd="x:x", nul="\0")
    passwd: Path = world.plant({"passwd": text + "\n"}, "etc") / "passwd"
    under = ("unshare", "-m", "sh", "-c", f'mount --bind {passwd} /etc/passwd && exec "$@"', "sh")
    said = tools.run("s6-setuidgid", "x", "echo", "became", under=under)
    assert (said.code, said.out) == (1, ""), said
