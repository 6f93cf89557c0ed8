"""The user's own description, end to end: real nginx, cron and sshd under `/init`.

The root is the machine's own, so that the daemons are Debian's; what the container writes goes to
a layer above it. Where the machine has s6 installed, its tools stay in place, and the container is
controlled with the originals: an image may bring them too.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from s6x.image.install import install
from world.containers import Container, Runc, Unshared
from world.images import Image, Init, Role, machine_root
from world.programs import our_executable
from world.running import World
from world.waiting import until

PORT = 8099
SCANDIR = "/var/run/s6/services"
DAEMONS = {"nginx": "/usr/sbin/nginx", "cron": "/usr/sbin/cron", "sshd": "/usr/sbin/sshd"}

START = [
    "[s6-init] making user provided files available at /var/run/s6/etc...exited 0.",
    "[s6-init] ensuring user provided files have correct perms...exited 0.",
    "[fix-attrs.d] applying ownership & permissions fixes...",
    "[fix-attrs.d] done.",
    "[cont-init.d] executing container initialization scripts...",
    "[cont-init.d] done.",
    "[services.d] starting services",
    "[services.d] done.",
]
STOP = [
    "[cont-finish.d] executing container finish scripts...",
    "[cont-finish.d] 10-bye: executing... ",
    "bye",
    "[cont-finish.d] 10-bye: exited 0.",
    "[cont-finish.d] done.",
    "[s6-finish] waiting for services.",
    "[s6-finish] syncing disks.",
    "[s6-finish] sending all processes the TERM signal.",
    "[s6-finish] sending all processes the KILL signal and exiting.",
]

NGINX_CONF = f"""\
worker_processes 2;
error_log stderr;
pid /tmp/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  server {{ listen 127.0.0.1:{PORT}; location / {{ return 200 "hello from nginx\\n"; }} }}
}}
"""


def with_contenv(command: str) -> str:
    return f"#!/usr/bin/with-contenv sh\nexec {command}\n"


@pytest.fixture
def seed_image(world: World) -> Iterator[Image]:
    """The machine's root with s6x as generation v1 over it, mounted for the test."""
    missing = [path for path in DAEMONS.values() if not Path(path).exists()]
    assert not missing, f"the seed's daemons are not installed: {missing}; run make setup"
    world.top.chmod(0o755)
    with machine_root(world.top) as root:
        yield furnished(root)


def furnished(root: Path) -> Image:
    executable = our_executable()
    assert executable, "there is no s6x executable to test: run make build"
    shutil.rmtree(root / "var/run/s6", ignore_errors=True)
    install(root, "v1", executable)
    keys = root / "etc/ssh/key-for-this-test"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys], check=True)
    sshd = "/usr/sbin/sshd -D -e -p 8022 -o ListenAddress=127.0.0.1 -h /etc/ssh/key-for-this-test"
    return (
        Image(root, "v1")
        .plant(
            {
                "etc/nginx/seed.conf": NGINX_CONF,
                "etc/services.d/nginx/run": with_contenv(
                    "/usr/sbin/nginx -c /etc/nginx/seed.conf -g 'daemon off;'"
                ),
                "etc/services.d/cron/run": with_contenv("/usr/sbin/cron -f"),
                "etc/services.d/sshd/run": f"#!/bin/sh\nmkdir -p /run/sshd\nexec {sshd}\n",
                "etc/cont-finish.d/10-bye": "#!/bin/sh\necho bye\n",
            }
        )
        .built()
    )


def page(init: Init) -> str:
    """What nginx answers; empty while it does not."""
    return init.run("busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{PORT}/").out


def until_answers(init: Init) -> None:
    until(lambda: page(init) == "hello from nginx\n", "a page", explain=lambda: init.container.err)


def pid_of(init: Init, service: str) -> int:
    """The service's pid, -1 while it is down."""
    said = init.run("s6-svstat", "-o", "pid", f"{SCANDIR}/{service}")
    return int(said.out) if said.code == 0 else -1


def until_new_pid(init: Init, service: str, *old: int) -> int:
    def fresh() -> int | None:
        pid = pid_of(init, service)
        return pid if pid not in (-1, *old) else None

    return until(fresh, f"a new process of {service}", explain=lambda: init.container.err)


def tree(init: Init) -> dict[str, list[str]]:
    """Command line → the command lines of its children."""
    processes = init.container.processes()
    lines = {one.pid: " ".join(one.argv).strip() for one in processes}
    found: dict[str, list[str]] = {line: [] for line in lines.values()}
    for one in processes:
        if one.ppid in lines:
            found[lines[one.ppid]].append(lines[one.pid])
    return found


def nginx_is_whole(init: Init) -> bool:
    supervised = tree(init).get("s6-supervise nginx", [])
    return len(supervised) == 1 and len(tree(init).get(supervised[0], [])) == 2


WAYS = [
    pytest.param(Unshared, "pid1", id="unshare"),
    pytest.param(Runc, "pid1", id="runc"),
    pytest.param(Unshared, "child", id="ordinary child"),
]


@pytest.mark.parametrize(("backend", "role"), WAYS)
def test_the_seeds_scenario(seed_image: Image, backend: type[Container], role: Role) -> None:
    with seed_image.boot(role=role, backend=backend) as init:
        init.until_said("[services.d] done.")
        until_answers(init)
        looks_like_the_seeds_ps(init)
        obeys_s6_svc(init)
        leaves_no_zombies(init)
        ended = init.stop()
    assert (ended.code, ended.out.splitlines()[-len(STOP) :]) == (0, STOP)
    assert ended.out.splitlines()[: len(START)] == START


def looks_like_the_seeds_ps(init: Init) -> None:
    until(lambda: nginx_is_whole(init), "nginx with its workers", explain=lambda: str(tree(init)))
    found = tree(init)
    scanner = found["s6-svscan -t0 /var/run/s6/services"]
    assert sorted(scanner) == [
        "s6-supervise cron",
        "s6-supervise nginx",
        "s6-supervise s6-fdholderd",
        "s6-supervise sshd",
    ]
    assert found["s6-supervise s6-fdholderd"] == []
    assert found["s6-supervise cron"] == ["/usr/sbin/cron -f"]
    [master] = found["s6-supervise nginx"]
    assert master.startswith("nginx: master process /usr/sbin/nginx -c")
    assert found[master] == ["nginx: worker process"] * 2
    [sshd] = found["s6-supervise sshd"]
    assert "sshd" in sshd


def obeys_s6_svc(init: Init) -> None:
    service = f"{SCANDIR}/nginx"
    first = pid_of(init, "nginx")
    for number, command in enumerate(
        [["s6-svc", "-k", service], ["s6-svc", "-r", service], ["s6x", "svc", "-k", "nginx"]]
    ):
        path = "/package/admin/s6x/command/s6x" if command[0] == "s6x" else command[0]
        assert init.run(path, *command[1:]).code == 0, number
        first = until_new_pid(init, "nginx", first)
        # Workers of a killed master hold the port until they notice.
        until_answers(init)
    assert init.run("s6-svc", "-wD", "-T", "5000", "-d", service).code == 0
    assert pid_of(init, "nginx") == -1
    assert init.run("s6-svc", "-wu", "-T", "5000", "-u", service).code == 0
    until_answers(init)
    assert init.run("s6-svstat", service).out.startswith("up (pid ")


def leaves_no_zombies(init: Init) -> None:
    init.run("sh", "-c", "for i in 1 2 3 4 5; do (sh -c 'exec true' &) ; done")
    until(lambda: not init.container.zombies(), "orphans reaped")
