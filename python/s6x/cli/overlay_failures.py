"""How the commands about images fail: one sentence for each reason, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from s6x.image import BundleError, ExecutableError, InstallError
from s6x.overlay import PlanError, PlanFormatError

ASKED_BY = "--generation or S6X_COMPAT"
"""Where a wrong name of a generation came from."""

NOT_POSSIBLE = 1
"""The image cannot be planned, or what was asked for does not fit it."""
FAILED = 111
"""A system call failed."""


@contextmanager
def reported(word: str) -> Iterator[None]:
    """Turn the errors of a command into sentences on stderr, and end with their exit code."""
    try:
        yield
    except PlanError as error:
        _end(word, NOT_POSSIBLE, *(str(finding) for finding in error.findings))
    except (PlanFormatError, InstallError, ExecutableError, BundleError) as error:
        _end(word, NOT_POSSIBLE, str(error))
    except OSError as error:
        where = f"unable to use {error.filename}: " if error.filename else ""
        _end(word, FAILED, f"{where}{error.strerror}")


def _end(word: str, code: int, *sentences: str) -> None:
    for sentence in sentences:
        click.echo(f"s6x {word}: fatal: {sentence}", err=True)
    sys.exit(code)
