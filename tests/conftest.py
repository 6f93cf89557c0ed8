"""The fixtures every test can use: the program sets in all pairings, and a world of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from world import programs
from world.building import build, wheel_of
from world.programs import REPOSITORY, Programs
from world.running import World, become_subreaper
from world.signals import restore_inherited

PAIRINGS = {
    "ours": ["ours/ours"],
    "theirs": ["theirs/theirs"],
    "our-daemons": ["ours/theirs"],
    "our-tools": ["theirs/ours"],
    "all": ["ours/ours", "ours/theirs", "theirs/ours", "theirs/theirs"],
}
"""Daemons/tools. The last one shows that the test itself is right."""

MARKED = {"ours_only": "ours/ours", "side_by_side": "ours/theirs"}
"""The one pairing of tests with a marker."""

_sets = pytest.StashKey[dict[str, Programs]]()
_links = pytest.StashKey[Path]()
_not_run = pytest.StashKey[Counter[str]]()
_skipped: list[str] = []

NEVER_SKIPPED_IN_CI = ("tests/world/", "tests/compat/", "tests/live/", "tests/container/")
IN_CI = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--under-test",
        choices=sorted(PAIRINGS),
        default="all",
        help="whose programs to run: ours, the originals (theirs), mixed, or every pairing (all)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ours_only: what the originals do not claim to survive")
    config.addinivalue_line("markers", "side_by_side: `daemons` are ours, `tools` are theirs")
    restore_inherited()
    become_subreaper()
    top = Path(tempfile.mkdtemp(prefix="s6x-programs-"))
    top.chmod(0o755)
    config.stash[_links] = top
    config.stash[_not_run] = Counter()
    found: dict[str, Programs] = {}
    for name, make in (("ours", programs.ours), ("theirs", programs.theirs)):
        (top / name).mkdir(mode=0o755)
        its = make(top / name)
        if its is not None:
            found[name] = its
    config.stash[_sets] = found


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_links], ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with `daemons` and `tools` in every pairing, with one of them on both sets."""
    both = [name for name in ("daemons", "tools") if name in metafunc.fixturenames]
    if not both:
        return
    pairings = PAIRINGS[metafunc.config.getoption("under_test")]
    for marker, only in MARKED.items():
        if metafunc.definition.get_closest_marker(marker):
            pairings = [only]
    if len(both) == 1:
        which = 0 if both == ["daemons"] else 1
        pairings = list(dict.fromkeys(pairing.split("/")[which] for pairing in pairings))
    runnable = [pairing for pairing in pairings if _can_run(metafunc, pairing)]
    metafunc.parametrize(
        both if len(both) == 2 else both[0],
        [pairing.split("/") if len(both) == 2 else pairing for pairing in runnable],
        ids=runnable,
        indirect=True,
        scope="session",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only ours must pass when ours are not tested."""
    if config.getoption("under_test") in ("ours", "all", "our-daemons"):
        return
    out = [item for item in items if any(map(item.get_closest_marker, MARKED))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def _can_run(metafunc: pytest.Metafunc, pairing: str) -> bool:
    """Whether all sets of a pairing are there; what is not run is remembered, or an error."""
    available = metafunc.config.stash[_sets]
    if metafunc.config.getoption("under_test") == "theirs":
        pass  # what only ours must pass is left out later
    elif "ours" in pairing and "ours" not in available:
        raise pytest.UsageError(
            "there is no s6x executable to test: run `cargo build`, or name one in "
            f"{programs.EXECUTABLE_VARIABLE}, or test the originals alone with --under-test=theirs"
        )
    if "theirs" in pairing and "theirs" not in available:
        why = "the originals are not installed (Debian's package s6)"
        if IN_CI:
            raise pytest.UsageError(f"{why}, and CI must run the pairing {pairing}")
        file = metafunc.definition.nodeid.partition("::")[0]
        metafunc.config.stash[_not_run][f"{file} as {pairing}: {why}"] += 1
        return False
    return True


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """List what could not run on this machine, and why."""
    not_run = config.stash[_not_run]
    if not_run:
        terminalreporter.section("not run on this machine")
        for what, count in sorted(not_run.items()):
            terminalreporter.line(f"{count} tests of {what}")
    if IN_CI and _skipped:
        terminalreporter.section("skipped, but CI must be able to run these")
        for test in _skipped:
            terminalreporter.line(test)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and report.nodeid.startswith(NEVER_SKIPPED_IN_CI):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if IN_CI and _skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def daemons(request: pytest.FixtureRequest) -> Programs:
    """The programs that supervise in this pairing."""
    return request.config.stash[_sets][request.param]


@pytest.fixture(scope="session")
def tools(request: pytest.FixtureRequest) -> Programs:
    """The programs that ask and command in this pairing."""
    return request.config.stash[_sets][request.param]


@pytest.fixture
def world() -> Iterator[World]:
    """A directory and processes for one test; everything is gone after it."""
    its = World()
    try:
        yield its
    finally:
        its.close()


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("sdist")
    build("maturin", "sdist", "-o", into, cwd=REPOSITORY)
    (archive,) = into.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def source(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked: a tree without a version control system."""
    into = tmp_path_factory.mktemp("source")
    subprocess.run(["tar", "-xf", sdist, "-C", into], check=True)  # tarfile: not the same in 3.11.2
    (top,) = into.iterdir()
    return top


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(source, tmp_path_factory.mktemp("wheel"))
