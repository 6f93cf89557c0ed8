"""Reading execline scripts with what is wrong, or probably not meant so, listed at once.

A script is followed as it would run: each command takes its options, arguments and blocks
(:mod:`s6x.overlay.execline_commands`), and the rest is the next one. Nothing is run, and what only
a running script can know (a name that is itself substituted) is left alone.
"""

from __future__ import annotations

import os
import re
import stat

from s6x.overlay.execline_commands import COMMANDS, DIRECTIVES, Command
from s6x.overlay.findings import Finding
from s6x.overlay.generations.legacy import DEFAULT_PATH
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from s6x.overlay.root import Root

SEARCHED = ("/etc", "/usr/local", "/opt")
"""Where scripts of an image are."""

SIZE_LIMIT = 1 << 20
"""A larger file is no script that somebody wrote."""

LAUNCHER = "execlineb"

TEMPLATES = {"define": 1, "multidefine": 0}
"""Which argument is a value in which other substitutions behind it look again."""

INTERPRETERS = (
    *("sh", "ash", "bash", "dash", "ksh", "zsh", "busybox", "awk", "gawk", "mawk", "sed", "grep"),
    *("perl", "python", "python3", "ruby", "node", "jq", "envsubst", "su", "s6-grep", "s6-log"),
)
"""Programs to which a dollar sign may mean something itself."""

DOLLAR = re.compile(rb"(\\*)\$(?:\{([^\\${}]+)\}|([^\\${}]+))", re.DOTALL)
"""What a substitution would look at: backslashes before it, and a name with or without braces."""

NAME = re.compile(rb"[A-Za-z_]\w*|[0-9]+|[#@?!]", re.ASCII)
"""Names that somebody means to be substituted."""


class Word(Record):
    """A word of a script, and where it begins."""

    text: bytes
    line: int
    column: int


class Scope(Record):
    """What is known where a word stands."""

    keys: frozenset[bytes]
    """What is substituted."""
    positional: bool
    """Whether `$1` and the like are."""
    hints: dict[bytes, str]
    """Name to what would have to be done before it is substituted."""
    known_path: bool
    """Whether programs are looked for where the image has them."""


DEPTH_LIMIT = 100
"""How many blocks in blocks are followed."""


class _TooDeep(Exception):
    """There are more."""


class _Unclear(Exception):
    """From here on only a running script knows what is what."""


def is_script(content: bytes) -> bool:
    """Say whether a file's first line has execlineb run it."""
    return _launcher_words(content) is not None


def script_paths(root: Root) -> Iterator[str]:
    """Yield the execline scripts of an image, in the order of their paths."""
    for top in SEARCHED:
        real = root.resolve(top)
        for directory, names, files in os.walk(real):
            names.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                if _looks_like_script(path, executable=top != "/etc"):
                    yield top + path[len(real) :]


def script_findings(root: Root, name: str, content: bytes) -> list[Finding]:
    """Return what is wrong with a script that is called `name` in messages."""
    check = _Check(root, name, content)
    words = _launcher_words(content)
    if words is None:
        check.add(
            "error", 1, 1, f"the first line does not name {LAUNCHER}",
            "so this is not checked as an execline script",
            f"begin it with #!/command/{LAUNCHER} -P",
        )  # fmt: skip
        return check.findings
    scope = check.launcher(words)
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
    except _TooDeep:
        check.add(
            "note", 1, 1, "its blocks are nested very deeply", "the rest was not checked",
            "move some of it into a script of its own",
        )  # fmt: skip
    return check.findings


def _read_script(content: bytes) -> list[tuple[bytes, int, int]]:
    from s6x import _core  # images are planned without the extension; only this check needs it

    return _core.read_script(content)


