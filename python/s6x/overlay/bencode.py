"""Bencode: integers, byte strings, lists and dictionaries as bytes, each value in one way only.

The encoding of the plan (``docs/formats.md``). Decoding is strict: whatever :func:`encode` would
not have written is refused, so equal values are equal bytes in both directions.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Value: TypeAlias = "int | bytes | list[Value] | dict[bytes, Value]"

DEPTH_LIMIT = 32
"""How deep values may be nested. The plan needs eight."""


class BencodeError(ValueError):
    """These bytes are not one canonical bencoded value."""

    def __init__(self, offset: int, why: str) -> None:
        """Keep the offset, and say what is wrong there."""
        super().__init__(f"byte {offset}: {why}")
        self.offset = offset


def encode(value: Value) -> bytes:
    """Return the bytes of a value; dictionary keys are sorted bytewise."""
    parts: list[bytes] = []
    _encode(value, parts)
    return b"".join(parts)


def decode(data: bytes) -> Value:
    """Return the value that these bytes hold, all of them.

    Raises BencodeError, with the offset, for anything that `encode` would not have written.
    """
    value, end = _decode(data, 0, 0)
    if end != len(data):
        raise BencodeError(end, "there is more after the end of the value")
    return value


def _encode(value: Value, parts: list[bytes]) -> None:
    if isinstance(value, bytes):
        parts.append(b"%d:%b" % (len(value), value))
    elif isinstance(value, int):
        parts.append(b"i%de" % value)
    elif isinstance(value, list):
        parts.append(b"l")
        for item in value:
            _encode(item, parts)
        parts.append(b"e")
    else:
        parts.append(b"d")
        for key in sorted(value):
            _encode(key, parts)
            _encode(value[key], parts)
        parts.append(b"e")


def _decode(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > DEPTH_LIMIT:
        raise BencodeError(at, f"nested more than {DEPTH_LIMIT} deep")
    kind = data[at : at + 1]
    if kind == b"i":
        return _integer(data, at + 1, b"e", "an integer")
    if kind == b"l":
        return _list(data, at + 1, depth)
    if kind == b"d":
        return _dictionary(data, at + 1, depth)
    if kind.isdigit():
        return _string(data, at)
    raise BencodeError(at, f"no value begins with {kind!r}" if kind else "the data ends too early")


def _integer(data: bytes, at: int, stop: bytes, what: str) -> tuple[int, int]:
    """Read decimal digits up to `stop`; at most 64 bits, so 20 characters."""
    end = data.find(stop, at, at + 21)
    digits = data[at:end] if end >= 0 else b""
    # `isdigit` first: int() would take blanks, signs and underscores.
    if not digits.removeprefix(b"-").isdigit() or b"%d" % int(digits) != digits:
        raise BencodeError(at, f"{what} is expected here")
    number = int(digits)
    if not -(2**63) <= number < 2**63:
        raise BencodeError(at, "an integer of more than 64 bits")
    return number, end + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length, begin = _integer(data, at, b":", "the length of a byte string")
    if begin + length > len(data):
        raise BencodeError(at, f"a string of {length} bytes, but only {len(data) - begin} are left")
    return data[begin : begin + length], begin + length


def _list(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while data[at : at + 1] != b"e":
        item, at = _decode(data, at, depth + 1)
        items.append(item)
    return items, at + 1


def _dictionary(data: bytes, at: int, depth: int) -> tuple[dict[bytes, Value], int]:
    entries: dict[bytes, Value] = {}
    last = None
    while data[at : at + 1] != b"e":
        if not data[at : at + 1].isdigit():
            raise BencodeError(at, "the key of a dictionary must be a byte string")
        key, end = _string(data, at)
        if last is not None and key <= last:
            raise BencodeError(at, f"key {key!r} is not after {last!r}")
        entries[key], at = _decode(data, end, depth + 1)
        last = key
    return entries, at + 1
