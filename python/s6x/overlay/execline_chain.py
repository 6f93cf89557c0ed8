"""Following an execline script as it would run, from command to command.

Each takes its options, arguments and blocks (:mod:`s6x.overlay.execline_commands`), and the rest is
the next one. What only a running script can know (a name that is itself substituted) is left alone.
"""

from __future__ import annotations

import os

from s6x.overlay.daemons import forking
from s6x.overlay.execline_commands import COMMANDS, DIRECTIVES, Command
from s6x.overlay.execline_words import DOLLAR, Notes, Scope, Word, is_substituted, shown
from s6x.overlay.generations.legacy import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.root import Root

TEMPLATES = {"define": 1, "multidefine": 0}
"""Which argument is a value in which other substitutions behind it look again."""

INTERPRETERS = (
    *("sh", "ash", "bash", "dash", "ksh", "zsh", "busybox", "awk", "gawk", "mawk", "sed", "grep"),
    *("perl", "python", "python3", "ruby", "node", "jq", "envsubst", "su", "s6-grep", "s6-log"),
)
"""Programs to which a dollar sign may mean something itself."""

DEPTH_LIMIT = 100
"""How many blocks in blocks are followed."""


class TooDeep(Exception):
    """There are more."""


class _Unclear(Exception):
    """From here on only a running script knows what is what."""


class Chain(Notes):
    """The commands of one script."""

    def __init__(self, root: Root, name: str, content: bytes) -> None:
        """Check a script that is called `name`; programs are looked for below `root`."""
        super().__init__(name, content)
        self.root = root
        self.depth = 0

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
        if is_substituted(first, scope):
            raise _Unclear
        name = os.fsdecode(first.text)
        command = COMMANDS.get(name.rpartition("/")[2])
        if command is None:
            self.program(first, scope)
            self.daemon(words)
            if name.rpartition("/")[2] not in INTERPRETERS:
                self.dollars(_before_blocks(rest), scope)
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
            if blocks and _name(first) == "ifthenelse" and "s" in options:
                raise _Unclear  # what follows belongs into the block that is chosen
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
                f"{_name(first)} wants a block here, not {shown(words[0].text)}",
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
            raise TooDeep
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
                key, variable = shown(taken[0].text), shown(taken[1].text)
                hints[taken[1].text] = (
                    f"importas gives the value of {variable} to the key {key}: write "
                    f"${{{key}}}, or importas {variable} {variable}"
                )
        elif taken and ("E" in options or (name == "redirfd" and "f" in options)):
            keys = [taken[0].text]
        elif taken and "n" in COMMANDS[name].shape:
            variable = shown(taken[0].text)
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

    def daemon(self, words: list[Word]) -> None:
        """Look whether the program that a service ends in stays."""
        if self.name.rpartition("/")[2] != "run" or self.depth:
            return
        remedy = forking(self.root, [os.fsdecode(word.text) for word in words])
        if remedy is not None:
            self.at(
                "warning", words[0], f"{_name(words[0])} goes into the background",
                "its supervisor sees it end, and starts it again and again", remedy,
            )  # fmt: skip

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


def _before_blocks(words: list[Word]) -> list[Word]:
    """Return the arguments of a program that we do not know, but for blocks and what follows them.

    A program that takes blocks may do with them as execline's do: substitute, among others.
    """
    for index, word in enumerate(words):
        if not word.text or word.text.startswith(b" "):
            return words[:index]
    return words


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
