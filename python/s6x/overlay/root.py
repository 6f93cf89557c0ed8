"""Reading an image below a root directory, and remembering what was read.

Paths are the image's own (`/etc/services.d`); links are followed as a process in the image would
follow them, so an absolute link stays below the root. ``pathlib`` is not used here: importing it
costs as much as the whole planner.
"""

from __future__ import annotations

import os
import stat
from errno import ELOOP

LINKS_LIMIT = 40
"""How many links one path may lead through, as in Linux."""


class Root:
    """An image's root directory, read only."""

    def __init__(self, path: str | os.PathLike[str] = "/") -> None:
        """Read below `path`, on this machine."""
        self.path = os.path.abspath(path)
        self.inputs: dict[str, str] = {}
        """What was asked for so far: path in the image → fingerprint (``docs/formats.md``)."""

    def resolve(self, path: str, *, last: bool = True) -> str:
        """Return where a path of the image is on this machine.

        Links are followed, the last one only if `last`; parts that do not exist are kept.
        Raises OSError (ELOOP) for links without an end.
        """
        real: list[str] = []
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del real[-1:]
                continue
            here = os.path.join(self.path, *real, part)
            target = None
            if last or todo:
                target = _link_target(here)
            if target is None:
                real.append(part)
                continue
            links += 1
            if links > LINKS_LIMIT:
                raise OSError(ELOOP, os.strerror(ELOOP), path)
            if target.startswith("/"):
                real.clear()
            todo += [piece for piece in reversed(target.split("/")) if piece not in ("", ".")]
        return os.path.join(self.path, *real)

    def status(self, path: str) -> os.stat_result | None:
        """Return what is there, links followed; None when nothing is."""
        try:
            return os.lstat(self.resolve(path))
        except OSError:
            return None

    def is_directory(self, path: str) -> bool:
        """Say whether the path leads to a directory."""
        status = self.status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, path: str) -> bool:
        """Say whether the path leads to a regular file."""
        status = self.status(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory in bytewise order, without those that begin with a dot.

        Raises OSError.
        """
        names = os.listdir(self.resolve(path))
        return sorted((n for n in names if not n.startswith(".")), key=os.fsencode)

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises OSError."""
        with open(self.resolve(path), "rb") as file:
            return file.read()

    # What a plan depends on goes through these.

    def exists(self, path: str) -> bool:
        """Say whether something is there, and note that the answer was used."""
        there = self.status(path) is not None
        self.inputs[path] = "e" if there else "-"
        return there

    def read_input(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no file, and note it.

        Raises OSError when there is a file that cannot be read.
        """
        content = self.read(path) if self.is_file(path) else None
        self.inputs[path] = "-" if content is None else f"f{fnv1a(content):016x}"
        return content

    def fingerprint(self, path: str, kind: str) -> str:
        """Return the fingerprint that an input of this kind (its first letter) has now."""
        status = self.status(path)
        if status is None:
            return "-"
        if kind == "e":
            return "e"
        if stat.S_ISDIR(status.st_mode):
            names = sorted(os.fsencode(name) for name in os.listdir(self.resolve(path)))
            return f"d{fnv1a(b''.join([name + bytes(1) for name in names])):016x}"
        if stat.S_ISREG(status.st_mode):
            return f"f{fnv1a(self.read(path)):016x}"
        return "-"


def fnv1a(data: bytes) -> int:
    """Return the 64-bit FNV-1a hash. For small files: a byte takes a tenth of a microsecond."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def _link_target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
