"""Proof of the books of intake: every contact was announced once, and is what was announced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain import evolve_contact, evolve_customer
from services.intake.store.keeping import standing_of
from services.intake.store.reading import contact_of, customers_of, is_id
from services.intake.store.tables import contacts, customers, events, responses
from shared.audit import Evolve, audited
from shared.contracts.envelope import Event, full_type
from shared.contracts.intake import (
    ContactCaptured,
    ContactHeardAgain,
    ContactResponded,
    CustomerErased,
    CustomerMerged,
    CustomerProfiled,
)

_SOURCE: Final = "urn:complaint-loop:intake"
_FOLDS: Final[dict[type[Event], Evolve]] = {
    ContactCaptured: evolve_contact,
    ContactHeardAgain: evolve_contact,
    ContactResponded: evolve_contact,
    CustomerProfiled: evolve_customer,
    CustomerMerged: evolve_customer,
    CustomerErased: evolve_customer,
}


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many contacts there are, how many of them nobody has answered, how many responses and known customers."""
    statement = select(
        select(func.count()).select_from(contacts).scalar_subquery().label("contacts"),
        select(func.count()).where(contacts.c.responder_id.is_(None)).scalar_subquery().label("without_responder"),
        select(func.count()).select_from(responses).scalar_subquery().label("responses"),
        select(func.count()).select_from(customers).scalar_subquery().label("profiles"),
    )
    return dict((await conn.execute(statement)).one()._mapping)


async def findings(conn: AsyncConnection) -> AsyncIterator[str]:
    """What is wrong, a sentence each; nothing when all is right. Takes constant memory."""
    async for finding in audited(conn, events, source=_SOURCE, folds=_FOLDS, stored=_stored):
        yield finding
    for table, event in ((contacts, ContactCaptured), (responses, ContactResponded)):
        there = await conn.scalar(select(func.count()).select_from(table))
        said = await conn.scalar(select(func.count()).where(events.c.type == full_type(event)))
        if there != said:
            yield f"{there} rows in {table.name}, {said} events {event.TYPE}"


async def _stored(conn: AsyncConnection, ids: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
    found: dict[str, tuple[int, Any]] = {}
    for row in await customers_of(conn, ids):
        found[row.id] = (row.version, standing_of(row))
    ours = bindparam("ids", [one for one in ids if is_id(one)], type_=ARRAY(Uuid(as_uuid=False)))
    columns = [one for one in contacts.c if one.name not in ("posted", "signals")]
    for row in await conn.execute(select(*columns).where(contacts.c.id == any_(ours))):
        found[row.id] = (row.version, contact_of(row))
    return found
