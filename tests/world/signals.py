"""The tests' own signals: every program they start shall begin like one started by a login shell.

Who runs the tests may ignore signals, and what is ignored stays ignored in all programs below: a
shell ignores SIGINT and SIGQUIT for background jobs, `nohup` SIGHUP, and GNU make 4.3 leaves 32 and
33 ignored, which C's library keeps to itself and does not let anybody restore.
"""

from __future__ import annotations

import ctypes
import platform
import signal

_RT_SIGACTION = {"x86_64": 13, "aarch64": 134}
_RT_SIGPROCMASK = {"x86_64": 14, "aarch64": 135}
_KEPT_BY_LIBC = (32, 33)
_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Ignored by the interpreter itself, which gives them back to what `subprocess` starts."""


def restore_inherited() -> None:
    """Give every signal that we were started with ignored its default action; block none."""
    for number in signal.valid_signals() - set(_BY_PYTHON):
        if signal.getsignal(number) is signal.SIG_IGN:
            ours = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, ours)
    libc = ctypes.CDLL(None, use_errno=True)
    default = ctypes.create_string_buffer(32)  # the kernel's sigaction: all zero is SIG_DFL
    for kept in _KEPT_BY_LIBC:
        if libc.syscall(_RT_SIGACTION[platform.machine()], kept, default, None, 8) != 0:
            raise OSError(ctypes.get_errno(), f"unable to restore signal {kept}")
    none = ctypes.create_string_buffer(8)
    if libc.syscall(_RT_SIGPROCMASK[platform.machine()], signal.SIG_SETMASK, none, None, 8) != 0:
        raise OSError(ctypes.get_errno(), "unable to unblock signals")
