"""`make demo`, as root and as an ordinary user: its promises come true, and nothing is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from world.programs import AS_NOBODY, REPOSITORY, Result
from world.running import World

PARTS = ("demo", "python/s6x", "tests/world")
"""What the demo needs of the repository, besides its executable."""

SHOWN = (
    "[services.d] done.",
    "It works: this page comes from the container.",
    "s6-svscan -t0 /var/run/s6/services",
    "s6-supervise cron",
    "killed: pid ",
    "cont-finish.d: good bye",
    "exit code 0",
)


def demo(world: World, interpreter: str, *, under: tuple[str, ...] = ()) -> Result:
    """Run a copy of the demo that everybody may read; all temporary files go to one directory."""
    top = world.top / "copy"
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, top / part, ignore=shutil.ignore_patterns("__pycache__"))
    scratch = world.top / "scratch"
    scratch.mkdir()
    scratch.chmod(0o777)
    world.top.chmod(0o755)
    done = subprocess.run(
        [*under, interpreter, "-B", "-m", "demo"],
        cwd=top,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert list(scratch.iterdir()) == []
    return Result(done.returncode, done.stdout, done.stderr)


def check(result: Result) -> None:
    assert (result.code, result.err) == (0, ""), result
    for text in SHOWN:
        assert text in result.out, result.out
    killed, now = result.out.partition("killed: pid ")[2].split("\n")[0].split("; now: pid ")
    assert int(killed) > 1
    assert int(now) > 1
    assert killed != now


def test_the_demo_as_whoever_runs_the_tests(world: World) -> None:
    check(demo(world, sys.executable))


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become an ordinary user; one was tested"
)
def test_the_demo_as_an_ordinary_user(world: World) -> None:
    tried = [*AS_NOBODY, "unshare", "--user", "--map-root-user", "--pid", "--fork", "true"]
    refused = subprocess.run(tried, capture_output=True, text=True, check=False)
    if refused.returncode != 0:
        pytest.skip(f"ordinary users can make no containers here: {refused.stderr.strip()}")
    check(demo(world, interpreter_of_nobody(), under=AS_NOBODY))


def test_what_is_missing_is_said_and_what_to_do(world: World) -> None:
    (world.top / "bin").mkdir()
    (world.top / "bin/unshare").symlink_to(shutil.which("unshare") or "")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "demo"],
        cwd=REPOSITORY,
        env={"PATH": str(world.top / "bin")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "demo: fatal: busybox is missing: as root, apt-get install busybox-static\n"
    )


def interpreter_of_nobody() -> str:
    """Find a Python that everybody can run: the tests' own may be in a home directory."""
    for path in (sys.executable, "/usr/bin/python3"):
        asked = [*AS_NOBODY, path, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        if Path(path).exists() and subprocess.run(asked, capture_output=True).returncode == 0:
            return path
    raise AssertionError("no Python 3.11 or later here that an ordinary user can run")
