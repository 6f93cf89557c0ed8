"""Where the plan comes from: the image, the planner, or neither; and what `/init` says then."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from s6x.image.build import build
from s6x.image.install import install
from world.containers import Spec, Unshared
from world.images import Image, Init, Role, needs_root
from world.programs import REPOSITORY, Result, our_executable
from world.running import World
from world.tracing import Call, calls, tracing
from world.tree import Content, Link
from world.waiting import until

Images = Callable[..., Image]

PLAN = "etc/s6x/plan"


def planner(body: str) -> dict[str, Content]:
    """A stand-in for python3: `$5` is the descriptor that the plan goes to."""
    return {"planner!": f'#!/bin/sh\necho "planning $*" >>/tmp/planned\n{body}\n'}


ENV = {"S6X_PYTHON": "/planner"}


def test_a_prebuilt_plan_needs_no_planner(image: Images, role: Role) -> None:
    its = image("v2", planner("exit 1"))
    assert its.run("true", env=ENV, role=role).code == 0
    assert not (its.root / "tmp/planned").exists()


@pytest.mark.both_roots
def test_without_a_plan_the_planner_is_asked_once(image: Images, role: Role) -> None:
    its = image("v2", planner('cat /good >&"$5"'))
    (its.root / PLAN).rename(its.root / "good")
    ended = its.run("true", env=ENV, role=role)
    assert (ended.code, ended.err) == (0, "")
    assert "[cmd] true exited 0\n" in ended.out
    planned = (its.root / "tmp/planned").read_text()
    assert planned.count("\n") == 1
    words = "-I -c from s6x.overlay.__main__ import run; run() --output-fd 3"
    assert planned == f"planning {words}\n"


def test_no_plan_and_no_python(image: Images, role: Role) -> None:
    ended = image("v2", planned=False).run("true", role=role)
    assert ended.code == 111
    assert ended.err == (
        "init: fatal: there is no /etc/s6x/plan, and there is no python3 (S6X_PYTHON can name one) "
        "to run the planner: run `s6x build --root DIR` when building the image\n"
    )
    assert ended.out == ""


def test_a_stale_plan_and_no_python(image: Images, role: Role) -> None:
    its = image("v2")
    (its.root / "etc/s6/init/init-stage2-fixattrs.txt").write_text("# changed\n")
    ended = its.run("true", role=role)
    assert ended.code == 0
    assert ended.err == (
        "init: warning: /etc/s6x/plan is stale (/etc/s6/init/init-stage2-fixattrs.txt has changed "
        "since it was made) and nothing here can make a new one: going on with it; run "
        "`s6x build --root DIR` whenever the image changes\n"
    )


@pytest.mark.both_roots
def test_a_stale_plan_is_made_again(image: Images) -> None:
    its = image("v2", planner('cat /good >&"$5"'))
    (its.root / "etc/s6/init/init-stage2-fixattrs.txt").write_text("# changed\n")
    build(its.root)
    (its.root / PLAN).rename(its.root / "good")
    assert its.run("true", env=ENV).code == 0
    assert (its.root / "tmp/planned").exists()


def test_another_generation_makes_it_stale(image: Images) -> None:
    its = image("v2")
    ended = its.run("true", env={"S6X_COMPAT": "v1"})
    assert "is stale (another generation of s6-overlay is asked for)" in ended.err
    assert ended.code == 0


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        ("echo 's6x: fatal: because' >&2; exit 1", 1, "the planner found this image wrong (1)"),
        ("kill -9 $$", 111, "the planner was killed by SIGKILL"),
        ("exit 0", 111, "unable to read the plan: the planner succeeded, and wrote none"),
        ('echo nonsense >&"$5"', 111, "unable to read the plan: "),
        ('printf d1:ai1e >&"$5"', 111, "unable to read the plan: byte 7: the data ends too early"),
    ],
)
def test_planners_that_fail(image: Images, role: Role, body: str, code: int, why: str) -> None:
    probe = '[ "$#" = 3 ] && exit 0\n'
    its = image("v2", planner(probe + body), planned=False)
    ended = its.run("true", env=ENV, role=role)
    assert why in ended.err, ended.err
    assert "init: fatal: " in ended.err
    assert ended.err.endswith("s, and nothing of boot was done\n")
    assert ended.code == code
    assert ended.out == ""


def test_python_without_our_package(image: Images, role: Role) -> None:
    its = image("v2", planner("exit 1"), planned=False)
    ended = its.run("true", env=ENV, role=role)
    assert ended.code == 111
    assert "its python3 does not have the package s6x: run `s6x build --root DIR`" in ended.err


def test_a_planner_that_hangs_can_be_stopped(image: Images, role: Role) -> None:
    its = image("v2", planner("exec sleep 1000"), planned=False)
    words = ["true"]
    with its.boot(*words, env=ENV, role=role) as init:
        until((its.root / "tmp/planned").exists, "the planner")
        until(lambda: "sleep 1000" in init.ps(), "the planner", explain=init.ps)
        init.signal(signal.SIGTERM)
        assert init.wait().code == 0


@pytest.mark.both_roots
@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("exit 1", 111),
        ("kill -9 $$", 111),
        ('echo nonsense >&"$5"', 111),
        ("kill -TERM $PPID; exec sleep 1000", 0),
    ],
)
def test_nothing_of_a_failed_planner_is_left(image: Images, ending: str, code: int) -> None:
    """Not as PID 1, init itself sees to that; a daemon of the planner's is its descendant, too."""
    body = (
        f"(setsid sleep 1001 &); sleep 1002 & setsid sh -c 'trap \"\" TERM; sleep 1003' & {ending}"
    )
    its = image("v2", planner(body), planned=False)
    script = '/init true; echo "code $?"; ps -o args | grep -c "^sleep 100"'
    with Unshared(Spec(its.root, ["/bin/sh", "-c", script], env=ENV)) as container:
        assert container.wait().out == f"code {code}\n0\n"


