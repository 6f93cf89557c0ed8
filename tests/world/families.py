"""What tests of whole trees of images are written with: a root with s6x in it, and stand-ins."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from s6x.overlay.check import check
from world.images import Image, Init
from world.tree import Content, plant

SCANDIR = "/var/run/s6/services"
DAEMON = """\
#!/bin/sh
echo "${0##*/} $* as $(id -u)"
trap 'echo "${0##*/} asked to end"; exit 0' TERM QUIT
while :; do sleep 0.05; done
"""
"""An application that stays in the foreground and ends when it is told to."""


@dataclass
class Base:
    """A root with s6x in it, and the shell that scripts of images there are written for."""

    root: Path
    shell: str

    def contenv(self, body: str) -> str:
        return f"#!/usr/bin/with-contenv {self.shell}\n{body}\n"

    def image(self, files: dict[str, Content], *daemons: str, generation: str = "v2") -> Image:
        plant(self.root, {f"usr/bin/{name}!": DAEMON for name in daemons})
        its = Image(self.root, generation).plant(files).built()
        assert [f for f in check(its.root) if f.level != "note"] == []
        return its


def without_originals(root: Path) -> None:
    """Take away the programs of the machine's own s6 and execline: ours are to be found."""
    for package in ("s6", "execline"):
        words = ["dpkg", "-L", package]
        listed = subprocess.run(words, capture_output=True, text=True, check=False)
        for path in listed.stdout.split():
            if "/bin/" in path:
                (root / path.lstrip("/")).unlink(missing_ok=True)


def add_user(root: Path, name: str, uid: int) -> None:
    """Add a user and the group of that name."""
    for file, rest in (("passwd", f"{uid}::/:/bin/sh"), ("group", "")):
        with (root / "etc" / file).open("a") as its:
            its.write(f"{name}:x:{uid}:{rest}\n")


def in_order(text: str, *lines: str) -> None:
    """Each line is there, after the one before it."""
    at = 0
    for line in lines:
        found = text.find(f"{line}\n", at)
        assert found >= 0, f"{line!r} is missing after {text[:at]!r} in {text}"
        at = found + len(line)


def stopped(init: Init) -> str:
    ended = init.stop()
    assert ended.code == 0, ended
    return ended.out
