"""Loads what a set of inputs concerns and saves what became of it: one statement per table, whatever the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, any_, bindparam, cast, column, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain import PROFILE, NewContact, NewProfile, NewResponse, Opinion, Profile, Standing
from services.intake.domain.commands import Carried, Erase, Merge
from services.intake.listening import Ears
from services.intake.signals import Earlier
from shared.contracts.intake import Amount
from shared.prepared import Prepared, Question
from shared.sets import one_text, texts
from shared.timers import Timers
from shared.work import Input, Kept, Work

from . import opinions, tables
from .book import Book, Customer, Known, Recent, Responder, contact_row
from .changing import forget, note_answered, response_rows
from .corrections import correct
from .reading import CUSTOMERS, KIN_OF, RECENT, contact_of, customers_of, is_id, recent

_c, _r, _p = tables.contacts.c, tables.responses.c, tables.responders.c


def _array(name: str, kind: Any = Text) -> Any:
    return bindparam(name, type_=ARRAY(kind))


def _rows(name: str, *columns: str) -> Any:
    arrays = [texts(f"p_{one}") for one in columns]
    return func.unnest(*arrays).table_valued(*[column(one, Text) for one in columns]).render_derived(name=name)


_asked = _rows("asked", "source", "source_event_id")
# one look-up per identity, whatever the statistics say: planned when the table was empty, a join reads all of it
_there = (
    select(
        cast(_c.id, Text).label("id"),
        _c.source,
        _c.source_event_id,
        _c.received_at,
        cast(_c.signals, Text).label("signals"),
    )
    .where(_c.source == _asked.c.source, _c.source_event_id == _asked.c.source_event_id)
    .limit(1)
    .lateral("there")
)
_known = select(_there).select_from(_asked.join(_there, true()))
_contacts = select(*[one for one in _c if one.name not in ("posted", "signals")]).where(
    _c.id == any_(_array("ids", Uuid(as_uuid=False)))
)
_answers = _rows("answers", "source", "scope", "source_event_id")
_responses = select(tables.responses).where(
    tuple_(_r.source, _r.scope, _r.source_event_id).in_(
        select(_answers.c.source, _answers.c.scope, _answers.c.source_event_id)
    )
)
_enveloped = Prepared(
    select(
        tables.envelopes.c.id.label("envelope"),
        cast(_c.id, Text).label("id"),
        _c.received_at,
        cast(_c.signals, Text).label("signals"),
    )
    .join(tables.contacts, _c.id == tables.envelopes.c.contact_id)
    .where(tables.envelopes.c.id == any_(_array("ids", LargeBinary)))
)
_responders = Prepared(select(tables.responders).where(_p.id == any_(_array("ids"))))


class IntakeStore:
    """The tables of intake, as the corridor needs them."""

    def __init__(self, ears: Ears) -> None:
        self.ears = ears
        self.events, self.unsent = tables.events, tables.unsent
        self.inbox, self.parked, self.idempotency = tables.inbox, tables.parked, tables.idempotency
        self.timers = Timers(tables.timers_rows, "intake")

    def questions(self, inputs: Sequence[Input[Book]]) -> Mapping[str, Question]:
        """What is there of new contacts, of their customers, and of what these said lately."""
        merging = [one.payload for one in inputs if isinstance(one.payload, Merge)]
        if merging:
            ids = {one.customer_id for one in merging} | {one.into for one in merging if one.into is not None}
            kin = {"kin": Question(KIN_OF, {"kin_of": sorted(ids)})}
        else:
            kin = {}
        new = [one.payload for one in inputs if isinstance(one.payload, NewContact)]
        if not new:
            return kin
        identities = {
            "p_source": one_text([one.source for one in new]),
            "p_source_event_id": one_text([one.source_event_id for one in new]),
        }
        whose = one_text(list({one.customer_id for one in new}))
        return kin | {
            "known": Question(_known, identities),
            "customers": Question(CUSTOMERS, {"ids": whose}),
            "recently": Question(RECENT, {"whose": whose}),
        }

    async def load(
        self,
        conn: AsyncConnection,
        inputs: Sequence[Input[Book]],
        now: datetime,
        told: Mapping[str, Sequence[Any]],
    ) -> Book:
        """Contacts that are there already, the customers with their last few contacts, and who answered them."""
        book = Book(self.ears)
        payloads = [one.payload for one in inputs]
        new = [one for one in payloads if isinstance(one, NewContact)]
        answers = [one for one in payloads if isinstance(one, NewResponse)]
        if new:
            self._look(book, told)
        if answers:
            await self._load_answered(conn, book, answers)
        humans = [one.responder for one in new] + [one.responder for one in answers]
        people = {one.id for one in humans if one is not None and (one.name or one.email)}
        if people:
            for row in await _responders.rows(conn, {"ids": sorted(people)}):
                book.responders[row.id] = Responder(row.name, row.email, row.said_at)
        others = sorted({one.customer_id for one in payloads if isinstance(one, NewProfile | Erase | Carried | Merge)})
        others += [one.into for one in payloads if isinstance(one, Merge) and one.into is not None]
        others += [row.id for row in told.get("kin", ()) if row.id not in others]
        self._know(book, await customers_of(conn, others))
        await self._tell_apart(conn, book, {*others, *(one.customer_id for one in new)})
        acted_on = sorted(one for one in others if not book.customer(one).known)
        for row in await recent(conn, acted_on):
            book.customer(row.customer_id).known = True
        if envelopes := [one.envelope for one in new if one.envelope is not None]:
            await self._load_enveloped(conn, book, envelopes)
        if judged := [one.contact_id for one in payloads if isinstance(one, Opinion)]:
            await opinions.load(conn, book, judged)
        if unknown := [one for one in new if book.there(one) is None]:
            await book.compare(unknown)
        return book

    def _look(self, book: Book, told: Mapping[str, Sequence[Any]]) -> None:
        for row in told["known"]:
            book.known[(row.source, row.source_event_id)] = Known(row.id, row.received_at, row.signals.encode())
        self._know(book, told["customers"])
        for row in told["recently"]:
            earlier = Earlier(row.id, row.text or "", row.cause, row.occurred_at)
            book.recent.setdefault(row.customer_id, []).insert(0, Recent(earlier, row.conversation_id))

    async def _load_enveloped(self, conn: AsyncConnection, book: Book, envelopes: list[bytes]) -> None:
        for row in await _enveloped.rows(conn, {"ids": envelopes}):
            book.enveloped[row.envelope] = Known(row.id, row.received_at, row.signals.encode())

    def _know(self, book: Book, rows: Sequence[Any]) -> None:
        for row in rows:
            book.customers[row.id] = customer_of(row)

    async def _tell_apart(self, conn: AsyncConnection, book: Book, customers: set[str]) -> None:
        if like_ours := [one for one in customers if is_id(one)]:
            found = await conn.execute(
                select(_c.id).where(_c.id == any_(_array("ids", Uuid(as_uuid=False)))), {"ids": like_ours}
            )
            book.confused = set(found.scalars())

    async def _load_answered(self, conn: AsyncConnection, book: Book, answers: list[NewResponse]) -> None:
        for row in await conn.execute(_contacts, {"ids": sorted({one.contact_id for one in answers})}):
            book.contacts[row.id] = Kept(row.id, row.customer_id, contact_of(row), row.version, row.chain)
        asked = {
            "p_source": one_text([one.source for one in answers]),
            "p_scope": one_text([one.scope for one in answers]),
            "p_source_event_id": one_text([one.source_event_id for one in answers]),
        }
        for row in await conn.execute(_responses, asked):
            key = (row.source, row.scope, row.source_event_id)
            book.responses[key] = (row.id, row.contact_id, row.received_at, row.first)

    async def save(self, conn: AsyncConnection, book: Book, work: Work) -> None:
        """Writes new contacts and responses, what was learned of people, and forgets who is to be forgotten."""
        work.write(tables.contacts, [contact_row(*one) for one in book.captured])
        work.write(tables.envelopes, [{"id": one, "contact_id": of} for one, of in book.envelopes.items()])
        if book.responded:
            work.write(tables.responses, response_rows(book))
            await note_answered(conn, book)
        changed = [_customer_row(one) for one in book.customers.values() if one.changed]
        work.write(tables.customers, changed, conflict=("id",), update=True)
        if book.renamed:
            # in the order of their ids, so that two sets with the same people wait for each other in one direction
            people = [
                {"id": one, "name": it.name, "email": it.email, "said_at": it.said_at}
                for one, it in sorted(book.responders.items())
                if one in book.renamed
            ]
            work.write(tables.responders, people, conflict=("id",), update=True)
        if book.doubtful:
            work.write(tables.opinions, book.doubtful)
        if book.opined:
            await opinions.save(conn, book)
        if book.corrected:
            await correct(conn, list(book.corrected.values()))
        if book.erased:
            await forget(conn, sorted(book.erased))


def standing_of(row: Any) -> Standing:
    """What a customer is to the business, from the columns."""
    value = Amount(**orjson.loads(row.lifetime_value)) if row.lifetime_value else None
    return Standing(row.tier, row.region, row.locale, value, row.profiled_at, row.erased_at)


def customer_of(row: Any) -> Customer:
    """A customer from their row."""
    standing = standing_of(row)
    fields = {name: getattr(row, name) for name in PROFILE if getattr(row, name) is not None}
    if standing.lifetime_value is not None:
        fields["lifetime_value"] = standing.lifetime_value
    as_of = {name: datetime.fromisoformat(at) for name, at in orjson.loads(row.as_of).items()}
    kept = Kept(row.id, row.id, standing if row.version else None, row.version, row.chain)
    return Customer(kept, Profile(fields, as_of), known=True, merged_into=row.merged_into, merged=row.merged)


def _customer_row(customer: Customer) -> dict[str, Any]:
    fields, standing = customer.profile.fields, customer.standing
    value = standing.lifetime_value
    return {
        "id": customer.kept.id,
        "name": fields.get("name"),
        "email": fields.get("email"),
        "phone": fields.get("phone"),
        "tier": standing.tier,
        "region": standing.region,
        "locale": standing.locale,
        "lifetime_value": None if value is None else {"amount": value.amount, "currency": value.currency},
        "as_of": orjson.dumps(dict(customer.profile.as_of)),
        "profiled_at": standing.profiled_at,
        "merged_into": customer.merged_into,
        "merged": customer.merged,
        "erased_at": standing.erased_at,
        "version": customer.kept.version,
        "chain": customer.kept.chain,
    }
