"""`s6x build`: making the plan while the image is built."""

from __future__ import annotations

import sys

import click

from s6x import image
from s6x.cli import overlay_failures


@click.command(short_help="Write the plan of an image into it.")
@click.option("--root", default="/", metavar="DIR", help="The image's root directory.")
@click.option(
    "--generation",
    metavar="v1|v2",
    envvar="S6X_COMPAT",
    help="Behave as this; default: $S6X_COMPAT, else what the image shows.",
)
@click.option(
    "--check", "only_check", is_flag=True, help="Only say whether the plan is up to date."
)
def build(root: str, generation: str | None, only_check: bool) -> None:
    """Write the plan of an image into it, so that /init needs no Python to boot.

    With --check nothing is written; exit code 1 and the reason when the plan is stale.
    """
    with overlay_failures.reported("build"):
        if only_check:
            why = image.stale_because(root)
            click.echo(f"s6x build: the plan is {'up to date' if why is None else f'stale: {why}'}")
            sys.exit(0 if why is None else 1)
        built = image.build(root, generation, asked_by=overlay_failures.ASKED_BY)
        for finding in built.findings:
            click.echo(f"{finding.level}: {finding}", err=True)
        state = "written" if built.changed else "unchanged"
        click.echo(
            f"s6x build: {built.path} {state}: generation {built.plan.generation}, "
            f"{built.size} bytes ({built.plan.made_by})"
        )
