"""The loop that takes what tools have sent of an erased customer out of what waits and what is parked.

What is posted is forgotten in the transaction that erases; here is what has not come so far: messages that wait, thin
deliveries, and raw bytes that nobody has understood. Whose those are is told by any id or address in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.adapters.pieces.people import by_address, by_mail, by_name, by_phone
from services.intake.listening import Breath
from services.intake.store import deliveries as kept
from services.intake.store import messages as waiting

from .switchboard import Switchboard

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}")
_PHONE = re.compile(r"\+?\d[\d ().-]{5,24}\d")
#: where a number of three digits or less is somebody's, and not anything's
_PEOPLE = re.compile(r"requester|customer|contact|user|sender|author|from|visitor|person|lead|recipient|caller", re.I)
_MOST_IDS = 5_000
Found = tuple[tuple[str, ...], str]


def ids_in(body: bytes) -> frozenset[str]:
    """The ids that a customer of whom this body speaks may have here."""
    text = body.decode("utf-8", "replace")
    found: set[str] = set()
    for path, value in _scalars(text):
        if len(found) > _MOST_IDS:
            break
        if len(value) > 200:
            continue
        if len(value) > 3 or any(_PEOPLE.search(step) for step in path):
            found.add(value)
            found.add(by_address(value).id)
            found.add(by_name(value))
    found.update(by_mail(address) for address in _MAIL.findall(text)[:_MOST_IDS])
    found.update(by_phone(number) for number in _PHONE.findall(text)[:_MOST_IDS])
    return frozenset(found)


def _scalars(text: str) -> Iterator[Found]:
    try:
        yield from _walk(json.loads(text), ())
    except (ValueError, RecursionError):
        pairs = parse_qsl(text, max_num_fields=1_000) if "=" in text[:2_000] and "<" not in text[:100] else []
        yield from (((name,), value.strip()) for name, value in pairs)
        yield from (((), word) for word in re.findall(r"[\w.@+:-]{4,200}", text))


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[Found]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(inner, (*path, str(name)))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, path)
    elif isinstance(value, str) and value[:1] in "{[" and len(value) > 2:
        try:  # a message within a notification
            yield from _walk(json.loads(value), path)
        except (ValueError, RecursionError):
            yield path, value.strip()
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path, str(value).strip()


class Forgetting:
    """Rung when somebody is erased. `run_once` answers how much was taken away."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    async def run_once(self, conn: AsyncConnection) -> int:
        """Looks through all that is held. Raises what the database raises."""
        async with conn.begin():
            gone = await waiting.forget(conn)
            held = await kept.held(conn)
            whose: dict[int, frozenset[str]] = {}
            breath = Breath()
            for place, row in enumerate(held):
                await breath.taken()
                whose[place] = await self._ids(row)
            erased = await kept.erased(conn, sorted({one for ids in whose.values() for one in ids}))
            over = [row for place, row in enumerate(held) if _is_over(row, whose[place], erased)]
            await kept.forget(conn, over)
        return gone + len(over)

    async def _ids(self, row: Any) -> frozenset[str]:
        ids = ids_in(bytes(row.body))
        endpoint = await self._switchboard.find(row.tool, row.endpoint)
        prefix = (endpoint.option("prefix") if endpoint else None) or ""
        return frozenset(prefix + one for one in ids) | ids if prefix else ids


def _is_over(row: Any, ids: frozenset[str], erased: Mapping[str, datetime]) -> bool:
    return any(erased[one] >= row.received_at for one in ids & erased.keys())
