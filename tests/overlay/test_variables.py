"""Environments checked against the table."""

from __future__ import annotations

import pytest

from s6x.overlay.settings import SETTINGS
from s6x.overlay.variables import OF_V3, environment_findings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "S6_KILL_GRACETIME",
            "3s",
            "warning S6_KILL_GRACETIME: '3s' is no decimal number: it counts as 3000; write "
            "digits only",
        ),
        (
            "S6_KEEP_ENV",
            "yes",
            "warning S6_KEEP_ENV: 'yes' is no decimal number: any word counts as on; write 0 for "
            "off, 1 for on",
        ),
        (
            "S6X_RUN",
            "tmp",
            "warning S6X_RUN: 'tmp' is not an absolute path: it is passed over; begin it with a "
            "slash",
        ),
        (
            "S6_KILL_GRACE_TIME",
            "1",
            "warning S6_KILL_GRACE_TIME: no variable of this name is known: it changes nothing; "
            "did you mean S6_KILL_GRACETIME?",
        ),
        (
            "S6X_XYZZY",
            "1",
            "warning S6X_XYZZY: no variable of this name is known: it changes nothing; the known "
            "ones are in docs/guides/variables.md",
        ),
        (
            "S6_VERBOSITY",
            "1",
            "note S6_VERBOSITY: generation v1 does not know it: it changes nothing; leave it out",
        ),
        (
            "S6_SYNC_DISKS",
            "1",
            "note S6_SYNC_DISKS: generation v1 does not know it: it changes nothing; leave it out",
        ),
    ],
)
def test_one_variable(name: str, value: str, expected: str) -> None:
    found = environment_findings({name: value, "PATH": "/bin"}, "v1")
    assert [f"{its.level} {its}" for its in found] == [expected]


def test_defaults_and_strangers_are_fine() -> None:
    environ = {its.name: its.default for its in SETTINGS}
    environ |= {"S6_OVERLAY_VERSION": "2.2.0.3", "PATH": "/bin", "S60": "x", "S6_KEEP_ENV": ""}
    assert environment_findings(environ, "v2") == []


def test_what_only_v3_knows_is_not_in_the_table() -> None:
    assert not OF_V3 & {its.name for its in SETTINGS}
