"""One service from Python: state, commands, waiting, and what is said when that is not possible."""

from __future__ import annotations

import fcntl
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s6x import _core
from s6x.supervise import (
    Ending,
    FailedForGood,
    NotSupervised,
    Service,
    State,
    SupervisionError,
    TimedOut,
)
from world import witness
from world.programs import Programs
from world.running import World
from world.waiting import until, until_line, until_lines

LIMIT_S = 15.0


def supervised(
    world: World, daemons: Programs, content: dict[str, object] | None = None
) -> Service:
    directory = world.service(content or witness.sleeper())  # type: ignore[arg-type]
    world.supervise(daemons, directory)
    return Service(directory)


def test_status_of_a_running_service(world: World, daemons: Programs) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    status = service.status()
    assert (status.state, status.up, status.wanted_up) == (State.UP, True, True)
    assert (status.ready, status.ready_since, status.paused) == (False, None, False)
    assert (status.last_exit, status.deaths) == (None, ())
    assert status.pid is not None
    assert Path(f"/proc/{status.pid}").exists()
    assert before <= status.since <= datetime.now(UTC)


def test_down_and_up_again(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    service.down(wait="finished", timeout=LIMIT_S)
    status = service.status()
    assert (status.state, status.pid, status.wanted_up) == (State.DOWN, None, False)
    assert status.last_exit == Ending(signal=signal.SIGTERM)
    assert [death.ending for death in status.deaths] == [Ending(signal=signal.SIGTERM)]
    assert status.deaths[0].at == status.since
    service.up(wait="up", timeout=LIMIT_S)
    assert service.status().up


def test_for_good_means_a_down_file(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    normally = [service.normally_up]
    service.down(for_good=True, wait="finished", timeout=LIMIT_S)
    normally.append(service.normally_up)
    service.up(for_good=True, wait="up", timeout=LIMIT_S)
    normally.append(service.normally_up)
    assert normally == [True, False, True]


def test_restart_waits_for_the_new_process(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    old = service.status().pid
    service.restart(wait="restarted", timeout=LIMIT_S)
    assert service.status().pid not in (None, old)


def test_readiness(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons, witness.ready_on(5))  # type: ignore[arg-type]
    assert service.reports_readiness
    service.wait("ready", LIMIT_S)
    status = service.status()
    assert status.ready
    assert status.ready_since is not None
    assert status.ready_since >= status.since
    service.restart(wait="ready-again", timeout=LIMIT_S)
    assert service.status().ready


def test_a_down_service_is_not_ready(world: World, daemons: Programs) -> None:
    """In the file it is, which means: ready to be started."""
    service = supervised(world, daemons, {**witness.sleeper(), "down": ""})
    assert not service.status().ready
    assert service.status().state is State.DOWN


def test_signals_arrive(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons, witness.recorder())  # type: ignore[arg-type]
    signals = service.path / "signals"
    until_lines(signals, 1)
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGWINCH):
        service.signal(number)
        until_line(signals, number.name.removeprefix("SIG"))


def test_a_signal_without_a_letter(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    with pytest.raises(ValueError, match="no letter to send SIGPIPE; it can send SIGHUP, SIGINT"):
        service.signal(signal.SIGPIPE)
    with pytest.raises(ValueError, match="no letter to send signal 99"):
        service.signal(99)
    assert service.status().wanted_up


def test_pause_and_resume(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    service.pause()
    until(lambda: service.status().paused)
    service.resume()
    until(lambda: not service.status().paused)


def test_once_and_kill(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons)
    service.once(wait="up", timeout=LIMIT_S)
    service.kill(wait="finished", timeout=LIMIT_S)
    assert service.status().last_exit == Ending(signal=signal.SIGKILL)
    assert not service.status().wanted_up


def test_exit_codes_are_told(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons, {"run!": "#!/bin/sh\nexit 7\n"})
    until(lambda: service.status().deaths)
    assert service.status().last_exit == Ending(exit_code=7)
    assert str(service.status().last_exit) == "exited 7"


def test_a_wait_is_limited_and_says_what_is(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons, {**witness.sleeper(), "down": ""})
    before = sorted((service.path / "event").iterdir())
    started = time.monotonic()
    with pytest.raises(TimedOut, match=rf"not up within 0.05 s: {service.path} is down") as caught:
        service.wait("up", 0.05)
    assert 0.05 <= time.monotonic() - started < 2
    assert isinstance(caught.value, TimeoutError)
    assert sorted((service.path / "event").iterdir()) == before


def test_a_wait_for_what_will_not_be(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\nexit 1\n", "finish!": "#!/bin/sh\nexit 125\n", "down": ""}
    service = supervised(world, daemons, content)  # type: ignore[arg-type]
    with pytest.raises(FailedForGood, match=r"will not be ready, because .* \(exit code 125\): "):
        service.up(wait="ready", timeout=LIMIT_S)
    until(lambda: service.status().state is State.DOWN)
    assert not service.status().wanted_up


def test_a_supervisor_that_leaves_ends_the_wait(world: World, daemons: Programs) -> None:
    service = supervised(world, daemons, {**witness.sleeper(), "down": ""})
    with pytest.raises(FailedForGood, match="its supervisor has gone"):
        service.exit(wait="up", timeout=LIMIT_S)


def test_an_expectation_misses_nothing(world: World, daemons: Programs) -> None:
    """The service is up again before anybody waits."""
    service = supervised(world, daemons)
    service.wait("up", LIMIT_S)
    with service.expect("restarted") as restarted:
        assert not restarted.reached()
        old = service.status().pid
        service.restart()
        until(lambda: (now := service.status()).up and now.pid != old)
        restarted.wait(LIMIT_S)  # the status is written a moment before the event is sent
        assert restarted.reached()


@pytest.mark.parametrize("command", ["up", "down", "restart", "kill", "pause", "exit", "status"])
def test_without_supervisor(world: World, command: str) -> None:
    service = Service(world.service(witness.sleeper()))
    assert not service.is_supervised()
    with pytest.raises(NotSupervised, match=str(service.path)) as caught:
        getattr(service, command)()
    assert "supervisor" in str(caught.value)


def test_a_status_left_behind_is_not_told(world: World, daemons: Programs) -> None:
    directory = world.service(witness.sleeper())
    supervisor = world.supervise(daemons, directory)
    pid = supervisor.until("up").pid
    supervisor.kill()
    try:
        with pytest.raises(NotSupervised, match="it has no supervisor"):
            Service(directory).status()
        with pytest.raises(NotSupervised, match=r"unable to wait until .* is up"):
            Service(directory).wait("up", 1)
    finally:
        world.end(pid)


def test_a_supervisor_that_only_starts(world: World) -> None:
    """It holds its lock, and has not written a status yet."""
    service = Service(world.service({**witness.sleeper(), "supervise": {"lock": ""}}))
    with (service.path / "supervise/lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        # The question is asked for an open file, not for a process: our own lock counts.
        assert _core.is_supervised(service.path)
        with pytest.raises(NotSupervised, match="it has no supervisor"):
            service.wait("up", 1)
        with pytest.raises(NotSupervised, match="it has no supervisor"):
            service.status()
        fcntl.lockf(lock, fcntl.LOCK_UN)


def test_a_missing_directory(world: World) -> None:
    missing = world.top / "missing"
    with pytest.raises(SupervisionError, match=f"unable to open {missing}: No such file") as caught:
        Service(missing).up()
    assert caught.value.errno == 2
    assert not missing.exists()


def test_services_are_values() -> None:
    assert Service("/x/web") == Service("/x/web")
    assert len({Service("/x/web"), Service("/x/web"), Service("/x/db")}) == 2
    assert Service("/x/web").name == "web"
    assert repr(Service("/x/web")) == "Service('/x/web')"
