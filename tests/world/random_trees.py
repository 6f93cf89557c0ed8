"""A random image of v1 or v2, and how it is run: the same for the same seed.

Everything in it may go wrong by itself: scripts that fail, hang, ignore SIGTERM or leave processes
behind, services that flap or never report ready. What may come of it is told beside it, for
`verdicts`. The faults that are added from outside are in `random_faults`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from world.images import Role
from world.tree import Content

STATE: Final = "/run/s6"
"""The runtime directory; `/var/run` leads there."""
EXIT_FILE: Final = f"{STATE}/env-stage3/S6_STAGE2_EXITED"
KILLED: Final = 265
"""How the end of a script is shown that SIGKILL ended."""
TERMINATED: Final = 271
"""The same for SIGTERM."""

AWAY = "(setsid sh -c 'sleep 1000 & sleep 1000' &)"
"""A daemon: another session, no parent."""
STUBBORN = "trap '' TERM HUP INT"
STOP = "s6-svscanctl -t /var/run/s6/services"


@dataclass(frozen=True)
class Script:
    """A script and the codes it may end with by itself; none: it does not."""

    body: str
    codes: tuple[int, ...]
    file: int | None = None
    """What it may write to the exit file."""

    def text(self) -> str:
        return f"#!/bin/sh\n{self.body}\n"


@dataclass
class RandomTree:
    """An image, how it is run, and what may come of it."""

    seed: int
    generation: str
    role: Role
    runtime: str
    files: dict[str, Content] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    command_codes: tuple[int, ...] = ()
    """What CMD may end with by itself, as the log line shows it."""
    boot_scripts: dict[str, Script] = field(default_factory=dict)
    stop_scripts: dict[str, Script] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    talkers: list[str] = field(default_factory=list)
    """Services with a logger, which number their lines."""
    files_written: set[int] = field(default_factory=set)
    """What somebody may write to the exit file."""
    read_only: bool = False
    small: str = ""
    """A directory with little space: `/run` or `/logs`."""
    planned: bool = True

    @property
    def level(self) -> int:
        return int(self.env.get("S6_BEHAVIOUR_IF_STAGE2_FAILS", "0"))

    @property
    def logging(self) -> int:
        return int(self.env.get("S6_LOGGING", "0"))

    def limit_s(self, name: str, default_ms: int) -> float:
        return int(self.env.get(name, default_ms)) / 1000


def random_tree(seed: int) -> RandomTree:
    """Return the tree of a seed."""
    chance = random.Random(seed)
    tree = RandomTree(
        seed,
        generation=chance.choice(["v1", "v2"]),
        role=chance.choice(["pid1", "child"]),
        runtime=chance.choices(["unshare", "runc"], [6, 1])[0],
    )
    _settings(chance, tree)
    _scripts(chance, tree)
    _services(chance, tree)
    _command(chance, tree)
    tree.planned = chance.random() < 0.85
    tree.small = chance.choices(["", "/run", "/logs"], [6, 1, 1])[0]
    tree.read_only = chance.random() < 0.15
    if tree.read_only:
        tree.env["S6_READ_ONLY_ROOT"] = "1"
    return tree


def _settings(chance: random.Random, tree: RandomTree) -> None:
    """Choose variables; limits are short, and one that is 0 has the stop's own limit above it."""
    env = tree.env
    env["S6_KILL_GRACETIME"] = str(chance.choice([0, 100, 300]))
    env["S6_SERVICES_GRACETIME"] = str(chance.choice([100, 300, 600]))
    env["S6_KILL_FINISH_MAXTIME"] = str(chance.choice([150, 400]))
    env["S6X_CONT_INIT_MAXTIME"] = str(chance.choice([0, 300, 600]))
    env["S6_LOGGING"] = str(chance.choices([0, 1, 2], [6, 2, 1])[0])
    env["S6_BEHAVIOUR_IF_STAGE2_FAILS"] = str(chance.choices([0, 1, 2], [3, 1, 2])[0])
    if chance.random() < 0.3:
        env["S6_CMD_WAIT_FOR_SERVICES"] = "1"
        env["S6_CMD_WAIT_FOR_SERVICES_MAXTIME"] = str(chance.choice([200, 500]))
    if chance.random() < 0.2:
        env["S6_KEEP_ENV"] = "1"
    if chance.random() < 0.2:
        env["S6X_STOP_TIMEOUT"] = str(chance.choice([200, 700]))
        unlimited = ["S6_SERVICES_GRACETIME", "S6_KILL_FINISH_MAXTIME"]
        for name in chance.sample(unlimited, chance.randrange(3)):
            env[name] = "0"
    if tree.generation == "v2" and chance.random() < 0.1:
        env["S6_SYNC_DISKS"] = "1"


def _nap(chance: random.Random) -> str:
    return f"sleep {chance.choice([0, 0, 0.05, 0.15])}"


def _script(chance: random.Random) -> Script:
    code = chance.choice([1, 7, 99, 111, 255])
    nap = _nap(chance)
    made: list[Callable[[], Script]] = [
        lambda: Script(f"{nap}; exit 0", (0,)),
        lambda: Script(f"{nap}; exit {code}", (code,)),
        lambda: Script(f"{nap}; kill -SEGV $$", (256 + 11,)),
        lambda: Script("exec sleep 1000", ()),
        lambda: Script(f"{STUBBORN}; while :; do sleep 1; done", ()),
        lambda: Script(f"trap 'exit {code}' TERM; while :; do sleep 0.05; done", (code,)),
        lambda: Script(f"{AWAY}; exit 0", (0,)),
        lambda: Script(f"{STUBBORN}; {AWAY}; exit 0", (0,)),
        lambda: Script(f"echo {code} >{EXIT_FILE}; exit 0", (0, 1, 2), code),
        lambda: Script(f"{STOP}; {nap}; exit 0", (0, TERMINATED, KILLED)),
    ]
    return chance.choices(made, [8, 3, 1, 1, 1, 1, 2, 1, 1, 0.5])[0]()


