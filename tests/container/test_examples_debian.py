"""The examples on Debian roots, as their guides tell it: nginx and cron with loggers; Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from world import process
from world.bases import Bases
from world.building import LIMIT_S
from world.pages import Page
from world.podman import Podman, needs_podman
from world.running import World
from world.waiting import until

pytestmark = [needs_podman, pytest.mark.timeout(2 * LIMIT_S)]

Guide = Callable[..., Page]


def tree(podman: Podman, container: str) -> dict[str, list[str]]:
    """Command line → the command lines of its children, from PID 1 on."""
    pid = podman.pid(container)
    found: dict[str, list[str]] = {}
    for one in [pid, *process.descendants_of(pid)]:
        line = " ".join(process.argv_of(one)).strip()
        children = [" ".join(process.argv_of(child)) for child in process.children_of(one)]
        found.setdefault(line, []).extend(sorted(children))
    return found


def test_nginx_and_cron(guide: Guide, podman: Podman, bases: Bases) -> None:
    bases.debian()
    page = guide("nginx-and-cron.md")
    page.run_until("podman exec web s6-svc -k")
    looks_right(podman)
    first = service_pid(podman, "nginx")
    page.run_until("podman stop")
    assert service_pid(podman, "nginx") not in (-1, first)
    owner = podman("exec", "web", "stat", "-c", "%U %a", "/var/log/nginx-requests")
    assert owner == "nobody 2700\n"
    page.run_until("podman rm")
    said = podman("logs", "web")
    assert said.count("[cont-init.d] 10-listen: exited 0.\n") == 1
    assert "GET" not in said
    page.run_rest()


def looks_right(podman: Podman) -> None:
    services = ("cron", "nginx", "syslog")
    found = until(lambda: whole(podman), "nginx with its workers")
    scanner = found["s6-svscan -t0 /var/run/s6/services"]
    assert {f"s6-supervise {name}" for name in services} <= set(scanner)
    assert {"s6-supervise nginx/log", "s6-supervise syslog/log"} <= set(scanner)
    assert found["s6-supervise cron"] == ["cron -f"]
    (logger,) = found["s6-supervise nginx/log"]
    assert logger.startswith("s6-log ")


def whole(podman: Podman) -> dict[str, list[str]]:
    """The tree, once nginx has its two workers."""
    try:
        found = tree(podman, "web")
    except ProcessLookupError:
        return {}
    masters = [line for line in found if line.startswith("nginx: master process")]
    return found if [len(found[line]) for line in masters] == [2] else {}


def service_pid(podman: Podman, name: str) -> int:
    said = podman.run("exec", "web", "s6-svstat", "-o", "pid", f"/run/service/{name}")
    return int(said.out) if said.code == 0 else -1


def test_a_python_application(
    guide: Guide, podman: Podman, bases: Bases, wheel: Path, world: World
) -> None:
    bases.python()
    wheels = world.top / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    subprocess.run([*pip, "--dest", wheels, "click"], check=True)
    (world.top / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    given = [f"{wheels}:/wheels:ro", f"{world.top}/pip.conf:/etc/pip.conf:ro"]
    volumes = " ".join(f"--volume {what}" for what in given)
    into = world.top / "examples/python-app/dist"

    def lay() -> None:
        into.mkdir()
        shutil.copy(wheel, into)

    page = guide(
        "python-app.md",
        {"podman build ": f"podman build {volumes} "},
        {"pip wheel --no-deps -w examples/python-app/dist .": lay},
    )
    page.run_until("podman wait")
    logs = podman("logs", "app")
    assert logs.count("worker: ready\n") == 2
    page.run_until("podman rm")
    assert "[cmd] python exited 3\n" in podman("logs", "app")
    page.run_rest()
