"""Processes that end at a chosen system call."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from world import process
from world.waiting import until

_LIBC = ctypes.CDLL(None, use_errno=True)
_TRACEME, _SYSCALL, _SETOPTIONS = 0, 24, 0x4200
_SYSGOOD, _EXITKILL = 1, 0x100000
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_STOPPED = re.compile(r"^(\d+) +--- stopped by SIGSTOP ---$", re.MULTILINE)
_CALL = re.compile(r"(\w+)\(")


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    arguments = (ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(0))
    if _LIBC.ptrace(*arguments, ctypes.c_void_p(data)) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def killed_at_call(
    nth: int, words: Sequence[str | Path], *, stdin: int, stderr: int, cwd: Path
) -> bool:
    """Run a program up to its nth system call, which is not made: SIGKILL comes first.

    False: it ended before, successfully.
    """
    argv = [str(word) for word in words]
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.dup2(stdin, 0)
            os.dup2(stderr, 2)
            os.chdir(cwd)
            _ptrace(_TRACEME, 0)
            os.execv(argv[0], argv)
        os._exit(127)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSTOPPED(status), f"{argv} did not start: {status}"
    _ptrace(_SETOPTIONS, pid, _SYSGOOD | _EXITKILL)
    calls, entering, number = 0, True, 0
    while True:
        try:
            _ptrace(_SYSCALL, pid, number)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            code = os.waitstatus_to_exitcode(status)
            assert code == 0, f"{argv} ended with {code}"
            return False
        number = os.WSTOPSIG(status)
        if number != _SYSCALL_STOP:
            continue  # a signal: it gets it
        number = 0
        calls += entering
        if entering and calls == nth:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True
        entering = not entering


@contextlib.contextmanager
def stopping_its_children(pid: int, trace: Path) -> Iterator[Callable[[], int]]:
    """Have what this process starts in a directory of its own stopped before it is a program.

    Yields a function that waits for such a child and returns its pid. After the block nobody is
    traced any more, and the child is still stopped.
    """
    inject = ["-e", "trace=fchdir", "-e", "inject=fchdir:signal=STOP:when=1"]
    words = ["strace", "-f", "-qq", "-o", str(trace), *inject, "-p", str(pid)]

    def stopped() -> int | None:
        told = _STOPPED.search(trace.read_text())
        return int(told[1]) if told else None

    with subprocess.Popen(words) as strace:
        try:
            until_traced(pid, strace.pid)
            yield lambda: until(stopped, "a stopped child", explain=trace.read_text)
        finally:
            strace.terminate()
    if child := stopped():
        until(lambda: process.state_of(child) == "T", "stopped, and not for its tracer")


def until_traced(pid: int, tracer: int) -> None:
    """Wait until a process is traced, or gone."""
    its = Path(f"/proc/{pid}/status")
    until(lambda: not its.exists() or f"TracerPid:\t{tracer}\n" in its.read_text(), "traced")


@dataclass(frozen=True)
class Call:
    """A moment of a process: its nth call of this name."""

    name: str
    nth: int


def tracing(trace: Path, kill_at: Call | None = None) -> list[str]:
    """Return the beginning of a strace command; SIGKILL comes instead of the call.

    Of one process, not of its children; all its calls are in `trace`.
    """
    inject = ["-e", f"inject={kill_at.name}:signal=KILL:when={kill_at.nth}"] if kill_at else []
    return ["strace", "-q", "-o", str(trace), *inject]


def calls(trace: Path) -> list[Call]:
    """Every call of a trace, in order."""
    count: Counter[str] = Counter()
    found = []
    for line in trace.read_text().splitlines():
        if made := _CALL.match(line):
            count[made[1]] += 1
            found.append(Call(made[1], count[made[1]]))
    return found


def was_killed(trace: Path) -> bool:
    """Whether the process of a trace was killed, rather than ended by itself."""
    return trace.read_text().endswith("+++ killed by SIGKILL +++\n")


def last_lines(trace: Path, most: int = 5) -> str:
    """Return the last calls of a trace, for messages."""
    return "\n".join(trace.read_text().splitlines()[-most:])
