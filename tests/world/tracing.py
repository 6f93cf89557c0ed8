"""Processes that end at a chosen system call."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
from collections.abc import Sequence
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_TRACEME, _SYSCALL, _SETOPTIONS = 0, 24, 0x4200
_SYSGOOD, _EXITKILL = 1, 0x100000
_SYSCALL_STOP = signal.SIGTRAP | 0x80


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
