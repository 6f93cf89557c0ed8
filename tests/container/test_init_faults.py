"""`/init` when things go wrong: processes killed at any moment, readers that stop, full disks."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from world import process
from world.containers import Spec, Unshared
from world.images import Image, Init, Role, needs_root
from world.tree import Content, script
from world.waiting import until

Images = Callable[..., Image]


SERVICES: dict[str, Content] = {
    f"etc/services.d/s{number}/run": script("exec sleep 1000") for number in range(4)
}


def inside(init: Init, title: str) -> list[int]:
    """Pids of everything below init whose command line begins so."""
    return [p.pid for p in init.container.processes() if " ".join(p.argv).startswith(title)]


@pytest.mark.both_roots
def test_a_stop_while_a_script_of_boot_runs(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(
            'trap "echo told; exit 6" TERM; echo up; while :; do sleep 0.05; done'
        ),
        "etc/cont-init.d/b": script("echo never"),
        "etc/services.d/web/run": script("echo never; exec sleep 1000"),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    with image("v2", files).boot("echo", "command", role=role) as init:
        init.until_said("up\n")
        ended = init.stop()
    assert "told\n[cont-init.d] a: exited 6.\n[cont-finish.d] executing" in ended.out
    assert "finishing\n" in ended.out
    assert "never" not in ended.out
    assert "command" not in ended.out
    assert ended.code == 0


def test_a_script_of_boot_that_ignores_term(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script('trap "" TERM; echo up; while :; do sleep 1; done'),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    env = {"S6_KILL_GRACETIME": "300"}
    with image("v2", files).boot(role=role, env=env) as init:
        init.until_said("up\n")
        began = time.monotonic()
        ended = init.stop()
    assert time.monotonic() - began < 4
    assert "[cont-init.d] a: exited 265.\n" in ended.out
    assert "finishing\n" in ended.out
    assert ended.code == 0


def test_a_second_term_changes_nothing(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-finish.d/a": script("echo finishing; sleep 0.5; echo finished"),
    }
    with image("v2", files).boot(role=role) as init:
        init.until_said("[services.d] done.")
        init.signal(signal.SIGTERM)
        init.until_said("finishing\n")
        init.signal(signal.SIGTERM)
        init.signal(signal.SIGINT)
        ended = init.wait()
    assert "finished\n[cont-finish.d] a: exited 0.\n" in ended.out
    assert ended.code == 0


def test_the_stop_has_a_budget(image: Images, role: Role) -> None:
    files: dict[str, Content] = {"etc/cont-finish.d/a": script("exec sleep 1000")}
    env = {"S6X_STOP_TIMEOUT": "300", "S6_KILL_FINISH_MAXTIME": "0"}
    with image("v2", files).boot(role=role, env=env) as init:
        init.until_said("[services.d] done.")
        began = time.monotonic()
        ended = init.stop()
    assert time.monotonic() - began < 4
    assert ended.code == 0


@pytest.mark.parametrize("seed", range(6))
def test_anything_killed_at_any_moment(image: Images, role: Role, seed: int) -> None:
    """Whatever dies, the container ends when told to, with nothing left and no zombie."""
    chance = random.Random(seed)
    files: dict[str, Content] = {
        **SERVICES,
        "etc/cont-init.d/a": script("sleep 0.1"),
        "etc/cont-finish.d/a": script("sleep 0.1"),
    }
    with image("v2", files).boot("sh", "-c", "while :; do sleep 1; done", role=role) as init:
        init.until_said("[s6-init]")
        own = {init.container.pid, init.pid}
        end = time.monotonic() + 1.2
        while time.monotonic() < end and init.container.running():
            others = [p.pid for p in init.container.processes() if p.pid not in own]
            if others:
                process.kill(chance.choice(others))
            time.sleep(chance.random() * 0.05)  # the moments are the point
        if init.container.running():
            init.signal(signal.SIGTERM)
            while init.container.running() and chance.random() < 0.8:
                others = [p.pid for p in init.container.processes() if p.pid not in own]
                if others:
                    process.kill(chance.choice(others))
        ended = init.wait()
    assert "[s6-finish] sending all processes the KILL signal and exiting.\n" in ended.out
    assert ended.code in (0, 9), ended


@pytest.mark.both_roots
def test_a_killed_supervisor_comes_back(image: Images, role: Role) -> None:
    with image("v2", SERVICES).boot(role=role) as init:
        init.until_said("[services.d] done.")
        before = until(lambda: inside(init, "s6-supervise s1"), "the supervisor")
        os.kill(before[0], signal.SIGKILL)
        until(
            lambda: (now := inside(init, "s6-supervise s1")) and now != before,
            "another supervisor",
            explain=init.ps,
        )
        until(lambda: not init.container.zombies(), "no zombie", explain=init.ps)
        assert init.stop().code == 0


@pytest.mark.both_roots
def test_orphans_are_reaped(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web/run": script("(sleep 0.05 &) ; (sleep 0.05 &) ; exec sleep 1000")
    }
    with image("v2", files).boot(
        "sh", "-c", "(sleep 0.1 &) ; (sleep 0.1 &) ; exec sleep 1000", role=role
    ) as init:
        until(lambda: len(inside(init, "sleep 1000")) == 2, "service and command", explain=init.ps)
        until(lambda: not inside(init, "sleep 0."), "their orphans' end", explain=init.ps)
        until(lambda: not init.container.zombies(), "no zombies", explain=init.ps)
        assert init.stop().code == 0


STALLED = """\
mkfifo /tmp/pipe
exec 3<>/tmp/pipe
dd if=/dev/zero of=/tmp/pipe bs=65536 count=1 2>/dev/null
/init "$@" >/tmp/pipe 2>/tmp/pipe
echo "code $?"
"""


@pytest.mark.both_roots
def test_a_reader_that_stopped_stops_nothing(image: Images) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web/run": script("touch /tmp/service; exec sleep 1000")
    }
    files["etc/services.d/broken/run"] = script("echo x", "#!/no/such/interpreter")
    its = image("v2", files)
    command = ["sh", "-c", "until [ -e /tmp/service ]; do sleep 0.05; done; exit 5"]
    with Unshared(Spec(its.root, ["/bin/sh", "-c", STALLED, "sh", *command])) as container:
        began = time.monotonic()
        ended = container.wait()
        assert time.monotonic() - began < 6, (
            "the supervisor that has something to say does not hang"
        )
    assert ended.out == "code 5\n"


def test_a_reader_that_is_gone_stops_nothing(image: Images) -> None:
    its = image("v2")
    words = ["/bin/sh", "-c", '{ /init sh -c "exit 5"; echo "code $?" >&2; } | true', "sh"]
    with Unshared(Spec(its.root, words)) as container:
        assert container.wait().err == "code 5\n"


@pytest.mark.both_roots
def test_odd_files_among_the_users(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/file": "not a directory\n",
        "etc/services.d/norun": {"data": "x"},
        "etc/services.d/a b": {"run": script("echo blank service; exec sleep 1000")},
        "etc/services.d/broken": {"run": script("echo x", "#!/no/such/interpreter")},
        "etc/cont-init.d/a b": script("echo blank script"),
        "etc/cont-init.d/new\nline": script("echo newline script"),
        "etc/fix-attrs.d/dir/x": "",
    }
    with image("v2", files).boot(role=role) as init:
        init.until_said("blank service\n")
        ended = init.stop()
    assert (
        "[cont-init.d] a b: executing... \nblank script\n[cont-init.d] a b: exited 0.\n"
        in ended.out
    )
    assert "newline script\n" in ended.out
    assert "[services.d] done.\n" in ended.out
    assert ended.code == 0


def test_thousands_of_scripts_that_cannot_be_run(image: Images) -> None:
    its = image("v2")
    for number in range(5000):
        (its.root / f"etc/cont-init.d/{number:05}").touch()
    ended = its.run("true", timeout_s=60)
    assert ended.out.count(": exited 127.\n") == 5000
    assert ended.code == 0


@needs_root
def test_a_full_runtime_directory(image: Images, role: Role) -> None:
    """The next candidate is taken where files cannot be made."""
    its = image("v2")
    tmpfs = {"/run": "size=4k,nr_inodes=2"}
    ended = its.run("ls", "-d", "/var/run/s6/services", role=role, tmpfs=tmpfs)
    assert ended.code == 0, ended
    assert "available at /tmp/s6x-0/etc...exited 0.\n" in ended.out
    assert "\n/var/run/s6/services\n" in ended.out


def test_a_runtime_directory_of_ones_own(image: Images, role: Role) -> None:
    files: dict[str, Content] = {"file": "x"}
    its = image("v2", files)
    ended = its.run(
        "ls", "-d", "/my/own/services", "/run/s6/services", env={"S6X_RUN": "/my/own"}, role=role
    )
    assert "\n/my/own/services\n/run/s6/services\n" in ended.out
    assert (ended.code, ended.err) == (0, "")
    ended = its.run("true", env={"S6X_RUN": "/file/below"}, role=role)
    assert ended.err == (
        "init: warning: unable to create /file: Not a directory; trying the next place\n"
    )
    assert ended.code == 0


@needs_root
def test_a_read_only_root_with_nothing_writable(image: Images, role: Role) -> None:
    its = image("v2")
    its.root.chmod(0o755)
    ended = its.run("true", role=role, read_only=True, user=(12345, 12345))
    assert ended.code == 111
    assert ended.err == (
        "init: fatal: unable to find a directory for the state of the container: "
        "unable to use /var/run/s6: Read-only file system; "
        "unable to use /run/s6: Read-only file system; "
        "unable to use /tmp/s6x-12345: Read-only file system; "
        "unable to use /dev/shm/s6x-12345: Permission denied; "
        "unable to use /dev/s6x-12345: Permission denied; S6X_RUN can name another place\n"
    )


@needs_root
def test_a_read_only_root_without_any_tmpfs_but_dev(image: Images, role: Role) -> None:
    """Every runtime gives a container a /dev of its own (contract s6-overlay §10, L12)."""
    files: dict[str, Content] = {
        "etc/services.d/web/run!": "#!/usr/bin/with-contenv sh\necho service $A; exec sleep 1000\n"
    }
    with image("v2", files).boot(role=role, read_only=True, env={"A": "1"}) as init:
        init.until_said("service 1\n")
        assert init.run("/bin/ls", "-d", "/dev/shm/s6x-0/services/web").code == 0
        assert init.run("s6x", "svstat", "web").out.startswith("up (pid ")
        assert init.stop().code == 0


@pytest.mark.both_roots
@needs_root
def test_nothing_but_a_noexec_directory(image: Images, role: Role) -> None:
    """Scripts are run by their interpreters (contract s6-overlay §10, L11)."""
    files: dict[str, Content] = {
        "etc/cont-init.d/a!": script("echo init $0"),
        "etc/services.d/web/run!": script("echo service $0 $1; exec sleep 1000"),
        "etc/services.d/web/finish!": script("echo finish $0 $1 $2 $3"),
    }
    its = image("v2", files)
    its.root.chmod(0o755)
    with its.boot(
        role=role,
        read_only=True,
        user=(12345, 12345),
        tmpfs={"/run": "noexec,mode=777"},
        env={"S6_READ_ONLY_ROOT": "1"},
    ) as init:
        init.until_said("service ./run web\n")
        ended = init.stop()
    assert ended.code == 0
    assert "\ninit /var/run/s6/etc/cont-init.d/a\n" in ended.out
    assert "\nfinish ./finish 256 15 web\n" in ended.out


@needs_root
def test_a_runtime_directory_where_nothing_can_be_executed(image: Images, role: Role) -> None:
    files: dict[str, Content] = {"etc/services.d/web/run": script("echo service; exec sleep 1000")}
    with image("v2", files).boot(role=role, tmpfs={"/run": "noexec,mode=755"}) as init:
        init.until_said("service\n")
        assert init.run("/bin/ls", "-d", "/tmp/s6x-0/services/web").code == 0
        assert init.run("/bin/readlink", "/var/run/s6").out == "/tmp/s6x-0\n"
        assert init.run("/usr/bin/printcontenv", "CWD").out == "/\n"
        assert init.stop().code == 0


@needs_root
def test_a_foreign_world_writable_run(image: Images) -> None:
    its = image("v2", {"etc/services.d/web/run!": script("echo service; exec sleep 1000")})
    its.root.chmod(0o755)
    tmpfs = {"/run": "mode=1777"}
    with its.boot(user=(1000, 1000), tmpfs=tmpfs, no_new_privileges=True) as init:
        init.until_said("service\n")
        assert init.run("/bin/stat", "-c", "%a %u", "/run/s6").out == "700 1000\n"
        assert init.stop().code == 0


@pytest.mark.both_roots
def test_leftovers_of_an_earlier_boot(image: Images, role: Role) -> None:
    """A restarted container has the /run that it had."""
    files: dict[str, Content] = {"etc/services.d/web/run": script("echo service; exec sleep 1000")}
    its = image("v2", files)
    with its.boot(env={"OLD": "1"}, role=role) as init:
        init.until_said("service\n")
        process.kill(init.container.pid)
        init.wait()
    (its.root / "run/s6/services/web/supervise/status").write_bytes(b"x" * 200)
    (its.root / "run/s6/env-stage3/S6_STAGE2_EXITED").write_text("99")
    with its.boot(env={"NEW": "1"}, role=role) as init:
        init.until_said("service\n")
        assert init.run("/usr/bin/printcontenv", "OLD").code == 1
        assert init.run("/usr/bin/printcontenv", "NEW").out == "1\n"
        ended = init.stop()
    assert ended.code == 0


@needs_root
def test_no_space_for_the_exit_code(image: Images, role: Role) -> None:
    """CMD's code is the container's, although there is no place to write it down."""
    fill = "dd if=/dev/zero of=/run/fill bs=1k 2>/dev/null; exit 7"
    ended = image("v2").run("sh", "-c", fill, role=role, tmpfs={"/run": "size=64k,mode=755"})
    assert "init: warning: unable to write /var/run/s6/env-stage3/S6_STAGE2_EXITED: " in ended.err
    assert ended.err.endswith(": No space left on device\n")
    assert ended.code == 7, ended