@pytest.mark.parametrize("content", [b"", b"garbage", b"d", b"\0" * 5000, b"i" * 100000])
def test_a_damaged_plan_is_told_and_replaced(image: Images, content: bytes) -> None:
    its = image("v2", planner('cat /good >&"$5"'))
    (its.root / PLAN).rename(its.root / "good")
    (its.root / PLAN).write_bytes(content)
    ended = its.run("true", env=ENV)
    assert ended.code == 0
    assert ended.err.startswith("init: warning: /etc/s6x/plan: unable to read the plan: ")


def newer(its: Image) -> bytes:
    return (its.root / PLAN).read_bytes().replace(b"7:versioni2e", b"7:versioni3e")


def test_a_plan_of_a_newer_version_is_made_again(image: Images) -> None:
    its = image("v2", planner('cat /good >&"$5"'))
    content = newer(its)
    (its.root / PLAN).rename(its.root / "good")
    (its.root / PLAN).write_bytes(content)
    ended = its.run("true", env=ENV)
    assert ended.code == 0
    assert "version 3 of the format and this s6x reads version 2" in ended.err
    assert ended.err.count("\n") == 1


def test_a_planner_of_a_newer_version(image: Images, role: Role) -> None:
    its = image("v2", planner('cat /newer >&"$5"'))
    (its.root / "newer").write_bytes(newer(its))
    (its.root / PLAN).unlink()
    ended = its.run("true", env=ENV, role=role)
    assert (ended.code, ended.out) == (111, "")
    assert ended.err.startswith("init: fatal: unable to read the plan: ")
    assert "it has version 3 of the format and this s6x reads version 2" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        ("echo 's6x: fatal: one' >&2; echo 's6x: fatal: two' >&2; exit 1", 1, "found this image"),
        ("kill -9 $$", 111, "was killed by SIGKILL"),
    ],
)
def test_a_stale_plan_and_a_planner_that_fails(
    image: Images, role: Role, body: str, code: int, why: str
) -> None:
    """The image is not what it was, and nobody knows what it is: nothing is started."""
    its = image("v2", planner(f"[ $# = 3 ] && exit 0\n{body}"))
    (its.root / "etc/s6/init/init-stage2-fixattrs.txt").write_text("# changed\n")
    ended = its.run("true", env=ENV, role=role)
    assert (ended.code, ended.out) == (code, "")
    *errors, last = ended.err.splitlines()
    assert why in last
    assert errors == (["s6x: fatal: one", "s6x: fatal: two"] if code == 1 else [])


