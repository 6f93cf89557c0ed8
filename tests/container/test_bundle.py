"""`s6x bundle`: tarballs that turn any root directory into an image."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from s6x.cli.bundle import bundle as command
from s6x.image import build, install
from s6x.image.archive import pack
from s6x.image.bundle import Bundled, bundle
from s6x.overlay.root import Root
from world.containers import DEFAULT_PATH, Spec, Unshared, busybox_root
from world.images import Image, needs_root, static_executable
from world.running import World
from world.tree import Content, Link, plant, script

MOST_BYTES = {"native": 1_000_000, "python": 5_000_000}


FILES: dict[str, Content] = {
    "etc/services.d/web/run!": script("echo web; exec sleep 1000", "#!/usr/bin/with-contenv sh"),
    "etc/cont-init.d/a!": script("echo init $A", "#!/usr/bin/with-contenv sh"),
}


def unpack(its: Bundled, root: Path) -> None:
    """As tar does it, and docker's ADD: links on the way are followed."""
    subprocess.run(["tar", "-xJf", its.path, "-C", root], check=True)


def test_they_are_small(bundles: dict[str, Bundled]) -> None:
    for kind, its in bundles.items():
        assert its.size == its.path.stat().st_size
        assert its.size <= MOST_BYTES[kind], f"{kind}: {its.size} bytes"


@pytest.mark.parametrize("kind", ["native", "python"])
def test_the_same_bytes_again(bundles: dict[str, Bundled], tmp_path: Path, kind: str) -> None:
    (again,) = bundle(tmp_path, "v2", static_executable(), (kind,))
    assert again.path.name == bundles[kind].path.name
    assert again.path.read_bytes() == bundles[kind].path.read_bytes()


def test_members_belong_to_root_and_have_no_time(bundles: dict[str, Bundled]) -> None:
    for its in bundles.values():
        with tarfile.open(its.path) as archive:
            members = archive.getmembers()
        assert [m.name for m in members] == sorted(m.name for m in members)
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
            (0, 0, "root", "root", 0)
        }
        # A member for a directory would take the place of an image's link of that name.
        assert not {"bin", "usr", "usr/bin", "etc", "package"} & {m.name for m in members}


def test_packing_keeps_links_modes_and_empty_directories(tmp_path: Path) -> None:
    plant(tmp_path / "root", {"a/b!": "x", "a/empty": {}, "l": Link("a/b")})
    (tmp_path / "packed").write_bytes(pack(tmp_path / "root"))
    with tarfile.open(tmp_path / "packed") as archive:
        found = {m.name: (m.type, m.mode & 0o777, m.linkname) for m in archive.getmembers()}
    assert found == {
        "a/b": (tarfile.REGTYPE, 0o755, ""),
        "a/empty": (tarfile.DIRTYPE, 0o755, ""),
        "l": (tarfile.SYMTYPE, 0o777, "a/b"),
    }


@needs_root
@pytest.mark.parametrize("merged", [False, True], ids=["bin", "bin is a link"])
def test_busybox_and_scripts_added_later(
    bundles: dict[str, Bundled], world: World, merged: bool
) -> None:
    """`FROM busybox`, `ADD` both, `COPY` scripts: planned at boot by the private Python."""
    root = busybox_root(world.top / "root")
    if merged:
        for entry in (root / "bin").iterdir():
            entry.rename(root / "usr/bin" / entry.name)
        (root / "bin").rmdir()
        (root / "bin").symlink_to("usr/bin")
    for its in bundles.values():
        unpack(its, root)
    assert (root / "bin").is_symlink() == merged
    plant(root, FILES)
    world.top.chmod(0o755)
    with Image(root, "v2").boot(env={"A": "1"}) as init:
        for line in ("init 1\n", "web\n", "[services.d] done.\n"):
            init.until_said(line)
        assert init.run("s6x", "--version").out == "s6x 0.1.0\n"
        ended = init.stop()
    assert (ended.code, ended.err) == (0, "")


