"""Addresses of executives that mails do not reach. The only SQL about them: a row a person, and never many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Column, DateTime, Integer, Table, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.reach import Mark, reach_of
from services.escalation.store.tables import among, escalations, metadata
from shared.policy import Policies
from shared.sets import insert_many

unreachable = Table(
    "unreachable",
    metadata,
    Column("executive_id", Text, primary_key=True),
    Column("address", Text, nullable=False, comment="in small letters; another one in the policy is trusted"),
    Column("because", Text, nullable=False, comment="refused, came_back"),
    Column("detail", Text, nullable=False, comment="the server's code"),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("refused_at", DateTime(timezone=True), nullable=False, comment="when it did so last"),
    Column("times", Integer, nullable=False, server_default="1", comment="how often it was tried in vain"),
    Column("escalation_id", Text, comment="the one by whose mail it was learned last"),
    Column("accepted_at", DateTime(timezone=True), comment="a mail was taken since, and none has come back"),
    Column("trusted_at", DateTime(timezone=True), comment="a supervisor said that it works"),
    Column("trusted_by", Text),
)

#: escalations of one person that are passed on at once; what is beyond comes back by itself
_MOST = 20_000


async def every(conn: AsyncConnection) -> list[Mark]:
    """All that is known."""
    return [Mark(**row._mapping) for row in await conn.execute(select(unreachable))]


async def standing(conn: AsyncConnection, policies: Policies, now: datetime) -> list[Mark]:
    """Addresses that are doubted now, by the person."""
    reach = reach_of(await every(conn), policies.current, now)
    return [reach.marks[name] for name in sorted(reach.doubted)]


async def not_mailed(conn: AsyncConnection, people: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """(escalation, customer) of all that wait for these people and whose mail no server has taken, by the person."""
    e = escalations.c
    step = e.state["steps_made"].astext
    taken = func.coalesce(e.delivery["mailed"].has_key(step), False)
    statement = (
        select(e.executive_id, e.id, e.customer_id)
        .where(e.executive_id == among("people", people), e.status == "waiting", ~taken)
        .limit(_MOST)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in await conn.execute(statement):
        found.setdefault(row.executive_id, []).append((row.id, row.customer_id))
    return found


async def mark(conn: AsyncConnection, marks: Sequence[Mark]) -> None:
    """Keeps what was refused now: what was known of these addresses before is over."""
    rows = sorted((asdict(one) for one in marks), key=lambda row: str(row["executive_id"]))
    await insert_many(conn, unreachable, rows, conflict=("executive_id",), update=True)


async def accepted(conn: AsyncConnection, people: Collection[str], at: datetime) -> None:
    """A mail to these was taken: the first since it was refused counts."""
    theirs = (unreachable.c.executive_id == among("people", people)) & unreachable.c.accepted_at.is_(None)
    await conn.execute(update(unreachable).where(theirs, unreachable.c.refused_at < at).values(accepted_at=at))


async def trust(conn: AsyncConnection, executive_id: str, by: str, at: datetime) -> None:
    """Somebody said that the address works."""
    theirs = unreachable.c.executive_id == executive_id
    await conn.execute(update(unreachable).where(theirs).values(trusted_at=at, trusted_by=by))
