"""What people and pages read: lists, one complaint, its timeline, who held it, how much somebody holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, cast

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.domain import Complaint, from_json
from services.ownership.domain.reference import as_reference
from services.ownership.domain.story import Heard
from shared.contracts.envelope import PREFIX

from .tables import agents, complaints, events, kin_of

_c, _e = complaints.c, events.c
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """A complaint as it is stored."""

    state: Complaint
    version: int
    #: in lists: its clocks as they are written, which the state is without; and the earliest due time of what is owed
    clocks: Sequence[Mapping[str, Any]] | None = None
    owed_at: datetime | None = None


def is_id(text: str) -> bool:
    """Whether this can be the id of a complaint."""
    return _UUID.fullmatch(text) is not None


def _where(select_: Select[Any], name: str) -> Select[Any] | None:
    if _UUID.fullmatch(name.lower()):
        return select_.where(_c.id == name.lower())
    reference = as_reference(name)
    return None if reference is None else select_.where(_c.reference == reference)


async def where_is(conn: AsyncConnection, name: str) -> tuple[str, str] | None:
    """(id, customer_id) of a complaint by its id or reference; None if there is none."""
    statement = _where(select(_c.id, _c.customer_id), name)
    row = None if statement is None else (await conn.execute(statement)).one_or_none()
    return None if row is None else (row.id, row.customer_id)


async def find(conn: AsyncConnection, name: str) -> Found | None:
    """A complaint by its id or reference."""
    statement = _where(select(_c.state, _c.version), name)
    row = None if statement is None else (await conn.execute(statement)).one_or_none()
    return None if row is None else Found(from_json(row.state), row.version)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for; all are and-ed."""

    status: str | None = None
    owner_id: str | None = None
    customer_id: str | None = None
    cause: str | None = None
    overdue: bool | None = None
    unowned: bool | None = None
    basis: str | None = None
    succession_asked: bool | None = None


_listed = (_c.id, _c.state, _c.version, _c.owed_at)


async def listed(
    conn: AsyncConnection, filters: Filters, now: datetime, after: str | None, limit: int
) -> Sequence[Found]:
    """Complaints, latest opened first, before the id `after`: a place that no later change moves."""
    given = {name: value for name in _VALUES if (value := getattr(filters, name)) is not None}
    ids = [] if filters.customer_id is None else await kin_of.of(conn, filters.customer_id)
    without: dict[str, Any] = dict.fromkeys(given, "")
    shape = replace(filters, **without)
    values = given | {"customer_id": ids[0] if len(ids) == 1 else None, "whose": ids}
    statement = _list(shape, several=len(ids) > 1, further=after is not None)
    rows = await conn.execute(statement, values | {"now": now, "after": after, "most": limit})
    return [Found(from_json(row.state, clocks=False), row.version, row.state["clocks"], row.owed_at) for row in rows]


#: filters whose values go along with a statement; the others are part of it
_VALUES: Final = ("owner_id", "customer_id", "cause")
_most: Any = bindparam("most", type_=Integer)
_now: Any = bindparam("now", type_=DateTime(timezone=True))


@lru_cache(maxsize=500)
def _list(shape: Filters, *, several: bool, further: bool) -> Select[Any]:
    """The list of these filters, whatever their values; kept, because making it costs more than asking it.

    `several`: the customer has more ids than one; `further`: it is not the first page.
    """
    wanted = _wanted(shape)
    if several:
        wanted.append(_c.customer_id == any_(bindparam("whose", type_=ARRAY(Text))))
    elif shape.customer_id is not None:
        # most have one id: then the index over their complaints has the order of the list
        wanted.append(_c.customer_id == bindparam("customer_id", type_=Text))
    if further:
        wanted.append(_c.id < bindparam("after", type_=Uuid(as_uuid=False)))
    if shape.overdue:
        return _overdue(wanted)
    return select(*_listed).where(*wanted).order_by(_c.id.desc()).limit(_most)


def _wanted(shape: Filters) -> list[ColumnElement[bool]]:
    """Conditions, but for whose they are; of what is overdue, only its contrary."""
    given = [name for name in ("owner_id", "cause") if getattr(shape, name) is not None]
    wanted: list[ColumnElement[bool]] = [_c[name] == bindparam(name, type_=Text) for name in given]
    # words of ours stand in the statement itself: the planner must know which partial index they allow
    said = [(name, getattr(shape, name)) for name in ("status", "basis")]
    wanted += [_c[name] == bindparam(name, value, literal_execute=True) for name, value in said if value is not None]
    if shape.overdue is False:
        wanted.append(~_c.late & func.coalesce(_c.owed_at > _now, True))
    unowned = _c.owner_id.is_(None) & (_c.status != "closed")
    for flag, holds in ((shape.unowned, unowned), (shape.succession_asked, _c.succession_asked)):
        if flag is not None:
            wanted.append(holds if flag else ~holds)
    return wanted


