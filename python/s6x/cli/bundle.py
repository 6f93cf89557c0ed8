"""`s6x bundle`: tarballs for a Dockerfile's ADD."""

from __future__ import annotations

import click

from s6x.cli import overlay_failures
from s6x.image import bundle as bundles
from s6x.overlay.detect import KNOWN


@click.command()
@click.option("--generation", type=click.Choice(KNOWN), default="v2", help="Default: v2.")
@click.option("--output", default=".", metavar="DIR", help="Where to write them; default: here.")
@click.option("--executable", metavar="FILE", help="The native executable; default: our own.")
@click.option("--only", type=click.Choice(bundles.KINDS), help="Only this one of the two tarballs.")
def bundle(generation: str, output: str, executable: str | None, only: str | None) -> None:
    """Write two tarballs to be unpacked at the root of an image.

    native: /init, the programs and the directories of a generation; enough for an image with a
    prebuilt plan. python: a private Python with s6x, so that /init can plan in an image that has
    no Python. The same s6x writes the same bytes.
    """
    with overlay_failures.reported("bundle"):
        kinds = (only,) if only else bundles.KINDS
        for made in bundles.bundle(output, generation, executable, kinds):
            click.echo(f"{made.path}: {made.size} bytes")
