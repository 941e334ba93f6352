"""Statements over endpoints and deliveries, and over those deliveries that are parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Text,
    bindparam,
    case,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.sets import insert_many

from .hooks import deliveries, endpoints
from .tables import customers, parked

_d, _e, _p = deliveries.c, endpoints.c, parked.c
#: `origin` of what is parked here: `hook:zendesk/main`
ORIGIN = "hook:"
#: `origin` of a message that was understood and could not be posted: `message:zendesk`
MESSAGE_ORIGIN = "message:"
_ours = or_(_p.origin.startswith(ORIGIN), _p.origin.startswith(MESSAGE_ORIGIN))


async def endpoint(conn: AsyncConnection, tool: str, endpoint_id: str) -> Any:
    """One endpoint's row; None if there is none."""
    return (await conn.execute(select(endpoints).where(_e.tool == tool, _e.id == endpoint_id))).one_or_none()


async def all_endpoints(conn: AsyncConnection) -> Sequence[Any]:
    """The endpoints, by tool and name."""
    return (await conn.execute(select(endpoints).order_by(_e.tool, _e.id))).all()


async def fates(conn: AsyncConnection) -> dict[tuple[str, str], dict[str, int]]:
    """How many deliveries of each (tool, endpoint) are in which state, or thin and why. Reads the whole table."""
    what = case((_d.state == "thin", _d.why), else_=_d.state).label("what")
    found: dict[tuple[str, str], dict[str, int]] = {}
    statement = select(_d.tool, _d.endpoint, what, func.count().label("several"))
    for row in await conn.execute(statement.group_by(_d.tool, _d.endpoint, what)):
        found.setdefault((row.tool, row.endpoint), {})[row.what] = row.several
    return found


async def set_endpoint(conn: AsyncConnection, row: Mapping[str, Any], now: datetime) -> None:
    """Adds an endpoint, or gives one that is there another secret, URL and options."""
    values = {**row, "changed_at": now}
    statement = insert(endpoints).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in ("tool", "id")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["tool", "id"], set_=changed))


