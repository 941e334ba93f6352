"""What the handlers did, written set by set in the transaction of their input."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import cast, func, null, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store import arrivals, links, mails, unreachable
from services.escalation.store.book import Book
from services.escalation.store.tables import (
    among,
    answers,
    breaches,
    complaints,
    contacts,
    escalations,
    events,
    feed,
    kin,
    promises,
)
from shared.faults import fault
from shared.sets import insert_many
from shared.work import Work

#: the end of a watch that is held open
OPEN_ENDED = datetime(9999, 12, 31, tzinfo=UTC)


async def write(conn: AsyncConnection, book: Book, work: Work) -> None:
    """Writes what changed and what follows from it."""
    await _facts(conn, book)
    await _escalations(conn, book)
    await insert_many(conn, answers, [asdict(one) for one in book.answers])
    await _promises(conn, book)
    await insert_many(conn, feed, book.items)
    if book.items:
        work.ring("escalation_unnumbered")
    await _mails(conn, book, work)
    await _reach(conn, book, work)
    await book.kin.save(conn, kin)
    if book.erased:
        await _forget(conn, book.erased)


async def _facts(conn: AsyncConnection, book: Book) -> None:
    rows: list[dict[str, Any]] = [
        {"id": one.id, "customer_id": one.customer_id, "facts": one.model_dump(mode="json")}
        for one in (book.complaints[key] for key in sorted(book.changed_complaints))
    ]
    await insert_many(conn, complaints, rows, conflict=("id",), update=True)
    rows = [
        {
            "id": one.id,
            "customer_id": one.customer_id,
            "complaint_id": one.complaint_id,
            "heard_at": one.heard_at,
            "cause": one.cause,
            "facts": one.model_dump(mode="json"),
        }
        for one in (book.contacts[key] for key in sorted(book.changed_contacts))
    ]
    await insert_many(conn, contacts, rows, conflict=("id",), update=True)


async def _escalations(conn: AsyncConnection, book: Book) -> None:
    rows = [
        {
            "id": kept.id,
            "complaint_id": kept.now.complaint_id,
            "customer_id": kept.customer_id,
            "status": kept.now.status,
            "level": kept.now.level,
            "executive_id": kept.now.executive_id,
            "due_at": kept.now.due_at,
            "delivery": book.delivery.get(kept.id, {}),
            "state": kept.now.model_dump(mode="json"),
            "worded": True,
            "version": kept.version,
            "chain": kept.chain,
        }
        for kept in book.escalations.values()
        if kept.changed or kept.id in book.changed_delivery
    ]
    # ended ones first: the next of the same complaint may be waiting in this same set
    for settled in (True, False):
        some = [row for row in rows if (row["status"] != "waiting") is settled]
        await insert_many(conn, escalations, some, conflict=("id",), update=True)


async def _promises(conn: AsyncConnection, book: Book) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": kept.id,
            "reference": kept.now.reference,
            "customer_id": kept.customer_id,
            "complaint_id": kept.now.complaint_id,
            "made_by": kept.now.made_by,
            "cause": kept.now.cause,
            "scope": kept.now.scope,
            "status": kept.now.status,
            "made_at": kept.now.made_at,
            "watched_until": kept.now.watched_until or OPEN_ENDED,
            "text": book.words[kept.id].text,
            "words": book.words[kept.id].actions,
            "state": kept.now.model_dump(mode="json"),
            "worded": True,
            "version": kept.version,
            "chain": kept.chain,
        }
        for kept in book.promises.values()
        if kept.changed or book.words[kept.id].changed
    ]
    await insert_many(conn, promises, rows, conflict=("id",), update=True)
    rows = [
        {
            "promise_id": one.promise_id,
            "contact_id": one.contact_id,
            "hurt_id": one.hurt_id,
            "at": one.at,
            "taken_back": one.taken_back,
        }
        for one in (book.breaches[key] for key in sorted(book.changed_breaches))
    ]
    await insert_many(conn, breaches, rows, conflict=("promise_id", "contact_id"), update=True)


async def _mails(conn: AsyncConnection, book: Book, work: Work) -> None:
    if book.withdrawn:
        await mails.withdraw(conn, sorted(book.withdrawn))
    ended = [kept.id for kept in book.escalations.values() if kept.changed and kept.now.status == "ended"]
    if ended:
        await links.wind_up(conn, sorted(ended), work.now)
    for escalation_id, executive_id in book.revoked:
        await links.revoke(conn, escalation_id, executive_id, work.now)
    if book.settled:
        await arrivals.settle(conn, book.settled)
    if book.overtaken:
        await mails.withdraw_untried(conn, sorted(book.overtaken))
    if book.outcomes:
        await fault("mail.before_record")
        await mails.record(conn, book.outcomes)
    if book.orders:
        await mails.queue(conn, list(book.orders.values()))
        work.ring("escalation_mail")


async def _reach(conn: AsyncConnection, book: Book, work: Work) -> None:
    if book.marked:
        await unreachable.mark(conn, list(book.marked.values()))
    if book.accepted:
        await unreachable.accepted(conn, sorted(book.accepted), work.now)
    for executive_id, by in book.trusted.items():
        await unreachable.trust(conn, executive_id, by, work.now)


async def _forget(conn: AsyncConnection, customers: Collection[str]) -> None:
    """Forgets the words of these customers' answers, promises and notes; ids, times and the chain stay."""
    theirs = among("customers", customers)
    await conn.execute(
        update(answers)
        .where(answers.c.customer_id == theirs)
        .values(text=null(), stay=null(), redress=null(), sketch=null())
    )
    nothing: Any = cast(func.jsonb_build_object(), JSONB)
    await conn.execute(update(promises).where(promises.c.customer_id == theirs).values(text=null(), words=nothing))
    await conn.execute(update(events).where(events.c.customer_id == theirs).values(why=null(), note=null()))
    await arrivals.forget(conn, sorted(customers))
    await mails.forget(conn, sorted(customers))
    await links.forget(conn, sorted(customers))
