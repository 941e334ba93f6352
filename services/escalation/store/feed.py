"""The feed's SQL. Rows come without a position; one writer numbers those that are committed, densely and for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, bindparam, column, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store.tables import among, feed


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader wants to see; all that are given must fit, and `types` is a choice."""

    level: int | None = None
    owner_id: str | None = None
    region: str | None = None
    types: tuple[str, ...] = ()

    def fit(self, item: dict[str, Any]) -> bool:
        """Whether an item is wanted."""
        return (
            (self.level is None or item["level"] == self.level)
            and (self.owner_id is None or item["owner_id"] == self.owner_id)
            and (self.region is None or item["region"] == self.region)
            and (not self.types or item["type"] in self.types)
        )


_UNNUMBERED = select(feed.c.id).where(feed.c.position.is_(None)).order_by(feed.c.id).limit(bindparam("most"))
_HEAD = select(func.coalesce(func.max(feed.c.position), 0))
_numbers = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("positions", type_=ARRAY(BigInteger)))
    .table_valued(column("id", BigInteger), column("position", BigInteger))
    .render_derived(name="numbers")
)
_NUMBER = update(feed).where(feed.c.id == _numbers.c.id).values(position=_numbers.c.position)


async def head(conn: AsyncConnection) -> int:
    """The last position given; 0 before the first."""
    return int((await conn.execute(_HEAD)).scalar_one())


async def number(conn: AsyncConnection, most: int) -> int:
    """Gives the next positions to rows that have none, in the order in which they were written; answers how many.

    To be called by one writer at a time. A row that commits later than its neighbours is numbered after them: a
    position, once seen, has nothing unseen before it.
    """
    ids = [row.id for row in await conn.execute(_UNNUMBERED, {"most": most})]
    if ids:
        last = await head(conn)
        await conn.execute(_NUMBER, {"ids": ids, "positions": list(range(last + 1, last + 1 + len(ids)))})
    return len(ids)


def wanted(filters: Filters) -> Select[Any]:
    """Items after a position that fit."""
    statement = select(feed).where(feed.c.position > bindparam("after")).order_by(feed.c.position)
    if filters.level is not None:
        statement = statement.where(feed.c.level == filters.level)
    if filters.owner_id is not None:
        statement = statement.where(feed.c.owner_id == filters.owner_id)
    if filters.region is not None:
        statement = statement.where(feed.c.region == filters.region)
    if filters.types:
        statement = statement.where(feed.c.type == among("types", filters.types))
    return statement


async def read(
    conn: AsyncConnection, after: int, limit: int, filters: Filters | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Items after a position, and the position to go on from: with filters that is beyond what did not fit."""
    last = await head(conn)
    statement = wanted(filters or Filters()).where(feed.c.position <= last).limit(limit)
    items = [item(row) for row in await conn.execute(statement, {"after": after})]
    if len(items) == limit:
        return items, int(items[-1]["position"])
    return items, max(after, last)


def item(row: Any) -> dict[str, Any]:
    """One item, in the one shape that feed and stream have."""
    return {
        "position": row.position,
        "type": row.type,
        "at": row.at,
        "level": row.level,
        "owner_id": row.owner_id,
        "region": row.region,
        "reference": row.reference,
        "complaint_id": row.complaint_id,
        "data": row.data,
    }


async def gaps(conn: AsyncConnection) -> Sequence[str]:
    """What is wrong with the positions: they run from 1 without a gap, and nothing waits for one."""
    row = (
        await conn.execute(
            select(func.count(feed.c.position), func.coalesce(func.max(feed.c.position), 0), func.min(feed.c.position))
        )
    ).one()
    waiting = (await conn.execute(select(func.count()).select_from(feed).where(feed.c.position.is_(None)))).scalar_one()
    found = []
    if row[0] != row[1] or row[2] not in (None, 1):
        found.append(f"the feed has {row[0]} numbered items, and its last position is {row[1]}")
    if waiting:
        found.append(f"{waiting} items of the feed have no position")
    return found
