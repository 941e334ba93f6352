"""What tests on the real broker have in common: the tally's topic, records sent, facts waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from shared.consumer import Consumer
from shared.contracts.envelope import Envelope, topic_of
from shared.kafka import Connection, Producer, Received, create_topics, read_whole
from tests.tally import SCHEMA, Book, NumberSaid, Tally

_number = count(1)


@dataclass
class Broker:
    """One test's topics on a broker, and the tally that reads and writes them."""

    connection: Connection
    tally: Tally
    group: str = field(default_factory=lambda: f"tally-{next(_number)}-{time.time_ns()}")
    consumers: list[Consumer[Book]] = field(default_factory=list)
    producers: list[Producer] = field(default_factory=list)

    def producer(self, deadline: float = 5) -> Producer:
        self.producers.append(Producer(self.connection, deadline=deadline))
        return self.producers[-1]

    def consumer(self, **more: Any) -> Consumer[Book]:
        """One more member of the group."""
        self.consumers.append(self.tally.consumer(self.connection, self.group, **more))
        return self.consumers[-1]

    async def tell(self, *told: NumberSaid | Envelope) -> None:
        """Events of intake arrive on its topic."""
        envelopes = [one if isinstance(one, Envelope) else self.tally.envelope(one) for one in told]
        await self.send([(one.customer_id.encode(), one.data, one.headers()) for one in envelopes])

    async def send(self, records: Sequence[Any]) -> None:
        """Any records on intake's topic."""
        await self.producer().send_all(topic_of("intake"), records)

    async def topic(self, service: str) -> list[Received]:
        """All records of a topic, in order per partition."""
        return [one async for some in read_whole(self.connection, topic_of(service)) for one in some]

    async def stop(self) -> None:
        for consumer in self.consumers:
            await consumer.stop()
        for producer in self.producers:
            await producer.stop()


async def until(
    fact: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[object]] | None = None, seconds: float = 60
) -> None:
    """Works, if there is work, until a fact is true."""
    end = time.monotonic() + seconds
    while not await fact():
        assert time.monotonic() < end, "never became true"
        await (work() if work else asyncio.sleep(0.05))


@pytest.fixture
async def broker(topics: Connection, tally: Tally) -> AsyncIterator[Broker]:
    """The shared Kafka, with topics of this test alone."""
    await create_topics(topics, [(topic_of(SCHEMA), 3, 1, {}), (f"{topic_of(SCHEMA)}.parked", 1, 1, {})])
    made = Broker(topics, tally)
    yield made
    await made.stop()
