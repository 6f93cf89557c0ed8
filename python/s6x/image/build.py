"""Making the plan while the image is built, so that `/init` needs no Python at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from s6x.image.files import write_whole
from s6x.overlay.check import check
from s6x.overlay.codec import PlanFormatError, decode, encode
from s6x.overlay.findings import Finding
from s6x.overlay.plan import Plan
from s6x.overlay.planner import plan_for
from s6x.overlay.root import Root

PLAN = "/etc/s6x/plan"
"""Where `/init` looks for a plan."""


@dataclass(frozen=True)
class Built:
    """What was written, and what to know about the image."""

    path: str
    """In the image."""
    plan: Plan
    size: int
    """Bytes."""
    changed: bool
    """The image had no plan, or another one."""
    findings: tuple[Finding, ...]
    """Everything odd about the image; none of it is fatal."""


def build(
    root: str | os.PathLike[str] = "/",
    generation: str | None = None,
    *,
    asked_by: str = "generation",
) -> Built:
    """Write the plan of the image below `root` into it.

    `generation` is `v1` or `v2`; None: what the image shows; `asked_by` names where that came from,
    in errors. Raises PlanError when no plan can be made, with every reason; OSError when it cannot
    be written.
    """
    plan = plan_for(root, generation, asked_by=asked_by)
    data = encode(plan)
    here = Path(Root(root).resolve(PLAN))
    changed = not here.is_file() or here.read_bytes() != data
    if changed:
        here.parent.mkdir(parents=True, exist_ok=True)
        write_whole(here, data, 0o644)
    return Built(PLAN, plan, len(data), changed, tuple(check(root, generation)))


def is_stale(root: str | os.PathLike[str] = "/") -> bool:
    """Say whether `/init` would have to plan again: no plan, a foreign one, or changed inputs."""
    return stale_because(root) is not None


def stale_because(root: str | os.PathLike[str] = "/") -> str | None:
    """Return why the prebuilt plan does not count, as one sentence; None when it does."""
    image = Root(root)
    try:
        plan = decode(image.read(PLAN))
    except FileNotFoundError:
        return f"{PLAN}: there is none"
    except OSError as error:
        return f"unable to read {PLAN}: {error.strerror}"
    except PlanFormatError as error:
        return f"{PLAN}: {error}"
    for path, fingerprint in plan.inputs:
        try:
            now = image.fingerprint(path, fingerprint[:1])
        except OSError as error:
            return f"unable to read {path}: {error.strerror}"
        if now != fingerprint:
            return f"{path} is not what it was when the plan was made"
    return None
