"""What generations v1 and v2 have in common: contract s6-overlay §2 to §8, row by row."""

from __future__ import annotations

import signal
import stat
import time
from collections.abc import Callable

import pytest

from world.containers import Spec, Unshared
from world.images import Image, Role, needs_root
from world.tree import FIFO, Content, Link, script
from world.waiting import holds_for, until

Images = Callable[..., Image]

BOTH = pytest.mark.parametrize("generation", ["v1", "v2"])


@BOTH
def test_standard_input_reaches_command(image: Images, generation: str) -> None:
    """§5.1, §11 no. 62. Scripts of boot can read it in v2 only, those of the stop in neither."""
    read = script('read line; echo "$0: $line"')
    its = image(
        generation,
        {"in": "one\ntwo\nthree\n", "etc/cont-init.d/a": read, "etc/cont-finish.d/a": read},
    )
    # A shell's `read` takes one line of a pipe, and no more.
    words = ["/bin/sh", "-c", "cat /in | (exec /init head -n 1); exit"]
    with Unshared(Spec(its.root, words)) as container:
        ended = container.wait()
    init, cmd = ("", "one") if generation == "v1" else ("one", "two")
    assert f"/cont-init.d/a: {init}\n" in ended.out
    assert f"\n{cmd}\n[cmd] head exited 0\n" in ended.out
    assert "/cont-finish.d/a: \n" in ended.out


@BOTH
def test_command_inherits_directory_and_mask(image: Images, role: Role, generation: str) -> None:
    """§5.1, §11 no. 72."""
    its = image(generation, {"a b/c": "", "etc/cont-init.d/a": script('echo "init in $PWD"')})
    command = ["sh", "-c", 'echo "cmd in $PWD, $(umask)"']
    ended = its.run(*command, role=role, cwd="/a b")
    assert "init in /a b\n" in ended.out
    assert "cmd in /a b, 0022\n" in ended.out
    with Unshared(Spec(its.root, ["/bin/sh", "-c", "umask 027; exec /init sh -c umask"])) as other:
        assert "\n0027\n" in other.wait().out
    # What init itself makes is for everybody, as it is with the usual mask (docs/differences.md).
    state = its.root / "run/s6"
    modes = [(state / name).stat().st_mode & 0o777 for name in ("etc", "container_environment/CWD")]
    assert modes == [0o755, 0o644]


@BOTH
def test_what_is_made_at_boot(image: Images, generation: str) -> None:
    """§2.3."""
    its = image(generation, {"etc/s6/init/env/PATH": "/sbin:/bin:/usr/bin\n"})
    with its.boot(env={"A": "b"}) as init:
        init.until_said("[services.d] done.")
        state = its.root / "run/s6"
        modes = {
            name: stat.filemode((state / name).lstat().st_mode)
            for name in (
                *("container_environment", "container_environment/A", "etc", "etc/cont-init.d"),
                *("env-stage1", "env-stage1/PATH", "env-stage2", "env-stage3", "services"),
                *("services/s6-fdholderd", "services/.s6-svscan/control"),
            )
        }
        assert modes == {
            "container_environment": "drwxr-xr-x",
            "container_environment/A": "-rw-r--r--",
            "etc": "drwxr-xr-x",
            "etc/cont-init.d": "lrwxrwxrwx",
            "env-stage1": "drwxr-xr-x",
            "env-stage1/PATH": "-rw-r--r--",
            "env-stage2": "drwxr-xr-x",
            "env-stage3": "drwxr-xr-x",
            "services": "drwxr-xr-x",
            "services/s6-fdholderd": "drwxr-xr-x",
            "services/.s6-svscan/control": "prw-------",
        }
        assert (state / "container_environment/A").read_bytes() == b"b"
        assert init.stop().code == 0
    # §8.4: all of it stays, and the next boot of the same container makes it anew.
    assert (state / "container_environment/A").exists()
    (state / "container_environment/LEFT").write_text("over")
    ended = its.run("with-contenv", "sh", "-c", "echo left $LEFT, $A", env={"A": "c"})
    assert "\nleft , c\n" in ended.out


