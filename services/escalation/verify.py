"""Proof of the books of escalation: every escalation and promise is the fold of its events, each that waits has its
deadline, no mail is lost, and the feed is dense."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain import escalation as escalating
from services.escalation.domain import promise as promising
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.promise import Promise
from services.escalation.store import arrivals, mails
from services.escalation.store import feed as feed_sql
from services.escalation.store.tables import among, breaches, escalations, events, feed, promises, timers
from shared.audit import audited
from shared.contracts.escalation import EVENTS, PromiseEvent

_SOURCE = "urn:complaint-loop:escalation"
_AT_ONCE = 500


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many escalations and promises there are, and how they stand."""
    e, p = escalations.c, promises.c
    found: dict[str, int] = {}
    for statement in (
        select(func.count().label("escalations"), func.count().filter(e.status == "waiting").label("waiting")),
        select(func.count().label("promises"), func.count().filter(p.status == "broken").label("broken")),
        select(func.count(feed.c.id).label("feed_items")),
    ):
        found |= dict((await conn.execute(statement)).one()._mapping)
    found |= await mails.counts(conn)
    return found


async def findings(conn: AsyncConnection) -> AsyncIterator[str]:
    """What is wrong, a sentence each; nothing when all is right. Takes constant memory."""
    folds = {event: promising.evolve if issubclass(event, PromiseEvent) else escalating.evolve for event in EVENTS}
    async for finding in audited(conn, events, source=_SOURCE, folds=folds, stored=_stored):
        yield finding
    async for finding in _asleep(conn):
        yield finding
    async for finding in _unwatched(conn):
        yield finding
    async for finding in _standing(conn):
        yield finding
    for finding in await feed_sql.gaps(conn):
        yield finding
    async for finding in arrivals.findings(conn):
        yield finding
    async for finding in mails.findings(conn):
        yield finding


async def _stored(conn: AsyncConnection, ids: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
    found: dict[str, tuple[int, Any]] = {}
    kinds: tuple[tuple[Any, type[Escalation] | type[Promise]], ...] = ((escalations, Escalation), (promises, Promise))
    for table, kind in kinds:
        wanted = table.c.id == among("ids", ids)
        for row in await conn.execute(select(table.c.id, table.c.version, table.c.state).where(wanted)):
            found[row.id] = (row.version, kind.model_validate(row.state))
    return found


async def _asleep(conn: AsyncConnection) -> AsyncIterator[str]:
    """Escalations that wait without the deadline of the step that stands: their ladder would end in silence."""
    ladder = (timers.c.subject_id == escalations.c.id) & (timers.c.kind == "ladder")
    statement = (
        select(escalations.c.id, escalations.c.due_at, timers.c.due_at.label("set_for"))
        .outerjoin(timers, ladder)
        .where(escalations.c.status == "waiting", escalations.c.id > bindparam("after"))
        .order_by(escalations.c.id)
        .limit(_AT_ONCE)
    )
    after = ""
    while True:
        rows = (await conn.execute(statement, {"after": after})).all()
        for row in rows:
            if row.set_for != row.due_at:
                yield f"{row.id}: waits, and its deadline is not set"
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id


async def _unwatched(conn: AsyncConnection) -> AsyncIterator[str]:
    """Answers that somebody has to tell in person and nobody is reminded of."""
    reminds = (timers.c.subject_id == escalations.c.id) & (timers.c.kind == "tell")
    statement = (
        select(escalations.c.id)
        .outerjoin(timers, reminds)
        .where(escalations.c.status == "answered", escalations.c.state["answer"]["failed"].astext.is_not(None))
        .where(timers.c.subject_id.is_(None))
        .order_by(escalations.c.id)
        .limit(1000)
    )
    for row in await conn.execute(statement):
        yield f"{row.id}: its answer is to be told, and nobody is reminded"


async def _standing(conn: AsyncConnection) -> AsyncIterator[str]:
    """Promises whose count of standing breaches is not that of the breaches kept."""
    stands = func.count(breaches.c.contact_id).filter(breaches.c.taken_back.is_(None))
    told = promises.c.state["standing"].as_integer()
    statement = (
        select(promises.c.id)
        .outerjoin(breaches, breaches.c.promise_id == promises.c.id)
        .group_by(promises.c.id)
        .having(stands != told)
        .limit(1000)
    )
    for row in await conn.execute(statement):
        yield f"{row.id}: its standing breaches are not those that are kept"
