"""Mails as rows: what is to be sent, what is being sent, what became of it. The only SQL about them.

A row waits while its `next_at` is set: until it is due (queued, temporary, unknown), or until whoever sends it counts
as dead (sending). Rows of one digest carry its id and are sent again together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.mail import MailOrder, MailOutcome
from services.escalation.store.tables import among, metadata
from shared.sets import insert_many

mails = Table(
    "mails",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("escalation_id", Text),
    Column("kind", Text, nullable=False),
    Column("person", Text, nullable=False, comment="whom it is for, by kind and id: what a budget is counted on"),
    Column("order", JSONB, nullable=False, comment="what was ordered: ids and times"),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime(timezone=True), comment="null when nothing is left to do"),
    Column("queued_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Column("digest_id", Text, comment="the digest that stands for it"),
    Column("detail", Text, comment="what the mail server said last"),
    Index("ix_mails_next_at", "next_at"),
    Index("ix_mails_person_sent_at", "person", "sent_at"),
    Index("ix_mails_escalation_id", "escalation_id"),
    Index("ix_mails_customer_id", "customer_id"),
    Index("ix_mails_digest_id", "digest_id"),
)
#: what a mail server may have said, and an address that stands in a promise alone
Index(
    "ix_mails_worded_queued_at",
    mails.c.queued_at,
    postgresql_where=mails.c.next_at.is_(None) & (mails.c.detail.is_not(None) | mails.c.person.like("address:_%")),
)

_ORDER = TypeAdapter(MailOrder)
#: an order without the address that it had
NOBODY: Any = mails.c.order.op("||")(func.jsonb_build_object("recipient_id", ""))


async def queue(conn: AsyncConnection, orders: Sequence[MailOrder]) -> None:
    """Lays orders down; one that was ordered before is the same mail."""
    rows = [
        {
            "id": one.id,
            "customer_id": one.customer_id,
            "escalation_id": one.escalation_id,
            "kind": one.kind,
            "person": f"{one.recipient_kind}:{one.recipient_id}",
            "order": asdict(one),
            "state": "queued",
            "next_at": one.not_before or one.ordered_at,
            "queued_at": one.ordered_at,
        }
        for one in orders
    ]
    await insert_many(conn, mails, rows, conflict=("id",))


async def orders(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, MailOrder]:
    """What was ordered, by id."""
    rows = await conn.execute(select(mails.c.id, mails.c.order).where(mails.c.id == among("ids", ids)))
    return {row.id: order_of(row) for row in rows}


async def carried(conn: AsyncConnection, escalation_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What has become of the mails that bring answers to customers, by the answer's id."""
    answer_id = mails.c.order["answer_id"].astext
    statement = select(answer_id.label("answer_id"), mails.c.state, mails.c.attempt, mails.c.sent_at)
    theirs = (mails.c.escalation_id == among("ids", escalation_ids)) & (mails.c.kind == "answer")
    return {
        row.answer_id: {"state": row.state, "attempts": row.attempt, "accepted_at": row.sent_at}
        for row in await conn.execute(statement.where(theirs))
    }


async def withdraw(conn: AsyncConnection, escalation_ids: Sequence[str]) -> None:
    """Nobody is asked any more for these: requests that have not gone out stay here."""
    waits = mails.c.next_at.is_not(None) & (mails.c.kind == "ask") & (mails.c.state != "sending")
    statement = update(mails).where(mails.c.escalation_id == among("ids", escalation_ids), waits)
    await conn.execute(statement.values(state="withdrawn", next_at=None))


async def withdraw_untried(conn: AsyncConnection, escalation_ids: Sequence[str]) -> None:
    """The time of the step is over and nobody has tried to send its mail yet (an outage): it would come too late."""
    untried = (mails.c.kind == "ask") & (mails.c.state == "queued") & (mails.c.attempt == 0)
    statement = update(mails).where(mails.c.escalation_id == among("ids", escalation_ids), untried)
    await conn.execute(statement.values(state="withdrawn", next_at=None, detail="its time was over"))


async def record(conn: AsyncConnection, outcomes: Sequence[MailOutcome]) -> None:
    """Writes what became of attempts, in one statement."""
    time = DateTime(timezone=True)
    values = [
        (one.mail_id, one.state, one.retry_at, one.at if one.state == "accepted" else None, one.detail[:300])
        for one in outcomes
    ]
    columns = (("id", Text()), ("state", Text()), ("next_at", time), ("sent_at", time), ("detail", Text()))
    new = rows_of(*columns, values=values)
    statement = update(mails).where(mails.c.id == new.c.id)
    await conn.execute(
        statement.values(state=new.c.state, next_at=new.c.next_at, sent_at=new.c.sent_at, detail=new.c.detail)
    )


def order_of(row: Any) -> MailOrder:
    """What was ordered, as it was."""
    return _ORDER.validate_python(row.order)


def rows_of(*columns: tuple[str, Any], values: Sequence[Sequence[Any]]) -> Any:
    """Values as a table to join with: one statement for all of them."""
    arrays = [
        bindparam(f"p_{name}", [value[n] for value in values], type_=ARRAY(kind))
        for n, (name, kind) in enumerate(columns)
    ]
    named = [column(name, kind) for name, kind in columns]
    return func.unnest(*arrays).table_valued(*named).render_derived(name="new")


async def forget(conn: AsyncConnection, customers: Sequence[str]) -> None:
    """What is still to be sent about erased customers stays here; what the server said is forgotten, and addresses that
    stood in the words of their promises."""
    theirs = mails.c.customer_id == among("customers", customers)
    await conn.execute(
        update(mails).where(theirs, mails.c.next_at.is_not(None)).values(state="withdrawn", next_at=None)
    )
    await conn.execute(update(mails).where(theirs).values(detail=None))
    chased = theirs & (mails.c.kind == "chase") & mails.c.person.startswith("address:")
    await conn.execute(update(mails).where(chased).values(person="address:", order=NOBODY))


async def purge(conn: AsyncConnection, before: datetime) -> int:
    """Rows of mails that were dealt with long ago, some at a time; answers how many."""
    old = select(mails.c.id).where(mails.c.queued_at < before, mails.c.next_at.is_(None)).limit(1_000)
    gone = await conn.execute(delete(mails).where(mails.c.id.in_(old)))
    return int(gone.rowcount)


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many mails are in each state."""
    rows = await conn.execute(select(mails.c.state, func.count()).group_by(mails.c.state).order_by(mails.c.state))
    return {f"mails_{state}": number for state, number in rows}


async def findings(conn: AsyncConnection) -> AsyncIterator[str]:
    """Mails that nothing will ever send, a sentence each."""
    open_states = ("queued", "temporary", "unknown", "sending")
    lost = select(mails.c.id).where(mails.c.state == among("states", open_states), mails.c.next_at.is_(None))
    for row in await conn.execute(lost.order_by(mails.c.id).limit(1000)):
        yield f"mail {row.id}: neither sent nor given up, and never due again"
