"""What a set of inputs needs to know, found out set by set: the same few statements for one input or five hundred."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, all_, and_, any_, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.contact import Contact
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.promise import Promise
from services.escalation.domain.reach import reach_of
from services.escalation.store import arrivals, mails, unreachable
from services.escalation.store.book import Book, Breach, Broken, Watch, Words
from services.escalation.store.tables import among, answers, breaches, complaints, contacts, escalations, promises
from services.escalation.store.wanted import Wanted
from shared.outbox import lock_number
from shared.work import Kept

#: answers that came between a look at the earlier ones and the lock
MOST_NEWER = 200
#: contacts that a new promise to everyone is held against: a minute of more than a thousand a second on one cause
MOST_HEARD_SINCE = 100_000
#: promises that did not hold with which a new one is compared
MOST_BROKEN = 500
#: held while an answer is taken: of two that are alike and come at once, the second sees the first
_ANSWERING = lock_number("escalation", "answers")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def fill(conn: AsyncConnection, book: Book, wanted: Wanted, customers: Collection[str], now: datetime) -> None:
    """Reads all of `wanted` into the book. `customers` are those whose locks are held."""
    if wanted.arrivals:
        book.arrivals = await arrivals.of(conn, sorted(wanted.arrivals))
    await _mails(conn, book, wanted)
    await _contacts(conn, book, wanted)
    if wanted.across:
        await _across(conn, book, customers)
    await _breaches(conn, book)
    await _promises(conn, book, wanted, customers)
    await _broken(conn, book, wanted)
    await _escalations(conn, book, wanted)
    await _complaints(conn, book, wanted)
    await _answers(conn, book, wanted)
    await _reach(conn, book, wanted, now)


async def _mails(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.mails:
        return
    book.ordered = await mails.orders(conn, sorted(wanted.mails))
    for order in book.ordered.values():
        wanted.escalations |= {order.escalation_id} if order.escalation_id else set()
        wanted.promises |= {order.promise_id} if order.promise_id else set()
        wanted.complaints |= {order.complaint_id} if order.complaint_id else set()


async def _contacts(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if wanted.look_back:
        await _heard_since(conn, book, wanted.look_back)
    if not wanted.contacts and not wanted.whole and not wanted.raised:
        return
    found = contacts.c.id == among("ids", wanted.contacts)
    if wanted.whole:
        found |= contacts.c.complaint_id == among("whole", wanted.whole)
    if wanted.raised:
        carried = func.jsonb_array_length(contacts.c.facts["raised"]) > 0
        found |= (contacts.c.complaint_id == among("raised", wanted.raised)) & carried
    for row in await conn.execute(select(contacts.c.facts).where(found)):
        one = Contact.model_validate(row.facts)
        book.contacts[one.id] = one
        wanted.causes |= {one.cause} if one.cause else set()
        wanted.complaints |= {one.complaint_id} if one.complaint_id else set()
        wanted.heard += [one.heard_at] if one.heard_at else []


HEARD_SINCE = (
    select(promises.c.id.label("promise_id"), contacts.c.id.label("contact_id"))
    .join_from(
        promises,
        contacts,
        (contacts.c.cause == promises.c.cause) & (contacts.c.heard_at > promises.c.made_at),
    )
    .where(promises.c.id == any_(bindparam("ids", type_=ARRAY(Text))))
    .where(~exists().where(breaches.c.promise_id == promises.c.id, breaches.c.contact_id == contacts.c.id))
    .order_by(contacts.c.heard_at)
    .limit(MOST_HEARD_SINCE)
)


async def _heard_since(conn: AsyncConnection, book: Book, promise_ids: Collection[str]) -> None:
    """Contacts on the cause of these promises that were heard after they were made and have not broken them."""
    for row in await conn.execute(HEARD_SINCE, {"ids": sorted(promise_ids)}):
        book.heard_since.setdefault(row.promise_id, []).append(row.contact_id)


#: contacts are found by their complaints: those of none are no complaint, and break nothing
ACROSS = (
    select(promises.c.id.label("promise_id"), promises.c.customer_id, contacts.c.id.label("contact_id"))
    .join_from(complaints, contacts, contacts.c.complaint_id == complaints.c.id)
    .join(promises, (promises.c.cause == contacts.c.cause) & (promises.c.made_at < contacts.c.heard_at))
    .where(complaints.c.customer_id == any_(bindparam("ids", type_=ARRAY(Text))))
    .where(promises.c.customer_id == any_(bindparam("ids", type_=ARRAY(Text))))
    .where(promises.c.scope == "customer", promises.c.customer_id != contacts.c.customer_id)
    .limit(MOST_HEARD_SINCE)
)


async def _across(conn: AsyncConnection, book: Book, customers: Collection[str]) -> None:
    rows = await conn.execute(ACROSS, {"ids": sorted(customers)})
    book.across = [(row.promise_id, row.customer_id, row.contact_id) for row in rows]


async def _breaches(conn: AsyncConnection, book: Book) -> None:
    if not book.contacts:
        return
    for row in await conn.execute(select(breaches).where(breaches.c.contact_id == among("ids", book.contacts))):
        book.open_breach(Breach(row.promise_id, row.contact_id, row.hurt_id, row.at, row.taken_back))


#: of one index each: what was promised to these customers, and to everyone while a contact was heard
ON_CAUSES = (
    select(promises)
    .where(promises.c.customer_id == any_(bindparam("customers", type_=ARRAY(Text))))
    .where(promises.c.cause == any_(bindparam("causes", type_=ARRAY(Text))))
    .union_all(
        select(promises)
        .where(promises.c.scope == "everyone", promises.c.cause == any_(bindparam("causes", type_=ARRAY(Text))))
        .where(promises.c.customer_id != all_(bindparam("customers", type_=ARRAY(Text))))
        .where(promises.c.watched_until >= bindparam("first"), promises.c.made_at < bindparam("last"))
    )
)


def _about(wanted: Wanted, customers: Collection[str]) -> dict[str, Any]:
    return {
        "customers": sorted(customers),
        "causes": sorted(wanted.causes),
        "first": min(wanted.heard, default=_NEVER),
        "last": max(wanted.heard, default=_NEVER),
    }


async def _promises(conn: AsyncConnection, book: Book, wanted: Wanted, customers: Collection[str]) -> None:
    if wanted.causes:
        for row in await conn.execute(ON_CAUSES, _about(wanted, customers)):
            if row.customer_id in customers:
                _open_promise(book, row)
            else:
                book.open_watch(_watch(row.state))
    missing = (wanted.promises | {one.promise_id for one in book.breaches.values()}) - book.promises.keys()
    if missing:
        for row in await conn.execute(select(promises).where(promises.c.id == among("ids", missing))):
            if row.customer_id in customers:
                _open_promise(book, row)
                continue
            if row.id not in book.watches:
                book.open_watch(_watch(row.state))
            # whoever owned the promise's complaint is told of the breach
            wanted.complaints |= {row.complaint_id} if row.complaint_id else set()
    wanted.complaints |= {kept.now.complaint_id for kept in book.promises.values() if kept.now.complaint_id}


def _open_promise(book: Book, row: Any) -> None:
    state = Promise.model_validate(row.state)
    kept = Kept(row.id, row.customer_id, state, row.version, bytes(row.chain))
    book.open_promise(kept, state.cause, Words(row.text, row.words))


def _watch(state: dict[str, Any]) -> Watch:
    one = Promise.model_validate(state)
    return Watch(
        one.id,
        one.customer_id,
        one.cause,
        one.product,
        one.scope,
        one.made_at,
        one.watched_until,
        one.made_by,
        one.level,
        one.complaint_id,
    )


BROKEN_ON = (
    select(promises.c.cause, promises.c.customer_id, promises.c.scope, promises.c.made_by, promises.c.text)
    .where(promises.c.status == "broken", promises.c.text.is_not(None))
    .where(promises.c.cause == any_(bindparam("promised", type_=ARRAY(Text))))
    .order_by(promises.c.id.desc())
    .limit(MOST_BROKEN)
)


async def _broken(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.promised:
        return
    found = await conn.execute(BROKEN_ON, {"promised": sorted(wanted.promised)})
    book.broken = [Broken(*row) for row in found]


async def _escalations(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.escalations and not wanted.complaints:
        return
    found = escalations.c.id == among("ids", wanted.escalations)
    if wanted.complaints:
        found |= and_(
            escalations.c.complaint_id == among("complaints", wanted.complaints), escalations.c.status != "ended"
        )
    if wanted.beside:
        theirs = select(escalations.c.complaint_id).where(escalations.c.id == among("beside", wanted.beside))
        found |= escalations.c.complaint_id.in_(theirs) & (escalations.c.status != "ended")
    if wanted.answered:
        found |= escalations.c.complaint_id == among("answered", wanted.answered)
    for row in await conn.execute(select(escalations).where(found)):
        state = Escalation.model_validate(row.state)
        book.open_escalation(Kept(row.id, row.customer_id, state, row.version, bytes(row.chain)), state.complaint_id)
        book.delivery[row.id] = row.delivery
        wanted.complaints.add(state.complaint_id)


async def _complaints(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.complaints:
        return
    statement = select(complaints.c.facts).where(complaints.c.id == among("ids", wanted.complaints))
    for row in await conn.execute(statement):
        one = Complaint.model_validate(row.facts)
        book.complaints[one.id] = one


async def _reach(conn: AsyncConnection, book: Book, wanted: Wanted, now: datetime) -> None:
    """Whose address is marked: wherever somebody may be asked. Where one may be about to be, who else is to know."""
    if not wanted.reach and not wanted.escalations and not wanted.complaints and not wanted.failed:
        return
    book.reach = reach_of(await unreachable.every(conn), book.policies.current, now)
    failed = (book.ordered[one] for one in wanted.failed & book.ordered.keys())
    people = {one.recipient_id for one in failed if one.recipient_kind == "executive"} - book.reach.marked
    if people:
        book.not_mailed = await unreachable.not_mailed(conn, people)


async def _answers(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if wanted.answers_after is None:
        return
    await conn.execute(select(func.pg_advisory_xact_lock(_ANSWERING)))
    statement = (
        select(answers.c.complaint_id, answers.c.text)
        .where(answers.c.number > wanted.answers_after, answers.c.text.is_not(None))
        .order_by(answers.c.number.desc())
        .limit(MOST_NEWER)
    )
    if wanted.sketch is not None:
        pieces = bindparam("pieces", sorted(wanted.sketch), type_=ARRAY(Text))
        statement = statement.where(answers.c.sketch.has_any(pieces))
    book.newer = [(row.complaint_id, row.text) for row in await conn.execute(statement)]
