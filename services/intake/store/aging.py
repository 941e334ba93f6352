"""Statements that let go of old words. How far they have come is kept: ids are in the order of receipt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.retention import Aged
from shared.sets import insert_many

from . import messages, tables
from .changing import WORDLESS
from .hooks import deliveries

_c, _d, _g = tables.contacts.c, deliveries.c, tables.forgotten.c
_h, _r = tables.held_back.c, tables.responses.c
_TOO_OLD = "it was as old as the policy keeps texts"
_START: Final = "00000000-0000-0000-0000-000000000000"
#: how long what was held back is left alone
_ASK_AGAIN: Final = timedelta(days=1)

#: table -> the contact that a row is of
KINDS: Final[tuple[tuple[Any, Any], ...]] = ((tables.contacts, _c.id), (tables.responses, _r.contact_id))


def _among(column: Any, ids: Collection[str]) -> Any:
    return column == any_(bindparam("ids", sorted(ids), type_=ARRAY(Uuid(as_uuid=False))))


@dataclass(frozen=True, slots=True)
class Old:
    """Rows of a table, (id, contact, customer), that are as old as words may get: `fresh` after the place `up_to`; and
    contacts, (id, customer), that were `held` back before."""

    table: Any
    up_to: str
    fresh: Sequence[tuple[str, str, str]]
    held: Sequence[tuple[str, str]]

    @property
    def contacts(self) -> list[tuple[str, str]]:
        """(id, customer) of the contacts that are concerned."""
        return list(dict.fromkeys([*((contact, whose) for _, contact, whose in self.fresh), *self.held]))


async def old(conn: AsyncConnection, table: Any, of: Any, before: datetime, now: datetime, most: int) -> Old:
    """What was received before `before`, at most `most` of each kind."""
    c = table.c
    up_to = await conn.scalar(select(_g.up_to).where(_g.name == table.name)) or _START
    following = select(c.id, of.label("contact_id"), c.customer_id, c.received_at).where(c.id > up_to)
    fresh: list[tuple[str, str, str]] = []
    for row in await conn.execute(following.order_by(c.id).limit(most)):
        if row.received_at >= before:
            break
        fresh.append((row.id, row.contact_id, row.customer_id))
    waiting = select(_c.id, _c.customer_id).join(tables.held_back, _h.contact_id == _c.id)
    again = await conn.execute(waiting.where(_h.asked_at <= now - _ASK_AGAIN).order_by(_h.asked_at).limit(most))
    return Old(table, up_to, fresh, [(row.id, row.customer_id) for row in again])


async def forget(conn: AsyncConnection, found: Old, needed: Collection[str], now: datetime) -> int:
    """Takes the words out of what was found, but for contacts that are needed: those are held back, with the responses
    to them. Answers of how many; 0 where somebody else went on from the same place."""
    name = found.table.name
    begin = insert(tables.forgotten).values(name=name, up_to=_START)
    await conn.execute(begin.on_conflict_do_nothing(index_elements=["name"]))
    if await conn.scalar(select(_g.up_to).where(_g.name == name).with_for_update()) != found.up_to:
        return 0
    released = {one for one, _ in found.held} - set(needed)
    over = {one for one, contact, _ in found.fresh if contact not in needed}
    contacts = released | (over if found.table is tables.contacts else set())
    if found.table is tables.responses:
        await conn.execute(update(tables.responses).where(_among(_r.id, over)).values(text=None))
    if contacts:
        await conn.execute(update(tables.contacts).where(_among(_c.id, contacts)).values(posted=WORDLESS))
    if released:
        await conn.execute(update(tables.responses).where(_among(_r.contact_id, released)).values(text=None))
        await conn.execute(delete(tables.held_back).where(_among(_h.contact_id, released)))
    rows = [{"contact_id": one, "asked_at": now} for one, _ in found.contacts if one in needed]
    await insert_many(conn, tables.held_back, rows, conflict=("contact_id",), update=True)
    if found.fresh:
        await conn.execute(update(tables.forgotten).where(_g.name == name).values(up_to=found.fresh[-1][0]))
    return len(found.fresh) + len(released)


async def unasked(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Takes the bytes out of deliveries that were too thin to be understood, where nobody has set up what to ask."""
    thin = select(_d.position).where(_d.received_at < before, _d.state == "thin")
    some = thin.order_by(_d.received_at).limit(most).with_for_update(skip_locked=True)
    nothing: dict[str, Any] = {"body": None, "request": None, "state": "nothing", "next_at": None, "why": _TOO_OLD}
    return (await conn.execute(update(deliveries).where(_d.position.in_(some)).values(**nothing))).rowcount


#: what goes by its age alone
WORDS: Final[Sequence[Aged]] = (unasked, messages.purge)