def test_a_python_that_is_not_there(image: Images, role: Role) -> None:
    ended = image("v2", planned=False).run("true", env={"S6X_PYTHON": "/no/such"}, role=role)
    assert (ended.code, ended.out) == (111, "")
    assert ended.err.startswith("init: fatal: there is no /etc/s6x/plan, and there is no python3 ")


def test_a_plan_of_another_version(image: Images) -> None:
    its = image("v2")
    plan = (its.root / PLAN).read_bytes().replace(b"7:versioni2e", b"7:versioni3e")
    (its.root / PLAN).write_bytes(plan)
    ended = its.run("true")
    assert ended.code == 111
    assert "version 3 of the format and this s6x reads version 2" in ended.err


UNREADABLE = "/proc/sys/vm/compact_memory"
"""A regular file that not even root can read."""


def real(
    world: World,
    generation: str,
    unreadable: tuple[str, ...] = (),
    *,
    under: Sequence[str] = (),
) -> Result:
    """Boot the machine's own root with its Python, and no plan in it.

    `under` is the beginning of the planner's command; /outside is the test's directory.
    """
    world.top.chmod(0o755)
    shutil.rmtree(world.top / "changes", ignore_errors=True)
    changes = world.plant(
        {
            "python!": '#!/bin/sh\n[ "$1" = -I ] && shift\n'
            f'PYTHONPATH=/s6x-package exec {" ".join(under)} {sys.executable} "$@"\n',
            "s6x-package": {},
            "outside": {},
            # As on the machine, whose /bin a directory would hide.
            "usr/bin": {},
            "bin": Link("usr/bin"),
            "etc/cont-init.d/a": "#!/bin/sh\necho ran\n",
            "etc/services.d/web/run": "#!/bin/sh\necho service; exec sleep 1000\n",
            "etc/s6x/generation": f"{generation}\n",
        },
        "changes",
    )
    executable = our_executable()
    assert executable
    install(changes, generation, executable)
    its = Spec(
        changes,
        ["/init", "echo", "command"],
        overlay=True,
        env={"S6X_PYTHON": "/python"},
        binds={
            "/s6x-package": str(Path(REPOSITORY) / "python"),
            "/outside": str(world.top),
            **{f"/{name}": UNREADABLE for name in unreadable},
        },
        tmpfs={"/run": "mode=755"},
    )
    with Unshared(its) as container:
        return Init(container).wait()


@needs_root
def test_the_real_planner_names_every_error(world: World) -> None:
    files = ("etc/s6x/generation", "etc/s6/init/init-stage2-fixattrs.txt")
    ended = real(world, "v2", unreadable=files)
    assert (ended.code, ended.out) == (1, "")
    *errors, last = ended.err.splitlines()
    wanted = [f"s6x: fatal: /{name}: unable to read it: " for name in files]
    assert [error[: len(begin)] for error, begin in zip(errors, wanted, strict=True)] == wanted
    assert last.startswith("init: fatal: the planner found this image wrong (1); the planner ran ")


@needs_root
@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_the_real_planner(world: World, generation: str) -> None:
    ended = real(world, generation)
    assert ended.code == 0, ended
    assert "[cont-init.d] a: executing... \nran\n" in ended.out
    assert "[services.d] done.\ncommand\n" in ended.out.replace("service\n", "")
    assert "[cmd] echo exited 0\n" in ended.out


@needs_root
def test_the_planner_is_killed_at_any_call(world: World) -> None:
    """A sample of its calls, from the first to the last; `S6X_KILL_EVERY` says how many."""
    trace = world.top / "trace"

    def planned(*kill_at: Call) -> Result:
        trace.unlink(missing_ok=True)
        return real(world, "v2", under=tracing(Path("/outside/trace"), *kill_at))

    assert planned().code == 0
    moments = calls(trace)[1:]  # the first is the exec, by the tracer
    assert len(moments) > 300
    every = int(os.environ.get("S6X_KILL_EVERY", len(moments) // 8))
    for moment in [*moments[::every], moments[-1]]:
        ended = planned(moment)
        assert (ended.code, ended.out) == (111, ""), (moment, ended)
        why = "init: fatal: the planner was killed by SIGKILL; the planner ran for "
        assert ended.err.startswith(why), (moment, ended)
        assert ended.err.count("\n") == 1, (moment, ended)
