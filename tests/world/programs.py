"""The two sets of programs a test can run: ours, and the originals of Debian's s6 package.

A test takes the fixture `daemons` (what supervises), `tools` (what asks and commands), or both,
and is run for every pairing; theirs/theirs shows that the test itself is right. Where the two sets
differ on purpose, the difference is a field of `Expectations`: it has a name, a value for each set,
and a line in docs/differences.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

REPOSITORY = Path(__file__).resolve().parents[2]

EXECUTABLE_VARIABLE = "S6X_EXECUTABLE"
"""Names our multi-call executable when it is not where cargo or the package put it."""

APPLETS = (
    *("s6-supervise", "s6-svscan", "s6-svc", "s6-svscanctl", "s6-svstat", "s6-svok", "s6-svwait"),
    *("s6-svlisten", "s6-svlisten1", "s6-svdt", "s6-svdt-clear", "s6-permafailon", "s6-svperms"),
    *("s6-svlink", "s6-svunlink", "s6-mkfifodir", "s6-cleanfifodir", "s6-notifyoncheck"),
    *("s6-ftrig-notify", "s6-ftrig-wait", "s6-ftrig-listen1", "s6-ftrig-listen", "s6-ftrigrd"),
    *("s6-envdir", "s6-envuidgid", "s6-applyuidgid", "s6-setuidgid", "s6-setsid", "s6-softlimit"),
    *("s6-setlock", "s6-fghack"),
    *("s6-log", "s6-tai64n", "s6-tai64nlocal", "s6-socklog", "ucspilogd"),
    *("s6-ipcserver-socketbinder", "s6-ipcserver", "s6-ipcserverd", "s6-ipcclient"),
    *(f"s6-instance-{name}" for name in ("maker", "create", "delete", "control", "status", "list")),
    *(f"s6-fdholder-{name}" for name in ("daemon", "store", "retrieve", "delete", "list")),
    *("s6-fdholder-getdump", "s6-fdholder-setdump", "s6-fdholder-transferdump", "s6-fdholderd"),
    *("s6-connlimit", "s6-ioconnect", "s6-sudo", "s6-sudoc", "s6-sudod"),
    *("s6-ipcserver-access", "s6-accessrules-cdb-from-fs", "s6-accessrules-fs-from-cdb"),
    *("s6-usertree-maker",),
)
"""The programs these tests run."""


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""Put before a program, makes it run as an ordinary user (only root can)."""


