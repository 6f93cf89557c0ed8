"""The commands under test, ours and the originals, each made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from world.programs import our_executable
from world.scripts import ORIGINALS, Commands, commands


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with `implementation` on both, or on the one that is asked for."""
    if "implementation" not in metafunc.fixturenames:
        return
    under_test = metafunc.config.getoption("under_test")
    wanted = {"theirs": ["theirs"], "all": ["ours", "theirs"]}.get(under_test, ["ours"])
    metafunc.parametrize("implementation", wanted, indirect=True, scope="session")


@pytest.fixture(scope="session")
def ours() -> Iterator[Commands]:
    with commands("ours") as found:
        assert found, f"there is no s6x executable to test: {our_executable()}"
        yield found


@pytest.fixture(scope="session")
def theirs() -> Iterator[Commands]:
    with commands("theirs") as found:
        assert found, f"the originals are not installed: {ORIGINALS} (Debian's package execline)"
        yield found


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Commands:
    found: Commands = request.getfixturevalue(request.param)
    return found
