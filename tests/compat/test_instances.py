"""s6-instance-*: what the maker writes, and instances that come and go."""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from world.process import alive
from world.programs import Programs, Result
from world.running import World
from world.status import status
from world.tree import Content, Fifo, Link, plant
from world.waiting import until, until_lines
from world.witness import logger, recorder

RUN = "#!execlineb -P\n\nfdmove -c 2 1\n{}s6-svscan -d3 -c{} -- instance\n"
LOG = '#!execlineb -P\n{}s6-log -bd3 -- {} "{}"\n'


def bare(text: str) -> str:
    """Return a script whose programs have no directories: where they are is the build's choice."""
    return re.sub(r"(^|^#!|\{ )/\S*/(?=[\w-]+( |$))", r"\1", text, flags=re.MULTILINE)


def tree(top: Path) -> dict[str, str]:
    """Return the files below a directory: contents, or what they are; an asterisk if executable."""
    found = {}
    for path in sorted(top.rglob("*")):
        name, mode = str(path.relative_to(top)), path.lstat().st_mode
        if stat.S_ISREG(mode):
            found[name + "*" * bool(mode & 0o100)] = bare(path.read_text())
        elif not stat.S_ISDIR(mode):
            found[name] = str(path.readlink()) if path.is_symlink() else stat.filemode(mode)
        elif not any(path.iterdir()):
            found[name] = "empty"
    return found


@pytest.fixture
def template(world: World) -> Path:
    return world.plant({"run!": "#!/bin/sh\nexec sleep 1000\n", "data": {"x": "y"}}, "template")


COPY = {"template/run*": "#!sh\nexec sleep 1000\n", "template/data/x": "y"}
PLAIN = {"notification-fd": "3\n", "instance": "empty", "instances": "empty", **COPY}
LOGGED = {"log/notification-fd": "3\n"}
SOURCE = {"svc/notification-fd": "3\n", "svc/type": "longrun\n"} | {
    f"svc/{name}": content for name, content in COPY.items()
}
SOURCE_LOG = {
    "log/notification-fd": "3\n",
    "log/type": "longrun\n",
    "log/consumer-for": "svc\n",
    "svc/producer-for": "log\n",
}
USUAL = "t n10 s1000000"

MADE: list[tuple[list[str], dict[str, str]]] = [
    ([], {**PLAIN, "run*": RUN.format("", 500)}),
    (["-c", "7"], {**PLAIN, "run*": RUN.format("", 7)}),
    (["-c", "0"], {**PLAIN, "run*": RUN.format("", 1)}),
    (["-c", "90001"], {**PLAIN, "run*": RUN.format("", 90000)}),
    (["-u", ""], {**PLAIN, "run*": RUN.format("", 500)}),
    (
        ["-u", 'o"d\\d', "-l", "no logger", "-t0", "-n2"],
        {**PLAIN, "run*": RUN.format('s6-setuidgid "o\\"d\\\\d"\n', 500)},
    ),
    (
        ["-L", "/log dir"],
        {
            **PLAIN,
            **LOGGED,
            "run*": RUN.format("", 500),
            "log/run*": LOG.format("", USUAL, "/log dir"),
        },
    ),
    (
        ["-L", "/l", "-l", "a b", "-t3", "-n0", "-s", "4294967296", "-S", "18446744073709551615"],
        {
            **PLAIN,
            **LOGGED,
            "run*": RUN.format("", 500),
            "log/run*": LOG.format(
                's6-setuidgid "a b"\n', "t T n0 s4294967296 S18446744073709551615", "/l"
            ),
        },
    ),
    (
        ["-L", "/l", "-t0", "-P", "web:", "-S0"],
        {
            **PLAIN,
            **LOGGED,
            "run*": RUN.format("", 500),
            "log/run*": LOG.format("", "n10 s1000000 pweb:", "/l"),
        },
    ),
    (
        ["-L", "/l", "-t2"],
        {
            **PLAIN,
            **LOGGED,
            "run*": RUN.format("", 500),
            "log/run*": LOG.format("", "T n10 s1000000", "/l"),
        },
    ),
    (["-r", "svc"], {**SOURCE, "svc/run": RUN.format("", 500)}),
    (
        ["-r", "svc/log", "-L", "/l"],
        {
            **SOURCE,
            **SOURCE_LOG,
            "svc/run": RUN.format("", 500),
            "log/run": LOG.format("", USUAL, "/l"),
        },
    ),
    (
        ["-r", "svc/log/pipe", "-L", "/l"],
        {
            **SOURCE,
            **SOURCE_LOG,
            "svc/run": RUN.format("", 500),
            "log/run": LOG.format("", USUAL, "/l"),
            "log/pipeline-name": "pipe\n",
        },
    ),
]


