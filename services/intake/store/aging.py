"""Statements that let go of old words. How far they have come is kept: ids are in the order of receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from . import tables
from .changing import WORDLESS

_g = tables.forgotten.c
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
