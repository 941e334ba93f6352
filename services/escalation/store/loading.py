"""What a set of inputs needs to know, found out set by set: the same few statements for one input or five hundred."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Text, all_, and_, any_, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.acts import ActionDone, Delivered, Forwarded, PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.contact import Contact, heard_at
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.mail import MailOutcome
from services.escalation.domain.promise import Promise
from services.escalation.domain.replying import BounceCame, ReplyCame
from services.escalation.store import arrivals, mails
from services.escalation.store.book import Book, Breach, Broken, Watch, Words
from services.escalation.store.tables import answers, breaches, complaints, contacts, escalations, promises
from shared.contracts import intake, ownership
from shared.outbox import lock_number
from shared.timers import Due
from shared.work import Kept

#: answers that came between a look at the earlier ones and the lock
MOST_NEWER = 200
#: contacts that a new promise to everyone is held against: a minute of more than a thousand a second on one cause
MOST_HEARD_SINCE = 100_000
#: longer than any transaction may take
LOOK_BACK = timedelta(seconds=60)
#: promises that did not hold with which a new one is compared
MOST_BROKEN = 500
#: held while an answer is taken: of two that are alike and come at once, the second sees the first
_ANSWERING = lock_number("escalation", "answers")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Wanted:
    """Ids that inputs name."""

    complaints: set[str] = field(default_factory=set)
    #: complaints all of whose contacts are read
    whole: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    escalations: set[str] = field(default_factory=set)
    promises: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    #: when the contacts that are to be judged were heard: promises watched at no such time are left alone
    heard: list[datetime] = field(default_factory=list)
    #: causes of promises about to be made
    promised: set[str] = field(default_factory=set)
    mails: set[str] = field(default_factory=set)
    arrivals: set[str] = field(default_factory=set)
    #: promises for which contacts that came meanwhile are looked up
    look_back: set[str] = field(default_factory=set)
    answers_after: int | None = None
    #: only answers that share pieces with these; None: whatever they are like
    sketch: set[str] | None = field(default_factory=set)

    def add(self, payload: Any) -> None:
        """Adds what one input names."""
        match payload:
            case intake.ContactCaptured():
                self.contacts.add(payload.contact_id)
                self._cause(payload.cause)
                self.heard.append(heard_at(payload.occurred_at, payload.received_at))
            case ownership.ComplaintEvent():
                self._complaint(payload)
            case AnswerGiven():
                self.escalations.add(payload.escalation_id)
                self.promised |= {payload.promise.cause} if payload.promise else set()
                before = payload.seen if self.answers_after is None else min(self.answers_after, payload.seen)
                self.answers_after = before
                self._sketch(payload)
            case Delivered() | Forwarded():
                self.escalations.add(payload.escalation_id)
            case PromiseGiven():
                self.complaints |= {payload.complaint_id} if payload.complaint_id else set()
                self.promised.add(payload.wanted.cause)
            case ActionDone():
                self.promises.add(payload.promise_id)
            case ReplyCame():
                self.arrivals.add(payload.arrival_id)
                self.add(payload.said)
            case BounceCame():
                self.arrivals.add(payload.arrival_id)
                self.mails.add(payload.mail_id)
            case MailOutcome():
                self.mails.add(payload.mail_id)
            case Due():
                self._due(payload)

    def _sketch(self, given: AnswerGiven) -> None:
        if given.alike is None:
            self.sketch = None
        elif self.sketch is not None:
            self.sketch |= set(given.alike.sketch)

    def _complaint(self, event: ownership.ComplaintEvent) -> None:
        self.complaints.add(event.complaint_id)
        match event:
            case ownership.ComplaintOpened() | ownership.ContactJoined():
                self.contacts.add(event.contact_id)
            case ownership.Classified():
                self.contacts |= set(event.contact_ids)
                self._cause(event.cause)
            case ownership.Closed(basis="not_a_complaint") | ownership.OwnerAssigned():
                self.whole.add(event.complaint_id)

    def _due(self, due: Due) -> None:
        if due.kind == "ladder":
            self.escalations.add(due.subject_id)
            return
        promise_id, _, contact_id = due.subject_id.partition("/")
        self.promises.add(promise_id)
        if due.kind == "look_back":
            self.look_back.add(promise_id)
        if contact_id:
            self.contacts.add(contact_id)

    def _cause(self, cause: str | None) -> None:
        if cause:
            self.causes.add(cause)


def _among(name: str, values: Collection[str]) -> Any:
    return any_(bindparam(name, sorted(values), type_=ARRAY(Text)))


async def fill(conn: AsyncConnection, book: Book, wanted: Wanted, customers: Collection[str]) -> None:
    """Reads all of `wanted` into the book. `customers` are those whose locks are held."""
    if wanted.arrivals:
        book.arrivals = await arrivals.of(conn, sorted(wanted.arrivals))
    await _mails(conn, book, wanted)
    await _contacts(conn, book, wanted)
    await _breaches(conn, book)
    await _promises(conn, book, wanted, customers)
    await _broken(conn, book, wanted)
    await _escalations(conn, book, wanted)
    await _complaints(conn, book, wanted)
    await _answers(conn, book, wanted)


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
    if not wanted.contacts and not wanted.whole:
        return
    found = contacts.c.id == _among("ids", wanted.contacts)
    if wanted.whole:
        found |= contacts.c.complaint_id == _among("whole", wanted.whole)
    for row in await conn.execute(select(contacts.c.facts).where(found)):
        one = Contact.model_validate(row.facts)
        book.contacts[one.id] = one
        wanted.causes |= {one.cause} if one.cause else set()
        wanted.complaints |= {one.complaint_id} if one.complaint_id else set()
        wanted.heard += [one.heard_at] if one.heard_at else []
        wanted.promises |= set(one.raised) if one.complaint_id in wanted.whole else set()


async def _heard_since(conn: AsyncConnection, book: Book, promise_ids: Collection[str]) -> None:
    """Contacts on the cause of these promises that were heard after they were made and have not broken them."""
    p, c = promises.c, contacts.c
    later = (c.cause == p.cause) & (c.heard_at > p.made_at)
    seen = exists().where(breaches.c.promise_id == p.id, breaches.c.contact_id == c.id)
    statement = (
        select(p.id.label("promise_id"), c.id.label("contact_id"))
        .join_from(promises, contacts, later)
        .where(p.id == _among("ids", promise_ids), ~seen)
        .order_by(c.heard_at)
        .limit(MOST_HEARD_SINCE)
    )
    for row in await conn.execute(statement):
        book.heard_since.setdefault(row.promise_id, []).append(row.contact_id)


async def _breaches(conn: AsyncConnection, book: Book) -> None:
    if not book.contacts:
        return
    for row in await conn.execute(select(breaches).where(breaches.c.contact_id == _among("ids", book.contacts))):
        book.open_breach(Breach(row.promise_id, row.contact_id, row.hurt_id, row.at, row.taken_back))


#: of one index each: what was promised to these customers, and to everyone while a contact was heard
_ON_CAUSES = (
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
        for row in await conn.execute(_ON_CAUSES, _about(wanted, customers)):
            if row.customer_id in customers:
                _open_promise(book, row)
            else:
                book.open_watch(_watch(row.state))
    missing = (wanted.promises | {one.promise_id for one in book.breaches.values()}) - book.promises.keys()
    if missing:
        for row in await conn.execute(select(promises).where(promises.c.id == _among("ids", missing))):
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


async def _broken(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.promised:
        return
    p = promises.c
    statement = (
        select(p.cause, p.customer_id, p.scope, p.made_by, p.text)
        .where(p.status == "broken", p.cause == _among("promised", wanted.promised), p.text.is_not(None))
        .order_by(p.id.desc())
        .limit(MOST_BROKEN)
    )
    book.broken = [Broken(*row) for row in await conn.execute(statement)]


async def _escalations(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.escalations and not wanted.complaints:
        return
    found = escalations.c.id == _among("ids", wanted.escalations)
    if wanted.complaints:
        found |= and_(
            escalations.c.complaint_id == _among("complaints", wanted.complaints), escalations.c.status != "ended"
        )
    for row in await conn.execute(select(escalations).where(found)):
        state = Escalation.model_validate(row.state)
        book.open_escalation(Kept(row.id, row.customer_id, state, row.version, bytes(row.chain)), state.complaint_id)
        book.delivery[row.id] = row.delivery
        wanted.complaints.add(state.complaint_id)


async def _complaints(conn: AsyncConnection, book: Book, wanted: Wanted) -> None:
    if not wanted.complaints:
        return
    statement = select(complaints.c.facts).where(complaints.c.id == _among("ids", wanted.complaints))
    for row in await conn.execute(statement):
        one = Complaint.model_validate(row.facts)
        book.complaints[one.id] = one


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


def want(payloads: Iterable[Any]) -> Wanted:
    """What these inputs need."""
    wanted = Wanted()
    for payload in payloads:
        wanted.add(payload)
    return wanted