def _looks_like_script(path: str, *, executable: bool) -> bool:
    """Say whether a file of this machine is an execline script, and may be executed if it must."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
            return False
        if executable and not status.st_mode & 0o111:
            return False
        with open(path, "rb") as file:
            return is_script(file.read(256))
    except OSError:
        return False  # gone, or not ours to read


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


class _Check:
    """The check of one script."""

    def __init__(self, root: Root, name: str, content: bytes) -> None:
        self.root = root
        self.name = name
        self.lines = content.split(b"\n")
        self.findings: list[Finding] = []
        self.ignores_positionals = False
        self.depth = 0

    def add(self, level: str, line: int, column: int, what: str, why: str, remedy: str) -> None:
        """Note a finding at a place."""
        self.findings.append(Finding(level, f"{self.name}:{line}:{column}", what, why, remedy))

    def at(self, level: str, word: Word, what: str, why: str, remedy: str) -> None:
        """Note a finding about a word."""
        self.add(level, word.line, word.column, what, why, remedy)

    def launcher(self, words: list[bytes]) -> Scope:
        """Check the options of execlineb, and return what they substitute."""
        usage = "execlineb says how it is used, and exits with 100"
        if any(word.endswith(b"\r") for word in words):
            self.add(
                "error", 1, 1, "the first line ends with a carriage return (a DOS line end)",
                f"it belongs to the options, so {usage}", f"sed -i 's/\\r$//' {self.name}",
            )  # fmt: skip
            words = [word.rstrip(b"\r") for word in words]
        if len(words) == 1 and b" " in words[0]:
            text = _shown(words[0])
            self.add(
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
                        self.add(
                            "error", 1, 1, f"-{letter} needs a number, not {_shown(number)}", usage,
                            f"write -{letter}0 for no parameter that must be there",
                        )  # fmt: skip
                    positional, self.ignores_positionals = True, False
                    break
                if letter in "pP":
                    positional, self.ignores_positionals = False, letter == "P"
                elif letter not in "qwWec":
                    self.add(
                        "error", 1, 1, f"execlineb has no option -{letter}", usage,
                        "leave it out; -P is what most scripts want",
                    )  # fmt: skip
        return Scope(frozenset(), positional, {}, known_path=True)

    def chain(self, words: list[Word], scope: Scope) -> None:
        """Follow a command line from program to program."""
        try:
            while words:
                words, scope = self.step(words, scope)
        except _Unclear:
            pass

    def step(self, words: list[Word], scope: Scope) -> tuple[list[Word], Scope]:
        """Check one command, and return what it goes on with."""
        first, *rest = words
        self.dollars([first], scope)
        if _is_substituted(first, scope):
            raise _Unclear
        name = os.fsdecode(first.text)
        command = COMMANDS.get(name.rpartition("/")[2])
        if command is None:
            self.program(first, scope)
            if name.rpartition("/")[2] not in INTERPRETERS:
                self.dollars(rest, scope)
            return [], scope
        options, rest = self.options(first, command, rest)
        return self.parts(first, command, options, rest, scope)

    def options(
        self, first: Word, command: Command, words: list[Word]
    ) -> tuple[dict[str, bytes], list[Word]]:
        """Take the options off."""
        given: dict[str, bytes] = {}
        if command.options == "-":
            return given, words
        words = list(words)
        while words and words[0].text.startswith(b"-") and words[0].text != b"-":
            word = words.pop(0)
            if word.text == b"--":
                break
            if word.text.startswith(b"--"):
                continue  # a long name, of those commands that have some
            letters = word.text[1:].decode("latin-1")
            for index, letter in enumerate(letters, 1):
                place = command.options.find(letter) if letter != ":" else -1
                if place < 0:
                    self.at(
                        "error", word, f"{_name(first)} has no option -{letter}",
                        "it says how it is used, and exits with 100",
                        "leave it out, or put -- before words that begin with -",
                    )  # fmt: skip
                    break
                given[letter] = b""
                if command.options[place + 1 : place + 2] == ":":
                    value = letters[index:].encode("latin-1")
                    given[letter] = value or (words.pop(0).text if words else b"")
                    break
        return given, words

    def parts(
        self,
        first: Word,
        command: Command,
        options: dict[str, bytes],
        words: list[Word],
        scope: Scope,
    ) -> tuple[list[Word], Scope]:
        """Take the arguments and blocks off, and return the program that follows."""
        taken: list[Word] = []
        blocks: list[list[Word]] = []
        shape = _shape(first, command, options, words)
        for part in shape:
            if part in "wnk":
                words = self.argument(first, words, taken, scope)
            elif part in "cebds":
                block, words = self.block(first, words, scope)
                if part == "e" and not block:
                    self.at(
                        "error", first, f"a block of {_name(first)} is empty",
                        "it exits with 100", "put a command into it",
                    )  # fmt: skip
                blocks.append(block)
                self.inside(part, block, scope)
            elif part == "a":
                while words and b"=" in words[0].text:
                    self.dollars(words[:1], scope)
                    words = words[1:]
        words = self.program_of(first, shape[-1], words, scope)
        return words, self.after(first, options, taken, blocks, scope)

    def program_of(self, first: Word, end: str, words: list[Word], scope: Scope) -> list[Word]:
        """Return the program that a command goes on with."""
        if end == "." and not words:
            self.at(
                "error", first, f"{_name(first)} is followed by no program",
                "it says how it is used, and exits with 100", "name the program to go on with",
            )  # fmt: skip
        if end in ".?":
            return words
        self.dollars(words, scope)
        return []

    def argument(
        self, first: Word, words: list[Word], taken: list[Word], scope: Scope
    ) -> list[Word]:
        """Take one argument off."""
        if not words:
            self.at(
                "error", first, f"{_name(first)} has too few arguments",
                "it says how it is used, and exits with 100", "give it what it needs",
            )  # fmt: skip
            raise _Unclear
        if TEMPLATES.get(_name(first)) != len(taken):
            self.dollars(words[:1], scope)
        taken.append(words[0])
        return words[1:]

    def block(self, first: Word, words: list[Word], scope: Scope) -> tuple[list[Word], list[Word]]:
        """Take a block off: its words, one blank less, and what follows it."""
        if words and words[0].text and not words[0].text.startswith(b" "):
            if DOLLAR.search(words[0].text):
                raise _Unclear  # it may stand for a block
            glued = words[0].text.startswith(b"{")
            self.at(
                "error", words[0],
                f"{_name(first)} wants a block here, not {_shown(words[0].text)}",
                "it exits with 100: its block never ends",
                "put a blank behind the brace" if glued else "put { } around its words",
            )  # fmt: skip
            raise _Unclear
        for index, word in enumerate(words):
            if not word.text:
                inside = [Word(w.text.removeprefix(b" "), w.line, w.column) for w in words[:index]]
                return inside, words[index + 1 :]
        self.at(
            "error", first, f"{_name(first)} has too few blocks", "it exits with 100",
            "put { } around what it is to do",
        )  # fmt: skip
        raise _Unclear

    def inside(self, kind: str, block: list[Word], scope: Scope) -> None:
        """Check what is in a block."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise _TooDeep
        if kind in "ce":
            self.chain(block, scope)
        elif kind == "b":
            self.dollars(block, scope)
        elif kind == "s":
            try:
                while block:
                    self.dollars(block[:1], scope)
                    inner, rest = self.block(block[0], block[1:], scope)
                    self.chain(inner, scope)
                    block = rest
            except _Unclear:
                pass
        self.depth -= 1

    def after(
        self,
        first: Word,
        options: dict[str, bytes],
        taken: list[Word],
        blocks: list[list[Word]],
        scope: Scope,
    ) -> Scope:
        """Return what is substituted, and known, behind a command."""
        name = _name(first)
        if name == "multisubstitute":
            return self.directives(first, blocks, scope)
        if name == "elgetpositionals":
            return scope.replaced(positional=True)
        keys: list[bytes] = []
        hints = dict(scope.hints)
        if name == "multidefine":
            keys = [word.text for block in blocks for word in block if word.text.strip()]
        elif name in DIRECTIVES and taken:
            keys = [taken[0].text]
            if name == "importas" and len(taken) > 1 and taken[1].text != taken[0].text:
                key, variable = _shown(taken[0].text), _shown(taken[1].text)
                hints[taken[1].text] = (
                    f"importas gives the value of {variable} to the key {key}: write "
                    f"${{{key}}}, or importas {variable} {variable}"
                )
        elif taken and ("E" in options or (name == "redirfd" and "f" in options)):
            keys = [taken[0].text]
        elif taken and "n" in COMMANDS[name].shape:
            variable = _shown(taken[0].text)
            hints[taken[0].text] = (
                f"{name} sets the variable {variable}, and importas substitutes it: put "
                f"importas -i {variable} {variable} before it, or use {name} -E"
            )
        known = scope.known_path and not (name == "export" and taken and taken[0].text == b"PATH")
        return scope.replaced(keys=scope.keys | set(keys), hints=hints, known_path=known)

    def directives(self, first: Word, blocks: list[list[Word]], scope: Scope) -> Scope:
        """Return what a multisubstitute substitutes: its directives do not see each other."""
        words, behind = blocks[0] if blocks else [], scope
        try:
            while words:
                directive = words[0]
                if _name(directive) not in DIRECTIVES:
                    self.at(
                        "error", directive, f"multisubstitute has no directive {_name(directive)}",
                        "it exits with 100", f"it knows {', '.join(DIRECTIVES)}",
                    )  # fmt: skip
                    break
                options, words = self.options(directive, COMMANDS[_name(directive)], words[1:])
                words, behind = self.directive(directive, options, words, scope, behind)
        except _Unclear:
            return behind.replaced(positional=True)  # whatever it was to substitute
        return behind

    def directive(
        self,
        first: Word,
        options: dict[str, bytes],
        words: list[Word],
        scope: Scope,
        behind: Scope,
    ) -> tuple[list[Word], Scope]:
        """Take one directive off, and add its keys to `behind`."""
        taken: list[Word] = []
        blocks: list[list[Word]] = []
        for part in _shape(first, COMMANDS[_name(first)], options, words).rstrip("?"):
            if part == "b":
                block, words = self.block(first, words, scope)
                blocks.append(block)
            else:
                words = self.argument(first, words, taken, scope)
        return words, self.after(first, options, taken, blocks, behind)

    def dollars(self, words: list[Word], scope: Scope) -> None:
        """Look for names with a dollar sign that nothing substitutes."""
        for word in words:
            names = set()
            for found in DOLLAR.finditer(word.text):
                escaped = len(found[1]) % 2
                name = found[2] or found[3]
                if escaped or name in names or _is_key(name, scope):
                    continue
                names.add(name)
                begin = NAME.match(name)
                if begin is None:
                    continue
                if begin[0] == name:
                    self.unsubstituted(word, found[0][len(found[1]) :], name, scope)
                elif found[3] and name[begin.end() : begin.end() + 1] in b"/.:,;=- \t\n":
                    self.glued(word, begin[0], name, scope)

    def unsubstituted(self, word: Word, text: bytes, name: bytes, scope: Scope) -> None:
        """Note a name that stays as it is, unless a backslash in the script says that it shall."""
        if b"\\" + text in self.lines[word.line - 1]:
            return
        shown = _shown(name)
        if name.isdigit() or name in (b"#", b"@"):
            remedy = (
                "-P leaves the parameters alone: write -S0 in the first line"
                if self.ignores_positionals
                else "put elgetpositionals before it, or write -S0 in the first line"
            )
        else:
            remedy = scope.hints.get(name, f"put importas -i {shown} {shown} before it")
        remedy += f", or \\{_shown(text)} if that is meant"
        self.at(
            "warning", word, f"nothing substitutes {_shown(text)}",
            "it stays as it is, dollar sign and all", remedy,
        )  # fmt: skip

    def glued(self, word: Word, begin: bytes, name: bytes, scope: Scope) -> None:
        """Note a name that goes on where it was not meant to."""
        if _is_key(begin, scope):
            self.at(
                "error", word, f"${_shown(name)} is not ${_shown(begin)} and more",
                "a name goes on to the end of the word, or to one of \\ $ { }, so this stays as it "
                "is",
                f"write ${{{_shown(begin)}}}{_shown(name[len(begin) :])}",
            )  # fmt: skip
        else:
            self.unsubstituted(word, b"$" + begin, begin, scope)

    def program(self, word: Word, scope: Scope) -> None:
        """Look whether the image has a program."""
        name = os.fsdecode(word.text)
        if not name or (not scope.known_path and "/" not in name):
            return
        if "/" in name:
            if not name.startswith("/") or self.root.is_file(name):
                return
        elif any(self.root.is_file(f"{place}/{name}") for place in _places()):
            return
        ours = name.rpartition("/")[2].startswith(("s6-", "logutil-"))
        self.at(
            "warning", word, f"there is no program {name}" + ("" if "/" in name else " in PATH"),
            "the script ends here with 127, and so does what runs the block",
            "s6x install lays it out" if ours
            else f"install it, or name another (looked for in {':'.join(_places())})",
        )  # fmt: skip


def _places() -> list[str]:
    places = ["/command", *DEFAULT_PATH.split(":")]
    return list(dict.fromkeys(places))


def _shape(first: Word, command: Command, options: dict[str, bytes], words: list[Word]) -> str:
    """Return the shape of this very call."""
    if _name(first) == "importas" and "S" in options:
        return command.shape.replace("kw", "k")
    if _name(first) == "wait" and all(word.text for word in words):
        return "*"  # as POSIX has it: process ids to the end
    return command.shape


def _name(word: Word) -> str:
    """Return the command's name without directories."""
    return os.fsdecode(word.text).rpartition("/")[2]


def _shown(text: bytes) -> str:
    shown = os.fsdecode(text)
    return shown if shown.isprintable() else repr(shown)


def _is_key(name: bytes, scope: Scope) -> bool:
    if scope.positional and (name.isdigit() or name in (b"#", b"@")):
        return True
    return name in scope.keys


def _is_substituted(word: Word, scope: Scope) -> bool:
    return any(_is_key(found[2] or found[3], scope) for found in DOLLAR.finditer(word.text))
