"""Service directories from Python values."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Content: TypeAlias = "str | bytes | int | Mapping[str, Content] | None"
"""A file's text or bytes; a number on a line; None for an empty file; a mapping for a directory."""

Plan: TypeAlias = "str | Sequence[str] | Mapping[str, Content]"
"""A service: its run script, or the words of a command, or all files of its service directory."""

EXECUTABLE = ("run", "finish", "check")


def plant(scandir: Path, services: Mapping[str, Plan]) -> None:
    """Write service directories into an existing directory.

    Files called run, finish and check (and text that begins with `#!`) become executable. Raises
    ValueError for what cannot be a service, OSError.
    """
    for name, plan in services.items():
        files = _files(name, plan)
        if "run" not in files:
            raise ValueError(f"service {name} has no run script: give it a file `run`")
        _write(scandir / _checked(name, "service"), files)


def _files(name: str, plan: Plan) -> Mapping[str, Content]:
    if isinstance(plan, Mapping):
        return plan
    if isinstance(plan, str):
        if not plan.startswith("#!"):
            raise ValueError(
                f"the run script of service {name} does not begin with `#!`: write the interpreter "
                "there, or give the words of a command as a list"
            )
        return {"run": plan}
    if not plan:
        raise ValueError(f"the command of service {name} has no words")
    return {"run": f"#!/bin/sh\nexec {shlex.join(plan)}\n"}


def _write(path: Path, content: Content) -> None:
    if isinstance(content, Mapping):
        path.mkdir(mode=0o755)
        for name, inner in content.items():
            _write(path / _checked(name, "file"), inner)
        return
    if isinstance(content, int):
        content = f"{content}\n"
    data = (content or "").encode() if not isinstance(content, bytes) else content
    path.write_bytes(data)
    path.chmod(0o755 if path.name in EXECUTABLE or data.startswith(b"#!") else 0o644)


def _checked(name: str, kind: str) -> str:
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise ValueError(f"{name!r} is no name of a {kind}")
    if kind == "service" and name.startswith("."):
        raise ValueError(f"{name!r} is no name of a service: a scanner skips names with a dot")
    return name
