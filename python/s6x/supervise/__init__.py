r"""Supervised services from Python: state, commands, events, and trees of one's own.

A running scan directory, whoever started its scanner (s6x or s6):

    from s6x.supervise import ScanDir

    for service in ScanDir():
        print(service.name, service.status().state)

    web = ScanDir()["web"]
    web.restart(wait="ready-again", timeout=10)

    async with asyncio.timeout(60):
        async for event in web.events():
            print(event.what, event.at)

And a tree of one's own, which ends with the block:

>>> from s6x.supervise import Tree
>>> with Tree({"clock": "#!/bin/sh\nexec sleep 1000\n"}) as tree:
...     tree["clock"].wait("up", timeout=10)
...     print(tree["clock"].status().state)
up

Everything raises :class:`SupervisionError` or one of its subclasses; the message is a sentence.
Nothing here starts a thread, installs a signal handler, or waits for a child that it did not start.
"""

from __future__ import annotations

from s6x.errors import (
    FailedForGood,
    NotSupervised,
    SupervisionError,
    TimedOut,
    UnknownService,
)
from s6x.supervise.events import Event, Events, Happening
from s6x.supervise.owned import Stopped
from s6x.supervise.processes import Process
from s6x.supervise.scandir import ScanDir
from s6x.supervise.service import Service
from s6x.supervise.status import Death, Ending, State, Status
from s6x.supervise.tree import Tree
from s6x.supervise.waiting import Expectation, Goal

__all__ = [
    "Death",
    "Ending",
    "Event",
    "Events",
    "Expectation",
    "FailedForGood",
    "Goal",
    "Happening",
    "NotSupervised",
    "Process",
    "ScanDir",
    "Service",
    "State",
    "Status",
    "Stopped",
    "SupervisionError",
    "TimedOut",
    "Tree",
    "UnknownService",
]
