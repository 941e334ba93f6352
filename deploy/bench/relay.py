"""`relay_ratio`: committed events to Kafka through the relay, against a bare aiokafka producer of the same records."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from deploy.local.parts import start_both
from shared.contracts.envelope import Envelope, new_id
from shared.db import make_engine, service_metadata
from shared.kafka import Connection, Producer, create_topics
from shared.outbox import Relay, journal_tables
from shared.sets import insert_many

EVENTS = 40_000
_DATA = b'{"pad":"' + b"x" * 520 + b'"}'
_ROUNDS = 3


def run() -> Iterator[dict[str, Any]]:
    """Yields the figure; starts PostgreSQL and Kafka of its own."""
    with tempfile.TemporaryDirectory() as folder:
        postgres, kafka = start_both(Path(folder))
        with postgres, kafka:
            yield asyncio.run(_measure(postgres.url, kafka.bootstrap_servers))


async def _measure(url: str, bootstrap_servers: str) -> dict[str, Any]:
    connection = Connection(bootstrap_servers, {})
    await create_topics(connection, [("bench.relay", 6, 1, {}), ("bench.bare", 6, 1, {})])
    engine = make_engine(url)
    metadata = service_metadata("bench")
    events, unsent = journal_tables(metadata)
    async with engine.begin() as conn:
        await conn.execute(text("create schema bench"))
        await conn.run_sync(metadata.create_all)
    producer = Producer(connection, deadline=60)
    relay = Relay(engine, events, unsent, source="urn:bench", topic="bench.relay", producer=producer)
    relayed, bare = [], []
    # one after the other, several times: the machine is warm and equally busy for both
    for _ in range(_ROUNDS):
        async with engine.begin() as conn:
            rows = _rows()
            positions = await insert_many(conn, events, rows, returning=("position",))
            await insert_many(conn, unsent, [{"position": row.position} for row in positions])
        async with engine.connect() as conn:
            await conn.execute(text("analyze"))
            await conn.commit()
            began = time.perf_counter()
            while await relay.run_once(conn):
                pass
            relayed.append(EVENTS / (time.perf_counter() - began))
        bare.append(await _bare(bootstrap_servers, rows))
    await producer.stop()
    await engine.dispose()
    return {
        "figure": "relay_ratio",
        "value": round(max(relayed) / max(bare), 3),
        "unit": "of a bare producer's events/s",
        "against": {"relay_events_per_s": round(max(relayed)), "bare_producer_events_per_s": round(max(bare))},
    }


def _rows() -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        {
            "event_id": new_id(),
            "type": "complaintloop.bench.v1",
            "subject_id": new_id(),
            "sequence": 1,
            "customer_id": f"c-{number % 5000}",
            "at": now,
            "data": _DATA,
            "correlation_id": "bench",
            "causation_id": None,
            "chain": b"0" * 32,
        }
        for number in range(EVENTS)
    ]


async def _bare(bootstrap_servers: str, rows: list[dict[str, Any]]) -> float:
    records = [
        (
            row["customer_id"].encode(),
            Envelope(
                id=row["event_id"],
                source="urn:bench",
                type=row["type"],
                time=row["at"],
                subject=row["subject_id"],
                customer_id=row["customer_id"],
                sequence=1,
                correlation_id="bench",
                causation_id=None,
                data=_DATA,
            ).headers(),
        )
        for row in rows
    ]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, enable_idempotence=True, acks="all", max_batch_size=262_144
    )
    await producer.start()
    began = time.perf_counter()
    acks = [await producer.send("bench.bare", key=key, value=_DATA, headers=headers) for key, headers in records]
    await asyncio.gather(*acks)
    rate = len(records) / (time.perf_counter() - began)
    await producer.stop()
    return rate


if __name__ == "__main__":
    import sys

    for figure in run():
        sys.stdout.write(f"{figure}\n")
