"""Execline scripts: run one, in an empty directory, with nothing but the commands under test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from world.programs import our_executable

ORIGINALS = Path("/usr/lib/execline/bin")
"""Where Debian keeps execline's commands, off the usual PATH."""

PATIENCE_S = 20

COMMANDS = frozenset(
    {
        "background", "backtick", "case", "cd", "define", "dollarat", "elgetopt",
        "elgetpositionals", "elglob", "eltest", "emptyenv", "envfile", "exec",
        "execline-cd", "execline-umask",
        "execlineb", "exit", "export", "export-array", "fdblock", "fdclose", "fdmove", "fdreserve",
        "fdswap", "forbacktickx", "foreground", "forstdin", "forx", "getcwd", "getpid", "heredoc",
        "homeof", "if", "ifelse", "ifte", "ifthenelse", "importas", "loopwhilex", "multidefine",
        "multisubstitute", "pipeline", "piperw", "posix-cd", "posix-umask", "redirfd", "runblock",
        "shift", "trap", "tryexec", "umask", "unexport", "wait", "withstdinas",
    }
)  # fmt: skip
"""What execline 2.9.9 consists of."""


@dataclass(frozen=True)
class Case:
    """A script, what it is run with, and what comes of it (contract execline §6)."""

    name: str
    script: str
    args: tuple[str, ...] = ("-P", "@SCRIPT@")
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    stdout: str = ""
    stderr_contains: str | None = None
    exit: int = 0

    @staticmethod
    def recorded(fields: Mapping[str, Any]) -> Case:
        return Case(**{**fields, "args": tuple(fields["args"])})


@dataclass(frozen=True)
class Ran:
    """How a script ended. Paths that differ between runs are `@SCRIPT@`, `@CWD@`, `@BIN@`."""

    exit: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Commands:
    """A directory with the commands of one implementation."""

    name: Literal["ours", "theirs"]
    directory: Path
    names: frozenset[str]

    def run(self, case: Case, top: Path) -> Ran:
        """Run a script. `top` must exist; the script and its directory are made below."""
        script, cwd = top / "script", top / "cwd"
        script.write_bytes(os.fsencode(case.script))
        cwd.mkdir()
        done = subprocess.run(
            [
                self.directory / "execlineb",
                *(word.replace("@SCRIPT@", str(script)) for word in case.args),
            ],
            env={"PATH": f"{self.directory}:/usr/bin:/bin", **case.env},
            cwd=cwd,
            input=os.fsencode(case.stdin),
            capture_output=True,
            timeout=PATIENCE_S,
            umask=0o022,
            check=False,
        )
        known = ((str(script), "@SCRIPT@"), (str(cwd), "@CWD@"), (str(self.directory), "@BIN@"))
        out, err = os.fsdecode(done.stdout), os.fsdecode(done.stderr)
        for path, name in known:
            out, err = out.replace(path, name), err.replace(path, name)
        shutil.rmtree(cwd)
        return Ran(done.returncode, out, err)


@contextmanager
def commands(name: Literal["ours", "theirs"]) -> Iterator[Commands | None]:
    """Make a directory with the commands of an implementation; None if it is not there."""
    top = Path(tempfile.mkdtemp(prefix="s6x-execline-"))
    try:
        if name == "theirs":
            names = {file.name: file for file in ORIGINALS.iterdir()} if ORIGINALS.exists() else {}
        else:
            names = dict.fromkeys(_our_applets(), our_executable() or Path())
        for command, file in names.items():
            (top / command).symlink_to(file.resolve())
        yield Commands(name, top, frozenset(names)) if names else None
    finally:
        shutil.rmtree(top)


def _our_applets() -> Sequence[str]:
    executable = our_executable()
    if executable is None or not executable.exists():
        return ()
    listed = subprocess.run(
        [executable, "--list-applets"], capture_output=True, text=True, check=True, timeout=30
    )
    return listed.stdout.split()
