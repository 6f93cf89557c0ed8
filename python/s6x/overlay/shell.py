"""Reading shell scripts for what their supervisor, or their reader, would not expect.

Only what is plain to see is looked at: a script's last command, and the names of variables. What is
more than that (a command in an `if`, a file that is sourced) is left alone: a check that cries wolf
is one that nobody runs.
"""

from __future__ import annotations

import re
import shlex

from s6x.overlay.daemons import forking
from s6x.overlay.findings import Finding
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.root import Root

SHELLS = ("sh", "ash", "bash", "dash", "ksh", "mksh", "zsh")

CHAINS = {
    "exec": "ac", "with-contenv": "", "env": "iuCS", "nice": "n", "ionice": "cnp", "nohup": "",
    "s6-setuidgid": "", "su-exec": "", "gosu": "", "setpriv": "", "chpst": "ugUbednmdofpcrt/",
    "s6-envdir": "m", "s6-softlimit": "admstfoclprvuh", "s6-notifyoncheck": "ctTnsdw3",
    "stdbuf": "ioe", "s6-setlock": "tndw", "s6-applyuidgid": "ugGU", "s6-cd": "",
}  # fmt: skip
"""Programs that become another one: name → letters of their options that take a value."""

ARGUMENTS = {
    "s6-setuidgid": 1, "su-exec": 1, "gosu": 1, "s6-envdir": 1, "s6-setlock": 1, "s6-cd": 1,
}  # fmt: skip
"""How many arguments stand before the program they become; none where it is not said."""

BUILTINS = frozenset(
    {
        ".", ":", "[", "break", "cd", "continue", "echo", "eval", "exit", "export", "false", "kill",
        "printf", "read", "return", "set", "shift", "sleep", "source", "test", "times", "trap",
        "true", "type", "ulimit", "umask", "unset", "wait",
    }
)  # fmt: skip
"""Commands that are the shell's own, or over at once."""

BLOCKS = re.compile(
    r"(^|[;&|({]\s*)(if|then|else|elif|fi|for|while|until|do|done|case|esac|function)\b"
    r"|<<|\||&&|;\s|[{}()]",
    re.MULTILINE,
)
"""What makes a script's last line more than a command of its own."""

VARIABLE = re.compile(r"(?<!\\)\$\{?([A-Z][A-Z0-9_]+)\b")
"""A use of a variable that is named as those of an environment are."""

SET = re.compile(
    r"(?:^|[;&|({\s])(?:export\s+|readonly\s+|local\s+|declare\s+(?:-\w+\s+)*)?([A-Z][A-Z0-9_]+)\+?="
    r"|\b(?:for|read(?:\s+-\w+)*|export|getopts\s+\S+)\s+([A-Z][A-Z0-9_]+)\b",
    re.MULTILINE,
)
"""What sets one."""

QUOTED = re.compile(
    r"(?P<kept>\\.|\"(?:\\.|[^\"\\])*\")|'[^']*'|(?:(?<=\s)|^)\#[^\n]*", re.DOTALL | re.MULTILINE
)
"""Text in quotes, and comments; `kept` is what the shell looks into."""

IMPORTS = re.compile(
    r"(^|[;&|({\s])(\.|source|eval|env|printenv|printcontenv|with-contenv|s6-envdir|mapfile|readarray)\s"
    r"|container_environment|\bset -a\b",
    re.MULTILINE,
)
"""What may set variables that one does not see set."""

LITERAL = re.compile(rb"<<-?\s*['\"\\]")
"""The begin of a here-document in which nothing is expanded."""

ALWAYS_SET = re.compile(
    r"PATH|PWD|OLDPWD|IFS|PPID|UID|EUID|GROUPS|RANDOM|SECONDS|EPOCH\w*|LINENO|OPTARG|OPTIND|SHLVL|PS\d|"
    r"REPLY|FUNCNAME|PIPESTATUS|HOSTNAME|HOSTTYPE|OSTYPE|MACHTYPE|BASH\w*|ZSH\w*|S6X?_\w+|CWD"
)
"""Variables of the shell itself."""

FEW = 3
"""How many names one sentence lists."""


class Shell(Record):
    """The shell that a script's first line names."""

    name: str
    has_environment: bool
    """Whether with-contenv gives it the container's."""


def shell_of(content: bytes) -> Shell | None:
    """Return the shell that runs a script; None if none does."""
    line = content.split(b"\n", 1)[0].decode("utf-8", "replace")
    if not line.startswith("#!"):
        return None
    words = line[2:].split()
    fetches = False
    while words:
        name = words[0].rpartition("/")[2]
        if name in SHELLS:
            return Shell(name, fetches)
        if name not in ("env", "with-contenv", "with-contenv-legacy", "busybox"):
            return None
        fetches = fetches or name.startswith("with-contenv")
        words = [word for word in words[1:] if not word.startswith("-")]
    return None


