"""A supervised tree that belongs to this program."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from s6x import _core, native
from s6x.errors import NotSupervised, SupervisionError, TimedOut
from s6x.supervise import processes
from s6x.supervise.descriptors import readable, readable_async
from s6x.supervise.events import Events
from s6x.supervise.owned import FORCED_S, Running, Starting, Stopped
from s6x.supervise.planting import Plan, plant
from s6x.supervise.processes import Process
from s6x.supervise.scandir import ScanDir

MARK = "S6X_TREE"
"""The variable by which everything of a tree is known, whoever its parent is now."""

_START_S = 30.0
"""How long a scanner may take to say that it is ready."""


class Tree(ScanDir):
    r"""A scan directory with a scanner that this program starts, and ends with everything below it.

    `services` maps names to services: the text of a run script, or the words of a command, or a
    mapping of all files of the service directory (a number stands for a line with it, None for an
    empty file, a mapping for a directory). Or it is the path of an existing scan directory, which
    stays. `env` is added to this program's environment; `output` is a file that gets what
    the tree writes (None: it writes where this program writes). `scanner` is the s6-svscan to run
    (None: s6x's own). `stop_timeout`, in seconds, is how long the services may take to stop at the
    end of the block; then they are killed.

    >>> with Tree({"nap": ["sleep", "1000"], "web": {"run": "#!/bin/sh\nexec sleep 9\n"}}) as tree:
    ...     [service.name for service in tree]
    ['nap', 'web']

    `async with` does the same without blocking the loop. The scanner is a child of this program
    and the only one that is waited for: children of subprocess, asyncio or others stay untouched.
    It runs in a session of its own, so the terminal's Ctrl-C does not reach it. If this program
    is killed, the tree goes on; if it ends otherwise, the tree is stopped.
    """

    def __init__(
        self,
        services: Mapping[str, Plan] | str | os.PathLike[str],
        *,
        env: Mapping[str, str] | None = None,
        output: str | os.PathLike[str] | None = None,
        scanner: str | os.PathLike[str] | None = None,
        stop_timeout: float | None = 10.0,
    ) -> None:
        """Prepare the scan directory; nothing runs before the block, or :meth:`start`.

        Raises ValueError for services that cannot be, and OSError.
        """
        self._env = dict(env or {})
        self._output = output
        self._scanner = native.EXECUTABLE if scanner is None else os.fspath(scanner)
        self._stop_timeout = stop_timeout
        self._running: Running | None = None
        self._temporary: Path | None = None
        if isinstance(services, Mapping):
            path = self._temporary = Path(tempfile.mkdtemp(prefix="s6x-tree-"))
            try:
                plant(path, services)
            except BaseException:
                shutil.rmtree(path)
                raise
        else:
            path = Path(services).absolute()
        super().__init__(path)
        self._discard = weakref.finalize(self, _remove, self._temporary, os.getpid())

    @property
    def pid(self) -> int | None:
        """The process id of the scanner; None when there is none."""
        return None if self._running is None else self._running.child.pid

    def start(self) -> None:
        """Start the scanner and wait until every service is supervised. Raises SupervisionError."""
        with self.events() as events:
            starting = self._spawn(events)
            try:
                if not readable([starting.ready], _START_S):
                    raise starting.late(_START_S)
                starting.check()
                while starting.unsupervised:
                    starting.note(events.next(_START_S))
            except TimedOut:
                starting.running.end_now()
                raise starting.late(_START_S) from None
            except BaseException:
                starting.running.end_now()
                raise
        self._adopt(starting)

    async def start_async(self) -> None:
        """Do the same without blocking the loop."""
        import asyncio

        with self.events() as events:
            starting = self._spawn(events)
            try:
                async with asyncio.timeout(_START_S):
                    await readable_async([starting.ready])
                    starting.check()
                    while starting.unsupervised:
                        starting.note(await anext(events))
            except TimeoutError:
                starting.running.end_now()
                raise starting.late(_START_S) from None
            except BaseException:
                starting.running.end_now()
                raise
        self._adopt(starting)

    def stop(self) -> Stopped | None:
        """Stop every service, then the scanner; kill what does not stop; see that nothing is left.

        Returns None if it was not running. Raises SupervisionError if something could not be ended.
        """
        running, self._running = self._running, None
        return None if running is None else running.stop(self._stop_timeout)

    async def stop_async(self) -> Stopped | None:
        """Do the same without blocking the loop."""
        running, self._running = self._running, None
        if running is None or not running.is_ours():
            return None
        running.ask()
        if not await readable_async([running.child.fileno()], self._stop_timeout):
            running.force()
            await readable_async([running.child.fileno()], FORCED_S)
        return running.conclude()

    def __enter__(self) -> Self:
        """Start the tree."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the tree and remove its temporary directory."""
        self.stop()
        self._discard()

    async def __aenter__(self) -> Self:
        """Start the tree."""
        await self.start_async()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the tree and remove its temporary directory."""
        await self.stop_async()
        self._discard()

    def scanner(self) -> Process:
        """Return the scanner's process."""
        process = None if self.pid is None else processes.look(self.pid)
        if process is None:
            raise NotSupervised(f"unable to find the scanner of {self.path}: it is not running")
        return process

    def _spawn(self, events: Events) -> Starting:
        if self._scanner == native.EXECUTABLE and not Path(self._scanner).exists():
            raise SupervisionError(
                f"unable to start a tree: this package has no native executable {self._scanner}: "
                "install s6x from a wheel, or name the s6-svscan to run"
            )
        if self.is_running():
            raise SupervisionError(f"unable to start a tree on {self.path}: a scanner runs there")
        mark = f"{os.getpid()}.{time.monotonic_ns()}"
        ready, says = os.pipe()
        try:
            child = self._launch({**os.environ, **self._env, MARK: mark}, says)
        except BaseException:
            os.close(ready)
            raise
        finally:
            os.close(says)
        return Starting(Running(child, ScanDir(self.path), f"{MARK}={mark}"), ready, events)

    def _launch(self, env: Mapping[str, str], says: int) -> _core.Child:
        argv = ["s6-svscan", "-d", "3", os.fspath(self.path)]
        with contextlib.ExitStack() as ours:
            fds = {0: _open(os.devnull, os.O_RDONLY, ours), 3: says}
            if self._output is not None:
                append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                fds[1] = fds[2] = _open(self._output, append, ours)
            return _core.spawn(self._scanner, argv, env, cwd=self.path, fds=fds)

    def _adopt(self, starting: Starting) -> None:
        self._running = starting.running
        # Also when nobody stops it: at the latest when the interpreter ends.
        weakref.finalize(self, starting.running.stop, self._stop_timeout)


def _open(path: str | os.PathLike[str], flags: int, until: contextlib.ExitStack) -> int:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
    except OSError as error:
        sentence = f"unable to open {os.fspath(path)}: {error.strerror}"
        raise SupervisionError(sentence, error.errno) from None
    until.callback(os.close, descriptor)
    return descriptor


def _remove(path: Path | None, owner: int) -> None:
    if path is not None and owner == os.getpid():
        shutil.rmtree(path, ignore_errors=True)
