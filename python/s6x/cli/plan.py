"""`s6x plan`: what this container would do, in which order, and why."""

from __future__ import annotations

from pathlib import Path

import click

from s6x.cli import overlay_failures
from s6x.overlay import decode, encode, plan_for
from s6x.overlay.render import render_text, to_json


@click.command(short_help="Show what /init does in an image.")
@click.option("--root", default="/", metavar="DIR", help="The image's root directory.")
@click.option(
    "--generation",
    metavar="v1|v2",
    envvar="S6X_COMPAT",
    help="Behave as this; default: $S6X_COMPAT, else what the image shows.",
)
@click.option("--file", "file", metavar="FILE", help="Show this plan instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole plan as JSON.")
@click.option("--output", metavar="FILE", help="Write the plan itself, as /init reads it.")
def plan(
    root: str, generation: str | None, file: str | None, as_json: bool, output: str | None
) -> None:
    """Show what /init does in an image: boot, stop, and what each depends on.

    Nothing is run, and nothing but FILE is written.
    """
    with overlay_failures.reported("plan"):
        if file is not None:
            its = decode(Path(file).read_bytes())
        else:
            its = plan_for(root, generation, asked_by=overlay_failures.ASKED_BY)
        if output is not None:
            Path(output).write_bytes(encode(its))
        else:
            click.echo(to_json(its) if as_json else render_text(its), nl=False)
