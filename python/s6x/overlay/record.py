"""Frozen values with typed fields, for code that runs while a container boots.

``dataclasses`` would do the same, but importing it (with ``inspect`` and ``re``) takes as long as
starting the interpreter, and ``/init`` waits for us. Type checkers see a frozen dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        """Stand in for the decorator, which only type checkers need."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Record:
    """A frozen value: fields are the annotated names of the class, bases' fields first.

    The annotations must be strings (``from __future__ import annotations``); names annotated as
    ``ClassVar`` are not fields.
    """

    fields: ClassVar[dict[str, str]] = {}
    """Field name → the text of its annotation, in the order of the constructor."""

    def __init_subclass__(cls) -> None:
        """Collect the fields of a new class."""
        cls.fields = {
            **cls.fields,
            **{
                name: kind
                for name, kind in cls.__annotations__.items()
                if not kind.startswith("ClassVar")
            },
        }

    def __init__(self, *args: object, **named: object) -> None:
        """Set every field, from the arguments or from its default.

        Raises TypeError for an unknown, doubled or missing field, as a dataclass does.
        """
        values = self.__dict__
        if len(args) > len(self.fields):
            raise TypeError(f"{type(self).__name__} has only {len(self.fields)} fields")
        values.update(zip(self.fields, args, strict=False))
        for name, value in named.items():
            if name not in self.fields or name in values:
                raise TypeError(f"{type(self).__name__}: unexpected field {name!r}")
            values[name] = value
        for name in self.fields:
            if name not in values and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__}: missing field {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: records do not change."""
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __eq__(self, other: object) -> bool:
        """Compare type and fields."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.fields)

    def __hash__(self) -> int:
        """Hash type and fields."""
        return hash((type(self), *(getattr(self, name) for name in self.fields)))

    def __repr__(self) -> str:
        """Show what the constructor would take."""
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)
        return f"{type(self).__name__}({inner})"

    def replaced(self, **named: Any) -> Self:
        """Return a copy in which the named fields have new values."""
        return type(self)(**{**{name: getattr(self, name) for name in self.fields}, **named})
