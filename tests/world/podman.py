"""Podman with a storage of its own: nothing of the machine's images or containers is touched.

    with contextlib.closing(Podman(directory)) as podman:
        podman.import_root(root, "docker.io/library/busybox:latest")
        podman("build", "-t", "web", "examples/busybox")
        podman("run", "-d", "--name", "web", "web")

`podman.command` is a program that people's commands find as `podman`. The network is the
machine's (there may be nothing else), so whoever listens does so on the loopback address. The
runtime is runc.

`Podmanned` runs a root directory as `world.containers` describes it, with podman's own defaults:
its seccomp profile, its capabilities, its mounts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from world.containers import Container
from world.programs import Result
from world.waiting import until

CONTAINERS_CONF = """\
[containers]
netns = "host"
# Those that every machine allows; podman's own are refused where it has less itself.
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
init_path = "{init}"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = "localhost/pause"
infra_command = "/pause"
lock_type = "file"
image_copy_tmp_dir = "{top}/tmp"
"""

STORAGE_CONF = """\
[storage]
driver = "{driver}"
graphroot = "{top}/root"
runroot = "{top}/runroot"
"""

REGISTRIES_CONF = """\
unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
"""

WRAPPER = """\
#!/bin/sh
export HOME={top}/home TMPDIR={top}/tmp CONTAINERS_CONF={top}/containers.conf
export CONTAINERS_REGISTRIES_CONF={top}/registries.conf
export CONTAINERS_STORAGE_CONF={top}/storage.conf
exec {podman} --root {top}/root --runroot {top}/runroot --tmpdir {top}/state "$@"
"""

PATIENT_S = 200
"""How long one command of podman may take: building installs packages."""

needs_podman = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("podman") is None or shutil.which("runc") is None,
    reason="needs root, podman and runc",
)


class Podman:
    """A podman that keeps everything below one directory, and leaves nothing at the end."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.command = top / "bin/podman"
        for name in ("bin", "home", "tmp"):
            (top / name).mkdir(parents=True)
        init = shutil.which("tini-static") or "tini-static"
        (top / "containers.conf").write_text(CONTAINERS_CONF.format(top=top, init=init))
        (top / "registries.conf").write_text(REGISTRIES_CONF)
        wrapper = WRAPPER.format(top=top, podman=shutil.which("podman"))
        self.command.write_text(wrapper)
        self.command.chmod(0o755)
        self._choose("overlay")
        if self.run("info").code != 0:
            self._choose("vfs")
            self("info")

    def run(self, *words: str | Path, timeout_s: float = PATIENT_S) -> Result:
        """Run podman, whatever comes of it."""
        done = subprocess.run(
            [self.command, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def __call__(self, *words: str | Path, timeout_s: float = PATIENT_S) -> str:
        """Run podman, which must succeed, and return what it said on stdout."""
        done = self.run(*words, timeout_s=timeout_s)
        shown = " ".join(map(str, words))
        assert done.code == 0, (
            f"podman {shown}: {done.code}\n{done.out[-3000:]}\n{done.err[-3000:]}"
        )
        return done.out

    def import_root(self, root: Path, name: str, *changes: str) -> None:
        """Make an image of a root directory, or of a tarball of one."""
        archive = root
        if root.is_dir():
            archive = self.top / "import.tar"
            subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        options = [word for change in changes for word in ("--change", change)]
        self("import", *options, archive, name)
        if root.is_dir():
            archive.unlink()

    def pid(self, name: str) -> int:
        """Return PID 1 of a running container as seen from outside; 0 when it does not run."""
        found = self.run("inspect", "--type=container", "--format", "{{.State.Pid}}", name)
        return int(found.out) if found.code == 0 else 0

    def clear(self) -> None:
        """Remove all containers, running or not; images stay."""
        self("rm", "--all", "--force", "--time=0")

    def close(self) -> None:
        """Remove everything; raises AssertionError if a mount could not be taken away."""
        with contextlib.suppress(AssertionError):
            self.clear()
        left = [mount for mount in _mounts() if mount.is_relative_to(self.top)]
        for mount in sorted(left, reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)
        subprocess.run(["rm", "-rf", self.top], check=True)  # shutil takes much longer

    def _choose(self, driver: str) -> None:
        """Layers over each other where the file system can do it, else copies of whole trees."""
        (self.top / "storage.conf").write_text(STORAGE_CONF.format(top=self.top, driver=driver))


def _mounts() -> list[Path]:
    return [Path(line.split(" ")[1]) for line in Path("/proc/mounts").read_text().splitlines()]


class Podmanned(Container):
    """A root directory under `podman run`; `Spec.options` are more words for it."""

    podman: Podman
    """Whose storage is used; set once for a session."""

    def _start(self) -> None:
        self.name = self.scratch.name
        self._launch([str(self.podman.command), *self._words()], os.environ)
        self.pid = until(
            lambda: self.podman.pid(self.name) or (self._ended() and -1),
            "PID 1",
            explain=self._report,
        )
        self.pid = max(self.pid, 0)  # 0: it has ended already

    def _words(self) -> list[str]:
        spec = self.spec
        words: list[str] = ["run", f"--name={self.name}", f"--workdir={spec.cwd}", *spec.options]
        words += [f"--env={name}={value}" for name, value in spec.env.items()]
        words += [f"--user={spec.user[0]}:{spec.user[1]}"] if spec.user != (0, 0) else []
        words += ["--read-only", "--read-only-tmpfs=false"] if spec.read_only else []
        words += [f"--tmpfs={at}:{how}" for at, how in spec.tmpfs.items()]
        words += [f"--volume={what}:{at}" for at, what in spec.binds.items()]
        words += {"default": [], "none": ["--cap-drop=all"], "all": ["--privileged"]}[
            spec.capabilities
        ]
        words += ["--security-opt=no-new-privileges"] if spec.no_new_privileges else []
        words += ["--tty"] if spec.tty else []
        return [*words, "--rootfs", str(spec.root), *spec.args]

    def _entering(self, args: Sequence[str]) -> list[str]:
        return [str(self.podman.command), "exec", self.name, *args]

    def close(self) -> None:
        self.podman.run("rm", "--force", "--time=0", self.name)
        super().close()
