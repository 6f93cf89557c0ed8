"""`s6x status`: every service of the running tree at a glance, and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from s6x.cli.report import Report, report_on
from s6x.supervise import Events, ScanDir, Service, TimedOut
from s6x.supervise.scandir import VARIABLE


@click.command()
@click.argument("names", nargs=-1, metavar="[SERVICE]...")
@click.option("--scandir", envvar=VARIABLE, metavar="DIR", help="Default: the running one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/formats.md).")
@click.option("--watch", is_flag=True, help="Again after every change, until Ctrl-C.")
def status(names: Sequence[str], scandir: str | None, as_json: bool, watch: bool) -> int:
    r"""Show the state of services: all, with their loggers, or those that are named.

    A service is named by its name in the scan directory (web, or web/log for its logger), or by
    the path of its service directory.

    \b
    Exit code:
      0    every service shown is as it is wanted: up, and ready if it reports that;
           or down on purpose
      1    some are not
      3    none is up
      4    no scan directory, or no service of that name
    """
    by_path = [Service(name) for name in names if name.startswith((".", "/"))]
    tree = None
    if scandir or len(by_path) < len(names) or not names:
        tree = ScanDir(scandir)
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
        Service(name) if tree is None or name.startswith((".", "/")) else tree.service(name)
        for name in names
    ]


def _show(report: Report, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        for line in report.as_table():
            click.echo(line)
    return report.code
