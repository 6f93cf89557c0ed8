"""`s6x status`: every service of the running tree at a glance, and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from s6x.cli.report import Report, report_on
from s6x.supervise import Events, ScanDir, Service, TimedOut


@click.command(short_help="Show the state of services.")
@click.argument("names", nargs=-1, metavar="[SERVICE]...")
@click.option("--scandir", metavar="DIR", help="Default: $S6X_SCANDIR, else the running one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/formats.md).")
@click.option("--watch", is_flag=True, help="Again after every change, until Ctrl-C.")
def status(names: Sequence[str], scandir: str | None, as_json: bool, watch: bool) -> int:
    """Show the state of services: all, with their loggers, or those that are named.

    A service is named by its name in the scan directory (web, or web/log for its logger), or by
    the path of its service directory, if that exists.

    \b
    Exit codes:
      0    every service shown is as it is wanted: up, and ready if it reports that;
           or down on purpose
      1    some are not
      3    none is up
      4    no scan directory, or no service of that name
    """  # noqa: D301
    only_paths = bool(names) and all(_is_path(name) for name in names)
    tree = None if only_paths and not scandir else ScanDir(scandir)
    shown = _wanted(tree, names)
    if watch:
        _watch(tree, shown, as_json)
    return _show(report_on(tree, shown), as_json)


def _watch(tree: ScanDir | None, shown: list[Service], as_json: bool) -> NoReturn:
    with Events(shown) as events:
        while True:
            if sys.stdout.isatty() and not as_json:
                click.clear()
            _show(report_on(tree, shown), as_json)
            sys.stdout.flush()
            events.next()
            with suppress(TimedOut):  # what comes at once is shown at once
                while True:
                    events.next(0.05)


def _wanted(tree: ScanDir | None, names: Sequence[str]) -> list[Service]:
    if not names:
        return [] if tree is None else tree.services(loggers=True)
    return [
        Service(name) if tree is None or _is_path(name) else tree.service(name) for name in names
    ]


def _is_path(name: str) -> bool:
    """Whether a service is named by path, as the programs see it."""
    return name.startswith((".", "/")) or Path(name).is_dir()


def _show(report: Report, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        for line in report.as_table():
            click.echo(line)
    return report.code
