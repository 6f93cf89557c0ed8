r"""Directory trees from a dictionary.

    plant(top, {
        "web/run!": "#!/bin/sh\nexec sleep 1000\n",     # `!` at the end: executable
        "web/notification-fd": "3\n",
        "web/log": {"run!": LOGGER},                     # a dictionary is a directory
        "web/hold": FIFO,
        "web/current": Link("../elsewhere"),
    })

Parents are made as needed; the modes do not depend on the umask of whoever runs the tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias


@dataclass(frozen=True)
class Link:
    """A symbolic link to `target`, which need not exist."""

    target: str | Path


@dataclass(frozen=True)
class Fifo:
    """A named pipe."""


FIFO: Final = Fifo()

Content: TypeAlias = "str | bytes | Link | Fifo | Mapping[str, Content]"


def script(body: str, shebang: str = "#!/bin/sh") -> str:
    """Return the content of a script."""
    return f"{shebang}\n{body}\n"


def plant(top: Path, content: Mapping[str, Content]) -> Path:
    """Make everything `content` describes below `top` (made too), and return `top`."""
    top.mkdir(parents=True, exist_ok=True)
    for name, what in content.items():
        path = top / name.removesuffix("!")
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path, what, executable=name.endswith("!"))
    return top


def _make(path: Path, what: Content, *, executable: bool) -> None:
    if isinstance(what, Link):
        path.symlink_to(what.target)
    elif isinstance(what, Fifo):
        os.mkfifo(path, 0o600)
    elif isinstance(what, Mapping):
        plant(path, what)
    else:
        path.write_bytes(what.encode() if isinstance(what, str) else what)
        path.chmod(0o755 if executable else 0o644)
