"""What init's children inherit, and init without processes, descriptors or space."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from world import process
from world.containers import Spec, Unshared
from world.images import Image, Init, Role, needs_root
from world.tree import Content, script
from world.waiting import until

Images = Callable[..., Image]


FILES: dict[str, Content] = {
    "etc/services.d/web/run": script("echo service; exec sleep 1001"),
    "etc/cont-finish.d/a": script("echo finishing; exec sleep 1002"),
}


def running(init: Init, line: str) -> process.Process:
    def found() -> process.Process | None:
        for one in init.container.processes():
            if " ".join(one.argv) == line:
                return one
        return None

    return until(found, line, explain=init.ps)


def test_children_start_clean(image: Images, role: Role) -> None:
    """No descriptor, no blocked or ignored signal, no umask of ours reaches a child."""
    files: dict[str, Content] = {**FILES, "etc/cont-init.d/a": script("exec sleep 1003")}
    env = {"S6X_CONT_INIT_MAXTIME": "700", "S6_KILL_FINISH_MAXTIME": "700"}
    with image("v2", files).boot("sleep", "1004", role=role, env=env) as init:
        own = init.pid
        boot_script = running(init, "sleep 1003")
        service = running(init, "sleep 1001")
        command = running(init, "sleep 1004")
        assert process.group_of(command.pid) == command.pid
        assert service.sid == service.pid
        assert command.sid == process.look(own).sid
        init.until_said("service\n")
        process.kill(command.pid)
        stop_script = running(init, "sleep 1002")
        assert init.wait().code == 9
    for child in (boot_script, service, command, stop_script):
        assert sorted(child.descriptors) == [0, 1, 2], child
        assert child.blocked == frozenset(), child
        assert child.ignored == frozenset(), child
        assert child.umask == 0o022, child
    assert service.env == {
        "PATH": "/usr/bin:/usr/sbin:/bin:/sbin",
        "PWD": service.env["PWD"],
        "SHLVL": "1",
    }


def limited(its: Image, limits: str, *args: str, **spec: object) -> Unshared:
    words = ["/bin/sh", "-c", f'{limits}; /init "$@"; echo "code $?"', "sh", *args]
    return Unshared(Spec(its.root, words, **spec))  # type: ignore[arg-type]


@needs_root
@pytest.mark.parametrize("processes", [2, 3, 4, 5, 6])
def test_forks_that_fail(image: Images, processes: int) -> None:
    """As an ordinary user with so many processes: init says what failed, and ends when told."""
    its = image("v2", {"etc/services.d/web/run!": script("exec sleep 1000")})
    its.root.chmod(0o755)
    user = 20000 + processes  # the limit counts a user's processes on the whole machine
    with limited(its, f"ulimit -u {processes}", "true", user=(user, user)) as container:
        ended = container.wait(30)
    assert "code " in ended.out, ended
    if "code 0" not in ended.out:
        assert "Resource temporarily unavailable" in ended.err, ended


@pytest.mark.parametrize("descriptors", range(3, 24, 2))
def test_descriptors_that_are_not_there(image: Images, descriptors: int) -> None:
    its = image("v2", {"etc/services.d/web/run": script("exec sleep 1000")})
    with limited(its, f"ulimit -n {descriptors}", "true") as container:
        ended = container.wait(30)
    assert "code " in ended.out, ended
    if "code 0" not in ended.out:
        assert "Too many open files" in ended.err or ended.err.startswith("/init"), ended


@needs_root
def test_no_space_for_the_environment(image: Images, role: Role) -> None:
    tmpfs = {"/run": "size=16k"}
    env = {f"LONG{number}": "x" * 8000 for number in range(8)}
    ended = image("v2").run("true", role=role, tmpfs=tmpfs, env=env)
    assert ended.code == 1
    assert ended.err.startswith("init: fatal: unable to write /var/run/s6/container_environment/")
    first, *report = ended.err.splitlines()
    assert first.endswith(": No space left on device")
    assert report[0].startswith('init: fatal: the step "runtime directory" of boot failed after ')
    assert report[1:] == [
        "init:   the container ends at once, with exit code 1",
        "init:   not done: CMD (true)",
    ]
    assert ended.out == ""
