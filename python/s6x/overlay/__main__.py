"""The planner: `python3 -I -m s6x.overlay --output-fd N`, or :func:`run`, as `/init` has it.

A container waits for this to end, so it imports nothing but the planner itself: no argparse, no
pathlib, no dataclasses; and what Python would tidy up at its end, the kernel does faster.
"""

from __future__ import annotations

import os
import sys

from s6x.overlay import PlanError, encode, plan_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = (
    "usage: python3 -m s6x.overlay --output FILE | --output-fd N [--root DIR] [--generation v1|v2]"
)
OUTPUTS = ("--output", "--output-fd")
OPTIONS = (*OUTPUTS, "--root", "--generation")


def main(args: list[str]) -> int:
    """Plan an image, write the plan, and return the exit code.

    0: FILE, or what descriptor N stands for, holds the plan. 1: no plan can be made; stderr has
    each reason as one sentence, and nothing was written. 100: usage. 111: it cannot be written.
    """
    if args in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    options = dict(zip(args[::2], args[1::2], strict=False))
    outputs = [word for word in OUTPUTS if word in options]
    if len(args) % 2 or not options.keys() <= {*OPTIONS} or len(outputs) != 1:
        return _fail(100, USAGE)
    output = options[outputs[0]]
    if outputs == ["--output-fd"] and not output.isdecimal():
        return _fail(100, USAGE)
    asked_by = "--generation" if "--generation" in options else "S6X_COMPAT"
    asked = options.get("--generation", os.environ.get("S6X_COMPAT"))
    try:
        data = encode(plan_for(options.get("--root", "/"), asked, asked_by=asked_by))
    except PlanError as error:
        for finding in error.findings:
            _fail(1, f"s6x: fatal: {finding}")
        return 1
    try:
        if outputs == ["--output"]:
            write_whole(output, data)
        else:
            with open(int(output), "wb", closefd=False) as file:
                file.write(data)
    except OSError as error:
        where = output if outputs == ["--output"] else f"to descriptor {output}"
        return _fail(111, f"s6x: fatal: unable to write {where}: {error.strerror}")
    return 0


def run() -> NoReturn:
    """Do the same with the words of this process, and end it with the code."""
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


def write_whole(path: str, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new one. Raises OSError."""
    new = f"{path}.{os.getpid()}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.rename(new, path)
    except OSError:
        os.unlink(new)
        raise


def _fail(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
