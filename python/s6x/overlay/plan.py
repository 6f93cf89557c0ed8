"""The plan: what `/init` does in one image, as a value.

The types follow ``docs/formats.md`` key by key: a field is the key with `_` for `-`, and its
annotation says how it is encoded (:mod:`s6x.overlay.codec`). A field that is None, False or empty
is not written.
"""

from __future__ import annotations

from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias

    from s6x.overlay.conditions import Conditions

    Text: TypeAlias = str
    """May hold placeholders (:mod:`s6x.overlay.text`)."""
    Texts: TypeAlias = tuple[str, ...]
    Word: TypeAlias = str
    """Taken as it is: a name, never a placeholder."""
    Words: TypeAlias = tuple[str, ...]
    Pairs: TypeAlias = tuple[tuple[str, str], ...]
    Actions: TypeAlias = tuple[tuple[str, str], ...]
    """A dictionary on the wire."""
    Flag: TypeAlias = bool
    Number: TypeAlias = "int | FromEnvironment"
    Ops: TypeAlias = "tuple[Op, ...]"
    Steps: TypeAlias = "tuple[Step, ...]"

FORMAT = "s6x-plan"
VERSION = 2


class FromEnvironment(Record):
    """A number that the container's environment may change."""

    env: Word
    """The variable; it counts when it is a decimal number."""
    default: int
    max: int | None = None


# File operations, in the order of their arguments on the wire.


class Op(Record):
    """One operation of a `files` step."""

    word: ClassVar[str]


class Mkdir(Op):
    """Make a directory and its parents; an existing one is fine."""

    word = "mkdir"
    path: Text
    mode: int


class Remove(Op):
    """Remove whatever is there, with everything below it; links are not followed."""

    word = "remove"
    path: Text


class Copy(Op):
    """Copy a hierarchy: links stay links, modes and owners are kept."""

    word = "copy"
    source: Text
    path: Text


class Link(Op):
    """Make a symbolic link, unless the path already leads to the target's file."""

    word = "link"
    target: Text
    path: Text


class Fifo(Op):
    """Make a named pipe."""

    word = "fifo"
    path: Text
    mode: int


class Write(Op):
    """Write a file with this content."""

    word = "write"
    path: Text
    content: Text
    mode: int


class DumpEnvironment(Op):
    """Write one file for each variable of the container's environment."""

    word = "dump-environment"
    path: Text


class Try(Op):
    """Do an operation, and go on silently when it fails."""

    word = "try"
    op: Op


class When(Op):
    """Do an operation only if the conditions hold when its turn comes."""

    word = "when"
    conditions: Conditions
    op: Op


# Steps.


class CatchAll(Record):
    """The catch-all logger's side: stdout and stderr of everything become a FIFO."""

    when: Conditions
    """Only where all of these hold."""
    fifo: Text
    command: Conditions | None = None
    """CMD's output goes there as well when all of these hold; None: never."""


class Step(Record):
    """One step of boot or of stop; the kinds are the subclasses."""

    do: ClassVar[str]
    placeholders: ClassVar[tuple[str, ...]] = ("code",)
    """What the texts of this kind may hold besides the usual placeholders."""

    name: Word
    """For reports."""
    when: Conditions = ()
    """The step is skipped without a word unless all of them hold."""
    say: Text = ""
    """Printed on stdout before."""
    done: Text = ""
    """Printed on stdout after."""
    late: Text = ""
    """Printed on stderr when `limit_ms` passed."""
    checked: Flag = False
    """A non-zero code counts as a failure (see :class:`Failure`)."""
    fatal: int | None = None
    """A non-zero code ends the container with this exit code."""


class Files(Step):
    """File operations, in order; the first that fails ends the step."""

    do = "files"
    ops: Ops = ()


class Supervise(Step):
    """PID 1 becomes the scanner of a directory; boot goes on when all supervisors run."""

    do = "supervise"
    scandir: Text = ""
    catch_all: CatchAll | None = None
    """Where output goes that no logger takes; None: the container's own stdout and stderr."""