@dataclass(frozen=True)
class Expectations:
    """Where the releases of s6 disagree, or we differ: what this set of programs does."""

    run_argv0: str
    """How `run` is called: `run` up to s6 2.11, `./run` later."""
    finish_arguments: int
    """3 up to s6 2.12; later the process group id is a fourth."""
    pause_counts_from: Literal["death", "start"]
    """From where the second of rest before an automatic start is counted."""
    retry_after_failed_exec_s: float
    marks_not_started: bool
    """Whether the first status of a supervisor carries the flag `paused` without a pid."""
    absent_finish_has_own_write: bool
    """Whether `d` and `D` come with two statuses although there is no finish."""
    partial_readiness_blocks: bool
    """Whether bytes without a newline freeze the supervisor until the line is complete."""
    adopts: bool
    """Whether a new supervisor takes over the service that a killed one left behind."""
    lock_fd_locks: bool
    """Whether `lock-fd` keeps a second copy of the service out."""
    subscriber_mode: int
    """The mode of the fifos that waiting programs make."""
    svdt_writes: bool
    """Whether reading a death tally creates or truncates it."""
    understands_2_13_status: bool
    """Whether a status of 43 bytes is decoded rather than misread."""
    shows_not_started: bool
    """Whether s6-svstat says so when a service was never started."""
    clamps_both_stamps: bool
    """Whether s6-svstat shows a future readystamp as 0 seconds, not as 584 billion years."""
    accepts_links_to_directories: bool
    """Whether supervise/ and event/ may be links to directories that exist already."""
    no_crash_script: int
    """The exit code of s6-svscan when neither its finish nor its crash script can be run."""
    trims_numbers: bool
    """Whether blanks around the number in a file are forgiven."""
    limit_of_services: str
    """The option of s6-svscan that limits services without loggers to a number."""
    starts_late_loggers: bool
    """Whether a `log` directory that appears later gets a supervisor at the next scan."""
    cleanfifodir_cleans: bool
    """Whether s6-cleanfifodir recognises subscriptions at all."""
    svwait_of_nothing_is_fine: bool
    """Whether s6-svwait without a directory is a success instead of wrong usage."""
    forgets_permanent_failures: bool
    """Whether s6-svwait waits on although each of several services has failed for good."""
    svc_has_signal_option: bool
    """Whether s6-svc knows `-s SIGNAL`."""
    svc_nobody_listens: int
    """The exit code of s6-svc when no supervisor listens."""
    svc_letters: str
    """The options of s6-svc that send a control byte."""
    svc_directories: Literal["first", "all"]
    """Which of several service directories s6-svc controls."""

    svlink_is_careful: bool
    """Whether s6-svlink and s6-svunlink refuse what they cannot do, and leave nothing behind."""
    notifyoncheck_ends_checks: bool
    """Whether s6-notifyoncheck ends a check that takes too long, rather than leave it alone."""
    notifyoncheck_passes_descriptor: bool
    """Whether checks get the readiness descriptor."""
    envdir_loses_last_lines: bool
    """Whether `s6-envdir -L` takes a line without newline as an empty value."""
    id_lists_may_end_in_anything: bool
    """Whether what is no number ends a list of groups, rather than being a mistake."""
    setuidgid_takes_zero_literally: bool
    """Whether 0 is an id for s6-setuidgid too, and not "leave it as it is"."""
    verifies_rights: bool
    """Whether rights that were given up are checked to be gone."""
    keeps_ambient_capabilities: bool
    """Whether ambient capabilities stay when one ordinary user becomes another."""
    setsid_grabs: bool
    """Whether `s6-setsid -g` gets the terminal, rather than ask for it for ever."""
    setsid_finds_the_terminal: bool
    """Whether s6-setsid takes `/dev/tty` when descriptor 0 is no terminal."""
    softlimit_ignores_mistakes: bool
    """Whether s6-softlimit passes over unknown options."""
    hard_limits_lower_soft_ones: bool
    """Whether `s6-softlimit -h` lowers a soft limit that would be above the hard one."""
    lock_is_the_files: bool
    """Whether the lock of s6-setlock belongs to its descriptor, wherever that is handed on."""
    setlock_of_2_12: bool
    """Whether s6-setlock knows `-d`, takes `-t 0` for no limit, and `-n` and `-t` as two things."""
    fghack_death_by_signal: int
    """The exit code of s6-fghack when SIGKILL ended the program."""

    log_keeps_last_line: bool
    """Whether s6-log writes a last line without newline when its input ends."""
    log_survives_kills: bool
    """Whether a killed logger loses no line, tears none, and the next one writes none twice."""
    log_recovers_at_once: bool
    """Whether s6-log starts in a logdir with both `previous` and `current` left by a crash."""
    log_keeps_empty: bool
    """Whether an empty `current` left by a crash becomes an archive."""
    log_forgets_previous: bool
    """Whether `previous` beside a complete `current` is overwritten by the next rotation."""
    log_processor_resets: bool
    """Whether `?` counts only up to the next action, after which the command is execline's."""
    log_writes_while_processing: bool
    """Whether `current` is written to while a processor works."""
    log_passes_new_state: bool
    """Whether a processor always finds descriptor 5 open."""
    socklog_is_careful: bool
    """Whether s6-socklog goes on after an empty datagram, reads nothing behind the end of one, says
    where one came from by UDP, and replaces nothing but sockets."""
    log_last_line_limited: bool
    """Whether s6-log knows `-t`."""
    log_stops_at_nul: bool
    """Whether a NUL, too, ends the line that s6-log completes after a signal to stop."""
    log_longest_last_line: int
    """With `-l48`, the length of the longest line that s6-log completes then."""

    binds_datagrams: bool
    """Whether s6-ipcserver-socketbinder binds a socket for datagrams without `-b 0`."""
    binds_nothing: bool
    """Whether an empty path gives a socket the abstract name of NULs."""
    refuses_sockets_without_clients: bool
    """Whether s6-ipcserverd ends on a socket that will never have a client."""
    ioconnect_obeys: bool
    """Whether SIGTERM ends s6-ioconnect."""
    sudo_of_nothing: int | None
    """What s6-sudod says when neither it nor the client names a program; None: an error."""
    sudo_sends_much: bool
    """Whether s6-sudoc can send more than its socket takes at once."""

    instance_is_all_or_nothing: bool
    """Whether makers and s6-instance-create leave nothing half made, or refuse at once."""
    instance_maker_gives_directories: bool
    """Whether `s6-instance-maker -u` makes a service that the user can run."""
    instance_maker_quotes_prefixes: bool
    """Whether a prefix of several words stays one for the logger."""

    fdholder_stores_closed: bool
    """Whether s6-fdholder-store without stdin stores whatever has its number by then."""
    fdholder_sets_large_dumps: bool
    """Whether a dump of more than 253 descriptors can be given to a holder."""
    fdholder_gives_large_dumps: bool
    """Whether a holder can give one."""
    fdholder_waits_for_the_rest: bool
    """Whether a holder takes requests that arrive in pieces."""
    fdholder_repeats_answers: bool
    """Whether a holder sends an answer again that was not taken at once."""
    fdholder_clients_are_careful: bool
    """Whether the holder's clients look at an answer before they read what is behind it."""


