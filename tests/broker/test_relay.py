"""The relay on a real PostgreSQL and a real Kafka: nothing lost, in order per customer, whatever races or breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import ManualClock
from shared.contracts.envelope import Envelope, topic_of
from shared.faults import FaultError, plan
from shared.kafka import Connection, KafkaError, Producer, read_whole
from shared.outbox import Relay
from shared.runner import LedLoop
from tests import toy


@pytest.fixture
async def relay(engine: AsyncEngine, topics: Connection) -> AsyncIterator[Relay]:
    await toy.install(engine)
    producer = Producer(topics)
    yield _relay(engine, producer)
    await producer.stop()


def _relay(engine: AsyncEngine, producer: Producer) -> Relay:
    return Relay(engine, toy.events, toy.unsent, source="urn:toy", topic=topic_of("intake"), producer=producer)


async def on_topic(connection: Connection) -> dict[str, list[tuple[int, int, str]]]:
    """(sequence, number, event id) by customer, in the topic's order."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    async for records in read_whole(connection, topic_of("intake")):
        for record in records:
            one = Envelope.from_kafka(record.key, record.value, record.headers)
            told = toy.Listed.model_validate_json(one.data)
            found.setdefault(one.customer_id, []).append((one.sequence, told.n, one.id))
    return found


async def unsent(engine: AsyncEngine) -> int:
    async with engine.connect() as conn:
        return int(await conn.scalar(select(func.count()).select_from(toy.unsent)) or 0)


async def test_eight_writers_race_the_relay_and_nothing_is_lost_or_turned_around(
    engine: AsyncEngine, clock: ManualClock, topics: Connection, relay: Relay
) -> None:
    done = asyncio.Event()

    async def writer(seed: int) -> None:
        corridor = toy.corridor(engine, clock)
        for n in range(30):
            await corridor.take([toy.tick(f"c-{(seed + n) % 9}", n), toy.tick(f"c-{(seed * 2 + n) % 9}", n)])

    async def carry() -> None:
        async with engine.connect() as conn:
            while not done.is_set() or await unsent(engine):
                await relay.run_once(conn, most=7)

    carrying = asyncio.create_task(carry())
    await asyncio.gather(*(writer(seed) for seed in range(8)))
    done.set()
    await carrying
    told = await on_topic(topics)
    assert sum(map(len, told.values())) == 8 * 30 * 2
    for customer, events in told.items():
        assert [sequence for sequence, _, _ in events] == list(range(1, len(events) + 1)), customer
    assert {name: [n for _, n, _ in events] for name, events in told.items()} == await toy.numbers(engine)


@pytest.mark.parametrize("point", ["relay.before_send", "relay.after_send", "relay.before_commit"])
async def test_wherever_it_breaks_everything_arrives_under_its_own_id(
    point: str, engine: AsyncEngine, clock: ManualClock, topics: Connection, relay: Relay
) -> None:
    await toy.corridor(engine, clock).take([toy.tick("c", n) for n in range(5)])
    plan(point, "error")
    async with engine.connect() as conn:
        with pytest.raises(FaultError):
            await relay.run_once(conn)
    async with engine.connect() as conn:
        await relay.run_once(conn)
    events = (await on_topic(topics))["c"]
    first_times = list(dict.fromkeys(event_id for _, _, event_id in events))
    assert len(first_times) == 5
    assert [sequence for sequence, _, _ in dict.fromkeys(events)] == [1, 2, 3, 4, 5]
    assert await unsent(engine) == 0


async def test_of_two_relays_one_leads_and_the_other_takes_over(
    engine: AsyncEngine, clock: ManualClock, topics: Connection, relay: Relay
) -> None:
    corridor = toy.corridor(engine, clock)
    producer = Producer(topics)
    other = _relay(engine, producer)
    first, second = LedLoop(engine, relay.lock_key, relay.run_once), LedLoop(engine, other.lock_key, other.run_once)
    await corridor.take([toy.tick("c", 1)])
    assert await first.run_once() == 1
    await corridor.take([toy.tick("c", 2)])
    assert await second.run_once() == 0
    await first.resign()
    while not await second.run_once():
        pass
    await second.resign()
    await producer.stop()
    assert [n for _, n, _ in (await on_topic(topics))["c"]] == [1, 2]


async def test_a_send_that_hangs_is_given_up_and_done_again(
    engine: AsyncEngine, clock: ManualClock, topics: Connection
) -> None:
    await toy.install(engine)
    await toy.corridor(engine, clock).take([toy.tick("c", 1)])
    nowhere = Producer(Connection("127.0.0.1:1", {}), deadline=0.5)
    async with engine.connect() as conn:
        with pytest.raises((TimeoutError, KafkaError)):
            await _relay(engine, nowhere).run_once(conn)
    producer = Producer(topics)
    async with engine.connect() as conn:
        assert await _relay(engine, producer).run_once(conn) == 1
    with contextlib.suppress(TimeoutError):
        await producer.stop()
    assert len((await on_topic(topics))["c"]) == 1
