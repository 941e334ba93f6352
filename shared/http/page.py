"""Pages of lists: `?limit=1..200&cursor=`, answered as `{"items": […], "next": cursor | null}`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from shared.contracts.envelope import rfc3339
from shared.fields import Invalid, instant
from shared.http.problem import Problem, not_valid, to_json
from shared.http.strict import strict_loads

#: characters of a cursor
MOST_CURSOR = 1500


def _garbage() -> Problem:
    return not_valid([{"pointer": "/cursor", "message": "is not a cursor that this list gave", "in": "query"}])


def encode_cursor(values: Sequence[str | int | datetime | UUID | None]) -> str:
    """The place after the last item of a page, as opaque text."""
    listed = [rfc3339(v) if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(to_json(listed)).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type[Any]) -> tuple[Any, ...]:
    """Reads a cursor whose values are of `kinds` (str, int, datetime or UUID); raises the 422 for anything else."""
    try:
        if len(cursor) > MOST_CURSOR:
            raise ValueError
        values = strict_loads(base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", True))
        if type(values) is not list or len(values) != len(kinds):
            raise ValueError
        return tuple(_as(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, binascii.Error, Problem):
        raise _garbage() from None


def _as(kind: type[Any], value: Any) -> Any:
    if kind is int and type(value) is int:
        return value
    if type(value) is not str:
        raise Invalid
    if kind is str:
        return value
    if kind is datetime:
        return instant(value)
    if kind is UUID and len(value) == 36:
        return UUID(value)
    raise Invalid


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: at most `limit` items, after `cursor`."""

    limit: int = 50
    cursor: str | None = None

    def after(self, *kinds: type[Any]) -> tuple[Any, ...] | None:
        """The values of the cursor, checked against `kinds`; None on the first page."""
        return None if self.cursor is None else decode_cursor(self.cursor, *kinds)


async def _page(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=MOST_CURSOR)] = None,
) -> Page:
    return Page(limit, cursor or None)


#: `async def list_things(page: Paged) -> …`
Paged = Annotated[Page, Depends(_page)]
