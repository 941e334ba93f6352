"""The only importer of aiokafka, and its keeper.

aiokafka 0.14 can wait for ever: an idempotent send and `stop()` with the broker down, `commit()` through retries; a
send that timed out may still be delivered; a sequence error never heals. So every await here has its own deadline, and
a producer that has failed once is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from shared.lenient import read_leniently

log = structlog.get_logger()
read_leniently()

Record = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]

__all__ = [
    "Connection",
    "KafkaError",
    "Producer",
    "Received",
    "TopicPartition",
    "TopicReader",
    "create_topics",
    "group_lag",
    "is_passing",
    "read_whole",
    "topic_partitions",
]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to speak to them (aiokafka's own option names in `security`)."""

    bootstrap_servers: str
    security: dict[str, Any]

    def options(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.bootstrap_servers, **self.security}


def is_passing(error: KafkaError) -> bool:
    """Whether the brokers may take the same record later; not where it or its topic is at fault."""
    return bool(error.retriable) and not isinstance(error, UnknownTopicOrPartitionError)


async def _quietly(work: Any, seconds: float) -> None:
    """Ends something of aiokafka's without letting it hold us or fail us: it may block or raise CancelledError."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    elif not task.cancelled():
        task.exception()


class Producer:
    """Sends sets of records and knows that each arrived; after any error the next set gets a new producer."""

    def __init__(self, connection: Connection, *, deadline: float = 10) -> None:
        self._connection, self._deadline = connection, deadline
        self._producer: AIOKafkaProducer | None = None

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._connection.options(),
                enable_idempotence=True,
                acks="all",
                max_request_size=1_000_000,
                max_batch_size=262_144,
                request_timeout_ms=int(self._deadline * 500),
            )
            try:
                async with asyncio.timeout(self._deadline):
                    await producer.start()
            except BaseException:
                await _quietly(producer.stop(), 2)
                raise
            self._producer = producer
        return self._producer

    async def send_all(self, topic: str, records: Sequence[Record]) -> None:
        """Returns when the brokers hold all records, in order per key. Raises TimeoutError or KafkaError when not
        known to: the records may or may not be there, and must be sent again."""
        try:
            async with asyncio.timeout(self._deadline):
                producer = await self._ready()
                acks = [
                    await producer.send(topic, key=key, value=value, headers=list(headers))
                    for key, value, headers in records
                ]
                await asyncio.gather(*acks)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Lets go of the connection; never blocks for long."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _quietly(producer.stop(), 3)


@dataclass(frozen=True, slots=True)
class Received:
    """One record as it came from a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class TopicReader:
    """A member of a consumer group that commits only what it is told to.

    `poll` answers records by partition; `commit` names the next offset of each partition; `seek_back` returns to an
    offset after a failure. A watchdog rebuilds the consumer when it makes no progress although records wait.
    """

    def __init__(self, connection: Connection, group: str, topics: Sequence[str], *, stall_seconds: float = 30) -> None:
        self._connection, self._group, self._topics = connection, group, list(topics)
        self._stall_seconds = stall_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._progress_at = time.monotonic()
        self._checked_at = 0.0
        self.rebuilt = 0

    async def start(self, deadline: float = 20) -> None:
        """Joins the group; raises KafkaError or TimeoutError."""
        consumer = AIOKafkaConsumer(
            *self._topics,
            **self._connection.options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            rebalance_timeout_ms=15_000,
            max_partition_fetch_bytes=1_048_576,
            fetch_max_bytes=8_388_608,
            request_timeout_ms=15_000,
        )
        try:
            async with asyncio.timeout(deadline):
                await consumer.start()
        except BaseException:
            await _quietly(consumer.stop(), 3)
            raise
        self._consumer = consumer
        self._progress_at = time.monotonic()

    def assigned(self) -> set[TopicPartition]:
        """The partitions this member has now."""
        return set(self._consumer.assignment()) if self._consumer else set()

    async def poll(self, *, wait: float, most: int) -> dict[TopicPartition, list[Received]]:
        """Records that have come, by partition, in order; empty after `wait` seconds without any."""
        if self._consumer is None:
            await self.start()
        assert self._consumer is not None
        try:
            async with asyncio.timeout(wait + 10):
                batches = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=most)
        except (TimeoutError, KafkaError):
            await self.rebuild()
            return {}
        if batches:
            self._progress_at = time.monotonic()
            self.rebuilt = 0
        else:
            await self._watch()
        return {
            tp: [Received(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers)) for r in records]
            for tp, records in batches.items()
        }

    async def commit(self, offsets: dict[TopicPartition, int]) -> bool:
        """Commits the next offset of each partition; false where the group moved on meanwhile (normal)."""
        if self._consumer is None or not offsets:
            return False
        try:
            async with asyncio.timeout(10):
                await self._consumer.commit(offsets)
            return True
        except (CommitFailedError, IllegalStateError):
            log.info("offsets_not_committed", group=self._group, why="the group was rebalanced")
        except (TimeoutError, KafkaError) as error:
            log.warning("offsets_not_committed", group=self._group, why=type(error).__name__)
            await self.rebuild()
        return False

    def seek_back(self, tp: TopicPartition, offset: int) -> None:
        """Reads this partition again from `offset`."""
        if self._consumer is not None and tp in self._consumer.assignment():
            self._consumer.seek(tp, offset)

    def pause(self, tp: TopicPartition) -> None:
        """Stops fetching from a partition, while others go on."""
        if self._consumer is not None and tp in self._consumer.assignment():
            self._consumer.pause(tp)

    def resume(self, tp: TopicPartition) -> None:
        """Goes on fetching from a partition."""
        if self._consumer is not None and tp in self._consumer.assignment():
            self._consumer.resume(tp)

    async def lag(self) -> int:
        """How many records wait in the partitions of this member."""
        if self._consumer is None:
            return 0
        assigned = [tp for tp in self._consumer.assignment() if tp not in self._consumer.paused()]
        if not assigned:
            return 0
        async with asyncio.timeout(5):
            ends = await self._consumer.end_offsets(assigned)
            return sum([max(0, end - await self._consumer.position(tp)) for tp, end in ends.items()])

    async def _watch(self) -> None:
        now = time.monotonic()
        if now - self._progress_at < self._stall_seconds or now - self._checked_at < 5:
            return
        self._checked_at = now
        try:
            behind = await self.lag()
        except (TimeoutError, KafkaError, AssertionError):
            behind = 1
        if not behind:
            self._progress_at = now
            return
        if self.rebuilt >= 2:
            raise StalledError(f"{self._group} makes no progress with {behind} records waiting, rebuilt twice")
        self.rebuilt += 1
        log.warning("consumer_rebuilt", group=self._group, behind=behind)
        await self.rebuild()

    async def rebuild(self) -> None:
        """Leaves and joins again at the next poll."""
        await self.stop()
        await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Leaves the group; never blocks for long."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _quietly(consumer.stop(), 5)


class StalledError(RuntimeError):
    """A consumer that rebuilding did not help: the process ends, so that its supervisor starts a new one."""


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
        await _quietly(admin.close(), 5)
    return created


async def topic_partitions(connection: Connection) -> dict[str, int]:
    """How many partitions each topic has."""
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=10_000)
    async with asyncio.timeout(20):
        await admin.start()
        try:
            found = await admin.describe_topics()
        finally:
            await _quietly(admin.close(), 5)
    return {topic["topic"]: len(topic["partitions"]) for topic in found}


async def read_whole(
    connection: Connection, topic: str, *, most: int = 5_000, patience: float = 15
) -> AsyncIterator[list[Received]]:
    """All records that a topic holds now, in order per partition, `most` at a time; outside of any group.

    Raises TimeoutError when the brokers give nothing for `patience` seconds although there is more.
    """
    consumer = AIOKafkaConsumer(**connection.options(), enable_auto_commit=False, max_partition_fetch_bytes=1_048_576)
    async with asyncio.timeout(patience):
        await consumer.start()
    try:
        async with asyncio.timeout(patience):
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
        await _quietly(consumer.stop(), 5)


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
            await _quietly(consumer.stop(), 5)
