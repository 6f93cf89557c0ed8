"""Execline scripts by dice: well-formed ones, and bytes that are almost scripts."""

from __future__ import annotations

import random
from collections.abc import Callable

from world.scripts import Case

NAMES = ("A", "B", "x", "?", "!", "#", "0", "1", "2", "@", "k k", "UNSET")
VALUES = ("", "a", "b c", " a  b ", "a:b,c", "1:a,2:bc,", "3:ab,", "$A", "${B}x", "\\$A", "\n", "*")
PIECES = (*'{}"\\#a$0x1e', " ", "\n", "\t", "\x01", "${", "0x4")
ENV = {"A": "value", "B": " p  q\n", "E": "", "1": "outer", "#": "1", "0": "zero", "L": "1:a,0:,"}


class Dice(random.Random):
    """A source of scripts; the same seed gives the same ones."""

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random() < chance

    def some(self, *of: str) -> str:
        """Each of these with some probability, joined."""
        return " ".join(word for word in of if self.maybe(0.3))

    def word(self) -> str:
        """A word, as a script has it."""
        if self.maybe(0.35):
            return quoted(self.choice(VALUES))
        plain = self.choice(("a", "b", "x=y", "-n", "--", "7", "echo", "q.r", "."))
        if self.maybe(0.4):
            key = self.choice(NAMES[:-2])
            slashes = "\\\\" * self.choice((0, 0, 0, 1, 2, 3))
            form = self.choice(("${%s}", "$%s", "${%s}z", "p${%s}", "${%s}${%s}"))
            plain = slashes + form.replace("%s", key).replace(" ", "_")
        return plain

    def name(self) -> str:
        return quoted(self.choice(NAMES)) if self.maybe(0.1) else self.choice(("A", "B", "x", "?"))

    def block(self, inside: Callable[[], str]) -> str:
        if self.maybe(0.02):
            return quoted(self.choice(("", " ", " a"))) + ' ""'
        if self.maybe(0.015):
            return inside()
        return "{ " + ("" if self.maybe(0.05) else inside()) + " }"

    def transformation(self) -> str:
        options = [option for option in ("-s", "-n", "-N", "-C", "-c") if self.maybe(0.3)]
        if self.maybe(0.3):
            options.append("-d " + quoted(self.choice((":", ", :", "", "a", " \n"))))
        return " ".join(options)

    def chain(self, depth: int = 0) -> str:
        """A command and what follows it."""
        if depth > 6 or self.maybe(0.2):
            return self.end()
        commands: tuple[Callable[[int], str], ...] = (
            self.define,
            self.importas,
            self.multidefine,
            self.multisubstitute,
            self.elgetpositionals,
            self.export,
            self.foreground,
            self.condition,
            self.branches,
            self.case,
            self.backtick,
            self.pipeline,
            self.positional,
            self.elglob,
            self.nested,
        )
        return self.choice(commands)(depth + 1)

    def end(self) -> str:
        words = " ".join(self.word() for _ in range(self.randrange(4)))
        return self.choice(
            (
                f'printf "<%s>" {words}',
                f"echo {words}",
                "true",
                "false",
                f"exit {self.choice((0, 1, 7, 128, 255, 300, 'x'))}",
                f"exit ${self.name()}",
                "nonexistent-command-x a",
                "",
                "$A",
                "dollarat",
                "dollarat -nd :",
                "sort",
            )
        )

    def define(self, depth: int) -> str:
        return f"define {self.transformation()} {self.name()} {self.word()} {self.chain(depth)}"

    def importas(self, depth: int) -> str:
        options = self.some("-i", "-u", '-D "d  e"', "-D $B")
        rest = f"{self.name()} {self.name()} {self.chain(depth)}"
        return f"importas {options} {self.transformation()} {rest}"

    def multidefine(self, depth: int) -> str:
        options = f"{self.some('-0', '-r')} {self.transformation().replace('-s', '')}"
        keys = " ".join(self.choice(("A", "B", "x", "y", '""')) for _ in range(self.randrange(4)))
        if keys.replace('"', "").strip() == "":
            keys = "z"  # with -r, 2.9.3 crashes
        return f"multidefine {options} {self.word()} {self.block(lambda: keys)} {self.chain(depth)}"

    def multisubstitute(self, depth: int) -> str:
        def directives() -> str:
            return " ".join(
                self.choice(
                    (
                        f"define {self.transformation()} {self.name()} {self.word()}",
                        f"importas {self.transformation()} {self.name()} {self.name()}",
                        f"importas -u {self.name()} {self.name()}",
                        f"elgetpositionals {self.some('-P2')}",
                        "multidefine 'a' { y z }".replace("'", '"'),
                        "elglob -s g *",
                        "export A b",
                    )
                )
                for _ in range(self.randrange(1, 4))
            )

        return f"multisubstitute {self.block(directives)} {self.chain(depth) or 'echo'}"

    def elgetpositionals(self, depth: int) -> str:
        return f"elgetpositionals {self.some('-P 3')} {self.chain(depth)}"

    def elglob(self, depth: int) -> str:
        options = self.some("-0", "-m", "-e")
        pattern = quoted(self.choice(("*", "no*", ".*", "[a", "\\*", "")))
        return f"elglob -s {options} {self.name()} {pattern} {self.chain(depth)}"

    def export(self, depth: int) -> str:
        if self.maybe(0.3):
            return f"unexport {self.name()} {self.chain(depth)}"
        return f"export {self.name()} {self.word()} {self.chain(depth)}"

    def foreground(self, depth: int) -> str:
        return f"foreground {self.block(lambda: self.chain(depth))} {self.chain(depth)}"

    def condition(self, depth: int) -> str:
        options = self.some("-n", "-t", f"-x {self.choice((0, 3, 255, 256, '4a', 'b'))}", "-X")
        return f"if {options} {self.block(lambda: self.chain(depth))} {self.chain(depth)}"

    def branches(self, depth: int) -> str:
        def inside() -> str:
            return self.chain(depth + 1)

        blocks = f"{self.block(inside)} {self.block(inside)}"
        name = self.choice(("ifelse", "ifte", "ifthenelse"))
        if name == "ifthenelse":
            return f"{name} {self.some('-X', '-s')} {blocks} {self.block(inside)} {inside()}"
        return f"{name} {self.some('-n', '-X')} {blocks} {inside()}"

    def case(self, depth: int) -> str:
        def cases() -> str:
            patterns = ("a", ".*", "[a-c]+", "(a)(b)?", "a|b", "*", "?", "value", "", "(.*)")
            return " ".join(
                f"{quoted(self.choice(patterns))} {self.block(lambda: self.chain(depth + 1))}"
                for _ in range(self.randrange(3))
            )

        options = self.some("-s", "-S", "-E", "-e", "-n", "-N", "-i")
        # Up to 2.9.7, a newline in the value was the end of a line.
        value = self.choice(("a", "ab", "value", '""', "a/b", ".a", "$A", "abc"))
        return f"case {options} {value} {self.block(cases)} {self.chain(depth)}"

    def backtick(self, depth: int) -> str:
        # Since 2.9.5, ? tells how the block ended, and -E leaves $x alone when x is unset.
        mode = self.choice(("", "-i", "-I", "-x", "-D dfl"))
        options = self.some("-N", "-n", *(() if mode == "-x" else ("-E", "-e")))
        inside = self.block(lambda: self.chain(depth + 1) or "true")
        rest = "unexport ? " if mode not in ("", "-i") else ""
        rest += self.chain(depth) or "true"
        return f"backtick {mode} {options} {self.name()} {inside} {rest}"

    def pipeline(self, depth: int) -> str:
        # What is in the block must not write to what the rest writes to: who is first is open.
        # Up to 2.9.3, the block could be empty.
        inside = "{ " + (self.chain(depth + 3) or "true") + " }"
        return f"pipeline {inside} {self.choice(('sort', 'cat', 'wc -c'))}"

    def positional(self, depth: int) -> str:
        if self.maybe():
            options = self.some("-n 1", "-n 5", "-b 1")
            return f"shift {options} {self.chain(depth) or 'true'}"
        return f"runblock {self.some('-P', '-n 1', '-r')} {self.choice((0, 1, 2))} {self.word()}"

    def nested(self, depth: int) -> str:
        inner = quoted(self.chain(depth + 2))
        mode = self.choice(("-P", "-p", "", "-S1", "-s1", "-qS2", "-W", "-wP"))
        words = " ".join(self.word() for _ in range(self.randrange(3)))
        return f"execlineb {mode} -c {inner} {words}"

    def script(self) -> str:
        """A script, well-formed or not."""
        if self.maybe(0.3):
            return "".join(self.choice(PIECES) for _ in range(self.randrange(24)))
        text = self.chain()
        if self.maybe(0.15) and text:
            at = self.randrange(len(text))
            text = text[:at] + self.choice(PIECES) + text[at + self.randrange(2) :]
        return text.replace(" { ", self.choice((" { ", " {\n", " {\t")))

    def case_of(self, number: int) -> Case:
        """A script, with what it is run with."""
        modes = ("-P", "-P", "-P", "", "-p", "-S0", "-S1", "-s1", "-PW", "-Pw", "-qS2", "-WS1")
        mode = self.choice(modes)
        args = [" a", " b", "", "c d", " e", ""][: self.randrange(7)]
        words = (*([mode] if mode else []), "@SCRIPT@", *args)
        env = {name: value for name, value in ENV.items() if self.maybe(0.7)}
        return Case(str(number), self.script(), words, env, self.choice(("", "l1\nl2\n")))


def quoted(value: str) -> str:
    """Write a word so that the lexer gives it back."""
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