THEIRS = Expectations(
    run_argv0="run",
    finish_arguments=3,
    pause_counts_from="death",
    retry_after_failed_exec_s=10,
    marks_not_started=False,
    absent_finish_has_own_write=True,
    partial_readiness_blocks=True,
    adopts=False,
    lock_fd_locks=False,
    subscriber_mode=0o600,
    svdt_writes=True,
    understands_2_13_status=False,
    accepts_links_to_directories=False,
    no_crash_script=111,
    trims_numbers=False,
    limit_of_services="-c",
    starts_late_loggers=False,
    cleanfifodir_cleans=False,
    svwait_of_nothing_is_fine=False,
    forgets_permanent_failures=True,
    svc_has_signal_option=False,
    svc_nobody_listens=100,
    shows_not_started=False,
    clamps_both_stamps=False,
    svc_letters="abqhkti12pcyroduDUxOQ",
    svc_directories="first",
    svlink_is_careful=False,
    notifyoncheck_ends_checks=False,
    notifyoncheck_passes_descriptor=True,
    envdir_loses_last_lines=True,
    id_lists_may_end_in_anything=True,
    setuidgid_takes_zero_literally=False,
    verifies_rights=False,
    keeps_ambient_capabilities=True,
    setsid_grabs=False,
    setsid_finds_the_terminal=False,
    softlimit_ignores_mistakes=True,
    hard_limits_lower_soft_ones=False,
    lock_is_the_files=False,
    setlock_of_2_12=False,
    fghack_death_by_signal=111,
    log_keeps_last_line=False,
    log_survives_kills=False,
    log_recovers_at_once=False,
    log_keeps_empty=True,
    log_forgets_previous=True,
    log_processor_resets=True,
    log_writes_while_processing=False,
    log_passes_new_state=False,
    socklog_is_careful=False,
    log_last_line_limited=False,
    log_stops_at_nul=False,
    log_longest_last_line=49,
    binds_datagrams=False,
    binds_nothing=True,
    refuses_sockets_without_clients=False,
    ioconnect_obeys=False,
    instance_is_all_or_nothing=False,
    instance_maker_gives_directories=False,
    instance_maker_quotes_prefixes=False,
    fdholder_stores_closed=True,
    fdholder_sets_large_dumps=False,
    fdholder_gives_large_dumps=False,
    fdholder_waits_for_the_rest=False,
    fdholder_repeats_answers=True,
    fdholder_clients_are_careful=False,
    sudo_of_nothing=0,
    sudo_sends_much=False,
)
"""Debian's s6 2.11."""

