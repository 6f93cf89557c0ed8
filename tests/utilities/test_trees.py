"""s6-rmrf and s6-hiercopy: whole trees, however deep, wide or hostile (contract execline §5)."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.programs import AS_NOBODY, Programs

from .conftest import Utilities

FEW_DESCRIPTORS = ("prlimit", "--nofile=12", "--stack=262144")
"""A walker through a deep tree needs neither descriptors nor stack."""


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def in_memory(our_programs: Programs) -> Iterator[Utilities]:
    """Run programs in a directory that is not on a disk: tens of thousands of files are made."""
    memory = Path("/dev/shm")
    top = Path(tempfile.mkdtemp(prefix="s6x-trees-", dir=memory if memory.is_dir() else None))
    yield Utilities(our_programs, top)
    subprocess.run(["rm", "-rf", top], check=True, timeout=60)


def deepen(top: Path, levels: int) -> None:
    """Make a chain of directories that no path could name, a file in each."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def depth(top: Path) -> int:
    levels, here = 0, os.open(top, os.O_RDONLY)
    while True:
        try:
            below = os.open("d", os.O_RDONLY, dir_fd=here)
        except FileNotFoundError:
            os.close(here)
            return levels
        os.stat("file", dir_fd=here)
        os.close(here)
        here, levels = below, levels + 1


def test_rmrf(run: Utilities) -> None:
    keep = run.top / "keep"
    keep.mkdir()
    (keep / "file").touch()
    tree = run.top / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/link").symlink_to(keep)
    os.mkfifo(tree / "fifo")
    (tree / os.fsdecode(b"\xff\n")).touch()
    (run.top / "link").symlink_to(keep)
    (run.top / "one").touch()
    done = run("s6-rmrf", "no/such", "tree/", "link", "one", "missing", "", "one/under-a-file")
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert names(run.top) == ["keep"]
    assert (keep / "file").exists()


@pytest.mark.parametrize("name", [".", "..", "/", "tree/.", "tree/.."])
def test_rmrf_of_what_has_no_name(run: Utilities, name: str) -> None:
    (run.top / "tree").mkdir()
    (run.top / "tree/file").touch()
    done = run("s6-rmrf", name if name != "tree/." else "tree/..")
    assert done.code == 111
    assert "unable to remove" in done.err
    assert (run.top / "tree/file").exists()


def test_rmrf_names_what_it_could_not_remove(run: Utilities) -> None:
    for name in ("first", "locked/deep", "last"):
        (run.top / name).mkdir(parents=True)
        os.chown(run.top / name.partition("/")[0], 65534, 65534)
    (run.top / "locked/deep/file").touch()
    run.top.chmod(0o777)
    done = run("s6-rmrf", "first", "locked", "last", under=AS_NOBODY)
    message = "s6-rmrf: fatal: unable to remove locked/deep/file: Permission denied\n"
    assert (done.code, done.err) == (111, message)
    assert names(run.top) == ["last", "locked"]


def test_rmrf_of_an_unreadable_empty_directory(run: Utilities) -> None:
    run.top.chmod(0o777)
    (run.top / "closed").mkdir(0)
    os.chown(run.top / "closed", 65534, 65534)
    assert run("s6-rmrf", "closed", under=AS_NOBODY).code == 0
    assert names(run.top) == []


def test_ten_thousand_levels(in_memory: Utilities) -> None:
    tree = in_memory.top / "tree"
    tree.mkdir()
    deepen(tree, 10_000)
    done = in_memory("s6-hiercopy", "tree", "copy", under=FEW_DESCRIPTORS)
    assert (done.code, done.err) == (0, "")
    assert depth(in_memory.top / "copy") == 10_000
    done = in_memory("s6-rmrf", "tree", "copy", under=FEW_DESCRIPTORS)
    assert (done.code, done.err) == (0, "")
    assert names(in_memory.top) == []


def test_a_wide_tree(in_memory: Utilities) -> None:
    tree = in_memory.top / "tree"
    for number in range(3000):
        (tree / f"{number:0100}").mkdir(parents=True)
        (tree / f"{number:0100}/file").touch()
        (tree / f"file-{number:0100}").touch()
    done = in_memory("s6-hiercopy", "tree", "copy", under=FEW_DESCRIPTORS)
    assert (done.code, done.err) == (0, "")
    assert sum(1 for _ in (in_memory.top / "copy").rglob("*")) == 9000
    assert in_memory("s6-rmrf", "tree", "copy", under=FEW_DESCRIPTORS).code == 0
    assert names(in_memory.top) == []


