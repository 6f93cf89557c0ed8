"""The commands for people.

`s6x NAME` is the click command `NAME` in the module `s6x.cli.NAME` (`-` in the name is `_` there);
a module is imported when its command is wanted, so one command never pays for another.

Exit codes, unless a command says otherwise: 0; 4 no scan directory, or no service of that name; 100
usage; 111 something failed.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s6x import __version__, native
from s6x.errors import NotSupervised, SupervisionError, UnknownService

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING_THERE = 4
USAGE = 100
FAILED = 111


class Commands(click.Group):
    """The group of all commands, each loaded on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands that there are modules for."""
        modules = sorted(path.stem for path in Path(__file__).parent.glob("*.py*"))
        return [name.replace("_", "-") for name in modules if not name.startswith("_")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None if there is no such module, or it only helps others."""
        if not native.is_python_command(cmd_name):
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"{__name__}.{name}"), name, None)
        return command if isinstance(command, click.Command) else None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the words that the native executable understands."""
        words = _native_words()
        if words:
            with formatter.section("Programs (s6x WORD --help, or by their own names)"):
                formatter.write(_wrapped(words, formatter.width, " " * formatter.current_indent))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="s6x %(version)s")
def commands() -> None:
    """Container init and process supervision."""


def main(words: Sequence[str]) -> int:
    """Run a command to its end, and return the exit code. Expected failures become sentences."""
    called = "s6x" if not words or words[0].startswith("-") else f"s6x {words[0]}"
    try:
        result = commands.main(list(words), prog_name="s6x", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        help_for = error.ctx.command_path if error.ctx else "s6x"
        return _fail(called, f"{error.format_message()} ({help_for} --help says more)", USAGE)
    except click.ClickException as error:
        return _fail(called, error.format_message(), FAILED)
    except (NotSupervised, UnknownService) as error:
        return _fail(called, str(error), NOTHING_THERE)
    except SupervisionError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        return _fail(called, str(error), NOTHING_THERE if missing else FAILED)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    return result if isinstance(result, int) else 0


def _fail(called: str, sentence: str, code: int) -> int:
    print(f"{called}: fatal: {sentence}", file=sys.stderr)
    return code


def _wrapped(words: list[str], width: int, indent: str) -> str:
    """Put words on lines; click would break them at their hyphens."""
    import textwrap

    wrapper = textwrap.TextWrapper(
        width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return wrapper.fill(" ".join(words)) + "\n"


def _native_words() -> list[str]:
    import subprocess

    try:
        asked = [native.EXECUTABLE, "--list-applets"]
        listed = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # the help is not the place to complain
    return [name.removeprefix("s6-") for name in listed.stdout.split()]
