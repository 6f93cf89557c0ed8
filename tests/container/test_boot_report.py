"""What `/init` says when boot fails, and how a script's output gets where it belongs."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest

from world import process
from world.containers import Runc, Spec, Unshared
from world.images import Image, Role, needs_root, needs_runc
from world.tree import Content, script
from world.waiting import until

Images = Callable[..., Image]

FAILS = "S6_BEHAVIOUR_IF_STAGE2_FAILS"
SCRIPTS = "/var/run/s6/etc/cont-init.d"


def blocks(err: str) -> list[list[str]]:
    """Each report: its first line and those that belong to it; times are left out."""
    found: list[list[str]] = []
    for line in re.sub(r"\d+\.\d{3} s", "N s", err).splitlines():
        assert line.startswith("init: "), line
        rest = line.removeprefix("init: ")
        if rest.startswith("  "):
            found[-1].append(rest.strip())
        else:
            found.append([rest])
    return found


WRITER = script(
    "for n in 1 2 3 4 5 6; do echo out $n; echo err $n >&2; done; printf 'no newline'; exit 3"
)
AFTER: dict[str, Content] = {
    "etc/cont-init.d/02-b": script("echo ran b"),
    "etc/cont-init.d/03-c": script("echo ran c"),
    "etc/services.d/web/run": script("exec sleep 1000"),
    "etc/services.d/db/run": script("exec sleep 1000"),
}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_the_script_that_ends_boot(image: Images, role: Role, generation: str) -> None:
    its = image(generation, {"etc/cont-init.d/01-a": WRITER, **AFTER})
    ended = its.run("nginx", "-g", role=role, env={FAILS: "2"})
    assert ended.code == 1
    own = [line for line in ended.err.splitlines() if not line.startswith("err ")]
    [block] = blocks("\n".join(own))
    assert block[:4] == [
        f"fatal: cont-init.d: {SCRIPTS}/01-a exited with code 3 after N s",
        f"the container stops, with exit code 1 ({FAILS} is 2)",
        "not done: cont-init.d (02-b, 03-c), services.d (db, web), CMD (nginx)",
        "the last that it wrote:",
    ]
    assert len(block[4:]) == 10
    lines = [line.removeprefix("| ") for line in block[4:]]
    assert lines[-1] == "no newline"
    assert {line.split()[0] for line in lines} <= {"out", "err", "no"}
    assert "out 6\nno newline[cont-init.d] 01-a: exited 3.\n" in ended.out
    assert "err 6\ninit: fatal: " in ended.err


def test_the_container_stays_up(image: Images, role: Role) -> None:
    its = image("v2", {"etc/cont-init.d/01-a": script("kill -SEGV $$"), **AFTER})
    with its.boot("nginx", role=role, env={FAILS: "1"}) as init:
        init.until_said("!!!!!")
        ended = init.stop()
    assert blocks(ended.err) == [
        [
            f"warning: cont-init.d: {SCRIPTS}/01-a was killed by SIGSEGV after N s",
            f"boot ends here, and the container stays up without CMD ({FAILS} is 1)",
            "not done: cont-init.d (02-b, 03-c), services.d (db, web), CMD (nginx)",
            "it wrote nothing",
        ]
    ]


def test_boot_that_goes_on_gets_a_short_block(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/01-a": script("seq 1 5; nonesuch 2>/dev/null"),
        "etc/cont-init.d/02-b": script("echo fine"),
        "etc/cont-init.d/03-c": script('sh -c "kill -9 \\$\\$"; exit $?'),
    }
    ended = image("v2", files).run("true", role=role)
    assert ended.code == 0
    goes_on = f"boot goes on ({FAILS} is 0)"
    assert blocks(ended.err.removeprefix("Killed\n").replace("\nKilled\n", "\n")) == [
        [
            f"warning: cont-init.d: {SCRIPTS}/01-a exited with code 127 after N s",
            "by convention, 127 says that a program was not found",
            goes_on,
            *("the last that it wrote:", "| 3", "| 4", "| 5"),
        ],
        [
            f"warning: cont-init.d: {SCRIPTS}/03-c exited with code 137 after N s",
            "by convention, 137 says that a program was killed by SIGKILL",
            goes_on,
            *("the last that it wrote:", "| Killed"),
        ],
    ]


@pytest.mark.parametrize(
    ("content", "why", "remedy"),
    [
        (
            "echo x\n",
            "Exec format error",
            "its first line must name an interpreter, as #!/bin/sh does",
        ),
        (
            script("echo x", "#!/no/such"),
            "No such file or directory",
            "the interpreter that its first line names is not there",
        ),
        ({"x": ""}, "Permission denied", "it is a directory: only files can be run"),
    ],
)
def test_a_script_that_cannot_be_run(
    image: Images, content: Content, why: str, remedy: str
) -> None:
    ended = image("v1", {"etc/cont-init.d/01-a": content, **AFTER}).run("echo", "command")
    assert blocks(ended.err) == [
        [
            f"warning: unable to spawn {SCRIPTS}/01-a: {why}",
            remedy,
            "the rest of boot is skipped, but for CMD",
            "not done: cont-init.d (02-b, 03-c), services.d (db, web)",
        ]
    ]
    assert ended.out.count("command\n") == 1


def test_a_script_that_takes_too_long(image: Images, role: Role) -> None:
    files: dict[str, Content] = {"etc/cont-init.d/a": script("echo up; exec sleep 1000")}
    env = {FAILS: "2", "S6X_CONT_INIT_MAXTIME": "300"}
    ended = image("v2", files).run(role=role, env=env)
    assert ended.code == 1
    assert blocks(ended.err) == [
        [
            f"fatal: cont-init.d: {SCRIPTS}/a was killed after N s, the limit of "
            "S6X_CONT_INIT_MAXTIME",
            f"the container stops, with exit code 1 ({FAILS} is 2)",
            *("the last that it wrote:", "| up"),
        ]
    ]


def test_services_that_are_waited_for(image: Images, role: Role) -> None:
    files: dict[str, Content] = {
        "etc/services.d/slow": {"run": script("exec sleep 1000"), "notification-fd": "3\n"},
        "etc/services.d/fine/run": script("exec sleep 1000"),
        "etc/services.d/off": {"run": script("exec sleep 1000"), "down": ""},
    }
    env = {
        FAILS: "2",
        "S6_CMD_WAIT_FOR_SERVICES": "1",
        "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "500",
    }
    ended = image("v2", files).run("true", role=role, env=env)
    assert ended.code == 1
    assert ended.err.startswith("s6-svwait: fatal: timed out\n")
    assert blocks(ended.err.removeprefix("s6-svwait: fatal: timed out\n")) == [
        [
            'fatal: the step "wait for services" of boot was killed after N s, the limit of '
            "S6_CMD_WAIT_FOR_SERVICES_MAXTIME",
            "it waited for slow (up, but not ready)",
            f"the container stops, with exit code 1 ({FAILS} is 2)",
            "not done: CMD (true)",
        ]
    ]


def test_a_file_of_fix_attrs(image: Images, role: Role) -> None:
    """It never ends boot, so there is nothing to report but what went wrong."""
    files: dict[str, Content] = {"etc/fix-attrs.d/a": {"x": ""}, **AFTER}
    ended = image("v2", files).run("true", role=role, env={FAILS: "2"})
    assert ended.code == 0
    a = "/var/run/s6/etc/fix-attrs.d/a"
    assert ended.err == f"fix-attrs: warning: unable to read {a}: Is a directory\n"
    assert "[fix-attrs.d] a: exited 111.\n" in ended.out
    assert "ran b\n" in ended.out


OOM: dict[str, Content] = {"sys/fs/cgroup/memory.events": "oom 0\noom_kill 2\n"}
KILLED = "echo 'oom_kill 3' >/sys/fs/cgroup/memory.events; kill -9 $$"


def test_out_of_memory_is_named(image: Images, role: Role) -> None:
    files: dict[str, Content] = {**OOM, "etc/cont-init.d/a": script(KILLED)}
    ended = image("v2", files).run(role=role, env={FAILS: "2"})
    [block] = blocks(ended.err)
    assert block[:2] == [
        f"fatal: cont-init.d: {SCRIPTS}/a was killed by SIGKILL after N s",
        "out of memory: the kernel killed a process of this container (OOM kill)",
    ]


def test_out_of_memory_of_the_command(image: Images, role: Role) -> None:
    ended = image("v2", OOM).run("sh", "-c", KILLED, role=role)
    assert ended.err == (
        "init: warning: CMD (sh) was killed by SIGKILL: out of memory: the kernel killed a process "
        "of this container (OOM kill)\n"
    )
    assert (ended.code, "[cmd] sh exited 265\n" in ended.out) == (9, True)
    ended = image("v2", OOM).run("sh", "-c", "kill -9 $$", role=role)
    assert (ended.code, ended.err) == (9, "")


def test_what_would_disturb_a_reader_is_escaped(image: Images) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(
            "printf '\\033[31mred\\n\\377\\n'; head -c 300 /dev/zero | tr '\\0' x; exit 1"
        )
    }
    ended = image("v2", files).run(env={FAILS: "2"})
    assert "init:   | \\u{1b}[31mred\n" in ended.err
    assert "init:   | \ufffd\n" in ended.err
    assert "init:   | " + 240 * "x" + " ...\n" in ended.err
    assert "\033[31mred\n" in ended.out


# How the output gets where it belongs.


def piped(its: Image, reader: str, *args: str, **spec: object) -> Unshared:
    """/init with stdout and stderr in one pipe, as PID 1's child."""
    words = ["/bin/sh", "-c", f'{{ /init "$@"; echo "code $?"; }} 2>&1 | {reader}', "sh", *args]
    return Unshared(Spec(its.root, words, **spec))  # type: ignore[arg-type]