def test_hiercopy(run: Utilities) -> None:
    source = run.top / "src"
    (source / "sub").mkdir(parents=True, mode=0o755)
    (source / "sub/run").write_text("new")
    (source / "sub/run").chmod(0o4711)
    os.chown(source / "sub", 12, 34)
    (source / "sub/link").symlink_to("run")
    os.lchown(source / "sub/link", 12, 34)
    os.mkfifo(source / "fifo", 0o622)
    os.mknod(source / "null", stat.S_IFCHR | 0o604, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
    (source / os.fsdecode(b"\xff \n")).write_bytes(b"\0" * 100_000)
    source.chmod(0o2750)
    (run.top / "dst/sub").mkdir(parents=True)
    (run.top / "dst/sub/run").write_text("the old one is longer")
    (run.top / "dst/sub/own").write_text("stays")
    done = run("s6-hiercopy", "src", "dst", umask=0o077)
    assert (done.code, done.err) == (0, "")

    def facts(top: Path) -> dict[str, tuple[object, ...]]:
        found: dict[str, tuple[object, ...]] = {}
        for path in [top, *top.rglob("*")]:
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            target = path.readlink() if path.is_symlink() else None
            what = (about.st_mode, about.st_uid, about.st_gid, about.st_rdev, content, target)
            found[str(path.relative_to(top))] = what
        return found

    copied = facts(run.top / "dst")
    assert copied.pop("sub/own")[4] == b"stays"
    assert copied == facts(source)


@pytest.mark.parametrize("kind", ["file", "link", "fifo"])
def test_hiercopy_of_one_file(run: Utilities, kind: str) -> None:
    (run.top / "file").write_text("x")
    (run.top / "link").symlink_to("file")
    os.mkfifo(run.top / "fifo")
    assert run("s6-hiercopy", kind, "copy").code == 0
    assert (run.top / "copy").lstat().st_mode == (run.top / kind).lstat().st_mode
    assert run("s6-hiercopy", kind, "copy").code == 0, "over itself"


def test_what_fails_inside_is_told(run: Utilities) -> None:
    (run.top / "src/closed").mkdir(parents=True)
    (run.top / "src/closed").chmod(0o700)
    (run.top / "src/secret").touch(0o600)
    (run.top / "src/fine").touch()
    (run.top / "src/over").touch()
    run.top.chmod(0o777)
    done = run("s6-hiercopy", "src", "dst", under=AS_NOBODY)
    assert (done.code, done.out) == (0, b"")
    assert sorted(done.err.splitlines()) == [
        "s6-hiercopy: warning: unable to copy src/closed: Permission denied",
        "s6-hiercopy: warning: unable to copy src/secret: Permission denied",
    ]
    assert names(run.top / "dst") == ["fine", "over"]
    (run.top / "dst/over").unlink()
    (run.top / "dst/over/x").mkdir(parents=True)
    done = run("s6-hiercopy", "src", "dst")
    assert done.code == 0
    assert done.err == "s6-hiercopy: warning: unable to create dst/over: Is a directory\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent", "dst"], "unable to copy absent: No such file or directory"),
        (["src", "no/such"], "unable to open no: No such file or directory"),
        (["src", "file"], "unable to create file: Not a directory"),
        (["file", "src"], "unable to create src: Is a directory"),
    ],
)
def test_hiercopy_at_the_top(run: Utilities, words: list[str], message: str) -> None:
    (run.top / "src").mkdir()
    (run.top / "file").write_text("kept")
    done = run("s6-hiercopy", *words)
    assert (done.code, done.err) == (111, f"s6-hiercopy: fatal: {message}\n")
    assert (run.top / "file").read_text() == "kept"


def test_a_tree_is_not_copied_into_itself_for_ever(run: Utilities) -> None:
    (run.top / "src/sub").mkdir(parents=True)
    (run.top / "src/file").touch()
    done = run("s6-hiercopy", "src", "src/sub/copy")
    assert done.code == 0
    assert "unable to copy src/sub/copy: Too many levels of symbolic links" in done.err
    assert names(run.top / "src/sub/copy") == ["file", "sub"]


def test_links_in_the_destination(run: Utilities) -> None:
    (run.top / "src/bin").mkdir(parents=True)
    (run.top / "src/bin/tool").touch()
    (run.top / "src/bin/more").mkdir()
    (run.top / "src/etc").write_text("new")
    (run.top / "dst/usr/bin").mkdir(parents=True)
    (run.top / "dst/bin").symlink_to("usr/bin")
    (run.top / "dst/elsewhere").write_text("kept")
    (run.top / "dst/etc").symlink_to("elsewhere")
    done = run("s6-hiercopy", "src", "dst")
    assert (done.code, done.err) == (0, "")
    assert names(run.top / "dst/usr/bin") == ["more", "tool"]
    assert (run.top / "dst/elsewhere").read_text() == "kept"
    assert (run.top / "dst/etc").read_text() == "new"
    os.lchown(run.top / "dst/bin", 65534, 65534)
    done = run("s6-hiercopy", "src", "dst")
    assert done.err == "s6-hiercopy: warning: unable to create dst/bin: Not a directory\n"


def test_rights_are_not_lent(run: Utilities) -> None:
    (run.top / "tool").touch()
    (run.top / "tool").chmod(0o6755)
    run.top.chmod(0o777)
    assert run("s6-hiercopy", "tool", "copy", under=AS_NOBODY).code == 0
    assert stat.S_IMODE((run.top / "copy").stat().st_mode) == 0o755


def test_a_mounted_file_is_written_anew(run: Utilities) -> None:
    for name in ("new", "old", "mounted"):
        (run.top / name).write_text(name)
    script = 'mount --bind old mounted && "$0" new mounted'
    program = str(run.programs.path("s6-hiercopy"))
    done = run("s6-hiercopy", under=["unshare", "-m", "sh", "-c", script, program])
    assert (done.code, done.err) == (0, "")
    assert (run.top / "old").read_text() == "new"


def test_a_full_disk(run: Utilities) -> None:
    (run.top / "src").mkdir()
    (run.top / "src/large").write_bytes(b"x" * 1_000_000)
    (run.top / "small").mkdir()
    script = 'mount -t tmpfs -o size=64k tmpfs small && "$0" src small/dst'
    program = str(run.programs.path("s6-hiercopy"))
    done = run("s6-hiercopy", under=["unshare", "-m", "sh", "-c", script, program])
    assert done.code == 0
    assert "unable to create small/dst/large: No space left on device" in done.err


def test_ls_of_a_large_directory(in_memory: Utilities) -> None:
    names = [f"{number:060}" for number in range(20_000)]
    for name in names:
        (in_memory.top / name).touch()
    listed = in_memory("s6-ls", ".").out.decode().split()
    assert len(listed) == len(names)
    assert set(listed) == set(names)
