"""Statements over messages that wait for their turn in their conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, column, delete, func, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.sets import insert_many

from .hooks import messages
from .tables import contacts, customers

_m, _c = messages.c, contacts.c
#: contacts of a conversation that are looked at: the latest received
_MOST_CONTACTS = 50

_ready = (
    select(_m.tool, _m.conversation)
    .where(_m.state == "waiting")
    .group_by(_m.tool, _m.conversation)
    .having(
        or_(func.max(_m.received_at) <= bindparam("quiet_since"), func.min(_m.received_at) <= bindparam("came_before"))
    )
    .order_by(func.min(_m.position))
    .limit(bindparam("most"))
)


def _pairs(name: str, first: str, second: str) -> Any:
    arrays = [bindparam(f"p_{one}", type_=ARRAY(Text)) for one in (first, second)]
    return func.unnest(*arrays).table_valued(column(first, Text), column(second, Text)).render_derived(name=name)


_asked = _pairs("asked", "tool", "conversation")
_in_asked = tuple_(_m.tool, _m.conversation).in_(select(_asked.c.tool, _asked.c.conversation))
_of_conversations = (
    select(messages).where(_in_asked).order_by(_m.tool, _m.conversation, _m.occurred_at, _m.order, _m.position)
)
_last = (
    select(_c.id, _c.source, _c.conversation_id, _c.customer_id, _c.occurred_at, _c.responder_id)
    .where(_c.conversation_id == _asked.c.conversation, _c.source == _asked.c.tool)
    .order_by(_c.id.desc())
    .limit(_MOST_CONTACTS)
    .lateral("last")
)
_contacts = select(_last).select_from(_asked.join(_last, true()))
_identity = _pairs("identity", "source", "source_event_id")
_known = select(_c.id, _c.source, _c.source_event_id).where(
    tuple_(_c.source, _c.source_event_id).in_(select(_identity.c.source, _identity.c.source_event_id))
)
_erased = (customers.c.id == _m.customer_id) & (customers.c.erased_at >= _m.received_at)
_some = any_(bindparam("positions", type_=ARRAY(BigInteger)))


async def wait(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Has messages wait for their turn; one that waits already is the same."""
    await insert_many(conn, messages, rows, conflict=("tool", "conversation", "kind", "event_id"))


async def ready(
    conn: AsyncConnection, quiet_since: datetime, came_before: datetime, most: int
) -> list[tuple[str, str]]:
    """(tool, conversation) in which nothing has come since `quiet_since`, or something waits since `came_before`."""
    given = {"quiet_since": quiet_since, "came_before": came_before, "most": most}
    return [(row.tool, row.conversation) for row in await conn.execute(_ready, given)]


async def of_conversations(conn: AsyncConnection, whose: Sequence[tuple[str, str]]) -> Sequence[Any]:
    """All that waits in these conversations, in the tool's order, conversation by conversation."""
    return (await conn.execute(_of_conversations, _arrays("tool", "conversation", whose))).all()


async def contacts_of(conn: AsyncConnection, whose: Sequence[tuple[str, str]]) -> Sequence[Any]:
    """The latest contacts of these conversations."""
    return (await conn.execute(_contacts, _arrays("tool", "conversation", whose))).all()


async def known(conn: AsyncConnection, identities: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The contacts that are there under these (source, source_event_id)."""
    if not identities:
        return {}
    rows = await conn.execute(_known, _arrays("source", "source_event_id", identities))
    return {(row.source, row.source_event_id): row.id for row in rows}


async def done(conn: AsyncConnection, positions: Sequence[int]) -> None:
    """Takes away what has been posted."""
    if positions:
        await conn.execute(delete(messages).where(_m.position == _some), {"positions": list(positions)})


async def too_early(conn: AsyncConnection, positions: Sequence[int]) -> None:
    """Has responses wait for the contact that they answer."""
    if positions:
        statement = update(messages).where(_m.position == _some).values(state="early")
        await conn.execute(statement, {"positions": list(positions)})


async def forget(conn: AsyncConnection) -> int:
    """Takes away what came of customers before they were erased."""
    return (await conn.execute(delete(messages).where(_erased))).rowcount


async def forget_in(conn: AsyncConnection, whose: Sequence[tuple[str, str]]) -> None:
    """The same in these conversations alone: what waits elsewhere may be very much."""
    await conn.execute(delete(messages).where(_in_asked, _erased), _arrays("tool", "conversation", whose))


async def purge(conn: AsyncConnection, before: datetime, most: int = 5_000) -> int:
    """Gives up responses to what never came, a part of them."""
    early = select(_m.position).where(_m.received_at < before, _m.state == "early")
    some = early.limit(most).with_for_update(skip_locked=True)
    return (await conn.execute(delete(messages).where(_m.position.in_(some)))).rowcount


def _arrays(first: str, second: str, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {f"p_{first}": [one for one, _ in pairs], f"p_{second}": [one for _, one in pairs]}
