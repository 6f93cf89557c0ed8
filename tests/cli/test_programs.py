"""Wrong usage of every program: what is said, the exit code, and that nothing was done."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import World
from world.tree import FIFO
from world.waiting import until

MISTAKES = [
    # the words, and what the message must say
    ("s6-svc", "no servicedir given"),
    ("s6-svc -u", "no servicedir given"),
    ("s6-svc -uZ {web}", "unknown option -Z"),
    ("s6-svc -u -w {web}", "is not one of u U d D r R"),
    ("s6-svc -u -wq {web}", 'option -w: "q" is not one of u U d D r R'),
    ("s6-svc -u -wu -T soon {web}", 'option -T: "soon" is not a number'),
    ("s6-svc -u -s NOSUCH {web}", '"NOSUCH" is not a signal'),
    ("s6-svc -u -s PIPE {web}", "supervisors do not send SIGPIPE"),
    (f"s6-svc -{'u' * 63} {{web}}", "too many commands: at most 62"),
    ("s6-svscanctl", "no scandir given"),
    ("s6-svscanctl -ay {scan}", "unknown option -y"),
    (f"s6-svscanctl -{'a' * 65} {{scan}}", "too many commands: at most 64"),
    ("s6-svstat", "no servicedir given"),
    ("s6-svstat -o up,nonsense {web}", 'invalid option field: "nonsense"'),
    ("s6-svstat -o up,,pid {web}", 'invalid option field: ""'),
    ("s6-svstat -uwNrpestuwNrpestu {web}", "too many option fields: at most 16"),
    ("s6-svok", "no servicedir given"),
    ("s6-svwait", "no servicedir given"),
    ("s6-svwait -t -1 {web}", 'option -t: "-1" is not a number'),
    ("s6-svlisten -u {web} prog", "an empty word must end it"),
    ("s6-svlisten1 {web}", "no prog given"),
    ("s6-svdt -n few {web}", 'option -n: "few" is not a number'),
    ("s6-svdt-clear", "no servicedir given"),
    ("s6-permafailon 60 0 1 prog", "a deathcount of 0 is always reached"),
    ("s6-permafailon 60 1 256 prog", 'invalid exit code in status list: "256"'),
    ("s6-permafailon 60 1 5-1 prog", 'invalid interval in status list: "5-1"'),
    ("s6-permafailon 60 1 FOO prog", '"FOO" is neither exit code nor signal'),
    ("s6-svperms", "no servicedir given"),
    ("s6-svperms -g nosuchgroup {web}", "a number is given as :gid"),
    ("s6-svperms -g :x {web}", '":x" is not a group id'),
    ("s6-mkfifodir -g staff {new}", 'option -g: "staff" is not a number'),
    ("s6-mkfifodir", "no fifodir given"),
    ("s6-cleanfifodir", "no fifodir given"),
    ("s6-ftrig-notify {events}", "no message given"),
    ("s6-ftrig-wait {events}", "no regexp given"),
    ("s6-ftrig-wait --timeout 5 {events} x", "option --timeout needs a value: --timeout=timeout"),
    ("s6-ftrig-wait --wrong {events} x", "unrecognized boolean option: --wrong"),
    ("s6-ftrig-wait -t", "option -t needs a value"),
    ("s6-ftrig-listen1 {events} x", "no prog given"),
    ("s6-ftrig-listen {events} x prog", "an empty word must end it"),
]


class Target:
    """A service directory and a scan directory that somebody listens on: us."""

    def __init__(self, world: World) -> None:
        supervise = {"supervise": {"control": FIFO}, "event": {}}
        self.web = world.plant(supervise, "scan/web")
        self.scan = world.plant({".s6-svscan": {"control": FIFO}}, "scan")
        self.top = world.top
        fifos = (self.web / "supervise/control", self.scan / ".s6-svscan/control")
        self.readers = [os.open(fifo, os.O_RDWR | os.O_NONBLOCK) for fifo in fifos]

    def received(self) -> bytes:
        together = b""
        for reader in self.readers:
            try:
                together += os.read(reader, 100)
            except BlockingIOError:
                continue
        return together

    def close(self) -> None:
        for reader in self.readers:
            os.close(reader)

    def words(self, line: str) -> list[str]:
        places = {"web": self.web, "scan": self.scan, "events": self.web / "event"}
        return [word.format(**places, new=self.top / "new") for word in line.split(" ")]


@pytest.fixture
def target(world: World) -> Iterator[Target]:
    its = Target(world)
    yield its
    its.close()


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistakes_are_named_and_nothing_is_done(
    s6x: Programs, target: Target, line: str, message: str
) -> None:
    program, *words = target.words(line)
    before = sorted(target.top.rglob("*"))
    said = s6x.run(program, *words)
    assert (said.code, said.out) == (100, "")
    assert message in said.err
    lines = said.err.splitlines()
    assert lines[-1].startswith(f"{program}: fatal: ")
    assert all(line.startswith(f"{program}: ") for line in lines)
    assert target.received() == b""
    assert sorted(target.top.rglob("*")) == before


def test_help_of_every_program(s6x: Programs) -> None:
    """`--help` goes to stdout, begins with the usage, and explains every option in it."""
    for program in sorted({line.split(" ")[0] for line, _ in MISTAKES}):
        said = s6x.run(program, "--help")
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(f"Usage: {program} ")
        assert "Exit codes:" in said.out
        wrong = s6x.run(program, "-:", "x", "y", "z")
        if wrong.code == 100 and ("unknown option" in wrong.err or "unrecognized" in wrong.err):
            usage = " ".join(said.out.split("\n\n")[0].removeprefix("Usage: ").split())
            assert wrong.err.splitlines()[0] == f"{program}: usage: {usage}"


OWN_NAMES = {"cd": "execline-cd", "umask": "execline-umask", "s6-test": "eltest"}
"""What those say of themselves that have another name too."""


def test_help_fits_into_a_terminal(s6x: Programs) -> None:
    names = s6x.run("s6x", "--list-applets").out.split()
    assert len(names) > 40
    for name in names:
        said = s6x.run("s6x", name, "--help")
        assert (said.code, said.err) == (0, ""), "also for those whose words are all arguments"
        assert said.out.startswith(f"Usage: {OWN_NAMES.get(name, name)}")
        assert not [line for line in said.out.splitlines() if len(line) > 100], name


def test_options_in_every_form(s6x: Programs, target: Target) -> None:
    for words in (
        ["-du"],
        ["-d", "-u"],
        ["-d", "-u", "--"],
        ["-s", "kill", "-u"],
        ["-sKILL", "-u"],
    ):
        said = s6x.run("s6-svc", *words, target.web)
        assert (said.code, said.err) == (0, "")
        assert target.received() in (b"du", b"ku")


def test_no_letters_ask_whether_somebody_listens(s6x: Programs, target: Target) -> None:
    assert s6x.run("s6-svc", target.web).code == 0
    assert s6x.run("s6-svscanctl", target.scan).code == 0
    assert target.received() == b""
    target.close()
    target.readers = []
    for program, place in (("s6-svc", target.web), ("s6-svscanctl", target.scan)):
        said = s6x.run(program, place)
        assert (said.code, said.out) == (100, "")
        expected = f"{program}: fatal: unable to control {place}: supervisor not listening\n"
        assert said.err == expected


def test_svc_goes_on_after_a_failure(s6x: Programs, world: World, target: Target) -> None:
    silent = world.plant({"supervise": {}}, "silent")
    absent = world.top / "absent"
    said = s6x.run("s6-svc", "-u", absent, target.web, silent)
    assert said.code == 100, "that of the last failure"
    assert target.received() == b"u"
    first, second = said.err.splitlines()
    assert first.startswith(f"s6-svc: warning: unable to open {absent}: ")
    assert second == f"s6-svc: fatal: unable to control {silent}: supervisor not listening"


def test_svc_does_not_write_into_a_file(s6x: Programs, world: World) -> None:
    place = world.plant({"supervise": {"control": ""}}, "odd")
    assert s6x.run("s6-svc", "-u", place).code == 100
    assert (place / "supervise/control").read_bytes() == b""


def test_svc_does_not_wait_for_a_supervisor_that_hangs(s6x: Programs, target: Target) -> None:
    writer = os.open(target.web / "supervise/control", os.O_WRONLY | os.O_NONBLOCK)
    while True:
        try:
            os.write(writer, b"u" * 4096)
        except BlockingIOError:
            break
    os.close(writer)
    said = s6x.run("s6-svc", "-d", target.web, timeout_s=10)
    assert said.code == 111
    assert "supervise/control: Resource temporarily unavailable" in said.err


def test_svc_does_not_wait_for_what_was_not_ordered(s6x: Programs, world: World) -> None:
    """The original waits for ever for a service that nobody supervises."""
    place = world.plant({"supervise": {"status": bytes(34) + b"\x08"}, "event": {}}, "web")
    said = s6x.run("s6-svc", "-uwu", place, timeout_s=10)
    assert said.code == 100
    assert said.err == f"s6-svc: fatal: unable to control {place}: supervisor not listening\n"
    assert list((place / "event").iterdir()) == []


def test_extra_arguments_are_pointed_out(s6x: Programs, target: Target) -> None:
    said = s6x.run("s6-svscanctl", "-a", target.scan, "more", "words")
    assert (said.code, target.received()) == (0, b"a")
    assert said.err == 's6-svscanctl: warning: ignoring "more" and what follows it\n'


def test_svlisten_to_nothing_runs_the_program(s6x: Programs) -> None:
    said = s6x.run("s6-svlisten", "", "echo", "done")
    assert (said.code, said.out, said.err) == (0, "done\n", "")


@pytest.mark.parametrize(
    ("regex", "sent", "printed"), [("^b", "ab", None), ("^a", "ab", "a"), ("b$", "ab", "b")]
)
def test_anchors_stand_for_the_ends(
    s6x: Programs, world: World, regex: str, sent: str, printed: str | None
) -> None:
    events = world.top / "events"
    assert s6x.run("s6-mkfifodir", events).code == 0
    notify = [str(s6x.path("s6-ftrig-notify")), str(events), sent]
    limit = "5000" if printed else "100"
    said = s6x.run("s6-ftrig-listen1", f"--timeout={limit}", events, regex, *notify)
    expected = (0, f"{printed}\n") if printed else (1, "")
    assert (said.code, said.out) == expected


def test_messages_are_one_line_whatever_the_name(s6x: Programs, world: World) -> None:
    name = world.top / "a\ns6-svc: fatal: forged"
    for program in ("s6-svc", "s6-svstat", "s6-svwait", "s6-svdt", "s6-ftrig-wait"):
        said = s6x.run(program, name, "x")
        assert said.code in (1, 111)
        assert "\\n" in said.err
        assert not any(line.startswith("s6-svc: fatal: forged") for line in said.err.splitlines())


def test_svperms_goes_on_after_a_missing_directory(
    s6x: Programs, world: World, target: Target
) -> None:
    absent: Path = world.top / "absent"
    for path, mode in (("supervise", 0o700), ("supervise/control", 0o600), ("event", 0o1733)):
        (target.web / path).chmod(mode)
    said = s6x.run("s6-svperms", absent, target.web)
    assert said.code == 1
    assert said.err.startswith(f"s6-svperms: warning: unable to open {absent}: ")
    web = target.web
    assert said.out == f"{web} status: owner\n{web} control: owner\n{web} events: public\n"


WAITERS = ["s6-svwait {web}", "s6-svlisten1 {web} true", "s6-svc -uwu {web}"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("line", [*WAITERS, "s6-ftrig-wait {events} x"])
def test_a_waiting_program_tidies_up_before_a_signal_ends_it(
    s6x: Programs, world: World, target: Target, line: str, ending: signal.Signals
) -> None:
    (target.web / "supervise/status").write_bytes(bytes(34) + b"\x08")
    program, *words = target.words(line)
    waiting = world.start(s6x, program, *words)
    until(lambda: list((target.web / "event").glob("ftrig1:*")), "the subscription")
    if "-uwu" in line:
        until(target.received, "the command")
    waiting.send_signal(ending)
    _, errors = waiting.communicate(timeout=10)
    assert (waiting.returncode, errors) == (-ending, "")
    assert list((target.web / "event").iterdir()) == []


def test_an_ignored_signal_does_not_end_a_waiting_program(
    s6x: Programs, world: World, target: Target
) -> None:
    events = target.web / "event"
    line = f'trap "" HUP; exec "$0" -t 10000 {events} x'
    waiting = subprocess.Popen(["sh", "-c", line, s6x.path("s6-ftrig-wait")], text=True)
    until(lambda: list(events.glob("ftrig1:*")), "the subscription")
    waiting.send_signal(signal.SIGHUP)
    assert s6x.run("s6-ftrig-notify", events, "x").code == 0
    assert waiting.wait(10) == 0
