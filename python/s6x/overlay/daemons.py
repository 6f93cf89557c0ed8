"""Which programs leave the foreground, so that their supervisor would see them end at once.

Facts from the programs' manual pages, as one table. A program that is not in it is taken to stay.
"""

from __future__ import annotations

import re
from itertools import pairwise

from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.root import Root


class Daemon(Record):
    """How programs of these names are kept in the foreground."""

    names: tuple[str, ...]
    remedy: str
    stays: str = ""
    """An argument that matches this keeps it; empty: it stays unless `leaves` matches."""
    leaves: str = ""
    """An argument that matches this sends it away."""
    configured: str = ""
    """A line like this in one of `files` keeps it, too."""
    files: tuple[str, ...] = ()
    """Where its configuration is; a directory stands for the files in it."""
    elsewhere: str = ""
    """With an argument like this the configuration is another one: nothing is known."""


def _letters(letters: str) -> str:
    """Return the pattern of an option among others: -f, -fd, -df."""
    return rf"-[a-zA-Z]*[{letters}][a-zA-Z0-9]*"


DAEMONS = (
    Daemon(
        ("nginx",), "add -g 'daemon off;'", stays=r".*daemon\s+off.*", elsewhere="-[cp].*",
        configured=r"daemon\s+off\s*;", files=("/etc/nginx/nginx.conf",),
    ),
    Daemon(("cron",), "add -f", stays=_letters("f")),
    Daemon(("crond",), "add -f (busybox) or -n (cronie)", stays=_letters("fn")),
    Daemon(("sshd",), "add -D", stays=_letters("Ddi")),
    Daemon(
        ("apache2", "httpd", "apachectl", "apache2ctl"), "add -D FOREGROUND",
        stays="(-D)?(FOREGROUND|NO_DETACH)|-X|-[a-zA-Z]*f[a-zA-Z]*",  # -f: the httpd of busybox
    ),
    Daemon(
        ("php-fpm",), "add -F", stays="--nodaemonize|" + _letters("F"),
        configured=r"daemonize\s*=\s*no\b", elsewhere="-y.*|--fpm-config.*",
        files=("/usr/local/etc/php-fpm.conf", "/usr/local/etc/php-fpm.d"),
    ),
    Daemon(("redis-server", "valkey-server"), "add --daemonize no", leaves=r"daemonize=yes"),
    Daemon(("memcached",), "leave -d out", leaves=r"-d|--daemon"),
    Daemon(("mongod",), "leave --fork out", leaves="--fork"),
    Daemon(("mysqld", "mariadbd"), "leave --daemonize out", leaves="--daemonize|-D"),
    Daemon(("mosquitto",), "leave -d out", leaves="-d|--daemon"),
    Daemon(("haproxy",), "leave -D out", leaves="-D"),
    Daemon(("tinyproxy",), "add -d", stays=_letters("d")),
    Daemon(("dnsmasq",), "add -k", stays="--keep-in-foreground|--no-daemon|" + _letters("kd")),
    Daemon(("rsyslogd", "syslogd", "klogd", "ntpd"), "add -n", stays=_letters("nF")),
    Daemon(("syslog-ng",), "add -F", stays="--foreground|" + _letters("F")),
    Daemon(
        ("smbd", "nmbd", "winbindd"), "add --foreground",
        stays="--foreground|--interactive|" + _letters("Fi"),
    ),
    Daemon(("proftpd",), "add -n", stays="--nodaemon|" + _letters("n")),
    Daemon(("avahi-daemon",), "leave -D out", leaves="--daemonize|" + _letters("D")),
    Daemon(("dbus-daemon",), "add --nofork", stays="--nofork|--session"),
    Daemon(("dovecot",), "add -F", stays=_letters("F")),
    Daemon(("postfix",), "write postfix start-fg", leaves="start"),
    Daemon(("named",), "add -f", stays=_letters("fg")),
    Daemon(("squid",), "add --foreground", stays="--foreground|" + _letters("N")),
    Daemon(("unbound",), "add -d", stays=_letters("d")),
    Daemon(("keepalived",), "add -n", stays="--dont-fork|" + _letters("n")),
    Daemon(("chronyd",), "add -d", stays=_letters("dnqQ")),
    Daemon(("supervisord",), "add -n", stays="--nodaemon|" + _letters("n")),
    Daemon(("lighttpd",), "add -D", stays=_letters("D")),
    Daemon(("privoxy",), "add --no-daemon", stays="--no-daemon"),
    Daemon(("transmission-daemon",), "add -f", stays="--foreground|" + _letters("f")),
    Daemon(("exim", "exim4"), "write -bdf instead of -bd", leaves="-bd"),
    Daemon(("openvpn",), "leave --daemon out", leaves="--daemon"),
    Daemon(("slapd",), "add -d 0", stays="-d.*"),
    Daemon(
        ("service", "systemctl", "rc-service"), "run the daemon itself, in the foreground",
        leaves="(re)?start",
    ),
    Daemon(
        ("start-stop-daemon",), "leave --background out", leaves="--background|" + _letters("b"),
    ),
)  # fmt: skip


def forking(root: Root, words: list[str]) -> str | None:
    """Return what keeps this command in the foreground, if as it stands it would leave it.

    `words` are the program and its arguments. None: it stays, or nobody knows.
    """
    name = words[0].rpartition("/")[2]
    if words[0].startswith("/etc/init.d/"):
        return "run the daemon itself, in the foreground"
    # php-fpm8.2, exim4
    plain = re.sub(r"[0-9.]+$", "", name)
    for daemon in DAEMONS:
        if name in daemon.names or plain in daemon.names:
            return daemon.remedy if _leaves(root, daemon, words[1:]) else None
    return None


def _leaves(root: Root, daemon: Daemon, arguments: list[str]) -> bool:
    # An option's value is looked at together with it, too: --daemonize yes.
    pairs = [f"{a.lstrip('-')}={b}" for a, b in pairwise(arguments)]
    texts = arguments + pairs
    if daemon.leaves and any(re.fullmatch(daemon.leaves, text) for text in texts):
        return True
    if not daemon.stays or any(re.fullmatch(daemon.stays, text) for text in texts):
        return False
    if daemon.elsewhere and any(re.fullmatch(daemon.elsewhere, text) for text in arguments):
        return False
    return not any(_says(root, file, daemon.configured) for file in daemon.files)


def _says(root: Root, path: str, line: str) -> bool:
    """Say whether a configuration holds a line like this."""
    if root.is_directory(path):
        return any(_says(root, f"{path}/{name}", line) for name in root.names(path))
    if not root.is_file(path):
        return False
    text = root.read(path).decode("utf-8", "replace")
    return any(re.match(rf"\s*{line}", its) for its in text.splitlines())
