"""Boot and stop of s6-overlay v1 and v2, once for both.

The order of the steps, their texts and their limits are the contract of the overlay, sections
"Boot", "User directories", "Log output" and "Shutdown". What differs between the two is a
`Generation`. Where we do better on purpose:

* every grace time is the longest wait, never a sleep;
* TERM is the first signal of the stop, there is no HUP before it;
* the stop always comes to cont-finish.d: v2's wait for the services before it has a limit;
* hidden files can be included by fix-attrs in v1, too;
* `/run/service` and `/var/run/s6/services` exist both, wherever the file system lets us.
"""

from __future__ import annotations

from s6x.overlay import settings
from s6x.overlay.conditions import (
    command,
    command_ended,
    directory,
    equals,
    missing,
    negated,
    root,
    writable,
)
from s6x.overlay.plan import (
    Await,
    AwaitDown,
    BringDown,
    CatchAll,
    Command,
    Copy,
    DumpEnvironment,
    Environment,
    Failure,
    Fifo,
    Files,
    FixAttrs,
    Kill,
    Link,
    Mkdir,
    Plan,
    Remove,
    RunCommand,
    Say,
    Scripts,
    Services,
    Supervise,
    Sync,
    Terminate,
    Try,
    When,
    Write,
)
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.conditions import Conditions
    from s6x.overlay.plan import Op, Step

STATE = "/var/run/s6"
"""The state directory under the name that scripts of v1 and v2 know."""
TREE_PATH = "/usr/bin:/usr/sbin:/bin:/sbin"
"""PATH of everything but CMD, where the image does not say otherwise in /etc/s6/init/env."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of a container that has none."""
USER_DIRECTORIES = ("fix-attrs.d", "cont-init.d", "cont-finish.d", "services.d")

DUMP = "{run}/container_environment"
SCANDIR = "{run}/services"
CATCH_ALL_SERVICE = "s6-svscan-log"
"""The service that reads what nobody else logs; only where `S6_LOGGING` is on."""
CATCH_ALL_FIFO = "{run}/uncaught-logs-fifo"
UNCAUGHT_LOGS = "/var/log/s6-uncaught-logs"
CATCH_ALL_LOGS = "{run}/uncaught-logs"
"""Leads to UNCAUGHT_LOGS, or is a directory where that cannot be written to."""


HOOKS = ("/docker-mods",)
"""Programs that families of images call from their own copy of stage 2, first of all: they fetch
files, among them scripts and services that this boot is to run."""
HOOK_LINKS = "{run}/stage2.d"
"""Leads to those that the image has."""

_CATCH_ALL_IS_THERE = negated(missing(f"{SCANDIR}/{CATCH_ALL_SERVICE}/run"))


class Generation(Record):
    """What differs between v1 and v2."""

    name: str
    script_input: str
    """What scripts of cont-init.d read from stdin (`Scripts.input`)."""
    unspawnable: str
    """What a cont-init script that cannot be executed does (`Scripts.unspawnable`)."""
    not_found: int
    not_executable: int
    waits_for_services: bool
    """A stop that CMD's end did not cause waits for the services before cont-finish.d."""
    sync_when: Conditions
    signals: tuple[tuple[str, str], ...]
    repaired: tuple[tuple[str, str], ...]
    """User files whose permissions are repaired at boot: pattern below `etc`, mode."""


def repair_rules(generation: Generation, state: str = "{run}") -> str:
    """Return the rules that give user files the permissions that they need.

    With the default state directory this is a text of the plan; with a path it is the content of
    `/etc/s6/init/init-stage2-fixattrs.txt`.
    """
    # The numbers are for images that have no /etc/passwd.
    lines = [
        f"{state}/etc/{pattern} false root,0:0 {mode} 0755" for pattern, mode in generation.repaired
    ]
    return "".join(f"{line}\n" for line in lines)


