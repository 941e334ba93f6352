"""What a service said, read again: its topic, or its journal, into the journal of another schema.

A topic has each event at least once, in order per subject, and none of what stays home: who acted, their reasons and
their words. So a journal that was read from it has no `why` and no `note`, and its audit chain is computed anew; it is
the same chain, because it is made of what was sent.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import MetaData, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope, MalformedError
from shared.kafka import Connection, Received, read_whole
from shared.sets import insert_many


class NotEmptyError(Exception):
    """The schema that is to be read into holds something: nothing there is overwritten unasked."""


def tables_in(metadata: MetaData, schema: str) -> dict[str, Table]:
    """The tables of `metadata`, by name, as those of another schema.

    Statements that are compiled once (`insert_many`) must be given these: they know nothing of the connection's map.
    """
    if schema == metadata.schema:
        return {table.name: table for table in metadata.sorted_tables}
    other = MetaData(schema=schema)
    return {table.name: table.to_metadata(other, schema=schema) for table in metadata.sorted_tables}


async def prepared(conn: AsyncConnection, metadata: MetaData, schema: str, *, replace: bool) -> AsyncConnection:
    """A connection on which the tables of `metadata` are those of `schema`, made where they are missing.

    Raises NotEmptyError where it holds rows, unless `replace`: then it is emptied. `schema` is a checked identifier.
    """
    own = metadata.schema
    assert own is not None
    if schema != own:
        if replace:
            await conn.execute(text(f'drop schema if exists "{schema}" cascade'))
        await conn.execute(text(f'create schema if not exists "{schema}"'))
        conn = await conn.execution_options(schema_translate_map={own: schema})
        await conn.run_sync(metadata.create_all)
    for table in metadata.sorted_tables:
        if (await conn.execute(select(table).limit(1))).first() is not None:
            raise NotEmptyError(f"{schema}.{table.name} is not empty")
    return conn


async def from_topic(
    conn: AsyncConnection, events: Table, connection: Connection, topic: str, source: str
) -> dict[str, int]:
    """Reads the whole topic into `events`, each event once; answers counts."""
    counts = {"read": 0, "not_ours": 0}
    async for records in read_whole(connection, topic):
        rows = [row for record in records if (row := _row(record, source)) is not None]
        await insert_many(conn, events, rows, conflict=("event_id",))
        counts["read"] += len(rows)
        counts["not_ours"] += len(records) - len(rows)
    counts["events"] = int(await conn.scalar(select(func.count()).select_from(events)) or 0)
    counts["repeated"] = counts.pop("read") - counts["events"]
    return counts


def _row(record: Received, source: str) -> dict[str, Any] | None:
    try:
        envelope = Envelope.from_kafka(record.key, record.value, record.headers)
    except MalformedError:
        return None
    if envelope.source != source:
        return None
    by = orjson.loads(envelope.data).get("by_id")
    return {
        "event_id": envelope.id,
        "type": envelope.type,
        "subject_id": envelope.subject,
        "sequence": envelope.sequence,
        "customer_id": envelope.customer_id,
        "at": envelope.time,
        "data": envelope.data,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "by": by if isinstance(by, str) else None,
        "chain": b"",  # computed once all of the subject is there
    }


async def from_journal(conn: AsyncConnection, events: Table, own: str, schema: str) -> dict[str, int]:
    """Copies the journal of schema `own` into that of `schema`, with all that stays home."""
    await conn.execute(text(f'insert into "{schema}".events overriding system value select * from {own}.events'))
    return {"events": int(await conn.scalar(select(func.count()).select_from(events)) or 0)}
