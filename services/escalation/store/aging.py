"""Statements that let go of words about what has been over for as long as the policy keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store import mails
from services.escalation.store.tables import answers, complaints, escalations, events, promises, timers
from shared.retention import Aged, Subjects

_time = DateTime(timezone=True)
_before: Any = bindparam("before", type_=_time)
_a, _e, _m, _p = answers.c, events.c, mails.mails.c, promises.c
_NOTHING: Any = cast(func.jsonb_build_object(), JSONB)


def _closed(complaint_id: Any) -> ColumnElement[bool]:
    """The complaint was closed for as long as words are kept. What was merged goes on in another one: its words are
    kept for as long as there is one that it may have gone into."""
    one, other = complaints.alias("closed"), complaints.alias("goes_on")

    def at(table: Any, name: str) -> Any:
        return cast(table.c.facts[name].astext, _time)

    goes_on = select(other.c.id).where(
        other.c.customer_id == one.c.customer_id,
        other.c.id != one.c.id,
        at(other, "opened_at") <= at(one, "closed_at"),
        func.coalesce(at(other, "closed_at") >= _before, True),
    )
    return (
        select(one.c.id)
        .where(one.c.id == complaint_id, one.c.facts["status"].astext == "closed", at(one, "closed_at") < _before)
        .where(or_(one.c.facts["merged_into"].astext.is_(None), ~goes_on.exists()))
        .exists()
    )


def _waits(table: Table) -> ColumnElement[bool]:
    kinds = timers.c.kind.in_(("ladder", "tell", "promise", "look_back"))
    return select(timers.c.subject_id).where(kinds, timers.c.subject_id == table.c.id).exists()


#: what has ended, of a complaint that is over; the last due time says how far to look
_ended = and_(
    escalations.c.worded,
    escalations.c.status == "ended",
    escalations.c.due_at < _before,
    ~_waits(escalations),
    _closed(escalations.c.complaint_id),
)
#: no contact after `watched_until` matters; a promise stands for as long as somebody is chased because of it
_unwatched = and_(
    _p.worded,
    _p.status != "watching",
    _p.watched_until < _before,
    ~_waits(promises),
    or_(_p.complaint_id.is_(None), _closed(_p.complaint_id)),
)
_some = bindparam("ids", type_=ARRAY(Text))
_wordless = (
    update(events)
    .where(_e.subject_id == any_(_some), or_(_e.why.is_not(None), _e.note.is_not(None)))
    .values(why=None, note=None)
)
_unsaid = update(answers).where(_a.escalation_id == any_(_some), _a.text.is_not(None))
_UNSAID = _unsaid.values(text=null(), stay=null(), redress=null(), sketch=null())


def _subjects(table: Any, over: Any, first: Any, values: dict[str, Any], more: Sequence[Any]) -> Subjects:
    find = select(table.c.id, table.c.customer_id).where(over).order_by(first).limit(bindparam("most"))
    let_go = update(table).where(table.c.id == any_(_some), over).values(worded=False, **values).returning(table.c.id)

    async def found(conn: AsyncConnection, before: datetime, most: int) -> Sequence[tuple[str, str]]:
        return [(row.id, row.customer_id) for row in await conn.execute(find, {"before": before, "most": most})]

    async def forget(conn: AsyncConnection, before: datetime, ids: Sequence[str]) -> int:
        gone = list((await conn.execute(let_go, {"before": before, "ids": list(ids)})).scalars())
        for statement in (_wordless, *more) if gone else ():
            await conn.execute(statement, {"ids": gone})
        return len(gone)

    return Subjects(found, forget)


async def _mails(conn: AsyncConnection, before: datetime, most: int) -> int:
    """What servers said of mails that were dealt with, and addresses that stand in a promise alone."""
    addressed = _m.person.like("address:_%")
    old = select(_m.id).where(_m.queued_at < before, _m.next_at.is_(None), or_(_m.detail.is_not(None), addressed))
    some = old.order_by(_m.queued_at).limit(most).with_for_update(skip_locked=True)
    values = {
        "detail": None,
        "person": case((addressed, "address:"), else_=_m.person),
        "order": case((addressed, mails.NOBODY), else_=_m.order),
    }
    return (await conn.execute(update(mails.mails).where(_m.id.in_(some)).values(**values))).rowcount


#: escalations with their answers, promises, and what mail servers said
WORDS: Final[Sequence[Aged | Subjects]] = (
    _subjects(escalations, _ended, escalations.c.due_at, {}, [_UNSAID]),
    _subjects(promises, _unwatched, _p.watched_until, {"text": null(), "words": _NOTHING}, []),
    _mails,
)
