"""`s6x install`: laying s6x out in an image."""

from __future__ import annotations

import click

from s6x import image
from s6x.cli import overlay_failures
from s6x.image.install import KEPT
from s6x.overlay.detect import KNOWN, detect
from s6x.overlay.root import Root


@click.command(short_help="Lay out /init, the programs and the directories in an image.")
@click.option("--root", required=True, metavar="DIR", help="The image's root directory.")
@click.option(
    "--generation",
    type=click.Choice(KNOWN),
    help="Which generation of s6-overlay to be; default: what the image shows.",
)
@click.option("--executable", metavar="FILE", help="The native executable; default: our own.")
@click.option("--replace", is_flag=True, help="Replace programs of others, s6-overlay's own too.")
@click.option("--build/--no-build", default=True, help="Also make the plan (the default).")
@click.option("-v", "--verbose", is_flag=True, help="List every path.")
def install(
    root: str,
    generation: str | None,
    executable: str | None,
    replace: bool,
    build: bool,
    verbose: bool,
) -> None:
    """Lay out /init, the programs and the directories of s6-overlay below DIR.

    What is there already stays, unless --replace says that programs give way. Doing it again
    changes nothing.
    """
    with overlay_failures.reported("install"):
        chosen = generation or detect(Root(root)).generation
        changes = image.install(root, chosen, executable, replace=replace)
        for change in changes:
            if verbose or change.note:
                note = f": {change.note}" if change.note else ""
                click.echo(f"{change.action} {change.path}{note}")
        counts = [(word, [c.action for c in changes].count(word)) for word in _actions(changes)]
        said = ", ".join(f"{count} {word}" for word, count in counts)
        click.echo(f"s6x install: generation {chosen} in {root}: {said}")
        if any(change.action == KEPT for change in changes) and not replace:
            click.echo("s6x install: what was kept is not ours: --replace puts ours there")
        if build:
            built = image.build(root, chosen)
            click.echo(f"s6x install: plan in {built.path}, {built.size} bytes")


def _actions(changes: list[image.Change]) -> list[str]:
    return list(dict.fromkeys(change.action for change in changes))