async def keep(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps deliveries; a repeat changes nothing."""
    await insert_many(conn, deliveries, rows, conflict=("tool", "endpoint", "identity"))


async def new(conn: AsyncConnection, most: int) -> Sequence[Any]:
    """Deliveries that nobody has looked at, in order of receipt."""
    return (await conn.execute(select(deliveries).where(_d.state == "new").order_by(_d.position).limit(most))).all()


async def thin(conn: AsyncConnection, now: datetime, most: int) -> Sequence[Any]:
    """Deliveries for which a tool's API is to be asked now."""
    statement = select(deliveries).where(_d.state == "thin", _d.next_at <= now).order_by(_d.next_at, _d.position)
    return (await conn.execute(statement.limit(most))).all()


async def wake_thin(conn: AsyncConnection, tool: str, endpoint_id: str, now: datetime) -> int:
    """Has the tool's API asked for all that an endpoint sent thin; answers for how many."""
    statement = update(deliveries).where(_d.state == "thin", _d.tool == tool, _d.endpoint == endpoint_id)
    return (await conn.execute(statement.values(next_at=now))).rowcount


_settled = (
    func.unnest(bindparam("positions", type_=ARRAY(BigInteger)), bindparam("states", type_=ARRAY(Text)),
                bindparam("whys", type_=ARRAY(Text)), bindparam("nexts", type_=ARRAY(DateTime(timezone=True))))
    .table_valued(column("position", BigInteger), column("state", Text), column("why", Text),
                  column("next_at", DateTime(timezone=True)))
    .render_derived(name="settled")
)  # fmt: skip
_settle = (
    update(deliveries)
    .where(_d.position == _settled.c.position)
    .values(state=_settled.c.state, why=_settled.c.why, next_at=_settled.c.next_at)
)
#: what was sent is kept for as long as it is needed and no longer
_empty = (
    update(deliveries)
    .where(_d.position == func.any(bindparam("positions", type_=ARRAY(BigInteger))))
    .values(body=None, request=None)
)


async def settle(conn: AsyncConnection, fates: Sequence[tuple[int, str, str | None, datetime | None]]) -> None:
    """Writes what has become of deliveries: (position, state, why, when a thin one is asked for)."""
    if not fates:
        return
    positions, states, whys, nexts = (list(part) for part in zip(*fates, strict=True))
    given = {"positions": positions, "states": states, "whys": whys, "nexts": nexts}
    await conn.execute(_settle, given)
    over = [position for position, state, _, _ in fates if state != "thin"]
    if over:
        await conn.execute(_empty, {"positions": over})


async def postpone(conn: AsyncConnection, position: int, why: str, next_at: datetime) -> None:
    """Has the tool's API asked again later."""
    values = {"why": why, "next_at": next_at, "attempts": _d.attempts + 1}
    await conn.execute(update(deliveries).where(_d.position == position).values(**values))


async def park(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps what cannot be understood; parked before, it is parked again with its new reason."""
    for row in rows:
        statement = insert(parked).values({**row, "partition": 0, "attempts": 1})
        again = {name: statement.excluded[name] for name in ("reason", "parked_at")}
        await conn.execute(
            statement.on_conflict_do_update(
                index_elements=["origin", "partition", "offset"],
                set_={**again, "state": "parked", "attempts": _p.attempts + 1},
            )
        )


async def to_retry(conn: AsyncConnection, most: int) -> Sequence[Any]:
    """What somebody has asked to be understood once more."""
    statement = select(parked).where(_p.state == "retry", _ours).order_by(_p.id).limit(most)
    return (await conn.execute(statement)).all()


async def retried(conn: AsyncConnection, parked_id: int) -> None:
    """Notes that it has been understood."""
    statement = update(parked).where(_p.id == parked_id, _p.state == "retry")
    await conn.execute(statement.values(state="retried", attempts=_p.attempts + 1, value=None))


_behind = func.substr(_p.origin, func.strpos(_p.origin, ":") + 1)
_held = union_all(
    select(
        literal("parked").label("kept_as"),
        _p.id.label("id"),
        func.split_part(_behind, "/", 1).label("tool"),
        func.split_part(_behind, "/", 2).label("endpoint"),
        _p.parked_at.label("received_at"),
        _p.value.label("body"),
    ).where(_ours, _p.value.is_not(None)),
    select(literal("delivery"), _d.position, _d.tool, _d.endpoint, _d.received_at, _d.body).where(
        _d.state.in_(("new", "thin")), _d.body.is_not(None)
    ),
)
_erased = select(customers.c.id, customers.c.erased_at).where(
    customers.c.id == func.any(bindparam("ids", type_=ARRAY(Text))), customers.c.erased_at.is_not(None)
)


async def held(conn: AsyncConnection) -> Sequence[Any]:
    """All raw bytes that are kept, and since when: parked, thin, or not looked at."""
    return (await conn.execute(_held)).all()


async def erased(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, datetime]:
    """Which of these customers are erased, and since when."""
    return {row.id: row.erased_at for row in await conn.execute(_erased, {"ids": list(ids)})}


async def forget(conn: AsyncConnection, rows: Sequence[Any]) -> None:
    """Takes the bytes of these out; that they came stays on record."""
    why = "its customer was erased"
    of_parked = [row.id for row in rows if row.kept_as == "parked"]
    of_deliveries = [row.id for row in rows if row.kept_as == "delivery"]
    gone: dict[str, Any] = {"value": None, "key": None, "headers": [], "reason": why, "state": "dropped"}
    await conn.execute(update(parked).where(_p.id.in_(of_parked)).values(**gone))
    nothing: dict[str, Any] = {"body": None, "request": None, "state": "nothing", "why": why}
    await conn.execute(update(deliveries).where(_d.position.in_(of_deliveries)).values(**nothing))


async def purge(conn: AsyncConnection, before: datetime) -> int:
    """Forgets that these deliveries came: a tool does not repeat one after so long."""
    statement = delete(deliveries).where(_d.received_at < before, _d.state.in_(("taken", "nothing", "parked")))
    return (await conn.execute(statement)).rowcount
