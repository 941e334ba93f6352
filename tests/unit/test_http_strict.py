"""Strict JSON against the standard library's: whatever both can read is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.http import Problem, strict_loads, strict_ndjson

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(plain, st.booleans())
@settings(max_examples=300, deadline=None)
def test_reads_what_is_plain(value: Any, escaped: bool) -> None:
    assert strict_loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=40) | st.text('[]{}":,\\u0dD89eE+-.1 \n', max_size=40).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_anything_is_read_or_refused(raw: bytes) -> None:
    try:
        value = strict_loads(raw)
    except Problem as problem:
        assert problem.status_code == 400
    else:
        assert json.loads(raw) == value


def test_depth() -> None:
    assert strict_loads(b"[" * 32 + b"]" * 32)
    assert strict_loads(b"[" + b"[]," * 100 + b"1]")
    for raw in (b"[" * 33 + b"]" * 33, b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 1_000_000):
        with pytest.raises(Problem):
            strict_loads(raw)


def test_integers() -> None:
    assert strict_loads(b"[9223372036854775807,-9223372036854775808,0]") == [2**63 - 1, -(2**63), 0]
    for raw in (b"9223372036854775808", b"-9223372036854775809", b"1" * 5000):
        with pytest.raises(Problem):
            strict_loads(raw)


def test_lines() -> None:
    found = list(strict_ndjson(b'{"a":1}\r\n\n{"a":1,"a":2}\n"x"'))
    assert [number for number, _ in found] == [1, 3, 4]
    assert (found[0][1], found[2][1]) == ({"a": 1}, "x")
    assert isinstance(found[1][1], Problem)
