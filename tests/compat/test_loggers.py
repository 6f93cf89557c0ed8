"""Services with loggers: the pipe outlives everybody (matrix row 19, contract 2.3, 6)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from world import process
from world.programs import Programs
from world.running import Scanner, World
from world.status import status
from world.tree import Content, plant
from world.waiting import until, until_line, until_lines
from world.witness import logger, sleeper

COUNTING = """#!/bin/sh
n=$(cat counted 2>/dev/null | wc -c)
trap 'stop=1' TERM
while test -z "$stop"; do printf . >>counted; echo line $n; n=$((n+1)); sleep 0.01; done
"""
LINEWISE = """#!/bin/sh
while read -r line; do echo "$line" >>lines; done
echo "end $$" >>ends
"""


def counting() -> dict[str, Content]:
    """A service that writes numbered lines, and goes on counting after a restart."""
    return {"run!": COUNTING, "log": {"run!": LINEWISE}}


def start(world: World, daemons: Programs) -> Scanner:
    scanner = world.scan(daemons, world.plant({"web": counting()}, "scan"))
    scanner.until_supervised("web", "web/log")
    until_lines(scanner.directory / "web/log/lines", 5)
    return scanner


def complete(lines: list[str], *, spare: int = 0) -> bool:
    """Whether no number is missing, apart from `spare` of them."""
    numbers = [int(line.split()[1]) for line in lines]
    return len(set(range(max(numbers) + 1)) - set(numbers)) <= spare


def more(scanner: Scanner, count: int = 20) -> list[str]:
    """Wait for that many further lines and return all."""
    lines = scanner.directory / "web/log/lines"
    return until_lines(lines, len(until_lines(lines, 1)) + count)


def end(scanner: Scanner) -> list[str]:
    scanner.control("t")
    assert scanner.exit_code() == 0
    return until_lines(scanner.directory / "web/log/lines", 1)


def test_the_pipe(world: World, daemons: Programs) -> None:
    scanner = start(world, daemons)
    supervisors = scanner.until_supervised("web", "web/log")
    web = process.descriptors_of(supervisors["web"])
    log = process.descriptors_of(supervisors["web/log"])
    own = process.descriptors_of(scanner.pid)
    assert web[1].startswith("pipe:")
    assert web[1] == log[0]
    assert web[0] == own[0]
    assert web[2] == own[2]
    assert log[1] == own[1]
    assert log[2] == own[2]
    assert list(own.values()).count(web[1]) == 2, "the scanner keeps both ends"


def test_last_words_at_an_orderly_stop(world: World, daemons: Programs) -> None:
    talker = "#!/bin/sh\ntrap 'echo last; exit 0' TERM\necho up\nwhile :; do sleep 0.01; done\n"
    content: dict[str, Content] = {"web": {"run!": talker, "log": logger()}}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    until_line(scanner.directory / "web/log/lines", "up")
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert (scanner.directory / "web/log/lines").read_text() == "up\nlast\n"
    assert status(scanner.directory / "web/log").exit_code == 0


def test_q_does_not_wait_for_loggers(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {"web": {**sleeper(), "log": sleeper()}}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    scanner.until_up("web", "web/log")
    scanner.control("q")
    assert scanner.exit_code() == 0
    assert status(scanner.directory / "web/log").signal == signal.SIGTERM


def test_the_logger_is_killed(world: World, daemons: Programs) -> None:
    scanner = start(world, daemons)
    pid = scanner.until_up("web/log")["web/log"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: scanner.until_up("web/log")["web/log"] != pid, "another logger")
    more(scanner)
    # What it had read and not yet written is lost; that is one line at most here.
    assert complete(end(scanner), spare=1)


def test_the_loggers_supervisor_is_killed(world: World, daemons: Programs) -> None:
    """Either the new one adopts the logger, or a second logger shares the pipe: no line is lost."""
    scanner = start(world, daemons)
    logging = scanner.until_up("web/log")["web/log"]
    first = scanner.until_supervised("web", "web/log")["web/log"]
    os.kill(first, signal.SIGKILL)
    until(lambda: scanner.supervisors().get("web/log") not in (None, first), "another supervisor")
    more(scanner)
    if daemons.expects.adopts:
        assert scanner.until_up("web/log")["web/log"] == logging
    else:
        world.end(logging)
    more(scanner)
    assert complete(end(scanner), spare=0 if daemons.expects.adopts else 1)


def test_the_producer_is_killed(world: World, daemons: Programs) -> None:
    scanner = start(world, daemons)
    logging = scanner.until_up("web/log")["web/log"]
    os.kill(scanner.until_up("web")["web"], signal.SIGKILL)
    more(scanner, 40)
    assert scanner.until_up("web/log")["web/log"] == logging, "the logger did not notice"
    assert complete(end(scanner), spare=1)


def test_the_producers_supervisor_is_killed(world: World, daemons: Programs) -> None:
    scanner = start(world, daemons)
    producer = scanner.until_up("web")["web"]
    first = scanner.until_supervised("web", "web/log")["web"]
    os.kill(first, signal.SIGKILL)
    until(lambda: scanner.supervisors().get("web") not in (None, first), "another supervisor")
    if daemons.expects.adopts:
        assert scanner.until_up("web")["web"] == producer
    else:
        world.end(producer)
    more(scanner)
    assert complete(end(scanner), spare=0 if daemons.expects.adopts else 1)


def test_the_scanner_is_killed_and_another_takes_over(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """Logging goes on without a scanner; a new one takes over once the old pair is told to go."""
    scanner = start(world, daemons)
    old = {**scanner.until_supervised("web", "web/log")}
    scanner.kill()
    more(scanner)
    new = world.scan(tools, scanner.directory)
    for name in ("web", "web/log"):
        assert tools.run("s6-svc", "-x", scanner.directory / name).code == 0
    assert tools.run("s6-svc", "-d", scanner.directory / "web").code == 0
    until(lambda: not any(process.alive(pid) for pid in old.values()), "the end of the old pair")
    new.until_supervised("web", "web/log")
    new.until_up("web", "web/log")
    more(new)
    assert complete(end(new), spare=1)


def test_a_logger_that_comes_later(world: World, daemons: Programs) -> None:
    """2.11 ignores it, 2.15 starts it beside a service whose output does not reach it."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    before = scanner.until_supervised("web")
    plant(scanner.directory / "web/log", logger())
    plant(scanner.directory / "marker", sleeper())
    scanner.control("a")
    if daemons.expects.starts_late_loggers:
        after = scanner.until_supervised("marker", "web", "web/log")
    else:
        after = scanner.until_supervised("marker", "web")
    assert after["web"] == before["web"]


