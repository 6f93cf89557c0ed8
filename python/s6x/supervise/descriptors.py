"""Waiting for descriptors, in a thread and in a coroutine."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def readable(descriptors: Iterable[int], timeout: float | None = None) -> bool:
    """Wait until one of them can be read; False if none can within `timeout` seconds."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


async def readable_async(
    descriptors: Iterable[int],
    timeout: float | None = None,
    sleeper: asyncio.Future[None] | None = None,
) -> bool:
    """Do the same in the running loop; setting the result of `sleeper` wakes it, too."""
    import asyncio  # a twentieth of a second that most users need not pay

    loop = asyncio.get_running_loop()
    awaited = loop.create_future() if sleeper is None else sleeper

    def wake() -> None:
        if not awaited.done():
            awaited.set_result(None)

    added = list(descriptors)
    for descriptor in added:
        loop.add_reader(descriptor, wake)
    try:
        async with asyncio.timeout(timeout):
            await awaited
    except TimeoutError:
        return False
    finally:
        for descriptor in added:
            loop.remove_reader(descriptor)
    return True
