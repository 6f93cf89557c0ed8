"""How long a stop takes, what it cannot be held up by, and which exit code counts."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from world.containers import Runc
from world.images import Image, Init, Role, needs_runc
from world.programs import Result
from world.tree import Content, script

Images = Callable[..., Image]

LONG = {"S6_SERVICES_GRACETIME": "60000", "S6_KILL_GRACETIME": "60000"}


DEAF = script('trap "" TERM; echo $$ >/tmp/deaf; echo deaf; while :; do sleep 1; done')


def timed_stop(init: Init) -> tuple[Result, float]:
    began = time.monotonic()
    ended = init.stop()
    return ended, time.monotonic() - began


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_grace_times_are_the_longest_waits(image: Images, role: Role, generation: str) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web/run": script("echo service; exec sleep 1000"),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    with image(generation, files).boot("sleep", "1000", role=role, env=LONG) as init:
        init.until_said("service\n")
        ended, took = timed_stop(init)
    assert "finishing\n" in ended.out
    assert took < 10
    assert (ended.code, ended.err) == (0, "")


def test_a_stubborn_service_costs_its_own_limit(image: Images, role: Role) -> None:
    """The others are stopped meanwhile, and their finish scripts run."""
    files: dict[str, Content] = {
        "etc/services.d/deaf": {"run": DEAF, "timeout-kill": "700\n"},
        "etc/services.d/web": {
            "run": script("exec sleep 1000"),
            "finish": script("kill -0 $(cat /tmp/deaf) && echo 'web has finished first'"),
        },
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    with image("v2", files).boot(role=role, env=LONG) as init:
        init.until_said("deaf\n")
        ended, took = timed_stop(init)
    assert "web has finished first\n" in ended.out
    assert ended.out.index("web has finished") < ended.out.index("finishing\n")
    assert 0.7 < took < 10
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_a_stubborn_service_is_waited_for_once(image: Images, role: Role, generation: str) -> None:
    files: dict[str, Content] = {
        "etc/services.d/deaf/run": DEAF,
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    env = {"S6_SERVICES_GRACETIME": "4000", "S6_KILL_GRACETIME": "300"}
    with image(generation, files).boot(role=role, env=env) as init:
        init.until_said("deaf\n")
        ended, took = timed_stop(init)
    assert "finishing\n" in ended.out
    assert ended.err == "s6-svwait: fatal: timed out\n"
    assert 4.3 < took < 8
    assert ended.code == 0


def test_a_finish_script_that_hangs(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web": {
            "run": script("echo service; exec sleep 1000"),
            "finish": script('trap "" TERM; while :; do sleep 1; done'),
            "timeout-finish": "0\n",
        },
    }
    env = {"S6_SERVICES_GRACETIME": "300", "S6_KILL_GRACETIME": "300"}
    with image("v2", files).boot(role=role, env=env) as init:
        init.until_said("service\n")
        ended, took = timed_stop(init)
    assert took < 6
    assert ended.code == 0


def test_a_stop_while_services_are_waited_for(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/slow": {
            "run": script("echo slow; exec sleep 1000"),
            "notification-fd": "3\n",
        },
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    env = {"S6_CMD_WAIT_FOR_SERVICES": "1", "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "0", **LONG}
    with image("v2", files).boot("echo", "command", role=role, env=env) as init:
        init.until_said("slow\n")
        ended, took = timed_stop(init)
    assert "finishing\n" in ended.out
    assert "command\n" not in ended.out
    assert took < 10
    assert (ended.code, ended.err) == (0, "")


SLOW_FINISH: dict[str, Content] = {"etc/cont-finish.d/a": script("echo finishing; sleep 0.5")}


@pytest.mark.parametrize(
    ("command", "env", "code"),
    [
        (["sh", "-c", "exit 5"], {}, 5),
        (["sh", "-c", "kill -9 $$"], {}, 9),
        (["true"], {"S6_BEHAVIOUR_IF_STAGE2_FAILS": "2"}, 1),
    ],
)
def test_the_first_cause_decides(
    image: Images, role: Role, command: list[str], env: dict[str, str], code: int
) -> None:
    """Asked to stop as well, while stopping for another reason."""
    failing: dict[str, Content] = {"etc/cont-init.d/a": script("exit 7")}
    with image("v2", {**SLOW_FINISH, **failing}).boot(*command, role=role, env=env) as init:
        init.until_said("finishing\n")
        init.signal(signal.SIGTERM)
        init.signal(signal.SIGINT)
        assert init.wait().code == code


def test_a_service_that_stops_the_container_comes_first(image: Images, role: Role) -> None:
    """Asked for by a service; what CMD does of SIGTERM is its own code, and counts."""
    files: dict[str, Content] = {
        "etc/services.d/a": {
            "run": script("sleep 0.2; exit 3"),
            "finish": script("s6-svscanctl -t /var/run/s6/services"),
        },
    }
    command = 'trap "exit 4" TERM; while :; do sleep 0.05; done'
    assert image("v2", files).run("sh", "-c", command, role=role).code == 4
    assert image("v2", files).run("sleep", "1000", role=role).code == 0


@needs_runc
def test_interrupts_during_boot(image: Images) -> None:
    """The first stops in order, the second at once, though a CMD was to come."""
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script('trap "echo told" TERM INT; echo up; while :; do sleep 1; done')
    }
    its = image("v2", files)
    with its.boot("sh", backend=Runc, tty=True, env={"S6_KILL_GRACETIME": "60000"}) as init:
        init.until_said("up")
        init.container.type("\x03")
        init.until_said("told")
        began = time.monotonic()
        init.container.type("\x03")
        assert init.wait().code == 0
        assert time.monotonic() - began < 10
