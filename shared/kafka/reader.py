"""A member of a consumer group, with a watchdog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from .connection import Connection, quietly
from .lenient import read_leniently

log = structlog.get_logger()
read_leniently()


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
            await quietly(consumer.stop(), 3)
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
            await quietly(consumer.stop(), 5)


class StalledError(RuntimeError):
    """A consumer that rebuilding did not help: the process ends, so that its supervisor starts a new one."""
