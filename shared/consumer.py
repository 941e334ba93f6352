"""From topic to effect, once: the loop that reads a service's topics and takes every record to the corridor.

Nine duties, each with a test on the real broker: only explicit commits, of `{partition: last + 1}`; effects before
offset; order within a partition, partitions apart from each other; a transient error pauses, backs off with jitter and
seeks back; a permanent error or a spent budget parks the record and goes on; unknown types are counted and skipped,
unknown fields ignored; a commit that fails after a rebalance is normal; stopping finishes, commits and leaves.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy import Table, select, update

from shared.contracts.envelope import Envelope, Event, MalformedError, topic_of
from shared.db import is_transient
from shared.faults import fault
from shared.kafka import KafkaError, Producer, Received, TopicPartition, TopicReader, is_passing
from shared.sets import insert_many
from shared.work import Book, Corridor, Failed, Input

log = structlog.get_logger()
B = TypeVar("B", bound=Book)

HANDLED = Counter(
    "complaint_loop_records_total", "Records read from topics, by what became of them", ["service", "fate"]
)

#: handlers of a service by full event type: (contract class, handler)
Registry = Mapping[str, tuple[type[Event], Callable[[Any, Any, Any], Any]]]


@dataclass(slots=True)
class _Partition:
    """What a partition waits for after a transient error."""

    failures: int = 0
    resume_at: float = 0.0


class Consumer(Generic[B]):
    """One service's reader. `run_once` polls, handles and commits; it answers how many records it finished."""

    def __init__(
        self,
        corridor: Corridor[B],
        reader: TopicReader,
        registry: Registry,
        *,
        parked: Table,
        producer: Producer,
        wait: float = 0.5,
        most: int = 500,
    ) -> None:
        self._corridor, self._reader, self._registry = corridor, reader, registry
        self._parked, self._producer = parked, producer
        self._wait, self._most = wait, most
        self._partitions: dict[TopicPartition, _Partition] = {}

    async def run_once(self) -> int:
        """One poll. Raises only what ends the process (a stalled consumer) or a programming error."""
        now = time.monotonic()
        for tp, partition in self._partitions.items():
            if partition.resume_at and partition.resume_at <= now:
                partition.resume_at = 0.0
                self._reader.resume(tp)
        batches = await self._reader.poll(wait=self._wait, most=self._most)
        if not batches:
            return 0
        await fault("consumer.before_handle")
        finished = await asyncio.gather(*(self._partition(tp, records) for tp, records in batches.items()))
        offsets = {tp: offset for tp, offset, _ in finished if offset is not None}
        await self._reader.commit(offsets)
        await fault("consumer.after_commit")
        return sum(count for _, _, count in finished)

    async def _partition(self, tp: TopicPartition, records: list[Received]) -> tuple[TopicPartition, int | None, int]:
        state = self._partitions.setdefault(tp, _Partition())
        try:
            await self._handle(records)
        except Exception as error:
            state.failures += 1
            if not is_transient(error) and not isinstance(error, OSError):
                log.error("partition_failed", partition=str(tp), error=type(error).__name__)
            delay = min(30.0, 0.2 * 2 ** min(state.failures, 8)) * random.uniform(0.5, 1.0)
            state.resume_at = time.monotonic() + delay
            self._reader.pause(tp)
            self._reader.seek_back(tp, records[0].offset)
            log.warning("partition_waits", partition=str(tp), failures=state.failures, error=type(error).__name__)
            return tp, None, 0
        state.failures = 0
        return tp, records[-1].offset + 1, len(records)

    async def _handle(self, records: Sequence[Received]) -> None:
        """All records of one partition in one transaction; what can't be handled is parked beside it."""
        service = self._corridor.service
        inputs: list[tuple[Input[B], Received]] = []
        for record in records:
            try:
                one = self._read(record)
            except Exception as error:  # it does no I/O: whatever goes wrong in it is this record's fault
                await self._park(record, _reason(error), attempts=1)
                continue
            if one is not None:
                inputs.append((one, record))
        results = await self._corridor.take([one for one, _ in inputs])
        HANDLED.labels(service, "handled").inc(len(inputs))
        for (_, record), result in zip(inputs, results, strict=True):
            if isinstance(result, Failed):
                log.error("record_failed", topic=record.topic, offset=record.offset, error=type(result.error).__name__)
                await self._park(record, f"the handler failed: {type(result.error).__name__}", attempts=1)

    def _read(self, record: Received) -> Input[B] | None:
        envelope = Envelope.from_kafka(record.key, record.value, record.headers)
        entry = self._registry.get(envelope.type)
        if entry is None:
            HANDLED.labels(self._corridor.service, "skipped").inc()
            return None
        contract, handler = entry
        event = contract.model_validate_json(envelope.data)
        if event.customer_id != envelope.customer_id:
            raise MalformedError("the key is not the event's customer_id")
        if any("\x00" in one for one in event.also_concerns):
            raise MalformedError("an id holds a NUL character")
        if "\x00" in envelope.id or "\x00" in envelope.customer_id or "\x00" in envelope.source:
            raise MalformedError("an id holds a NUL character")
        return Input(event.customer_id, event, handler, envelope=envelope, others=event.also_concerns)

    async def _park(self, record: Received, reason: str, attempts: int) -> None:
        """Keeps a record that cannot be handled: told on the `.parked` topic, then a row of ours, which is the proof.

        In this order, because the row is what a repeated record is known by: broken off between the two it is told
        twice, and never not at all.
        """
        row = {
            "parked_at": self._corridor.clock.now(),
            "origin": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": record.key,
            "headers": [[_printable(name), raw.hex()] for name, raw in record.headers if raw is not None],
            "value": record.value,
            "reason": _printable(reason),
            "attempts": attempts,
        }
        if await self._is_parked(record):
            return
        await self._tell_parked(record, reason)
        async with self._corridor.engine.begin() as conn:
            await insert_many(conn, self._parked, [row], conflict=("origin", "partition", "offset"))
        HANDLED.labels(self._corridor.service, "parked").inc()
        log.warning("record_parked", topic=record.topic, partition=record.partition, offset=record.offset, why=reason)

    async def _is_parked(self, record: Received) -> bool:
        c = self._parked.c
        same = (c.origin == record.topic) & (c.partition == record.partition) & (c.offset == record.offset)
        async with self._corridor.engine.connect() as conn:
            return (await conn.execute(select(c.id).where(same))).first() is not None

    async def _tell_parked(self, record: Received, reason: str) -> None:
        where = f"{record.topic}/{record.partition}/{record.offset}".encode()
        told = [("parked-from", where), ("parked-because", reason.encode("utf-8", "backslashreplace"))]
        # what is too long to be sent stands in the row; a record of nothing at all cannot be sent by aiokafka
        key = record.key if len(record.key or b"") < 10_000 else None
        value = record.value if len(record.value or b"") < 500_000 else None
        value = b"" if key is None and value is None else value
        try:
            await self._producer.send_all(f"{topic_of(self._corridor.service)}.parked", [(key, value, told)])
        except KafkaError as error:
            if is_passing(error):
                raise
            # a topic that is missing or closed to us must not hold up what comes behind: the row is kept
            log.error("parked_record_not_told", error=type(error).__name__, offset=record.offset)

    async def retry_parked(self) -> int:
        """Takes once more what somebody has asked to be retried (state `retry`); answers how many records it tried.

        What still cannot be handled is parked again with its new reason. Raises what is transient.
        """
        parked = self._parked
        async with self._corridor.engine.connect() as conn:
            asked = select(parked).where(parked.c.state == "retry").order_by(parked.c.id).limit(100)
            rows = (await conn.execute(asked)).all()
        for row in rows:
            headers = tuple((name, bytes.fromhex(raw)) for name, raw in row.headers)
            reason = await self._retry(
                Received(row.origin, row.partition or 0, row.offset or 0, row.key, row.value, headers)
            )
            fate = {"state": "parked", "reason": reason} if reason else {"state": "retried"}
            async with self._corridor.engine.begin() as conn:
                await conn.execute(
                    update(parked)
                    .where(parked.c.id == row.id, parked.c.state == "retry")
                    .values(attempts=parked.c.attempts + 1, **fate)
                )
        return len(rows)

    async def _retry(self, record: Received) -> str | None:
        """None when the record has had its effect, else why not."""
        try:
            one = self._read(record)
        except Exception as error:  # as in `_handle`
            return _reason(error)
        if one is not None:
            (result,) = await self._corridor.take([one])
            if isinstance(result, Failed):
                return f"the handler failed: {type(result.error).__name__}"
        return None

    async def stop(self) -> None:
        """Leaves the group."""
        await self._reader.stop()


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fields = sorted({".".join(str(part) for part in e["loc"]) or "(data)" for e in error.errors(include_url=False)})
        return f"the data does not fit its type: {', '.join(fields)[:300]}"
    return str(error)[:300] if isinstance(error, MalformedError) else "the data cannot be read"


def _printable(name: str) -> str:
    return name.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
