"""JSON read strictly before anything else sees it (RFC 8259, I-JSON of RFC 7493).

UTF-8 without a byte order mark; no NUL, no lone surrogates, no NaN or infinity (nor 1e999), no key twice in one
object, integers within 64 bits, at most 32 levels. The C scanner of the standard library does the work; hooks see
only numbers and objects; what is rare is looked for only where the raw bytes hold a sign of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, NoReturn

from shared.http.problem import Problem, pointer_to, unreadable

#: levels of arrays and objects
MOST_LEVELS = 32
_LEAST, _MOST = -(2**63), 2**63 - 1

# escapes of NUL and of surrogates, paired or not; a pair is told from a lone one after decoding
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

_INTEGER = "an integer must be within 64 bits"
_NUMBER = "a number must be finite"
_TWICE = "a key comes twice in one object"
_NUL = "a text must not contain NUL"
_SURROGATE = "a text must not contain a lone surrogate"
_DEEP = f"arrays and objects must not be nested deeper than {MOST_LEVELS} levels"


class _Strict(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Strict(_TWICE)
    return found


def _integer(digits: str) -> int:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20 or not _LEAST <= (value := int(digits)) <= _MOST:
        raise _Strict(_INTEGER)
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise _Strict(_NUMBER)
    return value


def _constant(name: str) -> NoReturn:
    raise _Strict(_NUMBER)


_decode = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
).decode


def strict_loads(raw: bytes) -> Any:
    """Reads one JSON text; raises a Problem (400 `unreadable`) that says where, as far as that can be told."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise unreadable(f"the body is not UTF-8 (byte {error.start})", "") from None
    if text[:1] == "\ufeff":
        raise unreadable("the body begins with a byte order mark", "")
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise unreadable(f"the body is not JSON ({place})" if text.strip() else "the body is empty", "") from None
    except _Strict as error:
        raise unreadable(str(error), _where(text)) from None
    except RecursionError:
        raise unreadable(_DEEP, "") from None
    if raw.count(b"[") + raw.count(b"{") > MOST_LEVELS and _too_deep(value):
        raise unreadable(_DEEP, "")
    if b"\\u" in raw and _SUSPECT.search(raw) and (found := _odd_text(value)):
        raise unreadable(*found)
    return value


def strict_ndjson(raw: bytes) -> Iterator[tuple[int, Any]]:
    """Reads newline-delimited JSON: (line number from 1, value or that line's Problem); blank lines are skipped."""
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            try:
                yield number, strict_loads(line)
            except Problem as problem:
                yield number, problem


def _too_deep(value: Any) -> bool:
    level = [value] if type(value) in (dict, list) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
    return bool(level)


def _walk(value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    # (path, value) of everything, also of keys (whose path is their parent's); a path is (outer path, step)
    stack: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while stack:
        path, one = stack.pop()
        yield path, one
        if isinstance(one, dict):
            for key, inner in one.items():
                yield path, key
                stack.append(((path, key), inner))
        elif isinstance(one, list):
            stack.extend(((path, index), inner) for index, inner in enumerate(one))


def _pointer(path: tuple[Any, ...]) -> str:
    steps: list[Any] = []
    while path:
        path, step = path
        steps.append(step)
    return pointer_to(reversed(steps))


def _odd_text(value: Any) -> tuple[str, str] | None:
    for path, one in _walk(value):
        if type(one) is str:
            if "\x00" in one:
                return _NUL, _pointer(path)
            try:
                one.encode()
            except UnicodeEncodeError:
                return _SURROGATE, _pointer(path)
    return None


class _Mark:
    """Stands where something was refused, so that its place can be found."""


class _Twice(dict[str, Any]):
    """An object with a key twice."""


def _where(text: str) -> str:
    # only after a refusal: reads once more, with marks instead of refusals, and looks where the first mark is
    def pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return (_Twice if len({key for key, _ in pairs}) != len(pairs) else dict)(pairs)

    def number(digits: str) -> Any:
        try:
            return _float(digits) if "." in digits or "e" in digits or "E" in digits else _integer(digits)
        except _Strict:
            return _Mark()

    decoder = json.JSONDecoder(
        object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=lambda _: _Mark()
    )
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError):
        return ""
    return next((_pointer(path) for path, one in _walk(value) if isinstance(one, (_Mark, _Twice))), "")
