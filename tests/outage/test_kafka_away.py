"""Kafka is killed under load: intake goes on, and everything arrives when it is back."""

from __future__ import annotations

import time

from shared.contracts.envelope import Envelope
from shared.kafka import read_whole
from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

_AWAY_SECONDS = 20.0 if LONG else 4.0


async def test_kafka_is_killed_under_load_and_nothing_is_lost(system: System) -> None:
    load = Load(system)
    async with load.running():
        await load.count(30)
        system.kafka.kill()
        gone, told = time.monotonic(), len(load.acknowledged)
        await until(lambda: time.monotonic() - gone > _AWAY_SECONDS, "the outage", _AWAY_SECONDS + 5)
        assert len(load.acknowledged) > told + 20
        system.kafka.again()
        await until(system.kafka.ready, "Kafka")
        await load.count(30)
    assert set(load.answers) == {202} and not load.broken
    await system.verified()
    await kept_once(system, load)
    await _told_in_sequence(system, load)


async def _told_in_sequence(system: System, load: Load) -> None:
    """On the topic, after the duplicates that at-least-once allows are taken away: each contact, once, in order."""
    sequences: dict[str, list[int]] = {}
    seen: set[str] = set()
    async for records in read_whole(system.connection, "complaint-loop.intake"):
        for record in records:
            envelope = Envelope.from_kafka(record.key, record.value, record.headers)
            if envelope.id not in seen and envelope.customer_id.startswith(f"{load.name}-"):
                seen.add(envelope.id)
                sequences.setdefault(envelope.subject, []).append(envelope.sequence)
    assert set(load.acknowledged.values()) <= set(sequences)
    assert all(told == list(range(1, len(told) + 1)) for told in sequences.values())
