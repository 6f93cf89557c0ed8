"""Guides that are run: the commands of a page in their order, and what they show.

A block that begins with ```console holds commands (`$ ` before each; a backslash at the end of a
line goes on in the next) and below each what it writes to stdout: `...` stands for anything, on a
line of its own for any lines; blanks count once. A command that only looks is repeated until it
shows what the page says: a page has no room for waiting.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from world.waiting import NeverHappened, until

LOOKS = re.compile(
    r"curl |podman (logs|ps|inspect|healthcheck) |podman exec (-\S+ )*\S+ "
    r"(ps|cat|tail|wget|s6-svstat|s6x (svstat|status|tree))\b"
)
"""Commands that change nothing."""

LIMIT_S = 200


@dataclass(frozen=True)
class Command:
    """A command of a page, and the lines below it."""

    line: str
    shown: str

    def matches(self, said: str) -> bool:
        if not self.shown:
            return True
        lines = [re.escape(" ".join(line.split())) for line in self.shown.splitlines()]
        rest = r"(?:[^\n]*\n)*?"
        pattern = "".join(
            rest if line == r"\.\.\." else line.replace(r"\.\.\.", r"[^\n]*") + "\n"
            for line in lines
        )
        squeezed = "".join(" ".join(line.split()) + "\n" for line in said.splitlines())
        return re.fullmatch(pattern, squeezed) is not None


@dataclass
class Page:
    """A page being run, in a directory and an environment."""

    path: Path
    directory: Path
    env: Mapping[str, str]
    changes: Mapping[str, str] = field(default_factory=dict)
    """What this machine wants otherwise: a free port, for instance. Old text → new."""
    instead: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """What has been made already, and is only put where the command would put it."""
    port: int = 0
    """What is in the place of 8080."""
    done: int = 0
    """How many commands have been run."""

    def __post_init__(self) -> None:
        text = self.path.read_text()
        for old, new in self.changes.items():
            text = text.replace(old, new)
        self.commands = commands_of(text)
        assert self.commands, f"{self.path} has no commands"

    def run_until(self, beginning: str) -> None:
        """Run the commands before the first of the rest that begins so."""
        for index in range(self.done, len(self.commands)):
            if self.commands[index].line.startswith(beginning):
                return self._run_to(index)
        raise AssertionError(f"{self.path}: no command begins with {beginning!r}")

    def run_rest(self) -> None:
        self._run_to(len(self.commands))

    def _run_to(self, end: int) -> None:
        for command in self.commands[self.done : end]:
            if command.line in self.instead:
                self.instead[command.line]()
            else:
                self._run(command)
            self.done += 1

    def _run(self, command: Command) -> None:
        said: list[str] = []

        def once() -> bool:
            done = subprocess.run(
                ["sh", "-c", command.line],
                cwd=self.directory,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=LIMIT_S,
                check=False,
            )
            said[:] = [done.stdout, done.stderr, f"exit code {done.returncode}"]
            return done.returncode == 0 and command.matches(done.stdout)

        patience_s = 30 if LOOKS.match(command.line) else 0
        try:
            until(once, timeout_s=patience_s)
        except NeverHappened:
            shown = "\n".join(said)[-6000:]
            raise AssertionError(
                f"{self.path.name}: {command.line}\nshould show:\n{command.shown}\nsaid:\n{shown}"
            ) from None


def commands_of(text: str) -> list[Command]:
    """Return the commands in the console blocks of a page."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert block.startswith("$ "), block
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            count = 1
            while lines[count - 1].endswith("\\"):
                count += 1
            line = "".join(f"{piece.removesuffix(chr(92)).strip()} " for piece in lines[:count])
            found.append(Command(line.strip(), "".join(f"{x}\n" for x in lines[count:])))
    return found
