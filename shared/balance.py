"""What was committed against what the topic holds: every event there, by its id, in sequence, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope, MalformedError, topic_of
from shared.kafka import Connection, Received, read_whole

_SEEN = "create temporary table seen (n bigint generated always as identity, event_id uuid not null)"
_TAKE = "insert into seen (event_id) select * from unnest(cast(:ids as uuid[]))"
_INDEX = "create index on seen (event_id, n)"
# what the topic no longer holds by its own retention is older than what it begins with
_MISSING = """
    select count(*) from {s}.events e
    where not exists (select from seen where seen.event_id = e.event_id)
      and not exists (select from {s}.unsent u where u.position = e.position)
      and e.position >= coalesce((select min(f.position) from {s}.events f join seen using (event_id)), 0)
"""
_STRANGE = "select count(*) from seen where not exists (select from {s}.events e where e.event_id = seen.event_id)"
# a repeated delivery is allowed; the first one of each event must follow that of the event before it
_DISORDER = """
    select count(*) from (
        select e.sequence - lag(e.sequence, 1, e.sequence - 1) over (partition by e.subject_id order by s.n) as step
        from (select event_id, min(n) as n from seen group by event_id) s join {s}.events e using (event_id)
    ) steps where step <> 1
"""


async def balanced(conn: AsyncConnection, connection: Connection, service: str) -> tuple[dict[str, int], list[str]]:
    """Counts, and sentences about what does not hold, of one publisher's journal and topic.

    Works in a temporary table of this connection's session: any number of events takes the same memory here.
    """
    await conn.execute(text(_SEEN))
    records = strange = 0
    async for ids, others in _ids(connection, topic_of(service)):
        await conn.execute(text(_TAKE), {"ids": ids})
        records += len(ids)
        strange += others
    await conn.execute(text(_INDEX))
    missing, unknown, disorder = [
        int(await conn.scalar(text(query.format(s=service))) or 0) for query in (_MISSING, _STRANGE, _DISORDER)
    ]
    events = int(await conn.scalar(text(f"select count(*) from {service}.events")) or 0)
    unsent = int(await conn.scalar(text(f"select count(*) from {service}.unsent")) or 0)
    different = int(await conn.scalar(text("select count(distinct event_id) from seen")) or 0)
    await conn.execute(text("drop table seen"))
    counts = {"events": events, "unsent": unsent, "on_topic": records, "repeated_on_topic": records - different}
    found = []
    if missing:
        found.append(f"{missing} committed events are not on {topic_of(service)}")
    if unknown:
        found.append(f"{unknown} events on {topic_of(service)} were never committed")
    if disorder:
        found.append(f"{disorder} events on {topic_of(service)} are out of their subject's sequence")
    if strange:
        counts["not_ours_on_topic"] = strange
    return counts, found


async def _ids(connection: Connection, topic: str) -> AsyncIterator[tuple[list[str], int]]:
    async for records in read_whole(connection, topic):
        yield _of_ours(records)


def _of_ours(records: Sequence[Received]) -> tuple[list[str], int]:
    ids: list[str] = []
    for record in records:
        try:
            envelope: Any = Envelope.from_kafka(record.key, record.value, record.headers)
        except MalformedError:
            continue
        if envelope.source.startswith("urn:complaint-loop:"):
            ids.append(envelope.id)
    return ids, len(records) - len(ids)
