"""What people install works: the source distribution, the wheel made from it, an editable tree."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from s6x import __version__
from s6x.image.native import interpreter
from s6x.supervise import Tree
from world.building import LIMIT_S, Installed, build, fresh, wheel_of
from world.programs import REPOSITORY
from world.running import World
from world.witness import sleeper

pytestmark = pytest.mark.timeout(2 * LIMIT_S)

EXECUTABLE = "s6x/_native/bin/s6x"

PROGRAM = """
from s6x.supervise import Tree
with Tree({"nap": ["sleep", "1000"]}) as tree:
    tree["nap"].wait("up", 15)
    print(tree["nap"].status().state, tree.stop().scanner)
"""


def test_the_source_distribution_is_whole_and_clean(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {Path(name).relative_to(f"s6x-{__version__}") for name in archive.getnames()}
    shown = {str(name) for name in names}
    for name in ("pyproject.toml", "Cargo.lock", "LICENSE", "README.md", "python/s6x/py.typed"):
        assert name in shown
    for crate in ("core", "multicall", "extension"):
        assert f"rust/{crate}/Cargo.toml" in shown
    assert not [name for name in shown if "_native" in name or name.endswith((".so", ".pyc"))]


def test_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        files = set(modes)
    assert wheel.name.startswith(f"s6x-{__version__}-cp311-abi3-")
    assert stat.S_IMODE(modes[EXECUTABLE]) == 0o755
    wanted = {"s6x/_core.abi3.so", "s6x/_core.pyi", "s6x/py.typed", "s6x/__main__.py"}
    assert wanted <= files
    assert {name.split("/")[0] for name in files} == {"s6x", f"s6x-{__version__}.dist-info"}


def test_the_executable_needs_nothing_of_the_image(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        executable = Path(archive.extract(EXECUTABLE, tmp_path))
    assert executable.read_bytes()[:4] == b"\x7fELF"
    assert interpreter(executable) is None, "it asks for a dynamic loader"


def test_the_commands_work(world: World, installed: Installed) -> None:
    directory = world.service(sleeper())
    said = installed.run("s6x", "--version")
    assert (said.code, said.out) == (0, f"s6x {__version__}\n")
    assert installed.run("s6x", "svok", directory).code == 1
    said = installed.run("s6x", "status", directory)
    assert (said.code, said.err) == (3, "")
    with Tree({"nap": ["sleep", "1000"]}) as tree:
        tree["nap"].wait("up", 15)
        said = installed.run("s6x", "svstat", tree.path / "nap")
        assert (said.code, said.out[:8], said.err) == (0, "up (pid ", "")
    said = installed.run("python", "-m", "s6x", "svok", directory)
    assert (said.code, said.err) == (1, "")


def test_the_module_works(installed: Installed) -> None:
    said = installed.run("python", "-W", "error", "-c", PROGRAM)
    assert (said.code, said.out, said.err) == (0, "up exited 0\n", "")


def test_an_editable_install(
    sdist: Path, source: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It fills a folder of the source tree; what is made of the tree next must not mind."""
    place = fresh(tmp_path_factory.mktemp("editable") / "venv", borrowing=True)
    options: list[str | Path] = ["--no-build-isolation", "--no-deps", "-e", source]
    build(place.directory / "bin/python", "-m", "pip", "install", *options, cwd=source)
    assert (source / "python/s6x/_native/bin/s6x").stat().st_mode & 0o777 == 0o755
    said = place.run("s6x", "svok", "/")
    assert (said.code, said.err) == (1, "")
    said = place.run("python", "-c", PROGRAM)
    assert (said.code, said.out, said.err) == (0, "up exited 0\n", "")
    again = wheel_of(source, tmp_path_factory.mktemp("again"))
    with zipfile.ZipFile(again) as second, zipfile.ZipFile(wheel) as first:
        assert sorted(second.namelist()) == sorted(first.namelist())
    into = tmp_path_factory.mktemp("sdist-again")
    build("maturin", "sdist", "-o", into, cwd=source)
    (archive,) = into.iterdir()
    with tarfile.open(archive) as second_tar, tarfile.open(sdist) as first_tar:
        assert sorted(second_tar.getnames()) == sorted(first_tar.getnames())


def test_the_version_is_the_same_everywhere() -> None:
    assert f'\nversion = "{__version__}"\n' in (REPOSITORY / "Cargo.toml").read_text()
    assert f'\nversion = "{__version__}"\n' in (REPOSITORY / "pyproject.toml").read_text()
