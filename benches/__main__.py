"""``python -m benches [NAME ...]``: measure, print the table, store the figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benches import machine, report
from benches.commands import chains, commands
from benches.containers import containers
from benches.execline import execline
from benches.logging import logging
from benches.ownership import ownership
from benches.sockets import sockets
from benches.supervision import boot, memory, restart
from benches.trees import BenchError, Workshop

BENCHES: dict[str, Callable[[Workshop], list[report.Section]]] = {
    "boot": boot,
    "memory": memory,
    "restart": restart,
    "commands": commands,
    "chains": chains,
    "execline": execline,
    "container": containers,
    "logging": logging,
    "ownership": ownership,
    "sockets": sockets,
}


def main(names: list[str]) -> int:
    """Run the benches of these names, or all; the exit code. A missed target is no failure."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(
            f"benches: no bench is called {unknown[0]}: use {', '.join(BENCHES)}", file=sys.stderr
        )
        return 100
    facts = machine.facts()
    sections = []
    workshop = Workshop()
    try:
        with machine.cpu_group() as grouped:
            facts["cpu_group"] = "own" if grouped else "none: restarts wait for a turn when busy"
            for name in names or BENCHES:
                print(f"measuring {name} ...", file=sys.stderr)
                sections += BENCHES[name](workshop)
    except (BenchError, subprocess.CalledProcessError) as error:
        print(f"benches: fatal: {error}", file=sys.stderr)
        return 1
    finally:
        workshop.close()
    print("\n".join(f"{fact}: {value}" for fact, value in facts.items()) + "\n")
    print(report.table(sections))
    print(f"every value: {report.store(facts, sections)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
