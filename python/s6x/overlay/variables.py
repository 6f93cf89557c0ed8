"""Checking an environment against the table: misspelt names, values that do nothing."""

from __future__ import annotations

from difflib import get_close_matches

from s6x.overlay.findings import Finding
from s6x.overlay.settings import SETTINGS, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OF_V3 = frozenset(
    {
        "S6_CATCHALL_USER", "S6_CMD_RECEIVE_SIGNALS", "S6_CMD_USE_TERMINAL",
        "S6_RUNTIME_BUNDLEDIR", "S6_SERVICES_READYTIME", "S6_STAGE2_HOOK", "S6_VERBOSITY",
        "S6_WAIT_FOR_CLOSING_FD", "S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES",
    }
)  # fmt: skip
"""Variables that only generation v3 knows."""

OTHERS = ("S6_OVERLAY_", "S6_FD", "S6_STAGE2_EXITED", "S6X_PYTHON", "S6X_SCANDIR")
"""Beginnings of names that mean something elsewhere: to Dockerfiles, to programs of s6."""


def environment_findings(environ: Mapping[str, str], generation: str) -> list[Finding]:
    """Return what is odd about the variables that `/init` of this generation would get."""
    known = {its.name: its for its in SETTINGS if generation in its.generations}
    findings = []
    for name in sorted(environ):
        if name in known:
            findings += _value_findings(known[name], environ[name])
        elif name.startswith(("S6_", "S6X_")) and not name.startswith(OTHERS):
            findings.append(_unknown(name, known, generation))
    return findings


def _value_findings(setting: Setting, value: str) -> list[Finding]:
    if setting.kind in ("ms", "level") and value and not (value.isascii() and value.isdigit()):
        return [
            Finding(
                "warning", setting.name, f"{value!r} is no decimal number",
                f"it counts as {setting.default}", "write digits only",
            )
        ]  # fmt: skip
    if setting.kind == "flag" and value and not (value.isascii() and value.isdigit()):
        return [
            Finding(
                "warning", setting.name, f"{value!r} is no decimal number",
                "any word counts as on", "write 0 for off, 1 for on",
            )
        ]  # fmt: skip
    if setting.kind == "path" and value and not value.startswith("/"):
        return [
            Finding(
                "warning", setting.name, f"{value!r} is not an absolute path",
                "it is passed over", "begin it with a slash",
            )
        ]  # fmt: skip
    return []


def _unknown(name: str, known: dict[str, Setting], generation: str) -> Finding:
    if name in OF_V3 or any(its.name == name for its in SETTINGS):
        return Finding(
            "note", name, f"generation {generation} does not know it", "it changes nothing",
            "leave it out",
        )  # fmt: skip
    near = get_close_matches(name, known, 1)
    remedy = (
        f"did you mean {near[0]}?" if near else "the known ones are in docs/guides/variables.md"
    )
    return Finding(
        "warning", name, "no variable of this name is known", "it changes nothing", remedy
    )
