"""Plan ⇄ bytes. One walk over the fields of the plan's types, steered by their annotations.

Both directions check everything that the engine would refuse (unknown placeholders, conditions of
a wrong shape, unknown kinds), so that a mistake is found where the plan is made or looked at, and
not by PID 1.
"""

from __future__ import annotations

from s6x.overlay import bencode, conditions, plan, text
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from s6x.overlay.bencode import Value

    T = TypeVar("T", bound=Record)

RENAMED = {"source": "from"}
"""Fields whose key is a reserved word of Python."""

CHOICES = {
    "unspawnable": ("abort", "code"),
    "environment": ("container", "tree"),
    "input": ("container", "none"),
    "generation": ("v1", "v2"),
}
ACTIONS = ("stop", "stop-now", "rescan", "rescan-and-prune")
"""What a signal may mean."""

_OPS = {kind.word: kind for kind in plan.OPS}
_STEPS = {kind.do: kind for kind in plan.STEPS}


class PlanFormatError(ValueError):
    """A plan, or bytes that should be one, break a rule of the format."""

    def __init__(self, where: str, why: str) -> None:
        """Say where in the plan, and what is wrong."""
        super().__init__(f"{where}: {why}")


def encode(value: plan.Plan) -> bytes:
    """Return the plan's bytes; equal plans have equal bytes.

    Raises PlanFormatError for a plan that the engine would refuse.
    """
    wire = _record(value, "plan")
    wire[b"format"] = plan.FORMAT.encode()
    wire[b"version"] = plan.VERSION
    return bencode.encode(wire)


def decode(data: bytes) -> plan.Plan:
    """Return the plan that these bytes hold.

    Raises PlanFormatError, which says where, for anything else.
    """
    try:
        wire = bencode.decode(data)
    except bencode.BencodeError as error:
        raise PlanFormatError("plan", str(error)) from None
    if not isinstance(wire, dict) or wire.pop(b"format", None) != plan.FORMAT.encode():
        raise PlanFormatError("plan", "this is not a plan of s6x")
    version = wire.pop(b"version", None)
    if version != plan.VERSION:
        raise PlanFormatError(
            "plan",
            f"version {version!r} of the format, and this s6x reads version {plan.VERSION}: "
            "make the plan again with this s6x",
        )
    return _read_record(plan.Plan, wire, "plan")


def key_of(field: str) -> str:
    """Return a field's key on the wire."""
    return RENAMED.get(field, field.replace("_", "-"))


# Writing.


def _record(value: Record, where: str) -> dict[bytes, Value]:
    wire: dict[bytes, Value] = {}
    extra = getattr(value, "placeholders", ())
    for field, kind in value.fields.items():
        content = getattr(value, field)
        if content is None or content is False:
            continue
        if content in ("", ()) and getattr(type(value), field, content) == content:
            continue
        key = key_of(field)
        there = f"{where}.{key}"
        _check_choice(field, kind, content, there)
        wire[key.encode()] = _write(kind.removesuffix(" | None"), content, there, extra)
    return wire


def _write(kind: str, value: Any, where: str, extra: tuple[str, ...]) -> Value:  # noqa: C901
    match kind:
        case "int" | "Flag":
            return int(value)
        case "Word":
            return _bytes(value)
        case "Text":
            return _text(value, where, extra)
        case "Texts":
            return [_text(item, f"{where}[{i}]", extra) for i, item in enumerate(value)]
        case "Words":
            return [_bytes(item) for item in value]
        case "Actions":
            return {_bytes(name): _bytes(action) for name, action in value}
        case "Pairs":
            return [[_bytes(word) for word in pair] for pair in value]
        case "Number":
            return value if isinstance(value, int) else _record(value, where)
        case "Conditions":
            return [_condition(item, f"{where}[{i}]") for i, item in enumerate(value)]
        case "Ops":
            return [_op(item, f"{where}[{i}]") for i, item in enumerate(value)]
        case "Steps":
            return [_step(item, f"{where}[{i}]") for i, item in enumerate(value)]
        case _:
            return _record(value, where)


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


def _text(value: str, where: str, extra: tuple[str, ...]) -> bytes:
    try:
        text.check(value, extra)
    except text.TextError as error:
        raise PlanFormatError(where, str(error)) from None
    return _bytes(value)


def _condition(value: conditions.Condition, where: str) -> Value:
    why = conditions.fault(value)
    if why is not None:
        raise PlanFormatError(where, why)
    if value[value[0] == "not"] in conditions.PATH_KINDS:
        _text(value[-1], where, ())
    return [_bytes(word) for word in value]


def _op(value: plan.Op, where: str) -> list[Value]:
    wire: list[Value] = [value.word.encode()]
    for field, kind in value.fields.items():
        content = getattr(value, field)
        if kind == "Op":
            wire += _op(content, where)
        else:
            wire.append(_write(kind, content, f"{where}.{field}", ()))
    return wire


def _step(value: plan.Step, where: str) -> Value:
    return {**_record(value, f"{where}({value.name})"), b"do": value.do.encode()}


# Reading.


