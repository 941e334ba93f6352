"""What is asked for: contacts with their responses, customers, people who answer them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Select, Text, Uuid, any_, bindparam, cast, column, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain import PROFILE, Contact
from services.intake.listening import MOST_COMPARED, MOST_EARLIER
from shared.kin import kin_query
from shared.prepared import Prepared
from shared.sets import one_text, texts

from .tables import contacts, customers, responders, responses

_c, _r = contacts.c, responses.c
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
#: as the index for lists has it; see tables.py
_listed: Any = literal_column("(contacts.source || '')", Text)
_shown = select(_c.id, _c.customer_id, _c.received_at, _c.responder_id, _c.posted, _c.signals)


def contact_of(row: Any) -> Contact:
    """The state of a contact from its columns."""
    return Contact(
        row.customer_id,
        row.source,
        row.source_event_id,
        row.conversation_id,
        row.occurred_at,
        row.received_at,
        row.cause,
        row.responder_id,
        row.responses,
    )


def is_id(text: str) -> bool:
    """Whether this can be an id of ours, as we write them."""
    return _UUID.fullmatch(text) is not None


async def contact(conn: AsyncConnection, contact_id: str) -> Any:
    """One contact; None if there is none."""
    return (await conn.execute(_shown.where(_c.id == contact_id))).one_or_none()


async def where_is(conn: AsyncConnection, contact_id: str) -> Any:
    """Whose a contact is, and of which source and conversation; None if there is none."""
    statement = select(_c.customer_id, _c.source, _c.conversation_id).where(_c.id == contact_id)
    return (await conn.execute(statement)).one_or_none()


async def listed(
    conn: AsyncConnection,
    *,
    customer_ids: Sequence[str] | None,
    source: str | None,
    conversation_id: str | None,
    after: str | None,
    limit: int,
) -> Sequence[Any]:
    """Contacts, latest received first, before the id `after`."""
    statement: Select[Any] = _shown.order_by(_c.id.desc()).limit(limit)
    if source is not None:
        statement = statement.where(_listed == source)
    if customer_ids is not None:
        # of one id, the index gives them in order
        whose = _c.customer_id == customer_ids[0] if len(customer_ids) == 1 else _c.customer_id.in_(customer_ids)
        statement = statement.where(whose)
    if conversation_id is not None:
        statement = statement.where(_c.conversation_id == conversation_id)
    if after is not None:
        statement = statement.where(_c.id < after)
    rows: Sequence[Any] = (await conn.execute(statement)).all()
    return rows


async def responses_of(conn: AsyncConnection, contact_ids: list[str]) -> dict[str, list[Any]]:
    """Responses by contact, in order of receipt."""
    wanted = bindparam("ids", contact_ids, type_=ARRAY(Uuid(as_uuid=False)))
    found: dict[str, list[Any]] = {}
    if contact_ids:
        statement = select(responses).where(_r.contact_id == any_(wanted)).order_by(_r.id)
        for row in await conn.execute(statement):
            found.setdefault(row.contact_id, []).append(row)
    return found


async def customers_of(conn: AsyncConnection, customer_ids: Sequence[str]) -> Sequence[Any]:
    """The rows of those of these customers who have one; JSON is text."""
    return await _customers.rows(conn, {"ids": one_text(customer_ids)}) if customer_ids else ()


async def same_person(conn: AsyncConnection, customer_id: str) -> list[str]:
    """All ids of whoever has this one, it among them."""
    found = await conn.execute(_same_person, {"id": customer_id})
    return sorted(found.scalars())


async def unlike(conn: AsyncConnection, most: int) -> Sequence[tuple[str, str]]:
    """Pairs of ids of one person of whom different things are known."""
    return [(row.id, row.merged_into) for row in await conn.execute(_unlike.limit(most))]


async def untold(conn: AsyncConnection, most: int) -> Sequence[tuple[str, str]]:
    """Pairs of ids of one person of which the others know nothing: merged by a release that did not tell."""
    return [(row.id, row.merged_into) for row in await conn.execute(_untold.limit(most))]


async def responder(conn: AsyncConnection, responder_id: str) -> Any:
    """Somebody who answered customers, with their latest name and address; None if nobody of that id did."""
    return (await conn.execute(select(responders).where(responders.c.id == responder_id))).one_or_none()


_u, _other = customers.c, customers.alias("other")
_same = select(cast(bindparam("id"), Text).label("id")).cte("same", recursive=True)
_next = (
    select(_u.merged_into.label("id"))
    .where(_u.id == _same.c.id, _u.merged_into.is_not(None))
    .union_all(select(_u.id).where(_u.merged_into == _same.c.id))
    .lateral("next")
)
_same = _same.union(select(_next.c.id).select_from(_same.join(_next, true())))
_same_person = select(_same.c.id)
_unlike = (
    select(_u.id, _u.merged_into)
    .outerjoin(_other, _other.c.id == _u.merged_into)
    .where(
        _u.merged_into.is_not(None),
        or_(
            _u.as_of != func.coalesce(_other.c.as_of, func.jsonb_build_object()),
            *[_u[name].is_distinct_from(_other.c[name]) for name in PROFILE],
        ),
    )
    .order_by(_u.id)
)
#: (id, into_id, number) of customers `kin_of` and all that are the same persons
KIN_OF: Final = kin_query(customers, into="merged_into", number="merged")
_untold = select(_u.id, _u.merged_into).where(_u.merged_into.is_not(None), _u.merged == 0).order_by(_u.id)
_whose = func.unnest(texts("whose")).table_valued(column("customer_id", Text)).render_derived(name="whose")
_last = (
    select(
        cast(_c.id, Text).label("id"),
        _c.customer_id,
        _c.conversation_id,
        _c.cause,
        _c.occurred_at,
        func.left(_c.posted["text"].astext, MOST_COMPARED).label("text"),
    )
    .where(_c.customer_id == _whose.c.customer_id)
    .order_by(_c.id.desc())
    .limit(MOST_EARLIER)
    .lateral("last")
)
#: the last few contacts of customers `whose`, of each the latest first
RECENT: Final = select(_last).select_from(_whose.join(_last, true()))
#: customers `ids`; JSON is text
CUSTOMERS: Final = select(
    *[cast(one, Text).label(one.name) if isinstance(one.type, JSONB) else one for one in customers.c]
).where(customers.c.id == any_(texts("ids")))
_recent, _customers = Prepared(RECENT), Prepared(CUSTOMERS)


async def recent(conn: AsyncConnection, customer_ids: Sequence[str]) -> Sequence[Any]:
    """The last few contacts of each of these customers, of each the latest first."""
    return await _recent.rows(conn, {"whose": one_text(customer_ids)}) if customer_ids else ()
