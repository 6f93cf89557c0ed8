"""The native executable: where it is, which programs it holds, what it needs to run."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from s6x.native import EXECUTABLE

PT_INTERP = 3


class ExecutableError(Exception):
    """There is no usable native executable; the message says what was tried, and the way out."""


def executable() -> Path:
    """Return the executable that this package brings along.

    Raises ExecutableError when the package was installed without it.
    """
    path = Path(EXECUTABLE)
    if not path.is_file():
        raise ExecutableError(
            f"{path}: this package has no native executable: install s6x from a wheel, or name "
            "the executable by hand"
        )
    return path


def applets(path: Path) -> tuple[str, ...]:
    """Return the names of all programs in the executable, sorted, by asking it.

    Raises ExecutableError when it does not answer as s6x does.
    """
    asked = [str(path), "--list-applets"]
    try:
        answer = subprocess.run(asked, capture_output=True, check=False, timeout=10)
    except OSError as error:
        raise ExecutableError(f"unable to run {path}: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise ExecutableError(f"{path} --list-applets did not end: is it s6x?") from None
    names = answer.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if answer.returncode != 0 or not names:
        said = answer.stderr.decode("utf-8", "replace").strip() or "nothing"
        raise ExecutableError(
            f"{path} --list-applets exited {answer.returncode} and said: {said}: is it s6x?"
        )
    for name in names:
        if not name or "/" in name or not name.isprintable():
            raise ExecutableError(f"{path} --list-applets: {name!r} is no name of a program")
    return tuple(sorted(names))


def interpreter(path: Path) -> str | None:
    """Return the dynamic loader that an ELF file asks for; None for a static or other file."""
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02" or head[5] != 1:
            return None  # only 64-bit little endian: what we build
        (offset,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for index in range(count):
            file.seek(offset + index * size)
            header = file.read(56)
            if len(header) == 56 and struct.unpack_from("<I", header)[0] == PT_INTERP:
                begin, length = struct.unpack_from("<Q", header, 8) + struct.unpack_from(
                    "<Q", header, 32
                )
                file.seek(begin)
                return file.read(length).rstrip(b"\0").decode("utf-8", "replace")
    return None