def _scripts(chance: random.Random, tree: RandomTree) -> None:
    for where, scripts, most in (
        ("cont-init.d", tree.boot_scripts, 5),
        ("cont-finish.d", tree.stop_scripts, 3),
    ):
        for number in range(chance.randrange(most)):
            script = _script(chance)
            name = f"{chance.choice('aZ0')}{number}"
            scripts[name] = script
            tree.files[f"etc/{where}/{name}!"] = script.text()
            if script.file is not None:
                tree.files_written.add(script.file)
    if chance.random() < 0.15:
        tree.boot_scripts["odd"] = Script("", (127,))
        tree.files["etc/cont-init.d/odd!"] = chance.choice(["no shebang\n", "#!/no/such\n"])
    if chance.random() < 0.3:
        tree.files["data/x"] = tree.files["data/y z"] = "x"
        rules = "/data true nobody,65534:65534 0600 0700\n/no/such true root 0600 0700\n# x\n"
        tree.files["etc/fix-attrs.d/a"] = rules


TALK = """\
n=0
while [ $n -lt {count} ]; do n=$((n+1)); echo "{name} $$ $n xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; done
{then}"""
"""Lines to recognise: who, which of its lives, which line of that life."""


def _run(chance: random.Random, name: str) -> str:
    talks = TALK.format(
        name=name, count=chance.choice([10, 400]), then=chance.choice(["exec sleep 1000", "exit 1"])
    )
    goes_on = 'while :; do n=$((n+1)); echo "' + name + ' $$ $n"; sleep 0.02; done'
    kinds = {
        "exec sleep 1000": 5,
        f"{STUBBORN}; exec sleep 1000": 2,
        f"{STUBBORN}; while :; do sleep 1; done": 1,
        "exit 3": 1,
        "kill -SEGV $$": 1,
        f"{AWAY}; exec sleep 1000": 2,
        f"{AWAY}; exit 0": 1,
        "echo >&3; exec sleep 1000": 2,
        talks: 3,
        f"n=0; {goes_on}": 3,
        f"sleep 0.3; {STOP}; exec sleep 1000": 0.3,
    }
    return chance.choices(list(kinds), list(kinds.values()))[0]


def _finish(chance: random.Random) -> str:
    kinds = {
        "exit 0": 4,
        "exit 125": 1,
        "exec sleep 1000": 1,
        f"{STUBBORN}; while :; do sleep 1; done": 1,
        f"{AWAY}": 1,
        f"echo 77 >{EXIT_FILE}; {STOP}": 0.5,
    }
    return chance.choices(list(kinds), list(kinds.values()))[0]


def _services(chance: random.Random, tree: RandomTree) -> None:
    for number in range(chance.randrange(5)):
        name = f"s{number}"
        tree.services.append(name)
        at = f"etc/services.d/{name}"
        tree.files[f"{at}/run!"] = f"#!/bin/sh\n{_run(chance, name)}\n"
        if chance.random() < 0.4:
            body = _finish(chance)
            tree.files[f"{at}/finish!"] = f"#!/bin/sh\n{body}\n"
            if "77" in body:
                tree.files_written.add(77)
        if chance.random() < 0.4:
            tree.talkers.append(name)
            # A service that talks has only lines to recognise on stdout: that is where logs begin.
            logger = f"#!/bin/sh\nexec s6-log n9999 s4096 /logs/{name}\n"
            tree.files[f"{at}/log/run!"] = logger
        small = {"notification-fd": "3\n", "down": "", "timeout-kill": "200\n"}
        for file, content in small.items():
            if chance.random() < (0.4 if file == "notification-fd" else 0.15):
                tree.files[f"{at}/{file}"] = content


def _command(chance: random.Random, tree: RandomTree) -> None:
    code = chance.choice([0, 1, 5, 77, 255])
    nap = chance.choice([0, 0.1, 0.6])
    not_found, not_executable = (127, 126) if tree.generation == "v2" else (111, 111)
    shell = ("sh", "-c")
    kinds: list[tuple[tuple[str, ...], tuple[int, ...]]] = [
        ((), ()),
        ((*shell, f"sleep {nap}; exit {code}"), (code,)),
        ((*shell, f"sleep {nap}; kill -SEGV $$"), (256 + 11,)),
        (("sleep", "1000"), ()),
        ((*shell, f"trap 'exit {code}' TERM; while :; do sleep 0.05; done"), (code,)),
        ((*shell, f"{STUBBORN}; while :; do sleep 1; done"), ()),
        ((*shell, f"{AWAY}; exit {code}"), (code,)),
        (("/no/such",), (not_found,)),
        (("/etc/passwd",), (not_executable,)),
        ((*shell, f"{STOP}; exec sleep 1000"), ()),
    ]
    weights = [4, 4, 1, 2, 2, 1, 1, 0.5, 0.5, 0.5]
    tree.command, tree.command_codes = chance.choices(kinds, weights)[0]
