"""Super-servers on Unix sockets for the length of a test, and clients of them; free TCP ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from world import process
from world.programs import Programs
from world.running import Daemon, World
from world.waiting import PATIENCE_S, until

NAME = "its socket"
"""What the socket is called, below the top of the world."""


class Server(Daemon):
    """A running super-server."""

    @property
    def path(self) -> Path:
        return self.directory / NAME

    def connect(self, bound: str | bytes | None = None) -> socket.socket:
        """Connect a client, perhaps from a socket with a name of its own."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE_S)
        if bound is not None:
            client.bind(bound)
        client.connect(os.fspath(self.path))
        return client

    def ask(self, bound: str | bytes | None = None) -> bytes:
        """Connect a client that says nothing, and return all that it is told."""
        with self.connect(bound) as client:
            return everything(client)

    def children(self) -> list[int]:
        return [pid for pid in process.children_of(self.pid) if process.alive(pid)]

    def until_children(self, count: int) -> list[int]:
        """Wait until so many clients are served."""

        def right() -> list[int] | None:
            children = self.children()
            return children if len(children) == count else None

        if count == 0:
            until(lambda: not self.children(), "no client", explain=self.said)
            return []
        return until(right, f"{count} clients", explain=self.said)

    def stop(self) -> None:
        if self.running():
            self.signal(signal.SIGABRT)
            self.exit_code()


def everything(client: socket.socket) -> bytes:
    """Read to end-of-file; a reset ends it as well."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def server(
    world: World,
    programs: Programs,
    *words: str,
    under: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Run `s6-ipcserver -1 ... NAME prog...`; `words` are options, `--`, and the program."""
    split = words.index("--")
    ready = world.top / ".ready"
    ready.unlink(missing_ok=True)
    argv = ["s6-ipcserver", "-1", *words[:split], "--", NAME, *words[split + 1 :]]
    popen, errors = world.launch(
        [*under, str(programs.path(argv[0])), *argv[1:]],
        {**programs.environment(), **(env or {})},
        world.top,
        stdout=ready,
    )
    its = Server(popen, world.top, errors)
    try:
        until(
            lambda: ready.read_bytes() == b"\n" or not its.running(),
            "the server is ready",
            explain=its.said,
        )
        assert its.running(), its.said()
        yield its
    finally:
        its.stop()


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