@pytest.mark.parametrize(("options", "expected"), MADE, ids=lambda it: " ".join(it)[:40])
def test_what_is_made(
    world: World, tools: Programs, template: Path, options: list[str], expected: dict[str, str]
) -> None:
    done = tools.run("s6-instance-maker", *options, template, "made", cwd=world.top)
    assert done == Result(0, "", "")
    assert tree(world.top / "made") == expected


@pytest.mark.parametrize("mask", ["022", "077", "027"])
def test_modes(world: World, tools: Programs, template: Path, mask: str) -> None:
    under = ["sh", "-c", f'umask {mask}; exec "$@"', "sh"]
    made = world.top / "made"
    done = tools.run("s6-instance-maker", "-L/l", template, made, under=under)
    assert done.code == 0
    allowed = 0o777 & ~int(mask, 8)
    for name, mode in {
        ".": 0o755,
        "instance": 0o755,
        "log": 0o755,
        "run": allowed,
        "log/run": allowed,
        "notification-fd": 0o666 & allowed,
        "template/run": stat.S_IMODE((template / "run").stat().st_mode),
    }.items():
        assert stat.S_IMODE((made / name).stat().st_mode) == mode, name


def test_a_prefix_of_several_words(world: World, tools: Programs, template: Path) -> None:
    made = world.top / "made"
    done = tools.run("s6-instance-maker", "-L/l", "-P", "a b", template, made)
    assert done.code == 0
    quotes = tools.expects.instance_maker_quotes_prefixes
    words = f"{USUAL} {chr(34) + 'pa b' + chr(34) if quotes else 'pa b'}"
    assert bare((made / "log/run").read_text()) == LOG.format("", words, "/l")


WRONG = [
    [],
    ["template"],
    ["-c", "x", "template", "made"],
    ["-t", "4", "template", "made"],
    ["-n", "-1", "template", "made"],
    ["-s", "x", "template", "made"],
    ["-L", "relative", "template", "made"],
    ["-u", "a b", "template", "made"],
    ["-r", "/log", "template", "made"],
    ["-r", "svc/", "-L", "/l", "template", "made"],
    ["-r", "svc//pipe", "-L", "/l", "template", "made"],
    ["-r", "svc/log/", "-L", "/l", "template", "made"],
    ["-r", "svc/log/pipe/x", "-L", "/l", "template", "made"],
    ["-r", "svc/log", "template", "made"],
    ["-r", "svc", "-L", "/l", "template", "made"],
    ["-r", "a\nb", "template", "made"],
    ["-x", "template", "made"],
]


def test_what_is_not_made(world: World, tools: Programs, template: Path) -> None:
    for words in WRONG:
        done = tools.run("s6-instance-maker", *words, cwd=template.parent)
        assert (done.code, done.out) == (100, ""), words
        assert done.err.startswith("s6-instance-maker: ")
        assert not (world.top / "made").exists()


