"""Links by which an executive answers: hashed, bound to one person and one escalation, expiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store.tables import among, metadata
from shared.sets import insert_many

links = Table(
    "links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    Column("mail_id", Text, nullable=False),
    Column("escalation_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("executive_id", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("wrong_at", ARRAY(DateTime(timezone=True)), nullable=False, server_default="{}"),
    Index("ix_links_customer_id", "customer_id"),
    Index("ix_links_escalation_id", "escalation_id"),
    Index("ix_links_mail_id", "mail_id"),
)

WRONG_PER_HOUR = 5
_SHOWN_AFTER_THE_END = timedelta(days=7)


async def put(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Makes links work; one that is there already stays as it is."""
    await insert_many(conn, links, rows, conflict=("token_hash",))


async def find(conn: AsyncConnection, token_hash: bytes, now: datetime) -> Any | None:
    """The link of a token; None where there is none or it has expired."""
    statement = select(links).where(links.c.token_hash == token_hash, links.c.expires_at > now)
    return (await conn.execute(statement)).one_or_none()


async def usable(conn: AsyncConnection, mail_ids: Sequence[str], now: datetime) -> set[str]:
    """Those of these mails whose link still works."""
    statement = select(links.c.mail_id).where(links.c.mail_id == among("mails", mail_ids), links.c.expires_at > now)
    return {row.mail_id for row in await conn.execute(statement)}


async def revoke(conn: AsyncConnection, escalation_id: str, executive_id: str | None, now: datetime) -> None:
    """Links of an escalation that work, or those of one person, do no longer: sending their mail again makes none."""
    theirs = (links.c.escalation_id == escalation_id) & (links.c.expires_at > now)
    if executive_id is not None:
        theirs &= links.c.executive_id == executive_id
    await conn.execute(update(links).where(theirs).values(expires_at=now))


async def wind_up(conn: AsyncConnection, escalation_ids: Sequence[str], now: datetime) -> None:
    """What is over is shown for a week more, and then to nobody who has an old mail."""
    until = now + _SHOWN_AFTER_THE_END
    longer = (links.c.escalation_id == among("ids", escalation_ids)) & (links.c.expires_at > until)
    await conn.execute(update(links).where(longer).values(expires_at=until))


async def purge(conn: AsyncConnection, before: datetime) -> None:
    """Links that ended long ago: until then their mail, sent again, makes no new ones."""
    await conn.execute(delete(links).where(links.c.expires_at < before))


async def try_code(conn: AsyncConnection, token_hash: bytes, code_hash: bytes, now: datetime) -> str:
    """`right`, `wrong`, or `too_many` from the sixth wrong one within an hour on; counts under the row's lock."""
    row = (await conn.execute(select(links).where(links.c.token_hash == token_hash).with_for_update())).one()
    recent = [at for at in row.wrong_at if at > now - timedelta(hours=1)]
    if len(recent) > WRONG_PER_HOUR:
        return "too_many"
    if bytes(row.code_hash) == code_hash:
        return "right"
    await conn.execute(update(links).where(links.c.token_hash == token_hash).values(wrong_at=[*recent, now]))
    return "wrong" if len(recent) < WRONG_PER_HOUR else "too_many"


async def forget(conn: AsyncConnection, customers: Sequence[str]) -> None:
    """Links about erased customers end."""
    await conn.execute(delete(links).where(links.c.customer_id == among("customers", customers)))
