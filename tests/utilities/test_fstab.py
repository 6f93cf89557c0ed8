"""fstab2s6rc: what is written; the scripts themselves are tested beside the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.tree import plant

from .conftest import Ended, Utilities

FSTAB = """\
/dev/sda1 / ext4 defaults 0 1
/dev/sda2 none swap sw
proc /proc proc noauto
/dev/sda3 /var/log ext4
"""


@pytest.fixture
def fstab(tmp_path: Path) -> Path:
    return plant(tmp_path, {"fstab": FSTAB}) / "fstab"


def made(run: Utilities, fstab: Path, *words: str) -> Ended:
    return run("fstab2s6rc", "-F", fstab, *words)


def tree(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())


def test_sources(run: Utilities, fstab: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = made(run, fstab, "-B", "all", "--base-dependency=ready", "-m", "0750", str(out))
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert out.stat().st_mode & 0o7777 == 0o750
    own = ("dependencies.d/ready", "down", "flag-essential", "type", "up")
    services = ("mount-", "mount-var:log", "swap-dev:sda2")
    expected = [f"{service}/{file}" for service in services for file in own]
    expected += [f"mount-proc/{file}" for file in own if file != "flag-essential"]
    expected += ["all/type", "all/contents.d/all-mounts", "all/contents.d/all-swaps"]
    expected += ["all-mounts/type", "all-mounts/contents.d/mount-"]
    expected += ["all-mounts/contents.d/mount-var:log"]
    expected += ["all-swaps/type", "all-swaps/contents.d/swap-dev:sda2"]
    assert tree(out) == sorted(expected)
    assert (out / "all/type").read_text() == "bundle\n"
    assert (out / "mount-proc/type").read_text() == "oneshot\n"
    up = (out / "mount-proc/up").read_text()
    assert up == 's6-mount -t "proc" -- "proc" "/proc"\n'


def test_without_noauto(run: Utilities, fstab: Path, tmp_path: Path) -> None:
    assert made(run, fstab, "-a", str(tmp_path / "out")).code == 0
    assert not (tmp_path / "out/mount-proc").exists()


@pytest.mark.parametrize(
    ("content", "words", "code", "said"),
    [
        ("a b\n", [], 1, "fstab: line 1: fewer than three fields"),
        (FSTAB, ["-B", "a/b"], 100, 'option -B: "a/b" is no name of a service'),
        (FSTAB, ["-m", "9"], 100, "is not an octal number"),
        (None, [], 111, "No such file or directory"),
    ],
)
def test_mistakes_write_nothing(
    run: Utilities, tmp_path: Path, content: str | None, words: list[str], code: int, said: str
) -> None:
    if content is not None:
        plant(tmp_path, {"fstab": content})
    done = made(run, tmp_path / "fstab", *words, str(tmp_path / "out"))
    assert done.code == code
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_what_is_there_already_stays(run: Utilities, fstab: Path, tmp_path: Path) -> None:
    plant(tmp_path, {"out/mine": "x"})
    done = made(run, fstab, str(tmp_path / "out"))
    assert (done.code, tree(tmp_path / "out")) == (111, ["mine"])
    assert done.err == f"fstab2s6rc: fatal: unable to mkdir {tmp_path}/out: File exists\n"


def test_half_of_it_is_taken_back(run: Utilities, tmp_path: Path) -> None:
    name = "x" * 250
    plant(tmp_path, {"fstab": f"a /b t\nc /{name} t\n"})
    done = made(run, tmp_path / "fstab", str(tmp_path / "out"))
    assert done.code == 111
    assert "unable to write a service in" in done.err
    assert not (tmp_path / "out").exists()