def _overdue(wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """What was told to be late, in the order of the list, and what has come due since the last sweep, mostly nothing.

    Asked for together (`owed_at <= now`, ordered by id) it is found only by looking through all that is not late, or by
    sorting all that is.
    """
    told = select(*_listed).where(_c.late, *wanted).order_by(_c.id.desc()).limit(_most).subquery()
    due = select(_c.id).where(~_c.late, _c.owed_at <= _now, *wanted).cte("due").prefix_with("materialized")
    latest = select(due.c.id).order_by(due.c.id.desc()).limit(_most).scalar_subquery()
    just = select(*_listed).where(_c.id == any_(func.array(latest, type_=ARRAY(Uuid(as_uuid=False)))))
    both = union_all(select(told), just).subquery()
    return select(both).order_by(both.c.id.desc()).limit(_most)


async def closings(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Who closed each of these complaints last, when, and the reason in their words, by id."""
    wanted = bindparam("ids", list(ids), type_=ARRAY(Text))
    statement = (
        select(_e.subject_id, _e.at, _e.by, _e.why)
        .where(_e.subject_id == any_(wanted), _e.type == f"{PREFIX}complaint.closed.v1")
        .order_by(_e.subject_id, _e.sequence)
    )
    rows = await conn.execute(statement)
    return {row.subject_id: {"at": row.at, "by": row.by, "why": row.why} for row in rows}


async def names_of(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, str | None]:
    """Names of agents by id, where they are known."""
    wanted = bindparam("ids", list(set(ids)), type_=ARRAY(Text))
    rows = await conn.execute(select(agents.c.id, agents.c.name).where(agents.c.id == any_(wanted)))
    return {row.id: row.name for row in rows}


async def timeline(
    conn: AsyncConnection, complaint_id: str, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """What happened to a complaint, in order, after the sequence `after`; and where the next page begins."""
    statement = (
        select(_e.sequence, _e.type, _e.at, _e.by, _e.why, _e.note, _e.data)
        .where(_e.subject_id == complaint_id, _e.sequence > after)
        .order_by(_e.sequence)
        .limit(limit + 1)
    )
    rows = (await conn.execute(statement)).all()
    items = [
        {
            "sequence": row.sequence,
            "at": row.at,
            "type": short_type(row.type),
            "by": row.by,
            "why": row.why,
            "data": orjson.loads(row.data),
            "note": row.note,
        }
        for row in rows[:limit]
    ]
    return items, rows[limit - 1].sequence if len(rows) > limit else None


def short_type(full: str) -> str:
    """`complaint.opened` of `complaintloop.complaint.opened.v1`."""
    return full.removeprefix(PREFIX).rpartition(".")[0]


async def told(conn: AsyncConnection, complaint_id: str, types: Sequence[str]) -> list[dict[str, Any]]:
    """The events of these types of one complaint, in order, with what was said at home."""
    full = [f"{PREFIX}{name}.v1" for name in types]
    statement = (
        select(_e.type, _e.at, _e.by, _e.why, _e.note, _e.data)
        .where(_e.subject_id == complaint_id, _e.type.in_(full))
        .order_by(_e.sequence)
    )
    return [
        {
            "type": short_type(row.type),
            "at": row.at,
            "by": row.by,
            "why": row.why,
            "note": row.note,
            "data": cast("dict[str, Any]", orjson.loads(row.data)),
        }
        for row in await conn.execute(statement)
    ]


async def heard(conn: AsyncConnection, complaint_ids: Sequence[str]) -> dict[str, Heard]:
    """When each contact of these complaints was made and in which conversation, as it was told when it came in."""
    types = [f"{PREFIX}{name}.v1" for name in ("complaint.opened", "complaint.contact_joined")]
    statement = (
        select(_e.data)
        .where(_e.subject_id == any_(bindparam("ids", list(complaint_ids), type_=ARRAY(Text))), _e.type.in_(types))
        .order_by(_e.subject_id, _e.sequence)
    )
    found = {}
    for data in (await conn.execute(statement)).scalars():
        told = orjson.loads(data)
        at = told.get("first_contact_at") or told["at"]
        found[told["contact_id"]] = Heard(datetime.fromisoformat(at), told.get("conversation_id"))
    return found
