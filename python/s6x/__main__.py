"""`s6x WORD …` and `python -m s6x WORD …`: to the native executable, or to click.

Whatever has no module in `s6x.cli` is a program of the native executable, which replaces this
process before anything that takes time (click, first of all) is imported. The executable in turn
runs the module `s6x.cli` for words that it does not know, and that one never comes back here.
"""

from __future__ import annotations

import os
import sys

from s6x import native


def main() -> int:
    """Run a command to its end, and return the exit code; or become the native executable."""
    words = sys.argv[1:]
    if words and not words[0].startswith("-") and not native.is_python_command(words[0]):
        _become_native(words)
    if words == ["--version"]:
        from s6x import __version__

        print(f"s6x {__version__}")
        return 0
    from s6x import cli

    return cli.main(words)


def _become_native(words: list[str]) -> None:
    """Return only if there is no native executable."""
    if not os.path.exists(native.EXECUTABLE):  # noqa: PTH110
        return
    from signal import SIG_DFL, SIGPIPE, SIGXFSZ, signal

    # This interpreter ignores them, and what is ignored stays ignored in every program below.
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_DFL)
    # Whatever needs Python later (the planner of `init`) finds the one that has this package,
    # unless somebody has named another.
    environment = {"S6X_PYTHON": sys.executable, **os.environ}
    os.execve(native.EXECUTABLE, ["s6x", *words], environment)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    sys.exit(main())
