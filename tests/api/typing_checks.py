"""What type checkers say about programs that use the API; mypy reads this, and pytest runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import datetime
from pathlib import Path
from typing import assert_type

from s6x.supervise import (
    Ending,
    Event,
    Events,
    Expectation,
    Happening,
    ScanDir,
    Service,
    State,
    Status,
    Stopped,
    Tree,
)


def services(scandir: ScanDir) -> None:
    assert_type(scandir.path, Path)
    assert_type(scandir["web"], Service)
    assert_type(scandir.services(loggers=True), list[Service])
    for service in scandir:
        assert_type(service, Service)
        assert_type(service.logger, Service | None)


def states(status: Status) -> None:
    assert_type(status.state, State)
    assert_type(status.pid, int | None)
    assert_type(status.since, datetime)
    assert_type(status.last_exit, Ending | None)
    if status.last_exit is not None:
        assert_type(status.last_exit.exit_code, int | None)


def commands(service: Service) -> None:
    service.up(wait="ready", timeout=1.5)
    service.restart(wait="sideways")  # type: ignore[arg-type]
    service.down(True)  # type: ignore[call-arg]
    service.status().pid = 3  # type: ignore[misc]
    assert_type(service.expect("up"), Expectation)


def events(events: Events) -> None:
    sync: Iterator[Event] = events
    aio: AsyncIterator[Event] = events
    assert_type(next(sync).what, Happening)
    assert_type(anext(aio), Awaitable[Event])


async def trees() -> None:
    with Tree({"a": "#!/bin/sh\n", "b": ["x"], "c": {"run": b"", "n": 3, "e": None}}) as tree:
        assert_type(tree, Tree)
        assert_type(tree.stop(), Stopped | None)
    async with Tree(Path("/somewhere"), stop_timeout=None) as other:
        with other["a"].expect("up") as up:
            assert_type(await up, None)
    Tree({"a": 3})  # type: ignore[dict-item]
