"""What agents said that contacts are. The words are looked up with the contacts: who is erased is no example."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.listening import MOST_COMPARED

from .tables import contacts, corrections

#: of a cause, the latest count: products and words change
MOST_EXAMPLES = 40
_c, _k = contacts.c, corrections.c
_LABELS = ("cause", "complaint", "departure_threat")


async def correct(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keeps what was said of contacts; what is not said anew stays."""
    new = insert(corrections)
    said = {name: func.coalesce(new.excluded[name], _k[name]) for name in _LABELS}
    ordered = sorted(rows, key=lambda row: str(row["contact_id"]))
    await conn.execute(
        new.on_conflict_do_update(index_elements=["contact_id"], set_={**said, "at": new.excluded.at}), ordered
    )


async def edition(conn: AsyncConnection) -> tuple[int, datetime | None]:
    """What tells whether there is anything new."""
    row = (await conn.execute(select(func.count(), func.max(_k.at)))).one()
    return int(row[0]), row[1]


async def labelled(conn: AsyncConnection, most: int) -> Sequence[Any]:
    """(text, locale, who, cause, complaint, departure_threat) of contacts of which somebody has said what they are: the
    latest `most` that agents have corrected, and those of the latest `most` whose callers said so."""
    said = [_c.posted["text"].astext.label("text"), _c.posted["customer"]["locale"].astext.label("locale")]
    agents = (
        select(*said, literal("agents").label("who"), *(_k[name] for name in _LABELS))
        .join(corrections, _k.contact_id == _c.id)
        .where(_c.posted["text"].astext != "")
        .order_by(_k.at.desc())
        .limit(most)
    )
    latest = select(_c.id).order_by(_c.id.desc()).limit(most).subquery()
    flags = [cast(_c.posted[name].astext, Boolean).label(name) for name in _LABELS[1:]]
    callers = (
        select(*said, literal("callers").label("who"), _c.posted["cause"].astext.label("cause"), *flags)
        .join(latest, latest.c.id == _c.id)
        .where(_c.posted["text"].astext != "", or_(*(_c.posted[name].astext.is_not(None) for name in _LABELS)))
    )
    return [*(await conn.execute(agents)).all(), *(await conn.execute(callers)).all()]


async def examples(conn: AsyncConnection) -> Sequence[Any]:
    """(cause, text, locale) of the latest corrected contacts of each cause, the latest first."""
    text = func.left(_c.posted["text"].astext, MOST_COMPARED)
    place = func.row_number().over(partition_by=_k.cause, order_by=(_k.at.desc(), _k.contact_id)).label("place")
    known = (
        select(_k.cause, text.label("text"), _c.posted["customer"]["locale"].astext.label("locale"), place)
        .join(contacts, _c.id == _k.contact_id)
        .where(_k.cause.is_not(None), _c.posted["text"].astext != "")
        .subquery()
    )
    found = await conn.execute(
        select(known).where(known.c.place <= MOST_EXAMPLES).order_by(known.c.cause, known.c.place)
    )
    return found.all()
