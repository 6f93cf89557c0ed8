"""Containers for everything that wants to be PID 1: plain PID namespaces, and `runc` bundles.

    root = busybox_root(world.top / "root")
    with Unshared(Spec(root, ["/init"], env={"A": "b"})) as container:
        container.until_said("ready")
        container.processes()              # ps inside, PID 1 first
        container.signal(signal.SIGTERM)   # to PID 1
        ended = container.wait()           # ended.code, ended.out, ended.err

`Unshared` needs only `unshare` and works for an ordinary user too (user namespace; then `Spec.user`
cannot be used). `Runc` needs root and `runc`, and knows everything a `Spec` can say; with `tty` its
output is what a terminal would show, all in `out`. Both give PID 1 its own PID and mount
namespace, `/proc`, and a small `/dev`; both end with everything inside at the end of the block.

A root file system is any directory. `busybox_root` makes a small one with a shell; with
`Spec.overlay` (root only) it is the machine's own, and `Spec.root` collects the changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from world import process
from world.programs import Result
from world.tree import Link, plant
from world.waiting import PATIENCE_S, until

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_DEFAULT_CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID"),
    *("SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"),
)
"""What docker gives to a container."""


@dataclass(frozen=True)
class Spec:
    """What runs in a container, and in which world."""

    root: Path
    args: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment, apart from a default PATH."""
    cwd: str = "/"
    user: tuple[int, int] = (0, 0)
    """uid and gid of PID 1."""
    read_only: bool = False
    """Whether the root file system cannot be written."""
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    """Directory to mount options (`size=1m,mode=755,noexec`); the directory must exist."""
    binds: Mapping[str, str] = field(default_factory=dict)
    """Directory or file inside to one outside; what is inside must exist."""
    overlay: bool = False
    """`root` is a directory of changes over the machine's own root file system (see `Unshared`)."""
    capabilities: Literal["default", "none", "all"] = "default"
    """Only `Runc`: docker's list, or nothing, or everything."""
    no_new_privileges: bool = False
    tty: bool = False
    """Only `Runc`: PID 1 has a terminal."""
    open_files: int = 1024
    """Only `Runc`: RLIMIT_NOFILE."""
    options: Sequence[str] = ()
    """Only `Podmanned`: more words for `podman run`."""


