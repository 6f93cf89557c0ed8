"""The pages that Rust does not write: Python's commands, the list of all, and the manual pages.

A page in `docs/commands` is Markdown of a simple kind: headings, paragraphs, lists, indented or
fenced code, code and emphasis in lines, links. Manual pages are made from the pages, whoever wrote
them.

    python tools/manual.py               write docs/commands/*.md and target/man/man1/*.1
    python tools/manual.py --manual DIR  write only the manual pages, there
    python tools/manual.py --check       write nothing; say which pages are not up to date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from inspect import cleandoc
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import click

from s6x import cli

TOP = Path(__file__).resolve().parents[1]
PAGES = TOP / "docs/commands"
PROSE = TOP / "docs/manual"
MANUAL = TOP / "target/man/man1"
PEOPLE = "Commands for people"


class Page(NamedTuple):
    """What the list of all has to know of a page."""

    name: str
    about: str
    section: str


# Pages of Python's commands


def pages_of_python() -> dict[str, str]:
    """Return the pages of the commands that Python has, and of `s6x` itself."""
    group = cli.commands
    context = click.Context(group, info_name="s6x", **group.context_settings)
    pages = {"s6x": page_of("s6x", group, context)}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context)
            pages[f"s6x-{name}"] = page_of(f"s6x {name}", command, inner)
    return pages


def page_of(called: str, command: click.Command, context: click.Context) -> str:
    """Return the page of one command."""
    about, help_text = split_help(command)
    description, sections = prose(called.replace(" ", "-"))
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [
        "<!-- made by `make docs` from python/s6x/cli and docs/manual -->",
        f"# {called}",
        f"{about}.",
        f"    {called} {usage}",
        PEOPLE,
    ]
    if help_text or description:
        parts += ["## Description", *filter(None, (help_text, description))]
    options = [
        row(option) for option in command.get_params(context) if isinstance(option, click.Option)
    ]
    if options:
        parts += ["## Options", "\n".join(options)]
    if sections:
        parts.append(sections)
    if "## See also\n" not in sections:
        parts += ["## See also", f"[{PEOPLE}](README.md#{PEOPLE.lower().replace(' ', '-')})"]
    return "\n\n".join(parts) + "\n"


def split_help(command: click.Command) -> tuple[str, str]:
    """Split a help into its first sentence and the rest, in Markdown."""
    first, _, rest = cleandoc(command.help or "").partition("\n\n")
    return escaped(" ".join(first.split())).removesuffix("."), "\n\n".join(paragraphs(rest))


def paragraphs(text: str) -> Iterator[str]:
    """Give the paragraphs of a help; those that click leaves alone become code."""
    for block in filter(None, text.split("\n\n")):
        if block.startswith("\b\n"):
            yield "\n".join(f"    {line}" for line in block.splitlines()[1:])
        else:
            yield escaped(" ".join(block.split()))


def row(option: click.Option) -> str:
    """Return an option as an item of a list."""
    value = "" if option.is_flag or option.count else f" {option.metavar or choices(option)}"
    names = ", ".join(f"`{name}{value}`" for name in [*option.opts, *option.secondary_opts])
    needed = " (required)" if option.required else ""
    return f"- {names}: {escaped(option.help or '')}{needed}"


def choices(option: click.Option) -> str:
    """Return what stands for an option's value: what it can be."""
    kind = option.type
    return "|".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else kind.name.upper()


def prose(name: str) -> tuple[str, str]:
    """Return what `docs/manual` has for a page: the description, and the sections behind it."""
    file = PROSE / f"{name}.md"
    text = file.read_text() if file.exists() else ""
    # Some have no description.
    description, mark, sections = f"\n{text}".partition("\n## ")
    return description.strip(), (mark + sections).strip()


def escaped(text: str) -> str:
    """Return plain text as Markdown."""
    return re.sub(r"([*_`<\[|\\])", r"\\\1", text)


# The list of all pages


