"""A plan for people: what boot and stop will do, in order, and why; and as JSON for programs."""

from __future__ import annotations

import json

from s6x.overlay import plan as plans
from s6x.overlay.codec import key_of
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from s6x.overlay.conditions import Condition
    from s6x.overlay.plan import Op, Plan, Step

SIGNALS = {
    "stop": "stops the container",
    "stop-now": "stops the container without waiting for the services",
    "rescan": "has the scan directory read again",
    "rescan-and-prune": "has the scan directory read again, and what is no longer in it stopped",
}


def to_json(plan: Plan) -> str:
    """Return the plan as JSON, with the keys of the format; indented, sorted, with a newline."""
    value = {"format": plans.FORMAT, "version": plans.VERSION, **_value(plan)}
    # Names in an image may be any bytes; what is no UTF-8 stays visible as an escape.
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def render_text(plan: Plan) -> str:
    """Return what the container will do, step by step, as text to be read."""
    lines = [
        f"generation  {plan.generation}",
        f"made by     {plan.made_by}",
        f"runs as     {plan.title}",
        f"state in    the first that can be used of {', '.join(plan.run)}, called {{run}} below",
    ]
    lines += ["", "boot"]
    for number, step in enumerate(plan.boot, 1):
        lines += _step_lines(number, step)
    level = _number(plan.failure.level)
    lines += [
        "",
        f"when a step marked * fails ({level}: 0 go on, 1 skip the rest and stay up, "
        f"2 stop with {plan.failure.exit_code}); stderr then says which script it was, how it "
        "ended, what is not done because of it, and its last lines",
        "",
        "stop",
    ]
    for number, step in enumerate(plan.stop, 1):
        lines += _step_lines(number, step)
    lines += ["", f"all of it   within {_limit(plan.stop_limit_ms)}", "", "signals"]
    lines += [f"  {name:<8}  {SIGNALS[action]}" for name, action in plan.signals]
    lines += ["", "depends on"]
    lines += [f"  {path} ({_input(fingerprint)})" for path, fingerprint in plan.inputs]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> Any:
    """Return a record as JSON knows it: what is empty is left out, as on the wire."""
    if isinstance(value, plans.Op):
        return [value.word, *_op_values(value)]
    if isinstance(value, Record):
        inner = {
            key_of(name): _value(getattr(value, name))
            for name in value.fields
            if getattr(value, name) not in (None, False, "", ())
        }
        return {"do": value.do, **inner} if isinstance(value, plans.Step) else inner
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return value


def _op_values(op: Op) -> list[Any]:
    values: list[Any] = []
    for name in op.fields:
        value = _value(getattr(op, name))
        values += value if name == "op" else [value]
    return values


def _step_lines(number: int, step: Step) -> list[str]:
    mark = "*" if step.checked else " "
    lines = [f"{number:3}.{mark}{step.name}: {_what(step)}"]
    lines += [f"       if {_condition(condition)}" for condition in step.when]
    if isinstance(step, plans.Files):
        lines += [f"       - {_op(op)}" for op in step.ops]
    if isinstance(step, plans.FixAttrs) and step.rules:
        lines += [f"       - {line}" for line in step.rules.splitlines()]
    if isinstance(step, plans.Supervise) and step.catch_all is not None:
        lines += _catch_all(step.catch_all)
    if step.say and not isinstance(step, plans.Say):
        lines.append(f"       prints {step.say.rstrip()!r}")
    if step.fatal is not None:
        lines.append(f"       a failure ends the container with {step.fatal}")
    return lines


def _what(step: Step) -> str:  # noqa: C901
    match step:
        case plans.Files():
            return "files"
        case plans.Supervise():
            return f"supervise {step.scandir}, and wait until all supervisors run"
        case plans.FixAttrs():
            return f"set owners and modes by the rules {step.directory or 'below'}"
        case plans.Scripts():
            limit = _limit(step.limit_ms)
            return f"run each file of {step.directory} in {step.cwd}, each within {limit}"
        case plans.Services():
            return f"start the services of {step.source}"
        case plans.Await():
            return f"wait until those of {step.source} are ready, at most {_limit(step.limit_ms)}"
        case plans.RunCommand():
            return "run CMD; when it ends, the container stops with its exit code"
        case plans.BringDown():
            return f"send TERM to every service{_bring_down(step)}"
        case plans.AwaitDown():
            return f"wait until no service is left, at most {_limit(step.limit_ms)}"
        case plans.Sync():
            return "flush the disks"
        case plans.Terminate():
            limit = _limit(step.limit_ms, zero="no time at all")
            return f"send TERM to everything left, and wait for its end, at most {limit}"
        case plans.Kill():
            return "send KILL to everything left"
        case _:
            return f"print {step.say.rstrip()!r}"


def _catch_all(logger: plans.CatchAll) -> list[str]:
    reasons = " and ".join(_condition(condition) for condition in logger.when) or "always"
    lines = [f"       if {reasons}: all output but CMD's goes to {logger.fifo}"]
    if logger.command is not None:
        also = " and ".join(_condition(condition) for condition in logger.command) or "always"
        lines.append(f"       if {also}: CMD's output, too")
    return lines


def _bring_down(step: plans.BringDown) -> str:
    if step.wait_when is None:
        return ", and go on at once"
    reasons = " and ".join(_condition(condition) for condition in step.wait_when) or "always"
    return f"; if {reasons}, wait for their end, at most {_limit(step.limit_ms)}"


def _op(op: Op) -> str:
    match op:
        case plans.When():
            reasons = " and ".join(_condition(condition) for condition in op.conditions)
            return f"if {reasons}: {_op(op.op)}"
        case plans.Try():
            return f"if possible: {_op(op.op)}"
        case plans.Mkdir() | plans.Fifo():
            return f"{op.word} {op.path} {op.mode:04o}"
        case plans.Copy():
            return f"copy {op.source} to {op.path}"
        case plans.Link():
            return f"link {op.path} to {op.target}"
        case plans.Write():
            return f"write {op.content!r} to {op.path}"
        case plans.DumpEnvironment():
            return f"write the container's environment to {op.path}"
        case plans.Remove():
            return f"remove {op.path}"
        case _:
            return repr(op)


def _condition(condition: Condition) -> str:  # noqa: C901
    if condition[0] == "not":
        return f"not ({_condition(condition[1:])})"
    kind, args = condition[0], condition[1:]
    match kind:
        case "set":
            return f"{args[0]} is set"
        case "zero":
            return f"{args[0]} is 0 or unset"
        case "nonzero":
            return f"{args[0]} is not 0"
        case "equals":
            return f"{args[0]} is {args[1]}"
        case "directory":
            return f"{args[0]} is a directory"
        case "missing":
            return f"there is no {args[0]}"
        case "writable":
            return f"{args[0]} can be written to"
        case "root":
            return "the container's user is root"
        case "command":
            return "there is a CMD"
        case _:
            return "CMD ended"


def _number(number: plans.Number) -> str:
    return str(number) if isinstance(number, int) else f"{number.env}, {number.default} if unset"


def _limit(number: plans.Number, zero: str = "any time") -> str:
    if isinstance(number, int):
        return f"{number} ms" if number else zero
    default = f"{number.default} ms" if number.default else zero
    return f"{default} ({number.env})"


def _input(fingerprint: str) -> str:
    kinds = {"-": "absent", "e": "there", "d": "its names", "f": "its content"}
    return kinds.get(fingerprint[:1], fingerprint)
