"""Loggers, and what is in their directories."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from world.programs import Programs
from world.waiting import PATIENCE_S, NeverHappened, until

ARCHIVE = re.compile(r"@[0-9a-f]{24}\.[su]")
LABEL = re.compile(rb"@4[0-9a-f]{23} ")
DATE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  ")

COMPLETE = 0o744
"""The mode of a complete file, with the umask 022."""


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it said."""

    code: int
    out: bytes
    err: str


def filtered(
    tools: Programs,
    program: str,
    *words: str | Path,
    text: bytes,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program on a text."""
    done = subprocess.run(
        [tools.path(program), *words],
        input=text,
        capture_output=True,
        cwd=cwd,
        env={**tools.environment(), **(env or {})},
        timeout=30,
        check=False,
        umask=0o022,
    )
    return Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def log(tools: Programs, *words: str | Path, text: bytes, cwd: Path, **env: str) -> Ended:
    """Run s6-log on a text."""
    return filtered(tools, "s6-log", *words, text=text, cwd=cwd, env=env)


class Logger:
    """A running s6-log; its input stays open on both ends until `end`."""

    def __init__(self, tools: Programs, words: tuple[str | Path, ...], cwd: Path) -> None:
        self.reader, self.writer = os.pipe()
        ready, notify = os.pipe()
        self.errors = cwd / "errors"
        self.output = cwd / "output"
        with self.errors.open("ab") as err, self.output.open("ab") as out:
            self.popen = subprocess.Popen(
                [tools.path("s6-log"), f"-d{notify}", *words],
                stdin=self.reader,
                stdout=out,
                stderr=err,
                cwd=cwd,
                env=tools.environment(),
                pass_fds=(notify,),
                umask=0o022,
            )
        os.close(notify)
        with os.fdopen(ready, "rb") as pipe:
            self.ready = pipe.read() == b"\n"

    def write(self, text: bytes) -> None:
        os.write(self.writer, text)

    def end(self) -> int:
        """Let the input end, and wait for the logger's end."""
        self.close()
        return self.exit_code()

    def close(self) -> None:
        for name in ("writer", "reader"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def left(self) -> bytes:
        """What nobody has read."""
        os.set_blocking(self.reader, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.reader, 1 << 16)
        return b""

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def exit_code(self) -> int:
        try:
            return self.popen.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise NeverHappened(f"the logger did not end; {self.errors.read_text()}") from error

    def said(self) -> str:
        return self.errors.read_text()


@contextlib.contextmanager
def logger(tools: Programs, *words: str | Path, cwd: Path) -> Iterator[Logger]:
    """Start a logger and wait until it is ready, or has ended."""
    its = Logger(tools, words, cwd)
    try:
        yield its
    finally:
        its.popen.kill()
        its.popen.wait()
        its.close()


def archives(logdir: Path) -> list[Path]:
    """All archives, the oldest first."""
    return sorted(path for path in logdir.iterdir() if ARCHIVE.fullmatch(path.name))


def content(logdir: Path) -> bytes:
    """Everything that is in a logdir, the oldest first."""
    while True:
        files = [*archives(logdir), logdir / "previous", logdir / "current"]
        with contextlib.suppress(FileNotFoundError):  # it has got another name meanwhile
            return b"".join(path.read_bytes() for path in files if path.exists())


def until_logged(logdir: Path, text: bytes) -> None:
    """Wait until everything in a logdir together is this text."""
    until(lambda: content(logdir) == text, f"{text[-80:]!r} in {logdir}")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def numbered(count: int, begin: int = 0) -> bytes:
    """Lines to recognise."""
    return b"".join(b"line %d\n" % number for number in range(begin, begin + count))