@BOTH
def test_variables_of_stage_2(image: Images, role: Role, generation: str) -> None:
    """§1.1, §2.1: files become variables of boot's scripts, and of no service.

    Those that a script makes are variables of the next (docs/differences.md).
    """
    its = image(
        generation,
        {
            "etc/s6/init/env-stage2/FROM_IMAGE": "image",
            "etc/cont-init.d/a": script('echo "$FROM_IMAGE"; echo x >/var/run/s6/env-stage2/LATER'),
            "etc/cont-init.d/b": script('echo "later: $LATER"'),
            "etc/services.d/web/run": script('echo "service: $FROM_IMAGE."; exec sleep 1000'),
        },
    )
    with its.boot(role=role) as init:
        init.until_said("service: .\n")
        ended = init.stop()
    assert "\nimage\n[cont-init.d] a: exited 0.\n" in ended.out
    assert "\nlater: x\n[cont-init.d] b: exited 0.\n" in ended.out


@BOTH
def test_directories_that_are_not_there(image: Images, role: Role, generation: str) -> None:
    """§7.1: a section without its directory says nothing."""
    its = image(generation)
    for name in ("fix-attrs.d", "cont-init.d", "cont-finish.d", "services.d"):
        (its.root / "etc" / name).rmdir()
    ended = its.built().run("echo", "command", role=role)
    assert [line for line in ended.out.splitlines() if line.startswith("[")] == [
        "[s6-init] making user provided files available at /var/run/s6/etc...exited 0.",
        "[s6-init] ensuring user provided files have correct perms...exited 0.",
        "[cmd] echo exited 0",
        "[s6-finish] waiting for services.",
        *(["[s6-finish] syncing disks."] if generation == "v1" else []),
        "[s6-finish] sending all processes the TERM signal.",
        "[s6-finish] sending all processes the KILL signal and exiting.",
    ]


@BOTH
@pytest.mark.parametrize("level", ["1", "2"])
def test_failures_of_boot(image: Images, role: Role, generation: str, level: str) -> None:
    """§4: the first failure ends boot; 1: says so and stays up, 2: stops; the code is 1."""
    files: dict[str, Content] = {
        "etc/cont-init.d/01-a": script("exit 3"),
        "etc/cont-init.d/02-b": script("echo ran b"),
        "etc/services.d/web/run": script("echo service"),
    }
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": level}
    its = image(generation, files)
    with its.boot("echo", "command", role=role, env=env) as init:
        if level == "1":
            init.until_said("\n!!!!!\n init-stage2 failed.\n!!!!!\n")
            assert holds_for(init.container.running, 0.3)
            assert (its.root / "run/s6/env-stage3/S6_STAGE2_EXITED").read_text() == "1"
            ended = init.stop()
        else:
            ended = init.wait()
    assert ended.code == 1
    assert ended.out.count("init-stage2 failed") == 2 - int(level)
    assert not {"ran b", "service", "command", "[cont-init.d] done."} & {*ended.out.splitlines()}


@BOTH
@pytest.mark.parametrize("level", ["1", "2"])
def test_what_fails_in_fix_attrs_never_ends_boot(
    image: Images, generation: str, level: str
) -> None:
    """§3.2: a file of rules that cannot be read is 111, and the loop over the files succeeds."""
    its = image(
        generation,
        {
            "etc/fix-attrs.d/a/x": "",
            "etc/fix-attrs.d/b": "/data false 5:5 0600 0700 what else is there\n",
            "etc/fix-attrs.d/c": "",
            "data": "",
        },
    )
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": level}
    ended = its.run("stat", "-c", "%u %a", "/data", env=env)
    assert "[fix-attrs.d] a: exited 111.\n[fix-attrs.d] b: applying... \n" in ended.out
    assert "[fix-attrs.d] c: exited 0.\n[fix-attrs.d] done.\n" in ended.out
    assert "\n5 600\n[cmd] stat exited 0\n" in ended.out
    assert ended.code == 0


def test_a_directory_among_the_scripts_ends_boot_in_v1(image: Images, role: Role) -> None:
    """§3.3; v2 goes on (test_init_v2.py)."""
    files: dict[str, Content] = {
        "etc/cont-init.d/dir/x": "",
        "etc/services.d/web/run": script("echo service"),
    }
    ended = image("v1", files).run("echo", "command", role=role)
    assert "[services.d]" not in ended.out
    assert "\ncommand\n[cmd] echo exited 0\n" in ended.out


