"""How much people hold: counted anew at each question, so that nothing can drift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import agents, complaints, pauses

_c = complaints.c
_live = _c.status != "closed"
_open = func.count().filter(_c.status == "open")
_counts = (
    _open.label("open"),
    func.count().filter(_c.status == "answered").label("answered"),
    func.count().filter(_live & (_c.owed_at <= bindparam("now"))).label("overdue"),
    func.count().filter(_live & _c.deputy_id.is_not(None)).label("deputised"),
    func.count().filter(_live & _c.departure_threat).label("departure_threats"),
)


async def workload(conn: AsyncConnection, owner_id: str, now: datetime) -> dict[str, int]:
    """What somebody owns: open, answered, overdue, held by a deputy meanwhile, closed; what they stand in for; and how
    often it was paused: whoever pauses much is seen, breach or no breach."""
    owned = select(*_counts, func.count().filter(~_live).label("closed")).where(_c.owner_id == bindparam("owner_id"))
    held = select(func.count()).select_from(complaints).where(_c.deputy_id == bindparam("owner_id"))
    paused = select(func.count()).select_from(pauses).where(pauses.c.owner_id == bindparam("owner_id"))
    statement = owned.add_columns(held.scalar_subquery().label("deputy_for"), paused.scalar_subquery().label("pauses"))
    return dict((await conn.execute(statement, {"owner_id": owner_id, "now": now})).one()._mapping)


async def owners(
    conn: AsyncConnection, now: datetime, after: str | None, limit: int, *, over: bool | None, most: int
) -> Sequence[Any]:
    """Everybody who owns something that is not closed, by id after the id `after`, with what they hold; `over`: only
    those with more open than `most`, or only the others."""
    grouped = select(_c.owner_id, *_counts).where(_live, _c.owner_id.is_not(None)).group_by(_c.owner_id)
    if after is not None:
        grouped = grouped.where(_c.owner_id > after)
    if over is not None:
        grouped = grouped.having(_open > most if over else _open <= most)
    held = grouped.order_by(_c.owner_id).limit(limit).subquery()
    statement = (
        select(held, agents.c.name, func.coalesce(agents.c.active, True).label("active"))
        .outerjoin(agents, agents.c.id == held.c.owner_id)
        .order_by(held.c.owner_id)
    )
    return (await conn.execute(statement, {"now": now})).mappings().all()
