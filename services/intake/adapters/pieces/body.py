"""Bodies read strictly, and fields of them found without surprises: a tool's payload is whatever came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from shared.fields import Invalid, instant
from shared.http import Problem, strict_loads

from .shape import NotUnderstood, Request

_NUMBER = re.compile(r" *\d{1,16}(\.\d{1,20})? *", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_SPACED = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.ASCII)


def json_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises NotUnderstood."""
    value = any_json(request.body)
    if not isinstance(value, dict):
        raise NotUnderstood("the body is no JSON object")
    return value


def any_json(raw: bytes) -> Any:
    """Any JSON, read strictly; raises NotUnderstood."""
    try:
        return strict_loads(raw)
    except Problem as problem:
        raise NotUnderstood(f"the body cannot be read: {problem.detail}") from None


def form_of(request: Request) -> dict[str, str]:
    """The body as a form; raises NotUnderstood."""
    try:
        text = request.body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError:
        raise NotUnderstood("the body is no form in UTF-8") from None
    if any("\x00" in part for pair in pairs for part in pair):
        raise NotUnderstood("a field holds NUL")
    return dict(pairs)


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path of keys and places; None where there is nothing."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
        elif isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None
    return value


def word(value: Any) -> str | None:
    """An id, a name, an address: text or a whole number, trimmed, without control characters; None for anything else
    and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = "".join(letter for letter in str(value) if letter.isprintable()).strip()
    return text or None


def needed(value: Any, what: str) -> str:
    """The same, where nothing can be understood without it; raises NotUnderstood."""
    found = word(value)
    if found is None or len(found) > 200:
        raise NotUnderstood(f"{what} is missing")
    return found


def listed(value: Any) -> list[Any]:
    """A list; empty where there is none."""
    return value if isinstance(value, list) else []


def names_in(value: Any, *fields: str) -> list[str]:
    """What the things of a list are called, each by the first of these fields that it has."""
    found = (next(filter(None, (word(at(one, field)) for field in fields)), None) for one in listed(value))
    return [*filter(None, found)]


def moment(value: Any, what: str = "the time") -> datetime:
    """An instant as tools write it: RFC 3339 with any number of decimals, `2020-03-03 13:05:57 UTC`, seconds or
    milliseconds since 1970. Without an offset it is UTC. Raises NotUnderstood."""
    found: datetime | None = None
    if isinstance(value, str) and (match := _SPACED.fullmatch(value.strip())):
        day, clock, zone = match.groups()
        zone = "Z" if zone in (None, "UTC", "GMT") else zone
        if len(zone) == 5:
            zone = f"{zone[:3]}:{zone[3:]}"
        clock = clock if clock.count(":") == 2 else f"{clock}:00"
        try:
            found = instant(f"{day}T{_cut(clock)}{zone}")
        except Invalid:
            found = None
    elif not isinstance(value, bool) and _NUMBER.fullmatch(str(value)):
        found = _numbered(float(value))
    if found is None:
        raise NotUnderstood(f"{what} is missing or unreadable")
    return found


def _cut(clock: str) -> str:
    return _FRACTION.sub(r"\1", clock)


def _numbered(number: float) -> datetime | None:
    # from 10^11 on these are milliseconds: as seconds they would lie in the year 5138
    try:
        found = datetime.fromtimestamp(number / 1000 if number >= 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if 1970 <= found.year <= 9998 else None
