"""An image → the plan of its `/init`."""

from __future__ import annotations

from s6x import __version__
from s6x.overlay import text
from s6x.overlay.detect import detect
from s6x.overlay.findings import Finding, PlanError
from s6x.overlay.generations import v1, v2
from s6x.overlay.generations.legacy import STATE, plan_of
from s6x.overlay.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from s6x.overlay.plan import Plan

GENERATIONS = {"v1": v1.GENERATION, "v2": v2.GENERATION}

RULES = "/etc/s6/init/init-stage2-fixattrs.txt"
"""The image's own rules for the permissions of user files."""


def plan_for(
    root: str | os.PathLike[str] | Root = "/",
    generation: str | None = None,
    *,
    asked_by: str = "generation",
) -> Plan:
    """Return the plan of the image below `root`.

    `generation` is `v1` or `v2`; None or empty: what the image shows. `asked_by` names where
    that came from, in errors. Raises PlanError with every reason at once.
    """
    image = root if isinstance(root, Root) else Root(root)
    findings: list[Finding] = []
    if not image.is_directory("/"):
        raise PlanError((_no_root(image),))
    detection = detect(image, generation, asked_by)
    if detection.finding is not None:
        findings.append(detection.finding)
    rules = _rules(image, findings)
    if findings:
        raise PlanError(tuple(findings))
    plan = plan_of(GENERATIONS[detection.generation], rules)
    return plan.replaced(
        inputs=tuple(sorted(image.inputs.items())),
        made_by=f"s6x {__version__} ({detection.why})",
    )


def _no_root(image: Root) -> Finding:
    return Finding(
        "error", image.path, "no such directory", "there is no image to read",
        "name the directory that is the image's root", fatal=True,
    )  # fmt: skip


def _rules(image: Root, findings: list[Finding]) -> str | None:
    """Return the image's own permission rules as a text, or None where it has none."""
    try:
        content = image.read_input(RULES)
    except OSError as error:
        findings.append(
            Finding(
                "error", RULES, f"unable to read it: {error.strerror}",
                "it says which permissions user files get at boot",
                "make it readable, or remove it to get the usual rules",
                fatal=True,
            )
        )  # fmt: skip
        return None
    if content is None:
        return None
    if b"\0" in content:
        findings.append(
            Finding(
                "error", RULES, "it holds NUL bytes, so it is no text",
                "it says which permissions user files get at boot",
                "write it again, or remove it to get the usual rules",
                fatal=True,
            )
        )  # fmt: skip
        return None
    lines = text.literal(content.decode("utf-8", "surrogateescape")).splitlines(keepends=True)
    # The file names the state directory as v1 and v2 have it; here it may be elsewhere.
    return "".join(
        "{run}" + line.removeprefix(STATE) if line.startswith(f"{STATE}/") else line
        for line in lines
    )
