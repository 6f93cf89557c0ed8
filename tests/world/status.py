"""The status and death tally files (contract 5.1, 5.2), decoded without the code under test.

The decoder is the oracle of the tests: written from the layout alone, checking everything that
it reads. A length, a flag or a time that cannot be is an error, never a guess.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

LEAP_OFFSET = (1 << 62) + 37
"""TAI64 seconds minus Unix seconds, since 2017."""

PAUSED, FINISHING, WANTED_UP, READY = 1, 2, 4, 8

STATUS_SIZE = 35
STATUS_SIZE_2_13 = 43
TALLY_RECORD_SIZE = 14


class Undecodable(AssertionError):
    """The bytes are not what the contract allows."""


@dataclass(frozen=True)
class Status:
    """One status file. Times are Unix seconds; `pid` belongs to `finish` while `finishing`."""

    stamp: float
    readystamp: float
    pid: int
    pgid: int | None
    """Only in the 43 bytes of s6 2.13."""
    wstat: int
    paused: bool
    finishing: bool
    wanted_up: bool
    ready: bool

    @property
    def up(self) -> bool:
        return self.pid != 0 and not self.finishing

    @property
    def down(self) -> bool:
        return self.pid == 0

    @property
    def flags(self) -> int:
        return (
            PAUSED * self.paused
            + FINISHING * self.finishing
            + WANTED_UP * self.wanted_up
            + READY * self.ready
        )

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last dead run, None if a signal killed it."""
        return os.WEXITSTATUS(self.wstat) if os.WIFEXITED(self.wstat) else None

    @property
    def signal(self) -> int | None:
        return os.WTERMSIG(self.wstat) if os.WIFSIGNALED(self.wstat) else None


def time_of(stamp: bytes) -> float:
    """Unix seconds of a 12 byte TAI64N stamp."""
    if len(stamp) != 12:
        raise Undecodable(f"a stamp has 12 bytes, not {len(stamp)}")
    seconds = int.from_bytes(stamp[:8]) - LEAP_OFFSET
    nanoseconds = int.from_bytes(stamp[8:])
    if nanoseconds >= 1_000_000_000:
        raise Undecodable(f"{nanoseconds} nanoseconds in {stamp.hex()}")
    return seconds + nanoseconds / 1e9


def stamp_of(unix_s: float) -> bytes:
    """The 12 bytes of a time: `time_of` backwards."""
    seconds = int(unix_s)
    return (seconds + LEAP_OFFSET).to_bytes(8) + int((unix_s - seconds) * 1e9).to_bytes(4)


def decode(content: bytes) -> Status:
    """Decode 35 bytes (2.11, 2.12, 2.14 and later) or 43 bytes (2.13)."""
    if len(content) not in (STATUS_SIZE, STATUS_SIZE_2_13):
        raise Undecodable(f"a status has 35 or 43 bytes, not {len(content)}: {content!r}")
    wide = len(content) == STATUS_SIZE_2_13
    rest = content[40:] if wide else content[32:]
    flags = rest[2]
    if flags & 0xF0:
        raise Undecodable(f"unknown flags {flags:#x}")
    return Status(
        stamp=time_of(content[:12]),
        readystamp=time_of(content[12:24]),
        pid=int.from_bytes(content[24:32]),
        pgid=int.from_bytes(content[32:40]) if wide else None,
        wstat=int.from_bytes(rest[:2]),
        paused=bool(flags & PAUSED),
        finishing=bool(flags & FINISHING),
        wanted_up=bool(flags & WANTED_UP),
        ready=bool(flags & READY),
    )


def encode(status: Status) -> bytes:
    """Return the bytes of a status: 43 of them if it has a `pgid`."""
    middle = b"" if status.pgid is None else status.pgid.to_bytes(8)
    return (
        stamp_of(status.stamp)
        + stamp_of(status.readystamp)
        + status.pid.to_bytes(8)
        + middle
        + status.wstat.to_bytes(2)
        + bytes([status.flags])
    )


def status(servicedir: Path) -> Status:
    """The status of a service directory, as it is on disk now."""
    return decode((servicedir / "supervise/status").read_bytes())


@dataclass(frozen=True)
class Death:
    """One record of the tally; a signal death has exit code 128 + signal."""

    when: float
    exit_code: int
    signal: int


def tally(servicedir: Path) -> list[Death]:
    """The death tally of a service directory, oldest first."""
    content = (servicedir / "supervise/death_tally").read_bytes()
    if len(content) % TALLY_RECORD_SIZE:
        raise Undecodable(f"{len(content)} bytes are no whole number of records")
    return [
        Death(time_of(record[:12]), record[12], record[13])
        for record in (
            content[at : at + TALLY_RECORD_SIZE] for at in range(0, len(content), TALLY_RECORD_SIZE)
        )
    ]


def wait_status(exit_code: int = 0, killed_by: signal.Signals | None = None) -> int:
    """The raw wait status of an end."""
    return int(killed_by) if killed_by else exit_code << 8