def _read_record(cls: type[T], wire: Value, where: str) -> T:
    if not isinstance(wire, dict):
        raise PlanFormatError(where, "a dictionary is expected here")
    fields = {key_of(field).encode(): (field, kind) for field, kind in cls.fields.items()}
    extra = getattr(cls, "placeholders", ())
    named: dict[str, Any] = {}
    for key, value in wire.items():
        if key not in fields:
            raise PlanFormatError(where, f"unknown key {_show(key)}")
        field, kind = fields[key]
        there = f"{where}.{key_of(field)}"
        named[field] = _read(kind.removesuffix(" | None"), value, there, extra)
        _check_choice(field, kind, named[field], there)
    for key, (field, kind) in fields.items():
        # What is written as nothing reads back as nothing.
        if field not in named and not hasattr(cls, field):
            if kind not in _EMPTY:
                raise PlanFormatError(where, f"key {_show(key)} is missing")
            named[field] = _EMPTY[kind]
    return cls(**named)


_EMPTY: dict[str, object] = {
    "Actions": (), "Conditions": (), "Steps": (), "Text": "", "Texts": (),
}  # fmt: skip


def _read(kind: str, value: Value, where: str, extra: tuple[str, ...]) -> object:
    match kind:
        case "Flag":
            return bool(_read_int(value, where))
        case "Text":
            return _read_text(value, where, extra)
        case "Number":
            if isinstance(value, dict):
                return _read_record(plan.FromEnvironment, value, where)
            return _read_int(value, where)
    simple: dict[str, Callable[[Value, str], object]] = {
        "int": _read_int,
        "Word": _read_word,
        "Conditions": lambda v, w: _each(_read_condition, v, w),
        "Ops": lambda v, w: _each(_read_op, v, w),
        "Steps": lambda v, w: _each(_read_step, v, w),
        "Texts": lambda v, w: _each(lambda i, x: _read_text(i, x, extra), v, w),
        "Words": lambda v, w: _each(_read_word, v, w),
        "Pairs": lambda v, w: _each(_read_pair, v, w),
        "Actions": _read_actions,
    }
    if kind in simple:
        return simple[kind](value, where)
    return _read_record(getattr(plan, kind), value, where)


def _read_int(value: Value, where: str) -> int:
    if not isinstance(value, int):
        raise PlanFormatError(where, "a number is expected here")
    return value


def _read_word(value: Value, where: str) -> str:
    if not isinstance(value, bytes):
        raise PlanFormatError(where, "a byte string is expected here")
    return value.decode("utf-8", "surrogateescape")


def _read_text(value: Value, where: str, extra: tuple[str, ...]) -> str:
    word = _read_word(value, where)
    _text(word, where, extra)
    return word


def _each(read: Callable[[Value, str], object], value: Value, where: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise PlanFormatError(where, "a list is expected here")
    return tuple(read(item, f"{where}[{i}]") for i, item in enumerate(value))


def _read_pair(value: Value, where: str) -> tuple[object, ...]:
    pair = _each(_read_word, value, where)
    if len(pair) != 2:
        raise PlanFormatError(where, "a list of two is expected here")
    return pair


def _read_actions(value: Value, where: str) -> tuple[object, ...]:
    if not isinstance(value, dict):
        raise PlanFormatError(where, "a dictionary is expected here")
    return tuple((_read_word(name, where), _read_word(value[name], where)) for name in value)


def _read_condition(value: Value, where: str) -> conditions.Condition:
    condition = tuple(str(word) for word in _each(_read_word, value, where))
    _condition(condition, where)
    return condition


def _read_op(value: Value, where: str) -> plan.Op:
    if not isinstance(value, list) or not value:
        raise PlanFormatError(where, "a list is expected here")
    word = _read_word(value[0], where)
    if word not in _OPS:
        raise PlanFormatError(where, f"unknown operation {word!r}")
    cls, rest = _OPS[word], value[1:]
    args: list[Any] = []
    for field, kind in cls.fields.items():
        if kind == "Op":
            args.append(_read_op(rest, where))
            rest = []
        elif rest:
            args.append(_read(kind, rest.pop(0), f"{where}.{field}", ()))
    if rest or len(args) != len(cls.fields):
        raise PlanFormatError(where, f"{word!r} takes {len(cls.fields)} arguments")
    return cls(*args)


def _read_step(value: Value, where: str) -> plan.Step:
    if not isinstance(value, dict) or b"do" not in value:
        raise PlanFormatError(where, "a step must be a dictionary with the key 'do'")
    wire = dict(value)
    word = _read_word(wire.pop(b"do"), where)
    if word not in _STEPS:
        raise PlanFormatError(where, f"unknown kind of step {word!r}")
    return _read_record(_STEPS[word], wire, f"{where}({word})")


def _check_choice(field: str, kind: str, value: object, where: str) -> None:
    if kind == "Word" and field in CHOICES and value not in CHOICES[field]:
        raise PlanFormatError(where, f"{value!r} is none of {', '.join(CHOICES[field])}")
    if kind == "Actions" and isinstance(value, tuple):
        for signal, action in value:
            if action not in ACTIONS:
                raise PlanFormatError(where, f"{signal}: {action!r} is none of {ACTIONS}")


def _show(key: bytes) -> str:
    return repr(key.decode("utf-8", "backslashreplace"))
