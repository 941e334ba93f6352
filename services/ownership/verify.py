"""Proof of the books of ownership: every complaint is the fold of its events, has one first owner or is known to have
none, and no clock has come without being told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, cast, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.domain import evolve, from_json, next_moment
from services.ownership.handlers import AGAIN, HELD, LOOK, TIMER
from services.ownership.store.tables import agents, complaints, events, pauses, timers_rows
from shared.audit import audited
from shared.contracts.envelope import full_type
from shared.contracts.ownership import EVENTS, OwnerAssigned, Paused

_AT_ONCE = 500
_SOURCE = "urn:complaint-loop:ownership"
_c, _e = complaints.c, events.c


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many complaints there are, and how many of them nobody owns."""
    live = _c.status != "closed"
    statement = select(
        func.count().label("complaints"),
        func.count().filter(live).label("open_or_answered"),
        func.count().filter(live & _c.owner_id.is_(None)).label("unowned"),
    )
    return dict((await conn.execute(statement)).one()._mapping)


async def findings(conn: AsyncConnection) -> AsyncIterator[str]:
    """What is wrong, a sentence each; nothing when all is right. Takes constant memory."""
    folds = dict.fromkeys(EVENTS, evolve)
    async for finding in audited(conn, events, source=_SOURCE, folds=folds, stored=_stored):
        yield finding
    async for finding in _owners(conn):
        yield finding
    async for finding in _orphans(conn):
        yield finding
    async for finding in _scattered(conn):
        yield finding
    async for finding in _asleep(conn):
        yield finding
    async for finding in _pauses(conn):
        yield finding


async def _stored(conn: AsyncConnection, ids: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
    wanted = bindparam("ids", list(ids), type_=ARRAY(Uuid(as_uuid=False)))
    rows = await conn.execute(select(_c.id, _c.version, _c.state).where(_c.id == any_(wanted)))
    return {row.id: (row.version, from_json(row.state)) for row in rows}


async def _owners(conn: AsyncConnection) -> AsyncIterator[str]:
    assigned = (
        select(_e.subject_id, func.count().label("times"))
        .where(_e.type == full_type(OwnerAssigned))
        .group_by(_e.subject_id)
        .having(func.count() > 1)
        .limit(1000)
    )
    for row in await conn.execute(assigned):
        yield f"{row.subject_id}: was given a first owner {row.times} times"


async def _orphans(conn: AsyncConnection) -> AsyncIterator[str]:
    """Live complaints of inactive owners of which nobody has asked a supervisor, and nothing is about to."""
    looked_at = select(timers_rows.c.subject_id).where(timers_rows.c.kind.in_((LOOK, HELD, AGAIN))).exists()
    statement = (
        select(_c.id)
        .join(agents, agents.c.id == _c.owner_id)
        .where(~agents.c.active, _c.status != "closed", ~_c.succession_asked, ~looked_at)
        .limit(1000)
    )
    for row in await conn.execute(statement):
        yield f"{row.id}: its owner is inactive, and nobody was asked who follows"


async def _scattered(conn: AsyncConnection) -> AsyncIterator[str]:
    """Contacts that belong to two complaints, and complaints that were merged into one which knows nothing of it."""
    told = func.jsonb_array_elements_text(_c.state["contacts"]).table_valued("value").lateral("told")
    contact = told.c.value.label("contact")
    twice = (
        select(contact, func.count().label("times"))
        .select_from(complaints.join(told, true()))
        .group_by(contact)
        .having(func.count() > 1)
        .limit(1000)
    )
    for row in await conn.execute(twice):
        yield f"contact {row.contact} belongs to {row.times} complaints"
    into = complaints.alias("into_")
    lost = (
        select(_c.id)
        .outerjoin(into, cast(into.c.id, Text) == _c.state["merged_into"].astext)
        .where(
            _c.basis == "merged",
            func.coalesce(~into.c.state["took_in"].has_key(cast(_c.id, Text)), True),
        )
        .limit(1000)
    )
    for row in await conn.execute(lost):
        yield f"{row.id}: was merged into a complaint that knows nothing of it"


async def _pauses(conn: AsyncConnection) -> AsyncIterator[str]:
    """Pauses that were told and are not counted, or counted and never told."""
    told = select(func.count()).select_from(events).where(_e.type == full_type(Paused)).scalar_subquery()
    kept = select(func.count()).select_from(pauses).scalar_subquery()
    row = (await conn.execute(select(told.label("told"), kept.label("kept")))).one()
    if row.told != row.kept:
        yield f"{row.kept} pauses are counted by owner, {row.told} were told"


async def _asleep(conn: AsyncConnection) -> AsyncIterator[str]:
    """Complaints whose next moment is not the deadline that is set: their clocks would never be told."""
    after = "00000000-0000-0000-0000-000000000000"
    statement = (
        select(_c.id, _c.state, timers_rows.c.due_at)
        .outerjoin(timers_rows, (timers_rows.c.subject_id == cast(_c.id, Text)) & (timers_rows.c.kind == TIMER))
        .where(
            or_(_c.status != "closed", _c.owed_at.is_not(None)), _c.id > bindparam("after", type_=Uuid(as_uuid=False))
        )
        .order_by(_c.id)
        .limit(_AT_ONCE)
    )
    while True:
        rows = (await conn.execute(statement, {"after": after})).all()
        for row in rows:
            moment = next_moment(from_json(row.state))
            # earlier it may be: where the owner's working hours or absences want a look before
            if moment is not None and (row.due_at is None or row.due_at > moment):
                yield f"{row.id}: its deadline is later than its next moment"
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id
