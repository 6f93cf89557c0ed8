"""Every variable that changes what `/init` does, as one table.

The plan's numbers and conditions are made from it, and so is the reference for people. The
variables of s6-overlay keep their names, defaults and meaning (contract of the overlay, section
"Environment variables"); those that begin with ``S6X_`` are ours.
"""

from __future__ import annotations

from s6x.overlay import conditions
from s6x.overlay.plan import FromEnvironment
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.conditions import Condition

LEGACY = ("v1", "v2")


class Setting(Record):
    """One variable."""

    name: str
    default: str
    """What counts when it is unset; empty: nothing."""
    kind: str
    """`flag` (0 or not 0), `level` (0, 1, 2), `ms`, `path`, `words`, `text`."""
    meaning: str
    generations: tuple[str, ...] = LEGACY

    def number(self) -> FromEnvironment:
        """Return the plan's number for it."""
        return FromEnvironment(env=self.name, default=int(self.default))

    def on(self) -> Condition:
        """Return the condition that the flag is on."""
        return conditions.nonzero(self.name)

    def off(self) -> Condition:
        """Return the condition that the flag is off."""
        return conditions.zero(self.name)

    def given(self) -> Condition:
        """Return the condition that it is set, and not empty."""
        return conditions.is_set(self.name)


KEEP_ENV = Setting(
    "S6_KEEP_ENV", "0", "flag",
    "on: scripts and services see the container's whole environment, and none is dumped to files; "
    "with-contenv then changes nothing",
)  # fmt: skip
LOGGING = Setting(
    "S6_LOGGING", "0", "level",
    "0: all output goes to the container's stdout and stderr; 1: what no logger takes goes to "
    "/var/log/s6-uncaught-logs, except CMD's output; 2: CMD's, too",
)  # fmt: skip
LOGGING_SCRIPT = Setting(
    "S6_LOGGING_SCRIPT", "n20 s1000000 T", "words",
    "the s6-log directives of the catch-all logger and of logutil-service",
)  # fmt: skip
STAGE2_FAILS = Setting(
    "S6_BEHAVIOUR_IF_STAGE2_FAILS", "0", "level",
    "when a step of boot fails: 0: go on; 1: skip the rest, CMD included, and stay up; 2: stop the "
    "container with exit code 1",
)  # fmt: skip
KILL_FINISH_MAXTIME = Setting(
    "S6_KILL_FINISH_MAXTIME", "5000", "ms",
    "how long one script of cont-finish.d may take before it is killed; 0: no limit",
)  # fmt: skip
SERVICES_GRACETIME = Setting(
    "S6_SERVICES_GRACETIME", "3000", "ms",
    "the longest wait for the services' end when the container stops; 0: no limit",
)  # fmt: skip
KILL_GRACETIME = Setting(
    "S6_KILL_GRACETIME", "3000", "ms",
    "the longest wait between TERM to everything left and KILL; 0: none",
)  # fmt: skip
CMD_ARG0 = Setting(
    "S6_CMD_ARG0", "", "text",
    "words put before CMD, one on each line; without a CMD they are it",
)  # fmt: skip
CMD_WAIT_FOR_SERVICES = Setting(
    "S6_CMD_WAIT_FOR_SERVICES", "0", "flag",
    "on: CMD is started only when the services of services.d are ready, or up where they do not "
    "tell",
)  # fmt: skip
CMD_WAIT_FOR_SERVICES_MAXTIME = Setting(
    "S6_CMD_WAIT_FOR_SERVICES_MAXTIME", "5000", "ms",
    "the longest such wait; 0: no limit",
)  # fmt: skip
FIX_ATTRS_HIDDEN = Setting(
    "S6_FIX_ATTRS_HIDDEN", "0", "flag",
    "on: recursive rules of fix-attrs.d take hidden files, too",
)  # fmt: skip
READ_ONLY_ROOT = Setting(
    "S6_READ_ONLY_ROOT", "0", "flag",
    "on: the user's directories are copied to the runtime directory instead of being linked there, "
    "and permissions are repaired in the copy",
)  # fmt: skip
SYNC_DISKS = Setting(
    "S6_SYNC_DISKS", "0", "flag",
    "1: flush the disks when the container stops (v1 always does)",
    ("v2",),
)  # fmt: skip
RUNTIME_PROFILE = Setting(
    "S6_RUNTIME_PROFILE", "", "text",
    "take fix-attrs.d, cont-init.d, cont-finish.d and services.d from "
    "/etc/cont-profile.d/PROFILE instead of /etc",
)  # fmt: skip
COMPAT = Setting(
    "S6X_COMPAT", "", "text",
    "the generation of s6-overlay to behave as: v1 or v2; unset: what the image itself shows",
)  # fmt: skip
RUN = Setting(
    "S6X_RUN", "", "path",
    "the runtime directory; unset: the first of /var/run/s6, /run/s6, $XDG_RUNTIME_DIR/s6x and "
    "s6x-UID in /tmp, /dev/shm and /dev that can be used",
)  # fmt: skip
STOP_TIMEOUT = Setting(
    "S6X_STOP_TIMEOUT", "0", "ms",
    "the longest that stopping may take altogether before everything left is killed; "
    "0: the limits above are all there is",
)  # fmt: skip
CONT_INIT_MAXTIME = Setting(
    "S6X_CONT_INIT_MAXTIME", "0", "ms",
    "how long one script of cont-init.d may take before it is killed; 0: no limit",
)  # fmt: skip

SETTINGS = (
    KEEP_ENV, LOGGING, LOGGING_SCRIPT, STAGE2_FAILS, KILL_FINISH_MAXTIME, SERVICES_GRACETIME,
    KILL_GRACETIME, CMD_ARG0, CMD_WAIT_FOR_SERVICES, CMD_WAIT_FOR_SERVICES_MAXTIME,
    FIX_ATTRS_HIDDEN, READ_ONLY_ROOT, SYNC_DISKS, RUNTIME_PROFILE,
    COMPAT, RUN, STOP_TIMEOUT, CONT_INIT_MAXTIME,
)  # fmt: skip


def table(generation: str) -> str:
    """Return the variables of a generation as a Markdown table, for the guides."""
    rows = [
        f"| `{s.name}` | {f'`{s.default}`' if s.default else ''} | {s.kind} | {s.meaning} |"
        for s in SETTINGS
        if generation in s.generations
    ]
    return "\n".join(["| variable | default | kind | meaning |", "|---|---|---|---|", *rows, ""])
