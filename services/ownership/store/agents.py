"""The people: what was said of them, who of them a decision may be about, and whose complaints are to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ARRAY, Row, Text, Uuid, any_, bindparam, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.domain.agents import HIGHEST, Agent, People, shifts
from shared.calendars import parse_week

from .tables import agents, complaints

_a = agents.c
_columns: tuple[Any, ...] = (_a.id, _a.name, _a.email, _a.active, _a.details)
_superior = _a.details["superior"].astext
#: colleagues that are considered for one set of inputs
_COLLEAGUES = 300
#: complaints of one agent that are told at once to be looked at
MOST_HELD: Final = 1_000
#: when intake was asked for a name that is to stay unknown
_NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)

_by_id = select(*_columns).where(_a.id == any_(bindparam("ids", type_=ARRAY(Text))))


def _chain() -> Any:
    first = select(_superior.label("id"), literal(1).label("height")).where(
        _a.id == any_(bindparam("ids", type_=ARRAY(Text))), _superior.is_not(None)
    )
    chain = first.cte("chain", recursive=True)
    above = agents.alias("above")
    chain = chain.union(
        select(above.c.details["superior"].astext, chain.c.height + 1).where(
            above.c.id == chain.c.id, above.c.details["superior"].astext.is_not(None), chain.c.height < HIGHEST
        )
    )
    return select(*_columns).where(_a.id.in_(select(chain.c.id)))


_superiors = _chain()
_colleagues = (
    select(*_columns)
    .where(_a.active)
    .order_by((_superior == any_(bindparam("superiors", type_=ARRAY(Text)))).desc().nulls_last(), _a.id)
    .limit(_COLLEAGUES)
)


_c = complaints.c
_held = (
    select(_c.id, _c.customer_id)
    .where(
        or_(_c.owner_id == bindparam("agent_id"), _c.deputy_id == bindparam("agent_id")),
        _c.status != "closed",
        _c.id > bindparam("after", type_=Uuid(as_uuid=False)),
    )
    .order_by(_c.id)
    .limit(MOST_HELD)
)


def agent_of(row: Row[Any], zone: str) -> Agent:
    """Somebody as decisions see them; `zone` is that of hours which name none."""
    details = row.details
    hours = details.get("hours")
    return Agent(
        id=row.id,
        name=row.name,
        active=row.active,
        superior=details.get("superior"),
        languages=tuple(details.get("languages", ())),
        hours=None if hours is None else shifts(details.get("time_zone") or zone, parse_week(hours)),
        absences=tuple(
            (datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["until"]))
            for one in details.get("absences", ())
        ),
    )


async def people(
    conn: AsyncConnection, ids: Collection[str], zone: str, now: datetime, visited: Collection[str] = ()
) -> People:
    """Those of `ids`; if one of them is away now, everybody who might stand in for them; the superiors of those whose
    customers are to be `visited`."""
    if not ids:
        return People()
    known = {row.id: agent_of(row, zone) for row in await conn.execute(_by_id, {"ids": sorted(ids)})}
    away = sorted(one.id for one in known.values() if one.away(now) is not None)
    below = sorted({*away, *visited})
    if not below:
        return People(known)
    above = {row.id: agent_of(row, zone) for row in await conn.execute(_superiors, {"ids": below})}
    if not away:
        return People(above | known)
    superiors = sorted({superior for one in away if (superior := known[one].superior)})
    beside = [agent_of(row, zone) for row in await conn.execute(_colleagues, {"superiors": superiors})]
    return People(above | known, beside)


async def held(conn: AsyncConnection, agent_id: str, after: str) -> list[tuple[str, str]]:
    """(id, customer_id) of what somebody owns or stands in for, after the complaint `after`; a page of it."""
    rows = await conn.execute(_held, {"agent_id": agent_id, "after": after})
    return [(row.id, row.customer_id) for row in rows]


async def put(conn: AsyncConnection, agent_id: str, given: Mapping[str, Any]) -> None:
    """Keeps what was given, in the form of the API, and leaves the rest."""
    plain = {name: given[name] for name in ("name", "email", "active") if name in given}
    details = {name: value for name, value in given.items() if name not in plain}
    if "name" in given and given["name"] is None:  # forgotten: nobody is asked for it again
        plain["asked_at"] = _NEVER
    statement = pg_insert(agents).values(id=agent_id, details=details, **plain)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={**plain, "details": agents.c.details.concat(statement.excluded.details)}
        )
    )


async def get(conn: AsyncConnection, agent_id: str) -> Row[Any] | None:
    """Somebody by id."""
    return (await conn.execute(select(*_columns).where(_a.id == agent_id))).one_or_none()


async def listed(
    conn: AsyncConnection, after: str | None, limit: int, *, active: bool | None, superior: str | None
) -> Sequence[Row[Any]]:
    """Agents by id, after the id `after`."""
    wanted = [
        *([] if after is None else [_a.id > after]),
        *([] if active is None else [_a.active == active]),
        *([] if superior is None else [_superior == superior]),
    ]
    return (await conn.execute(select(*_columns).where(*wanted).order_by(_a.id).limit(limit))).all()