def plan_of(generation: Generation, rules: str | None = None) -> Plan:
    """Return the plan of an image of this generation.

    `rules` replaces the permission rules for user files; it is a text of the plan.
    """
    return Plan(
        generation=generation.name,
        title=f"s6-svscan -t0 {SCANDIR}",
        run=(
            f"{{env:{settings.RUN.name}}}",
            STATE,
            "/run/s6",
            "{env:XDG_RUNTIME_DIR}/s6x",
            # The engine makes these 0700, and refuses a foreign one.
            "/tmp/s6x-{uid}",  # noqa: S108
            "/dev/shm/s6x-{uid}",  # noqa: S108
            "/dev/s6x-{uid}",
        ),
        default_path=DEFAULT_PATH,
        environment=Environment(
            export_cwd="CWD",
            keep_when=(settings.KEEP_ENV.on(),),
            tree=("{run}/env-stage1",),
            scripts=("/etc/s6/init/env-stage2", "{run}/env-stage2"),
            stop=("{run}/env-stage3",),
            dump=DUMP,
        ),
        command=Command(
            arg0_env=settings.CMD_ARG0.name,
            environment="container",
            not_found=generation.not_found,
            not_executable=generation.not_executable,
            signal_base=256,
            signal_exit_base=0,
            defaults=((settings.LOGGING.name, settings.LOGGING.default),),
        ),
        failure=Failure(
            level=settings.STAGE2_FAILS.number(),
            banner="\n!!!!!\n init-stage2 failed.\n!!!!!\n",
            exit_code=1,
        ),
        signals=generation.signals,
        boot=(*_stage1(), *_stage2(generation, rules), _command()),
        stop=_stop(generation),
        stop_limit_ms=settings.STOP_TIMEOUT.number(),
        exit_file="{run}/env-stage3/S6_STAGE2_EXITED",
        valid_when=(equals(settings.COMPAT.name, generation.name, generation.name),),
    )


def _stage1() -> tuple[Step, ...]:
    """Prepare the runtime directory, and start supervision."""
    return (
        Files(
            name="runtime directory",
            fatal=1,
            ops=(*_environment_ops(), *_scandir_ops(), *_hook_ops()),
        ),
        Files(name="well-known names", ops=_well_known_ops()),
        *_catch_all_preparation(),
        Supervise(
            name="supervision",
            scandir=SCANDIR,
            catch_all=CatchAll(
                when=(settings.LOGGING.on(), _CATCH_ALL_IS_THERE),
                fifo=CATCH_ALL_FIFO,
                command=(equals(settings.LOGGING.name, "2"),),
            ),
            fatal=1,
        ),
        Await(
            name="catch-all logger runs",
            # One that is told to end before it is ready would log nothing.
            when=(settings.LOGGING.on(), _CATCH_ALL_IS_THERE),
            source="/etc/s6/services",
            limit_ms=5000,
        ),
    )


def _catch_all_preparation() -> tuple[Step, ...]:
    """Make what the catch-all logger needs, or say why there is none."""
    wanted = settings.LOGGING.on()
    usable = writable(UNCAUGHT_LOGS)
    return (
        Say(
            name="no catch-all logger",
            when=(wanted, negated(_CATCH_ALL_IS_THERE)),
            say=f"s6x: warning: {settings.LOGGING.name} is set, but there is no catch-all logger: "
            f"{CATCH_ALL_SERVICE}/run is missing in /etc/s6/services. All output goes to the "
            "container's own stdout and stderr; s6x install puts it there\n",
        ),
        Files(
            name="catch-all logger",
            when=(wanted, _CATCH_ALL_IS_THERE),
            fatal=1,
            ops=(
                Fifo(CATCH_ALL_FIFO, 0o600),
                Try(Mkdir("/var/log", 0o755)),
                Try(Mkdir(UNCAUGHT_LOGS, 0o2700)),
                Remove(CATCH_ALL_LOGS),
                When((usable,), Link(UNCAUGHT_LOGS, CATCH_ALL_LOGS)),
                Mkdir(CATCH_ALL_LOGS, 0o700),
            ),
        ),
        FixAttrs(
            name="owner of the catch-all logs",
            when=(wanted, _CATCH_ALL_IS_THERE, root()),
            # What an earlier boot logged stays, and stays writable.
            rules=f"{CATCH_ALL_LOGS} true nobody,32768:32768 - 2700\n",
        ),
        Say(
            name="catch-all logs elsewhere",
            when=(wanted, _CATCH_ALL_IS_THERE, negated(usable)),
            say=f"s6x: warning: {UNCAUGHT_LOGS} cannot be written to: what no logger takes is "
            f"logged in {CATCH_ALL_LOGS}\n",
        ),
    )