@BOTH
def test_permissions_are_repaired(image: Images, generation: str) -> None:
    """§3.1: what is looked at is what the globs name, not deeper, and no dot files."""
    its = image(
        generation,
        {
            "etc/fix-attrs.d/a!": "",
            "etc/cont-init.d/.a": script("echo never"),
            "etc/cont-finish.d/a": script("echo finish"),
            "etc/services.d/web": {
                **{"run": script("exec sleep 1000"), "finish": script(":"), "other": script(":")},
                "log": {"run": script("exec cat"), "finish": script(":")},
                "data": {"check": script(":"), "more": script(":")},
            },
        },
    )
    ended = its.run("true")
    names = ("fix-attrs.d/a", "cont-init.d/.a", "cont-finish.d/a", *(
        f"services.d/web/{name}"
        for name in ("run", "finish", "other", "log/run", "log/finish", "data/check", "data/more")
    ))  # fmt: skip
    modes = [(its.root / "etc" / name).stat().st_mode & 0o777 for name in names]
    check = 0o755 if generation == "v2" else 0o644
    assert modes == [0o644, 0o644, *[0o755] * 3, 0o644, *[0o755] * 2, check, 0o644]
    assert "\nfinish\n" in ended.out


@BOTH
def test_services_are_copied_as_they_are(image: Images, role: Role, generation: str) -> None:
    """§3.4."""
    its = image(
        generation,
        {
            "etc/services.d/README": "no service",
            "etc/services.d/.hidden/run": script("echo never"),
            "etc/services.d/off": {"run": script("echo never"), "down": ""},
            "etc/services.d/linked": Link("/opt/linked"),
            "opt/linked/run": script("exec sleep 1000"),
            "etc/services.d/web": {
                "run": script('echo "in $PWD with $FOO."; cat late; exec sleep 1000'),
                "finish": script('echo "finish $1 $2"'),
                "hold": FIFO,
                "link": Link("/nowhere"),
                "deep/file": "x",
            },
            "etc/cont-init.d/a": script("echo late >/etc/services.d/web/late"),
        },
    )
    (its.root / "etc/services.d/web/deep").chmod(0o2751)
    with its.boot(role=role, env={"FOO": "bar"}) as init:
        init.until_said("/services/web with .\nlate\n")
        copy = its.root / "run/s6/services/web"
        assert stat.S_ISFIFO((copy / "hold").stat().st_mode)
        assert (copy / "link").readlink().as_posix() == "/nowhere"
        assert (copy / "deep").stat().st_mode & 0o7777 == 0o2751
        assert not (its.root / "run/s6/services/README").exists()
        # A link stands for the directory, which is left alone (docs/differences.md).
        assert not (copy.parent / "linked").is_symlink()
        assert not (its.root / "opt/linked/supervise").exists()
        # A service that has only been forked has the name of its supervisor.
        assert sorted({line for line in init.ps() if line.startswith("s6-supervise")}) == [
            *("s6-supervise linked", "s6-supervise off"),
            *("s6-supervise s6-fdholderd", "s6-supervise web"),
        ]  # fmt: skip
        assert init.run("/bin/s6-svc", "-k", "/var/run/s6/services/web").code == 0
        init.until_said("finish 256 9\n")
        until(lambda: init.container.out.count("with .\n") == 2, "a restart")
        ended = init.stop()
    assert "never" not in ended.out
    assert not (its.root / "etc/services.d/web/supervise").exists()


@BOTH
def test_services_are_waited_for_only_with_a_command(image: Images, generation: str) -> None:
    """§4, `S6_CMD_WAIT_FOR_SERVICES`."""
    never: dict[str, Content] = {"run": script("exec sleep 1000"), "notification-fd": "3\n"}
    env = {"S6_CMD_WAIT_FOR_SERVICES": "1", "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "60000"}
    with image(generation, {"etc/services.d/never": never}).boot(env=env) as init:
        init.until_said("[services.d] done.")
        assert init.stop().code == 0


@BOTH
def test_scripts_at_the_end(image: Images, role: Role, generation: str) -> None:
    """§3.5."""
    its = image(
        generation,
        {
            "etc/cont-finish.d/Z": script('echo "Z $S6_STAGE2_EXITED $FOO."'),
            "etc/cont-finish.d/a": script("exit 7"),
            "etc/cont-finish.d/.b": script("echo never"),
        },
    )
    ended = its.run("sh", "-c", "exit 5", role=role, env={"FOO": "bar"})
    assert ended.code == 5
    assert (
        "[cont-finish.d] Z: executing... \nZ 5 .\n[cont-finish.d] Z: exited 0.\n"
        "[cont-finish.d] a: executing... \n[cont-finish.d] a: exited 7.\n[cont-finish.d] done.\n"
    ) in ended.out


@BOTH
def test_scripts_at_the_end_see_how_command_was_killed(image: Images, generation: str) -> None:
    """§5.3: 256 and the signal, of which the container's code is the signal."""
    its = image(generation, {"etc/cont-finish.d/a": script('echo "code $S6_STAGE2_EXITED."')})
    ended = its.run("sh", "-c", "kill -9 $$")
    assert "\ncode 265.\n" in ended.out
    assert ended.code == 9


@BOTH
@pytest.mark.parametrize(
    ("content", "code"),
    [("300", 44), ("7\n", 7), ("7\\n8", 7), ("seven", 100), ("", 0), ("\n", 0)],
)
def test_the_exit_file_holds_a_number(
    image: Images, generation: str, content: str, code: int
) -> None:
    """§5.3; the originals fail on what is no number (docs/differences.md)."""
    end = (
        f"printf '{content}' >/var/run/s6/env-stage3/S6_STAGE2_EXITED; s6-svscanctl -t /run/service"
    )
    assert image(generation, {"etc/services.d/a/run": script(end)}).run().code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT])
