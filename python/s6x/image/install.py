"""Laying s6x out in a root directory.

What is there already stays: a directory may be a link (`/bin` → `usr/bin`), a user's file is never
overwritten unless the caller asks for it. Links are relative, so the tree can be moved or copied.
Doing it again changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from s6x.image import native
from s6x.image.files import write_whole
from s6x.image.layout import EXECUTABLE, Alias, Directory, Entry, File, Link, layout
from s6x.overlay.planner import GENERATIONS
from s6x.overlay.root import Root

MADE, REPLACED, UNCHANGED, KEPT = "made", "replaced", "unchanged", "kept"


class InstallError(Exception):
    """The layout could not be completed; the message says where and why."""


@dataclass(frozen=True)
class Change:
    """What happened to one path."""

    path: str
    """In the image."""
    action: str
    """`made`, `replaced` (it was ours), `unchanged`, or `kept` (somebody else's)."""
    note: str = ""
    """Why it was kept, or what to know about it."""


def install(
    root: str | os.PathLike[str],
    generation: str,
    executable: str | os.PathLike[str] | None = None,
    *,
    replace: bool = False,
    absolute: bool = False,
) -> list[Change]:
    """Lay out generation `v1` or `v2` below `root`, and return what was done, path by path.

    `executable` is the native executable; None: the one in this package. With `replace`, files
    that stand where a program belongs (those of s6-overlay itself, for instance) give way to it.
    With `absolute` the links name the executable by its path in the image: for a tree that will be
    unpacked over an image whose `/bin` may be a link.
    Raises InstallError, or ExecutableError.
    """
    if generation not in GENERATIONS:
        known = ", ".join(GENERATIONS)
        raise InstallError(f"{generation!r} is no generation that this s6x knows: use {known}")
    if not Path(root).is_dir():
        raise InstallError(f"{os.fspath(root)}: no such directory: make the root first")
    source = Path(executable) if executable is not None else native.executable()
    applets = native.applets(source)
    image = _Image(Root(root), replace, absolute)
    changes = [image.copy_executable(source)]
    changes += [image.lay(entry) for entry in layout(generation, applets)]
    # With a merged /usr two names are one file; it is reported once.
    seen: dict[str, Change] = {}
    for change in changes:
        seen.setdefault(image.real(change.path), change)
    return list(seen.values())


class _Image:
    """A root that is written to."""

    def __init__(self, root: Root, replace: bool, absolute: bool) -> None:
        self.root = root
        self.replace = replace
        self.absolute = absolute

    def real(self, path: str) -> str:
        """Return where on this machine the entry itself is, its last link not followed."""
        return self.root.resolve(path, last=False)

    def copy_executable(self, source: Path) -> Change:
        here = Path(self.real(EXECUTABLE))
        try:
            content = source.read_bytes()
            if here.is_file() and here.read_bytes() == content:
                here.chmod(0o755)
                return Change(EXECUTABLE, UNCHANGED, self._loader_note(source))
            action = REPLACED if here.exists() else MADE
            self._make_parents(EXECUTABLE)
            write_whole(here, content, 0o755)
        except OSError as error:
            raise _failure("copy the executable to", EXECUTABLE, error) from error
        return Change(EXECUTABLE, action, self._loader_note(source))

    def lay(self, entry: Entry) -> Change:
        try:
            if isinstance(entry, Directory):
                return self._lay_directory(entry)
            self._make_parents(entry.path)
            if isinstance(entry, Alias):
                return self._lay_alias(entry)
            return self._lay_file(entry) if isinstance(entry, File) else self._lay_link(entry)
        except OSError as error:
            raise _failure("make", entry.path, error) from error

    def _lay_directory(self, entry: Directory) -> Change:
        if self.root.is_directory(entry.path):
            return Change(entry.path, UNCHANGED)
        self._make_parents(entry.path)
        self._make_directory(entry.path, entry.mode)
        return Change(entry.path, MADE)

    def _lay_file(self, entry: File) -> Change:
        here = Path(self.real(entry.path))
        content = entry.content.encode()
        if not os.path.lexists(here):
            write_whole(here, content, entry.mode)
            return Change(entry.path, MADE)
        found = here.read_bytes() if here.is_file() else None
        if found == content:
            return Change(entry.path, UNCHANGED)
        if found is not None and found.decode("utf-8", "replace") in entry.earlier:
            write_whole(here, content, entry.mode)
            return Change(entry.path, REPLACED)
        return Change(entry.path, KEPT, "it is not ours")

    def _lay_alias(self, entry: Alias) -> Change:
        here = Path(self.real(entry.path))
        if os.path.lexists(here):
            same = self.root.resolve(entry.path) == self.root.resolve(entry.target)
            return Change(entry.path, UNCHANGED if same else KEPT, "" if same else "it is not ours")
        target = os.path.relpath(self.real(entry.target), here.parent)
        here.symlink_to(entry.target if self.absolute else target)
        return Change(entry.path, MADE)

    def _lay_link(self, entry: Link) -> Change:
        here = Path(self.real(entry.path))
        program = self.real(EXECUTABLE)
        via = self._way(entry, here)
        target = via if self.absolute else os.path.relpath(self.real(via), here.parent)
        action = MADE
        if os.path.lexists(here):
            if here.is_symlink() and self.root.resolve(entry.path) == program:
                return Change(entry.path, UNCHANGED)
            if here.is_dir() and not here.is_symlink():
                return Change(entry.path, KEPT, "it is a directory")
            if not self.replace:
                return Change(entry.path, KEPT, "it is not ours")
            action = REPLACED
        new = here.with_name(f".{here.name}.s6x-new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(here)
        return Change(entry.path, action)

    def _way(self, entry: Link, here: Path) -> str:
        """Return what the link is to lead by; the executable itself where that is not ours."""
        via = self.real(entry.via)
        free = self.replace or not os.path.lexists(via)
        ours = free or self.root.resolve(entry.via) == self.real(EXECUTABLE)
        return entry.via if ours and via != str(here) else EXECUTABLE

    def _make_parents(self, path: str) -> None:
        parts = path.strip("/").split("/")[:-1]
        for count in range(1, len(parts) + 1):
            parent = "/" + "/".join(parts[:count])
            if not self.root.is_directory(parent):
                self._make_directory(parent, 0o755)

    def _make_directory(self, path: str, mode: int) -> None:
        # A link that leads nowhere gets the directory it names.
        here = Path(self.root.resolve(path))
        here.mkdir(parents=True, exist_ok=True)
        here.chmod(mode)

    def _loader_note(self, source: Path) -> str:
        """Say so when the executable would not start in this image."""
        loader = native.interpreter(source)
        if loader is None or self.root.is_file(loader):
            return ""
        return f"it needs {loader}, which is not in the image: use the static executable"


def _failure(doing: str, path: str, error: OSError) -> InstallError:
    where = f" ({error.filename})" if error.filename else ""
    return InstallError(f"unable to {doing} {path}: {error.strerror}{where}")
