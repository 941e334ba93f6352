"""Mail that came in: kept before it is acknowledged, settled in the transaction of its effect. The only SQL about it.

The words stand in `raw` until the row is settled, and no longer: answers have a table of their own, and what a mail
quotes is the customer's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store.book import Arrival
from services.escalation.store.mails import mails
from services.escalation.store.tables import among, metadata
from shared.sets import insert_many

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", Text, primary_key=True, comment="a hash of the mail answered to and the Message-ID: a repeat is one"),
    Column("mail_id", Text, nullable=False, comment="the mail of ours that it answers, or that came back"),
    Column("state", Text, nullable=False, comment="new, taken, refused, robot, bounced, ignored, failed"),
    Column("detail", Text, comment="why: a code, never words"),
    Column("raw", LargeBinary, comment="the mail itself, until it is settled"),
    Column("came_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), comment="null once it is settled"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Index("ix_arrivals_next_at", "next_at"),
    Index("ix_arrivals_mail_id", "mail_id"),
)
#: rung when a mail was kept
ARRIVED = "escalation_arrived"
#: one that is being worked on and not heard of for so long is taken up again
_WORKING = timedelta(seconds=120)


async def keep(conn: AsyncConnection, arrival_id: str, mail_id: str, raw: bytes, now: datetime) -> None:
    """Keeps a mail; one that is kept already stays as it is."""
    row = {"id": arrival_id, "mail_id": mail_id, "state": "new", "raw": raw, "came_at": now, "next_at": now}
    await insert_many(conn, arrivals, [row], conflict=("id",))
    await conn.execute(text("select pg_notify(:channel, '')"), {"channel": ARRIVED})


async def claim(conn: AsyncConnection, now: datetime, most: int) -> list[Any]:
    """Rows (id, mail_id, raw, attempt) to work on; nobody else gets them for two minutes."""
    due = (
        select(arrivals.c.id)
        .where(arrivals.c.next_at <= now)
        .order_by(arrivals.c.next_at, arrivals.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = (
        update(arrivals)
        .where(arrivals.c.id.in_(due))
        .values(next_at=now + _WORKING, attempt=arrivals.c.attempt + 1)
        .returning(arrivals.c.id, arrivals.c.mail_id, arrivals.c.raw, arrivals.c.attempt)
    )
    return list(await conn.execute(found))


async def settle(conn: AsyncConnection, told: Sequence[tuple[str, str, str]]) -> None:
    """(id, state, detail) of mails that are dealt with; their words go."""
    for arrival_id, state, detail in told:
        statement = update(arrivals).where(arrivals.c.id == arrival_id)
        await conn.execute(statement.values(state=state, detail=detail or None, raw=None, next_at=None))


async def of(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Arrival]:
    """What is known of these."""
    other = arrivals.alias()
    refused = (
        select(func.count()).where(other.c.mail_id == arrivals.c.mail_id, other.c.state == "refused").scalar_subquery()
    )
    statement = select(arrivals.c.id, arrivals.c.state, refused.label("refused")).where(
        arrivals.c.id == among("ids", ids)
    )
    return {row.id: Arrival(row.state != "new", row.refused) for row in await conn.execute(statement)}


async def orders_of(conn: AsyncConnection, mail_id: str) -> list[str]:
    """The mails that a name stands for: one, or all that a digest brought."""
    same = (mails.c.id == mail_id) | (mails.c.digest_id == mail_id)
    return [row.id for row in await conn.execute(select(mails.c.id).where(same).order_by(mails.c.id))]


async def forget(conn: AsyncConnection, customers: Sequence[str]) -> None:
    """Mails about erased customers that were not dealt with yet are not read any more."""
    theirs = select(mails.c.id).where(mails.c.customer_id == among("customers", customers))
    about = arrivals.c.mail_id.in_(theirs) & arrivals.c.next_at.is_not(None)
    await conn.execute(update(arrivals).where(about).values(state="ignored", raw=None, next_at=None))


async def purge(conn: AsyncConnection, before: datetime) -> None:
    """Rows that were settled long ago."""
    await conn.execute(delete(arrivals).where(arrivals.c.next_at.is_(None), arrivals.c.came_at < before))


async def findings(conn: AsyncConnection) -> AsyncIterator[str]:
    """Mail that came in and nothing will ever look at, a sentence each."""
    lost = select(arrivals.c.id).where(arrivals.c.state == "new", arrivals.c.next_at.is_(None))
    for row in await conn.execute(lost.order_by(arrivals.c.id).limit(1000)):
        yield f"mail that came in {row.id}: neither dealt with nor ever due again"
