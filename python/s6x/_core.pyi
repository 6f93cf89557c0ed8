"""The core of s6x, as the extension module shows it; :mod:`s6x.supervise` is what people use.

Paths are str or os.PathLike. Times are nanoseconds of Unix time, timeouts seconds. Functions raise
:class:`s6x.errors.SupervisionError` (or its subclass NotSupervised) with a sentence as message, and
ValueError for arguments that mean nothing.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, final

__all__ = [
    "CONTROLS",
    "NOTICES",
    "SCANDIR_VARIABLE",
    "SCAN_CONTROLS",
    "SIGNAL_CONTROLS",
    "Child",
    "Death",
    "Status",
    "Subscription",
    "Watch",
    "decode_status",
    "decode_tally",
    "is_scanned",
    "is_supervised",
    "make_events",
    "read_script",
    "read_status",
    "read_tally",
    "rule_faults",
    "scandir_places",
    "send",
    "send_scanner",
    "spawn",
]

_Path: TypeAlias = str | os.PathLike[str]

SCANDIR_VARIABLE: Final[str]
"""The environment variable that names the running scan directory."""

CONTROLS: Final[dict[str, str]]
"""Name of a control (`Down`, `Up`, …) to its letter on a supervisor's FIFO."""

SCAN_CONTROLS: Final[dict[str, str]]
"""Name of a control (`Rescan`, `Terminate`, …) to its letter on a scanner's FIFO."""

SIGNAL_CONTROLS: Final[dict[int, str]]
"""Number of a signal to the letter by which a supervisor sends it to its service."""

NOTICES: Final[dict[str, str]]
"""Name of an event (`Up`, `DownReady`, …) to its letter."""

@final
class Status:
    """The content of a status file."""

    @property
    def stamp_ns(self) -> int:
        """When the service last came up or went down."""
    @property
    def ready_stamp_ns(self) -> int:
        """When it last became ready, or was down and ready to be started."""
    @property
    def pid(self) -> int | None:
        """The process of run, or of finish while it is finishing."""
    @property
    def pgid(self) -> int | None:
        """The process group of the service."""
    @property
    def exit_code(self) -> int | None:
        """The exit code of the last run; 0 too if it never died. None: a signal killed it."""
    @property
    def signal(self) -> int | None:
        """The signal that killed the last run."""
    @property
    def up(self) -> bool:
        """Whether run is running."""
    @property
    def paused(self) -> bool:
        """Whether it was stopped by the control Pause."""
    @property
    def finishing(self) -> bool:
        """Whether finish is running."""
    @property
    def wanted_up(self) -> bool:
        """Whether the supervisor means to keep it up."""
    @property
    def ready(self) -> bool:
        """Up and ready, or down and ready to be started."""
    @property
    def not_started(self) -> bool:
        """Whether its supervisor never started it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Death:
    """One record of a death tally."""

    @property
    def stamp_ns(self) -> int:
        """When."""
    @property
    def exit_code(self) -> int | None:
        """The exit code; None: a signal killed it."""
    @property
    def signal(self) -> int | None:
        """The signal that killed it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Subscription:
    """A subscription to an event directory, from construction until close() or deletion."""

    def __new__(cls, path: _Path) -> Subscription:
        """Subscribe; whoever reads the status after this misses nothing."""
    def fileno(self) -> int:
        """Return the descriptor that becomes readable when an event arrives."""
    def take(self) -> bytes:
        """Return the event letters that have arrived since the last call, without waiting."""
    def wait(self, timeout: float | None = None) -> bool:
        """Wait for an event, without the GIL; False if none came in time."""
    def close(self) -> None:
        """Unsubscribe. Every other method raises ValueError afterwards."""

@final
class Watch:
    """Services that are being waited for, from construction until close() or deletion."""

    def __new__(cls, services: Sequence[_Path], goal: str, *, any: bool = False) -> Watch:
        """Subscribe to each service and read its status.

        `goal` is `up`, `ready`, `down`, `finished`, `restarted` or `ready-again`, to be reached by
        all services at the same time, or by `any`. A service without supervisor is no error.
        """
    def filenos(self) -> list[int]:
        """Return the descriptors that become readable with events."""
    def wait(self, timeout: float | None = None) -> int | None:
        """Wait, without the GIL; return how many services will never get there: 0 is success.

        None: `timeout` seconds have passed. wait(0) takes what has arrived.
        """
    def close(self) -> None:
        """Stop watching. Every other method raises ValueError afterwards."""

@final
class Child:
    """A child of this process, held and reaped by a pidfd; other children are not touched.

    An ending is the pair (exit code, signal), of which one is None; both are None if somebody else
    in this process reaped the child and the kernel (before 6.15) no longer tells.
    """

    @property
    def pid(self) -> int:
        """Its process id."""
    def fileno(self) -> int:
        """Return the pidfd: readable when the child has ended. It belongs to this object."""
    def kill(self, signal: int) -> bool:
        """Send a signal; False if the child has ended."""
    def reap(self) -> tuple[int | None, int | None] | None:
        """Return how it ended, or None while it runs."""
    def wait(self, timeout: float | None = None) -> tuple[int | None, int | None] | None:
        """Wait for its end, without the GIL; None if it still runs after `timeout`."""

def spawn(
    path: _Path,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: _Path,
    fds: Mapping[int, int],
) -> Child:
    """Start the program at `path` in a new session, with default signals and an empty mask.

    `fds` maps a descriptor's number in the child to ours (at most eight); 0, 1 and 2 are inherited
    if not mapped, everything else is closed. `path` is absolute, or relative to `cwd`.
    """

def decode_status(content: bytes) -> Status:
    """Decode the bytes of a status file: 35, or 43 from s6 2.13."""

def decode_tally(content: bytes) -> list[Death]:
    """Decode the bytes of a death tally, oldest first; a partial record makes it count as empty."""

def read_script(script: bytes) -> list[tuple[bytes, int, int]]:
    """Take an execline script apart into its words, as execlineb does.

    Each comes with the line and the column (in bytes, both from 1) where it begins. A word in a
    block begins with a space for each block around it, and a block ends with a word of spaces
    alone, one fewer than its words have. Raises the built-in SyntaxError, whose `lineno` and
    `offset` say where.
    """

def rule_faults(rules: bytes, passwd: bytes, group: bytes) -> list[tuple[int, str]]:
    """Return what is wrong with rules about owners and modes: line, from 1, and why.

    `passwd` and `group` are the contents of the two files by which names are looked up.
    """

def read_status(service: _Path) -> Status:
    """Read the status of a service directory, which is stale if no supervisor holds it."""

def read_tally(service: _Path) -> list[Death]:
    """Read the death tally of a service directory."""

def is_supervised(service: _Path) -> bool:
    """Whether a supervisor holds a service directory (s6-svok)."""

def is_scanned(scandir: _Path) -> bool:
    """Whether a scanner holds a scan directory."""

def send(service: _Path, letters: str) -> None:
    """Send control letters to a supervisor, all at once (s6-svc)."""

def send_scanner(scandir: _Path, letters: str) -> None:
    """Send control letters to a scanner, all at once (s6-svscanctl)."""

def scandir_places() -> list[str]:
    """Return where to look for the running scan directory, best first.

    The variable S6X_SCANDIR alone if it is set; else where s6-overlay has it, v3 before v1 and v2,
    and where `/init` may have put its state.
    """

def make_events(service: _Path) -> None:
    """Make the event directory of a service that was never supervised, for our group."""
