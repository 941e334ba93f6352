"""Statements over second opinions: who is waited for, what a day may cost, what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, any_, bindparam, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain import PROFILE
from shared.contracts.intake import ContactCaptured
from shared.work import Kept

from .book import Book, Opined
from .reading import contact_of
from .tables import contacts, customers, events, opinion_days, opinions, responders, responses

_c, _o, _e, _p, _r, _u = contacts.c, opinions.c, events.c, responders.c, responses.c, customers.c
_days = opinion_days.c
#: of a contact that has one already
SECOND = "second_opinion"
_asked = _c.signals.has_key(SECOND)
_wordless = or_(_c.posted["text"].astext.is_(None), _c.posted["text"].astext == "")


async def due(conn: AsyncConnection, now: datetime, most: int) -> Sequence[Any]:
    """The contacts that are to be asked about now, with what is known of their customers. `over`: there is nothing to
    ask any more, because they are erased or have an opinion."""
    known = [_u[name].label(f"known_{name}") for name in PROFILE]
    statement = (
        select(_o.contact_id, _o.customer_id, _o.attempts, _c.posted, or_(_asked, _wordless).label("over"), *known)
        .join(contacts, _c.id == _o.contact_id)
        .outerjoin(customers, _u.id == _o.customer_id)
        .where(_o.due_at <= now)
        .order_by(_o.due_at, _o.contact_id)
        .limit(most)
    )
    return (await conn.execute(statement)).all()


async def staff(conn: AsyncConnection, contact_id: str, text: str) -> Sequence[Any]:
    """(id, name, email) of the people who answered a contact, and of all others of whose names a part stands in it."""
    theirs = select(_r.responder_id).where(_r.contact_id == contact_id)
    first = select(_c.responder_id).where(_c.id == contact_id)
    part = func.regexp_split_to_table(func.lower(_p.name), r"\s+").table_valued("part").render_derived(name="parts")
    least = case((part.c.part.op("~")("^[[:ascii:]]+$"), 3), else_=2)
    stands = (func.length(part.c.part) >= least) & (func.strpos(literal(text.lower(), Text), part.c.part) > 0)
    named = select(part.c.part).where(stands).exists()
    statement = select(_p.id, _p.name, _p.email).where(or_(_p.id.in_(theirs), _p.id.in_(first), named))
    return (await conn.execute(statement)).all()


async def reserve(conn: AsyncConnection, day: date, characters: int, *, calls: int, most: int) -> bool:
    """Takes one call of so many characters out of the day's budget of `calls` and `most` characters, if it is there."""
    if calls < 1 or characters > most:
        return False
    new = insert(opinion_days).values(day=day, calls=1, characters=characters)
    taken = await conn.scalar(
        new.on_conflict_do_update(
            index_elements=["day"],
            set_={"calls": _days.calls + 1, "characters": _days.characters + characters},
            where=(_days.calls + 1 <= calls) & (_days.characters + characters <= most),
        ).returning(_days.calls)
    )
    return taken is not None


async def settle(conn: AsyncConnection, day: date, contact_ids: Sequence[str], outcome: str) -> None:
    """Nobody is asked about these contacts any more; what became of it is counted."""
    if not contact_ids:
        return
    await conn.execute(delete(opinions).where(_o.contact_id.in_(list(contact_ids))))
    new = insert(opinion_days).values({"day": day, outcome: len(contact_ids)})
    set_ = {outcome: _days[outcome] + len(contact_ids)}
    await conn.execute(new.on_conflict_do_update(index_elements=["day"], set_=set_))


async def postpone(conn: AsyncConnection, contact_id: str, due_at: datetime) -> None:
    """It is asked again at `due_at`."""
    again = update(opinions).where(_o.contact_id == contact_id)
    await conn.execute(again.values(due_at=due_at, attempts=_o.attempts + 1))


async def too_late(conn: AsyncConnection, before: datetime) -> Sequence[str]:
    """Contacts that came in before this and are still waited for."""
    statement = select(_o.contact_id).join(contacts, _c.id == _o.contact_id).where(_c.received_at < before)
    return list((await conn.execute(statement.limit(1_000))).scalars())


async def days(conn: AsyncConnection, most: int) -> Sequence[Any]:
    """What each of the last days has cost and brought, the latest first."""
    return (await conn.execute(select(opinion_days).order_by(_days.day.desc()).limit(most))).all()


async def load(conn: AsyncConnection, book: Book, contact_ids: Sequence[str]) -> None:
    """The contacts that opinions are about: not those that are erased, nor those that have one."""
    ids = any_(bindparam("ids", list(contact_ids), type_=ARRAY(Uuid(as_uuid=False))))
    columns = [one for one in _c if one.name != "posted"]
    found = select(*columns).where(_c.id == ids, ~_asked, ~_wordless)
    for row in await conn.execute(found):
        first = select(_e.data).where(_e.subject_id == row.id, _e.sequence == 1)
        told = ContactCaptured.model_validate_json(await conn.scalar(first) or b"")
        kept = Kept(row.id, row.customer_id, contact_of(row), row.version, row.chain)
        book.opined[row.id] = Opined(kept, told, row.signals)


async def save(conn: AsyncConnection, book: Book) -> None:
    """Writes what is heard now."""
    one = bindparam("p_id", type_=Uuid(as_uuid=False))
    values = {
        "signals": bindparam("p_signals", type_=JSONB),
        "version": bindparam("p_version"),
        "chain": bindparam("p_chain", type_=LargeBinary),
    }
    rows = [
        {"p_id": of.kept.id, "p_signals": dict(of.heard), "p_version": of.kept.version, "p_chain": of.kept.chain}
        for of in book.opined.values()
        if of.heard is not None
    ]
    if rows:
        await conn.execute(update(contacts).where(_c.id == one).values(values), rows)
