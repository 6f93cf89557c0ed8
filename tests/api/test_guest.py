"""Being a good guest: a host program's own children, signals, threads and forks stay its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from s6x import _core
from s6x.supervise import Ending, SupervisionError, Tree
from world import process
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until

NAP = ["sleep", "1000"]


def make(daemons: Programs) -> Tree:
    services = {"nap": NAP, "flaps": ["sh", "-c", "exit 3"]}
    return Tree(services, scanner=daemons.path("s6-svscan"), env=daemons.environment())


def test_children_of_subprocess_keep_their_exit_codes(daemons: Programs) -> None:
    children = [subprocess.Popen(["sh", "-c", f"exit {code}"]) for code in range(10, 20)]
    with make(daemons) as tree:
        children += [subprocess.Popen(["sh", "-c", f"exit {code}"]) for code in range(20, 30)]
        tree["nap"].restart(wait="restarted", timeout=15)
        children += [subprocess.Popen(["sh", "-c", f"exit {code}"]) for code in range(30, 40)]
    assert [child.wait() for child in children] == list(range(10, 40))


def test_children_of_asyncio_keep_their_exit_codes(daemons: Programs) -> None:
    async def codes() -> list[int]:
        script = ("sh", "-c", "sleep 0.05; exit $0")
        children = [
            await asyncio.create_subprocess_exec(*script, str(code)) for code in range(10, 20)
        ]
        async with make(daemons) as tree:
            children += [
                await asyncio.create_subprocess_exec(*script, str(code)) for code in range(20, 30)
            ]
            with tree["nap"].expect("restarted") as again:
                tree["nap"].restart()
                await again
        return [await child.wait() for child in children]

    assert asyncio.run(codes()) == list(range(10, 30))


def test_trees_in_threads(daemons: Programs) -> None:
    """Also: the thread that started a tree may end before the tree does."""

    def one(number: int) -> Tree:
        tree = make(daemons)
        tree.start()
        tree["nap"].restart(wait="restarted", timeout=20)
        return tree

    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(one, range(4)))
    assert threading.active_count() == 1
    pids = [tree.pid for tree in trees]
    assert len(set(pids)) == 4
    assert holds_for(lambda: all(process.alive(pid) for pid in pids if pid), 0.1)
    ends = [tree.stop() for tree in trees]
    assert [end.scanner for end in ends if end] == [Ending(exit_code=0)] * 4


def host(script: str, daemons: Programs, *under: str) -> str:
    """Run a program that uses the API in an interpreter of its own; its output is the answer."""
    preamble = f"""
        import os, signal, subprocess, sys
        from s6x.supervise import *
        def make():
            return Tree({{"nap": {NAP!r}}}, scanner={os.fspath(daemons.path("s6-svscan"))!r},
                        env={daemons.environment()!r})
    """
    program = textwrap.dedent(preamble) + textwrap.dedent(script)
    done = subprocess.run(
        [*under, sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_a_host_that_ignores_sigchld(daemons: Programs) -> None:
    """The kernel reaps for such a host; how the scanner ended is known or not, but never wrong."""
    said = host(
        """
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        tree = make()
        tree.start()
        tree["nap"].wait("up", 15)
        os.kill(tree.pid, signal.SIGKILL)
        print(tree.stop().scanner)
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
        """,
        daemons,
    )
    assert said in ("killed by SIGKILL\n", "ended unobserved\n")


def test_a_host_that_waits_for_any_child(daemons: Programs) -> None:
    """It takes the scanner's ending from us; that is never reported as success."""
    said = host(
        """
        tree = make()
        tree.start()
        pid = tree.pid
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(-1, 0) == (pid, signal.SIGKILL)
        print(tree.stop().scanner)
        """,
        daemons,
    )
    assert said in ("killed by SIGKILL\n", "ended unobserved\n")


