"""Reading an image with everything wrong or odd about it listed at once.

`/init` itself stops only at what makes a plan impossible (`Finding.fatal`): images that boot with
s6-overlay boot here, however odd they are. This is the rest, for whoever builds the image.
"""

from __future__ import annotations

from s6x.overlay.detect import detect
from s6x.overlay.execline import script_findings, scripts
from s6x.overlay.findings import LEVELS, Finding, PlanError
from s6x.overlay.generations.legacy import USER_DIRECTORIES
from s6x.overlay.planner import plan_for
from s6x.overlay.programs import program_findings
from s6x.overlay.root import Root
from s6x.overlay.shell import shell_findings
from s6x.overlay.variables import environment_findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

NAME_LIMIT = 251
"""Bytes that a service's name may have; the supervisor's own names are a little longer."""

OWN_SERVICES = ("s6-fdholderd", "s6-svscan-log")
"""Services that the overlay brings along."""

LEFTOVERS = ("~", ".bak", ".orig", ".rej", ".swp", ".tmp", ".dpkg-old", ".dpkg-dist", ".rpmnew")
"""Ends of names that editors and package tools leave behind."""

NUMBERS = (
    "notification-fd", "lock-fd", "timeout-finish", "timeout-kill", "max-death-tally",
)  # fmt: skip
"""Files of a service directory that hold one decimal number."""

PROFILES = "/etc/cont-profile.d"


def check(
    root: str | os.PathLike[str] | Root = "/", generation: str | None = None
) -> list[Finding]:
    """Return all findings about the image below `root`, errors first.

    `generation` is `v1` or `v2`; None: what the image shows.
    """
    image = root if isinstance(root, Root) else Root(root)
    findings: list[Finding] = []
    try:
        plan_for(image, generation)
    except PlanError as error:
        findings += error.findings
    if not image.is_directory("/"):
        return findings
    its = detect(image, generation).generation
    strict = its == "v1"
    findings += _frame_findings(image)
    findings += _variables_findings(image, its)
    bases = ["/etc"]
    if image.is_directory(PROFILES):
        bases += [f"{PROFILES}/{name}" for name in image.names(PROFILES)]
    for base in bases:
        findings += _base_findings(image, base, strict)
    findings += _script_findings(image, {f.path for f in findings if f.level == "error"})
    return sorted(findings, key=lambda f: (LEVELS.index(f.level), f.path))


def _frame_findings(image: Root) -> list[Finding]:
    """Check what belongs to the image as a whole."""
    findings = []
    if not image.is_file("/init"):
        findings.append(
            Finding(
                "warning", "/init", "there is none", "nothing would run the plan",
                "s6x install --root DIR",
            )
        )  # fmt: skip
    rc = "/etc/s6-overlay/s6-rc.d"
    if image.is_directory(rc) and image.names(rc):
        findings.append(
            Finding(
                "warning", rc, "it holds services of generation v3",
                "this version of s6x starts none of them", "move them to /etc/services.d",
            )
        )  # fmt: skip
    return findings


def _variables_findings(image: Root, generation: str) -> list[Finding]:
    """Check the variables that the image itself sets, each a file."""
    directory = "/etc/s6/init/env-stage2"
    if not image.is_directory(directory):
        return []
    values = {
        name: image.read(f"{directory}/{name}").decode("utf-8", "surrogateescape").strip()
        for name in image.names(directory)
        if image.is_file(f"{directory}/{name}")
    }
    return [
        its.replaced(path=f"{directory}/{its.path}")
        for its in environment_findings(values, generation)
    ]


def _script_findings(image: Root, broken: set[str]) -> list[Finding]:
    """Check execline scripts, but for those that would not even begin to run."""
    findings: list[Finding] = []
    for path, content in scripts(image):
        if path not in broken:
            findings += script_findings(image, path, content)
    return findings


def _base_findings(image: Root, base: str, strict: bool) -> list[Finding]:
    findings: list[Finding] = []
    for name in USER_DIRECTORIES:
        path = f"{base}/{name}"
        status = image.status(path)
        if status is None:
            continue
        if not image.is_directory(path):
            findings.append(
                Finding(
                    "warning", path, "not a directory", "this part of boot is skipped",
                    "make it a directory, or remove it",
                )
            )  # fmt: skip
            continue
        try:
            findings += _CHECKS[name](image, path, strict)
        except OSError as error:
            findings.append(
                Finding(
                    "warning", error.filename or path, f"unable to read it: {error.strerror}",
                    "so it was not checked", "run the check as a user who can read it",
                )
            )  # fmt: skip
    return findings


def _name_findings(path: str, name: str) -> list[Finding]:
    """Check a name that will be printed, sorted and executed."""
    findings = []
    if not name.isprintable():
        findings.append(
            Finding(
                "warning", f"{path}/{name!r}", "its name holds odd characters",
                "log lines about it will be hard to read", "rename it",
            )
        )  # fmt: skip
    if name.endswith(LEFTOVERS):
        findings.append(
            Finding(
                "warning", f"{path}/{name}", "it looks like a leftover of an editor or packager",
                "it is used like any other file here", "remove it, or rename it",
            )
        )  # fmt: skip
    return findings


