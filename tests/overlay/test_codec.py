"""Plan ⇄ bytes: nothing is lost, nothing wrong gets through, and every error says where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s6x.overlay import PlanFormatError, bencode, decode, encode, plan, plan_for
from s6x.overlay.conditions import KINDS, PATH_KINDS
from s6x.overlay.generations import v1
from s6x.overlay.generations.legacy import plan_of
from s6x.overlay.plan import FromEnvironment, Op, Plan, Step
from s6x.overlay.record import Record
from s6x.overlay.text import literal


def _string(data: bytes) -> str:
    """What bytes of an image are as a string: lone surrogates for what is no UTF-8; no NUL."""
    return data.replace(b"\0", b"").decode("utf-8", "surrogateescape")


WORDS = st.binary(max_size=12).map(_string)
NAMES = st.from_regex(r"[A-Z_]{1,8}", fullmatch=True)
TEXTS = st.lists(
    WORDS.map(literal) | st.sampled_from(["{run}", "{cwd}", "{uid}", "{env:HOME}"]), max_size=3
).map(lambda parts: _string("".join(parts).encode("utf-8", "surrogateescape")))
NUMBERS = st.integers(0, 10**9) | st.builds(
    FromEnvironment,
    env=NAMES,
    default=st.integers(0, 10**6),
    max=st.none() | st.integers(0, 10**6),
)


def _conditions() -> st.SearchStrategy[Any]:
    one = st.sampled_from(sorted(KINDS)).flatmap(
        lambda kind: st.lists(
            TEXTS if kind in PATH_KINDS else WORDS, min_size=KINDS[kind][0], max_size=KINDS[kind][1]
        ).map(lambda args: (kind, *args))
    )
    return st.lists(one | one.map(lambda c: ("not", *c)), max_size=2).map(tuple)


CONDITIONS = _conditions()
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple)
BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "Word": WORDS,
    "Text": TEXTS,
    "Number": NUMBERS,
    "Conditions": CONDITIONS,
    "Flag": st.booleans(),
    "int": st.integers(-(2**31), 2**31),
    "Words": st.lists(WORDS, max_size=2).map(tuple),
    "Texts": st.lists(TEXTS, max_size=2).map(tuple),
    "Pairs": PAIRS,
    "Actions": st.dictionaries(NAMES, st.sampled_from(["stop", "rescan"]), max_size=3).map(
        lambda actions: tuple(sorted(actions.items()))
    ),
}
BY_FIELD = {
    "input": st.sampled_from(["container", "none"]),
    "unspawnable": st.sampled_from(["abort", "code"]),
    "generation": st.sampled_from(["v1", "v2"]),
}


def _record(cls: type[Record]) -> st.SearchStrategy[Any]:
    def field(name: str, kind: str) -> st.SearchStrategy[Any]:
        if name == "environment" and kind == "Word":
            return st.sampled_from(["container", "tree"])
        if name in BY_FIELD:
            return BY_FIELD[name]
        if kind == "Word" and not hasattr(cls, name):
            return WORDS.filter(bool)
        if kind.endswith(" | None"):
            return st.none() | BY_KIND[kind.removesuffix(" | None")]
        return BY_KIND[kind]

    return st.builds(cls, **{name: field(name, kind) for name, kind in cls.fields.items()})


OPS: st.SearchStrategy[Op] = st.deferred(
    lambda: st.one_of(
        *(_record(kind) for kind in plan.OPS if kind not in (plan.Try, plan.When)),
        st.builds(plan.Try, OPS),
        st.builds(plan.When, CONDITIONS, OPS),
    )
)
BY_KIND["Ops"] = st.lists(OPS, max_size=3).map(tuple)
BY_KIND["CatchAll"] = _record(plan.CatchAll)
STEPS: st.SearchStrategy[Step] = st.one_of(*(_record(kind) for kind in plan.STEPS))
BY_KIND["Steps"] = st.lists(STEPS, max_size=3).map(tuple)
BY_KIND["Environment"] = _record(plan.Environment)
BY_KIND["Command"] = _record(plan.Command)
BY_KIND["Failure"] = _record(plan.Failure)
PLANS: st.SearchStrategy[Plan] = _record(Plan)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PLANS)
def test_a_plan_comes_back(its: Plan) -> None:
    data = encode(its)
    assert decode(data) == its
    assert encode(decode(data)) == data


@settings(deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_a_damaged_plan_is_an_error_or_another_plan(at: int, damage: bytes) -> None:
    data = encode(plan_of(v1.GENERATION))
    at %= len(data)
    damaged = data[:at] + damage + data[at + len(damage) :]
    try:
        its = decode(damaged)
    except PlanFormatError as error:
        said = str(error)
    else:
        assert encode(its) == damaged
        return
    assert said.startswith("plan")
    assert ": " in said


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(PlanFormatError, match=r"^plan: "):
        decode(data)


def test_the_same_image_gives_the_same_bytes(tmp_path: Any) -> None:
    assert encode(plan_for(tmp_path)) == encode(plan_for(tmp_path))


def _changed(**keys: Any) -> bytes:
    """Return the bytes of a whole plan with some top-level keys changed, or gone (None)."""
    wire = bencode.decode(encode(plan_of(v1.GENERATION)))
    assert isinstance(wire, dict)
    for name, value in keys.items():
        key = name.replace("_", "-").encode()
        wire.pop(key, None)
        if value is not None:
            wire[key] = value
    return bencode.encode(wire)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"format": b"tar"}, "plan: this is not a plan of s6x"),
        ({"version": 1}, "plan: version 1 of the format, and this s6x reads version 2"),
        ({"colour": 1}, "plan: unknown key 'colour'"),
        ({"command": None}, "plan: key 'command' is missing"),
        ({"title": 7}, "plan.title: a byte string is expected here"),
        ({"title": b"{nope}"}, "plan.title: unknown placeholder {nope}"),
        ({"title": b"{run"}, "plan.title: the brace at character 0 is never closed"),
        ({"title": b"{env:}"}, "plan.title: unknown placeholder {env:}"),
        ({"title": b"{code}"}, "plan.title: unknown placeholder {code}"),
        ({"title": b"a\0b"}, "plan.title: it holds a NUL character"),
        ({"run": b"x"}, "plan.run: a list is expected here"),
        ({"generation": b"v9"}, "plan.generation: 'v9' is none of v1, v2"),
        ({"stop_limit_ms": b"5"}, "plan.stop-limit-ms: a number is expected here"),
        ({"stop_limit_ms": {b"env": b"X"}}, "plan.stop-limit-ms: key 'default' is missing"),
        ({"signals": []}, "plan.signals: a dictionary is expected here"),
        ({"signals": {b"SIGHUP": b"dance"}}, "plan.signals: SIGHUP: 'dance' is none of"),
        ({"inputs": [[b"/x"]]}, "plan.inputs[0]: a list of two is expected here"),
        ({"valid_when": [[]]}, "plan.valid-when[0]: a condition without a kind"),
        ({"valid_when": [[b"not"]]}, "plan.valid-when[0]: a condition without a kind"),
        ({"valid_when": [[b"odd", b"X"]]}, "plan.valid-when[0]: unknown condition 'odd'"),
        ({"valid_when": [[b"set"]]}, "plan.valid-when[0]: condition 'set' with 0 arguments"),
        ({"valid_when": [[b"missing", b"{x}"]]}, "plan.valid-when[0]: unknown placeholder {x}"),
        ({"boot": [1]}, "plan.boot[0]: a step must be a dictionary with the key 'do'"),
        ({"boot": [{b"do": b"fly"}]}, "plan.boot[0]: unknown kind of step 'fly'"),
        ({"boot": [{b"do": b"kill"}]}, "plan.boot[0](kill): key 'name' is missing"),
        (
            {"boot": [{b"do": b"scripts", b"name": b"x", b"unspawnable": b"cry"}]},
            "plan.boot[0](scripts).unspawnable: 'cry' is none of abort, code",
        ),
        (
            {"boot": [{b"do": b"files", b"name": b"x", b"ops": [[b"burn"]]}]},
            "plan.boot[0](files).ops[0]: unknown operation 'burn'",
        ),
        (
            {"boot": [{b"do": b"files", b"name": b"x", b"ops": [[b"remove"]]}]},
            "plan.boot[0](files).ops[0]: 'remove' takes 1 arguments",
        ),
        (
            {"boot": [{b"do": b"files", b"name": b"x", b"ops": [[b"try"]]}]},
            "plan.boot[0](files).ops[0]: a list is expected here",
        ),
        (
            {"boot": [{b"do": b"files", b"name": b"x", b"ops": [[b"remove", b"a", b"b"]]}]},
            "plan.boot[0](files).ops[0]: 'remove' takes 1 arguments",
        ),
    ],
)
def test_a_wrong_plan_is_refused_with_the_place(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanFormatError) as caught:
        decode(_changed(**keys))
    assert str(caught.value).startswith(message)


def test_a_plan_with_a_mistake_cannot_be_written() -> None:
    its = plan_of(v1.GENERATION)
    bad = plan.Say(name="bad", say="{name}")
    with pytest.raises(PlanFormatError) as caught:
        encode(its.replaced(stop=(bad,)))
    assert str(caught.value).startswith("plan.stop[0](bad).say: unknown placeholder {name}")