def test_a_logger_of_a_logger_is_nothing(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {"web": {**sleeper(), "log": {**logger(), "log": logger()}}}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    scanner.until_up("web", "web/log")
    scanner.until_supervised("web", "web/log")


def test_the_catch_all_logger_goes_last(world: World, daemons: Programs) -> None:
    """`s6-svscan-log` gets SIGHUP instead of SIGTERM, and the scanner lets go of its own output."""
    content: dict[str, Content] = {
        "web": sleeper(),
        "s6-svscan-log": {"run!": "#!/bin/sh\nexec cat <fifo >>lines\n"},
    }
    scandir = world.plant(content, "scan")
    fifo = scandir / "s6-svscan-log/fifo"
    os.mkfifo(fifo)
    keeper = os.open(fifo, os.O_RDWR)
    scanner = world.scan(daemons, scandir, stdout=fifo)
    scanner.until_up("web", "s6-svscan-log")
    os.close(keeper)
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert status(scandir / "s6-svscan-log").exit_code == 0


def test_the_console_holder(world: World, daemons: Programs) -> None:
    """With `-X FD` the catch-all logger's errors go to FD, and in the end finish's output."""
    content: dict[str, Content] = {
        "s6-svscan-log": sleeper(),
        "web": sleeper(),
        ".s6-svscan/finish!": "#!/bin/sh\necho out\necho err >&2\n",
    }
    scandir = world.plant(content, "scan")
    console = Path(world.top / "console")
    under = ["sh", "-c", 'exec "$0" "$@" 9>>' + str(console)]
    scanner = world.scan(daemons, scandir, "-X", "9", under=under)
    pids = scanner.until_supervised("s6-svscan-log", "web")
    assert process.descriptors_of(pids["s6-svscan-log"])[2] == str(console)
    assert process.descriptors_of(pids["web"])[2] != str(console)
    scanner.control("q")  # this logger would wait for the end of an input that it does not read
    assert scanner.exit_code() == 0
    assert console.read_text() == "out\nerr\n"
