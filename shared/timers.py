"""Durable deadlines: one row per subject, found by index, so a sweep costs what is due and not what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    MetaData,
    Table,
    Text,
    any_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.outbox import lock_number
from shared.sets import insert_many


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline that has come: what of, and whose."""

    kind: str
    subject_id: str
    customer_id: str
    due_at: datetime


def timers_table(metadata: MetaData) -> Table:
    """`timers` of one service's schema."""
    return Table(
        "timers",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("subject_id", Text, primary_key=True),
        Column("customer_id", Text, nullable=False),
        Column("lock", BigInteger, nullable=False, comment="the customer's advisory lock"),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Index("ix_timers_due_at", "due_at"),
    )


class Timers:
    """Reads and writes one service's deadlines."""

    def __init__(self, table: Table, service: str) -> None:
        self._table, self._service = table, service
        # The try-lock never waits, so its order is free; whose lock is taken elsewhere is left for the next sweep.
        # OFFSET 0 keeps the planner from trying locks of rows beyond the limit.
        found = (
            select(table)
            .where(table.c.due_at <= bindparam("now"))
            .order_by(table.c.due_at)
            .limit(bindparam("most"))
            .offset(0)
            .subquery()
        )
        self._claim = select(found.c.kind, found.c.subject_id, found.c.customer_id).where(
            func.pg_try_advisory_xact_lock(found.c.lock)
        )

    async def claim_due(self, conn: AsyncConnection, now: datetime, most: int = 500) -> list[Due]:
        """Takes up to `most` deadlines that have come, oldest first, with the locks of their customers."""
        table = self._table
        held = (await conn.execute(self._claim, {"now": now, "most": most})).all()
        if not held:
            return []
        # the rows may have changed between the snapshot and the lock: they are read again under it
        statement = (
            delete(table)
            .where(
                table.c.subject_id == any_(bindparam("ids", type_=ARRAY(Text))),
                table.c.kind == any_(bindparam("kinds", type_=ARRAY(Text))),
                table.c.customer_id == any_(bindparam("customers", type_=ARRAY(Text))),
                table.c.due_at <= bindparam("now"),
            )
            .returning(table.c.kind, table.c.subject_id, table.c.customer_id, table.c.due_at)
        )
        rows = await conn.execute(
            statement,
            {
                "ids": [r.subject_id for r in held],
                "kinds": sorted({r.kind for r in held}),
                "customers": sorted({r.customer_id for r in held}),
                "now": now,
            },
        )
        due = [Due(r.kind, r.subject_id, r.customer_id, r.due_at) for r in rows]
        return sorted(due, key=lambda d: (d.due_at, d.subject_id))

    async def save(self, conn: AsyncConnection, changes: dict[tuple[str, str], tuple[str, datetime | None]]) -> None:
        """Writes `{(kind, subject_id): (customer_id, due_at or None to cancel)}`."""
        gone = [key for key, (_, due_at) in changes.items() if due_at is None]
        rows = [
            {
                "kind": kind,
                "subject_id": subject_id,
                "customer_id": customer_id,
                "lock": customer_lock(self._service, customer_id),
                "due_at": due_at,
            }
            for (kind, subject_id), (customer_id, due_at) in changes.items()
            if due_at is not None
        ]
        await insert_many(conn, self._table, rows, conflict=("kind", "subject_id"), update=True)
        for kind in sorted({kind for kind, _ in gone}):
            ids = [subject_id for k, subject_id in gone if k == kind]
            table = self._table
            await conn.execute(
                delete(table).where(
                    table.c.kind == kind, table.c.subject_id == any_(bindparam("ids", ids, type_=ARRAY(Text)))
                )
            )


def customer_lock(service: str, customer_id: str) -> int:
    """The advisory lock of one customer in one service."""
    return lock_number(service, "customer", customer_id)