@pytest.mark.parametrize("options", [[], ["-r", "svc/log", "-L/l"]])
def test_what_cannot_be_made(
    world: World, tools: Programs, template: Path, options: list[str]
) -> None:
    made = world.top / "made"
    done = tools.run("s6-instance-maker", *options, world.top / "absent", made)
    assert done.code == 111
    assert "absent" in done.err
    assert made.exists() != tools.expects.instance_is_all_or_nothing
    made = world.top / "again"
    assert tools.run("s6-instance-maker", *options, template, made).code == 0
    before = tree(made)
    done = tools.run("s6-instance-maker", *options, template, made)
    assert done.code == 111
    assert "File exists" in done.err
    assert tree(made) == before


@pytest.mark.ours_only
def test_a_template_by_a_path_that_ends_in_dots(
    world: World, tools: Programs, template: Path
) -> None:
    for word in (".", "./", "data/.."):
        made = world.top / f"made-{len(word)}"
        assert tools.run("s6-instance-maker", word, made, cwd=template).code == 0
        assert tree(made) == {**PLAIN, "run*": RUN.format("", 500)}


def paths(daemons: Programs, tools: Programs) -> dict[str, str]:
    """An environment in which the scripts of either maker find what they run."""
    usual = "/usr/lib/execline/bin:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": f"{daemons.directory}:{tools.directory}:{usual}"}


def is_ready(service: Path) -> bool:
    if not (service / "supervise/status").exists():
        return False
    now = status(service)
    return now.up and now.ready


@contextmanager
def running(
    world: World,
    daemons: Programs,
    tools: Programs,
    template: Mapping[str, Content],
    *options: str,
) -> Iterator[Path]:
    """Make a service from a template, have it supervised, and wait until it is ready."""
    plant(world.top / "template", template)
    service = world.top / "service"
    done = tools.run("s6-instance-maker", *options, world.top / "template", service)
    assert done == Result(0, "", "")
    scandir = world.plant({"web": Link(str(service))}, "scan")
    scanner = world.scan(daemons, scandir, env=paths(daemons, tools))
    until(
        lambda: is_ready(service),
        "an inner scanner that is ready",
        explain=scanner.said,
    )
    yield service


WITNESS: Mapping[str, Content] = {
    "run!": '#!/bin/sh\necho $$ "$@" >>record\nexec sleep 1000\n',
    "finish!": "#!/bin/sh\necho finished >>record\n",
    "fifo": Fifo(),
    "link": Link("run"),
}


def test_instances_come_and_go(world: World, daemons: Programs, tools: Programs) -> None:
    with running(world, daemons, tools, WITNESS) as service:
        assert tools.run("s6-instance-list", service) == Result(0, "", "")
        for name in ("one", "two"):
            assert tools.run("s6-instance-create", "-t9999", service, name) == Result(0, "", "")
            instance = service / "instances" / name
            assert (service / "instance" / name).readlink() == Path(f"../instances/{name}")
            [line] = until_lines(instance / "record", 1)
            assert line.split()[1:] == [name]
            assert (instance / "link").readlink() == Path("run")
            assert (instance / "fifo").is_fifo()
            until(lambda instance=instance: status(instance).up, "its status")  # type: ignore[misc]
        listed = tools.run("s6-instance-list", service)
        assert sorted(listed.out.split("\n")) == ["", "one", "two"]
        done = tools.run("s6-instance-status", "-up", service, "one")
        assert done.out == f"true {status(service / 'instances/one').pid}\n"
        assert "up (pid " in tools.run("s6-instance-status", service, "two").out

        assert tools.run("s6-instance-control", "-wd", "-T9999", "-d", service, "one").code == 0
        assert tools.run("s6-instance-status", "-o", "up,wantedup", service, "one").out == (
            "false false\n"
        )
        assert tools.run("s6-instance-control", "-wu", "-T9999", "-u", service, "one").code == 0
        assert len(until_lines(service / "instances/one/record", 3)) == 3

        gone = status(service / "instances/one").pid
        assert tools.run("s6-instance-delete", "-t9999", service, "one") == Result(0, "", "")
        assert not Path(f"/proc/{gone}").exists()
        assert not (service / "instances/one").exists()
        assert not (service / "instance/one").is_symlink()
        assert tools.run("s6-instance-list", service).out == "two\n"
        assert tools.run("s6-instance-delete", service, "never was").code == 100
        assert tools.run("s6-instance-delete", service, "never-was") == Result(0, "", "")
        assert tools.run("s6-instance-delete", "-t9999", service, "two") == Result(0, "", "")


