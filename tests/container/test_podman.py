"""`/init` under podman as people run it: its seccomp profile, capabilities, `--init`, `-t`.

The core of contract s6-overlay §11, by the numbers of that list; `test_init_v1` and `test_init_v2`
have all of it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from world import process
from world.containers import Spec
from world.images import Image, Init, needs_root
from world.podman import Podman, Podmanned, needs_podman
from world.programs import Result
from world.tree import Content
from world.waiting import holds_for, until

pytestmark = [needs_podman, needs_root]

Images = Callable[..., Image]

CONTENV = "#!/usr/bin/with-contenv sh\n"
WEB: dict[str, Content] = {
    "etc/services.d/web/run!": "#!/bin/sh\necho web\nexec sleep 1000\n",
    "etc/services.d/web/finish!": "#!/bin/sh\necho finished\n",
}


@pytest.fixture(autouse=True)
def storage(podman_storage: Podman) -> None:
    """What `Podmanned` runs in."""


def run(image: Image, *args: str, **how: Any) -> Result:
    return image.run(*args, backend=Podmanned, timeout_s=30, **how)


def stop(init: Init) -> Result:
    """What `podman stop` does, and how quickly."""
    began = time.monotonic()
    Podmanned.podman("stop", "--time=30", container(init).name)
    assert time.monotonic() - began < 5
    return init.wait()


def container(init: Init) -> Podmanned:
    assert isinstance(init.container, Podmanned)
    return init.container


@pytest.mark.parametrize(
    ("generation", "command", "code"),
    [
        ("v1", ["sh", "-c", "exit 7"], 7),
        ("v2", ["sh", "-c", "exit 7"], 7),
        ("v2", ["sh", "-c", "kill -9 $$"], 9),
        ("v1", ["/no/such"], 111),
        ("v2", ["/no/such"], 127),
        ("v2", ["/etc/passwd"], 126),
    ],
)
def test_2_3_4_31_exit_codes(image: Images, generation: str, command: list[str], code: int) -> None:
    assert run(image(generation), *command).code == code


def test_killed_from_outside(image: Images) -> None:
    with image("v2", WEB).boot(backend=Podmanned) as init:
        init.until_said("web\n")
        Podmanned.podman("kill", container(init).name)
        assert init.wait().code == 137


def test_5_11_working_directory_and_variables(image: Images) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/1!": f"{CONTENV}echo init $FOO $PWD\n",
        "etc/cont-init.d/2!": "#!/bin/sh\necho plain $FOO $PWD\n",
    }
    ended = run(image("v2", files), "sh", "-c", "echo cmd $FOO $PWD", cwd="/tmp", env={"FOO": "b"})
    for line in ("init b /tmp", "plain /tmp", "cmd b /tmp"):
        assert line in ended.out.splitlines()
    assert ended.code == 0


@pytest.mark.parametrize(("generation", "survives"), [("v1", False), ("v2", True)])
def test_19_36_hangup(image: Images, generation: str, survives: bool) -> None:
    with image(generation, WEB).boot(backend=Podmanned) as init:
        init.until_said("web\n")
        Podmanned.podman("kill", "--signal=HUP", container(init).name)
        if survives:
            assert holds_for(init.container.running, 0.5)
            init.signal(signal.SIGTERM)
        assert init.wait().code == 0


def test_28_s6_svc_and_stop(image: Images) -> None:
    with image("v1", WEB).boot(backend=Podmanned) as init:
        init.until_said("web\n")
        seccomp = init.run("grep", "Seccomp:", "/proc/1/status").out
        assert seccomp.split() == ["Seccomp:", "2"]
        assert init.ps()[0] == "s6-svscan -t0 /var/run/s6/services"
        assert init.run("s6-svc", "-k", "/run/service/web").code == 0
        until(lambda: init.container.out.count("web\n") == 2, "web again")
        ended = stop(init)
    assert ended.code == 0
    assert ended.out.count("finished\n") == 2
    assert ended.out.endswith("sending all processes the KILL signal and exiting.\n")


def test_33_an_ordinary_user_without_new_privileges(image: Images) -> None:
    files: dict[str, Content] = {"etc/cont-init.d/1!": f"{CONTENV}echo init $(id -u)\n"}
    how: dict[str, Any] = {"user": (1000, 1000), "no_new_privileges": True, "capabilities": "none"}
    ended = run(image("v2", files), "sh", "-c", "echo cmd $(id -u)", **how)
    assert {"init 1000", "cmd 1000"} <= set(ended.out.splitlines())
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("user", [(0, 0), (12345, 12345)], ids=["root", "user"])
def test_23_read_only_without_any_tmpfs(image: Images, user: tuple[int, int]) -> None:
    """What docker gives: only /dev and /dev/shm can be written."""
    with image("v2", WEB).boot(backend=Podmanned, read_only=True, user=user) as init:
        init.until_said("web\n")
        assert init.run("touch", "/run/x").code != 0
        ended = stop(init)
    assert (ended.code, ended.err) == (0, "")
    assert "finished\n" in ended.out


def test_containers_that_share_dev_shm(image: Images) -> None:
    """As those of a pod do: each has its own state, and finds its own services."""
    its = image("v2", WEB)
    how: dict[str, Any] = {"backend": Podmanned, "read_only": True, "user": (12345, 12345)}
    with its.boot(**how, options=["--ipc=shareable"]) as first:
        first.until_said("web\n")
        neighbour = [f"--ipc=container:{container(first).name}"]
        with its.boot(**how, options=neighbour) as second:
            second.until_said("web\n")
            assert first.ps()[0] == "s6-svscan -t0 /dev/shm/s6x-12345/services"
            assert second.ps()[0].startswith("s6-svscan -t0 /dev/shm/s6x-12345-")
            assert second.run("s6x", "svc", "-k", "web").code == 0
            until(lambda: second.container.out.count("web\n") == 2, "the second's web again")
            assert first.container.out.count("web\n") == 1
            assert stop(second).code == 0
        assert first.run("s6x", "svstat", "web").out.startswith("up (pid ")
        assert first.run("s6x", "svc", "-k", "web").code == 0
        until(lambda: first.container.out.count("web\n") == 2, "the first's web again")
        assert stop(first).code == 0


def test_55_below_another_init(image: Images) -> None:
    """`--init`: PID 1 is a program of the engine; orphans go to /init, which stops all it has."""
    with image("v2", WEB).boot(backend=Podmanned, options=["--init"]) as init:
        init.until_said("web\n")
        assert init.ps()[0].startswith("/run/podman-init -- /init")
        assert init.ps()[1].startswith("s6-svscan")
        ended = stop(init)
    assert ended.code == 0
    assert "finished\n" in ended.out
    assert run(image("v2"), "sh", "-c", "exit 9", options=["--init"]).code == 9


def test_55_in_the_pid_namespace_of_others(image: Images, podman: Podman) -> None:
    """As with `--pid=host`: what is not a descendant of /init is not touched."""
    other = image("v2")
    podman("run", "-d", "--name=other", "--rootfs", other.root, "sleep", "1000")
    its = process.look(podman.pid("other"))
    with image("v2", WEB).boot(backend=Podmanned, options=["--pid=container:other"]) as init:
        init.until_said("web\n")
        assert init.run("cat", "/proc/1/comm").out == "sleep\n"
        ended = stop(init)
    assert ended.code == 0
    assert ended.out.endswith("sending all processes the KILL signal and exiting.\n")
    assert process.look(its.pid).argv == its.argv


def test_61_62_a_terminal(image: Images) -> None:
    with image("v2", WEB).boot("sh", backend=Podmanned, tty=True, options=["-i"]) as init:
        init.until_said("web\n")
        init.container.type("tty; echo open >/dev/tty; exit 5\n")
        ended = init.wait()
    assert "/dev/pts/0\n" in ended.out
    assert "\nopen\n" in ended.out
    assert ended.code == 5


def test_62_standard_input_closed(image: Images) -> None:
    words = ["sh", "-c", "exec /init sh -c 'readlink /proc/self/fd/0; echo done' <&-"]
    with Podmanned(Spec(image("v2", WEB).root, words)) as running:
        ended = running.wait(30)
    assert ended.code == 0
    assert "/dev/null\ndone\n" in ended.out
