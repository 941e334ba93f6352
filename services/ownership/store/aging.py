"""Statements that let go of the words about complaints that were closed long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kin import read
from shared.prepared import ask
from shared.retention import Subjects

from .tables import complaints, events, kin_of, timers_rows

_c, _e, _t = complaints.c, events.c, timers_rows.c
_before: Any = bindparam("before", type_=DateTime(timezone=True))


def _ended() -> ColumnElement[bool]:
    """Closed for as long as words are kept, with nothing still to come: no follow-up that is owed. What was merged
    goes on in another complaint: its words are kept for as long as there is one that it may have gone into."""
    waits = select(_t.subject_id).where(_t.subject_id == cast(_c.id, Text)).exists()
    other = complaints.alias("other")
    goes_on = select(other.c.id).where(
        or_(other.c.customer_id == _c.customer_id, cast(other.c.id, Text) == _c.state["merged_into"].astext),
        other.c.id != _c.id,
        other.c.opened_at <= _c.closed_at,
        or_(other.c.status != "closed", other.c.closed_at >= _before),
    )
    live_after = and_(_c.basis == "merged", goes_on.exists())
    return and_(_c.status == "closed", _c.closed_at < _before, ~waits, ~live_after)


_some = any_(bindparam("ids", type_=ARRAY(Uuid(as_uuid=False))))
_over = and_(_c.worded, _ended())
_find = select(_c.id, _c.customer_id).where(_over).order_by(_c.closed_at).limit(bindparam("most"))
_let_go = update(complaints).where(_c.id == _some, _over).values(worded=False).returning(_c.id)
_wordless = (
    update(events)
    .where(_e.subject_id == any_(bindparam("subjects", type_=ARRAY(Text))))
    .where(or_(_e.why.is_not(None), _e.note.is_not(None)))
    .values(why=None, note=None)
)


_contact = func.jsonb_array_elements_text(_c.state["contacts"]).table_valued("value").lateral("contact")
_needed = (
    select(_contact.c.value)
    .select_from(complaints.join(_contact, true()))
    .where(_c.customer_id == any_(bindparam("customers", type_=ARRAY(Text))), ~_ended())
    .where(_contact.c.value == any_(bindparam("contacts", type_=ARRAY(Text))))
)


async def needed(
    conn: AsyncConnection, customers: Sequence[str], contacts: Sequence[str], before: datetime
) -> list[str]:
    """Those of these contacts, of these customers, whose complaint is open, or has not been closed since `before`."""
    kin = read((await ask(conn, {"kin": kin_of(set(customers))}))["kin"])
    whose = sorted(kin.all_of(customers))
    rows = await conn.execute(_needed, {"customers": whose, "contacts": list(contacts), "before": before})
    return sorted(set(rows.scalars()))


async def _found(conn: AsyncConnection, before: datetime, most: int) -> Sequence[tuple[str, str]]:
    return [(row.id, row.customer_id) for row in await conn.execute(_find, {"before": before, "most": most})]


async def _forget(conn: AsyncConnection, before: datetime, ids: Sequence[str]) -> int:
    over = list((await conn.execute(_let_go, {"before": before, "ids": list(ids)})).scalars())
    if over:
        await conn.execute(_wordless, {"subjects": over})
    return len(over)


#: complaints; their reasons, questions, answers and comments stand in the journal
WORDS: Final = Subjects(_found, _forget)