def busybox_root(top: Path) -> Path:
    """Make a root file system with busybox, its applets, and the usual empty directories."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox (Debian: busybox-static) is needed to make a root file system"
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    applets = {f"bin/{name}": Link("busybox") for name in names.stdout.split() if name != "busybox"}
    for name in ("proc", "dev", "sys", "tmp", "run", "var", "etc", "root", "usr/bin", "sbin"):
        (top / name).mkdir(parents=True, exist_ok=True)
    (top / "tmp").chmod(0o1777)
    plant(
        top,
        {
            **applets,
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
            "etc/group": "root:x:0:\nnogroup:x:65534:\n",
            "var/run": Link("../run"),
        },
    )
    shutil.copy(busybox, top / "bin/busybox")
    return top


class Container:
    """A running container; `pid` is its PID 1 as seen from outside."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.scratch = Path(tempfile.mkdtemp(prefix="s6x-container-"))
        self._out, self._err = self.scratch / "out", self.scratch / "err"
        self._starter: subprocess.Popen[bytes] | None = None
        self._master: int | None = None
        self.pid = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def out(self) -> str:
        """What was written to stdout so far (with a tty: to the terminal)."""
        self._drain()
        return self._out.read_text(errors="replace") if self._out.exists() else ""

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace") if self._err.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to PID 1, as `docker kill` and `docker stop` do."""
        os.kill(self.pid, number)

    def type(self, text: str) -> None:
        """Type on the terminal."""
        assert self._master is not None, "only a container with a tty has a terminal"
        os.write(self._master, text.encode())

    def until_said(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until `text` appeared on stdout or stderr."""
        until(
            lambda: text in self.out or text in self.err or self._early_end(text),
            f"{text!r} from the container",
            timeout_s,
            explain=lambda: f"out: {self.out}\nerr: {self.err}\n{self.processes()}",
        )

    def processes(self) -> list[process.Process]:
        """Everything that runs inside, PID 1 first; zombies have the state Z and no arguments."""
        found = []
        for pid in [self.pid, *process.descendants_of(self.pid)]:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError, PermissionError):
                found.append(process.look(pid))
        return found

    def ps(self) -> list[str]:
        """Return the command lines of everything that runs inside, PID 1 first."""
        return [" ".join(one.argv) for one in self.processes()]

    def zombies(self) -> list[int]:
        """Pids (from outside) of dead processes that nobody reaped."""
        return [pid for pid in process.descendants_of(self.pid) if process.state_of(pid) == "Z"]

    def run(self, *args: str, timeout_s: float = 30) -> Result:
        """Run another program inside, as `docker exec` does."""
        done = subprocess.run(
            self._entering(args),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def wait(self, timeout_s: float = PATIENCE_S) -> Result:
        """Wait for the end of the container; a death by signal is 128 + signal."""
        assert self._starter is not None
        code = until(lambda: self._ended(), "the end of the container", timeout_s, self._report)[0]
        return Result(128 - code if code < 0 else code, self.out, self.err)

    def running(self) -> bool:
        return self._ended() is None

    def close(self) -> None:
        """Kill PID 1, and with it everything inside."""
        if self.pid:
            process.kill(self.pid)
        if self._starter is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._starter.wait(10)
            self._starter.kill()
            self._starter.wait()
        if self._master is not None:
            os.close(self._master)
            self._master = None
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _start(self) -> None:
        raise NotImplementedError

    def _entering(self, args: Sequence[str]) -> list[str]:
        raise NotImplementedError

    def _launch(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        if self.spec.tty:
            self._master, slave = pty.openpty()
            os.set_blocking(self._master, False)
            self._starter = subprocess.Popen(
                argv, env=dict(env), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
            )
            os.close(slave)
            return
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._starter = subprocess.Popen(
                argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def _drain(self) -> None:
        """Move what the terminal shows to the file that stands for stdout."""
        if self._master is None:
            return
        with self._out.open("ab") as out, contextlib.suppress(BlockingIOError, OSError):
            while shown := os.read(self._master, 65536):
                out.write(shown)

    def _ended(self) -> tuple[int] | None:
        assert self._starter is not None
        self._drain()
        code = self._starter.poll()
        return None if code is None else (code,)

    def _early_end(self, text: str) -> bool:
        """Stop waiting for `text` when the container is gone and did not say it."""
        ended = self._ended()
        assert not ended or text in self.out or text in self.err, (
            f"the container ended ({ended[0]}) without {text!r}: {self._report()}"
        )
        return False

    def _report(self) -> str:
        return f"\nout: {self.out}\nerr: {self.err}\nprocesses: {self.ps()}"


class Unshared(Container):
    """PID 1 of a new PID and mount namespace, by `unshare`; for root and for ordinary users."""

    def _start(self) -> None:
        spec = self.spec
        assert not spec.tty, "a terminal needs Runc"
        user = os.geteuid() != 0
        assert not user or spec.user == (0, 0), "an ordinary user can be nobody else inside"
        plan = self.scratch / "enter"
        plan.write_text(self._script())
        namespaces = ["--pid", "--fork", "--kill-child", "--mount"]
        self._launch(
            [
                "unshare",
                *namespaces,
                *(["--user", "--map-root-user"] if user else []),
                "sh",
                str(plan),
            ],
            {"PATH": DEFAULT_PATH, "HOME": "/"},
        )
        assert self._starter is not None
        children = until(
            lambda: (
                process.children_of(self._starter.pid if self._starter else 0)
                or (self._ended() and [0])
            ),
            "PID 1",
            explain=self._report,
        )
        self.pid = children[0]
        assert self.pid, f"the container could not be started: {self._report()}"

    def _script(self) -> str:
        """Return what becomes PID 1: mounts, then the change of root, then the program by exec."""
        spec, root = self.spec, self.scratch / "root"
        root.mkdir()
        lines = ["set -e", "mount --make-rprivate /"]
        if spec.overlay:
            (self.scratch / "work").mkdir()
            layers = f"lowerdir=/,upperdir={spec.root},workdir={self.scratch}/work"
            lines.append(f"mount -t overlay overlay -o {layers} {root}")
        else:
            lines.append(f"mount --bind {spec.root} {root}")
        lines += [f"mount -t tmpfs -o mode=755 tmpfs {root}/dev", f"mkdir {root}/dev/shm"]
        for device in ("null", "zero", "full", "random", "urandom", "tty"):
            lines += [f": >{root}/dev/{device}", f"mount --bind /dev/{device} {root}/dev/{device}"]
        lines += [f"ln -s /proc/self/fd {root}/dev/fd", f"mount -t proc proc {root}/proc"]
        lines += [f"mount -t tmpfs -o {how} tmpfs {root}{at}" for at, how in spec.tmpfs.items()]
        lines += [f"mount --bind {what} {root}{at}" for at, what in spec.binds.items()]
        if spec.read_only:
            lines.append(f"mount -o remount,bind,ro {root}")
        env = {"PATH": DEFAULT_PATH, **spec.env}
        words = ["env", "-i", *(f"{name}={value}" for name, value in env.items())]
        words += ["setpriv", "--no-new-privs"] if spec.no_new_privileges else []
        words += ["unshare", f"--root={root}", f"--wd={spec.cwd}"]
        if spec.user != (0, 0):
            words += [f"--setuid={spec.user[0]}", f"--setgid={spec.user[1]}"]
        lines.append("exec " + " ".join(_quoted(word) for word in [*words, "--", *spec.args]))
        return "\n".join(lines) + "\n"

    def _entering(self, args: Sequence[str]) -> list[str]:
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        where = ["nsenter", f"--target={self.pid}", "--pid", "--mount", *user, "--root", "--wd"]
        return [*where, "--", *args]


class Runc(Container):
    """A container as docker and podman run it."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.name = f"s6x-{uuid.uuid4().hex[:12]}"
        self._runc = ["runc", "--root", str(self.scratch / "state")]

    def _start(self) -> None:
        assert not self.spec.overlay, "an overlay needs Unshared"
        bundle = self.scratch / "bundle"
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(bundle_config(self.spec), indent=1))
        self._launch([*self._runc, "run", "--bundle", str(bundle), self.name], os.environ)
        until(self._find_pid, "PID 1", explain=self._report)
        assert self.pid or self._ended(), f"the container could not be started: {self._report()}"

    def _find_pid(self) -> bool:
        state = subprocess.run(
            [*self._runc, "state", self.name], capture_output=True, text=True, check=False
        )
        if state.returncode == 0:
            known = json.loads(state.stdout)
            if known["status"] == "running":
                self.pid = int(known["pid"])
        return bool(self.pid) or self._ended() is not None

    def _entering(self, args: Sequence[str]) -> list[str]:
        return [*self._runc, "exec", self.name, *args]

    def close(self) -> None:
        if self._starter is not None:
            subprocess.run(
                [*self._runc, "delete", "--force", self.name], capture_output=True, check=False
            )
        super().close()