def _init_findings(image: Root, path: str, strict: bool) -> list[Finding]:
    broken = (
        "boot ends there: later scripts and all services are not started"
        if strict
        else "it counts as a script that exits with 126 or 127"
    )
    return _scripts_findings(image, path, broken)


def _finish_findings(image: Root, path: str, strict: bool) -> list[Finding]:
    del strict  # at the end of the container both generations go on
    return _scripts_findings(image, path, "it counts as a script that exits with 126 or 127")


def _scripts_findings(image: Root, path: str, broken: str) -> list[Finding]:
    findings: list[Finding] = []
    for name in image.names(path):
        findings += _name_findings(path, name)
        findings += _program_findings(image, f"{path}/{name}", "script", broken)
    return findings


def _program_findings(image: Root, path: str, role: str, broken: str) -> list[Finding]:
    """Check whether a file would run, and what is in it, if it is a script of a shell."""
    findings, content = program_findings(image, path, role, broken)
    return findings + shell_findings(image, path, content)


def _services_findings(image: Root, path: str, strict: bool) -> list[Finding]:
    del strict
    findings: list[Finding] = []
    for name in image.names(path):
        service = f"{path}/{name}"
        findings += _name_findings(path, name)
        if not image.is_directory(service):
            findings.append(
                Finding(
                    "warning", service, "not a directory", "it is not a service, and is ignored",
                    f"a service is a directory with a file run: {service}/run",
                )
            )  # fmt: skip
            continue
        if len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
            findings.append(
                Finding(
                    "error", service, f"its name is longer than {NAME_LIMIT} bytes",
                    "no supervisor is started for it", "give it a shorter name",
                )
            )  # fmt: skip
        if name in OWN_SERVICES:
            findings.append(
                Finding(
                    "warning", service, "this name belongs to a service of the overlay itself",
                    "the two are mixed into one directory", "give it another name",
                )
            )  # fmt: skip
        findings += _service_findings(image, service)
        if image.is_directory(f"{service}/log"):
            findings += _service_findings(image, f"{service}/log")
    return findings


def _service_findings(image: Root, service: str) -> list[Finding]:
    """Check one service directory, without its logger."""
    names = image.names(service)
    findings: list[Finding] = []
    if "run" not in names:
        findings.append(
            Finding(
                "error", f"{service}/run", "there is none", "the service can never start",
                "add it, unless a script of cont-init.d does",
            )
        )  # fmt: skip
    for program, broken in (
        ("run", "the service never starts, its supervisor tries again and again"),
        ("finish", "it never runs when the service ends"),
    ):
        if program in names:
            findings += _program_findings(image, f"{service}/{program}", program, broken)
    if "down" in names:
        findings.append(
            Finding(
                "note", f"{service}/down", "the service is not started at boot",
                "it waits for s6-svc -u", "remove the file to have it started",
            )
        )  # fmt: skip
    for name in NUMBERS:
        if name in names:
            findings += _number_findings(image, f"{service}/{name}")
    return findings


def _number_findings(image: Root, path: str) -> list[Finding]:
    content = image.read(path).strip() if image.is_file(path) else b""
    least = 1 if path.endswith("/notification-fd") else 0
    if content.isdigit() and int(content) >= least:
        return []
    return [
        Finding(
            "error", path, f"{content[:40]!r} is no number from {least} on",
            "the supervisor ignores the file", "write one decimal number into it",
        )
    ]  # fmt: skip


def _fix_attrs_findings(image: Root, path: str, strict: bool) -> list[Finding]:
    del strict
    from s6x import _core  # images are planned without the extension; only the check needs it

    accounts = [
        image.read(file) if image.is_file(file) else b"" for file in ("/etc/passwd", "/etc/group")
    ]
    findings: list[Finding] = []
    for name in image.names(path):
        file = f"{path}/{name}"
        findings += _name_findings(path, name)
        if not image.is_file(file):
            findings.append(
                Finding(
                    "warning", file, "not a file", "it is ignored", "rules are lines of a file",
                )
            )  # fmt: skip
            continue
        for number, why in _core.rule_faults(image.read(file), *accounts):
            findings.append(
                Finding(
                    "error", f"{file}, line {number}", why, "the line changes nothing",
                    _rule_remedy(why),
                )
            )  # fmt: skip
    return findings


def _rule_remedy(why: str) -> str:
    if why.startswith("unknown"):
        return (
            "these rules are applied before cont-init.d could add anybody: add it to the image, or "
            "write numbers"
        )
    return "write: path recurse(true|false) account file-mode directory-mode"


_CHECKS = {
    "fix-attrs.d": _fix_attrs_findings,
    "cont-init.d": _init_findings,
    "cont-finish.d": _finish_findings,
    "services.d": _services_findings,
}