def shell_findings(root: Root, path: str, content: bytes) -> list[Finding]:
    """Return what is odd about a file, if it is a shell's script; one called run is a service's."""
    shell = shell_of(content)
    if shell is None:
        return []
    findings = run_findings(root, path, content) if path.rpartition("/")[2] == "run" else []
    return findings if shell.has_environment else findings + variable_findings(path, content)


def run_findings(root: Root, path: str, content: bytes) -> list[Finding]:
    """Return what is odd about the end of a shell script that is to be a service."""
    lines = _lines(content)
    if not lines:
        return []
    number, last = lines[-1]
    where = f"{path}, line {number}"
    if re.search(r"[^&>|]&\s*$", last):
        return [
            Finding(
                "warning", where, "the last command goes into the background",
                "the script ends, and its supervisor starts it again and again",
                "leave the & out, and write exec before the command",
            )
        ]  # fmt: skip
    if BLOCKS.search(last) or _may_end_text(lines):
        return []
    words = _words(last)
    program = _program(words)
    if not program or program[0] in BUILTINS:
        return []
    name = program[0].rpartition("/")[2]
    remedy = forking(root, program)
    if remedy is not None:
        return [
            Finding(
                "warning", where, f"{name} goes into the background",
                "its supervisor sees it end, and starts it again and again", remedy,
            )
        ]  # fmt: skip
    if words[0] != "exec" and not _traps(content):
        return [
            Finding(
                "note", where, f"the shell stays between the supervisor and {name}",
                f"signals that are meant for {name} end the shell instead",
                "write exec before the last command",
            )
        ]  # fmt: skip
    return []


def variable_findings(path: str, content: bytes) -> list[Finding]:
    """Return which variables a shell script uses that nobody sets where it runs."""
    text = _text(content)
    if IMPORTS.search(text) or LITERAL.search(content):
        return []
    own = {name for found in SET.finditer(text) for name in found.groups() if name}
    used = dict.fromkeys(found[1] for found in VARIABLE.finditer(text))
    foreign = [name for name in used if name not in own and not ALWAYS_SET.fullmatch(name)]
    if not foreign:
        return []
    names = ", ".join(f"${name}" for name in foreign[:FEW]) + (" …" if len(foreign) > FEW else "")
    return [
        Finding(
            "note", path, f"it uses {names}, and sets no such variable",
            "scripts get the container's environment only by with-contenv, or with S6_KEEP_ENV=1",
            "begin it with #!/usr/bin/with-contenv sh, if the container's are meant",
        )
    ]  # fmt: skip


def _text(content: bytes) -> str:
    """Return what of a script the shell expands: no comments, no single-quoted text."""
    text = content.decode("utf-8", "replace")
    return QUOTED.sub(lambda found: found[0] if found["kept"] else " ", text)


def _lines(content: bytes) -> list[tuple[int, str]]:
    """Return the commands of a script, with the number of the line where each begins."""
    lines: list[tuple[int, str]] = []
    going_on = False
    for number, raw in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        line = raw.strip()
        if going_on:
            first, text = lines.pop()
            lines.append((first, f"{text} {line}"))
        elif line and not line.startswith("#"):
            lines.append((number, line))
        else:
            continue
        going_on = lines[-1][1].endswith("\\")
        if going_on:
            lines[-1] = (lines[-1][0], lines[-1][1][:-1])
    return lines


def _may_end_text(lines: list[tuple[int, str]]) -> bool:
    """Say whether the last line may be the end of a here-document."""
    return any("<<" in text for _, text in lines[-20:-1])


def _words(line: str) -> list[str]:
    """Return a command's words without redirections; none if it cannot be told."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []
    kept: list[str] = []
    skip = False
    for word in words:
        redirection = re.match(r"\d*(>>?|<|>&|&>)", word)
        if skip:
            skip = False
        elif redirection is not None:
            skip = redirection.end() == len(word)
        else:
            kept.append(word)
    return kept


def _program(words: list[str]) -> list[str]:
    """Return the program at the end of a chain, with its arguments; empty if it cannot be told."""
    words = list(words)
    while words:
        name = words[0].rpartition("/")[2]
        if re.fullmatch(r"\w+=.*", words[0], re.DOTALL):
            words = words[1:]
            continue
        if name not in CHAINS:
            break
        words = _behind(name, words[1:])
    if words and re.search(r"[$`*?]", words[0]):
        return []
    return words


def _behind(name: str, words: list[str]) -> list[str]:
    """Return what follows the options and arguments of a program that becomes another one."""
    while words and words[0].startswith("-"):
        option, words = words[0], words[1:]
        if option == "--":
            break
        if option[-1] in CHAINS[name] and not option.startswith("--") and len(option) == 2:
            words = words[1:]
    return words[ARGUMENTS.get(name, 0) :]


def _traps(content: bytes) -> bool:
    """Say whether a script takes signals itself."""
    return re.search(rb"(^|[;&\s])trap\s", content) is not None
