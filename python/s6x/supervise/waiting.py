"""Waiting until services are in a state (s6-svwait, s6-svlisten)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from s6x import _core
from s6x.errors import FailedForGood, NotSupervised, SupervisionError, TimedOut
from s6x.supervise.descriptors import readable_async

if TYPE_CHECKING:
    from s6x.supervise.service import Service

Goal: TypeAlias = Literal["up", "ready", "down", "finished", "restarted", "ready-again"]
"""What can be waited for.

`up`: it runs. `ready`: it runs and has said that it is ready. `down`: it does not run.
`finished`: it does not run, and its finish script is done. `restarted`: it was down and is up
(again). `ready-again`: it was down and is ready (again).
"""


class Expectation:
    """What services will reach; watched from construction, so that no moment is missed.

    The services are commanded in between, and then the answer is waited for, either way:

        with service.expect("ready-again") as ready:
            service.restart()
            ready.wait(timeout=10)        # or, in a coroutine: await ready
    """

    def __init__(self, services: Sequence[Service], goal: Goal, *, any: bool = False) -> None:
        """Start to watch; all services are to reach `goal` at the same time, or `any` of them.

        Raises NotSupervised, SupervisionError.
        """
        self.services = tuple(services)
        self.goal = goal
        for service in services:
            if not service.is_supervised():
                raise NotSupervised(
                    f"unable to wait until {service.path} is {goal}: it has no supervisor"
                )
        self._watch = _core.Watch([service.path for service in services], goal, any=any)

    def reached(self) -> bool:
        """Whether it has been reached, without waiting. Raises FailedForGood."""
        return self._is_over(self._watch.wait(0))

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is reached, at most `timeout` seconds. Raises TimedOut, FailedForGood."""
        if not self._is_over(self._watch.wait(timeout)):
            raise TimedOut(f"not {self.goal} within {timeout:g} s: {self._states()}")

    def __await__(self) -> Generator[None, None, None]:
        """Wait in an asyncio task; asyncio.timeout() limits it. Raises FailedForGood."""
        return self._wait_async().__await__()

    async def _wait_async(self) -> None:
        while not self.reached():
            await readable_async(self._watch.filenos())

    def __enter__(self) -> Self:
        """Do nothing: it is watched already, and the block's end stops that."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching."""
        self._watch.close()

    def _is_over(self, lost: int | None) -> bool:
        if lost:
            raise FailedForGood(
                f"will not be {self.goal}, because its supervisor has gone or its finish script "
                f"said so (exit code 125): {self._states()}"
            )
        return lost is not None

    def _states(self) -> str:
        states = []
        for service in self.services:
            try:
                states.append(f"{service.path} is {service.status().state}")
            except SupervisionError as error:
                states.append(str(error))
        return ", ".join(states)
