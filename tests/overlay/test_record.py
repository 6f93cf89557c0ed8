"""Records are what type checkers take them for: frozen dataclasses."""

from __future__ import annotations

import pytest

from s6x.overlay.record import Record


class Point(Record):
    x: int
    y: int = 2


class Spot(Point):
    label: str = ""


def test_fields_come_from_all_classes_in_order() -> None:
    spot = Spot(1, label="here")
    assert (spot.x, spot.y, spot.label) == (1, 2, "here")
    assert repr(spot) == "Spot(x=1, y=2, label='here')"
    assert Spot(1, 2, "here") == spot != Point(1)
    assert len({spot, Spot(1, label="here"), Point(1)}) == 2
    assert spot.replaced(y=5) == Spot(1, 5, "here")


def test_what_a_dataclass_refuses_is_refused() -> None:
    with pytest.raises(TypeError, match="missing field 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected field 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="only 2 fields"):
        Point(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected field 'x'"):
        Point(1, x=1)  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        Point(1).x = 2  # type: ignore[misc]
