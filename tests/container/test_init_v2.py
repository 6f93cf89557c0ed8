"""`/init` as generation v2: contract s6-overlay §11, v2 mode, by the numbers of that list."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from world.containers import Spec, Unshared
from world.images import Image, Role, needs_root
from world.tree import Content, script
from world.waiting import holds_for

Images = Callable[..., Image]


DEAF: dict[str, Content] = {
    "etc/services.d/deaf/run": script('trap "" TERM; echo up; while :; do sleep 1; done'),
    "etc/cont-finish.d/a": script("echo finishing"),
}
SHORT = {"S6_SERVICES_GRACETIME": "300", "S6_KILL_GRACETIME": "300"}


@pytest.mark.parametrize(("value", "syncs"), [("", False), ("1", True), ("2", False)])
def test_30_disks_are_synced_when_asked(image: Images, role: Role, value: str, syncs: bool) -> None:
    ended = image("v2").run("true", role=role, env={"S6_SYNC_DISKS": value} if value else {})
    assert ("[s6-finish] syncing disks.\n" in ended.out) == syncs
    assert ended.out.startswith("[s6-init] making user provided files available at ")
    assert (ended.code, ended.err) == (0, "")


def test_31_commands_that_cannot_be_run(image: Images, role: Role) -> None:
    assert image("v2").run("/no/such", role=role).code == 127
    ended = image("v2").run("/etc/passwd", role=role)
    assert ended.code == 126
    assert "init: fatal: unable to exec /etc/passwd: Permission denied\n" in ended.err


@needs_root
def test_33_an_ordinary_user(image: Images) -> None:
    """The original needs a setuid helper; we live where we can (docs/differences.md)."""
    files: dict[str, Content] = {
        "etc/cont-init.d/a!": script("id -u", "#!/usr/bin/with-contenv sh"),
        "etc/services.d/web/run!": script(
            "echo service $(id -u) $FOO; exec sleep 1000", "#!/usr/bin/with-contenv sh"
        ),
    }
    its = image("v2", files)
    its.root.chmod(0o755)
    command = "id -u; echo cmd $FOO $S6X_RUN; ls -ld $S6X_RUN; sleep 0.3"
    ended = its.run("sh", "-c", command, user=(1000, 1000), env={"FOO": "bar"})
    assert ended.code == 0, ended
    assert "exited 0.\n[cont-init.d] done." in ended.out
    # The service may say its line between any two of these.
    lines = ended.out.splitlines()
    assert {"1000", "cmd bar /tmp/s6x-1000", "service 1000 bar"} <= {*lines}
    assert [line for line in lines if line.startswith("drwx------")]


def test_34_a_directory_among_the_scripts(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/dir/x": "",
        "etc/cont-init.d/e": "no shebang\n",
        "etc/cont-init.d/f": script("kill -9 $$"),
        "etc/services.d/web/run": script("exec sleep 1000"),
    }
    ended = image("v2", files).run("true", role=role)
    assert "[cont-init.d] dir: exited 127.\n" in ended.out
    assert "[cont-init.d] e: exited 127.\n" in ended.out
    assert "[cont-init.d] f: exited 265.\n[cont-init.d] done.\n" in ended.out
    assert "[services.d] done.\n" in ended.out


@pytest.mark.parametrize(("hidden", "mode"), [("0", "644"), ("1", "600")])
def test_35_hidden_files(image: Images, role: Role, hidden: str, mode: str) -> None:
    files: dict[str, Content] = {
        "data/.hidden": "x",
        "etc/fix-attrs.d/a": "/data true root 0600 0700\n",
    }
    its = image("v2", files)
    command = ("stat", "-c", "%a %n", "/data/.hidden")
    ended = its.run(*command, role=role, env={"S6_FIX_ATTRS_HIDDEN": hidden})
    assert f"{mode} /data/.hidden\n" in ended.out


def test_36_hangup_is_survived(image: Images, role: Role) -> None:
    with image("v2").boot(role=role) as init:
        init.until_said("[services.d] done.")
        init.signal(signal.SIGHUP)
        assert holds_for(init.container.running, 0.5)
        assert init.stop().code == 0


@pytest.mark.parametrize("by_command", [True, False])
def test_37_38_a_stubborn_service(image: Images, role: Role, by_command: bool) -> None:
    with image("v2", DEAF).boot(
        *(["sh", "-c", "sleep 0.5; exit 3"] if by_command else []), role=role, env=SHORT
    ) as init:
        init.until_said("up\n")
        began = time.monotonic()
        ended = init.wait() if by_command else init.stop()
        took = time.monotonic() - began
    assert "finishing\n" in ended.out
    assert ended.code == (3 if by_command else 0)
    assert took < 5


def test_stop_waits_for_services_before_finish_scripts(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web/run": script(
            'trap "sleep 0.3; echo service ended; exit" TERM; echo up; while :; do sleep 0.05; done'
        ),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    with image("v2", files).boot(role=role) as init:
        init.until_said("up\n")
        ended = init.stop()
    assert ended.out.index("service ended\n") < ended.out.index("finishing\n")
    assert ended.code == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('trap "exit 4" TERM; echo up; while :; do sleep 0.05; done', 4),
        ("echo up; exec sleep 1000", 0),
    ],
)
def test_stopped_command_keeps_its_own_code(
    image: Images, role: Role, command: str, code: int
) -> None:
    """Its own answer to TERM is the container's; a death by TERM is the stop that was asked for."""
    with image("v2").boot("sh", "-c", command, role=role) as init:
        init.until_said("up\n")
        assert init.stop().code == code


def test_stop_is_quick(image: Images, role: Role) -> None:
    """The originals sleep for 3.4 s."""
    run = script("echo up; exec sleep 1000")
    with image("v2", {"etc/services.d/web/run": run}).boot(role=role) as init:
        init.until_said("up\n")
        began = time.monotonic()
        assert init.stop().code == 0
        assert time.monotonic() - began < 2


def test_nothing_is_left_behind(image: Images) -> None:
    """Not being PID 1, init ends what it started, and nothing else."""
    files: dict[str, Content] = {
        "etc/services.d/web/run": script("setsid sleep 1001 & echo up; exec sleep 1002"),
    }
    words = ["/bin/sh", "-c", 'sleep 1003 & /init "$@"; echo "code $?"; ps -o args', "sh"]
    its = image("v2", files)
    command = ["sh", "-c", "setsid sleep 1004 & sleep 0.5; exit 9"]
    with Unshared(Spec(its.root, [*words, *command])) as container:
        ended = container.wait()
    assert "code 9\n" in ended.out
    after = ended.out.split("code 9\n")[1].split("\n")
    assert "sleep 1003" in after
    assert not {f"sleep {number}" for number in (1001, 1002, 1004)} & {*after}, after
    assert not any(line.startswith("s6-supervise") for line in after), after