def test_a_fork_of_the_host_leaves_the_tree_alone(daemons: Programs) -> None:
    said = host(
        """
        with make() as tree:
            tree["nap"].wait("up", 15)
            child = os.fork()
            if child == 0:
                tree.stop()
                sys.exit(0)  # the interpreter's end, with every finalizer
            assert os.waitpid(child, 0) == (child, 0)
            print(tree["nap"].status().state, os.path.isdir(tree.path))
        print(os.path.isdir(tree.path))
        """,
        daemons,
    )
    assert said == "up True\nFalse\n"


def test_the_end_of_the_host_ends_its_tree(daemons: Programs) -> None:
    said = host(
        """
        tree = make()
        tree.start()
        tree["nap"].wait("up", 15)
        print(tree.pid, tree["nap"].status().pid, tree.path)
        """,
        daemons,
    )
    scanner, nap, path = said.split()
    assert not process.alive(int(scanner))
    assert not process.alive(int(nap))
    assert not Path(path).exists()


def test_services_start_with_clean_signals(daemons: Programs) -> None:
    """Python ignores SIGPIPE; a service must not inherit that, nor a blocked signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        with make(daemons) as tree:
            tree["nap"].wait("up", 15)
            pid = tree["nap"].status().pid
            assert pid is not None
            until(lambda: process.argv_of(pid)[:1] == ("sleep",))
            status = Path(f"/proc/{pid}/status").read_text()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) & (1 << (signal.SIGPIPE - 1)) == 0
    assert int(masks["SigIgn"], 16) & (1 << (signal.SIGXFSZ - 1)) == 0


def test_descriptors_of_the_host_stay_with_it(world: World, daemons: Programs) -> None:
    secret = world.top / "secret"
    secret.write_text("x")
    with secret.open() as file:
        os.set_inheritable(file.fileno(), True)
        with make(daemons) as tree:
            tree["nap"].wait("up", 15)
            daemon = tree["nap"].status().pid
            assert daemon is not None
            until(lambda: process.argv_of(daemon)[:1] == ("sleep",))
            held = process.descriptors_of(daemon)
        assert str(secret) not in held.values()


def test_a_spawned_child(world: World) -> None:
    reader, writer = os.pipe()
    child = _core.spawn(
        "/bin/sh",
        ["sh", "-c", "echo $0 $A >&5; pwd >&5; exit 9", "zero"],
        {"A": "b"},
        cwd=world.top,
        fds={5: writer},
    )
    os.close(writer)
    assert os.getsid(child.pid) == child.pid
    assert child.wait(15) == (9, None)
    assert child.reap() == (9, None)
    assert not child.kill(signal.SIGTERM), "it has ended"
    with os.fdopen(reader) as said:
        assert said.read() == f"zero b\n{world.top}\n"


def test_a_child_that_runs(world: World) -> None:
    child = _core.spawn("/bin/sleep", ["sleep", "1000"], {}, cwd="/", fds={})
    assert child.reap() is None
    assert child.wait(0.01) is None
    with pytest.raises(ValueError, match="0 is no signal's number"):
        child.kill(0)
    assert child.kill(signal.SIGKILL)
    assert child.wait(15) == (None, signal.SIGKILL)


def test_what_cannot_be_spawned(world: World) -> None:
    def spawn(
        path: str, cwd: str = "/", fds: dict[int, int] | None = None, word: str = "x"
    ) -> None:
        _core.spawn(path, [word], {}, cwd=cwd, fds=fds or {})

    with pytest.raises(SupervisionError, match="unable to execute /nothing: No such file"):
        spawn("/nothing")
    with pytest.raises(SupervisionError, match="unable to execute /etc: Permission denied"):
        spawn("/etc")
    with pytest.raises(SupervisionError, match="unable to open /nothing: No such file"):
        spawn("/bin/true", cwd="/nothing")
    with pytest.raises(SupervisionError, match="unable to pass on descriptor 999: Bad file"):
        spawn("/bin/true", fds={3: 999})
    with pytest.raises(ValueError, match=r"a\\0b has a NUL inside"):
        spawn("/bin/true", word="a\0b")
