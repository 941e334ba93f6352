"""Idempotent receipt, and what could not be handled: parked with its reason, never lost, never in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope
from shared.sets import insert_many


def inbox_table(metadata: MetaData) -> Table:
    """`inbox` of one service's schema: every event that has had its effect."""
    return Table(
        "inbox",
        metadata,
        Column("source", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Index("ix_inbox_received_at", "received_at"),
    )


def parked_table(metadata: MetaData) -> Table:
    """`parked` of one service's schema: records and deliveries that wait for a person or an upgrade."""
    return Table(
        "parked",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("parked_at", DateTime(timezone=True), nullable=False),
        Column("origin", Text, nullable=False, comment="topic, or the tool of a webhook"),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("value", LargeBinary),
        Column("reason", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("state", Text, nullable=False, server_default="parked", comment="parked, retried or dropped"),
        Index("ix_parked_origin_partition_offset", "origin", "partition", "offset", unique=True),
    )


async def receive(
    conn: AsyncConnection, table: Table, envelopes: Sequence[Envelope], now: datetime
) -> set[tuple[str, str]]:
    """Notes these events as received; answers the (source, id) of those that are new."""
    seen: dict[tuple[str, str], dict[str, Any]] = {
        (e.source, e.id): {"source": e.source, "event_id": e.id, "received_at": now} for e in envelopes
    }
    rows = [seen[key] for key in sorted(seen)]
    new = await insert_many(conn, table, rows, conflict=("source", "event_id"), returning=("source", "event_id"))
    return {(row.source, row.event_id) for row in new}


def parked_words(table: Table) -> Callable[[AsyncConnection, datetime, int], Awaitable[int]]:
    """For retention: takes what was sent out of records parked long ago, but for those that somebody has just asked
    for. That they were parked, and why, stays on record."""
    c = table.c
    words = or_(c.value.is_not(None), c.key.is_not(None), func.jsonb_array_length(c.headers) > 0)

    async def let_go(conn: AsyncConnection, before: datetime, most: int) -> int:
        old = select(c.id).where(c.parked_at < before, c.state != "retry", words)
        some = old.order_by(c.id).limit(most).with_for_update(skip_locked=True)
        state = case((c.state == "parked", "dropped"), else_=c.state)
        gone = update(table).where(c.id.in_(some)).values(value=None, key=None, headers=[], state=state)
        return (await conn.execute(gone)).rowcount

    return let_go