def index(pages: dict[str, str]) -> str:
    """Return `README.md`: what holds for all programs, and each with what it does."""
    found = sorted((described(name, text) for name, text in pages.items()), key=order)
    parts = [
        "<!-- made by `make docs` -->",
        "# Commands",
        (PROSE / "README.md").read_text().strip(),
    ]
    for section, members in groupby(found, key=lambda page: page.section):
        rows = [f"| [{page.name}]({file_name(page.name)}) | {page.about} |" for page in members]
        parts += [f"## {section}", "\n".join(["| | |", "|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def described(name: str, text: str) -> Page:
    """Read from a page what the list says about it."""
    blocks = text.split("\n\n")
    return Page(blocks[1].removeprefix("# "), blocks[2], blocks[4].split(" · ")[0].split("\n")[0])


def order(page: Page) -> tuple[int, str]:
    """Put the sections into the order of `s6x --help`."""
    sections = [PEOPLE, "Supervision", "Status", "Notification", "Logging", "Process state"]
    sections += ["Instances", "Fd-holding", "Sockets", "Execline", "Utilities", "Service manager"]
    sections += ["Container"]
    return sections.index(page.section), page.name


def file_name(called: str) -> str:
    """Return the file of a page."""
    return called.replace(" ", "-") + ".md"


# Manual pages


def manual_page(name: str, text: str) -> str:
    """Return the manual page (roff, for man) that says what a page says."""
    blocks = list(blocks_of(text))
    title = next(block for block in blocks if block.startswith("# "))
    at = blocks.index(title)
    about, usage = blocks[at + 1], blocks[at + 2]
    called = title.removeprefix("# ")
    summary = inline(about[0].lower() + about[1:].removesuffix("."))
    out = [
        f'.TH "{name.upper()}" 1 "" "s6x {version("s6x")}" "s6x"',
        ".ad l",
        ".SH NAME",
        f"{roff(name)} \\- {summary}",
        ".SH SYNOPSIS",
        *synopsis(called, usage.strip()),
    ]
    # Behind the usage the page says where it belongs, which is nothing for a manual page.
    for block in blocks[at + 4 :]:
        out += formatted(block)
    return "\n".join(out) + "\n"


def blocks_of(text: str) -> Iterator[str]:
    """Give the parts of a page: those that blank lines divide, but fenced code as one."""
    lines: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        fenced ^= line.startswith("```")
        if (line or fenced) and not line.startswith("<!--"):
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []


def synopsis(called: str, usage: str) -> list[str]:
    """Return a usage, the program's name in bold."""
    return [".nh", f".B {roff(called)}", roff(usage.removeprefix(called).strip()), ".hy"]


def formatted(block: str) -> list[str]:
    """Return one part of a page."""
    if block.startswith("### "):
        return [f'.SS "{inline(block[4:])}"']
    if block.startswith("## "):
        return [f'.SH "{inline(block[3:].upper())}"']
    if block.startswith("```"):
        return code(block.splitlines()[1:-1])
    if block.startswith("    "):
        return code([line.removeprefix("    ") for line in block.splitlines()])
    if block.startswith("- "):
        return [line for item in re.split(r"\n(?=- )", block[2:]) for line in entry(item)]
    if block.startswith("|"):
        return [line for row in block.splitlines()[2:] for line in cells(row)]
    return [".PP", inline(block)]


def code(lines: list[str]) -> list[str]:
    """Return lines that stay as they are."""
    return [".PP", ".RS 4", ".nf", *(guarded(roff(line)) for line in lines), ".fi", ".RE"]


def entry(item: str) -> list[str]:
    """Return an item of a list; one that begins with code and a colon explains that."""
    item = item.removeprefix("- ")
    told = re.match(r"((?:`[^`]+`(?:, )?)+): (.*)", item, re.DOTALL)
    if told:
        return [".TP", inline(told[1]), inline(told[2])]
    return [".IP \\(bu 2", inline(item)]


def cells(row: str) -> list[str]:
    """Return a row of a table: what the first column says is explained by the others."""
    columns = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    return [".TP", inline(columns[0]), inline("; ".join(filter(None, columns[1:])))]


def inline(text: str) -> str:
    """Return text with code and emphasis, on one line for each that it had."""
    spans = re.split(r"(`[^`]+`)", text)
    out = [f"\\fB{roff(span[1:-1])}\\fR" if span[:1] == "`" else words(span) for span in spans]
    return "\n".join(guarded(line.strip()) for line in "".join(out).splitlines())


def words(text: str) -> str:
    """Return text without code: links as their texts, emphasis, escapes resolved."""
    text = re.sub(r"(?<!\\)\[([^]]+)\]\([^)]*\)", r"\1", text)
    out = []
    for part in re.findall(r"\\.|[^\\]+", text):
        if part.startswith("\\"):
            out.append(roff(part[1:]))
        else:
            bold = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fR", roff(part))
            out.append(re.sub(r"\*([^*]+)\*", r"\\fI\1\\fR", bold))
    return "".join(out)


def roff(text: str) -> str:
    """Return text that roff prints as it is."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")


def guarded(line: str) -> str:
    """Return a line that roff does not take for a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def main(words: list[str]) -> int:
    """Write or check everything; return the exit code."""
    if words[:1] == ["--manual"]:
        write_manual(Path(words[1]), read_pages())
        return 0
    # Those of the applets are Rust's work, and are only read here.
    made = pages_of_python()
    pages = {name: text for name, text in read_pages().items() if not is_python(name)} | made
    made["README"] = index(pages)
    wrong = stale(made)
    if words == ["--check"]:
        for name in wrong:
            print(f"not up to date, `make docs` helps: {name}")
        return int(bool(wrong))
    for name in wrong:
        file = PAGES / f"{name}.md"
        if name in made:
            file.write_text(made[name])
        else:
            file.unlink()
    write_manual(MANUAL, pages)
    print(f"{len(pages)} pages in docs/commands, and in {MANUAL.relative_to(TOP)} for man")
    return 0


def read_pages() -> dict[str, str]:
    """Return the pages that there are, without the list."""
    pages = {file.stem: file.read_text() for file in sorted(PAGES.glob("*.md"))}
    pages.pop("README", None)
    return pages


def is_python(name: str) -> bool:
    """Tell whether a page is one of Python's commands."""
    return name == "s6x" or name.startswith("s6x-")


def stale(made: dict[str, str]) -> list[str]:
    """Return the names of the pages that are not as they should be, or should not be at all."""
    present = {name: text for name, text in read_pages().items() if is_python(name)}
    if (PAGES / "README.md").exists():
        present["README"] = (PAGES / "README.md").read_text()
    return sorted(
        name for name in made.keys() | present.keys() if made.get(name) != present.get(name)
    )


def write_manual(place: Path, pages: dict[str, str]) -> None:
    """Write the manual pages, and remove those of commands that are gone."""
    place.mkdir(parents=True, exist_ok=True)
    for file in place.glob("*.1"):
        file.unlink()
    for name, text in pages.items():
        (place / f"{name}.1").write_text(manual_page(name, text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
