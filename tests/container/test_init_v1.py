"""`/init` as generation v1: contract s6-overlay §11, v1 mode, by the numbers of that list."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from world.containers import Spec, Unshared
from world.images import Image, Role
from world.tree import Content, Link, script
from world.waiting import holds_for, until

BOOT = """\
[s6-init] making user provided files available at /var/run/s6/etc...exited 0.
[s6-init] ensuring user provided files have correct perms...exited 0.
[fix-attrs.d] applying ownership & permissions fixes...
[fix-attrs.d] done.
[cont-init.d] executing container initialization scripts...
[cont-init.d] done.
[services.d] starting services
[services.d] done.
"""
STOP = """\
[cont-finish.d] executing container finish scripts...
[cont-finish.d] done.
[s6-finish] waiting for services.
[s6-finish] syncing disks.
[s6-finish] sending all processes the TERM signal.
[s6-finish] sending all processes the KILL signal and exiting.
"""

Images = Callable[..., Image]


def test_1_the_log_lines(image: Images, role: Role) -> None:
    ended = image("v1").run("true", role=role)
    assert ended.out == BOOT + "[cmd] true exited 0\n" + STOP
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("name", ["init", "init-no-catchall", "init-catchall"])
def test_1_the_chain_of_stages(image: Images, name: str) -> None:
    """Images that name a stage as their entry point boot as well."""
    words = [f"/etc/s6/{name}/init-stage1", "true"]
    with Unshared(Spec(image("v1").root, words)) as container:
        ended = container.wait()
    assert ended.out == BOOT + "[cmd] true exited 0\n" + STOP
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("command", "shown", "code"),
    [("exit 7", 7, 7), ("exit 255", 255, 255), ("kill -9 $$", 265, 9), ("kill -15 $$", 271, 15)],
)
def test_2_3_exit_codes(image: Images, role: Role, command: str, shown: int, code: int) -> None:
    ended = image("v1").run("sh", "-c", command, role=role)
    assert f"[cmd] sh exited {shown}\n" in ended.out
    assert ended.code == code


def test_4_no_such_command(image: Images, role: Role) -> None:
    ended = image("v1").run("/no/such", role=role)
    assert ended.code == 111
    assert ended.err == "init: fatal: unable to exec /no/such: No such file or directory\n"
    assert "[cmd] /no/such exited 111\n" in ended.out


def test_4_not_executable(image: Images) -> None:
    ended = image("v1").run("/etc/passwd")
    assert ended.code == 111
    assert ended.err == "init: fatal: unable to exec /etc/passwd: Permission denied\n"


def test_5_working_directory(image: Images, role: Role) -> None:
    its = image("v1", {"etc/cont-init.d/a": script("pwd")})
    ended = its.run("pwd", cwd="/tmp", role=role)
    assert ended.out.count("\n/tmp\n") == 2


def test_6_order_and_permissions(image: Images, role: Role) -> None:
    names = ("01-a", "Zed", ".hid", "02-b")
    files: dict[str, Content] = {
        f"etc/cont-init.d/{name}": script(f"echo ran {name}") for name in names
    }
    ended = image("v1", files).run("true", role=role)
    assert [line for line in ended.out.splitlines() if line.startswith("ran")] == [
        "ran 01-a",
        "ran 02-b",
        "ran Zed",
    ]
    assert (
        "[cont-init.d] 01-a: executing... \nran 01-a\n[cont-init.d] 01-a: exited 0.\n" in ended.out
    )


def failing() -> dict[str, Content]:
    return {
        "etc/cont-init.d/01-a": script("exit 3"),
        "etc/cont-init.d/02-b": script("echo ran b"),
        "etc/services.d/web/run": script("echo service; exec sleep 1000"),
    }


def test_7_failure_ignored(image: Images, role: Role) -> None:
    ended = image("v1", failing()).run("echo", "command", role=role)
    assert "[cont-init.d] 01-a: exited 3.\n" in ended.out
    assert "ran b\n" in ended.out
    assert "command\n" in ended.out
    assert ended.code == 0


def test_8_failure_stays_up_without_command(image: Images, role: Role) -> None:
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": "1"}
    with image("v1", failing()).boot("echo", "command", role=role, env=env) as init:
        init.until_said("\n!!!!!\n init-stage2 failed.\n!!!!!\n")
        assert holds_for(init.container.running, 0.5)
        ended = init.stop()
    assert "ran b" not in ended.out
    assert "command" not in ended.out
    assert "[services.d]" not in ended.out
    assert ended.out.endswith(STOP)
    assert ended.code == 1


def test_9_failure_stops(image: Images, role: Role) -> None:
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": "2"}
    ended = image("v1", failing()).run("echo", "command", role=role, env=env)
    assert ended.code == 1
    assert "[cont-init.d] 01-a: exited 3.\n" + STOP in ended.out
    assert "command" not in ended.out


def test_10_no_shebang_skips_services(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": "echo no shebang\n",
        "etc/cont-init.d/b": script("echo ran b"),
    }
    ended = image("v1", files).run("echo", "command", role=role)
    assert (
        "init: warning: unable to spawn /var/run/s6/etc/cont-init.d/a: Exec format error\n"
        in ended.err
    )
    assert "[services.d]" not in ended.out
    assert "ran b" not in ended.out
    assert "[cont-init.d] done." not in ended.out
    assert "\ncommand\n" in ended.out


def test_11_environment(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script('echo "with $FOO $PATH"', "#!/usr/bin/with-contenv sh"),
        "etc/cont-init.d/b": script("echo without; env | sort"),
    }
    ended = image("v1", files).run(
        "sh", "-c", "echo cmd $FOO $CWD $S6_LOGGING", env={"FOO": "bar"}, role=role
    )
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert f"with bar {path}\n" in ended.out
    plain = ended.out.split("without\n")[1].split("[cont-init.d]")[0].splitlines()
    assert [line for line in plain if not line.startswith(("PWD=", "SHLVL=", "OLDPWD="))] == [
        "PATH=/usr/bin:/usr/sbin:/bin:/sbin"
    ]
    assert "cmd bar / 0\n" in ended.out


def test_12_values_are_exact(image: Images, role: Role) -> None:
    """The original cuts at 4095 bytes and loses empty values (docs/differences.md)."""
    env = {"LONG": "x" * 6000, "EMPTY": "", "NL": "a\nb\n"}
    check = 'echo "${#LONG} ${EMPTY-unset} ${#NL}"'
    legacy = "exec with-contenv-legacy sh -c 'echo \"legacy ${#LONG} ${EMPTY-unset}\"'"
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(check, "#!/usr/bin/with-contenv sh"),
        "etc/cont-init.d/b": script(legacy),
        "etc/cont-init.d/c": script(
            "printcontenv NL | od -c; printcontenv NO; echo code $?; printcontenv; echo code $?"
        ),
    }
    ended = image("v1", files).run("sh", "-c", check, env=env, role=role)
    assert ended.out.count("6000  4\n") == 2
    assert "legacy 4095 unset\n" in ended.out
    assert "a  \\n   b  \\n\n" in ended.out
    assert ended.out.count("code 1\n") == 2


def test_13_keep_env(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(
            'echo "saw $FOO"; printcontenv FOO; echo .; with-contenv env | grep FOO; '
            "printcontenv NO; echo code $?"
        ),
    }
    with image("v1", files).boot(role=role, env={"FOO": "bar", "S6_KEEP_ENV": "1"}) as init:
        init.until_said("[services.d] done.")
        assert init.run("/bin/ls", "/var/run/s6").out.split() == [
            *("env-stage1", "env-stage2", "env-stage3", "etc", "services")
        ]
        ended = init.stop()
    assert "saw bar\nbar.\nFOO=bar\ncode 100\n" in ended.out


def test_14_arg0_is_split_at_newlines_only(image: Images, role: Role) -> None:
    env = {"S6_CMD_ARG0": "/bin/busybox\nprintf"}
    assert "[b c]" in image("v1").run("[%s]", "b c", env=env, role=role).out
    env = {"S6_CMD_ARG0": "/bin/busybox printf"}
    ended = image("v1").run("[%s]", "b c", env=env, role=role)
    assert ended.code == 111
    assert "unable to exec /bin/busybox printf: No such file or directory" in ended.err


def test_14_empty_lines_of_arg0_are_words(image: Images) -> None:
    """A newline ends a line; the one behind the last line makes no word."""
    for value, shown in (("printf\n[%s]\n", "[x]"), ("printf\n[%s]\n\na\n", "[][a][x]")):
        assert f"\n{shown}[cmd]" in image("v1").run("x", env={"S6_CMD_ARG0": value}).out
    ended = image("v1").run("x", env={"S6_CMD_ARG0": "\necho"})
    assert ended.err.startswith("init: fatal: unable to exec : ")
    assert (ended.code, "[cmd]  exited 111\n" in ended.out) == (111, True)


def test_15_arg0_alone_is_a_command(image: Images, role: Role) -> None:
    ended = image("v1").run(env={"S6_CMD_ARG0": "/bin/date"}, role=role)
    assert "[cmd] /bin/date exited 0\n" in ended.out
    assert ended.code == 0


def test_16_a_finish_script_stops_the_container(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/a/run": script("exit 3"),
        "etc/services.d/a/finish": script(
            "echo finish $1 $2; s6-svscanctl -t /var/run/s6/services"
        ),
    }
    ended = image("v1", files).run(role=role)
    assert "finish 3 0\n" in ended.out
    assert ended.code == 0
    assert ended.out.endswith(STOP)


def test_17_the_exit_file(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/a/run": script("exit 3"),
        "etc/services.d/a/finish": script(
            "echo 77 >/var/run/s6/env-stage3/S6_STAGE2_EXITED; s6-svscanctl -t /var/run/s6/services"
        ),
        "etc/cont-finish.d/late": script("echo 5 >/var/run/s6/env-stage3/S6_STAGE2_EXITED"),
    }
    assert image("v1", files).run(role=role).code == 77


def test_18_a_service_that_ignores_term(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/deaf/run": script('trap "" TERM; echo up; while :; do sleep 1; done'),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    env = {"S6_SERVICES_GRACETIME": "300", "S6_KILL_GRACETIME": "300"}
    with image("v1", files).boot(role=role, env=env) as init:
        init.until_said("up\n")
        began = time.monotonic()
        ended = init.stop()
        took = time.monotonic() - began
    assert "finishing\n" in ended.out
    assert "s6-svwait: fatal: timed out\n" in ended.err
    assert ended.code == 0
    assert 0.5 < took < 4


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_19_signals_that_stop(image: Images, role: Role, number: signal.Signals) -> None:
    with image("v1").boot(role=role) as init:
        init.until_said("[services.d] done.")
        init.signal(number)
        ended = init.wait()
    assert ended.out == BOOT + STOP
    assert ended.code == 0


def test_19_signals_that_mean_nothing(image: Images, role: Role) -> None:
    with image("v1").boot(role=role) as init:
        init.until_said("[services.d] done.")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM):
            init.signal(number)
        assert holds_for(init.container.running, 0.5)
        assert init.stop().code == 0


def test_19_abort_stops_without_telling_the_supervisors(image: Images) -> None:
    files: dict[str, Content] = {"etc/services.d/a/run": script("echo up; exec sleep 1000")}
    with image("v1", files).boot() as init:
        init.until_said("up\n")
        init.signal(signal.SIGABRT)
        ended = init.wait()
    assert ended.out.endswith(STOP)
    assert ended.code == 0


def test_20_finish_scripts_have_a_limit(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-finish.d/a": script("exec sleep 20"),
        "etc/cont-finish.d/b": script("pwd; exit 4"),
        "etc/cont-finish.d/c": "no interpreter\n",
        "etc/cont-finish.d/d": script("kill -9 $$"),
    }
    ended = image("v1", files).run("true", role=role, env={"S6_KILL_FINISH_MAXTIME": "300"})
    assert "[cont-finish.d] a: exited 99.\n[cont-finish.d] b: executing... \n/\n" in ended.out
    assert "[cont-finish.d] b: exited 4.\n" in ended.out
    assert "[cont-finish.d] c: exited 111.\n" in ended.out
    assert "[cont-finish.d] d: exited 265.\n[cont-finish.d] done.\n" in ended.out
    assert (
        "s6-maximumtime: warning: unable to wait for child process: Operation timed out\n"
        in ended.err
    )


def test_23_read_only_root(image: Images, role: Role) -> None:
    its = image(
        "v1",
        {
            "etc/cont-init.d/a": script(
                "echo ran; test -L /var/run/s6/etc/cont-init.d; echo link $?"
            )
        },
    )
    ended = its.run(
        "true",
        role=role,
        read_only=True,
        tmpfs={"/run": "mode=755"},
        env={"S6_READ_ONLY_ROOT": "1"},
    )
    assert "ran\nlink 1\n" in ended.out
    assert (ended.code, ended.err) == (0, "")


def test_24_profile(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script("echo ordinary"),
        "etc/cont-profile.d/p/cont-init.d/a": script("echo profile"),
    }
    ended = image("v1", files).run("true", role=role, env={"S6_RUNTIME_PROFILE": "p"})
    assert "profile\n" in ended.out
    assert "ordinary" not in ended.out
    assert "[fix-attrs.d]" not in ended.out
    assert "[services.d]" not in ended.out


def test_25_26_fix_attrs(image: Images) -> None:
    files: dict[str, Content] = {
        "etc/group": "root:x:0:\napp:x:1234:\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1234:1234::/:/bin/sh\n",
        "data": {"a b": {"c d": "x", ".hidden": "x"}, "out": Link("/etc/hostname")},
        "etc/hostname": "x",
        "etc/fix-attrs.d/01": "# a comment\n/data true app 0600 0700\nnonsense\n",
        "etc/fix-attrs.d/02": "/tab*\tfalse\t4242:app,1:1\t-\t0711\n",
        "table": {},
    }
    look = "stat -c '%a %u %g %n' /data '/data/a b' '/data/a b/c d' '/data/a b/.hidden' /table"
    its = image("v1", files)
    ended = its.run("sh", "-c", look + "; stat -c '%a %u %n' /etc/hostname")
    assert (
        "700 1234 1234 /data\n700 1234 1234 /data/a b\n600 1234 1234 /data/a b/c d\n" in ended.out
    )
    assert "644 0 0 /data/a b/.hidden\n711 4242 1234 /table\n644 0 /etc/hostname\n" in ended.out
    assert "[fix-attrs.d] 01: applying... \n[fix-attrs.d] 01: exited 0.\n" in ended.out
    assert ended.err == (
        "fix-attrs: warning: /var/run/s6/etc/fix-attrs.d/01: line 3: 1 fields, "
        "but a rule is: path recurse account fmode dmode\n"
    )


@pytest.mark.parametrize(("level", "code", "ran"), [("0", 0, True), ("2", 1, False)])
def test_27_waiting_for_services(
    image: Images, role: Role, level: str, code: int, ran: bool
) -> None:
    files: dict[str, Content] = {
        "etc/services.d/never": {"run": script("exec sleep 1000"), "notification-fd": "3\n"},
        "etc/services.d/plain": {"run": script("exec sleep 1000")},
        "etc/services.d/off": {"run": script("exec sleep 1000"), "down": ""},
    }
    env = {
        "S6_CMD_WAIT_FOR_SERVICES": "1",
        "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "500",
        "S6_BEHAVIOUR_IF_STAGE2_FAILS": level,
    }
    ended = image("v1", files).run("echo", "command", role=role, env=env)
    assert ended.code == code
    assert ("\n[services.d] done.\ncommand\n" in ended.out) == ran
    assert "s6-svwait: fatal: timed out\n" in ended.err


def test_27_ready_services_are_not_waited_for(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/ready": {
            "run": script("sleep 0.2; echo ready; echo >&3; exec sleep 1000"),
            "notification-fd": "3\n",
        },
        "etc/services.d/README": "no service",
    }
    ended = image("v1", files).run(
        "echo", "command", role=role, env={"S6_CMD_WAIT_FOR_SERVICES": "1"}
    )
    assert (
        ended.out.index("ready\n")
        < ended.out.index("[services.d] done.")
        < ended.out.index("command\n")
    )
    assert (ended.code, ended.err) == (0, "")


def test_28_services_are_controlled_under_their_old_names(image: Images, role: Role) -> None:
    run = script("echo up; exec sleep 1000")
    with image("v1", {"etc/services.d/nginx/run": run}).boot(role=role) as init:
        init.until_said("up\n")
        assert "s6-supervise nginx" in init.ps()
        assert "s6-supervise s6-fdholderd" in init.ps()
        assert "s6-svscan -t0 /var/run/s6/services" in init.ps()
        for directory in (
            "/var/run/s6/services/nginx",
            "/run/service/nginx",
            "/run/s6/services/nginx",
        ):
            before = init.container.out.count("up\n")
            assert init.run("/bin/s6-svc", "-k", directory).code == 0
            until(lambda before=before: init.container.out.count("up\n") > before, "a restart")  # type: ignore[misc]
        ended = init.stop()
    assert ended.code == 0
    assert "[s6-finish] waiting for services.\n" in ended.out


def test_a_logger_gets_the_output(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/web": {
            "run": script("echo hello; exec sleep 1000"),
            "log/run": script("exec cat >/tmp/log"),
        },
    }
    with image("v1", files).boot(role=role) as init:
        until(lambda: init.run("/bin/cat", "/tmp/log").out == "hello\n", "the line in the log")
        ended = init.stop()
    assert ended.code == 0