class FixAttrs(Step):
    """Apply rules about owners and modes: a text, or every file of a directory."""

    do = "fix-attrs"
    placeholders = ("name", "code")
    rules: Text = ""
    directory: Text = ""
    each: Text = ""
    each_done: Text = ""
    hidden: Conditions | None = None
    """Hidden files are included in recursion when all of these hold; None: never."""


class Scripts(Step):
    """Run every file of a directory, one after the other."""

    do = "scripts"
    placeholders = ("name", "code")
    directory: Text = ""
    each: Text = ""
    each_done: Text = ""
    cwd: Text = "{cwd}"
    limit_ms: Number = 0
    """Per script, then it is killed; 0: no limit."""
    limit_code: int = 99
    """What a killed script's exit code counts as."""
    input: Word = "container"
    """What they read from stdin: `container`, or `none`."""
    unspawnable: Word = "code"
    """`abort`: a file that cannot be executed ends boot but for CMD; `code`: counts as 127."""


class Services(Step):
    """Copy every subdirectory into the scan directory, and have it scanned."""

    do = "services"
    source: Text = ""


class Await(Step):
    """Wait until those services are ready, or up where they do not tell."""

    do = "await"
    source: Text = ""
    limit_ms: Number = 0


class RunCommand(Step):
    """Run CMD; when it ends the container stops."""

    do = "command"
    placeholders = ("word", "code")


class BringDown(Step):
    """Send TERM to the supervisors of services, HUP to those of loggers."""

    do = "bring-down"
    wait_when: Conditions | None = None
    """The next step waits for the supervisors' end when all of these hold; None: never."""
    limit_ms: Number = 0


class AwaitDown(Step):
    """Wait until no supervisor is left."""

    do = "await-down"
    limit_ms: Number = 0


class Sync(Step):
    """Flush the disks."""

    do = "sync"


class Terminate(Step):
    """Send TERM and CONT to everything left, and wait until nothing is."""

    do = "terminate"
    limit_ms: Number = 0
    """The longest wait; 0: no wait."""


class Kill(Step):
    """Send KILL to everything left, and reap it."""

    do = "kill"


class Say(Step):
    """Only print."""

    do = "say"


# The plan.


class Environment(Record):
    """Who sees which variables."""

    export_cwd: Word
    keep_when: Conditions
    tree: Texts
    scripts: Texts
    stop: Texts
    dump: Text


class Command(Record):
    """How the container's CMD is formed and run."""

    arg0_env: Word
    environment: Word
    """`container` or `tree`."""
    not_found: int
    not_executable: int
    signal_base: int
    """Added to the signal's number in the log line."""
    signal_exit_base: int
    """Added to the signal's number in the exit code."""
    defaults: Pairs = ()
    unset: Words = ()


class Failure(Record):
    """What a failed *checked* step means."""

    level: Number
    banner: Text
    exit_code: int


class Plan(Record):
    """What `/init` does in one image: boot, run, stop."""

    generation: Word
    title: Text
    run: Texts
    default_path: Word
    environment: Environment
    command: Command
    failure: Failure
    signals: Actions
    """Sorted by name."""
    boot: Steps
    stop: Steps
    stop_limit_ms: Number
    exit_file: Text
    valid_when: Conditions = ()
    inputs: Pairs = ()
    """What the planner read: image path, fingerprint."""
    made_by: Word = ""


OPS: tuple[type[Op], ...] = (
    Mkdir, Remove, Copy, Link, Fifo, Write, DumpEnvironment, Try, When,
)  # fmt: skip
STEPS: tuple[type[Step], ...] = (
    Files, Supervise, FixAttrs, Scripts, Services, Await, RunCommand,
    BringDown, AwaitDown, Sync, Terminate, Kill, Say,
)  # fmt: skip
