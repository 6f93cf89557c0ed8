"""The extension module itself: its formats, its tables, its stub, its arguments."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6x import _core
from s6x.errors import NotSupervised, SupervisionError, TimedOut
from s6x.supervise import Ending, Goal, Happening, Service, State
from s6x.supervise.status import moment, signal_name, status_from
from world import witness
from world.programs import Programs
from world.running import World
from world.status import Status, encode, stamp_of, wait_status

times = st.floats(1.5e9, 4e9)  # the encoder of the tests knows no leap seconds before 2017
statuses = st.builds(
    Status,
    stamp=times,
    readystamp=times,
    pid=st.integers(0, 2**22),
    pgid=st.none() | st.integers(0, 2**22),
    wstat=st.builds(wait_status, st.integers(0, 255)) | st.integers(1, 64),
    paused=st.booleans(),
    finishing=st.booleans(),
    wanted_up=st.booleans(),
    ready=st.booleans(),
)


@given(statuses)
def test_a_status_decodes_to_what_was_encoded(wanted: Status) -> None:
    got = _core.decode_status(encode(wanted))
    assert got.pid == (wanted.pid or None)
    assert abs(got.stamp_ns - wanted.stamp * 1e9) < 1000
    assert abs(got.ready_stamp_ns - wanted.readystamp * 1e9) < 1000
    assert (got.finishing, got.wanted_up, got.ready) == (
        wanted.finishing,
        wanted.wanted_up,
        wanted.ready,
    )
    assert got.up == (wanted.pid != 0 and not wanted.finishing)
    assert (got.exit_code is None) != (got.signal is None)
    assert got == _core.decode_status(encode(wanted))
    assert status_from(got, []).state in State


@given(st.binary(max_size=60).filter(lambda content: len(content) not in (35, 43)))
def test_other_sizes_are_no_status(content: bytes) -> None:
    with pytest.raises(SupervisionError, match=f"{len(content)} bytes are no layout") as caught:
        _core.decode_status(content)
    assert caught.value.errno is None


@given(st.lists(st.tuples(times, st.integers(0, 127), st.booleans()), max_size=20))
def test_a_tally_decodes_to_what_was_encoded(deaths: list[tuple[float, int, bool]]) -> None:
    content = b""
    for when, number, killed in deaths:
        code = bytes([128 + number, number]) if killed and number else bytes([number, 0])
        content += stamp_of(when) + code
    got = _core.decode_tally(content)
    assert len(got) == len(deaths)
    for death, (when, number, killed) in zip(got, deaths, strict=True):
        assert abs(death.stamp_ns - when * 1e9) < 1000
        ending = (None, number) if killed and number else (number, None)
        assert (death.exit_code, death.signal) == ending


@given(st.binary(max_size=100))
def test_any_bytes_are_a_tally(content: bytes) -> None:
    assert len(_core.decode_tally(content)) == (0 if len(content) % 14 else len(content) // 14)


@given(st.binary(min_size=35, max_size=35))
def test_any_35_bytes_are_shown(content: bytes) -> None:
    status = status_from(_core.decode_status(content), [])
    assert status.since.tzinfo is not None
    assert isinstance(str(status.last_exit), str)


def test_a_tally_ahead_of_its_status() -> None:
    """It is written first: that death belongs to the next status."""
    first, second = stamp_of(1000.0) + b"\x03\0", stamp_of(2000.0) + b"\x04\0"
    status = Status(
        stamp=1000.0,
        readystamp=1000.0,
        pid=7,
        pgid=None,
        wstat=wait_status(3),
        paused=False,
        finishing=False,
        wanted_up=True,
        ready=False,
    )
    shown = status_from(_core.decode_status(encode(status)), _core.decode_tally(first + second))
    assert shown.last_exit == Ending(exit_code=3)
    assert [death.ending for death in shown.deaths] == [Ending(exit_code=3)]


def test_every_name_that_python_uses_is_in_the_tables() -> None:
    assert {happening.value for happening in Happening} == set(_core.NOTICES.values())
    assert len(_core.CONTROLS) == len(set(_core.CONTROLS.values())) == 25
    assert set(_core.SIGNAL_CONTROLS.values()) <= set(_core.CONTROLS.values())
    assert signal_name(15) == "SIGTERM"
    assert signal_name(42) == "signal 42"


def test_every_goal_is_known(world: World, daemons: Programs) -> None:
    directory = world.service({**witness.sleeper(), "down": ""})
    world.supervise(daemons, directory)
    for goal in get_args(Goal):
        reached = _core.Watch([directory], goal).wait(0)
        assert reached == (0 if goal in ("down", "finished") else None), goal
    with pytest.raises(ValueError, match='"nowhere" is nothing to wait for: use up, ready, down'):
        _core.Watch([directory], "nowhere")


def test_arguments_that_mean_nothing(world: World) -> None:
    with pytest.raises(ValueError, match="'!' asks a supervisor for nothing"):
        _core.send(world.top, "u!")
    with pytest.raises(ValueError, match="'u' asks a scanner for nothing"):
        _core.send_scanner(world.top, "u")
    with pytest.raises(NotSupervised, match=f"unable to control {world.top}: supervisor not list"):
        _core.send(world.top, "u")


def test_closed_is_closed(world: World) -> None:
    directory = world.service(witness.sleeper())
    _core.make_events(directory)
    _core.make_events(directory)
    subscription = _core.Subscription(directory / "event")
    assert not subscription.wait(0)
    with pytest.raises(ValueError, match="a timeout of -1 seconds makes no sense"):
        subscription.wait(-1)
    assert subscription.take() == b""
    subscription.close()
    subscription.close()
    for method in (subscription.fileno, subscription.take, subscription.wait):
        with pytest.raises(ValueError, match="the subscription is closed"):
            method()


def test_errors_are_also_what_python_calls_them() -> None:
    error = TimedOut("not up within 3 s")
    assert isinstance(error, TimeoutError)
    assert str(error) == "not up within 3 s"
    assert error.errno is None
    assert SupervisionError("x", 13).errno == 13


def test_times_are_exact_to_the_microsecond() -> None:
    assert moment(1_700_000_000_123_456_789).isoformat() == "2023-11-14T22:13:20.123456+00:00"


def test_the_stub_says_what_the_module_has() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "s6x._core"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_importing_the_package_costs_nothing() -> None:
    program = (
        "import sys, s6x; print(*sorted(n for n in sys.modules if 's6x' in n or n == 'click'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["s6x"]


def test_supervise_needs_neither_click_nor_asyncio() -> None:
    program = (
        "import sys, s6x.supervise;"
        "print([n for n in ('click', 'asyncio', 'subprocess', 's6x.overlay') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_a_service_is_not_its_status() -> None:
    assert Service("/a") != "/a"
