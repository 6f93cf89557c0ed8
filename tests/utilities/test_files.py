"""Utilities that make, name and change single files (contract execline §5.1)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from world.programs import AS_NOBODY

from .conftest import Utilities


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def ids(path: Path) -> tuple[int, int]:
    about = path.lstat()
    return about.st_uid, about.st_gid


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-u", "7", "-g", "8", "--", "link"], (7, 8)),
        (["-u7", "link"], (7, 0)),
        (["-g", "8", "link"], (0, 8)),
        (["-U", "--", "link"], (12, 34)),
        (["-U", "-u", "9", "link"], (9, 34)),
        (["-u", "9", "-U", "link"], (12, 34)),
        (["link"], (0, 0)),
        (["-u", "4294967295", "link"], (0, 0)),
    ],
)
def test_chown(run: Utilities, words: list[str], expected: tuple[int, int]) -> None:
    (run.top / "file").touch()
    (run.top / "link").symlink_to("file")
    done = run("s6-chown", *words, env={"UID": "12", "GID": "34"})
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert (ids(run.top / "file"), ids(run.top / "link")) == (expected, (0, 0))


@pytest.mark.parametrize(
    ("words", "env", "message"),
    [
        (["-U", "f"], {"UID": "1"}, "s6-chown: fatal: $GID is not set; s6-envuidgid sets it\n"),
        (["-U", "f"], {"UID": "x", "GID": "1"}, 's6-chown: fatal: $UID: "x" is no numerical id\n'),
    ],
)
def test_chown_by_odd_variables(
    run: Utilities, words: list[str], env: dict[str, str], message: str
) -> None:
    done = run("s6-chown", *words, env=env)
    assert (done.code, done.err) == (100, message)


@pytest.mark.parametrize(
    ("words", "expected"), [("0", 0), ("640", 0o640), ("07777", 0o7777), ("170444", 0o444)]
)
def test_chmod(run: Utilities, words: str, expected: int) -> None:
    (run.top / "file").touch()
    (run.top / "link").symlink_to("file")
    done = run("s6-chmod", words, "link")
    assert (done.code, done.err) == (0, "")
    assert mode(run.top / "file") == expected


NAMES = [b"b", b".h", b"a a", b"new\nline", b"\xff\xfe", b"..."]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-0"], [b"b", b"a a", b"new\nline", b"\xff\xfe"]),
        (["-0a"], NAMES),
        (["-0A"], [*NAMES, b".", b".."]),
        (["-0Aa"], NAMES),
        (["-0ax", "b"], [name for name in NAMES if name != b"b"]),
        (["-0ax", "..."], NAMES[:-1]),
    ],
)
def test_ls(run: Utilities, words: list[str], expected: list[bytes]) -> None:
    for name in NAMES:
        (run.top / os.fsdecode(name)).touch()
    done = run("s6-ls", *words, ".")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(b"\0")
    assert sorted(done.out.split(b"\0")[:-1]) == sorted(expected)


def test_ls_in_lines(run: Utilities) -> None:
    (run.top / "one").touch()
    assert run("s6-ls", ".").out == b"one\n"
    assert run("s6-ls", "one").code == 111
    assert "unable to open directory no: No such file" in run("s6-ls", "no").err


@pytest.mark.parametrize(
    ("words", "umask", "expected"),
    [
        (["a", "b"], 0o022, {"a": 0o755, "b": 0o755}),
        (["-m", "0755", "a", "b"], 0o077, {"a": 0o755, "b": 0o755}),
        (["-p", "-m", "0755", "a/b/c"], 0o077, {"a": 0o755, "a/b": 0o755, "a/b/c": 0o755}),
        (["-p", "a//b/"], 0o027, {"a": 0o750, "a/b": 0o750}),
        (["-pm", "03777", "a"], 0o022, {"a": 0o3777}),
        (["-pm0711", "there/x", "there"], 0, {"there": 0o700, "there/x": 0o711}),
        (["-p", "to-there/x"], 0, {"there/x": 0o777}),
        ([], 0, {}),
    ],
)
def test_mkdir(run: Utilities, words: list[str], umask: int, expected: dict[str, int]) -> None:
    (run.top / "there").mkdir(0o700)
    (run.top / "to-there").symlink_to("there")
    done = run("s6-mkdir", *words, umask=umask)
    assert (done.code, done.err) == (0, "")
    assert {name: mode(run.top / name) for name in expected} == expected


def test_mkdir_goes_on_after_errors(run: Utilities) -> None:
    (run.top / "file").touch()
    done = run("s6-mkdir", "-v", "file", "no/such", "a")
    assert done.code == 111
    assert done.err == (
        "s6-mkdir: warning: unable to mkdir file: File exists\n"
        "s6-mkdir: warning: unable to mkdir no/such: No such file or directory\n"
        "s6-mkdir: created directory a\n"
    )
    done = run("s6-mkdir", "-p", "file", "file/x", "b/c")
    assert done.code == 111
    assert done.err.count("unable to mkdir file: File exists\n") == 2
    assert (run.top / "b/c").is_dir()


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["f"], 0o666), (["-m", "622", "--", "f"], 0o622), (["-m0777", "f"], 0o666)],
)
def test_mkfifo(run: Utilities, words: list[str], expected: int) -> None:
    done = run("s6-mkfifo", *words, umask=0o077)
    assert (done.code, done.err) == (0, "")
    assert (run.top / "f").is_fifo()
    assert mode(run.top / "f") == expected


def test_mkfifo_stops_at_the_first_failure(run: Utilities) -> None:
    done = run("s6-mkfifo", "a", "a", "b")
    assert (done.code, done.err) == (111, "s6-mkfifo: fatal: unable to mkfifo a: File exists\n")
    assert not (run.top / "b").exists()


def test_rename(run: Utilities) -> None:
    (run.top / "old").write_text("x")
    (run.top / "new").write_text("y")
    assert run("s6-rename", "old", "new").code == 0
    assert (run.top / "new").read_text() == "x"
    done = run("s6-rename", "old", "new")
    message = "s6-rename: fatal: unable to rename old to new: No such file or directory\n"
    assert (done.code, done.err) == (111, message)


def test_touch(run: Utilities) -> None:
    (run.top / "old").write_text("kept")
    (run.top / "dir").mkdir()
    os.mkfifo(run.top / "fifo")
    (run.top / "link").symlink_to("target")
    for name in ("old", "dir", "fifo"):
        os.utime(run.top / name, (1, 1))
    done = run("s6-touch", "old", "dir", "fifo", "link", "fresh", umask=0o027)
    assert (done.code, done.err) == (0, "")
    for name in ("old", "dir", "fifo", "target", "fresh"):
        assert (run.top / name).stat().st_mtime > 1_000_000
    assert (run.top / "old").read_text() == "kept"
    assert mode(run.top / "fresh") == 0o640
    done = run("s6-touch", "no/such", "later")
    assert (done.code, (run.top / "later").exists()) == (111, False)
    assert done.err == "s6-touch: fatal: unable to touch no/such: No such file or directory\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["link"], "to\n"),
        (["-n", "link"], "to"),
        (["-f", "link"], "{top}/file\n"),
        (["-nf", "./link/../to"], None),
        (["-f", "file"], "{top}/file\n"),
        (["-f", "."], "{top}\n"),
        (["file"], None),
        (["-f", "broken"], None),
        (["broken"], "nowhere\n"),
        (["-f", "loop"], None),
    ],
)
def test_linkname(run: Utilities, words: list[str], out: str | None) -> None:
    (run.top / "file").touch()
    for link, target in {"link": "to", "to": "file", "broken": "nowhere", "loop": "loop"}.items():
        (run.top / link).symlink_to(target)
    done = run("s6-linkname", *words)
    if out is None:
        assert (done.code, done.out) == (111, b"")
        assert done.err.startswith(f"s6-linkname: fatal: unable to resolve {words[-1]}: ")
    else:
        expected = out.format(top=run.top.resolve()).encode()
        assert (done.code, done.out, done.err) == (0, expected, "")


def test_sync(run: Utilities) -> None:
    done = run("s6-sync")
    assert (done.code, done.out, done.err) == (0, b"", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["s6-chown"], "no file given"),
        (["s6-chown", "-u", "root", "f"], 'option -u: "root" is no numerical id'),
        (["s6-chmod", "u+x", "f"], 'mode: "u+x" is not an octal number'),
        (["s6-chmod", "0888", "f"], 'mode: "0888" is not an octal number'),
        (["s6-chmod", "+7", "f"], 'mode: "+7" is not an octal number'),
        (["s6-chmod", "", "f"], 'mode: "" is not an octal number'),
        (["s6-chmod", "644"], "no file given"),
        (["s6-ls"], "no directory given"),
        (["s6-mkdir", "-m", "u=rwx", "f"], 'option -m: "u=rwx" is not an octal number'),
        (["s6-mkfifo"], "no fifo given"),
        (["s6-rename", "f"], "no new name given"),
        (["s6-rename", "-f", "f"], "unknown option -f"),
        (["s6-touch"], "no file given"),
        (["s6-touch", "-m", "f"], "unknown option -m"),
        (["s6-linkname"], "no link given"),
        (["s6-rmrf"], "no file given"),
        (["s6-rmrf", "-r", "f"], "unknown option -r"),
        (["s6-hiercopy", "f"], "no destination given"),
    ],
)
def test_wrong_usage(run: Utilities, words: list[str], message: str) -> None:
    (run.top / "f").write_text("kept")
    before = mode(run.top / "f")
    done = run(*words)
    assert (done.code, done.out) == (100, b"")
    assert done.err.startswith(f"{words[0]}: usage: {words[0]} ")
    assert f"{words[0]}: fatal: {message}\n" in done.err
    assert (run.top / "f").read_text() == "kept"
    assert mode(run.top / "f") == before


def test_others_files_stay_as_they_are(run: Utilities) -> None:
    (run.top / "f").touch()
    for words in (["s6-chown", "-u", "1", "f"], ["s6-chmod", "777", "f"], ["s6-rename", "f", "g"]):
        done = run(*words, under=AS_NOBODY)
        assert done.code == 111
        assert done.err.startswith(f"{words[0]}: fatal: unable to ")
    assert (ids(run.top / "f"), mode(run.top / "f")) == ((0, 0), 0o644)
