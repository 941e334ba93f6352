"""From committed to told: nothing lost, in order per customer, whoever crashes in between."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, text

from shared import faults
from shared.balance import balanced
from shared.contracts.envelope import Envelope, topic_of
from shared.db import is_transient
from shared.faults import FaultError
from shared.kafka import Producer
from shared.outbox import Relay
from shared.runner import LedLoop
from shared.sets import insert_many
from tests.broker.conftest import Broker, until
from tests.tally import SCHEMA, events, said, tallies, unsent


def _led(broker: Broker, producer: Producer | None = None) -> LedLoop:
    relay = broker.tally.relay(producer or broker.producer())
    return LedLoop(broker.tally.engine, relay.lock_key, relay.run_once)


async def _books(broker: Broker) -> tuple[dict[str, int], list[str]]:
    async with broker.tally.engine.connect() as conn:
        return await balanced(conn, broker.connection, SCHEMA)


async def _write(broker: Broker, writer: int, sets: int) -> None:
    chosen = random.Random(writer)
    for _ in range(sets):
        customers = chosen.sample([f"c-{n}" for n in range(20)], 5)
        await broker.tally.take(*[said(customer, writer) for customer in customers])


async def _sent(broker: Broker) -> bool:
    async with broker.tally.engine.connect() as conn:
        return await conn.scalar(select(func.count()).select_from(unsent)) == 0


async def test_eight_writers_racing_the_relay_lose_nothing_and_keep_the_order(broker: Broker) -> None:
    led, done = _led(broker), asyncio.Event()

    async def carry() -> None:
        while not done.is_set():
            await led.run_once()

    carrying = asyncio.create_task(carry())
    await asyncio.gather(*(_write(broker, writer, 40) for writer in range(8)))
    await until(lambda: _sent(broker))
    done.set()
    await carrying
    await led.resign()
    counts, found = await _books(broker)
    assert not found
    assert counts == {"events": 1600, "unsent": 0, "on_topic": 1600, "repeated_on_topic": 0}


async def test_a_backlog_is_sent_set_by_set_in_order(broker: Broker) -> None:
    for number in range(20):
        await broker.tally.take(*[said(f"c-{customer}", number) for customer in range(5)])
    relay = broker.tally.relay(broker.producer())
    async with broker.tally.engine.connect() as leader:
        assert await relay.run_once(leader, 7) == 100
    counts, found = await _books(broker)
    assert not found
    assert counts["on_topic"] == 100


async def test_a_position_that_commits_after_higher_ones_is_not_passed_over(broker: Broker) -> None:
    relay, engine = broker.tally.relay(broker.producer()), broker.tally.engine
    async with engine.connect() as leader, engine.connect() as slow:
        late = broker.tally.envelope(said("late", 1))
        row = {
            "event_id": late.id,
            "type": late.type,
            "subject_id": "late",
            "sequence": 1,
            "customer_id": "late",
            "at": late.time,
            "data": late.data,
            "correlation_id": "c",
            "chain": b"",
        }
        (taken,) = await insert_many(slow, events, [row], returning=("position",))
        await insert_many(slow, unsent, [{"position": taken.position}])
        await broker.tally.take(*[said("a", n) for n in range(10)])
        assert await relay.run_once(leader) == 10
        await slow.commit()
        assert await relay.run_once(leader) == 1
    assert len(await broker.topic(SCHEMA)) == 11


@pytest.mark.parametrize("point", ["relay.before_send", "relay.after_send", "relay.before_commit"])
async def test_what_breaks_around_sending_is_sent_again_with_the_same_ids(broker: Broker, point: str) -> None:
    await broker.tally.take(*[said(f"c-{n % 4}", n) for n in range(40)])
    faults.plan(point, "error")
    led = _led(broker)
    with pytest.raises(FaultError):
        await led.run_once()
    assert not await _sent(broker)
    await until(lambda: _sent(broker), led.run_once)
    await led.resign()
    counts, found = await _books(broker)
    assert not found
    assert counts["repeated_on_topic"] == (0 if point == "relay.before_send" else 40)


async def test_one_of_two_relays_leads_and_the_other_takes_over(broker: Broker) -> None:
    first, second = _led(broker), _led(broker)
    await broker.tally.take(*[said("a", n) for n in range(5)])
    assert await first.run_once() == 5
    await broker.tally.take(*[said("a", n) for n in range(5)])
    assert await second.run_once() == 0, "the first one leads"
    writing = asyncio.gather(*(_write(broker, writer, 15) for writer in range(4)))

    async def both() -> None:
        results = await asyncio.gather(first.run_once(), second.run_once(), return_exceptions=True)
        for result in results:
            assert isinstance(result, int) or (isinstance(result, Exception) and is_transient(result)), result

    await both()
    async with broker.tally.engine.connect() as conn:  # the leader's connection breaks, as with a failover
        await conn.execute(
            text("select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)"
                 " where l.locktype = 'advisory' and a.datname = current_database() and a.state = 'idle'")
        )  # fmt: skip
    await writing
    await until(lambda: _sent(broker), both)
    assert await second.run_once() == 0 or await first.run_once() == 0
    await first.resign()
    await second.resign()
    counts, found = await _books(broker)
    assert not found
    assert counts["events"] == 310


async def test_two_processes_that_both_believe_to_lead_repeat_but_turn_nothing_around(broker: Broker) -> None:
    """What a leader does that does not know yet that its connection is gone."""
    engine = broker.tally.engine
    relays = [broker.tally.relay(broker.producer()) for _ in range(2)]
    writing = asyncio.gather(*(_write(broker, writer, 20) for writer in range(4)))

    async def carry(relay: Relay) -> None:
        async with engine.connect() as conn:
            while not writing.done() or not await _sent(broker):
                await relay.run_once(conn, 50)

    await asyncio.gather(*(carry(relay) for relay in relays))
    counts, found = await _books(broker)
    assert not found
    assert counts["events"] == 400


async def test_a_set_the_brokers_did_not_confirm_stays_and_is_sent_by_a_new_producer(broker: Broker) -> None:
    await broker.tally.take(*[said("a", n) for n in range(3)])
    producer = broker.producer()
    send, broken = producer.send_all, []

    async def unconfirmed(*args: Any) -> None:
        await send(*args)
        producer.send_all = send  # type: ignore[method-assign]
        broken.append(args)
        raise TimeoutError("the answer was lost")

    producer.send_all = unconfirmed  # type: ignore[method-assign, assignment]
    led = _led(broker, producer)
    with pytest.raises(TimeoutError):
        await led.run_once()
    assert not await _sent(broker)
    assert await led.run_once() == 3
    await led.resign()
    ids = Counter(dict(record.headers)["ce_id"] for record in await broker.topic(SCHEMA))
    assert len(broken) == 1 and sorted(ids.values()) == [2, 2, 2]


async def test_what_is_sent_is_what_was_committed(broker: Broker) -> None:
    await broker.tally.take(said("Ünal 客户", 7))
    led = _led(broker)
    await led.run_once()
    await led.resign()
    (record,) = await broker.topic(SCHEMA)
    envelope = Envelope.from_kafka(record.key, record.value, record.headers)
    ((_, event_id, kind, _, _, customer, at, data, correlation, *_),) = await broker.tally.rows(events)
    assert (envelope.id, envelope.type, envelope.customer_id, envelope.time) == (event_id, kind, customer, at)
    assert (envelope.data, envelope.correlation_id, envelope.sequence) == (data, correlation, 1)
    assert (await broker.tally.rows(tallies))[0].customer_id == "Ünal 客户"


async def test_other_clients_read_our_events(broker: Broker) -> None:
    from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
    from confluent_kafka import Consumer

    await broker.tally.take(said("a", 7))
    led = _led(broker)
    await led.run_once()
    await led.resign()
    servers = broker.connection.bootstrap_servers
    other = Consumer({"bootstrap.servers": servers, "group.id": broker.group, "auto.offset.reset": "earliest"})
    other.subscribe([topic_of(SCHEMA)])
    message = await asyncio.to_thread(other.poll, 30)
    await asyncio.to_thread(other.close)
    assert message is not None and message.error() is None
    told: Any = message
    event = from_binary_event(KafkaMessage(headers=dict(told.headers()), key=told.key(), value=told.value()))
    assert (event.get_type(), event.get_subject()) == ("complaintloop.number.kept.v1", "a")
    assert (event.get_extension("sequence"), event.get_data()) == ("1", {"customer_id": "a", "number": 7})
