"""The keeper of aiokafka: a broker that dies, stays away and comes back holds up nobody for ever and loses nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.parts import Kafka, start_kafka
from services.command.topics import declared
from shared.balance import balanced
from shared.contracts.envelope import topic_of
from shared.kafka import Connection, KafkaError, Producer, StalledError, TopicReader, create_topics
from shared.runner import LedLoop, Loop
from tests.broker.conftest import Broker, until
from tests.tally import SCHEMA, Tally, said, unsent

#: how long the broker is away
_AWAY_SECONDS = 20


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka that may be killed: nobody else's."""
    with start_kafka(tmp_path_factory.mktemp("own-kafka")) as kafka:
        yield kafka


@pytest.fixture
async def mortal(own_kafka: Kafka, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Broker]:
    """The tally on a broker that may be killed."""
    monkeypatch.setattr("shared.contracts.envelope.TOPIC_PREFIX", f"k{time.time_ns()}.")
    connection = Connection(own_kafka.bootstrap_servers, {})
    config = declared(1)[0].config
    names = [topic_of(name) for name in ("intake", SCHEMA, f"{SCHEMA}.parked")]
    await create_topics(connection, [(name, 3, 1, config) for name in names])
    made = Broker(connection, tally)
    yield made
    if own_kafka.process.pid is None:
        own_kafka.start()
    await made.stop()


class _Running:
    """Loops as a process runs them."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def add(self, name: str, run_once: Callable[[], Any]) -> None:
        async def work() -> int:
            await run_once()
            return 1

        self.tasks.append(asyncio.create_task(Loop(name, work, tick=0.01).run(self.stopping)))

    async def stop(self) -> None:
        self.stopping.set()
        await asyncio.wait(self.tasks, timeout=20)
        for task in self.tasks:
            assert task.done() and task.exception() is None


async def test_a_broker_killed_for_twenty_seconds_under_load_loses_nothing(own_kafka: Kafka, mortal: Broker) -> None:
    tally, running = mortal.tally, _Running()
    consumer, sender = mortal.consumer(), mortal.producer()
    relay = tally.relay(mortal.producer())
    led = LedLoop(tally.engine, relay.lock_key, relay.run_once)
    running.add("relay", led.run_once)
    running.add("consumer", consumer.run_once)
    told: dict[str, list[int]] = {}
    slowest = 0.0

    async def load(customer: str, until_told: asyncio.Event) -> None:
        nonlocal slowest
        number = 0
        while not until_told.is_set():
            began = time.monotonic()
            await tally.take(said(customer, number))  # a commit needs no broker
            slowest = max(slowest, time.monotonic() - began)
            told.setdefault(customer, []).append(number)
            number += 1
            await asyncio.sleep(0.02)  # the pace of the load

    enough = asyncio.Event()
    loading = [asyncio.create_task(load(f"direct-{n}", enough)) for n in range(4)]
    await mortal.tell(*[said(f"read-{n % 5}", n) for n in range(500)])

    async def under_way() -> bool:
        return sum(len(numbers) for numbers in (await tally.numbers()).values()) > 200

    await until(under_way)
    own_kafka.kill()
    with pytest.raises((KafkaError, TimeoutError)):
        await sender.send_all(topic_of("intake"), [(b"x", b"{}", [])])
    await asyncio.sleep(_AWAY_SECONDS)  # the outage itself: nothing else tells that it was long
    assert await tally.rows(unsent), "kept until the broker is back"
    assert slowest < 5, "a commit waited for the broker"
    own_kafka.start()  # holds up this whole process, commits too
    enough.set()
    await asyncio.gather(*loading)
    await mortal.tell(*[said(f"read-{n % 5}", n) for n in range(500, 600)])

    async def settled() -> bool:
        numbers = await tally.numbers()
        return sum(len(n) for c, n in numbers.items() if c.startswith("read")) == 600 and not await tally.rows(unsent)

    await until(settled, seconds=60)
    await running.stop()
    await led.resign()
    numbers = await tally.numbers()
    assert {c: n for c, n in numbers.items() if c.startswith("direct")} == told
    assert {c: n for c, n in numbers.items() if c.startswith("read")} == {
        f"read-{c}": list(range(c, 600, 5)) for c in range(5)
    }
    async with tally.engine.connect() as conn:
        counts, found = await balanced(conn, mortal.connection, SCHEMA)
    assert not found
    assert counts["events"] == sum(map(len, numbers.values()))


async def test_nothing_waits_for_ever_for_a_broker_that_is_away(own_kafka: Kafka, mortal: Broker) -> None:
    await mortal.tell(said("a", 1))
    producer, reader = mortal.producer(deadline=3), mortal.consumer()
    await producer.send_all(topic_of("intake"), [(b"a", b"{}", [])])

    async def read() -> bool:
        return bool(await mortal.tally.numbers())

    await until(read, reader.run_once)
    own_kafka.kill()
    async with asyncio.timeout(30):
        for _ in range(2):
            with pytest.raises((KafkaError, TimeoutError)):
                await producer.send_all(topic_of("intake"), [(b"a", b"{}", [])])
        await producer.stop()
    async with asyncio.timeout(30):
        assert not await reader._reader.commit(dict.fromkeys(reader._reader.assigned(), 1))
        await reader.stop()
    async with asyncio.timeout(30):
        with pytest.raises((KafkaError, TimeoutError)):
            await TopicReader(mortal.connection, "g", [topic_of("intake")]).start(deadline=3)
    own_kafka.start()
    await producer.send_all(topic_of("intake"), [(b"a", b"{}", [])])
    await mortal.tell(said("a", 2))

    async def read_again() -> bool:
        return await mortal.tally.numbers() == {"a": [1, 2]}

    await until(read_again, mortal.consumer().run_once)


class _Hearing:
    """Makes the next `deaf` consumers hear nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.deaf = self.built = 0
        original = AIOKafkaConsumer

        def build(*args: Any, **kwargs: Any) -> Any:
            consumer = original(*args, **kwargs)
            self.built += 1
            if self.deaf:
                self.deaf -= 1
                consumer.getmany = self._nothing
            return consumer

        monkeypatch.setattr("shared.kafka.reader.AIOKafkaConsumer", build)

    async def _nothing(self, **_: Any) -> dict[Any, Any]:
        await asyncio.sleep(0.1)
        return {}


