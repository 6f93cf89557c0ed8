"""`/init` with a terminal, under an OCI runtime: contract s6-overlay §5.4."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from world.containers import Runc
from world.images import Image, needs_runc
from world.tree import Content, script
from world.waiting import holds_for, until

Images = Callable[..., Image]

pytestmark = needs_runc


SERVICE: dict[str, Content] = {"etc/services.d/web/run": script("echo service; exec sleep 1000")}


def test_without_a_terminal(image: Images) -> None:
    ended = image("v2", SERVICE).run("sh", "-c", "exit 7", backend=Runc)
    assert ended.code == 7
    assert ended.out.endswith("[s6-finish] sending all processes the KILL signal and exiting.\n")


def test_command_reads_the_terminal(image: Images) -> None:
    command = 'tty; read line; echo "got $line"; exit 3'
    with image("v2", SERVICE).boot("sh", "-c", command, backend=Runc, tty=True) as init:
        init.until_said("/dev/")
        init.container.type("hello\n")
        init.until_said("got hello")
        assert init.wait().code == 3


def test_interrupt_goes_to_the_command(image: Images) -> None:
    command = 'trap "echo caught; exit 4" INT; echo up; while :; do sleep 0.05; done'
    with image("v2", SERVICE).boot("sh", "-c", command, backend=Runc, tty=True) as init:
        init.until_said("\nup\n")
        init.container.type("\x03")
        init.until_said("caught")
        ended = init.wait()
    assert "[cmd] sh exited 4\n" in ended.out
    assert ended.code == 4


def test_a_shell_has_job_control(image: Images) -> None:
    with image("v2", SERVICE).boot("sh", backend=Runc, tty=True) as init:
        init.until_said("# ")
        init.container.type("sleep 999\n")
        until(lambda: "sleep 999" in init.ps(), "sleep", explain=init.ps)
        init.container.type("\x03")
        until(lambda: "sleep 999" not in init.ps(), "its end", explain=init.ps)
        assert "job control" not in init.container.out
        init.container.type("exit 6\n")
        assert init.wait().code == 6


def test_interrupt_without_a_command_stops(image: Images) -> None:
    with image("v2", SERVICE).boot(backend=Runc, tty=True) as init:
        init.until_said("service")
        init.container.type("\x03")
        ended = init.wait()
    assert ended.code == 0
    assert "[s6-finish] sending all processes the KILL signal and exiting." in ended.out


def test_a_second_interrupt_ends_at_once(image: Images) -> None:
    files: dict[str, Content] = {
        **SERVICE,
        "etc/cont-finish.d/a": script("echo finishing; exec sleep 1000"),
    }
    with image("v2", files).boot(
        backend=Runc, tty=True, env={"S6_KILL_FINISH_MAXTIME": "0"}
    ) as init:
        init.until_said("service")
        init.container.type("\x03")
        init.until_said("finishing")
        assert holds_for(init.container.running, 0.3)
        began = time.monotonic()
        init.container.type("\x03")
        assert init.wait().code == 0
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("capabilities", ["default", "none"])
def test_capabilities_are_not_needed(image: Images, capabilities: str) -> None:
    with image("v2", SERVICE).boot(backend=Runc, capabilities=capabilities) as init:
        init.until_said("service\n")
        assert init.stop().code == 0
