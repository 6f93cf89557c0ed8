"""What happens to services, as it happens."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from s6x import _core
from s6x._core import NOTICES
from s6x.errors import SupervisionError, TimedOut
from s6x.supervise.descriptors import readable, readable_async

if TYPE_CHECKING:
    import asyncio

    from s6x.supervise.service import Service


class Happening(Enum):
    """What can happen to a service; the value is the letter of s6's event directories."""

    SUPERVISED = NOTICES["Start"]
    """Its supervisor started."""
    UP = NOTICES["Up"]
    """Its run script was started."""
    READY = NOTICES["Ready"]
    """It said that it is ready."""
    DOWN = NOTICES["Down"]
    """It died."""
    FAILED = NOTICES["Once"]
    """Its finish script said that it must not be started again."""
    FINISHED = NOTICES["DownReady"]
    """It is down, its finish script is done, and it could be started again."""
    UNSUPERVISED = NOTICES["Exit"]
    """Its supervisor exits."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one service."""

    service: Service
    what: Happening
    at: datetime
    """When it was noticed here."""


class Events(Iterator[Event], AsyncIterator[Event]):
    """The events of some services, from construction until :meth:`close`.

    Iterate over it, with `for` or with `async for` (which uses the running loop's add_reader, and
    no thread), or ask with :meth:`next`. It never ends by itself; after :meth:`close` iteration
    stops. Events are kept by the kernel until they are read (64 KiB for each service; a reader
    slower than that misses some). Use it from one thread, or one task, at a time.
    """

    def __init__(self, services: Iterable[Service]) -> None:
        """Subscribe to the events of `services`. Raises SupervisionError."""
        self._subscriptions: dict[int, tuple[Service, _core.Subscription]] = {}
        self._pending: deque[Event] = deque()
        self._closed = False
        self._sleeper: asyncio.Future[None] | None = None
        try:
            for service in services:
                self.add(service)
        except BaseException:
            self.close()
            raise

    def add(self, service: Service) -> None:
        """Subscribe to the events of one more service. Raises SupervisionError."""
        subscription = subscribe(service)
        self._subscriptions[subscription.fileno()] = (service, subscription)

    @property
    def services(self) -> list[Service]:
        """The services whose events these are."""
        return [service for service, _ in self._subscriptions.values()]

    def next(self, timeout: float | None = None) -> Event:
        """Return the next event, waiting for it at most `timeout` seconds.

        Raises TimedOut, and SupervisionError after :meth:`close`.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._pending:
            if self._closed:
                raise SupervisionError("unable to wait for events: the subscription is closed")
            self._take()
            if self._pending:
                break
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimedOut(f"no event within {timeout:g} s")
            readable(self._subscriptions, left)
        return self._pending.popleft()

    def close(self) -> None:
        """Unsubscribe. May be called more than once."""
        self._closed = True
        for _, subscription in self._subscriptions.values():
            subscription.close()
        self._subscriptions.clear()
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def __enter__(self) -> Self:
        """Do nothing: it is subscribed already, and the block's end unsubscribes."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unsubscribe."""
        self.close()

    def __iter__(self) -> Self:
        """Iterate, waiting without limit for each event."""
        return self

    def __next__(self) -> Event:
        """Wait for the next event."""
        if self._closed and not self._pending:
            raise StopIteration
        return self.next()

    def __aiter__(self) -> Self:
        """Iterate in an asyncio task."""
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event without blocking the loop."""
        while not self._pending:
            if self._closed:
                raise StopAsyncIteration
            self._take()
            if not self._pending:
                await self._sleep_async()
        return self._pending.popleft()

    def _take(self) -> None:
        for service, subscription in self._subscriptions.values():
            for letter in subscription.take().decode("latin-1"):
                if letter in _KNOWN:  # a later s6 may have events of which we know nothing
                    self._pending.append(Event(service, Happening(letter), datetime.now(UTC)))

    async def _sleep_async(self) -> None:
        from asyncio import get_running_loop

        self._sleeper = get_running_loop().create_future()
        try:
            await readable_async(self._subscriptions, sleeper=self._sleeper)
        finally:
            self._sleeper = None


def subscribe(service: Service) -> _core.Subscription:
    """Subscribe to a service, which need not have been supervised yet. Raises SupervisionError."""
    if not (service.path / "event").is_dir():
        _core.make_events(service.path)
    return _core.Subscription(service.path / "event")


_KNOWN = {happening.value for happening in Happening}
