"""Events from Python, in a thread and in a coroutine."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from datetime import UTC, datetime

import pytest

from s6x.supervise import Events, Happening, ScanDir, Service, SupervisionError, TimedOut
from world import witness
from world.programs import Programs
from world.running import World

LIFE = [Happening.DOWN, Happening.FINISHED, Happening.UP]


@pytest.fixture
def service(world: World, daemons: Programs) -> Service:
    directory = world.service(witness.sleeper())
    world.supervise(daemons, directory).events.wait_for("u")  # a moment after the status says so
    return Service(directory)


def test_a_life_in_order(service: Service) -> None:
    with service.events() as events:
        before = datetime.now(UTC)
        service.restart()
        seen = [events.next(15) for _ in LIFE]
    assert [event.what for event in seen] == LIFE
    assert {event.service for event in seen} == {service}
    assert before <= seen[0].at <= seen[-1].at <= datetime.now(UTC)


def test_the_status_is_written_before_the_event(service: Service) -> None:
    with service.events() as events:
        for _ in range(3):
            old = service.status().pid
            service.restart()
            while events.next(15).what is not Happening.UP:
                pass
            assert service.status().pid != old


def test_before_the_first_supervisor(world: World, daemons: Programs) -> None:
    """Subscribing makes the event directory, as the originals' waiting programs do."""
    directory = world.top / "later"
    world.service(witness.sleeper(), "later")
    with Service(directory).events() as events:
        assert (directory / "event").stat().st_mode & 0o7777 == 0o3730
        world.supervise(daemons, directory)
        assert [events.next(15).what for _ in range(2)] == [Happening.SUPERVISED, Happening.UP]


def test_nothing_within_the_time(service: Service) -> None:
    with service.events() as events:
        started = time.monotonic()
        with pytest.raises(TimedOut, match=r"no event within 0\.05 s"):
            events.next(0.05)
        assert time.monotonic() - started >= 0.05


def test_closing_ends_the_iteration_and_leaves_nothing(service: Service) -> None:
    before = sorted((service.path / "event").iterdir())
    events = service.events()
    assert len(list((service.path / "event").iterdir())) == len(before) + 1
    service.kill()
    assert next(events).what is Happening.DOWN
    events.close()
    events.close()
    assert {event.what for event in events} <= {Happening.FINISHED, Happening.UP}
    with pytest.raises(SupervisionError, match="unable to wait for events: the subscription is cl"):
        events.next(0)
    assert sorted((service.path / "event").iterdir()) == before


def test_forgetting_it_unsubscribes(service: Service) -> None:
    before = sorted((service.path / "event").iterdir())
    events = service.events()
    del events
    assert sorted((service.path / "event").iterdir()) == before


def test_several_services_in_one(world: World, daemons: Programs) -> None:
    world.plant({"a": witness.sleeper(), "b": witness.sleeper()}, "scan")
    scanner = world.scan(daemons, world.top / "scan")
    scanner.until_up("a", "b")
    scandir = ScanDir(scanner.directory)
    with scandir.events() as events:
        scandir["a"].kill()
        scandir["b"].kill()
        seen = {(event.service.name, event.what) for event in (events.next(15) for _ in range(6))}
    assert seen == {(name, what) for name in "ab" for what in LIFE}


def test_one_failed_subscription_undoes_the_others(service: Service) -> None:
    before = sorted((service.path / "event").iterdir())
    missing = Service(service.path / "missing")
    with pytest.raises(SupervisionError, match=r"unable to create .*missing/event: No such file"):
        Events([service, missing])
    assert sorted((service.path / "event").iterdir()) == before


def test_in_a_coroutine(service: Service) -> None:
    async def life() -> list[Happening]:
        seen: list[Happening] = []
        with service.events() as events:
            service.restart()
            async with asyncio.timeout(15):
                async for event in events:
                    seen.append(event.what)
                    if event.what is Happening.UP:
                        break
        return seen

    assert asyncio.run(life()) == LIFE


def test_a_coroutine_does_not_block_the_loop(service: Service) -> None:
    async def both() -> tuple[Happening, int]:
        ticks = 0
        with service.events() as events:
            waiting = asyncio.ensure_future(anext(events))
            for _ in range(50):
                await asyncio.sleep(0)
                ticks += 1
            assert not waiting.done()
            service.kill()
            async with asyncio.timeout(15):
                return (await waiting).what, ticks

    assert asyncio.run(both()) == (Happening.DOWN, 50)
    assert threading.active_count() == 1


def test_closing_wakes_a_coroutine(service: Service) -> None:
    async def closed() -> list[Happening]:
        events = service.events()

        async def collect() -> list[Happening]:
            return [event.what async for event in events]

        collecting = asyncio.ensure_future(collect())
        await asyncio.sleep(0)
        events.close()
        async with asyncio.timeout(15):
            return await collecting

    assert asyncio.run(closed()) == []


def test_expectations_in_a_coroutine(service: Service) -> None:
    async def restarted() -> int | None:
        old = service.status().pid
        with service.expect("restarted") as again:
            service.restart()
            async with asyncio.timeout(15):
                await again
        assert old != service.status().pid
        with service.expect("down") as down, pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await down
        return service.status().pid

    assert asyncio.run(restarted()) is not None


def test_a_signal_handler_runs_while_waiting(service: Service) -> None:
    class Alarm(Exception):
        pass

    def ring(number: int, frame: object) -> None:
        raise Alarm

    old = signal.signal(signal.SIGALRM, ring)
    try:
        for wait in (lambda: service.wait("down", 15), lambda: service.events().next(15)):
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            started = time.monotonic()
            with pytest.raises(Alarm):
                wait()
            assert time.monotonic() - started < 2
    finally:
        signal.signal(signal.SIGALRM, old)


def test_other_threads_run_while_one_waits(service: Service) -> None:
    ran = threading.Event()
    thread = threading.Thread(target=ran.set)

    def wait() -> None:
        with service.expect("down") as down:
            thread.start()
            assert ran.wait(10)
            service.down()
            down.wait(15)

    wait()
    thread.join()
    assert not service.status().wanted_up
