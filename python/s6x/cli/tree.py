"""`s6x tree`: the scanner, the supervisors, the daemons, and their children."""

from __future__ import annotations

from collections.abc import Iterator

import click

from s6x.supervise import Process, ScanDir


@click.command(short_help="Show the processes of the running tree.")
@click.option("--scandir", metavar="DIR", help="Default: $S6X_SCANDIR, else the running one.")
def tree(scandir: str | None) -> None:
    """Show the processes of the running tree, each with its number and command line."""
    scanner, *rest = ScanDir(scandir).processes()
    children: dict[int, list[Process]] = {}
    for process in rest:
        children.setdefault(process.parent, []).append(process)
    for line in _lines(scanner, children, "", ""):
        click.echo(line)


def _lines(
    process: Process, children: dict[int, list[Process]], first: str, rest: str
) -> Iterator[str]:
    yield f"{first}{process.pid} {process}"
    below = sorted(children.get(process.pid, []), key=lambda child: child.pid)
    for child in below:
        last = child is below[-1]
        yield from _lines(
            child, children, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  ")
        )
