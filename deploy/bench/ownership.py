"""`ownership_events_per_s`: a backlog on Kafka to committed state, timers and outbox; `due_sweep_ratio`: what a sweep
costs when a hundred times as many deadlines are open."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.parts import start_both
from services.ownership.handlers import EVENTS, TIMER, due_input
from services.ownership.store import Book, OwnershipStore, metadata
from services.ownership.store.tables import events, inbox, timers_rows
from shared.clock import ManualClock
from shared.consumer import Consumer
from shared.contracts.envelope import Envelope, dump, full_type, new_id
from shared.contracts.intake import ContactCaptured, DepartureVerdict, RepeatVerdict, Verdict
from shared.db import make_engine
from shared.kafka import Connection, Producer, TopicReader, create_topics
from shared.policy import Policies, load_policy
from shared.sets import insert_many
from shared.work import Corridor, Input

BACKLOG = 24_000
CUSTOMERS = 12_000
_TOPIC = "complaint-loop.intake"
_PARTITIONS = 6
DUE = 100
_FEW, _MANY = 10_000, 1_000_000
_SWEEPS = 12
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: when all others are due
LATER = MONDAY + timedelta(days=3650)
POLICY = Path(__file__).parents[1] / "policy.example.yaml"


def run() -> Iterator[dict[str, Any]]:
    """Yields both figures; starts PostgreSQL and Kafka of its own."""
    with tempfile.TemporaryDirectory() as folder:
        postgres, kafka = start_both(Path(folder))
        # on the event loop that the services run on
        with postgres, kafka, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            yield runner.run(_backlog(postgres.url, kafka.bootstrap_servers))
            yield runner.run(_sweeps(postgres.url))


def contact(number: int) -> ContactCaptured:
    """One of a backlog: two of each customer on average, some join, some open another; two thirds have a responder."""
    return ContactCaptured(
        customer_id=f"c-{number * 7919 % CUSTOMERS}",
        contact_id=new_id(),
        source="bench",
        source_event_id=str(number),
        occurred_at=MONDAY,
        received_at=MONDAY,
        channel="phone" if number % 2 else "email",
        conversation_id=f"v-{number}",
        responder_id=f"agent-{number % 50}" if number % 3 else None,
        cause=("router-drops", "billing-error", None)[number % 3],
        tier=("gold", "silver", None)[number % 3],
        region="zhejiang" if number % 4 else None,
        complaint=Verdict(value=True, score=1.0),
        departure_threat=DepartureVerdict(value=False, score=0.0),
        repeat=RepeatVerdict(value=None, score=0.0),
        signals_version="bench",
    )


def _record(number: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    event = contact(number)
    data = dump(event)
    envelope = Envelope(
        id=new_id(),
        source="urn:complaint-loop:intake",
        type=full_type(ContactCaptured),
        time=MONDAY,
        subject=event.contact_id,
        customer_id=event.customer_id,
        sequence=1,
        correlation_id=event.contact_id,
        causation_id=None,
        data=data,
    )
    return event.customer_id.encode(), data, envelope.headers()


async def _empty(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        await conn.execute(text("drop schema if exists ownership cascade"))
        await conn.execute(text("create schema ownership"))
        await conn.run_sync(metadata.create_all)


def corridor(engine: AsyncEngine, clock: ManualClock) -> Corridor[Book]:
    """Ownership's own, under the example policy."""
    return Corridor("ownership", engine, clock, OwnershipStore(Policies.single(load_policy(POLICY))))


async def _backlog(url: str, bootstrap_servers: str) -> dict[str, Any]:
    connection = Connection(bootstrap_servers, {})
    parked = "complaint-loop.ownership.parked"
    await create_topics(connection, [(_TOPIC, _PARTITIONS, 1, {}), (parked, _PARTITIONS, 1, {})])
    producer = Producer(connection, deadline=60)
    await producer.send_all(_TOPIC, [_record(number) for number in range(BACKLOG)])
    engine = make_engine(url)
    rates, receipts = [], []
    # one after the other, twice: the machine is equally busy for both
    for turn in range(2):
        await _empty(engine)
        receipts.append(await _receipts(engine, TopicReader(connection, f"bench.receipts.{turn}", [_TOPIC])))
        await _empty(engine)
        store = OwnershipStore(Policies.single(load_policy(POLICY)))
        taking: Corridor[Book] = Corridor("ownership", engine, ManualClock(MONDAY), store)
        reader = TopicReader(connection, f"bench.ownership.{turn}", [_TOPIC])
        consumer = Consumer(taking, reader, EVENTS, parked=store.parked, producer=producer)
        rates.append(await _timed(consumer.run_once))
        await consumer.stop()
    async with engine.connect() as conn:
        received = await conn.scalar(select(func.count()).select_from(inbox))
        announced = await conn.scalar(select(func.count()).select_from(events))
    assert received == BACKLOG, f"{received} of {BACKLOG} were received"
    await producer.stop()
    await engine.dispose()
    return {
        "figure": "ownership_events_per_s",
        "value": round(max(rates)),
        "unit": "events received and fully handled a second",
        "against": {
            "same_backlog_noted_only_per_s": round(max(receipts)),
            "of_that": round(max(rates) / max(receipts), 3),
            "announced_per_event": round((announced or 0) / BACKLOG, 2),
        },
    }


