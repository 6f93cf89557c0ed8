"""The facts about the machine that figures mean nothing without."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def facts() -> dict[str, str | int | float]:
    """Return what the figures of this run depend on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "system": _first(Path("/etc/os-release"), "PRETTY_NAME=").strip('"'),
        "processor": _first(Path("/proc/cpuinfo"), "model name\t: "),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "commit": _said("git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"),
        "s6": _said("dpkg-query", "-W", "-f", "${Version}", "s6"),
        "runit": _said("dpkg-query", "-W", "-f", "${Version}", "runit"),
    }


def _first(path: Path, prefix: str) -> str:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
