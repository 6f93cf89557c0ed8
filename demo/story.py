"""What the demo shows, step by step, each with the time that it took."""

from __future__ import annotations

import contextlib
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from demo.image import PAGE, Image, make
from world import process
from world.containers import Container, Spec, Unshared
from world.sockets import free_port
from world.waiting import until

SCANDIR = "/var/run/s6/services"


class StoryError(Exception):
    """A step did not come true."""


class Steps:
    """The steps so far, and how long each took."""

    def __init__(self) -> None:
        self._took: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print a heading, and take the time of what follows."""
        print(f"\n== {what}", flush=True)
        begin = time.monotonic()
        yield
        self._took.append((what, (time.monotonic() - begin) * 1000))

    def show(self) -> None:
        """Print how long each step took."""
        print("\n== how long it took")
        for what, took_ms in self._took:
            print(f"{took_ms:9.1f} ms  {what}")


def tell(top: Path) -> None:
    """Show everything, using the directory `top` for the image."""
    steps = Steps()
    with steps.step("make an image: busybox, s6x, and this machine's daemons"):
        image = make(top / "root", free_port())
        print(f"services: {', '.join(image.services)}; no Python, no libc of its own for s6x")
    with Unshared(Spec(image.root, ["/init"])) as container, _complaints_of(container):
        with steps.step("/init boots it as PID 1"):
            container.until_said("[services.d] done.")
            _show(container.out)
        with steps.step(f"{image.web} answers"):
            _fetch(image)
        with steps.step("the processes inside"):
            until(lambda: len(container.processes()) >= 2 * len(image.services) + 1)
            _show_tree(container.pid)
        _kill_and_come_back(steps, container, image)
        with steps.step("SIGTERM to PID 1 stops it"):
            said = len(container.out)
            container.signal(signal.SIGTERM)
            ended = container.wait()
            _show(ended.out[said:])
            print(f"exit code {ended.code}")
            _expect(ended.code == 0, f"the container exited {ended.code}: {ended.err}")
            _expect("cont-finish.d: good bye" in ended.out, "cont-finish.d did not run")
    steps.show()


def _kill_and_come_back(steps: Steps, container: Container, image: Image) -> None:
    before = _main_pid(container, image.web)
    started = time.monotonic()
    # What dies within a second of its start is only started again when that second has passed.
    until(lambda: time.monotonic() > started + 1.1)
    with steps.step(f"$ s6x svc -k {image.web}"):
        _inside(container, "/command/s6x", "svc", "-k", image.web)
    with steps.step(f"{image.web} is started again"):
        after = until(
            lambda: (pid := _main_pid(container, image.web)) != before and pid,
            f"a new {image.web}",
        )
        print(f"killed: pid {before}; now: pid {after}")
    with steps.step("and answers again, as soon as its port is free"):
        _fetch(image)


def _main_pid(container: Container, service: str) -> int:
    """Ask the supervisor's status for the pid of a service; 0 while it is down."""
    pid = int(_inside(container, "/command/s6-svstat", "-o", "pid", f"{SCANDIR}/{service}"))
    return max(pid, 0)


def _inside(container: Container, *command: str) -> str:
    done = container.run(*command)
    _expect(done.code == 0, f"{' '.join(command)} exited {done.code}: {done.err}")
    return done.out


def _fetch(image: Image) -> None:
    address = f"http://127.0.0.1:{image.port}/"

    def page() -> str:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            return str(answer.read().decode())
        return ""

    got = until(page, f"an answer from {address}")
    print(f"GET {address}: {got.strip()}")
    _expect(got == PAGE, f"{address} is not the page of the image: {got!r}")


def _show_tree(pid: int, depth: int = 0) -> None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        inside = Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2].split("\n")[0]
        indent = "   " * (depth - 1) + " \\_ " if depth else ""
        print(f"{inside.split()[-1]:>6} {indent}{' '.join(process.argv_of(pid))}")
        for child in process.children_of(pid):
            _show_tree(child, depth + 1)


@contextlib.contextmanager
def _complaints_of(container: Container) -> Iterator[None]:
    """Show what the container wrote to stderr if the story goes wrong."""
    try:
        yield
    except BaseException:
        _show(container.err)
        raise


def _show(text: str) -> None:
    print("".join(f"  | {line}\n" for line in text.splitlines()), end="", flush=True)


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise StoryError(otherwise)