@needs_root
def test_the_private_python_is_whole(bundles: dict[str, Bundled], world: World) -> None:
    """The commands for people work there, before `/proc` is mounted as well."""
    root = busybox_root(world.top / "root")
    for its in bundles.values():
        unpack(its, root)
    plant(root, FILES)
    python = ["chroot", str(root), "/package/s6x/bin/python3"]
    env = {"PATH": DEFAULT_PATH}

    def said(*words: str) -> str:
        done = subprocess.run(
            [*python, "-I", *words], capture_output=True, text=True, check=False, env=env
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    assert said("-c", "import sys; print(sys.prefix)") == "/package/s6x\n"
    assert said("-m", "s6x.cli", "plan").startswith("generation  v2\n")
    assert "bundle" not in said("-m", "s6x.cli", "--help").split("Programs")[0]
    assert said("-c", "import s6x.supervise, json, s6x._core; print(1)") == "1\n"
    assert "plan" in said("-m", "s6x.cli", "build")
    assert (root / "etc/s6x/plan").exists()
    with Unshared(Spec(root, ["/init", "s6x", "check"])) as container:
        assert container.wait().code == 0


@needs_root
def test_scratch_with_a_prebuilt_plan(bundles: dict[str, Bundled], world: World) -> None:
    """`FROM scratch`, the native one alone: no shell, no libc, no Python."""
    root = world.top / "root"
    for name in ("proc", "dev", "run", "tmp"):
        (root / name).mkdir(parents=True)
    unpack(bundles["native"], root)
    run = "#!/bin/execlineb -P\nforeground { s6-echo web }\ns6-echo again\n"
    plant(root, {"etc/services.d/web/run!": run})
    build(root, "v2")
    world.top.chmod(0o755)
    with Image(root, "v2").boot() as init:
        init.until_said("web\n")
        ended = init.stop()
    assert (ended.code, ended.err) == (0, "")
    assert "[s6-finish] waiting for services.\n" in ended.out


def test_links_can_be_absolute(tmp_path: Path) -> None:
    install(tmp_path, "v2", static_executable(), absolute=True)
    executable = str(tmp_path / "package/admin/s6x/command/s6x")
    for name in ("init", "bin/s6-svc", "usr/bin/with-contenv", "command/s6-svscan"):
        assert (tmp_path / name).readlink().is_absolute()
        assert Root(tmp_path).resolve(f"/{name}") == executable


def test_the_command(tmp_path: Path) -> None:
    words = ["--only", "native", "--generation", "v1", "--output", str(tmp_path / "dist")]
    done = CliRunner().invoke(command, [*words, "--executable", str(static_executable())])
    (made,) = (tmp_path / "dist").iterdir()
    assert done.exit_code == 0
    assert done.output == f"{made}: {made.stat().st_size} bytes\n"
    assert made.name.startswith("s6x-native-v1-0.1.0-")
    with tarfile.open(made) as archive:
        assert archive.extractfile("etc/s6x/generation").read() == b"v1\n"  # type: ignore[union-attr]


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    plant(tmp_path, {"dist": "a file"})
    words = ["--only", "native", "--output", str(tmp_path / "dist")]
    done = CliRunner().invoke(command, [*words, "--executable", str(static_executable())])
    assert done.exit_code == 1
    assert done.output.startswith(f"s6x bundle: fatal: unable to write {tmp_path}/dist/s6x-native-")
    assert done.output.endswith(": File exists\n")
    assert (tmp_path / "dist").read_text() == "a file"


@pytest.mark.parametrize("tool", ["patchelf", "strip"])
def test_a_missing_tool_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, which: Callable[[str], str | None]
) -> None:
    from s6x.image import BundleError, runtime

    def find(name: str) -> str | None:
        return None if name == tool else which(name)

    monkeypatch.setattr(runtime, "_tool", find)
    with pytest.raises(BundleError, match=f"^{tool} is needed .*: (pip )?install "):
        bundle(tmp_path, "v2", static_executable(), ("python",))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def which() -> Callable[[str], str | None]:
    from s6x.image import runtime

    return runtime._tool