async def _timed(run_once: Any) -> float:
    done, began = 0, 0.0
    while done < BACKLOG:
        if not done:
            began = time.perf_counter()  # joining the group is not what is measured
        done += await run_once()
    return BACKLOG / (time.perf_counter() - began)


async def _receipts(engine: AsyncEngine, reader: TopicReader) -> float:
    """The ceiling: the same backlog, read and noted in the inbox, and nothing decided."""

    async def run_once() -> int:
        batches = await reader.poll(wait=0.5, most=500)
        for tp, records in batches.items():
            rows = [
                {"source": e.source, "event_id": e.id, "received_at": MONDAY}
                for e in (Envelope.from_kafka(r.key, r.value, r.headers) for r in records)
            ]
            async with engine.begin() as conn:
                await insert_many(conn, inbox, rows, conflict=("source", "event_id"), returning=("event_id",))
            await reader.commit({tp: records[-1].offset + 1})
        return sum(len(records) for records in batches.values())

    rate = await _timed(run_once)
    await reader.stop()
    return rate


async def _sweeps(url: str) -> dict[str, Any]:
    engine = make_engine(url)
    # before and after: whatever else the machine does hits both
    before = await _sweep_ms(engine, _FEW)
    many = await _sweep_ms(engine, _MANY)
    few = min(before, await _sweep_ms(engine, _FEW))
    await engine.dispose()
    return {
        "figure": "due_sweep_ratio",
        "value": round(many / few, 3),
        "unit": f"time of a sweep of {DUE} due among {_MANY:,} open, against {_FEW:,} open",
        "against": {"few_ms": round(few, 2), "many_ms": round(many, 2)},
    }


def _deadlines(many: int) -> Callable[[AsyncEngine], Awaitable[None]]:
    async def fill(engine: AsyncEngine) -> None:
        async with engine.begin() as conn:
            await conn.execute(
                text(
                    "insert into ownership.timers select :kind, gen_random_uuid()::text, 'x-' || n, n, "
                    "cast(:later as timestamptz) + n * interval '1 second' from generate_series(1, :many) n"
                ),
                {"kind": TIMER, "later": LATER, "many": many},
            )
        async with engine.connect() as conn:
            await (await conn.execution_options(isolation_level="AUTOCOMMIT")).execute(text("vacuum analyze"))

    return fill


class Sweeping:
    """A hundred complaints that come due again and again, among whatever `fill` makes."""

    def __init__(self, engine: AsyncEngine, step: timedelta = timedelta(hours=6)) -> None:
        # something is told in most sweeps, the same among few and many; after three days nothing is left to tell
        self._engine, self._clock, self._step = engine, ManualClock(MONDAY), step
        self._corridor = corridor(engine, self._clock)
        self._ours: list[str] = []

    async def begin(self, fill: Callable[[AsyncEngine], Awaitable[None]]) -> None:
        """Empties everything and makes them."""
        await _empty(self._engine)
        contacts = [contact(number) for number in range(DUE)]
        handler = EVENTS[full_type(ContactCaptured)][1]
        await self._corridor.take([Input(one.customer_id, one, handler) for one in contacts])
        async with self._engine.connect() as conn:
            self._ours = list((await conn.execute(select(timers_rows.c.subject_id))).scalars())
        await fill(self._engine)

    async def once(self) -> float:
        """Milliseconds of a sweep that finds them due."""
        self._clock.advance(self._step)
        async with self._engine.begin() as conn:
            mine = (timers_rows.c.kind == TIMER) & timers_rows.c.subject_id.in_(self._ours)
            await conn.execute(timers_rows.update().where(mine).values(due_at=self._clock.now()))
        began = time.perf_counter()
        found = await self._corridor.sweep(due_input)
        taken = (time.perf_counter() - began) * 1000
        assert found == DUE, f"{found} of {DUE} were found"
        return taken


async def _sweep_ms(engine: AsyncEngine, many: int) -> float:
    sweeping = Sweeping(engine)
    await sweeping.begin(_deadlines(many))
    return statistics.median([await sweeping.once() for _ in range(_SWEEPS)][2:])


if __name__ == "__main__":
    import sys

    for figure in run():
        sys.stdout.write(f"{figure}\n")