def _environment_ops() -> tuple[Op, ...]:
    own = "/etc/s6/init/env"
    stages = tuple(f"{{run}}/env-stage{number}" for number in (1, 2, 3))
    return (
        Remove(DUMP),
        When((settings.KEEP_ENV.off(),), DumpEnvironment(DUMP)),
        *(Remove(stage) for stage in stages),
        When((directory(own),), Copy(own, stages[0])),
        *(Mkdir(stage, 0o755) for stage in stages),
        When((missing(f"{stages[0]}/PATH"),), Write(f"{stages[0]}/PATH", TREE_PATH, 0o644)),
    )


def _scandir_ops() -> tuple[Op, ...]:
    own = "/etc/s6/services"
    return (
        Remove(SCANDIR),
        When((directory(own),), Copy(own, SCANDIR)),
        Mkdir(SCANDIR, 0o755),
        When((settings.LOGGING.off(),), Remove(f"{SCANDIR}/{CATCH_ALL_SERVICE}")),
    )


def _hook_ops() -> tuple[Op, ...]:
    ops: list[Op] = [Remove(HOOK_LINKS)]
    for hook in HOOKS:
        there = (negated(missing(hook)),)
        name = hook.rpartition("/")[2]
        ops += [
            When(there, Mkdir(HOOK_LINKS, 0o755)),
            When(there, Link(hook, f"{HOOK_LINKS}/{name}")),
        ]
    return tuple(ops)


def _well_known_ops() -> tuple[Op, ...]:
    """Make the names that scripts use lead to the runtime directory, wherever it is."""
    elsewhere = negated(directory(f"{STATE}/services"))
    return (
        Try(Mkdir("/run", 0o755)),
        Try(Mkdir("/var/run", 0o755)),
        Try(Link("{run}", STATE)),
        Try(Link("{run}", "/run/s6")),
        Try(Link(SCANDIR, "/run/service")),
        # Nobody would find it: say where it is.
        When((elsewhere,), Write(f"{{run}}/env-stage1/{settings.RUN.name}", "{run}", 0o644)),
        When(
            (elsewhere, settings.KEEP_ENV.off()),
            Write(f"{DUMP}/{settings.RUN.name}", "{run}", 0o644),
        ),
    )