@pytest.mark.ours_only
def test_deleted_without_waiting(world: World, daemons: Programs, tools: Programs) -> None:
    """The original leaves what its supervisor writes meanwhile, and cannot create it again."""
    with running(world, daemons, tools, WITNESS) as service:
        for _ in range(3):
            assert tools.run("s6-instance-create", "-t9999", service, "a") == Result(0, "", "")
            pid = until(lambda: status(service / "instances/a").pid, "its status")
            assert tools.run("s6-instance-delete", "-X", service, "a") == Result(0, "", "")
            assert not (service / "instances/a").exists()
            until(lambda pid=pid: not alive(pid), "its end")  # type: ignore[misc]


def test_instances_with_loggers(world: World, daemons: Programs, tools: Programs) -> None:
    run = "#!/bin/sh\necho hello $1\nexec sleep 1000\n"
    template: Mapping[str, Content] = {"run!": run, "log": logger()}
    with running(world, daemons, tools, template) as service:
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        instance = service / "instances/a"
        assert until_lines(instance / "log/lines", 1) == ["hello a"]
        for place in (instance, instance / "log"):
            assert tools.run("s6-svok", place).code == 0
        assert tools.run("s6-instance-delete", "-t9999", service, "a").code == 0
        assert not instance.exists()


def test_everything_has_its_logger(world: World, daemons: Programs, tools: Programs) -> None:
    template: Mapping[str, Content] = {"run!": "#!/bin/sh\necho complaint >&2\nexec sleep 1000\n"}
    log = world.top / "log dir"
    options = ["-L", str(log), "-t0", "-P", "web:"]
    with running(world, daemons, tools, template, *options) as service:
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        [line] = until_lines(log / "current", 1)
        assert line.startswith("web:")
        assert line.endswith("complaint")


@pytest.mark.parametrize("option", ["-d", "-D"])
def test_instances_that_start_down(
    world: World, daemons: Programs, tools: Programs, option: str
) -> None:
    with running(world, daemons, tools, WITNESS) as service:
        assert tools.run("s6-instance-create", option, "-t9999", service, "a").code == 0
        assert status(service / "instances/a").down
        assert (service / "instances/a/down").exists() == (option == "-D")
        assert not (service / "instances/a/record").exists()


@pytest.mark.parametrize(("options", "mode"), [([], 0o3730), (["-P"], 0o1733), (["-fP"], 0o1733)])
def test_who_may_subscribe(
    world: World, daemons: Programs, tools: Programs, options: list[str], mode: int
) -> None:
    with running(world, daemons, tools, WITNESS) as service:
        assert tools.run("s6-instance-create", *options, "-t9999", service, "a").code == 0
        assert stat.S_IMODE((service / "instances/a/event").stat().st_mode) == mode


SIGNALS = {
    **{"a": "ALRM", "b": "ABRT", "q": "QUIT", "h": "HUP", "i": "INT"},
    **{"1": "USR1", "2": "USR2", "y": "WINCH", "c": "CONT", "t": "TERM"},
}


