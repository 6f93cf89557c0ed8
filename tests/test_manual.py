"""The pages of all commands: complete, linked, and good enough for man."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
PAGES = sorted((TOP / "docs/commands").glob("*.md"))
REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".nf", ".fi", ".nh", ".hy"}
REQUESTS |= {".ad", ".B"}


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every manual page, by its name."""
    place = tmp_path_factory.mktemp("man")
    tool = [sys.executable, str(TOP / "tools/manual.py"), "--manual", str(place)]
    subprocess.run(tool, check=True, timeout=60, stdout=subprocess.DEVNULL)
    return {file.stem: file.read_text() for file in place.glob("*.1")}


def test_there_is_one_for_every_page(manual: dict[str, str]) -> None:
    assert set(manual) == {page.stem for page in PAGES} - {"README"}
    assert len(manual) > 50


def test_manual_pages_are_made_of_known_requests(manual: dict[str, str]) -> None:
    for name, text in manual.items():
        lines = text.splitlines()
        assert lines[0].startswith(f'.TH "{name.upper()}" 1 ')
        used = {line.split(" ")[0] for line in lines if line.startswith(".")}
        assert used <= REQUESTS, name
        assert not [line for line in lines if line.startswith("'")], name
        # A backslash that is text is written \e; the others are fonts and special characters.
        for found in re.findall(r"\\(.)", text.replace("\\\n", "")):
            assert found in "e-&(f", (name, found)
        for opening, closing in ((".nf", ".fi"), (".RS 4", ".RE"), (".nh", ".hy")):
            assert lines.count(opening) == lines.count(closing), name
        headings = [line for line in lines if line.startswith(".SH")]
        assert headings[:2] == [".SH NAME", ".SH SYNOPSIS"]


def test_manual_pages_say_what_the_pages_say(manual: dict[str, str]) -> None:
    """Every option of a page, and every word of its prose, is there."""
    for page in PAGES:
        if page.stem == "README":
            continue
        text = page.read_text().split("-->\n", maxsplit=1)[1]
        printed = re.sub(r"\\f[BIR]|\\&", "", manual[page.stem])
        for escape, char in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\e", "\\")):
            printed = printed.replace(escape, char)
        links_gone = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)
        words = set(re.findall(r"[A-Za-z]{4,}", links_gone.partition("\n## ")[2]))
        lacking = {word for word in words if word not in printed and word.upper() not in printed}
        assert not lacking, page.stem


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_no_complaints(manual: dict[str, str]) -> None:
    for name, text in manual.items():
        groff = ["groff", "-man", "-Tutf8", "-ww", "-z"]
        said = subprocess.run(groff, input=text, capture_output=True, text=True, timeout=30)
        assert (said.returncode, said.stderr) == (0, ""), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_list_names_every_page() -> None:
    listed = set(
        re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", (TOP / "docs/commands/README.md").read_text(), re.M)
    )
    assert listed == {page.name for page in PAGES} - {"README.md"}


def test_the_pages_of_python_are_up_to_date() -> None:
    """Those of the other programs are looked after by a test of theirs, in Rust."""
    tool = [sys.executable, str(TOP / "tools/manual.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
