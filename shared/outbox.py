"""The journal of what a service said, and the relay that carries it to Kafka.

`events` is append-only: the timeline, the audit chain and the proof of delivery are read from it. `unsent` holds the
positions that no broker has acknowledged. A position is taken at insert and seen at commit, so no cursor over
positions can be trusted; a row leaves `unsent` only when the broker has its event. Per customer the order holds
because the customer's lock is taken before the first position.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.beside import beside
from shared.contracts.envelope import Envelope, kafka_headers
from shared.faults import fault
from shared.sets import Rows, insert_sets

if TYPE_CHECKING:
    from shared.kafka import Producer


#: positions that one pass of the relay takes on
_MOST_A_PASS = 50_000


def journal_tables(metadata: MetaData) -> tuple[Table, Table]:
    """`events` and `unsent` of one service's schema."""
    events = Table(
        "events",
        metadata,
        Column("position", BigInteger, Identity(always=False), primary_key=True),
        Column("event_id", Uuid(as_uuid=False), nullable=False, unique=True),
        Column("type", Text, nullable=False),
        Column("subject_id", Text, nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("customer_id", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("data", LargeBinary, nullable=False, comment="exactly the bytes that are sent"),
        Column("correlation_id", Text, nullable=False),
        Column("causation_id", Text),
        Column("by", Text, comment="who acted; stays home"),
        Column("why", Text, comment="a reason in a person's words; stays home, erased with the customer"),
        Column("note", JSONB, comment="what was said; stays home, erased with the customer"),
        Column("chain", LargeBinary, nullable=False, comment="hash over the subject's events up to this one"),
        Index("ix_events_subject_id_sequence", "subject_id", "sequence", unique=True),
        Index("ix_events_customer_id_position", "customer_id", "position"),
    )
    unsent = Table(
        "unsent",
        metadata,
        Column("position", BigInteger, primary_key=True, autoincrement=False),
    )
    return events, unsent


def chained(previous: bytes, envelope: Envelope) -> bytes:
    """The next link of a subject's audit chain: SHA-256 over the link before and what was announced."""
    link = hashlib.sha256(previous)
    link.update(f"{envelope.id}|{envelope.type}|{envelope.sequence}|{envelope.time.isoformat()}|".encode())
    link.update(envelope.data)
    return link.digest()


class Relay:
    """Carries committed events of one service to its topic, in order per customer, at least once.

    One leader per service: a session-level advisory lock on a dedicated connection. `run_once` sends what is unsent
    and answers how many.
    """

    def __init__(
        self, engine: AsyncEngine, events: Table, unsent: Table, *, source: str, topic: str, producer: Producer
    ) -> None:
        self._engine, self._events, self._unsent = engine, events, unsent
        self._source, self._topic, self._producer = source, topic, producer
        carried = [c for c in events.c if c.name not in ("by", "why", "note", "chain")]
        self._waiting = select(unsent.c.position).order_by(unsent.c.position).limit(_MOST_A_PASS)
        among = any_(bindparam("positions", type_=ARRAY(BigInteger)))
        self._read = select(*carried).where(events.c.position == among).order_by(events.c.position)
        self._sent = delete(unsent).where(unsent.c.position == any_(bindparam("positions", type_=ARRAY(BigInteger))))

    @property
    def lock_key(self) -> int:
        return lock_number("relay", self._topic)

    async def run_once(self, conn: AsyncConnection, most: int = 6000) -> int:
        """One pass over what is unsent, `most` at a time, over the leader's connection; answers how many the brokers
        took.

        What belongs to the pass is read in one statement: a row that commits later belongs to the next, else it could
        be passed over and the next row of the same customer sent before it. While a set is on its way, the one before
        is forgotten and the next one read; it is sent only when the one before has arrived, else a retry would turn
        them around.
        """
        positions = list((await conn.execute(self._waiting)).scalars())
        sets = [positions[start : start + most] for start in range(0, len(positions), most)]
        rows = await self._fetch(conn, sets[0] if sets else [])
        arrived: list[int] = []
        for number, sent in enumerate(sets):
            await fault("relay.before_send")
            rows = await self._send(conn, rows, arrived, sets[number + 1] if number + 1 < len(sets) else [])
            await fault("relay.after_send")
            arrived = sent
        await self._forget(conn, arrived)
        return len(positions)

    async def _send(
        self, conn: AsyncConnection, rows: Sequence[Any], arrived: list[int], following: list[int]
    ) -> Sequence[Any]:
        records = [self._record(row) for row in rows]
        async with beside() as start:
            start(self._producer.send_all(self._topic, records))
            return await self._turn(conn, arrived, following)

    async def _turn(self, conn: AsyncConnection, arrived: list[int], following: list[int]) -> Sequence[Any]:
        await self._forget(conn, arrived)
        return await self._fetch(conn, following)

    async def _fetch(self, conn: AsyncConnection, positions: list[int]) -> Sequence[Any]:
        rows = (await conn.execute(self._read, {"positions": positions})).all() if positions else []
        await conn.rollback()
        return rows

    async def _forget(self, conn: AsyncConnection, arrived: list[int]) -> None:
        if arrived:
            await conn.execute(self._sent, {"positions": arrived})
            await fault("relay.before_commit")
            await conn.commit()

    def _record(self, row: Any) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        headers = kafka_headers(
            row.event_id,
            self._source,
            row.type,
            row.at,
            row.subject_id,
            row.sequence,
            row.correlation_id,
            row.causation_id,
        )
        return row.customer_id.encode(), row.data, headers


def lock_number(*parts: str) -> int:
    """A signed 64-bit number for an advisory lock, the same in every process."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


async def try_lead(conn: AsyncConnection, key: int) -> bool:
    """Tries to become the one leader for `key` for as long as this connection lives."""
    led = await conn.scalar(select(func.pg_try_advisory_lock(key)))
    await conn.commit()
    return bool(led)


class Bell:
    """Wakes a loop when a transaction elsewhere committed work for it; a slow tick is the safety net."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns at a ring, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


async def ring_on_commit(conn: AsyncConnection, channels: Sequence[str]) -> None:
    """Rings the bells of other processes when this transaction commits."""
    for channel in channels:
        await conn.execute(text("select pg_notify(:channel, '')"), {"channel": channel})


_bells = (
    func.unnest(bindparam("bells", type_=ARRAY(Text)))
    .table_valued(column("channel", Text))
    .render_derived(name="bells")
)
_ring = select(func.pg_notify(_bells.c.channel, ""))


class Journal:
    """Writes what one transaction said, with the rows that follow from it, in one statement."""

    def __init__(self, events: Table, unsent: Table) -> None:
        self._events, self._unsent = events, unsent

    async def write(
        self, conn: AsyncConnection, said: Sequence[dict[str, Any]], others: Sequence[Rows], bells: Sequence[str]
    ) -> None:
        """`said` goes into `events`, in order, and its positions into `unsent`; the bells ring at the commit."""
        if not said and not bells and not any(one.rows for one in others):
            return
        last = Rows(self._events, said) if said else None
        await insert_sets(conn, others, then=self._ending, last=last, parameters={"bells": list(bells)})

    def _ending(self, inserted: Any) -> Select[Any]:
        if inserted is None:
            return _ring
        positions = inserted.returning(self._events.c.position).cte("said")
        waiting = pg_insert(self._unsent).from_select(["position"], select(positions.c.position))
        return _ring.add_cte(waiting.cte("waiting"))


async def unsent_since(conn: AsyncConnection, events: Table, unsent: Table) -> datetime | None:
    """When the oldest event that no broker has taken was said; None when there is none."""
    statement = select(func.min(events.c.at)).join(unsent, unsent.c.position == events.c.position)
    oldest: datetime | None = (await conn.execute(statement)).scalar()
    return oldest
