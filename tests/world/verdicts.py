"""What may come of a random container: the model that the real one is compared with.

- Output: init's lines come in the order of the contract (s6-overlay §7), each at most once, scripts
  in pairs and in the order of their names; a stop that was not cut short is complete.
- Exit code: the first cause decides. CMD's end: its code. A failure that matters: 1. Somebody's
  wish: 0, or what CMD itself exits with then. What somebody wrote to the exit file counts before
  that. No plan, or no place: 111 and a sentence.
- Time: every limit is the longest wait; all of them together are the budget of a stop.
- Logs: the lines of one life of a service are there from the first one on, each once, in order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from world.random_trees import KILLED, TERMINATED, RandomTree

MARGIN_S: Final = 6.0
"""For a busy machine, and for what cannot be killed at once."""
AFTER_KILL_S: Final = 2.0
SYNC_S: Final = 10.0
"""How long flushing the disks may take; the stop's own limit is over by then."""

ORDER: Final = {
    r"\[s6-init\] making user provided files available at \S+\.\.\.(?:exited \d+\.)?": "publish",
    r"\[s6-init\] ensuring user provided files have correct perms\.\.\.(?:exited \d+\.)?": "repair",
    r"\[fix-attrs\.d\] applying ownership & permissions fixes\.\.\.": "fix-attrs.d",
    r"\[fix-attrs\.d\] done\.": "fix-attrs.d done",
    r"\[cont-init\.d\] executing container initialization scripts\.\.\.": "cont-init.d",
    r"\[cont-init\.d\] done\.": "cont-init.d done",
    r"\[services\.d\] starting services": "services.d",
    r"\[services\.d\] done\.": "services.d done",
    r" init-stage2 failed\.": "failed",
    r"\[cmd\] \S+ exited \d+": "cmd",
    r"\[cont-finish\.d\] executing container finish scripts\.\.\.": "cont-finish.d",
    r"\[cont-finish\.d\] done\.": "cont-finish.d done",
    r"\[s6-finish\] waiting for services\.": "waiting",
    r"\[s6-finish\] syncing disks\.": "syncing",
    r"\[s6-finish\] sending all processes the TERM signal\.": "TERM",
    r"\[s6-finish\] sending all processes the KILL signal and exiting\.": "KILL",
}
"""Init's lines, in their order."""
PLACES: Final = list(ORDER.values())
SCRIPT: Final = re.compile(
    r"\[((?:cont-init|cont-finish|fix-attrs)\.d)\] (\S+): "
    r"(?:(?:executing|applying)\.\.\. |exited (\d+)\.)"
)
CMD: Final = re.compile(r"^\[cmd\] \S+ exited (\d+)$", re.MULTILINE)
STOPS: Final = "init:   the container stops, with exit code 1 "
LIFE: Final = re.compile(r"(s\d) (\d+) (\d+)( x*)?")


@dataclass
class Outcome:
    """How a container ended."""

    code: int
    out: str
    err: str
    caught: str | None
    """The lines of the catch-all logger, if there was one."""
    logs: dict[str, bytes]
    """The lines of services with a logger."""
    left: list[str]
    """Processes of the container that outlived it."""
    bystander: bool
    """Whether the process that has nothing to do with it is as it was."""
    took_s: float
    """From the last TERM to the end."""
    done: list[str]
    """The faults that happened."""

    def had(self, what: str) -> bool:
        return any(what in done for done in self.done)


def budget_s(tree: RandomTree) -> float:
    """How long a stop may take that begins now, whatever has happened."""
    grace = tree.limit_s("S6_KILL_GRACETIME", 3000)
    services = tree.limit_s("S6_SERVICES_GRACETIME", 3000)
    finish = tree.limit_s("S6_KILL_FINISH_MAXTIME", 5000)
    total = grace + AFTER_KILL_S  # the script of boot that runs
    total += 2 * services + grace
    total += len(tree.stop_scripts) * (finish + AFTER_KILL_S)
    if "S6X_STOP_TIMEOUT" in tree.env:
        limited = services and finish  # 0: without limit
        own = tree.limit_s("S6X_STOP_TIMEOUT", 0)
        total = min(own, total) if limited else own
    if tree.generation == "v1" or "S6_SYNC_DISKS" in tree.env:
        total += SYNC_S + AFTER_KILL_S  # whoever does it may have been stopped
    return total + MARGIN_S


def complaints(tree: RandomTree, outcome: Outcome) -> list[str]:
    """Return what is wrong with an outcome, one sentence each."""
    wrong = []
    if outcome.left:
        wrong.append(f"processes outlived init: {outcome.left}")
    if not outcome.bystander:
        wrong.append("a process that is not init's was signalled")
    gave_up = re.search("^init: fatal: .*(planner|the plan).*", outcome.err, re.MULTILINE)
    if gave_up and not outcome.had("SIGKILL"):
        wrong.append(f"nothing was wrong with the planner, and init said {gave_up[0]!r}")
    if "panicked" in outcome.err + (outcome.caught or ""):
        wrong.append("something panicked")
    text = outcome.out if outcome.caught is None else outcome.out + outcome.caught
    wrong += _sequence(tree, outcome, text)
    allowed = _codes(tree, outcome, text)
    if outcome.code not in allowed:
        wrong.append(f"the exit code is {outcome.code}, not one of {sorted(allowed)}")
    for name, log in outcome.logs.items():
        wrong += _lines(f"the log of {name}", log.decode(errors="replace"), whole=True)
    wrong += _lines("the output", text, whole=False)
    return wrong


