"""What the originals do with the scripts below, written down: ``python tests/execline/record.py``.

The record is ``recorded.json``, made with Debian's execline 2.9.3. Tests hold s6x to it where the
originals are not installed, and the originals too where they are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from world.meaning import meaning
from world.scripts import Case, commands

RECORD = Path(__file__).with_name("recorded.json")

P = ("-P", "@SCRIPT@")
WORDS = ("@SCRIPT@", "a b", "", "c")
BLOCKS = ("@SCRIPT@", " echo", " a", "", " echo", " b c", "", "env", "tail")
SHOW = 'printf "<%s>" '
STATUS = " importas ? ? echo $?"


def scripts() -> list[tuple[str, tuple[str, ...], dict[str, str], str]]:
    """Every script, with arguments, variables and standard input."""
    found: list[tuple[str, tuple[str, ...], dict[str, str], str]] = []

    def add(
        *texts: str, args: tuple[str, ...] = P, env: dict[str, str] | None = None, stdin: str = ""
    ) -> None:
        found.extend((text, args, env or {}, stdin) for text in texts)

    _values(add)
    _language(add)
    _substitutions(add)
    _branches(add)
    _children(add)
    _positionals(add)
    _others(add)
    return found


def _values(add: Any) -> None:
    """Each combination of what can be done to a value, on values that make a difference."""
    values = ("", "a", " a  b ", "a\\n\\n", " ", "  ", "a:b,,c:")
    options = ("", "-s", "-n", "-C", "-sn", "-sC", "-nC", "-snC")
    for option, value in product(options, values):
        add(f'define {option} A "{value}" {SHOW} x${{A}}y')
    for option in ("-d:", "-sd:", "-snd ,", "-sCd :,", "-d ''", "-s -d ''", "-sCn -d ''"):
        option = option.replace("'", '"')
        for value in ("a:b,,c:", "1:a,0:,", "::", "2:a,"):
            add(f'define {option} A "{value}" {SHOW} $A')
    for option in ("", "-s", "-sn", "-u", "-us", '-D "d e"', '-sD "d e"', "-i", "-iu"):
        add(
            f"importas {option} A V importas -D unset B V {SHOW} $A $B",
            f"importas {option} A NONE importas -D unset B V {SHOW} $A $B",
            f"importas {option} A EMPTY {SHOW} x $A y",
            env={"V": " v w ", "EMPTY": ""},
        )
    for option in ("", "-0", "-r", "-0r", "-n", "-C", "-rC", "-d:", "-rd ' :'"):
        option = option.replace("'", '"')
        for value in ("a b c d", "a", "", "a:b  c "):
            add(f'multidefine {option} "{value}" {{ x "" y }} {SHOW} $x $y')


def _language(add: Any) -> None:
    add(
        "",
        "  \t\r\n",
        "#",
        "# {",
        f"{SHOW} a\\ b\\\tc",
        f"{SHOW} \\\n a",
        f"{SHOW} a\\\nb",
        f'{SHOW} "a\\\nb"',
        f'{SHOW} "" a"" ""b a""b',
        f'{SHOW} "\\0x20\\0x7f\\0xfe" "\\0377" "\\255"',
        f'{SHOW} "\\0x1" "\\07" "\\9"',
        'echo "\\0x100"',
        'echo "\\0477"',
        'echo "\\999"',
        'echo "\\00"',
        'echo "\\0x00"',
        "echo {",
        "echo { }",
        "echo } {",
        "echo { } }",
        'echo { "',
        'echo " {',
        f"{SHOW} {{\n\t}} {{ {{ }} a }} x",
        f"{SHOW} {{a{{b}}c}} x{{}}",
        f"{SHOW} a\0b",
        '"ec"ho "a"',
        "\\e\\c\\h\\o a",
        "/",
        "/etc/passwd/none",
        "./none",
        '"" ""',
    )
    for mode in ("-P", "-p", "-S0", "-S3", "-s0", "-s2", "-s5", "-qS4", "-wS4", "-WS4", "-PS1"):
        script = f"{SHOW} $# $@ x${{@}}y ${{1}}-$2 $3 $4 \\$1 \\\\$1 $0"
        add(script, args=(mode, *WORDS))
        add(script, args=(mode, "-c", script, "a", "b c"))
        add("foreground { $@ } echo", args=(mode, "@SCRIPT@", "printf", "<%s>", "$1", "}"))
    add("echo a", args=("-P", "-c"))
    add("echo a", args=("-S", "x", "@SCRIPT@"))
    add("echo a", args=("-S",))
    add("echo a", args=("--", "@SCRIPT@"))
    add("echo a", args=("-",))
    add("echo a", args=("-Pz", "@SCRIPT@"))
    add("echo a", args=("-P", "/tmp"))
    add("echo a", args=("-P", "@CWD@/none/none"))
    for strict in ("0", "1", "2", "3", "x", ""):
        env = {"EXECLINE_STRICT": strict}
        add('foreground echo a "" echo b', "pipeline { env } sort", env=env)
        add('case a a " { echo" "" "" echo x', 'if { if true "" true } echo b', env=env)
        add("echo $1", args=("-S1", "@SCRIPT@"), env=env)
        add("elgetpositionals -P3 echo $3", args=WORDS, env=env)
        add("shift -n 9 elgetpositionals echo $@", args=WORDS, env=env)
        add("runblock 1", args=("@SCRIPT@", "echo", " a", ""), env=env)
    add("export PATH / export A b echo no", "export PATH /bin echo yes", "unexport PATH echo yes")
    add("export PATH /none:::/bin export A b echo yes", "export PATH /etc/passwd export A b ls")


def _substitutions(add: Any) -> None:
    for word in (
        "$A",
        "${A}",
        "\\\\$A",
        "\\\\\\\\$A",
        "$$A",
        "${${A}}",
        "$A$A",
        "{$A}",
        "$",
        "${A",
    ):
        add(
            f"define A v {SHOW} {word}",
            f'define -s A "v w" {SHOW} x{word}y',
            f"define -s A '' {word}",
        )
    add(
        f"define A $A {SHOW} $A",
        f'define -s A "1 2" define -s B "x y" {SHOW} ${{A}}${{B}}${{A}}',
        f'multisubstitute {{ define A "$B" define B "$A" }} {SHOW} $A $B',
        f'multisubstitute {{ define -s A "1 2" multidefine "p q r" {{ x "" y }} }} {SHOW} $A$x$y',
        "multisubstitute { define A b } echo",
        "multisubstitute { define A }  echo",
        "multisubstitute { define -z A b }  echo",
        "multisubstitute { importas -i A NONE }  echo",
        "multisubstitute { importas A NONE }  echo x $A",
        "multisubstitute { importas -u A V importas B V }  echo $A $B",
        "multisubstitute { nothing } echo",
        "multisubstitute { elgetpositionals } echo",
        "multisubstitute { define A a elglob A * } echo",
        "multisubstitute { elglob -0 A none* } echo x $A",
        'multisubstitute { multidefine -d "" "1:a" { x } } echo',
        "multisubstitute a",
        "multisubstitute",
        "multidefine a { x }",
        "multidefine a { }",
        "multidefine a",
        "multidefine a { x x } echo",
        "define a",
        "define a b",
        "define -z a b echo",
        'define "" b echo',
        'importas "" b echo',
        "importas a",
        "importas -p a b echo",
        "elgetpositionals echo",
        "elgetpositionals -P x echo",
        "elglob x",
        'elglob "" * echo',
    )
    add(
        f"elgetpositionals {SHOW} $# $0 $@ $1 $4",
        f"elgetpositionals -P 5 {SHOW} $# $@ $5 $6",
        f'multisubstitute {{ elgetpositionals define A "$1" }} {SHOW} $A $1',
        "multisubstitute { elgetpositionals define 1 x } echo",
        "multisubstitute { define 9 x elgetpositionals -P9 } echo",
        "unexport 2 elgetpositionals echo",
        "unexport 0 elgetpositionals echo",
        "export # x elgetpositionals echo",
        args=WORDS,
    )
    files = "foreground { mkdir d } foreground { touch a ab d/x .h a[b] }"
    for option in ("", "-m", "-0", "-e", "-v", "-w", "-sm0e"):
        for pattern in ("*", "a*", "*/x", ".h*", "none*", "a\\\\[b]", "d"):
            add(f'{files} elglob -s {option} x "{pattern}" {SHOW} $x')


def _branches(add: Any) -> None:
    ends = (
        "true",
        "false",
        "exit 5",
        "exit 200",
        'sh -c "kill -9 $$"',
        "none",
        "export A b none",
        "",
    )
    for option, end in product(("", "-n", "-X", "-t", "-x7", "-nX", "-ntX", "-x 300"), ends):
        add(f"if {option} {{ {end} }} echo yes")
    for end in ends:
        add(
            f"foreground {{ {end} }}{STATUS}",
            f"ifelse {{ {end} }} {{ echo then }} echo else",
            f"ifelse -nX {{ {end} }} {{ echo then }} echo else",
            f"ifte {{ echo then }} {{ echo else }} {end}",
            f"ifte -nX {{ echo then }} {{ echo else }} {end}",
            f"ifthenelse {{ {end} }} {{ exit 3 }} {{ exit 4 }}{STATUS}",
            f"ifthenelse -X {{ {end} }} {{ exit 3 }} {{ {end} }}{STATUS}",
            f"ifthenelse -Xs {{ {end} }} {{ export A 1 }} {{ export A 2 }} importas A A echo $A",
        )
    add(
        *(
            "if",
            "if a",
            "if { true }",
            "if -x { true } echo",
            "ifelse",
            "ifelse a",
            "ifelse { true }",
        ),
        *(
            "ifelse { true } a",
            "ifelse { true } { }",
            "ifelse { false } { echo }",
            "ifte",
            "ifte a",
        ),
        *("ifte { a }", "ifte { a } b", "ifte { a } { b }", "ifthenelse", "ifthenelse { true }"),
        *("ifthenelse { true } a", "ifthenelse { true } { a } b", "foreground", "foreground a"),
    )
    patterns = (
        "a",
        ".*",
        "a|b",
        "(x)|(a)b?",
        "[[:alpha:]]+",
        "a{2}",
        "A",
        "*",
        "?",
        "a\\\\.b",
        "",
        "a b",
    )
    for option, pattern in product(("", "-e", "-i", "-s", "-se", "-si", "-sN"), patterns):
        add(f'case {option} ab {{ "{pattern}" {{ echo hit }} }} echo miss')
        add(f'case {option} .a/b {{ "{pattern}" {{ echo hit }} }} echo miss')
    for option in ("-N", "-Ne", "-Nn", "-NS"):
        add(f'case {option} ab {{ "(a)(x)?b" {{ pipeline {{ env }} sort }} }} echo miss')
    add(
        *(
            "case",
            "case a",
            "case a b",
            "case a { }",
            "case a { b }",
            "case a { b c }",
            "case a { a { } }",
        ),
        'case a { "(" { echo } }',
        'case a { a { echo first } "(" { echo } }',
        "case a { b { echo } a { echo second } a { echo third } }",
        "case -Z a { } echo",
    )


def _children(add: Any) -> None:
    outputs = (
        "echo a",
        'printf "a\\\\n\\\\n"',
        "printf a",
        "true",
        'printf "a\\\\0b\\\\n"',
        "echo a b",
    )
    for option, output in product(("", "-N", "-E", "-EN", "-i"), outputs):
        add(f"backtick {option} v {{ {output} }} importas -D unset w v {SHOW} $v $w")
    for option, output in product(("-I", "-x", '-D "d e"', "-IN"), outputs):
        add(f"backtick {option} v {{ {output} }} importas -D unset w v {SHOW} $w")
    for option in ("", "-I", "-x", "-D d"):
        for end in ("false", "exit 200", 'sh -c "echo x; kill -9 $$"', "none", "export A b none"):
            add(f"backtick {option} v {{ {end} }} importas -D unset w v {SHOW} $w")
    add(
        *(
            "backtick",
            "backtick v",
            "backtick v a",
            "backtick v { } echo",
            'backtick "" { echo } echo',
        ),
        *(
            "backtick a=b { echo } echo",
            "pipeline",
            "pipeline a",
            "pipeline { echo }",
            "background",
        ),
        *(
            "background a",
            "background { } echo",
            "background { none } echo",
            "pipeline { none } cat",
        ),
        "pipeline { export A b none } cat",
        "pipeline { echo a } pipeline { cat } cat",
        "pipeline -r { echo a } cat",
        "pipeline -w { cat } echo a",
        "pipeline -wr { echo a } cat",
        "pipeline -d { echo a } cat",
        "pipeline -dw { sort } echo a",
        "pipeline { cat } cat",
        "pipeline { echo a } exit 7",
        "pipeline { exit 7 } cat",
        "background { exit 3 } importas -i p ! wait $p",
        "background { echo a } wait { } echo b",
        "background { true }",
        "foreground { background { true } importas -i p ! true } importas -D unset p ! echo $p",
    )
    add(
        "foreground { cat } cat",
        "backtick -E v { cat } echo $v",
        "if { cat } cat",
        stdin="l1\nl2\n",
    )


def _positionals(add: Any) -> None:
    then = f"elgetpositionals {SHOW} $# $0 $@"
    for option in ("", "-n 0", "-n 2", "-n 3", "-n 9", "-b 0"):
        add(f"shift {option} {then}", args=WORDS)
    for option in ("-b 1", "-b 2", "-n 3 -b 1", "-b 3", "-n 8"):
        add(f"shift {option} {then}", args=BLOCKS)
    for words in (
        "1",
        "2",
        "3",
        "1 echo p",
        "-r 2",
        "-r 1 echo p",
        "-n 3 1",
        "-n 9 1",
        "-r 9",
        "-r 0",
    ):
        add(f"runblock {words}", f"runblock -P {words}", args=BLOCKS)
    for option in ("", "-n", "-0", "-d:", "-nd ::", '-d ""', "-n0"):
        add(f"dollarat {option}", args=WORDS)
    add("dollarat", "shift echo", "runblock 1", "shift", "runblock", "runblock 0", "runblock x")
    add("runblock -r 0", "shift -n x echo", "dollarat -z", args=("@SCRIPT@",))


def _others(add: Any) -> None:
    """The commands that change one thing, in the company of the others."""
    add(
        *("cd / getcwd -E d echo $d", "cd none echo", "umask 027 sh -c umask", "emptyenv env"),
        *(
            "emptyenv -p env",
            "exec echo a",
            "exec -a x sh -c 'echo $0'".replace("'", '"'),
            "exec -c env",
        ),
        *(
            "export A b env -i",
            "unexport A=b echo",
            "export A",
            "exit",
            "exit 3",
            "exit -1",
            "exit x",
        ),
        *("tryexec { none } echo a", "tryexec { echo b } echo a", "tryexec -n { echo b } none"),
        *("redirfd -w 1 f echo a", "fdmove -c 2 1 echo a", "fdclose 0 cat", "fdswap 0 1 cat"),
        *(
            "heredoc 0 abc cat",
            "piperw 3 4 fdmove 1 4 fdclose 3 echo a",
            "homeof root",
            "homeof none",
        ),
        *("getpid -E p eltest $p -gt 1", "fdreserve 2 sh -c 'echo $FD0 $FD1'".replace("'", '"')),
        *(
            "eltest a",
            'eltest ""',
            "eltest 1 -lt 2",
            "eltest -f /etc/passwd",
            "eltest ( a",
            "eltest",
        ),
        *("forx -E x { a b } echo $x", "forx x { a b } sh -c 'echo $x'".replace("'", '"')),
        *("loopwhilex false", "loopwhilex -x 1 false", "wait { } echo a", "trap { } echo"),
        "foreground { redirfd -w 1 f foreground { echo a } echo b } cat f",
        'define -s W "echo a" background { $W } wait { } forx -E i { 1 2 } if { exit $i } echo',
    )
    add(
        "forstdin -E l echo $l",
        "forstdin l printenv l",
        "withstdinas -E v echo $v",
        stdin="a\nb c\n",
    )
    add("envfile - printenv A", stdin="A=b c\n")


def main() -> int:
    """Run every script on the originals and write down what comes of it."""
    with commands("theirs") as theirs, tempfile.TemporaryDirectory() as top:
        assert theirs, "the originals are not installed: Debian's package execline"
        rows: list[dict[str, Any]] = []
        seen = set()
        for script, args, env, stdin in scripts():
            key = json.dumps((script, args, env, stdin))
            if key in seen:
                continue
            seen.add(key)
            ran = theirs.run(Case("", script, args, env, stdin), Path(top))
            rows.append(
                {
                    **{"script": script, "args": args, "env": env, "stdin": stdin},
                    **{"exit": ran.exit, "stdout": ran.stdout, "said": meaning(ran.stderr)},
                }
            )
    lines = ",\n".join(json.dumps(row) for row in rows)
    RECORD.write_text(f"[\n{lines}\n]\n")
    print(f"{len(rows)} scripts: {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
