"""Execline scripts from start to end, beside the original's commands."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop

ORIGINALS = Path("/usr/lib/execline/bin")
"""Where Debian keeps execline's commands."""

CHAIN = """
define A a define B b export C c importas D C define E ${A}${B} unexport C
multisubstitute { define F f define G g }
export H ${F}${G} importas -u I H define J ${I} define K ${J} exit 0
"""
"""Twelve commands of execline."""

TURN = 20
"""Runs of one implementation before the other has its turn."""

ITEMS = " ".join(str(number) for number in range(1000))

SCRIPTS = {
    # name: script, rounds, milliseconds that the issue allows
    "12 chained commands": (CHAIN, 300, 1.0),
    "the same, and then another program": (CHAIN.replace("exit 0", "true"), 300, None),
    "nothing but the exec of true": ("true", 300, None),
    "forx over 1,000 items, each a command of execline": (
        f"forx -E i {{ {ITEMS} }} exit 0",
        5,
        None,
    ),
    "forx over 1,000 items, each another program": (f"forx -E i {{ {ITEMS} }} true", 5, None),
    "pipeline of three": ("pipeline { echo a } pipeline { cat } cat", 200, None),
    "backtick": ("backtick -E a { echo a } true", 200, None),
}


def execline(workshop: Workshop) -> list[Section]:
    """Time scripts; the original is the target where the issue names none."""
    names = [file.name for file in ORIGINALS.iterdir()] if ORIGINALS.exists() else []
    links = Path(workshop.ours("execlineb")).parent
    for name in names:
        workshop.ours(name)
    found = {"s6x": links} | ({"execline (Debian)": ORIGINALS} if names else {})
    sections = []
    for title, (script, rounds, allowed) in SCRIPTS.items():
        file = workshop.top / "script"
        file.write_text(script)
        times: dict[str, list[float]] = {name: [] for name in found}
        # In turns of several: what the other one has done to the caches is not what is measured.
        for _ in range(max(1, rounds // TURN)):
            for name, commands in found.items():
                times[name] += [_life_ms(commands, file) for _ in range(min(rounds, TURN))]
        figures = []
        for name, values in times.items():
            target = None
            if name == "s6x" and allowed is not None:
                target = Target(allowed, "as the issue asks")
            elif name == "s6x" and len(times) == 2:
                target = Target(min(times["execline (Debian)"]), "the original", of="least")
            figures.append(Figure(name, values, "ms", target))
        sections.append(Section(f"execlineb: {title}", figures))
    return sections


def _life_ms(commands: Path, script: Path) -> float:
    null = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
    argv = [str(commands / "execlineb"), "-P", str(script)]
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, {"PATH": f"{commands}:/usr/bin:/bin"}, file_actions=[null])
    status = os.waitpid(pid, 0)[1]
    spent = time.perf_counter_ns() - begin
    if status != 0:
        raise BenchError(f"{script.read_text()[:60]} exited {os.waitstatus_to_exitcode(status)}")
    return spent / 1e6
