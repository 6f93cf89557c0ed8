"""What is wrong, or odd, with an image: one sentence each, with the way out of it."""

from __future__ import annotations

from s6x.overlay.record import Record

LEVELS = ("error", "warning", "note")


class Finding(Record):
    """One thing found while reading an image."""

    level: str
    """`error`: will not work. `warning`: probably not what was meant. `note`: good to know."""
    path: str
    """In the image; for a setting, its variable."""
    what: str
    why: str
    """What it leads to."""
    remedy: str
    fatal: bool = False
    """No plan can be made."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.path}: {self.what}: {self.why}; {self.remedy}"


class PlanError(Exception):
    """No plan can be made of an image; `findings` holds every reason."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Keep the findings, and say all of them."""
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings
