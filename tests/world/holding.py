"""Holders of descriptors, their programs, and a client that says what it likes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from world import process
from world.programs import Programs, Result
from world.running import World
from world.tree import plant
from world.waiting import PATIENCE_S, until

EVERYTHING = {
    "S6_FDHOLDER_LIST": "\n",
    "S6_FDHOLDER_GETDUMP": "\n",
    "S6_FDHOLDER_SETDUMP": "\n",
    "S6_FDHOLDER_STORE_REGEX": ".\n",
    "S6_FDHOLDER_RETRIEVE_REGEX": ".\n",
}
"""All rights there are."""

NEVER_S = 1 << 61
TAI_OFFSET_S = (1 << 62) + 37


def stamp(lifetime_s: float = NEVER_S) -> bytes:
    """Return the 12 bytes of a moment that many seconds from now."""
    whole = int(lifetime_s)
    return struct.pack(">QI", TAI_OFFSET_S + int(time.time()) + whole, 0)


def entry(name: bytes, limit: bytes | None = None) -> bytes:
    """Return a descriptor's description, as requests have it."""
    return (stamp() if limit is None else limit) + bytes([len(name)]) + name + b"\0"


def rules(top: Path, *, key: str = "uid/self", env: Mapping[str, str] | None = None) -> Path:
    """Plant a directory of access rules with one rule that lets in."""
    variables = EVERYTHING if env is None else env
    place = f"rules/{key}"
    plant(top, {f"{place}/allow": "", **{f"{place}/env/{k}": v for k, v in variables.items()}})
    return top / "rules"


def database(rules: Path) -> Path:
    """Write a cdb with the rules of a directory beside it; replace the one that is there."""
    records = []
    for place in sorted(rules.glob("*/*")):
        key = str(place.relative_to(rules)).encode()
        if (place / "allow").exists():
            changes = [
                file.name.encode() + (b"=" + value if (value := file.read_bytes()) else b"")
                for file in sorted(place.glob("env/*"))
            ]
            env = b"".join(change.rstrip(b"\n") + b"\0" for change in changes)
            records.append((key, b"A" + struct.pack(">H", len(env)) + env + b"\0\0"))
        elif (place / "deny").exists():
            records.append((key, b"D"))
    content = b""
    tables: list[list[tuple[int, int]]] = [[] for _ in range(256)]
    for name, data in records:
        hashed = 5381
        for byte in name:
            hashed = (hashed * 33 & 0xFFFFFFFF) ^ byte
        tables[hashed & 255].append((hashed, 2048 + len(content)))
        content += struct.pack("<II", len(name), len(data)) + name + data
    head = b""
    for table in tables:
        slots = [(0, 0)] * (2 * len(table))
        head += struct.pack("<II", 2048 + len(content), len(slots))
        for hashed, position in table:
            slot = (hashed >> 8) % len(slots)
            while slots[slot][1]:
                slot = (slot + 1) % len(slots)
            slots[slot] = (hashed, position)
        content += b"".join(struct.pack("<II", *pair) for pair in slots)
    new = rules.with_suffix(".new")
    new.write_bytes(head + content)
    return new.rename(rules.with_suffix(".cdb"))


@dataclass
class Holder:
    """A running s6-fdholderd."""

    popen: subprocess.Popen[str]
    socket: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def terminate(self) -> int:
        """Tell it to end, and return its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE_S)

    def end(self) -> tuple[int, str]:
        """Tell it to end, and return its exit code and what it has complained of."""
        self.popen.send_signal(signal.SIGTERM)
        _, errors = self.popen.communicate(timeout=PATIENCE_S)
        return self.popen.returncode, errors

    def descriptors(self) -> int:
        """How many descriptors it has open."""
        return len(process.descriptors_of(self.pid))

    def memory_kb(self) -> int:
        """Its largest resident memory so far."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1])

    @contextlib.contextmanager
    def connect(self) -> Iterator[Client]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(self.socket))
            yield Client(connection)


def hold(
    world: World,
    programs: Programs,
    *options: str | Path,
    rules: Sequence[str | Path] | None = None,
    name: str = "socket",
) -> Holder:
    """Start s6-fdholder-daemon and wait until clients can connect."""
    where = list(rules) if rules is not None else ["-i", globals()["rules"](world.top)]
    path = world.top / name
    popen = world.start(programs, "s6-fdholder-daemon", "-1", *options, *where, path)
    assert popen.stdout
    assert popen.stdout.read(1) == "\n", popen.communicate()
    until(
        lambda: process.descriptors_of(popen.pid).get(1) in (None, "/dev/null"),
        "stdout is put away",
    )
    return Holder(popen, path)


def ask(
    tools: Programs,
    holder: Holder | Path,
    what: str,
    *words: str | Path,
    options: Sequence[str] = (),
    keep: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run one of the holder's clients to its end; `keep`: descriptors that it gets."""
    done = subprocess.run(
        [
            tools.path(f"s6-fdholder-{what}"),
            *options,
            holder.socket if isinstance(holder, Holder) else holder,
            *words,
        ],
        env={**tools.environment(), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        pass_fds=keep,
        timeout=PATIENCE_S,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def opened(path: Path | str = os.devnull) -> Iterator[int]:
    """Open a file for reading, for the length of a block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Client:
    """A connection on which anything can be said."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""
        self.descriptors: list[int] = []

    def send(
        self, body: bytes, descriptors: Sequence[int] = (), *, count: int | None = None
    ) -> None:
        """Send a message; `count`: how many descriptors it says it has."""
        said = len(descriptors) if count is None else count
        self.send_bytes(struct.pack(">IH", len(body), said) + body, descriptors)

    def send_bytes(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send bytes that may be no message."""
        sent = socket.send_fds(self.connection, [data], list(descriptors))
        if rest := data[sent:]:
            self.connection.sendall(rest)

    def receive(self) -> tuple[bytes, int]:
        """Return the next message's body, and how many descriptors (closed at once) it has."""
        head = self._take(6)
        length, count = struct.unpack(">IH", head)
        body = self._take(length)
        mine, self.descriptors = self.descriptors[:count], self.descriptors[count:]
        assert len(mine) == count
        for descriptor in mine:
            os.close(descriptor)
        return body, count

    def ask(self, body: bytes, descriptors: Sequence[int] = ()) -> bytes:
        """Send a request and return the body of its answer."""
        self.send(body, descriptors)
        return self.receive()[0]

    def is_closed(self) -> bool:
        """Wait for the end of the connection; False when something comes first."""
        try:
            return self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def _take(self, length: int) -> bytes:
        while len(self.received) < length:
            data, descriptors, _, _ = socket.recv_fds(self.connection, 1 << 16, 253)
            assert data, "the holder has closed the connection"
            self.received += data
            self.descriptors += descriptors
        taken, self.received = self.received[:length], self.received[length:]
        return taken


def until_descriptors(holder: Holder, count: int) -> None:
    """Wait until the holder has that many descriptors open."""
    until(
        lambda: holder.descriptors() == count,
        f"{count} descriptors of the holder",
        explain=lambda: process.descriptors_of(holder.pid),
    )