def test_nothing_is_lost_or_changed(image: Images) -> None:
    """Megabytes of anything, through pipes, to a slow reader."""
    body = "head -c 5000000 /dev/urandom | tee /tmp/made; echo; echo end"
    its = image("v2", {"etc/cont-init.d/a": script(body)})
    with piped(its, "{ sleep 0.2; cat >/tmp/got; }", "true") as container:
        container.wait(60)
    made, got = (its.root / "tmp/made").read_bytes(), (its.root / "tmp/got").read_bytes()
    begin = b"[cont-init.d] a: executing... \n"
    end = b"\nend\n[cont-init.d] a: exited 0.\n[cont-init.d] done.\n"
    assert got.partition(begin)[2].startswith(made + end)
    assert got.endswith(b"sending all processes the KILL signal and exiting.\ncode 0\n")


def test_one_pipe_keeps_the_order_of_both(image: Images) -> None:
    body = "n=0; while [ $n -lt 2000 ]; do echo out $n; echo err $n >&2; n=$((n+1)); done"
    its = image("v2", {"etc/cont-init.d/a": script(body)})
    with piped(its, "cat", "true") as container:
        ended = container.wait(60)
    expected = "".join(f"out {n}\nerr {n}\n" for n in range(2000))
    assert f"executing... \n{expected}[cont-init.d] a: exited 0." in ended.out


