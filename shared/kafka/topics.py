"""Topics as a whole: made, counted, read from end to end, and how far a group is behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from .connection import Connection, quietly
from .reader import Received


async def create_topics(connection: Connection, topics: Sequence[tuple[str, int, int, dict[str, str]]]) -> list[str]:
    """Creates (name, partitions, replication factor, config) where missing; answers the names that were new."""
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=10_000)
    created = []
    async with asyncio.timeout(30):
        await admin.start()
    try:
        for name, partitions, replicas, config in topics:
            topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas, topic_configs=config)
            with contextlib.suppress(TopicAlreadyExistsError):
                async with asyncio.timeout(30):
                    response = await admin.create_topics([topic])
                code = response.topic_errors[0][1]
                if code == TopicAlreadyExistsError.errno:
                    continue
                if code:
                    raise KafkaError(f"topic {name} could not be created: error {code}")
                created.append(name)
    finally:
        await quietly(admin.close(), 5)
    return created


async def topic_partitions(connection: Connection) -> dict[str, int]:
    """How many partitions each topic has."""
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=10_000)
    async with asyncio.timeout(20):
        await admin.start()
        try:
            found = await admin.describe_topics()
        finally:
            await quietly(admin.close(), 5)
    return {topic["topic"]: len(topic["partitions"]) for topic in found}


async def read_whole(
    connection: Connection, topic: str, *, most: int = 5_000, patience: float = 15
) -> AsyncIterator[list[Received]]:
    """All records that a topic holds now, in order per partition, `most` at a time; outside of any group.

    Raises TimeoutError when the brokers give nothing for `patience` seconds although there is more.
    """
    consumer = AIOKafkaConsumer(**connection.options(), enable_auto_commit=False, max_partition_fetch_bytes=1_048_576)
    try:
        async with asyncio.timeout(patience):
            await consumer.start()
            numbers = await _partitions_of(connection, topic)
            if not numbers:
                return
            partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
        while True:
            async with asyncio.timeout(patience):
                left = [tp for tp in partitions if await consumer.position(tp) < ends[tp]]
                if not left:
                    return
                batches = await consumer.getmany(*left, timeout_ms=1000, max_records=most)
            for tp, records in batches.items():
                yield [
                    Received(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers))
                    for r in records
                    if r.offset < ends[tp]
                ]
    finally:
        await quietly(consumer.stop(), 5)


async def _partitions_of(connection: Connection, topic: str) -> set[int]:
    """The partitions of a topic; empty where there is no such topic."""
    # a consumer knows only topics it has subscribed to, also after it was asked for all
    return set(range((await topic_partitions(connection)).get(topic, 0)))


async def group_lag(connection: Connection, group: str, topics: Sequence[str]) -> int:
    """How many records of these topics a group has not committed yet."""
    consumer = AIOKafkaConsumer(**connection.options(), group_id=group, enable_auto_commit=False)
    async with asyncio.timeout(20):
        await consumer.start()
        try:
            behind = 0
            for topic in topics:
                partitions = [TopicPartition(topic, n) for n in await _partitions_of(connection, topic)]
                starts = await consumer.beginning_offsets(partitions)
                for tp, end in (await consumer.end_offsets(partitions)).items():
                    committed = await consumer.committed(tp)
                    behind += max(0, end - (starts[tp] if committed is None else committed))
            return behind
        finally:
            await quietly(consumer.stop(), 5)