def _sequence(tree: RandomTree, outcome: Outcome, text: str) -> list[str]:
    wrong = []
    last = -1
    seen: set[str] = set()
    scripts: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for line in text.splitlines():
        if pair := SCRIPT.fullmatch(line):
            scripts[pair[1]].append((pair[2], pair[3]))
            if pair[1] != PLACES[last]:
                wrong.append(f"{line!r} after {PLACES[last]!r}")
            continue
        place = next((name for it, name in ORDER.items() if re.fullmatch(it, line)), None)
        if place is None:
            continue
        if PLACES.index(place) <= last:
            wrong.append(f"{line!r} after {PLACES[last]!r}")
        last = PLACES.index(place)
        seen.add(place)
    for where, pairs in scripts.items():
        wrong += _pairs(tree, outcome, where, pairs)
    if not _cut_short(tree, outcome):
        ends = {"waiting", "TERM", "KILL"}
        if tree.stop_scripts and "cont-init.d done" in seen:
            ends |= {"cont-finish.d", "cont-finish.d done"}
        if not ends <= seen:
            wrong.append(f"the stop lacks {sorted(ends - seen)}")
    return wrong


def _cut_short(tree: RandomTree, outcome: Outcome) -> bool:
    """Whether some of the stop's lines may be missing."""
    return (
        "S6X_STOP_TIMEOUT" in tree.env
        or "init: fatal: " in outcome.err
        or outcome.caught is not None  # its logger may be dead by then
        or not outcome.out
    )


def _pairs(
    tree: RandomTree, outcome: Outcome, where: str, pairs: list[tuple[str, str | None]]
) -> list[str]:
    """What is wrong with the lines of a directory's scripts: in turn, `executing` and `exited`."""
    if where == "fix-attrs.d":
        return []
    scripts = tree.boot_scripts if where == "cont-init.d" else tree.stop_scripts
    wrong = []
    begun = [name for name, code in pairs if code is None]
    if begun != sorted(scripts)[: len(begun)]:
        wrong.append(f"{where} ran {begun} of {sorted(scripts)}")
    ended = [(name, int(code)) for name, code in pairs if code is not None]
    if [name for name, _ in ended] != begun[: len(ended)] or len(begun) > len(ended) + 1:
        wrong.append(f"{where}: {pairs} are no pairs")
    for name, code in ended:
        allowed = {*scripts[name].codes, 99} if name in scripts else set()
        if outcome.had("SIGKILL") or outcome.had("signal"):
            allowed |= {KILLED, TERMINATED}
        if code not in allowed:
            wrong.append(f"{where}/{name} exited {code}, not one of {sorted(allowed)}")
    return wrong


def _codes(tree: RandomTree, outcome: Outcome, text: str) -> set[int]:
    """Return the exit codes that a container may have that said this."""
    if re.search("^init: fatal: (?!unable to exec)", outcome.err, re.MULTILINE):
        return {1} if outcome.out else {1, 111}
    if not text and outcome.had("SIGKILL to") and outcome.caught is None:
        return {0, 1}  # whoever prepared the runtime directory
    allowed = set(tree.files_written)
    if ended := CMD.search(text):
        shown = int(ended[1])
        assert shown in {*tree.command_codes, KILLED, TERMINATED}, f"CMD exited {shown}"
        return allowed | {shown % 256}
    unknown = outcome.caught is not None
    if " init-stage2 failed." in text:
        return allowed | {1}
    if STOPS in outcome.err or STOPS in (outcome.caught or ""):
        return allowed | {1}
    allowed.add(0)
    allowed |= {code for code in tree.command_codes if code < 256}
    if unknown:  # what was said last may not have been logged
        allowed |= {1, 9, 11, 15, *(code % 256 for code in tree.command_codes)}
    return allowed


def _lines(where: str, text: str, *, whole: bool) -> list[str]:
    """Check that each life of a service is there from its first line on, each line once."""
    wrong = []
    following: dict[tuple[str, str], int] = defaultdict(lambda: 1)
    for line in text.splitlines():
        numbered = LIFE.fullmatch(line)
        if not numbered:
            if whole and re.match(r"s\d \d", line):
                wrong.append(f"{where} has a torn line: {line!r}")
            continue
        life = (numbered[1], numbered[2])
        if int(numbered[3]) != following[life]:
            wrong.append(f"{where} has {line!r} where {following[life]} is next")
        following[life] = int(numbered[3]) + 1
    return wrong[:5]