def test_every_letter(world: World, daemons: Programs, tools: Programs) -> None:
    with running(world, daemons, tools, recorder()) as service:
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        instance = service / "instances/a"
        signals = instance / "signals"

        def control(*options: str) -> None:
            done = tools.run("s6-instance-control", *options, service, "a")
            assert done == Result(0, "", ""), options

        until(lambda: signals.exists() and "ready" in signals.read_text(), "a service that listens")
        for letter, name in SIGNALS.items():
            control(f"-{letter}")
            until(partial(lambda name: name in signals.read_text(), name), name)
        until(lambda: signals.read_text().count("ready") == 2, "the next one: it was terminated")
        control("-p")
        until(lambda: status(instance).paused, "a pause")
        control("-c")
        until(lambda: not status(instance).paused, "the end of it")
        before = status(instance).pid
        control("-wr", "-T9999", "-k")
        assert status(instance).pid != before
        until(lambda: signals.read_text().count("ready") == 3, "the next one: it was killed")
        control("-wd", "-T9999", "-r", "-D")
        assert (instance / "down").exists()
        assert not status(instance).wanted_up
        control("-wu", "-T9999", "-U")
        assert not (instance / "down").exists()
        control("-O")
        until(lambda: not status(instance).wanted_up, "once, and no more")
        assert status(instance).up
        fields = tools.run("s6-instance-status", "-Ne", service, "a")
        assert (fields.code, fields.out) == (0, "true -1\n")
        control("-o")
        started = signals.read_text().count("ready")
        control("-xd")
        until(lambda: signals.read_text().count("ready") > started, "another supervisor starts it")


def test_what_is_shown(world: World, daemons: Programs, tools: Programs) -> None:
    """What s6-svstat says of an instance's directory, with each of its options."""
    fields = "wantedup,normallyup,ready,paused,pid,exitcode,signal,signum,updownsince,readysince"
    with running(world, daemons, tools, {**WITNESS, "down": ""}) as service:
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        instance = service / "instances/a"
        until(lambda: (instance / "supervise/status").exists(), "its status")
        for letters in ("-uwNrpes", "-u", "-w", "-N", "-r", "-p", "-e", "-s", "-n", f"-o{fields}"):
            shown = tools.run("s6-instance-status", letters, service, "a")
            expected = tools.run("s6-svstat", letters, instance)
            if letters != "-n":  # for people, with the seconds since then
                assert shown == expected
            assert (shown.code, shown.err) == (0, "")
            assert shown.out.partition(" seconds")[0].rstrip("0123456789") == (
                expected.out.partition(" seconds")[0].rstrip("0123456789")
            )
        seconds = tools.run("s6-instance-status", "-t", service, "a")
        assert (seconds.code, seconds.out.strip().isdigit()) == (0, True)


def test_an_instance_that_fails_for_good(world: World, daemons: Programs, tools: Programs) -> None:
    failing: Mapping[str, Content] = {
        **{"run!": "#!/bin/sh\nexit 1\n", "finish!": "#!/bin/sh\nexit 125\n"},
        **{"notification-fd": "3\n", "down": ""},
    }
    with running(world, daemons, tools, failing) as service:
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        said = tools.run("s6-instance-control", "-wU", "-T9999", "-u", service, "a")
        assert (said.code, said.out) == (1, "")
        said = tools.run("s6-instance-control", "-wD", "-T100", "-O", service, "a")
        assert said.code in (0, 99)


BAD_NAMES = ["", ".", ".a", "a b", "a\tb", "a\nb", "a\rb", "a\fb"]


def test_what_cannot_be_created(world: World, daemons: Programs, tools: Programs) -> None:
    with running(world, daemons, tools, WITNESS) as service:
        for program in ("create", "delete", "control", "status"):
            for name in BAD_NAMES:
                done = tools.run(f"s6-instance-{program}", service, name)
                assert (done.code, done.out) == (100, ""), (program, name)
                assert "invalid instance name" in done.err
        (service / "instances/file").write_text("")
        assert tools.run("s6-instance-create", service, "file").code == 100
        assert (service / "instances/file").is_file()
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0
        pid = until(lambda: status(service / "instances/a").pid, "its status")
        done = tools.run("s6-instance-create", service, "a")
        assert (done.code, done.out) == (100, "")
        assert "exist" in done.err
        assert status(service / "instances/a").pid == pid
        assert tools.run("s6-instance-status", service, "b").code != 0
        assert tools.run("s6-instance-control", "-u", service, "b").code in (100, 111)
        assert tools.run("s6-instance-control", "-wr", "-T50", "-q", service, "a").code in (0, 99)
        if tools.expects.instance_is_all_or_nothing:
            assert tools.run("s6-instance-create", service, "../instances/x").code == 100
        (service / "template").rename(service / "gone")
        done = tools.run("s6-instance-create", service, "b")
        assert (done.code, done.out) == (111, "")
        assert not (service / "instances/b").exists()


