"""`s6x bundle`: two tarballs to be unpacked at the root of an image.

*native*: `/init`, the executable, its links and the directories of a generation. *python*: a
private Python with s6x, for the planner and the commands for people, in images that have none.
"""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path

from s6x import __version__
from s6x.image import archive
from s6x.image.files import write_whole
from s6x.image.install import install
from s6x.image.runtime import BundleError, build_runtime

NATIVE, PYTHON = "native", "python"
KINDS = (NATIVE, PYTHON)


@dataclass(frozen=True)
class Bundled:
    """A tarball that was written."""

    path: Path
    kind: str
    size: int
    """Bytes, compressed."""


def bundle(
    directory: str | os.PathLike[str],
    generation: str,
    executable: str | os.PathLike[str] | None = None,
    kinds: tuple[str, ...] = KINDS,
) -> list[Bundled]:
    """Write the tarballs of these kinds into `directory`, and return what was written.

    Their bytes depend on nothing but s6x, the generation and the interpreter. `executable` is the
    native executable; None: the one in this package. Raises BundleError, InstallError or
    ExecutableError.
    """
    made = []
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="s6x-bundle-") as scratch:
            root = Path(scratch, "root")
            root.mkdir(mode=0o755)
            if kind == NATIVE:
                install(root, generation, executable, absolute=True)
            else:
                build_runtime(root)
            data = archive.pack(root)
        path = Path(directory, _name(kind, generation))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise BundleError(f"unable to write {path}: {error.strerror}") from error
        made.append(Bundled(path, kind, len(data)))
    return made


def _name(kind: str, generation: str) -> str:
    middle = f"-{generation}" if kind == NATIVE else ""
    return f"s6x-{kind}{middle}-{__version__}-{platform.machine()}.tar.xz"
