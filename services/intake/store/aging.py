"""Statements that let go of old words. How far they have come is kept: ids are in the order of receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.retention import Aged

from . import messages, tables
from .changing import WORDLESS
from .hooks import deliveries

_g, _d = tables.forgotten.c, deliveries.c
_TOO_OLD = "it was as old as the policy keeps texts"
_START = "00000000-0000-0000-0000-000000000000"
#: table -> what of it is let go of
_LET_GO: dict[Any, dict[str, Any]] = {tables.contacts: {"posted": WORDLESS}, tables.responses: {"text": None}}


async def forget(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Takes the words out of at most `most` contacts and as many responses that were received before `before`; answers
    how many. One transaction at a time goes on from where the last one came to."""
    done = 0
    for table, values in _LET_GO.items():
        begin = insert(tables.forgotten).values(name=table.name, up_to=_START)
        await conn.execute(begin.on_conflict_do_nothing(index_elements=["name"]))
        place = select(_g.up_to).where(_g.name == table.name).with_for_update(skip_locked=True)
        up_to = await conn.scalar(place)
        if up_to is None:
            continue
        c = table.c
        rows = await conn.execute(select(c.id, c.received_at).where(c.id > up_to).order_by(c.id).limit(most))
        over: list[str] = []
        for row in rows:
            if row.received_at >= before:
                break
            over.append(row.id)
        if over:
            ids = any_(bindparam("ids", over, type_=ARRAY(Uuid(as_uuid=False))))
            await conn.execute(update(table).where(c.id == ids).values(values))
            await conn.execute(update(tables.forgotten).where(_g.name == table.name).values(up_to=over[-1]))
        done += len(over)
    return done


async def unasked(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Takes the bytes out of deliveries that were too thin to be understood, where nobody has set up what to ask."""
    thin = select(_d.position).where(_d.received_at < before, _d.state == "thin")
    some = thin.order_by(_d.received_at).limit(most).with_for_update(skip_locked=True)
    nothing: dict[str, Any] = {"body": None, "request": None, "state": "nothing", "next_at": None, "why": _TOO_OLD}
    return (await conn.execute(update(deliveries).where(_d.position.in_(some)).values(**nothing))).rowcount


#: for retention, in the order in which it is done
WORDS: Final[Sequence[Aged]] = (forget, unasked, messages.purge)