async def test_a_consumer_without_progress_is_built_anew_and_ends_the_process_when_that_does_not_help(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.tell(*[said("a", n) for n in range(3)])
    reader = TopicReader(broker.connection, broker.group, [topic_of("intake")], stall_seconds=0.2)
    hearing = _Hearing(monkeypatch)
    hearing.deaf = 1

    async def polled() -> bool:
        reader._checked_at = 0.0  # the watchdog looks every 5 seconds
        return bool(await reader.poll(wait=0.2, most=10))

    await until(polled)
    assert hearing.built == 2 and reader.rebuilt == 0, "one that hears nothing was replaced, and the next one heard"
    await broker.tell(said("a", 3))
    hearing.deaf = 99
    await reader.rebuild()
    with pytest.raises(StalledError):
        await until(polled, seconds=30)
    assert hearing.built == 5, "built, and twice built anew"
    await reader.stop()


async def test_a_producer_that_failed_once_is_thrown_away(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Producer(broker.connection, deadline=5)
    await producer.send_all(topic_of("intake"), [(b"a", b"1", [])])
    first = producer._producer
    assert first is not None

    async def broken(*_: Any, **__: Any) -> Any:
        raise KafkaError("out of sequence, for ever")

    monkeypatch.setattr(first, "send", broken)
    with pytest.raises(KafkaError):
        await producer.send_all(topic_of("intake"), [(b"a", b"2", [])])
    await producer.send_all(topic_of("intake"), [(b"a", b"3", [])])
    assert producer._producer is not first
    await producer.stop()
    assert [record.value for record in await broker.topic("intake")] == [b"1", b"3"]
