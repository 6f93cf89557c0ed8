"""The demo's image: a root file system of busybox, s6x, and this machine's own daemons."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from s6x.image import build, install
from world.containers import busybox_root
from world.tree import Content, plant

PAGE = "It works: this page comes from the container.\n"

NGINX_CONF = """\
{processes}
pid /run/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        root /srv/www;
    }}
}}
"""

AS_ROOT = "user nobody nogroup;\nworker_processes 2;"
AS_USER = "user root root;\nmaster_process off;"
"""In the namespace of an ordinary user there is one user, so workers cannot become another."""

SERVICE = "#!/usr/bin/with-contenv sh\nexec {command}\n"
GREETING = '#!/bin/sh\necho "cont-init.d: hello from $(cat /proc/1/comm), PID 1"\n'
FAREWELL = '#!/bin/sh\necho "cont-finish.d: good bye"\n'


@dataclass(frozen=True)
class Image:
    """A root file system, and what is in it."""

    root: Path
    web: str
    """The service that answers HTTP."""
    services: tuple[str, ...]
    port: int


def make(root: Path, port: int) -> Image:
    """Make the image below `root`; its boot is planned now, so there is no Python in it."""
    busybox_root(root)
    commands = _daemons(root, port)
    services: dict[str, Content] = {
        f"etc/services.d/{name}/run!": SERVICE.format(command=command)
        for name, command in commands.items()
    }
    plant(
        root,
        {
            "srv/www/index.html": PAGE,
            "etc/cont-init.d/10-greeting!": GREETING,
            "etc/cont-finish.d/10-farewell!": FAREWELL,
            **services,
        },
    )
    install(root, "v1")
    build(root, "v1")
    return Image(root, next(iter(commands)), tuple(commands), port)


def _daemons(root: Path, port: int) -> dict[str, str]:
    """Put the daemons into the image; return the services' names and commands, web first."""
    found = {}
    if nginx := _find("nginx"):
        _copy_program(root, nginx)
        processes = AS_ROOT if os.geteuid() == 0 else AS_USER
        plant(root, {"etc/nginx/nginx.conf": NGINX_CONF.format(port=port, processes=processes)})
        for directory in ("var/lib/nginx", "var/log/nginx"):
            (root / directory).mkdir(parents=True)
        found["nginx"] = f"{nginx} -c /etc/nginx/nginx.conf -g 'daemon off;'"
    else:
        found["httpd"] = f"httpd -f -p 127.0.0.1:{port} -h /srv/www"
    (root / "var/spool/cron/crontabs").mkdir(parents=True)
    if cron := _find("cron"):
        _copy_program(root, cron)
        found["cron"] = f"{cron} -f"
    else:
        found["cron"] = "crond -f"
    return found


def _find(program: str) -> str | None:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")


def _copy_program(root: Path, program: str) -> None:
    """Copy a program with its libraries to the same places in the image."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    for path in (program, *libraries):
        inside = root / path.removeprefix("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, inside)
