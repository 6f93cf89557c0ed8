"""Would this file of the image run? What execve would find, read without running anything."""

from __future__ import annotations

import stat

from s6x.overlay.findings import Finding
from s6x.overlay.generations.legacy import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.root import Root

ELF = b"\x7fELF"
BOM = b"\xef\xbb\xbf"

LINE_LIMIT = 253
"""Bytes behind #! that the kernel reads of a first line (BINPRM_BUF_SIZE less what ends it)."""

LOOKING_UP = ("with-contenv", "with-contenv-legacy", "env")
"""Interpreters that look their argument up in PATH."""

OURS = ("with-contenv", "with-contenv-legacy", "execlineb")
"""Interpreters that come with the overlay."""


def program_findings(root: Root, path: str, role: str, broken: str) -> tuple[list[Finding], bytes]:
    """Return what keeps the file from running, or is odd about it, and its content.

    `role` says what the file is for ("script", "run"), `broken` what happens at boot if it cannot
    be executed. What cannot be read is empty.
    """
    status = root.status(path)
    if status is None:
        return [
            Finding(
                "error", path, "a link that leads nowhere", broken,
                "let it point to a file of the image, or remove it",
            )
        ], b""  # fmt: skip
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        return [
            Finding(
                "error", path, f"{kind} where a {role} is expected", broken, "move it elsewhere"
            )
        ], b""
    try:
        content = root.read(path)
    except OSError as error:
        return [
            Finding(
                "warning", path, f"unable to read it: {error.strerror}",
                "so its interpreter was not checked", "run the check as a user who can read it",
            )
        ], b""  # fmt: skip
    findings = _content_findings(root, path, content, broken)
    if not status.st_mode & 0o111:
        findings.append(
            Finding(
                "note", path, "not executable", "it is made executable when the container boots",
                "chmod +x it in the image, then it also works with a read-only root",
            )
        )  # fmt: skip
    return findings, content


def _content_findings(root: Root, path: str, content: bytes, broken: str) -> list[Finding]:
    if content.startswith(ELF):
        return []
    if content.startswith(BOM + b"#!"):
        return [
            Finding(
                "error", path, "it begins with a byte order mark, and not with #!",
                f"the kernel sees no script in it: {broken}",
                f"sed -i '1s/^\\xef\\xbb\\xbf//' {path}",
            )
        ]  # fmt: skip
    if not content.startswith(b"#!"):
        what = "no #! line" if content else "an empty file"
        return [Finding("error", path, what, broken, "begin the file with a line like #!/bin/sh")]
    line = content.split(b"\n", 1)[0][2:]
    if line.endswith(b"\r"):
        return [
            Finding(
                "error", path, "its #! line ends with a carriage return (a DOS line end)",
                f"the kernel looks for an interpreter of that odd name: {broken}",
                f"sed -i 's/\\r$//' {path}",
            )
        ]  # fmt: skip
    if len(line) > LINE_LIMIT:
        return [
            Finding(
                "error", path, f"its #! line is {len(line) + 2} bytes long",
                f"the kernel reads {LINE_LIMIT + 2} of them, and cuts off the rest: {broken}",
                "put what it says into the script itself",
            )
        ]  # fmt: skip
    words = line.decode("utf-8", "surrogateescape").split(None, 1)
    if not words:
        return [Finding("error", path, "an empty #! line", broken, "name the interpreter there")]
    if not words[0].startswith("/"):
        return [
            Finding(
                "warning", path, f"its interpreter {words[0]!r} is not an absolute path",
                "it depends on the directory that the program is started in",
                "write the whole path",
            )
        ]  # fmt: skip
    if not root.is_file(words[0]):
        ours = words[0].rpartition("/")[2] in OURS
        return [
            Finding(
                "error", path, f"its interpreter {words[0]} is not in the image", broken,
                "s6x install lays it out" if ours
                else f"install {words[0]}, or name another interpreter",
            )
        ]  # fmt: skip
    return _looked_up_findings(root, path, words, broken)


def _looked_up_findings(root: Root, path: str, words: list[str], broken: str) -> list[Finding]:
    """Check the program that `with-contenv sh` or `env sh` would start."""
    if words[0].rpartition("/")[2] not in LOOKING_UP or len(words) < 2:
        return []
    program = words[1].strip()
    splits = words[0].endswith("/env") and program.startswith("-S")
    if splits:
        program = program.removeprefix("-S").strip().split(None, 1)[0]
    if words[0].endswith("/env") and (program.startswith("-") or "=" in program):
        return []  # other options and assignments of env are left alone
    if " " in program or "\t" in program:
        first = program.split(None, 1)[0]
        return [
            Finding(
                "error", path, f"the kernel passes {program!r} to {words[0]} as one word",
                f"no program is called so: {broken}",
                f"write {words[0]} {first}, and set options in the script",
            )
        ]  # fmt: skip
    places = [program] if "/" in program else [f"{d}/{program}" for d in DEFAULT_PATH.split(":")]
    if any(root.is_file(place) for place in places):
        return []
    return [
        Finding(
            "error", path, f"{words[0]} is to start {program!r}, which is not in the image", broken,
            f"install {program}, or name another interpreter (the image's PATH may differ from "
            f"{DEFAULT_PATH})",
        )
    ]  # fmt: skip
