"""Bencode: every value in one way only, and clear words for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6x.overlay.bencode import BencodeError, decode, encode

if TYPE_CHECKING:
    from s6x.overlay.bencode import Value

VALUES: st.SearchStrategy[Value] = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_an_error_with_an_offset(data: bytes) -> None:
    try:
        value = decode(data)
    except BencodeError as error:
        at, said = error.offset, str(error)
    else:
        assert encode(value) == data
        return
    assert 0 <= at <= len(data)
    assert said.startswith(f"byte {at}: ")


def test_keys_are_sorted_bytewise() -> None:
    assert encode({b"b": 1, b"B": 2, b"": 3}) == b"d0:i3e1:Bi2e1:bi1ee"


@pytest.mark.parametrize(
    ("data", "offset", "why"),
    [
        (b"", 0, "the data ends too early"),
        (b"x", 0, "no value begins with b'x'"),
        (b"i1ei2e", 3, "there is more after the end"),
        (b"i01e", 1, "an integer is expected"),
        (b"i-0e", 1, "an integer is expected"),
        (b"i e", 1, "an integer is expected"),
        (b"i+1e", 1, "an integer is expected"),
        (b"i1", 1, "an integer is expected"),
        (b"i9223372036854775808e", 1, "more than 64 bits"),
        (b"i" + b"9" * 5000 + b"e", 1, "an integer is expected"),
        (b"5:abc", 0, "a string of 5 bytes, but only 3 are left"),
        (b"99999999999999999999:a", 0, "more than 64 bits"),
        (b"01:a", 0, "the length of a byte string"),
        (b"l", 1, "the data ends too early"),
        (b"d", 1, "must be a byte string"),
        (b"di1ei2ee", 1, "must be a byte string"),
        (b"d1:bi1e1:ai2ee", 7, "key b'a' is not after b'b'"),
        (b"d1:ai1e1:ai2ee", 7, "key b'a' is not after b'a'"),
        (b"l" * 5000, 33, "nested more than 32 deep"),
    ],
)
def test_hostile_bytes_are_refused_with_the_place(data: bytes, offset: int, why: str) -> None:
    with pytest.raises(BencodeError) as caught:
        decode(data)
    assert caught.value.offset == offset
    assert why in str(caught.value)