def test_what_a_script_leaves_running_is_heard_to_the_end(image: Images, role: Role) -> None:
    left = 'trap "echo last words; exit" TERM; echo left; while :; do sleep 0.05; done'
    talks = "while sleep 0.05; do [ -e /tmp/talk ] && echo heard && rm /tmp/talk; done"
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script(f"({left}) &\n({talks}) &\necho begun"),
        "etc/cont-init.d/b": script("echo also; exit 1"),
    }
    its = image("v2", files)
    with its.boot(role=role) as init:
        init.until_said("left\n")
        init.until_said("[cont-init.d] done.")
        (its.root / "tmp/talk").touch()
        init.until_said("heard\n")
        ended = init.stop()
    assert "last words\n" in ended.out.partition("the TERM signal.\n")[2]
    assert ended.code == 0


def test_what_a_script_leaves_running_is_logged_to_the_end(image: Images) -> None:
    left = 'trap "echo last words; exit" TERM; echo left; while :; do sleep 0.05; done'
    its = image("v2", {"etc/cont-init.d/a": script(f"({left}) &")})
    with its.boot(env={"S6_LOGGING": "1"}) as init:
        log = its.root / "var/log/s6-uncaught-logs/current"
        until(lambda: log.exists() and "left" in log.read_text(), "the catch-all log")
        ended = init.stop()
    assert "last words\n" in log.read_text()
    assert (ended.code, ended.out) == (0, "")