OURS = Expectations(
    run_argv0="./run",
    finish_arguments=4,
    pause_counts_from="start",
    retry_after_failed_exec_s=10,
    marks_not_started=True,
    absent_finish_has_own_write=False,
    partial_readiness_blocks=False,
    adopts=True,
    lock_fd_locks=True,
    subscriber_mode=0o622,
    svdt_writes=False,
    understands_2_13_status=True,
    accepts_links_to_directories=True,
    no_crash_script=111,
    trims_numbers=True,
    limit_of_services="-C",
    starts_late_loggers=True,
    cleanfifodir_cleans=True,
    svwait_of_nothing_is_fine=False,
    forgets_permanent_failures=False,
    svc_has_signal_option=True,
    svc_nobody_listens=100,
    shows_not_started=True,
    clamps_both_stamps=True,
    svc_letters="abqhkti12pcyroduDUxOQPCKl",
    svc_directories="all",
    svlink_is_careful=True,
    notifyoncheck_ends_checks=True,
    notifyoncheck_passes_descriptor=False,
    envdir_loses_last_lines=False,
    id_lists_may_end_in_anything=False,
    setuidgid_takes_zero_literally=True,
    verifies_rights=True,
    keeps_ambient_capabilities=False,
    setsid_grabs=True,
    setsid_finds_the_terminal=True,
    softlimit_ignores_mistakes=False,
    hard_limits_lower_soft_ones=True,
    lock_is_the_files=True,
    setlock_of_2_12=True,
    fghack_death_by_signal=137,
    log_keeps_last_line=True,
    log_survives_kills=True,
    log_recovers_at_once=True,
    log_keeps_empty=False,
    log_forgets_previous=False,
    log_processor_resets=False,
    log_writes_while_processing=True,
    log_passes_new_state=True,
    socklog_is_careful=True,
    log_last_line_limited=True,
    log_stops_at_nul=True,
    log_longest_last_line=48,
    binds_datagrams=True,
    binds_nothing=False,
    refuses_sockets_without_clients=True,
    ioconnect_obeys=True,
    instance_is_all_or_nothing=True,
    instance_maker_gives_directories=True,
    instance_maker_quotes_prefixes=True,
    fdholder_stores_closed=False,
    fdholder_sets_large_dumps=True,
    fdholder_gives_large_dumps=True,
    fdholder_waits_for_the_rest=True,
    fdholder_repeats_answers=False,
    fdholder_clients_are_careful=True,
    sudo_of_nothing=None,
    sudo_sends_much=True,
)


@dataclass(frozen=True)
class Result:
    """How a program ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Programs:
    """A directory with every program under its own name."""

    name: Literal["ours", "theirs"]
    directory: Path
    expects: Expectations

    def path(self, program: str) -> Path:
        return self.directory / program

    def environment(self) -> dict[str, str]:
        """An environment in which a bare name finds a program of this set first."""
        return {"PATH": f"{self.directory}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}

    def run(
        self,
        program: str,
        *arguments: str | Path,
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 30,
    ) -> Result:
        """Run a program to its end. `under`: a chain of programs to start it with."""
        done = subprocess.run(
            [*under, self.path(program), *arguments],
            env={**self.environment(), **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout_s,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


def our_executable() -> Path | None:
    """Find the multi-call executable: by variable, in cargo's directory, in the package."""
    named = os.environ.get(EXECUTABLE_VARIABLE)
    if named:
        return Path(named)
    built = REPOSITORY / "target/debug/s6x"
    if built.exists():
        return built
    for place in ("python/s6x/_native/bin/s6x", *_installed()):
        if (REPOSITORY / place).exists():
            return REPOSITORY / place
    return None


def our_program(name: str) -> str:
    """Return the words that start a program of ours which s6 2.11 does not have."""
    executable = our_executable()
    assert executable, f"no executable: run cargo build, or name one in {EXECUTABLE_VARIABLE}"
    return f"{executable} {name}"


def ours(directory: Path) -> Programs | None:
    """Our set, as links made in `directory`; None if nothing is built."""
    executable = our_executable()
    if executable is None or not executable.exists():
        return None
    listed = subprocess.run(
        [executable, "--list-applets"], capture_output=True, text=True, check=False, timeout=30
    )
    names = set(listed.stdout.split()) if listed.returncode == 0 else set()
    for name in sorted(names | set(APPLETS) | {"s6x"}):
        (directory / name).symlink_to(executable.resolve())
    return Programs("ours", directory, OURS)


def theirs(directory: Path) -> Programs | None:
    """The originals, as links made in `directory`; None unless all of them are installed."""
    for name in APPLETS:
        found = shutil.which(name)
        if found is None:
            return None
        (directory / name).symlink_to(found)
    return Programs("theirs", directory, THEIRS)


def _installed() -> list[str]:
    from importlib.util import find_spec

    spec = find_spec("s6x")
    places = spec.submodule_search_locations if spec else None
    return [str(Path(place) / "_native/bin/s6x") for place in places or []]
