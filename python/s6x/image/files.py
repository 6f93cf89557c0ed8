"""Files that a reader sees whole, the old content or the new one."""

from __future__ import annotations

import stat
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file under another name, then rename it. Raises OSError.

    Without a mode it gets the usual one, less the umask.
    """
    new = path.with_name(f".{path.name}.s6x-new")
    new.unlink(missing_ok=True)
    new.write_bytes(content)
    if mode is not None:
        new.chmod(stat.S_IMODE(mode))
    new.replace(path)
