"""Where the plans are better than s6-overlay on purpose: `docs/differences.md` points here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from s6x.overlay import Plan, decode, encode, plan_for
from s6x.overlay import plan as plans
from s6x.overlay.plan import FromEnvironment


@pytest.fixture(params=["v1", "v2"])
def plan(tmp_path: Path, request: pytest.FixtureRequest) -> Plan:
    """The plan as PID 1 gets it."""
    return decode(encode(plan_for(tmp_path, request.param)))


def _ops(plan: Plan) -> Iterator[plans.Op]:
    for step in plan.boot:
        if isinstance(step, plans.Files):
            yield from step.ops


def test_grace_times_are_limits_of_waits(plan: Plan) -> None:
    waits = [step for step in plan.stop if isinstance(step, plans.AwaitDown | plans.Terminate)]
    assert [(type(step), step.limit_ms) for step in waits] == [
        (plans.AwaitDown, FromEnvironment("S6_SERVICES_GRACETIME", 3000)),
        (plans.Terminate, FromEnvironment("S6_KILL_GRACETIME", 3000)),
    ]
    # There is no kind of step that sleeps.
    assert not [kind.do for kind in plans.STEPS if "sleep" in kind.do or "pause" in kind.do]


def test_nothing_sends_hup_to_what_is_left(plan: Plan) -> None:
    """`terminate` is TERM and CONT; HUP goes to the supervisors of loggers only, by bring-down."""
    assert [step.do for step in plan.stop] == [
        "bring-down", "scripts", "await-down", "sync", "terminate", "kill", "sync",
    ]  # fmt: skip


def test_every_wait_of_the_stop_has_a_limit(plan: Plan) -> None:
    for step in plan.stop:
        limit = getattr(step, "limit_ms", None)
        if limit is not None:
            assert isinstance(limit, FromEnvironment)
            assert limit.default > 0
    assert plan.stop_limit_ms == FromEnvironment("S6X_STOP_TIMEOUT", 0)


def test_hidden_files_can_be_included_in_both(plan: Plan) -> None:
    (step,) = (s for s in plan.boot if isinstance(s, plans.FixAttrs) and s.directory)
    assert step.hidden == (("nonzero", "S6_FIX_ATTRS_HIDDEN"),)


def test_well_known_names_lead_to_the_runtime_directory(plan: Plan) -> None:
    assert plan.run == (
        "{env:S6X_RUN}", "/var/run/s6", "/run/s6", "{env:XDG_RUNTIME_DIR}/s6x", "/tmp/s6x-{uid}",
        "/dev/shm/s6x-{uid}", "/dev/s6x-{uid}",
    )  # fmt: skip
    links = [op.op for op in _ops(plan) if isinstance(op, plans.Try)]
    for path, target in (
        ("/var/run/s6", "{run}"),
        ("/run/s6", "{run}"),
        ("/run/service", "{run}/services"),
    ):
        assert plans.Link(target, path) in links
    # Where no name leads there, programs are told.
    nowhere = ("not", "directory", "/var/run/s6/services")
    told = [op for op in _ops(plan) if isinstance(op, plans.When) and nowhere in op.conditions]
    assert [op.op.path for op in told if isinstance(op.op, plans.Write)] == [
        "{run}/env-stage1/S6X_RUN",
        "{run}/container_environment/S6X_RUN",
    ]


def test_nothing_of_the_image_is_removed(plan: Plan) -> None:
    for op in _ops(plan):
        inner = op.op if isinstance(op, plans.When | plans.Try) else op
        if isinstance(inner, plans.Remove):
            assert inner.path.startswith("{run}/")


def test_flags_are_read_with_zero_and_nonzero(plan: Plan) -> None:
    flags = {"S6_KEEP_ENV", "S6_READ_ONLY_ROOT", "S6_CMD_WAIT_FOR_SERVICES", "S6_FIX_ATTRS_HIDDEN"}
    conditions = [*plan.environment.keep_when]
    for step in plan.boot:
        conditions += [*step.when, *(getattr(step, "hidden", None) or ())]
    for op in _ops(plan):
        conditions += op.conditions if isinstance(op, plans.When) else ()
    kinds = {(c[1], c[0]) for c in conditions if len(c) == 2 and c[1] in flags}
    assert {name for name, _ in kinds} == flags
    assert {kind for _, kind in kinds} == {"zero", "nonzero"}


def test_scripts_at_boot_can_have_a_limit(plan: Plan) -> None:
    (step,) = (s for s in plan.boot if s.name == "cont-init.d")
    assert isinstance(step, plans.Scripts)
    assert step.limit_ms == FromEnvironment("S6X_CONT_INIT_MAXTIME", 0)
