"""The smallest service that the machinery can carry: it keeps, per customer, the numbers it was told, in order.

Tests of the machinery use it instead of one of the three, so that a failing rule of complaints fails no test of theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from sqlalchemy import ARRAY, Column, Integer, LargeBinary, Table, Text, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import ManualClock
from shared.consumer import Consumer, Registry
from shared.contracts.envelope import Envelope, Event, dump, full_type, new_id, topic_of
from shared.db import service_metadata
from shared.idempotency import idempotency_table
from shared.inbox import inbox_table, parked_table
from shared.kafka import Connection, Producer, TopicReader
from shared.outbox import Relay, journal_tables
from shared.refusal import Refusal
from shared.sets import insert_many
from shared.timers import Due, Timers, timers_table
from shared.work import Corridor, Failed, Input, Kept, Work

SOURCE = "urn:complaint-loop:intake"
SCHEMA = "tally"
metadata = service_metadata(SCHEMA)
events, unsent = journal_tables(metadata)
inbox, parked = inbox_table(metadata), parked_table(metadata)
idempotency, timers = idempotency_table(metadata), timers_table(metadata)
tallies = Table(
    "tallies",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("numbers", JSONB, nullable=False),
    Column("last", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)


class NumberSaid(Event):
    """What comes in. `act` says what the handler makes of it."""

    TYPE: ClassVar[str] = "number.said"
    SUBJECT: ClassVar[str] = "customer_id"
    number: int
    act: Literal["keep", "fail", "remind"] = "keep"


class NumberKept(Event):
    """What goes out."""

    TYPE: ClassVar[str] = "number.kept"
    SUBJECT: ClassVar[str] = "customer_id"
    number: int


@dataclass
class Book:
    """The numbers of the customers that a set of inputs is about."""

    kept: dict[str, Kept[tuple[int, ...]]] = field(default_factory=dict)

    def of(self, customer_id: str) -> Kept[tuple[int, ...]]:
        return self.kept.setdefault(customer_id, Kept(customer_id, customer_id, ()))


class TallyStore:
    """All SQL of this service."""

    events, unsent, inbox, idempotency, parked = events, unsent, inbox, idempotency, parked

    def __init__(self) -> None:
        self.timers = Timers(timers, SCHEMA)

    async def load(self, conn: AsyncConnection, inputs: Sequence[Input[Book]], now: datetime) -> Book:
        wanted = bindparam("ids", [one.customer_id for one in inputs], type_=ARRAY(Text))
        rows = await conn.execute(select(tallies).where(tallies.c.customer_id == any_(wanted)))
        kept = {r.customer_id: Kept(r.customer_id, r.customer_id, tuple(r.numbers), r.version, r.chain) for r in rows}
        return Book(kept)

    async def save(self, conn: AsyncConnection, book: Book, work: Work) -> None:
        rows = [
            {"customer_id": k.id, "numbers": list(k.now), "last": k.now[-1], "version": k.version, "chain": k.chain}
            for k in book.kept.values()
            if k.changed
        ]
        await insert_many(conn, tallies, rows, conflict=("customer_id",), update=True)


def evolve(state: tuple[int, ...] | None, event: NumberKept) -> tuple[int, ...]:
    return (*(state or ()), event.number)


def on_number_said(book: Book, work: Work, said: NumberSaid) -> int | Refusal:
    """Keeps a number; a negative one is refused; `fail` is a bug; `remind` sets a deadline in a minute."""
    if said.act == "fail":
        raise ValueError("a bug in a handler")
    if said.number < 0:
        return Refusal("negative", "A number is at least 0.")
    kept = book.of(said.customer_id)
    if said.act == "remind":
        work.set_timer("remind", said.customer_id, said.customer_id, work.now + timedelta(minutes=1))
    work.announce(kept, NumberKept(customer_id=kept.id, number=said.number), evolve)
    return len(kept.now)


def when_due(due: Due) -> Input[Book]:
    """A deadline that has come keeps the number 0."""

    def handle(book: Book, work: Work, due: Due) -> int:
        kept = book.of(due.customer_id)
        work.announce(kept, NumberKept(customer_id=kept.id, number=0), evolve)
        return len(kept.now)

    return Input(due.customer_id, due, handle)


REGISTRY: Registry = {full_type(NumberSaid): (NumberSaid, on_number_said)}
_sequence = itertools.count(1)


def said(customer_id: str, number: int, act: Any = "keep") -> NumberSaid:
    return NumberSaid(customer_id=customer_id, number=number, act=act)


def enveloped(event: Event, at: datetime, **over: Any) -> Envelope:
    """The event as intake would send it."""
    told: dict[str, Any] = {
        "id": new_id(),
        "source": SOURCE,
        "type": full_type(type(event)),
        "time": at,
        "subject": event.subject_id,
        "customer_id": event.customer_id,
        "sequence": next(_sequence),
        "correlation_id": "c",
        "causation_id": None,
        "data": dump(event),
    }
    return Envelope(**(told | over))


class Tally:
    """The service on one database, with what a test asks it to do and what came of it."""

    def __init__(self, engine: AsyncEngine, clock: ManualClock) -> None:
        self.engine, self.clock, self.store = engine, clock, TallyStore()
        self.corridor: Corridor[Book] = Corridor(SCHEMA, engine, clock, self.store)

    async def create(self) -> None:
        async with self.engine.begin() as conn:
            await conn.execute(text(f"create schema if not exists {SCHEMA}"))
            await conn.run_sync(metadata.create_all)

    def envelope(self, event: Event, **over: Any) -> Envelope:
        return enveloped(event, self.clock.now(), **over)

    def input(self, event: NumberSaid, **more: Any) -> Input[Book]:
        return Input(event.customer_id, event, on_number_said, **more)

    async def take(self, *told: NumberSaid) -> list[Any]:
        """Takes a set; an input that failed answers its error."""
        results = await self.corridor.take([self.input(one) for one in told])
        return [result.error if isinstance(result, Failed) else result for result in results]

    async def sweep(self, most: int = 500) -> int:
        return await self.corridor.sweep(when_due, most)

    def relay(self, producer: Any) -> Relay:
        return Relay(
            self.engine, events, unsent, source="urn:complaint-loop:tally", topic=topic_of(SCHEMA), producer=producer
        )

    def consumer(self, connection: Connection, group: str, **more: Any) -> Consumer[Book]:
        reader = TopicReader(connection, group, [topic_of("intake")], **more.pop("reading", {}))
        producer = Producer(connection, deadline=5)
        return Consumer(self.corridor, reader, REGISTRY, parked=parked, producer=producer, wait=0.1, **more)

    async def numbers(self) -> dict[str, list[int]]:
        """What is kept, by customer."""
        async with self.engine.connect() as conn:
            return {row.customer_id: row.numbers for row in await conn.execute(select(tallies))}

    async def said(self) -> list[tuple[str, int]]:
        """(subject, sequence) of all events, by position."""
        async with self.engine.connect() as conn:
            rows = await conn.execute(select(events.c.subject_id, events.c.sequence).order_by(events.c.position))
            return [(row.subject_id, row.sequence) for row in rows]

    async def rows(self, table: Table) -> list[Any]:
        async with self.engine.connect() as conn:
            return list((await conn.execute(select(table))).all())
