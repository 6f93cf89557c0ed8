"""s6-ln, s6-dumpenv, s6-update-symlinks, s6-uniquename (contract execline §5.1)."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from .conftest import Utilities


def tree(top: Path) -> dict[str, str]:
    """Every link below a directory, and where it leads; directories end in a slash."""
    found = {}
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if path.is_symlink():
            found[name] = os.readlink(path)  # noqa: PTH115 (as it is)
        elif path.is_dir():
            found[f"{name}/"] = ""
        else:
            found[name] = "file"
    return found


@pytest.fixture
def place(run: Utilities) -> Path:
    (run.top / "file").write_text("x")
    (run.top / "dir").mkdir()
    (run.top / "to-dir").symlink_to("dir")
    (run.top / "to-file").symlink_to("file")
    (run.top / "old").symlink_to("nowhere")
    return run.top


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-s", "a/b", "new"], {"new": "a/b"}),
        (["-s", "a/b/", "dir"], {"dir/b": "a/b/"}),
        (["-s", "b", "to-dir"], {"dir/b": "b"}),
        (["-nsf", "b", "to-dir"], {"to-dir": "b"}),
        (["-ns", "b", "dir"], {"dir/b": "b"}),
        (["-sf", "b", "old"], {"old": "b"}),
        (["-sf", "b", "file"], {"file": "b"}),
        (["-sf", "x", "y/z", "dir"], {"dir/x": "x", "dir/z": "y/z"}),
        (["file", "new"], {"new": "file"}),
        (["-f", "file", "old"], {"old": "file"}),
        (["-L", "to-file", "new"], {"new": "file"}),
        (["-P", "to-file", "new"], {"new": "file"}),
        (["-f", "file", "file"], {}),
    ],
)
def test_ln(run: Utilities, place: Path, words: list[str], expected: dict[str, str]) -> None:
    before = tree(place)
    done = run("s6-ln", *words)
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert tree(place) == {**before, **expected}
    if words[0] in {"file", "-f", "-L"}:
        assert (place / words[-1]).samefile(place / "file")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-s", "b", "old"], 1, "unable to make a link from old to b: File exists"),
        (["a", "b", "dir"], 2, "unable to make a link from dir/a to a: No such file"),
        (["-s", "a", "b", "file"], 2, "unable to make a link from file/a to a: Not a directory"),
        (["-f", "none", "old"], 1, "unable to make a link from old to none: No such file"),
        (["-sf", "x", "dir/", "."], 1, "unable to atomically replace ./dir: Is a directory"),
        (["-s", "b", "file/x"], 111, "unable to stat file/x: Not a directory"),
    ],
)
def test_ln_fails(run: Utilities, place: Path, words: list[str], code: int, message: str) -> None:
    before = tree(place)
    done = run("s6-ln", *words)
    assert (done.code, message in done.err) == (code, True), done.err
    assert {name: at for name, at in tree(place).items() if name != "x"} == before


def test_no_more_failures_than_a_code_can_tell(run: Utilities) -> None:
    done = run("s6-ln", *("a" for _ in range(256)), "none")
    assert done.code == 255


ENVIRONMENT = {"A": "b c", "EMPTY": "", "LINES": "one\ntwo\n", "odd name": "x", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("words", "newline", "mode"),
    [([], "", 0o755), (["-N"], "\n", 0o755), (["-Nn", "-m", "700"], "", 0o700)],
)
def test_dumpenv(run: Utilities, words: list[str], newline: str, mode: int) -> None:
    done = run("s6-dumpenv", *words, "--", "env", env=ENVIRONMENT, umask=0o022)
    assert (done.code, done.err) == (0, "")
    written = {path.name: path.read_text() for path in (run.top / "env").iterdir()}
    assert written == {name: value + newline for name, value in ENVIRONMENT.items()}
    assert (run.top / "env").stat().st_mode & 0o7777 == mode
    assert (run.top / "env/A").stat().st_mode & 0o7777 == 0o644


def test_dumpenv_into_what_is_there(run: Utilities) -> None:
    (run.top / "env").mkdir(0o711)
    (run.top / "env/A").symlink_to("../victim")
    (run.top / "env/other").write_text("stays")
    (run.top / "victim").write_text("stays")
    assert run("s6-dumpenv", "env", env={"A": "new"}).code == 0
    assert (run.top / "victim").read_text() == (run.top / "env/other").read_text() == "stays"
    assert (run.top / "env/A").read_text() == "new"
    assert (run.top / "env").stat().st_mode & 0o7777 == 0o711


def test_names_that_are_no_files(run: Utilities) -> None:
    odd = {"../out": "x", "a/b": "x", ".": "x", "..": "x", "A": "y"}
    done = run("s6-dumpenv", "env", env=odd)
    assert done.code == 0
    assert done.err.count("s6-dumpenv: warning: no file can have the name of the variable ") == 4
    assert sorted(path.name for path in (run.top / "env").iterdir()) == ["A", "PATH"]
    assert [path.name for path in run.top.iterdir()] == ["env"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("file", "unable to mkdir file: Not a directory"),
        ("no/such", "unable to mkdir no/such: No such file or directory"),
        ("full", "unable to write full/A: Is a directory"),
    ],
)
def test_dumpenv_fails(run: Utilities, path: str, message: str) -> None:
    (run.top / "file").touch()
    (run.top / "full/A").mkdir(parents=True)
    done = run("s6-dumpenv", path, env={"A": "b"})
    assert (done.code, done.err) == (111, f"s6-dumpenv: fatal: {message}\n")
    assert not list(run.top.rglob("=*"))


def sources(top: Path) -> None:
    for name in ("one/bin/a", "one/bin/b", "one/etc/x", "two/bin/b", "two/bin/c", "two/lib/l",
                 "again/bin/a", "again/bin/b", "clash/bin"):  # fmt: skip
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


@pytest.mark.parametrize("before", [None, "directory", "link", "file"])
def test_update_symlinks(run: Utilities, before: str | None) -> None:
    sources(run.top)
    if before == "directory":
        (run.top / "dest/old").mkdir(parents=True)
    elif before == "link":
        (run.top / "dest").symlink_to("one")
    elif before == "file":
        (run.top / "dest").touch()
    top = run.top.resolve()
    done = run("s6-update-symlinks", f"{top}/dest/", f"{top}/one", f"{top}/two")
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert tree(run.top / "dest") == {
        "bin/": "",
        "bin/a": f"{top}/one/bin/a",
        "bin/b": f"{top}/two/bin/b",
        "bin/c": f"{top}/two/bin/c",
        "etc": f"{top}/one/etc",
        "lib": f"{top}/two/lib",
    }
    assert sorted(path.name for path in run.top.iterdir()) == [
        *("again", "clash", "dest", "one", "two")
    ]


def test_one_source_and_a_source_that_hides_another(run: Utilities) -> None:
    sources(run.top)
    top = run.top.resolve()
    assert run("s6-update-symlinks", f"{top}/dest", f"{top}/one").code == 0
    assert (top / "dest").readlink() == top / "one"
    assert run("s6-update-symlinks", f"{top}/dest", f"{top}/one", f"{top}/again").code == 0
    assert tree(top / "dest") == {"bin": f"{top}/again/bin", "etc": f"{top}/one/etc"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["{0}/dest", "{0}/one", "{0}/clash"], 100,
         "destination {0}/dest/bin conflicts with source {0}/clash/bin"),
        (["{0}/dest", "{0}/one", "{0}/none"], 111,
         "unable to process {0}/none: No such file or directory"),
        (["/", "{0}/one"], 111, "unable to replace root directory"),
        (["{0}/dest"], 100, "destination and sources needed"),
        (["dest", "{0}/one"], 100, "dest does not begin with /"),
    ],
)  # fmt: skip
def test_update_symlinks_fails(run: Utilities, words: list[str], code: int, message: str) -> None:
    sources(run.top)
    (run.top / "dest").symlink_to("before")
    top = run.top.resolve()
    done = run("s6-update-symlinks", *(word.format(top) for word in words))
    assert done.code == code
    assert f"s6-update-symlinks: fatal: {message.format(top)}\n" in done.err
    assert (run.top / "dest").readlink() == Path("before")
    assert sorted(os.listdir(top)) == ["again", "clash", "dest", "one", "two"]  # noqa: PTH208


@pytest.mark.parametrize(
    ("words", "end"),
    [([], ":[A-Za-z0-9_-]{8}"), (["-n", "0"], ""), (["-n3"], ":[A-Za-z0-9_-]{3}")],
)
def test_uniquename(run: Utilities, words: list[str], end: str) -> None:
    names = {run("s6-uniquename", *words, "pre fix").out.decode() for _ in range(3)}
    host = re.escape(socket.gethostname())
    assert len(names) == 3
    for name in names:
        assert re.fullmatch(f"pre fix:@[0-9a-f]{{24}}:[0-9]+:{host}{end}\n", name), name
