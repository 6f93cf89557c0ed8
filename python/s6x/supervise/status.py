"""The state of a service, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from signal import Signals

from s6x import _core


class State(StrEnum):
    """What a supervised service is doing."""

    DOWN = "down"
    """Nothing runs."""
    UP = "up"
    """Its run script, or the daemon that this became, is running."""
    FINISHING = "finishing"
    """It has died, and its finish script is running."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended.

    >>> str(Ending(exit_code=3)), str(Ending(signal=9))
    ('exited 3', 'killed by SIGKILL')
    """

    exit_code: int | None = None
    """None: a signal killed it."""
    signal: int | None = None
    """The number of that signal. Both None: nobody knows (somebody else took the answer)."""

    def __str__(self) -> str:
        """Say it in words."""
        if self.signal is not None:
            return f"killed by {signal_name(self.signal)}"
        return "ended unobserved" if self.exit_code is None else f"exited {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Death:
    """One death of a service."""

    at: datetime
    ending: Ending


@dataclass(frozen=True, slots=True)
class Status:
    """What a supervisor says about its service, at one moment (s6-svstat)."""

    state: State
    pid: int | None
    """The process of the service (UP) or of its finish script (FINISHING)."""
    since: datetime
    """When it last came up or went down; the start of its supervisor if it never did."""
    ready: bool
    """Whether it is up and has said that it is ready. Only services with a file
    `notification-fd` can say so."""
    ready_since: datetime | None
    """When it said so."""
    wanted_up: bool
    """Whether the supervisor keeps it up, and would start it again."""
    paused: bool
    """Whether it was stopped with SIGSTOP by its supervisor."""
    last_exit: Ending | None
    """How it last died; None: it never did under this supervisor."""
    deaths: tuple[Death, ...]
    """The last deaths under this supervisor, oldest first; how many are kept is a setting of the
    service (`max-death-tally`, 100)."""

    @property
    def up(self) -> bool:
        """Whether the service is running."""
        return self.state is State.UP


def signal_name(number: int) -> str:
    """Return the name of a signal, `SIGTERM`; for one without a name `signal 42`."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def status_from(status: _core.Status, tally: list[_core.Death]) -> Status:
    """Make a status of what two files say, the first of which was read first."""
    if tally and tally[-1].stamp_ns > status.stamp_ns:
        tally = tally[:-1]  # written a moment before the status that goes with it
    deaths = tuple(
        Death(moment(death.stamp_ns), Ending(death.exit_code, death.signal)) for death in tally
    )
    state = State.UP if status.up else State.FINISHING if status.finishing else State.DOWN
    ready = status.up and status.ready
    # The status file has "exited 0" before the first death too; only the tally tells.
    died = bool(deaths) or status.signal is not None or status.exit_code != 0
    return Status(
        state=state,
        pid=status.pid,
        since=moment(status.stamp_ns),
        ready=ready,
        ready_since=moment(status.ready_stamp_ns) if ready else None,
        wanted_up=status.wanted_up,
        paused=status.paused,
        last_exit=Ending(status.exit_code, status.signal) if died else None,
        deaths=deaths,
    )


def moment(unix_ns: int) -> datetime:
    """Return a stamp as a time with time zone (UTC), exact to the microsecond."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