def test_a_scanner_that_does_not_answer(world: World, daemons: Programs, tools: Programs) -> None:
    with running(world, daemons, tools, WITNESS) as service:
        pid = status(service).pid
        os.kill(pid, signal.SIGSTOP)
        done = tools.run("s6-instance-create", "-t", "100", service, "a")
        assert done.code == 99
        assert not (service / "instances/a").exists()
        assert not (service / "instance/a").is_symlink()
        os.kill(pid, signal.SIGCONT)
        assert tools.run("s6-instance-create", "-t9999", service, "a").code == 0


@pytest.mark.parametrize("program", ["create", "delete", "list"])
def test_a_service_that_does_not_run(
    world: World, daemons: Programs, tools: Programs, template: Path, program: str
) -> None:
    words = [] if program == "list" else ["name"]
    done = tools.run(f"s6-instance-{program}", "absent", *words, cwd=world.top)
    assert (done.code, done.out) == (111, "")
    done = tools.run(f"s6-instance-{program}", "", *words, cwd=world.top)
    assert done.code != 0
    made = world.top / "made"
    assert tools.run("s6-instance-maker", template, made).code == 0
    assert tools.run(f"s6-instance-{program}", made, *words).code == 111, "it never ran"
    scanner = world.scan(daemons, made / "instance")
    scanner.stop()
    done = tools.run(f"s6-instance-{program}", made, *words)
    assert (done.code, done.out) == (1, "")
    assert "running" in done.err
    assert not list((made / "instances").iterdir())


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("create", []),
        ("create", ["service"]),
        ("create", ["-x", "service", "a"]),
        ("create", ["-t", "x", "service", "a"]),
        ("delete", ["service"]),
        ("delete", ["-t", "", "service", "a"]),
        ("control", ["service"]),
        ("control", ["-Q", "service", "a"]),
        ("control", ["-w", "x", "service", "a"]),
        ("control", ["-T", "x", "service", "a"]),
        ("control", ["", "a"]),
        ("status", ["service"]),
        ("status", ["-x", "service", "a"]),
        ("status", ["", "a"]),
        ("list", []),
        ("list", ["-a", "service"]),
    ],
)
def test_wrong_usage(world: World, tools: Programs, program: str, words: list[str]) -> None:
    done = tools.run(f"s6-instance-{program}", *words, cwd=world.top)
    assert (done.code, done.out) == (100, "")


def test_instances_of_another_user(world: World, daemons: Programs, tools: Programs) -> None:
    if os.geteuid():
        return  # who is no other user needs no root; root's run checks it
    options = ["-u", "nobody"]
    plant(world.top / "template", WITNESS)
    service = world.top / "service"
    assert tools.run("s6-instance-maker", *options, world.top / "template", service).code == 0
    owner = (service / "instances").stat().st_uid
    assert (owner == 65534) == tools.expects.instance_maker_gives_directories
    if not tools.expects.instance_maker_gives_directories:
        for part in ("instance", "instances"):
            os.chown(service / part, 65534, 65534)
    (world.top / "template").rename(world.top / "gone")
    scandir = world.plant({"web": Link(str(service))}, "scan")
    world.scan(daemons, scandir, env=paths(daemons, tools))
    until(
        lambda: is_ready(service),
        "an inner scanner that is ready",
    )
    under = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = tools.run("s6-instance-create", "-t9999", service, "a", under=under)
    assert done == Result(0, "", "")
    [line] = until_lines(service / "instances/a/record", 1)
    assert Path(f"/proc/{line.split()[0]}").stat().st_uid == 65534
