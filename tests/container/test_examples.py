"""The examples, as their guides tell it: busybox, scratch, read-only, Kubernetes.

A guide's own commands show most of it; what changes from run to run is asserted here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from world.bases import Bases
from world.images import static_executable
from world.pages import Page
from world.podman import Podman, needs_podman
from world.programs import REPOSITORY
from world.waiting import until

pytestmark = [needs_podman, pytest.mark.timeout(300)]

Guide = Callable[..., Page]


def pid_of(podman: Podman, container: str, service: str) -> int:
    said = podman.run("exec", container, "s6x", "svstat", "-o", "pid", service)
    return int(said.out) if said.code == 0 else -1


def stops_quickly(page: Page) -> None:
    """The rest of a page, `podman stop` first, takes no grace time."""
    page.run_until("podman stop")
    began = time.monotonic()
    page.run_until("podman inspect")
    assert time.monotonic() - began < 5
    page.run_rest()


def test_busybox(guide: Guide, podman: Podman) -> None:
    page = guide("busybox.md")
    stops_quickly(page)
    podman("run", "-d", "--name=again", f"--env=LISTEN=127.0.0.1:{page.port}", "s6x-busybox")
    until(
        lambda: "httpd -f" in podman.run("exec", "again", "ps", "-o", "args").out,
        "the program of the container",
    )
    podman("exec", "again", "sh", "-c", "kill -9 $(pidof httpd)")
    assert podman("wait", "again") == "9\n"
    assert "[cmd] nginx exited 265\n" in podman("logs", "again")


def test_scratch(guide: Guide, podman: Podman) -> None:
    page = guide("scratch.md")
    page.run_until("podman stop")
    first = pid_of(podman, "web", "web")
    podman("exec", "web", "s6-svc", "-k", "/run/service/web")
    until(lambda: pid_of(podman, "web", "web") not in (-1, first), "another web server")
    for path in ("/bin/sh", "/lib", "/package/s6x"):
        assert podman.run("cp", f"web:{path}", podman.top / "tmp/x").code != 0, path
    stops_quickly(page)


def test_read_only(guide: Guide, podman: Podman) -> None:
    page = guide("read-only.md")
    page.run_until("podman exec web s6x svc")
    first = pid_of(podman, "web", "web")
    page.run_until("podman stop")
    assert pid_of(podman, "web", "web") not in (-1, first)
    assert podman.run("exec", "web", "touch", "/run/x", "/tmp/x").code == 1
    status = podman("exec", "web", "cat", "/proc/1/status")
    assert {"NoNewPrivs:\t1", "CapBnd:\t0000000000000000"} <= set(status.splitlines())
    stops_quickly(page)


def test_kubernetes(guide: Guide, podman: Podman, bases: Bases) -> None:
    bases.pause(static_executable())
    page = guide("kubernetes.md", {"podman kube play": "podman kube play --network=host"})
    manifest = page.directory / "examples/kubernetes/pod.yaml"
    listening = manifest.read_text().replace('"8080"', f'"127.0.0.1:{page.port}"')
    manifest.write_text(listening)
    try:
        page.run_until("podman kube down")
        first = pid_of(podman, "web-web", "web")
        podman("exec", "web-web", "s6x", "svc", "-k", "web")
        until(lambda: pid_of(podman, "web-web", "web") not in (-1, first), "another web server")
        page.run_rest()
        assert podman("ps", "--all", "--quiet") == ""
    finally:
        podman("pod", "rm", "--all", "--force", "--time=0")


def test_every_example_has_a_guide_and_shows_its_dockerfile() -> None:
    guides = "".join(path.read_text() for path in (REPOSITORY / "docs/guides").glob("*.md"))
    for example in (REPOSITORY / "examples").iterdir():
        assert f"(../../examples/{example.name}" in guides
        dockerfile = example / "Dockerfile"
        if dockerfile.exists():
            assert f"```dockerfile\n{dockerfile.read_text()}```\n" in guides, example.name
