"""Every option that a program's help names is one that it knows, with a value or without."""

from __future__ import annotations

import re
import subprocess

import pytest

from world.programs import our_executable

OPTION = re.compile(r"  (?:-(\S)(?: (\S+))?|   )(?:,? ?--([a-z-]+)(=\S+)?)?(?:  .*|$)")
NO_OPTIONS = ("eltest", "s6-test", "test")
"""What looks like options are words of an expression."""


def programs() -> list[str]:
    executable = our_executable()
    assert executable, "there is no s6x executable to test: run `cargo build`"
    listed = subprocess.run(
        [executable, "--list-applets"], capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split() if name not in NO_OPTIONS]


def said(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [our_executable() or "", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("program", programs())
def test_every_option_is_known(program: str) -> None:
    """The one behind it is what is complained of, and nothing has been done by then."""
    help_text = said(program, "--help")[1]
    listed = help_text.partition("\nOptions:\n")[2].partition("\n\n")[0]
    for line in listed.splitlines():
        match = OPTION.fullmatch(line)
        assert match or not line.lstrip().startswith("-"), line
        if match is None:
            continue  # the rest of what is said about one
        letter, value, long, long_value = match.groups()
        forms = []
        if letter:
            forms.append([f"-{letter}", *(["1"] if value else [])])
        if long:
            forms.append([f"--{long}=1" if long_value else f"--{long}"])
        for form in forms:
            code, out, err = said(program, *form, "-:")
            assert (code, out) == (100, ""), (line, form, err)
            assert re.search(r"unknown option -:|unrecognized short option: :", err), (form, err)
