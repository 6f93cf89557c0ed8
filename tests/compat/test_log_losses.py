"""What a logger's death costs: what it had read and not yet written, nothing else (contract 6)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from world.logs import archives, content
from world.programs import Programs
from world.running import Scanner, World
from world.tree import Content
from world.waiting import until

WRITERS = """#!/bin/sh
dots=$(printf '%0200d' 0)
for i in 1 2 3 4; do
  (n=0; while :; do echo "writer $$-$i line $n $dots"; n=$((n+1)); sleep 0.002; done) &
  writers="$writers $!"
done
trap 'kill $writers; exit 0' TERM
while :; do wait; done
"""
LINE = re.compile(r"writer (\d+-\d) line (\d+) 0{200}")

LOGGER = "#!/bin/sh\nexec s6-log n999 s65536 ./main\n"

KILLS = 5


def written(scanner: Scanner) -> int:
    logs = scanner.directory / "web/log/main"
    return content(logs).count(b"\n") if logs.exists() else 0


def more(scanner: Scanner, lines: int = 50) -> None:
    before = written(scanner)
    until(lambda: written(scanner) >= before + lines, f"{lines} more lines", explain=scanner.said)


def until_replaced(scanner: Scanner, pid: int) -> None:
    until(lambda: scanner.until_up("web/log")["web/log"] != pid, "another logger")


def until_more(logs: Path, size: int, logger: subprocess.Popen[bytes]) -> None:
    until(lambda: _size(logs) > size or logger.poll() is not None, f"{size} bytes in {logs}")


def test_killed_again_and_again(world: World, daemons: Programs) -> None:
    """Under a scanner, which holds the pipe: every line once, but for what a killed logger held."""
    service: dict[str, Content] = {"run!": WRITERS, "log": {"run!": LOGGER}}
    scanner = world.scan(daemons, world.plant({"web": service}, "scan"))
    logs = scanner.directory / "web/log/main"
    for _ in range(KILLS):
        more(scanner)
        pid = scanner.until_up("web/log")["web/log"]
        os.kill(pid, signal.SIGKILL)
        until_replaced(scanner, pid)
    more(scanner)
    scanner.control("t")
    assert scanner.exit_code() == 0
    seen, torn = defaultdict(list), []
    for line in content(logs).decode().splitlines():
        if found := LINE.fullmatch(line):
            seen[found[1]].append(int(found[2]))
        else:
            torn.append(line)
    assert len(seen) == 4
    assert not torn or not daemons.expects.log_reads_whole_lines
    assert len(torn) <= KILLS
    missing = 0
    for numbers in seen.values():
        assert numbers == sorted(set(numbers)), "in their order, none twice"
        missing += numbers[-1] + 1 - len(numbers)
    assert missing <= 4 * KILLS, "a line of each writer for each kill, at most"
    assert ".u" in {path.suffix for path in archives(logs)}


PRODUCER = """
import os
for number in range(300_000):
    os.write(1, b"%09d %s\\n" % (number, b"x" * (number % 90)))
"""


@pytest.mark.ours_only
def test_killed_under_full_load(world: World, tools: Programs) -> None:
    """No line is torn but where a killed logger was writing, and at most one read is lost."""
    logs = world.top / "logs"
    reader, writer = os.pipe()
    producer = subprocess.Popen([sys.executable, "-c", PRODUCER], stdout=writer)
    os.close(writer)
    kills, died = 0, []
    while True:
        logger = subprocess.Popen(
            [tools.path("s6-log"), "n9999", "s262144", logs], stdin=reader, cwd=world.top
        )
        before = _size(logs)
        until_more(logs, before + 400_000, logger)
        logger.send_signal(signal.SIGKILL)
        died.append(logger.wait())
        if died[-1] == 0:
            break
        kills += 1
    os.close(reader)
    assert producer.wait() == 0
    assert kills >= 5
    assert set(died) == {0, -signal.SIGKILL}
    numbers = []
    for path in [*archives(logs), logs / "current"]:
        *lines, rest = path.read_bytes().split(b"\n")
        assert not rest or path.suffix == ".u", "torn by a kill within a write"
        for line in lines:
            assert len(line) == 10 + int(line[:9]) % 90, f"a torn line: {line!r}"
            numbers.append(int(line[:9]))
    assert numbers == sorted(set(numbers)), "in their order, none twice"
    missing = 300_000 - len(numbers)
    assert missing * 55 <= kills * (1 << 16), f"{missing} lines lost by {kills} kills"


def _size(logs: Path) -> int:
    try:
        return sum(path.stat().st_size for path in logs.iterdir())
    except FileNotFoundError:
        return 0
