"""One supervised service, by its service directory."""

from __future__ import annotations

import os
from pathlib import Path

from s6x import _core
from s6x._core import CONTROLS, SIGNAL_CONTROLS
from s6x.errors import NotSupervised
from s6x.supervise.events import Events
from s6x.supervise.status import Status, signal_name, status_from
from s6x.supervise.waiting import Expectation, Goal


class Service:
    """A service directory, and through it the supervisor that runs on it.

    Commands are letters in the supervisor's FIFO: they are sent at once, carried out in order,
    and not answered. To wait for their effect, give `wait` (and `timeout`, in seconds, which raises
    TimedOut), or use :meth:`expect`. Every method may raise NotSupervised or another
    SupervisionError. A Service holds nothing open, and two with the same path are equal.

    >>> service = Service("/run/service/nginx")
    >>> service.name, service.logger is None
    ('nginx', True)
    """

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Name a service directory, which need not exist yet.

        `name` is how people call the service: `web`, or `web/log` for its logger.
        """
        self.path = Path(path)
        self.name = self.path.name if name is None else name

    def __eq__(self, other: object) -> bool:
        """Compare paths."""
        return isinstance(other, Service) and self.path == other.path

    def __hash__(self) -> int:
        """Hash the path."""
        return hash(self.path)

    def __repr__(self) -> str:
        """Show the path."""
        return f"Service({os.fspath(self.path)!r})"

    @property
    def logger(self) -> Service | None:
        """The service that reads its output, if it has one."""
        path = self.path / "log"
        return Service(path, f"{self.name}/log") if path.is_dir() else None

    @property
    def reports_readiness(self) -> bool:
        """Whether it can ever become ready: whether there is a file `notification-fd`."""
        return (self.path / "notification-fd").exists()

    @property
    def normally_up(self) -> bool:
        """Whether its supervisor starts it at once when supervision starts: no file `down`."""
        return not (self.path / "down").exists()

    def is_supervised(self) -> bool:
        """Whether a supervisor is running on it (s6-svok), and has said what state it is in."""
        # A service's very first supervisor takes the lock a moment before it writes the status.
        return _core.is_supervised(self.path) and (self.path / "supervise/status").exists()

    def status(self) -> Status:
        """Return its state now (s6-svstat). Raises NotSupervised: a status left behind is a lie."""
        if not self.is_supervised():
            raise NotSupervised(f"unable to tell the state of {self.path}: it has no supervisor")
        return status_from(_core.read_status(self.path), _core.read_tally(self.path))

    def up(
        self,
        *,
        for_good: bool = False,
        wait: Goal | None = None,
        timeout: float | None = None,
    ) -> None:
        """Start it, and keep it up. `for_good`: also when supervision starts anew (no `down`)."""
        self._send("UpForGood" if for_good else "Up", wait, timeout)

    def down(
        self,
        *,
        for_good: bool = False,
        wait: Goal | None = None,
        timeout: float | None = None,
    ) -> None:
        """Stop it with its down-signal, and keep it down.

        `for_good`: also when supervision starts anew, by a file `down` in its directory.
        """
        self._send("DownForGood" if for_good else "Down", wait, timeout)

    def once(self, *, wait: Goal | None = None, timeout: float | None = None) -> None:
        """Start it, and do not start it again when it dies."""
        self._send("Once", wait, timeout)

    def restart(self, *, wait: Goal | None = None, timeout: float | None = None) -> None:
        """Send its down-signal; a service that is wanted up is then started again.

        `wait="restarted"` or `"ready-again"` waits for the new process.
        """
        self._send("Restart", wait, timeout)

    def kill(self, *, wait: Goal | None = None, timeout: float | None = None) -> None:
        """Send it SIGKILL."""
        self._send("Kill", wait, timeout)

    def pause(self) -> None:
        """Send it SIGSTOP."""
        self._send("Pause")

    def resume(self) -> None:
        """Send it SIGCONT."""
        self._send("Continue")

    def reload(self) -> None:
        """Send it its reload-signal, SIGHUP by default. Supervisors before s6 2.15.1 ignore it."""
        self._send("Reload")

    def signal(self, number: int) -> None:
        """Send it a signal, through its supervisor: never to a process that took over the number.

        Only signals with a control letter can be sent so; others raise ValueError.
        """
        letter = SIGNAL_CONTROLS.get(int(number))
        if letter is None:
            known = ", ".join(signal_name(one) for one in sorted(SIGNAL_CONTROLS))
            raise ValueError(
                f"a supervisor has no letter to send {signal_name(number)}; it can send {known}"
            )
        _core.send(self.path, letter)

    def exit(self, *, wait: Goal | None = None, timeout: float | None = None) -> None:
        """Tell its supervisor to exit once the service is down; this cannot be taken back.

        A scanner that still sees the service directory starts another supervisor.
        """
        self._send("Exit", wait, timeout)

    def wait(self, goal: Goal, timeout: float | None = None) -> None:
        """Wait until it is in a state, at most `timeout` seconds.

        Raises TimedOut; FailedForGood, when the service will never get there; NotSupervised.
        """
        with self.expect(goal) as expected:
            expected.wait(timeout)

    def expect(self, goal: Goal) -> Expectation:
        """Watch from now on for a state; wait for it later, in a thread or in a coroutine."""
        return Expectation([self], goal)

    def events(self) -> Events:
        """Subscribe to what happens to it; iterate over that with `for` or with `async for`."""
        return Events([self])

    def _send(self, control: str, wait: Goal | None = None, timeout: float | None = None) -> None:
        letter = CONTROLS[control]
        if wait is None:
            _core.send(self.path, letter)
            return
        with self.expect(wait) as expected:
            _core.send(self.path, letter)
            expected.wait(timeout)
