"""The producer: sets of records that are known to have arrived, or not known to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from .connection import Connection, quietly

Record = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


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
                await quietly(producer.stop(), 2)
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
            await quietly(producer.stop(), 3)