def test_a_stop_while_nobody_reads(image: Images) -> None:
    """The script has ended; what it wrote waits for a reader that does not come."""
    body = "head -c 40000 /dev/zero; touch /tmp/written"
    its = image("v2", {"etc/cont-init.d/a": script(body)})
    stalled = (
        "mkfifo /tmp/pipe; exec 3<>/tmp/pipe; head -c 65536 /dev/zero >&3\n"
        '/init >/tmp/pipe 2>/tmp/pipe 3<&- & echo $! >/tmp/pid; wait; wait; echo "code $?"'
    )
    with Unshared(Spec(its.root, ["/bin/sh", "-c", stalled])) as container:
        until((its.root / "tmp/written").exists, "the script")
        container.run("/bin/sh", "-c", "kill -TERM $(cat /tmp/pid)")
        assert container.wait(8).out == "code 0\n"


def test_many_scripts_that_leave_something_running(image: Images) -> None:
    files: dict[str, Content] = {
        f"etc/cont-init.d/{number:03}": script(f"sleep 1000 & echo script {number}")
        for number in range(70)
    }
    with image("v2", files).boot() as init:
        init.until_said("[cont-init.d] done.")
        descriptors = len(process.look(init.pid).descriptors)
        ended = init.stop()
    assert descriptors < 80
    for number in range(70):
        assert f"\nscript {number}\n[cont-init.d] {number:03}: exited 0.\n" in ended.out
    assert (ended.code, ended.err) == (0, "")


@needs_root
def test_another_user_may_open_dev_stdout(image: Images) -> None:
    body = "su nobody -c 'echo other >/proc/self/fd/1'"
    its = image("v2", {"etc/cont-init.d/a": script(body)})
    its.root.chmod(0o755)
    ended = its.run("true")
    assert "other\n[cont-init.d] a: exited 0.\n" in ended.out


@needs_runc
def test_a_terminal_stays_a_terminal(image: Images) -> None:
    files: dict[str, Content] = {
        "etc/cont-init.d/a": script("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; exit 3")
    }
    with image("v2", files).boot(backend=Runc, tty=True, env={FAILS: "2"}) as init:
        ended = init.wait()
    text = ended.out.replace("\r\n", "\n")
    assert "terminal\n[cont-init.d] a: exited 3.\n" in text
    assert "init:   its output went to the terminal\n" in text
    assert ended.code == 1


def test_a_script_killed_by_a_stop_is_no_failure(image: Images, role: Role) -> None:
    its = image("v2", {"etc/cont-init.d/a": script("echo up; exec sleep 1000")})
    with its.boot(role=role, env={FAILS: "2"}) as init:
        init.until_said("up\n")
        init.signal(signal.SIGTERM)
        ended = init.wait()
    assert (ended.code, ended.err) == (0, "")