def test_signals_that_stop_v2(image: Images, role: Role, number: signal.Signals) -> None:
    """§8.3; of v1 in test_init_v1.py."""
    its = image("v2", {"etc/services.d/web/run": script("echo up; exec sleep 1000")})
    with its.boot(role=role) as init:
        init.until_said("up\n")
        init.signal(number)
        ended = init.wait()
    assert ended.code == 0
    assert ended.out.endswith("processes the KILL signal and exiting.\n")


def test_signals_that_mean_nothing_to_v2(image: Images, role: Role) -> None:
    with image("v2").boot(role=role) as init:
        init.until_said("[services.d] done.")
        for name in ("USR1", "USR2", "PWR", "WINCH", "ALRM", "HUP"):
            init.signal(signal.Signals[f"SIG{name}"])
        assert holds_for(init.container.running, 0.3)
        assert init.stop().code == 0


@BOTH
def test_grace_times_are_not_slept(image: Images, role: Role, generation: str) -> None:
    """§11 no. 63."""
    env = {"S6_KILL_GRACETIME": "6000", "S6_SERVICES_GRACETIME": "6000"}
    with image(generation).boot(role=role, env=env) as init:
        init.until_said("[services.d] done.")
        began = time.monotonic()
        assert init.stop().code == 0
        assert time.monotonic() - began < 4


@needs_root
@BOTH
def test_an_ordinary_users_service_cannot_stop_the_container(
    image: Images, generation: str
) -> None:
    """§11 no. 71: the control FIFO belongs to whom the container belongs."""
    run = "s6-setuidgid nobody s6-svscanctl -t /run/service; echo code $?; exec sleep 1000"
    with image(generation, {"etc/services.d/web/run": script(run)}).boot() as init:
        init.until_said("code 111\n")
        assert "s6-svscanctl: fatal: unable to " in init.container.err
        assert "Permission denied" in init.container.err
        assert init.stop().code == 0


@needs_root
def test_29_an_ordinary_user_boots_v1(image: Images) -> None:
    """The original ends at once (docs/differences.md)."""
    its = image("v1", {"etc/cont-init.d/a!": script("id -u")})
    its.root.chmod(0o755)
    ended = its.run("id", "-u", user=(1000, 1000))
    assert ended.code == 0
    assert ended.out.count("\n1000\n") == 2


def test_32_values_in_v2(image: Images, role: Role) -> None:
    check = 'echo "${#LONG} ${EMPTY-unset} ${#NL}"'
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(check, "#!/usr/bin/with-contenv sh"),
        "etc/cont-init.d/b": script(check, "#!/usr/bin/with-contenv-legacy sh"),
    }
    env = {"LONG": "x" * 6000, "EMPTY": "", "NL": "a\nb\n"}
    ended = image("v2", files).run("sh", "-c", check, env=env, role=role)
    assert ended.out.count("\n6000  4\n") == 2
    assert "\n4095 unset 4\n" in ended.out


@BOTH
def test_68_recursion_of_fix_attrs(image: Images, generation: str) -> None:
    its = image(
        generation,
        {
            "data": {"empty": {}, "full": {f"{number} x": "" for number in range(20)}},
            "etc/fix-attrs.d/a": "/data true 55 0640 0750\n",
        },
    )
    assert its.run("true").err == ""
    below = [path.stat() for path in (its.root / "data").rglob("*")]
    assert len(below) == 22
    assert {(one.st_uid, one.st_mode) for one in below} == {(55, 0o100640), (55, 0o40750)}
