"""Responses whose contact is parked, or opened nothing so far: kept until that changes, for a while."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, Text, any_, bindparam, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.contracts.envelope import dump
from shared.contracts.intake import ContactResponded
from shared.retention import Aged

from .tables import early_responses

#: most of them answer contacts that are no complaints, and nobody tells this service which; a contact that is parked
#: for longer is taken without them
_KEPT_FOR: Final = timedelta(days=90)
_r = early_responses.c
_of_contacts = _r.contact_id == any_(bindparam("contacts", type_=ARRAY(Text)))
_find = select(_r.told).where(_of_contacts)
_taken = delete(early_responses).where(_of_contacts)


def row_of(response: ContactResponded, now: datetime) -> dict[str, Any]:
    """What is kept of one."""
    return {
        "contact_id": response.contact_id,
        "response_id": response.response_id,
        "told": dump(response),
        "kept_at": now,
    }


async def found(conn: AsyncConnection, contacts: Collection[str]) -> dict[str, list[ContactResponded]]:
    """Those to these contacts, by contact."""
    kept: dict[str, list[ContactResponded]] = {}
    for told in (await conn.execute(_find, {"contacts": sorted(contacts)})).scalars():
        response = ContactResponded.model_validate_json(told)
        kept.setdefault(response.contact_id, []).append(response)
    return kept


async def forget(conn: AsyncConnection, contacts: Collection[str]) -> None:
    """Their contacts have come."""
    await conn.execute(_taken, {"contacts": sorted(contacts)})


def unclaimed(clock: Clock) -> Aged:
    """Lets go of those whose contact has not come for a season."""

    async def gone(conn: AsyncConnection, _: datetime, most: int) -> int:
        old = (
            select(_r.contact_id, _r.response_id)
            .where(_r.kept_at < clock.now() - _KEPT_FOR)
            .order_by(_r.kept_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        done = await conn.execute(delete(early_responses).where(tuple_(_r.contact_id, _r.response_id).in_(old)))
        return done.rowcount

    return gone
