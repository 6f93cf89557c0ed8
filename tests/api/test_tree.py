"""Trees that belong to a program: they start, they end, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from s6x.supervise import (
    Ending,
    Happening,
    NotSupervised,
    ScanDir,
    State,
    SupervisionError,
    Tree,
)
from s6x.supervise.planting import Plan
from world import process, witness
from world.programs import Programs
from world.running import World
from world.waiting import until

NAP = ["sleep", "1000"]


def tree_of(daemons: Programs, services: Mapping[str, Plan] | Path, **more: object) -> Tree:
    """A tree by the scanner of one set of programs."""
    return Tree(
        services,
        scanner=daemons.path("s6-svscan"),
        env=daemons.environment(),
        **more,  # type: ignore[arg-type]
    )


def test_all_forms_of_a_service(daemons: Programs) -> None:
    services: dict[str, Plan] = {
        "words": ["sh", "-c", 'echo "$0 $1" >said; exec sleep 1000', "two words", "it's"],
        "script": "#!/bin/sh\nexec sleep 1000\n",
        "files": {
            "run": "#!/bin/sh\necho >&4\nexec sleep 1000\n",
            "notification-fd": 4,
            "down": None,
            "data": {"check": "true\n", "blob": b"\0\xff"},
        },
    }
    with tree_of(daemons, services) as tree:
        assert [service.name for service in tree] == ["files", "script", "words"]
        tree["words"].wait("up", 15)
        tree["script"].wait("up", 15)
        until(lambda: (tree.path / "words/said").exists())
        until(lambda: (tree.path / "words/said").read_text() == "two words it's\n")
        files = tree["files"]
        assert files.status().state is State.DOWN
        files.up(wait="ready", timeout=15)
        assert (files.path / "data/blob").read_bytes() == b"\0\xff"
        modes = {name: (files.path / name).stat().st_mode & 0o777 for name in ("run", "data/check")}
        assert modes == {"run": 0o755, "data/check": 0o755}
    assert not tree.path.exists()


@pytest.mark.parametrize(
    ("services", "sentence"),
    [
        ({"a/b": NAP}, "'a/b' is no name of a service"),
        ({".a": NAP}, "'.a' is no name of a service: a scanner skips names with a dot"),
        ({"a": []}, "the command of service a has no words"),
        ({"a": "sleep 1000"}, "the run script of service a does not begin with `#!`"),
        ({"a": {"finish": "#!/bin/sh\n"}}, "service a has no run script: give it a file `run`"),
        ({"a": {"run": "#!/bin/sh\n", "../b": "x"}}, "'../b' is no name of a file"),
    ],
)
def test_what_is_no_service(services: dict[str, Plan], sentence: str) -> None:
    before = set(Path("/tmp").glob("s6x-tree-*"))
    with pytest.raises(ValueError, match=sentence):
        Tree(services)
    assert set(Path("/tmp").glob("s6x-tree-*")) == before


def test_supervised_from_the_first_line_of_the_block(daemons: Programs) -> None:
    services: dict[str, Plan] = {
        f"s{n}": {"run": witness.SLEEPER, "log": {"run": "#!/bin/sh\nexec cat\n"}} for n in range(5)
    }
    with tree_of(daemons, services) as tree:
        assert all(service.is_supervised() for service in tree.services(loggers=True))
        assert len(tree.services(loggers=True)) == 10


def test_an_orderly_end(daemons: Programs) -> None:
    tree = tree_of(daemons, {"nap": NAP})
    tree.start()
    tree["nap"].wait("up", 15)
    pids = [one.pid for one in tree.processes()]
    assert len(pids) == 3
    stopped = tree.stop()
    assert stopped is not None
    assert (stopped.scanner, stopped.killed) == (Ending(exit_code=0), ())
    assert not [pid for pid in pids if process.alive(pid)]
    assert tree.pid is None
    assert tree.stop() is None


def test_stubborn_services_are_killed_and_named(daemons: Programs) -> None:
    tree = tree_of(daemons, {"stubborn": witness.STUBBORN}, stop_timeout=0.3)
    tree.start()
    until(lambda: (tree.path / "stubborn/stubborn").exists())
    stopped = tree.stop()
    assert stopped is not None
    assert stopped.scanner == Ending(exit_code=0)
    assert [str(one) for one in stopped.killed] == ["sleep 1000"]


def test_what_escaped_is_found_and_killed(daemons: Programs) -> None:
    """A double fork out of the service's session is nobody's child any more."""
    escape = "#!/bin/sh\n(setsid sleep 2000 &)\nexec sleep 1000\n"
    tree = tree_of(daemons, {"escape": escape})
    tree.start()
    until(
        lambda: [one for one in process.descendants_of(os.getpid()) if _argv(one) == "sleep 2000"]
    )
    stopped = tree.stop()
    assert stopped is not None
    assert [str(one) for one in stopped.killed] == ["sleep 2000"]
    assert not process.alive(stopped.killed[0].pid)


def _argv(pid: int) -> str:
    try:
        return " ".join(process.argv_of(pid))
    except FileNotFoundError:
        return ""


def test_a_killed_scanner_leaves_nothing_either(daemons: Programs) -> None:
    tree = tree_of(daemons, {"nap": {"run": witness.SLEEPER, "log": {"run": "#!/bin/sh\ncat\n"}}})
    tree.start()
    tree["nap"].wait("up", 15)
    pids = [one.pid for one in tree.processes()]
    assert tree.pid is not None
    os.kill(tree.pid, signal.SIGKILL)
    stopped = tree.stop()
    assert stopped is not None
    assert stopped.scanner == Ending(signal=signal.SIGKILL)
    assert not [pid for pid in pids if process.alive(pid)]


def test_an_existing_directory_stays(world: World, daemons: Programs) -> None:
    top = world.plant({"web": witness.sleeper()}, "scan")
    with tree_of(daemons, top) as tree:
        tree["web"].wait("up", 15)
        assert ScanDir(top).is_running()
        with pytest.raises(SupervisionError, match=f"unable to start a tree on {top}: a scanner"):
            tree_of(daemons, top).start()
    assert (top / "web/run").exists()
    assert not ScanDir(top).is_running()


def test_a_scanner_that_fails_at_once(world: World) -> None:
    failing = world.plant({"scanner!": "#!/bin/sh\nexit 7\n"}, "bin") / "scanner"
    tree = Tree({"nap": NAP}, scanner=failing)
    with pytest.raises(SupervisionError, match="unable to start a tree: its scanner exited 7 at"):
        tree.start()
    assert tree.pid is None


def test_a_scanner_that_is_not_there(world: World) -> None:
    tree = Tree({"nap": NAP}, scanner=world.top / "nothing")
    with pytest.raises(SupervisionError, match=r"unable to execute .*/nothing: No such file"):
        tree.start()


def test_a_package_without_executable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s6x.native.EXECUTABLE", str(world.top / "nothing"))
    with pytest.raises(
        SupervisionError, match=r"no native executable .*: install s6x from a wheel"
    ):
        Tree({"nap": NAP}).start()


def test_an_output_that_cannot_be_opened(world: World) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    tree = Tree({"nap": NAP}, output=world.top / "no/such/file")
    with pytest.raises(SupervisionError, match=r"unable to open .*/no/such/file: No such file"):
        tree.start()
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_output_and_environment(world: World, daemons: Programs) -> None:
    output = world.top / "output"
    tree = tree_of(daemons, {"say": ["sh", "-c", "echo $WHAT; exec sleep 1000"]}, output=output)
    tree._env["WHAT"] = "hello there"
    with tree:
        until(lambda: output.exists() and "hello there\n" in output.read_text())


def test_forgotten_trees_are_stopped(daemons: Programs) -> None:
    tree = tree_of(daemons, {"nap": NAP})
    tree.start()
    pid, path = tree.pid, tree.path
    assert pid is not None
    del tree
    gc.collect()
    assert not process.alive(pid)
    assert not path.exists()


def test_asynchronously(daemons: Programs) -> None:
    async def life() -> list[Happening]:
        async with asyncio.timeout(30):
            async with tree_of(daemons, {"a": NAP, "b": NAP}) as tree:
                with tree["a"].expect("up") as up:
                    await up
                seen = []
                with tree["a"].events() as events:
                    tree["a"].kill()
                    async for event in events:
                        seen.append(event.what)
                        if event.what is Happening.UP:
                            return seen
        raise AssertionError("the iteration ended")

    assert asyncio.run(life()) == [Happening.DOWN, Happening.FINISHED, Happening.UP]


def test_asynchronously_stubborn(daemons: Programs) -> None:
    async def life() -> list[str]:
        tree = tree_of(daemons, {"stubborn": witness.STUBBORN}, stop_timeout=0.2)
        await tree.start_async()
        until(lambda: (tree.path / "stubborn/stubborn").exists())
        stopped = await tree.stop_async()
        assert stopped is not None
        return [str(one) for one in stopped.killed]

    assert asyncio.run(life()) == ["sleep 1000"]


def test_not_running(daemons: Programs) -> None:
    tree = tree_of(daemons, {"nap": NAP})
    assert tree.pid is None
    with pytest.raises(NotSupervised, match=r"unable to find the scanner of .*: it is not running"):
        tree.scanner()
    with pytest.raises(NotSupervised):
        tree.rescan()
