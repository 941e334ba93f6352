"""A service of a few lines on the real machinery: every customer has a list of numbers, and each event adds one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ARRAY, Column, Integer, LargeBinary, Table, Text, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.contracts.envelope import Envelope, Event, dump, full_type, new_id
from shared.db import insert_many, service_metadata
from shared.idempotency import idempotency_table
from shared.inbox import inbox_table, parked_table
from shared.outbox import journal_tables
from shared.timers import Due, Timers, timers_table
from shared.work import Corridor, Input, Kept, Work

metadata = service_metadata("toy")
events, unsent = journal_tables(metadata)
inbox = inbox_table(metadata)
parked = parked_table(metadata)
idempotency = idempotency_table(metadata)
timers = timers_table(metadata)
lists = Table(
    "lists",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("numbers", ARRAY(Integer), nullable=False),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)


class Ticked(Event):
    """A number for a customer's list."""

    TYPE: ClassVar[str] = "toy.ticked"
    SUBJECT: ClassVar[str] = "customer_id"
    n: int


class Listed(Event):
    """A number is in the list."""

    TYPE: ClassVar[str] = "toy.listed"
    SUBJECT: ClassVar[str] = "customer_id"
    n: int


@dataclass
class ToyBook:
    """The lists of the customers of one set."""

    lists: dict[str, Kept[tuple[int, ...]]] = field(default_factory=dict)


class ToyStore:
    """The toy's tables, as the corridor needs them."""

    events, unsent, inbox, idempotency, parked = events, unsent, inbox, idempotency, parked

    def __init__(self) -> None:
        self.timers = Timers(timers, "toy")

    async def load(self, conn: AsyncConnection, inputs: Sequence[Input[ToyBook]], now: datetime) -> ToyBook:
        ids = sorted({one.customer_id for one in inputs})
        book = ToyBook({one: Kept(one, one) for one in ids})
        found = select(lists).where(lists.c.customer_id == any_(bindparam("ids", ids, type_=ARRAY(Text))))
        for row in await conn.execute(found):
            kept = Kept(row.customer_id, row.customer_id, tuple(row.numbers), row.version, bytes(row.chain))
            book.lists[row.customer_id] = kept
        return book

    async def save(self, conn: AsyncConnection, book: ToyBook, work: Work) -> None:
        for kept in book.lists.values():
            if kept.changed:
                row = {"customer_id": kept.id, "numbers": list(kept.now), "version": kept.version, "chain": kept.chain}
                statement = text(
                    "insert into toy.lists values (:customer_id, :numbers, :version, :chain) on conflict (customer_id) "
                    "do update set numbers = excluded.numbers, version = excluded.version, chain = excluded.chain"
                )
                await conn.execute(statement, row)


def evolve(state: tuple[int, ...] | None, event: Listed) -> tuple[int, ...]:
    """The list with one number more."""
    return (*(state or ()), event.n)


class Broken(Exception):
    """What the handler of a number below zero raises: a bug."""


def on_ticked(book: ToyBook, work: Work, event: Ticked) -> int:
    """Puts the number into the list; a number of 1,000 or more also sets a deadline."""
    if event.n < 0:
        raise Broken
    kept = book.lists[event.customer_id]
    work.announce(kept, Listed(customer_id=event.customer_id, n=event.n), evolve)
    return event.n


def when(due: Due) -> Input[ToyBook]:
    """A deadline adds the number 0, or the bug that its kind names."""
    n = -1 if due.kind == "broken" else 0
    return Input(due.customer_id, Ticked(customer_id=due.customer_id, n=n), on_ticked)


REGISTRY = {full_type(Ticked): (Ticked, on_ticked)}


def envelope(event: Event, at: datetime, **over: Any) -> Envelope:
    """An event as it travels."""
    told: dict[str, Any] = {
        "id": new_id(),
        "source": "urn:test",
        "type": full_type(type(event)),
        "time": at,
        "subject": event.subject_id,
        "customer_id": event.customer_id,
        "sequence": 1,
        "correlation_id": "test",
        "causation_id": None,
        "data": dump(event),
    }
    return Envelope(**(told | over))


async def install(engine: AsyncEngine) -> None:
    """The toy's tables in this test's database."""
    async with engine.begin() as conn:
        await conn.execute(text("create schema if not exists toy"))
        await conn.run_sync(metadata.create_all)


def corridor(engine: AsyncEngine, clock: Clock) -> Corridor[ToyBook]:
    """The toy's corridor."""
    return Corridor("toy", engine, clock, ToyStore())


def tick(customer: str, n: int, at: datetime | None = None, **over: Any) -> Input[ToyBook]:
    """One number as an input; with a time, as an event."""
    event = Ticked(customer_id=customer, n=n)
    return Input(customer, event, on_ticked, envelope=envelope(event, at, **over) if at else None)


async def numbers(engine: AsyncEngine) -> dict[str, list[int]]:
    """Every customer's list."""
    async with engine.connect() as conn:
        return {row.customer_id: list(row.numbers) for row in await conn.execute(select(lists))}


async def insert_unsent(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Journal rows as the corridor writes them."""
    positions = await insert_many(conn, events, rows, returning=("position",))
    await insert_many(conn, unsent, [{"position": row.position} for row in positions])
