"""What an image of generation v1 or v2 has on disk, as a table.

The names and modes are the contract of the overlay, section "Installed files", as far as the
programs behind them exist. Programs are links to the one executable, which looks at the name it
was called by.
"""

from __future__ import annotations

from dataclasses import dataclass

from s6x.overlay.detect import MARK
from s6x.overlay.generations.legacy import (
    CATCH_ALL_SERVICE,
    STATE,
    TREE_PATH,
    USER_DIRECTORIES,
    repair_rules,
)
from s6x.overlay.planner import GENERATIONS, RULES

EXECUTABLE = "/package/admin/s6x/command/s6x"
"""Where the executable lies; every program is a link to it."""

STAGES = (
    "/init",
    "/etc/s6/init/init-stage1",
    "/etc/s6/init/init-stage2",
    "/etc/s6/init/init-stage2-redirfd",
    "/etc/s6/init/init-stage3",
    "/etc/s6/init-catchall/init-stage1",
    "/etc/s6/init-catchall/init-stage2",
    "/etc/s6/init-no-catchall/init-stage1",
    "/etc/s6/init-no-catchall/init-stage2",
)
"""The chain of stages; running `/init` or an `init-stage1` boots."""

USER_PROGRAMS = frozenset(
    {
        "execlineb", "fix-attrs", "justc-envdir", "logutil-newfifo", "logutil-service",
        "logutil-service-main", "printcontenv", "with-contenv", "with-contenv-legacy",
        "with-retries",
    }
)  # fmt: skip
"""Programs that scripts call by their path in /usr/bin."""


@dataclass(frozen=True)
class Directory:
    """A directory; an existing one, or a link to one, stays as it is."""

    path: str
    mode: int = 0o755


@dataclass(frozen=True)
class File:
    """A file with this content; a user's own file of that name stays as it is."""

    path: str
    content: str
    mode: int = 0o644
    earlier: tuple[str, ...] = ()
    """Contents that we wrote ourselves at other times, and may replace."""


@dataclass(frozen=True)
class Link:
    """A name of the executable.

    It leads there by way of `via`, whose own name is the program's: an image's build that renames
    the link (`mv /init /s6-init`) does not change what it is.
    """

    path: str
    via: str = EXECUTABLE


@dataclass(frozen=True)
class Alias:
    """A second name of a directory; what is there already stays as it is."""

    path: str
    target: str
    """In the image."""


Entry = Directory | File | Link | Alias

PACKAGES = ("execline", "s6", "s6-linux-utils", "s6-portable-utils")
"""Packages whose programs scripts also call by `/package/admin/NAME/command/PROGRAM`."""

CRASH = """\
#!/bin/sh
# PID 1 ran into something it cannot go on from, and runs this instead of itself.
echo "s6-svscan panicked! Dropping to a root shell." >&2
echo >&2
exec /bin/sh -i
"""

FINISH = """\
#!/bin/sh
# For a scanner that somebody else started on this directory: /init stops by itself.
exec /etc/s6/init/init-stage3 "$@"
"""

FDHOLDERD = f"""\
#!/bin/execlineb -P
s6-envuidgid -D 32769:32769: daemon
s6-fdholder-daemon -1 -U -i rules {STATE}/fdholderd-socket
"""


CATCH_ALL = """\
#!/bin/execlineb -P
# Reads what no other logger takes, only where S6_LOGGING is on: with the directives of
# S6_LOGGING_SCRIPT, as nobody, in a directory that /init has made. What this logger itself has
# to say must not come back to it: standard error is the container's. Boot goes on when it is
# ready: before, it would not survive an early stop.
fdmove -c 1 2
logutil-service -d 3 -f ../../uncaught-logs-fifo ../../uncaught-logs
"""


def layout(generation: str, applets: tuple[str, ...]) -> tuple[Entry, ...]:
    """Return everything to be laid out, directories before what is in them.

    `applets` are the names of the programs that the executable holds.
    """
    return (
        *(Directory(f"/etc/{name}") for name in USER_DIRECTORIES),
        *_stages(generation),
        *_services(),
        *_programs(applets),
    )


def _stages(generation: str) -> tuple[Entry, ...]:
    rules = {name: repair_rules(facts, STATE) for name, facts in GENERATIONS.items()}
    names = tuple(f"{name}\n" for name in GENERATIONS)
    return (
        Directory("/etc/s6/init/env-stage2"),
        File("/etc/s6/init/env/PATH", f"{TREE_PATH}\n"),
        File(RULES, rules[generation], earlier=tuple(rules.values())),
        File(MARK, f"{generation}\n", earlier=names),
        *(Link(path) for path in STAGES[1:]),
        Link(STAGES[0], via=STAGES[1]),
    )


def _services() -> tuple[Entry, ...]:
    services = "/etc/s6/services"
    fdholderd = f"{services}/s6-fdholderd"
    rules = f"{fdholderd}/rules/uid"
    # Root may do everything, others may look at the list. Each file under env is a variable; what
    # only has to be there is an empty line, because an empty file would be no variable.
    everything = {
        "S6_FDHOLDER_GETDUMP": "\n",
        "S6_FDHOLDER_LIST": "\n",
        "S6_FDHOLDER_SETDUMP": "\n",
        "S6_FDHOLDER_STORE_REGEX": ".*\n",
        "S6_FDHOLDER_RETRIEVE_REGEX": ".*\n",
    }
    return (
        File(f"{services}/.s6-svscan/crash", CRASH, 0o755),
        File(f"{services}/.s6-svscan/finish", FINISH, 0o755),
        File(f"{services}/{CATCH_ALL_SERVICE}/run", CATCH_ALL, 0o755),
        File(f"{services}/{CATCH_ALL_SERVICE}/notification-fd", "3\n"),
        File(f"{fdholderd}/run", FDHOLDERD, 0o755),
        File(f"{fdholderd}/down", ""),
        File(f"{fdholderd}/notification-fd", "1\n"),
        File(f"{rules}/0/allow", ""),
        *(File(f"{rules}/0/env/{name}", value) for name, value in everything.items()),
        File(f"{rules}/default/allow", ""),
        File(f"{rules}/default/env/S6_FDHOLDER_LIST", "\n"),
    )


def _programs(applets: tuple[str, ...]) -> tuple[Entry, ...]:
    stages = {path.rpartition("/")[2] for path in STAGES}
    programs = sorted({"s6x", *applets} - stages)
    links: list[Entry] = []
    for name in programs:
        command = f"/command/{name}"
        if name != "s6x":
            links.append(Link(f"/bin/{name}", via=command))
        if name in USER_PROGRAMS or name.startswith(("s6-", "s6x")):
            links.append(Link(f"/usr/bin/{name}", via=command))
        links.append(Link(command))
    aliases = (Alias(f"/package/admin/{name}/command", "/command") for name in PACKAGES)
    return (*links, *aliases)
