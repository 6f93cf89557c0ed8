"""`s6x check`: everything wrong or odd about an image, at once."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from s6x.overlay.check import check as check_image
from s6x.overlay.detect import detect
from s6x.overlay.execline import script_findings
from s6x.overlay.findings import Finding
from s6x.overlay.root import Root
from s6x.overlay.shell import shell_findings, shell_of
from s6x.overlay.variables import environment_findings


@click.command(short_help="Say what would not work in an image, or in scripts.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--root", default="/", metavar="DIR", help="The image's root directory.")
@click.option(
    "--generation",
    metavar="v1|v2",
    envvar="S6X_COMPAT",
    help="Check as this; default: $S6X_COMPAT, else what the image shows.",
)
@click.option(
    "--env",
    "-e",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Check this variable, too, as one that the container gets; can be given again.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(
    files: tuple[str, ...],
    root: str,
    generation: str | None,
    variables: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Say what would not work in an image, and what is probably not meant so.

    With FILEs, only these are checked, as scripts of execline or of a shell; programs are looked
    for below the root. Without, the whole image is: with its scripts, and when the root is / the
    variables of the present environment. Exit code: 0, or 1 when there are errors.
    """
    if files:
        findings = [finding for file in files for finding in _file_findings(root, file)]
    else:
        findings = check_image(root, generation)
    environment = dict(variable.partition("=")[::2] for variable in variables)
    if not files and os.path.abspath(root) == "/":  # noqa: PTH100  resolve() would follow links
        environment = {**os.environ, **environment}
    if environment:
        its = detect(Root(root), generation).generation
        findings += environment_findings(environment, its)
    if as_json:
        click.echo(json.dumps([_value(finding) for finding in findings], indent=2))
    else:
        for finding in _together(findings):
            click.echo(f"{finding.level}: {finding}")
    bad = {"error", "warning"} if strict else {"error"}
    sys.exit(1 if any(finding.level in bad for finding in findings) else 0)


def _together(findings: list[Finding]) -> list[Finding]:
    """Make one finding of those that say the same of several files."""
    said: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        same = (finding.level, finding.what, finding.why, finding.remedy)
        said.setdefault(same, []).append(finding)
    return [group[0].replaced(path=", ".join(f.path for f in group)) for group in said.values()]


def _file_findings(root: str, file: str) -> list[Finding]:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        return [
            Finding(
                "error", file, f"unable to read it: {error.strerror}", "so it was not checked",
                "name a file that you can read",
            )
        ]  # fmt: skip
    if shell_of(content) is not None:
        return shell_findings(Root(root), file, content)
    return script_findings(Root(root), file, content)


def _value(finding: Finding) -> dict[str, object]:
    return {name: getattr(finding, name) for name in finding.fields}
