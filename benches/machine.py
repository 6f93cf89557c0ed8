"""The facts about the machine that figures mean nothing without."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CPU_GROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu"))


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


@contextlib.contextmanager
def cpu_group() -> Iterator[bool]:
    """Put this process and its children into a CPU group of their own; say whether that worked.

    Containers have one. Without, Linux shares the processors out among sessions
    (sched_autogroup), and on a busy machine a program in a session of its own, as services are,
    waits milliseconds for its first turn.
    """
    above = next((group for group in CPU_GROUPS if _shares_processors(group)), None)
    own = above / f"s6x-benches-{os.getpid()}" if above else None
    try:
        if own is None or above is None:
            raise FileNotFoundError("no CPU controller")
        own.mkdir()
        (own / "cgroup.procs").write_text(str(os.getpid()))
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        (above / "cgroup.procs").write_text(str(os.getpid()))
        _remove_when_empty(own)


def _remove_when_empty(group: Path) -> None:
    """Remove a group; the kernel may take a moment to notice that all that was in it has ended."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _shares_processors(group: Path) -> bool:
    """Whether groups below this one get processor time as groups, in cgroups of either version."""
    if (group / "cpu.shares").exists():
        return True
    enabled = group / "cgroup.subtree_control"
    return enabled.exists() and "cpu" in enabled.read_text().split()


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
