"""Tarballs that are the same, byte for byte, whenever they are made of the same files.

Owners are root, times are the epoch, members are sorted. Directories that hold something are left
to whoever unpacks: a member for `bin` would replace an image's link `/bin` → `usr/bin`.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

EPOCH = 0
"""Seconds; the modification time of every member."""


def pack(root: Path) -> bytes:
    """Return everything below `root` as `.tar.xz`. Links stay as they are; modes are kept."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, path in sorted((p.relative_to(root).as_posix(), p) for p in root.rglob("*")):
            if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
                continue
            _add(archive, path, name)
    return lzma.compress(plain.getvalue(), preset=9)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.mtime = EPOCH
    member.uname = member.gname = "root"
    if path.is_symlink():
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(member)
    elif path.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, path.stat().st_mode & 0o7777
        archive.addfile(member)
    else:
        content = path.read_bytes()
        member.size, member.mode = len(content), path.stat().st_mode & 0o7777
        archive.addfile(member, io.BytesIO(content))
