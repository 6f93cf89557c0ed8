"""An independent subscriber to a fifodir (contract 5.6): it records the stream of event bytes."""

from __future__ import annotations

import os
import random
import select
import string
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from world.status import stamp_of
from world.waiting import PATIENCE_S, NeverHappened

_LETTERS = string.ascii_letters + string.digits + "-_"


class Subscriber:
    """Subscribed from construction until `close()`; `received` grows as the methods read."""

    def __init__(self, fifodir: Path) -> None:
        label = "@" + stamp_of(time.time()).hex()
        name = f"ftrig1:{label}:" + "".join(random.choices(_LETTERS, k=6))
        hidden, self.path = fifodir / f".{name}", fifodir / name
        os.mkfifo(hidden, 0o622)
        hidden.chmod(0o622)
        self._reader = os.open(hidden, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # Our own writing end: without it a writer that closes looks like the end of the stream.
        self._keeper = os.open(hidden, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        hidden.rename(self.path)
        self.received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe as a well-behaved reader does: unlink first, then close."""
        self.path.unlink(missing_ok=True)
        os.close(self._reader)
        os.close(self._keeper)

    def abandon(self) -> None:
        """Close without unlinking, like a reader that was killed."""
        os.close(self._reader)
        os.close(self._keeper)

    def take(self, timeout_s: float = 0.0) -> bytes:
        """Return what one read gives within `timeout_s`, possibly nothing; it joins `received`."""
        readable, _, _ = select.select([self._reader], [], [], timeout_s)
        new = os.read(self._reader, 4096) if readable else b""
        self.received += new
        return new

    def until(
        self, enough: Callable[[bytes], bool], what: str, timeout_s: float = PATIENCE_S
    ) -> bytes:
        """Read until `enough(received)` and return all that was received so far."""
        deadline = time.monotonic() + timeout_s
        while not enough(self.received):
            left = deadline - time.monotonic()
            if left <= 0:
                so_far = f"events so far: {self.received!r}"
                raise NeverHappened(f"not within {timeout_s:g} s: {what}; {so_far}")
            self.take(left)
        return self.received

    def expect(self, events: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait for as many bytes as `events` has; they must be exactly these, in this order."""
        wanted = events.encode()
        got = self.until(
            lambda all_of: len(all_of) >= len(wanted), f"the events {events!r}", timeout_s
        )
        assert got == wanted, f"events {got!r} instead of {wanted!r}"
        self.received = b""

    def wait_for(self, event: str, timeout_s: float = PATIENCE_S) -> bytes:
        """Wait until `event` (one letter) was received; return all there is, and forget it."""
        got = self.until(lambda all_of: event.encode() in all_of, f"the event {event!r}", timeout_s)
        self.received = b""
        return got
