"""What a logger's death costs: nothing; with theirs, what it had read and not yet written."""

from __future__ import annotations

import os
import re
import signal
from collections import defaultdict

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


def test_killed_again_and_again(world: World, daemons: Programs) -> None:
    """Under a scanner, which holds the pipe: every line once; theirs loses what it had read."""
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
    survives = daemons.expects.log_survives_kills
    assert len(torn) <= (0 if survives else KILLS)
    missing = 0
    for numbers in seen.values():
        assert numbers == sorted(set(numbers)), "in their order, none twice"
        missing += numbers[-1] + 1 - len(numbers)
    assert missing <= (0 if survives else 4 * KILLS), "a line of each writer for each kill"
    assert ".u" in {path.suffix for path in archives(logs)}
