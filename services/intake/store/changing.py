"""Statements that change what is there: responses to contacts, and the forgetting of a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Integer, LargeBinary, Text, any_, bindparam, case, cast, column, delete, func, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import array as pg_array
from sqlalchemy.ext.asyncio import AsyncConnection

from . import tables
from .book import WORDS, Book

_c = tables.contacts.c
_KINDS = {"id": Text, "responder_id": Text, "responses": Integer, "version": Integer, "chain": LargeBinary}
_changed = (
    func.unnest(*[bindparam(f"p_{name}", type_=ARRAY(kind)) for name, kind in _KINDS.items()])
    .table_valued(*[column(name, kind) for name, kind in _KINDS.items()])
    .render_derived(name="changed")
)
_answered = (
    update(tables.contacts)
    .where(_c.id == cast(_changed.c.id, _c.id.type))
    .values({name: _changed.c[name] for name in _KINDS if name != "id"})
)

_responder = _c.posted["responder"]["id"]
#: a contact as posted, without words and names
WORDLESS: Any = (
    _c.posted.op("-")(cast(pg_array(WORDS), ARRAY(Text)))
    .op("||")(func.jsonb_build_object("customer", func.jsonb_build_object("id", _c.customer_id), type_=JSONB))
    .op("||")(
        case(
            (
                _responder.is_not(None),
                func.jsonb_build_object("responder", func.jsonb_build_object("id", _responder), type_=JSONB),
            ),
            else_=func.jsonb_build_object(type_=JSONB),
        )
    )
)
#: what was heard, without what somebody else says of it
_HEARD_HERE: Any = _c.signals.op("-")(cast("second_opinion", Text))
_whose = any_(bindparam("customers", type_=ARRAY(Text)))
_forget = (
    update(tables.contacts).where(_c.customer_id == _whose).values(posted=WORDLESS, signals=_HEARD_HERE),
    delete(tables.opinions).where(tables.opinions.c.customer_id == _whose),
    update(tables.responses).where(tables.responses.c.customer_id == _whose).values(text=None),
    update(tables.events).where(tables.events.c.customer_id == _whose).values(why=None, note=None),
)


def response_rows(book: Book) -> list[dict[str, Any]]:
    """Responses as they are stored."""
    return [
        {
            "id": new.response_id,
            "contact_id": new.contact_id,
            "customer_id": event.customer_id,
            "source": new.source,
            "scope": new.scope,
            "source_event_id": new.source_event_id,
            "responder_id": event.responder_id,
            "occurred_at": event.occurred_at,
            "received_at": event.received_at,
            "first": event.first,
            "text": new.text,
        }
        for new, event in book.responded
    ]


async def note_answered(conn: AsyncConnection, book: Book) -> None:
    """Writes into contacts who answered first and how many did."""
    kept = [book.contacts[one] for one in sorted({new.contact_id for new, _ in book.responded})]
    await conn.execute(
        _answered,
        {
            "p_id": [one.id for one in kept],
            "p_responder_id": [one.now.responder_id for one in kept],
            "p_responses": [one.now.responses for one in kept],
            "p_version": [one.version for one in kept],
            "p_chain": [one.chain for one in kept],
        },
    )


async def forget_responder(conn: AsyncConnection, responder_id: str, now: datetime) -> bool:
    """Forgets name and address of somebody who answered customers; whether there is one."""
    p = tables.responders.c
    statement = update(tables.responders).where(p.id == responder_id).values(name=None, email=None, said_at=now)
    return bool((await conn.execute(statement)).rowcount)


async def forget(conn: AsyncConnection, customers: list[str]) -> None:
    """Takes the words, names and addresses of these customers out of every table."""
    for statement in _forget:
        await conn.execute(statement, {"customers": customers})