def bundle_config(spec: Spec) -> dict[str, Any]:
    """Return the `config.json` of an OCI bundle for `spec`."""
    env = {"PATH": DEFAULT_PATH, **({"TERM": "xterm"} if spec.tty else {}), **spec.env}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": spec.tty,
            "user": {"uid": spec.user[0], "gid": spec.user[1]},
            "args": list(spec.args),
            "env": [f"{name}={value}" for name, value in env.items()],
            "cwd": spec.cwd,
            "capabilities": _capabilities(spec),
            "rlimits": [
                {"type": "RLIMIT_NOFILE", "hard": spec.open_files, "soft": spec.open_files}
            ],
            "noNewPrivileges": spec.no_new_privileges,
        },
        "root": {"path": str(spec.root), "readonly": spec.read_only},
        "hostname": "container",
        "mounts": _mounts(spec),
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]
        },
    }


def _capabilities(spec: Spec) -> dict[str, list[str]]:
    if spec.capabilities == "none":
        names: list[str] = []
    elif spec.capabilities == "default":
        names = [f"CAP_{name}" for name in _DEFAULT_CAPABILITIES]
    else:
        shown = subprocess.run(["capsh", "--print"], capture_output=True, text=True, check=True)
        bounding = next(x for x in shown.stdout.splitlines() if x.startswith("Bounding set"))
        names = [name.upper() for name in bounding.partition("=")[2].split(",")]
    held = names if spec.user[0] == 0 else []
    return {"bounding": names, "permitted": held, "effective": held}


def _mounts(spec: Spec) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
    ]
    for at, how in spec.tmpfs.items():
        mounts.append(
            {"destination": at, "type": "tmpfs", "source": "tmpfs", "options": how.split(",")}
        )
    for at, what in spec.binds.items():
        mounts.append(
            {"destination": at, "type": "bind", "source": what, "options": ["rbind", "rw"]}
        )
    return mounts


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
