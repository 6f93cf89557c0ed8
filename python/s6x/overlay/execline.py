"""Reading execline scripts with what is wrong, or probably not meant so, listed at once.

Nothing is run: :mod:`s6x.overlay.execline_chain` follows a script as it would.
"""

from __future__ import annotations

import os
import stat

from s6x.overlay.execline_chain import Chain, TooDeep
from s6x.overlay.execline_words import Scope, Word, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from s6x.overlay.findings import Finding
    from s6x.overlay.root import Root

SEARCHED = ("/etc", "/usr/local", "/opt")
"""Where scripts of an image are."""

SIZE_LIMIT = 1 << 20
"""A larger file is no script that somebody wrote."""

LAUNCHER = "execlineb"


def is_script(content: bytes) -> bool:
    """Say whether a file's first line has execlineb run it."""
    return _launcher_words(content) is not None


def scripts(root: Root) -> Iterator[tuple[str, bytes]]:
    """Yield the execline scripts of an image and their content, in the order of their paths."""
    for top in SEARCHED:
        real = root.resolve(top)
        for directory, names, files in os.walk(real):
            names.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                content = _script(path, executable=top != "/etc")
                if content is not None:
                    yield top + path[len(real) :], content


def script_findings(root: Root, name: str, content: bytes) -> list[Finding]:
    """Return what is wrong with a script that is called `name` in messages."""
    check = Chain(root, name, content)
    words = _launcher_words(content)
    if words is None:
        check.add(
            "error", 1, 1, f"the first line does not name {LAUNCHER}",
            "so this is not checked as an execline script",
            f"begin it with #!/command/{LAUNCHER} -P",
        )  # fmt: skip
        return check.findings
    scope = _launcher_scope(check, words)
    try:
        script = [Word(*word) for word in _read_script(content)]
    except SyntaxError as error:
        check.add(
            "error", error.lineno or 1, error.offset or 1, error.msg,
            "execlineb runs nothing of the script",
            "close what is open, quote what is meant literally, and put blanks around braces",
        )  # fmt: skip
        return check.findings
    try:
        check.chain(script, scope)
    except TooDeep:
        check.add(
            "note", 1, 1, "its blocks are nested very deeply", "the rest was not checked",
            "move some of it into a script of its own",
        )  # fmt: skip
    return check.findings


def _read_script(content: bytes) -> list[tuple[bytes, int, int]]:
    from s6x import _core  # images are planned without the extension; only this check needs it

    return _core.read_script(content)


def _script(path: str, *, executable: bool) -> bytes | None:
    """Return the content of a file of this machine, if it is an execline script.

    And one that may be executed, if it must. None if not, or if it cannot be read.
    """
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
            return None
        if executable and not status.st_mode & 0o111:
            return None
        with open(path, "rb") as file:
            begin = file.read(256)
            return begin + file.read() if is_script(begin) else None
    except OSError:
        return None  # gone, or not ours to read


def _launcher_words(content: bytes) -> list[bytes] | None:
    """Return what execlineb gets from the first line: at most one word, or more after `env -S`."""
    line = content.split(b"\n", 1)[0]
    if not line.startswith(b"#!"):
        return None
    interpreter, _, rest = line[2:].lstrip(b" \t").partition(b" ")
    rest = rest.strip(b" \t")
    called = interpreter.rstrip(b"\r").rpartition(b"/")[2]
    if called == LAUNCHER.encode():
        return [rest] if rest else []
    words = rest.removeprefix(b"-S").split()
    if called in (b"env", b"with-contenv") and words[:1] == [LAUNCHER.encode()]:
        return words[1:] if rest.startswith(b"-S") else [b" ".join(words[1:])] if words[1:] else []
    return None


def _launcher_scope(check: Chain, words: list[bytes]) -> Scope:
    """Check the options of execlineb, and return what they substitute."""
    usage = "execlineb says how it is used, and exits with 100"
    if any(word.endswith(b"\r") for word in words):
        check.add(
            "error", 1, 1, "the first line ends with a carriage return (a DOS line end)",
            f"it belongs to the options, so {usage}", f"sed -i 's/\\r$//' {check.name}",
        )  # fmt: skip
        words = [word.rstrip(b"\r") for word in words]
    if len(words) == 1 and b" " in words[0]:
        text = shown(words[0])
        check.add(
            "error", 1, 1, f"more than one option word: {text}",
            f"the kernel passes them as one, so {usage}",
            "write them as one word, like -PW or -S1",
        )  # fmt: skip
        words = words[0].split()
    positional = False
    options = list(words)
    while options:
        letters = options.pop(0)
        if not letters.startswith(b"-"):
            break
        for index, letter in enumerate(letters[1:].decode("latin-1"), 2):
            if letter in "Ss":
                number = letters[index:] or (options.pop(0) if options else b"")
                if not number.isdigit():
                    check.add(
                        "error", 1, 1, f"-{letter} needs a number, not {shown(number)}", usage,
                        f"write -{letter}0 for no parameter that must be there",
                    )  # fmt: skip
                positional, check.ignores_positionals = True, False
                break
            if letter in "pP":
                positional, check.ignores_positionals = False, letter == "P"
            elif letter not in "qwWec":
                check.add(
                    "error", 1, 1, f"execlineb has no option -{letter}", usage,
                    "leave it out; -P is what most scripts want",
                )  # fmt: skip
    return Scope(frozenset(), positional, {}, known_path=True)