def _stage2(generation: Generation, rules: str | None) -> tuple[Step, ...]:
    """Do what the user's directories say."""
    etc = "{run}/etc"
    services = f"{etc}/services.d"
    return (
        Scripts(
            name="hooks of the image",
            when=(directory(HOOK_LINKS),),
            directory=HOOK_LINKS,
        ),
        Files(
            name="publish user files",
            say=f"[s6-init] making user provided files available at {etc}...",
            done="exited {code}.\n",
            checked=True,
            ops=_publish_ops(etc),
        ),
        FixAttrs(
            name="repair permissions",
            say="[s6-init] ensuring user provided files have correct perms...",
            done="exited {code}.\n",
            checked=True,
            rules=repair_rules(generation) if rules is None else rules,
        ),
        FixAttrs(
            name="fix-attrs.d",
            when=(directory(f"{etc}/fix-attrs.d"),),
            say="[fix-attrs.d] applying ownership & permissions fixes...\n",
            each="[fix-attrs.d] {name}: applying... \n",
            each_done="[fix-attrs.d] {name}: exited {code}.\n",
            done="[fix-attrs.d] done.\n",
            directory=f"{etc}/fix-attrs.d",
            hidden=(settings.FIX_ATTRS_HIDDEN.on(),),
        ),
        Scripts(
            name="cont-init.d",
            when=(directory(f"{etc}/cont-init.d"),),
            say="[cont-init.d] executing container initialization scripts...\n",
            each="[cont-init.d] {name}: executing... \n",
            each_done="[cont-init.d] {name}: exited {code}.\n",
            done="[cont-init.d] done.\n",
            checked=True,
            directory=f"{etc}/cont-init.d",
            limit_ms=settings.CONT_INIT_MAXTIME.number(),
            input=generation.script_input,
            unspawnable=generation.unspawnable,
        ),
        Services(
            name="services.d",
            when=(directory(services),),
            say="[services.d] starting services\n",
            checked=True,
            source=services,
        ),
        Await(
            name="wait for services",
            when=(directory(services), command(), settings.CMD_WAIT_FOR_SERVICES.on()),
            late="s6-svwait: fatal: timed out\n",
            checked=True,
            source=services,
            limit_ms=settings.CMD_WAIT_FOR_SERVICES_MAXTIME.number(),
        ),
        Say(
            name="services.d done",
            when=(directory(services),),
            say="[services.d] done.\n",
        ),
    )


def _publish_ops(etc: str) -> tuple[Op, ...]:
    """Link or copy the user's directories, from /etc or from the profile."""
    profile = settings.RUNTIME_PROFILE
    ops: list[Op] = [Remove(etc), Mkdir(etc, 0o755)]
    for chosen, source in (
        (negated(profile.given()), "/etc"),
        (profile.given(), f"/etc/cont-profile.d/{{env:{profile.name}}}"),
    ):
        for name in USER_DIRECTORIES:
            there = (chosen, directory(f"{source}/{name}"))
            read_only = settings.READ_ONLY_ROOT
            ops += [
                When((*there, read_only.off()), Link(f"{source}/{name}", f"{etc}/{name}")),
                When((*there, read_only.on()), Copy(f"{source}/{name}", f"{etc}/{name}")),
            ]
    return tuple(ops)


def _command() -> Step:
    return RunCommand(
        name="CMD",
        when=(command(),),
        done="[cmd] {word} exited {code}\n",
    )


def _stop(generation: Generation) -> tuple[Step, ...]:
    grace = settings.SERVICES_GRACETIME.number()
    finish = "{run}/etc/cont-finish.d"
    return (
        BringDown(
            name="bring services down",
            wait_when=(negated(command_ended()),) if generation.waits_for_services else None,
            limit_ms=grace,
        ),
        Scripts(
            name="cont-finish.d",
            when=(directory(finish),),
            say="[cont-finish.d] executing container finish scripts...\n",
            each="[cont-finish.d] {name}: executing... \n",
            each_done="[cont-finish.d] {name}: exited {code}.\n",
            done="[cont-finish.d] done.\n",
            late="s6-maximumtime: warning: unable to wait for child process: Operation timed out\n",
            directory=finish,
            cwd="/",
            input="none",
            limit_ms=settings.KILL_FINISH_MAXTIME.number(),
        ),
        AwaitDown(
            name="wait for services",
            say="[s6-finish] waiting for services.\n",
            late="s6-svwait: fatal: timed out\n",
            limit_ms=grace,
        ),
        Sync(
            name="sync disks",
            when=generation.sync_when,
            say="[s6-finish] syncing disks.\n",
        ),
        Terminate(
            name="terminate what is left",
            say="[s6-finish] sending all processes the TERM signal.\n",
            limit_ms=settings.KILL_GRACETIME.number(),
        ),
        Kill(
            name="kill what is left",
            say="[s6-finish] sending all processes the KILL signal and exiting.\n",
        ),
        Sync(name="sync disks again", when=generation.sync_when),
    )
