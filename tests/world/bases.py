"""Base images under the names that Dockerfiles use, made here: no registry is asked.

`docker.io/library/busybox` is the machine's static busybox; Debian is this machine's release by
debootstrap, whatever the name says; Python is Debian's. They stand for the published images: what
the examples use of those is in them, and little more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from world.containers import busybox_root
from world.podman import Podman
from world.programs import REPOSITORY

BUSYBOX = ("docker.io/library/busybox:latest", "docker.io/library/busybox:musl")
DEBIAN = "docker.io/library/debian:bookworm-slim"
PYTHON = "docker.io/library/python:3.12-slim"
PAUSE = "localhost/pause:latest"
"""What holds the namespaces of a pod."""

KEPT = REPOSITORY / "target/images"
"""Making a Debian root takes long: it is kept until `make clean`."""

PYTHON_IMAGE = f"""\
FROM {DEBIAN}
RUN apt-get -qq update \\
 && apt-get -qq install -y --no-install-recommends python3 python3-pip >/dev/null \\
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED \\
 && ln -s /usr/bin/python3 /usr/local/bin/python
"""

NOT_SLIM = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale")


class Bases:
    """The base images in one storage, each made when it is first asked for."""

    def __init__(self, podman: Podman) -> None:
        self.podman = podman
        self.made: set[str] = set()

    def busybox(self) -> None:
        if self._first(BUSYBOX[0]):
            root = busybox_root(self.podman.top / "busybox")
            for name in BUSYBOX:
                self.podman.import_root(root, name, 'CMD ["sh"]')
            shutil.rmtree(root)

    def debian(self) -> None:
        if self._first(DEBIAN):
            self.podman.import_root(debian_root(), DEBIAN, 'CMD ["bash"]')

    def python(self) -> None:
        self.debian()
        if self._first(PYTHON):
            context = self.podman.top / "python"
            context.mkdir()
            (context / "Dockerfile").write_text(PYTHON_IMAGE)
            self.podman("build", "-t", PYTHON, context)

    def pause(self, executable: Path) -> None:
        if self._first(PAUSE):
            root = self.podman.top / "pause"
            root.mkdir()
            shutil.copy(executable, root / "s6-pause")
            self.podman.import_root(root, PAUSE, 'ENTRYPOINT ["/s6-pause"]')

    def _first(self, name: str) -> bool:
        if name in self.made:
            return False
        self.made.add(name)
        return True


def debian_root() -> Path:
    """Return a tarball of a minimal root of this machine's release."""
    release = _release()
    archive = KEPT / f"{release}.tar"
    if archive.exists():
        return archive
    KEPT.mkdir(parents=True, exist_ok=True)
    root = KEPT / f"{release}.{os.getpid()}"
    try:
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", release, root],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"debootstrap: {done.stdout[-2000:]}"
        for name in NOT_SLIM:
            shutil.rmtree(root / name)
            (root / name).mkdir()
        packed = root.with_suffix(".new")
        subprocess.run(["tar", "-C", root, "-cf", packed, "."], check=True)
        packed.rename(archive)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return archive


def _release() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    (found,) = (line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))
    return found.strip('"')
