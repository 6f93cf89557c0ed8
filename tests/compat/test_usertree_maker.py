"""s6-usertree-maker: a service that is a user's own supervision tree (contract 1.9)."""

from __future__ import annotations

import os
import pwd
import re
import stat
from pathlib import Path

import pytest

from world import process
from world.programs import Programs, Result
from world.running import World
from world.tree import Content
from world.waiting import until


def make(world: World, tools: Programs, *words: str) -> Result:
    return tools.run("s6-usertree-maker", *words, cwd=world.top)


def written(top: Path) -> dict[str, tuple[str, int]]:
    """Every file: its text, without the directories of programs, and its mode."""
    plain = re.compile(r"(^|\{ |#!)/\S*/(?=[a-z])", re.MULTILINE)
    return {
        str(path.relative_to(top)): (
            plain.sub(r"\1", path.read_text()),
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


RUN = """#!execlineb -P
fdmove -c 2 1
emptyenv -p
export USER "{user}"
s6-envuidgid -i -- "{user}"
s6-applyuidgid -U --
backtick -in HOME {{ homeof "{user}" }}
{environment}multisubstitute
{{
  importas -i USER USER
  importas -i HOME HOME
  importas -i UID UID
  importas -i GID GID
  importas -i GIDLIST GIDLIST
}}
{exports}export PATH "{path}"
s6-svscan -d3 -- "{scandir}"
"""


def run(
    user: str = "nobody",
    path: str = "/bin",
    scandir: str = "${HOME}/service",
    environment: str = "",
    exports: str = "",
) -> str:
    return RUN.format(
        user=user, path=path, scandir=scandir, environment=environment, exports=exports
    )


VARIABLES = """s6-envdir -i -- "/etc/env"
multisubstitute
{
  importas -D "" -- "FOO" "FOO"
  importas -D "" -- "B R" "B R"
}
"""
EXPORTS = """export "FOO" ${"FOO"}
export "B R" ${"B R"}
"""

CASES = [
    ("-p /bin", "nobody", run()),
    ("-p /bin -d /srv/tree", "nobody", run(scandir="/srv/tree")),
    ("-p /bin -d ${HOME}/a", "nobody", run(scandir="${HOME}/a")),
    ("-p /bin", 'o"dd\\', run(user='o\\"dd\\\\')),
    ("-p /bin -E /etc/env", "nobody", run(environment='s6-envdir -i -- "/etc/env"\n')),
    (
        "-p /bin -E /etc/env -e FOO -e B\xa0R",
        "nobody",
        run(environment=VARIABLES, exports=EXPORTS),
    ),
]


@pytest.mark.parametrize(("options", "user", "expected"), CASES)
def test_what_runs(world: World, tools: Programs, options: str, user: str, expected: str) -> None:
    words = [word.replace("\xa0", " ") for word in options.split(" ")]
    said = make(world, tools, *words, user, "/var/log/it", "it")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert written(world.top / "it") == {
        "run": (expected, 0o755),
        "notification-fd": ("3\n", 0o644),
        "log/notification-fd": ("3\n", 0o644),
        "log/run": ('#!execlineb -P\ns6-log -bd3 -- t n10 s1000000 "/var/log/it"\n', 0o755),
    }


@pytest.mark.parametrize(
    ("options", "script"),
    [
        ("-l logger", 's6-setuidgid "logger"\ns6-log -bd3 -- t n10 s1000000 "/log"\n'),
        ("-t 0", 's6-log -bd3 -- n10 s1000000 "/log"\n'),
        ("-t 2", 's6-log -bd3 -- T n10 s1000000 "/log"\n'),
        ("-t 3 -n 0 -s 5000000000", 's6-log -bd3 -- t T n0 s5000000000 "/log"\n'),
        ("-S 0", 's6-log -bd3 -- t n10 s1000000 "/log"\n'),
        ("-S 77 -P web:", 's6-log -bd3 -- t n10 s1000000 S77 pweb: "/log"\n'),
    ],
)
def test_the_logger(world: World, tools: Programs, options: str, script: str) -> None:
    assert make(world, tools, *options.split(), "nobody", "/log", "it").code == 0
    assert written(world.top / "it")["log/run"] == (f"#!execlineb -P\n{script}", 0o755)


def test_for_the_service_manager(world: World, tools: Programs) -> None:
    assert make(world, tools, "-p", "/bin", "-r", "a/b/c", "nobody", "/log", "source").code == 0
    logger = '#!execlineb -P\ns6-log -bd3 -- t n10 s1000000 "/log"\n'
    expected = {
        "a/notification-fd": "3\n",
        "a/producer-for": "b\n",
        "a/run": run(),
        "a/type": "longrun\n",
        "b/consumer-for": "a\n",
        "b/notification-fd": "3\n",
        "b/pipeline-name": "c\n",
        "b/run": logger,
        "b/type": "longrun\n",
    }
    found = {name: text for name, (text, _) in written(world.top / "source").items()}
    assert found == expected
    assert make(world, tools, "-r", "d/e", "nobody", "/log", "source").code == 0
    assert not (world.top / "source/e/pipeline-name").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 100),
        ("nobody /log", 100),
        ("nobody log it", 100),
        ("-d tree nobody /log it", 100),
        ("-d ~/tree nobody /log it", 100),
        ("-e a=b nobody /log it", 100),
        ("-t 4 nobody /log it", 100),
        ("-t x nobody /log it", 100),
        ("-n x nobody /log it", 100),
        ("-s x nobody /log it", 100),
        ("-S x nobody /log it", 100),
        ("-z nobody /log it", 100),
        ("-r a nobody /log it", 100),
        ("-r /b nobody /log it", 100),
        ("-r a/ nobody /log it", 100),
        ("-r a//c nobody /log it", 100),
        ("-r a/b/ nobody /log it", 100),
        ("-r a/b/c/d nobody /log it", 100),
        ("nobody /log there", 111),
        ("nobody /log absent/it", 111),
        (f"{'-e A ' * 65} -E /etc/env nobody /log it", 100),
    ],
)
def test_it_fails(world: World, tools: Programs, words: str, code: int) -> None:
    (world.top / "there").mkdir()
    said = make(world, tools, *words.split())
    assert (said.code, said.out) == (code, ""), said
    assert said.err.startswith("s6-usertree-maker: ")
    assert [path.name for path in world.top.iterdir()] == ["there"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_runs(world: World, daemons: Programs, tools: Programs) -> None:
    """Made by one set, run by the other: the user's tree, with the user's rights, and no more."""
    world.top.chmod(0o755)
    user = pwd.getpwnam("nobody")
    tree = world.plant({"tree": {}, "env/ASKED": "value", "env/OTHER": "value"}) / "tree"
    os.chown(tree, user.pw_uid, user.pw_gid)
    # Debian keeps execline's programs away from PATH; scripts of its own name them in full.
    path = f"{daemons.environment()['PATH']}:/usr/lib/execline/bin"
    words = ["-p", path, "-d", str(tree), "-E", str(world.top / "env")]
    log = world.top / "log"
    services: dict[str, Content] = {"services": {}}
    scandir = world.plant(services) / "services"
    said = make(
        world, tools, *words, "-e", "ASKED", "-e", "ABSENT", "nobody", str(log), "services/it"
    )
    assert said.code == 0, said
    scanner = world.scan(daemons, scandir, env={"SECRET": "root's", "PATH": path})
    (pid,) = scanner.until_up("it").values()
    until(lambda: "s6-svscan" in process.argv_of(pid)[0], explain=scanner.said)
    facts = process.look(pid)
    assert Path(f"/proc/{pid}").stat().st_uid == user.pw_uid
    expected = {"USER", "HOME", "UID", "GID", "GIDLIST", "ASKED", "ABSENT", "PATH", "OTHER"}
    assert set(facts.env) - expected == set()
    assert (facts.env["ASKED"], facts.env["ABSENT"]) == ("value", "")
    assert facts.env["USER"] == "nobody"
    assert facts.env["HOME"] == user.pw_dir
    assert facts.argv[-1] == str(tree)
    until(lambda: (log / "current").exists())


@pytest.mark.ours_only
def test_the_usual_path(world: World, tools: Programs) -> None:
    assert make(world, tools, "nobody", "/log", "it").code == 0
    assert written(world.top / "it")["run"][0] == run(path="/command:/usr/bin:/bin")


@pytest.mark.ours_only
def test_a_prefix_of_several_words(world: World, tools: Programs) -> None:
    assert make(world, tools, "-P", 'a "b', "nobody", "/log", "it").code == 0
    assert written(world.top / "it")["log/run"][0].endswith(' "pa \\"b" "/log"\n')


@pytest.mark.ours_only
def test_all_or_nothing(world: World, tools: Programs) -> None:
    (world.top / "source/logger").mkdir(parents=True)
    said = make(world, tools, "-r", "it/logger", "nobody", "/log", "source")
    assert said.code == 111
    assert [path.name for path in (world.top / "source").iterdir()] == ["logger"]


@pytest.mark.ours_only
def test_variables_without_a_directory(world: World, tools: Programs) -> None:
    said = make(world, tools, "-p", "/bin", "-e", "A", "nobody", "/log", "it")
    assert said.code == 0
    assert "warning" in said.err
    assert written(world.top / "it")["run"][0] == run()
