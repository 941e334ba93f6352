"""Which mails are sent now: what is due, within everybody's budget, the rest of it as a digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.mail import MailOrder
from services.escalation.store.mails import mails, order_of, rows_of
from services.escalation.store.tables import among
from shared.outbox import lock_number

#: a mail that is being sent and not heard of for so long is sent again
SENDING_SECONDS = 150
#: people who are spared: a customer gets every mail at once
_SPARED = ("executive:", "agent:", "superior:", "address:")
_CLAIMING = lock_number("escalation", "mail", "claim")


@dataclass(frozen=True, slots=True)
class Claimed:
    """One mail to send now; several orders make it a digest."""

    id: str
    orders: tuple[MailOrder, ...]
    attempts: int


async def claim(
    conn: AsyncConnection, now: datetime, *, per_minute: int, per_hour: int, at_once: int = 8, look_at: int = 5_000
) -> list[Claimed]:
    """Takes at most `at_once` mails that are due, within everybody's budget, and marks them as being sent.

    One claim at a time, so that a budget is not spent twice; rows that somebody else is writing are left to the next.
    Where more is due for somebody than they may get, the last mail that they may get is a digest of all the rest;
    where they may get none, theirs waits until they may.
    """
    await conn.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))
    due = (
        await conn.execute(
            select(mails.c.id, mails.c.person, mails.c.digest_id, mails.c.attempt, mails.c.state)
            .where(mails.c.next_at <= now)
            .order_by(mails.c.next_at, mails.c.id)
            .limit(look_at)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not due:
        return []
    spared = sorted({row.person for row in due if row.person.startswith(_SPARED)})
    left = await _left(conn, spared, now, per_minute, per_hour)
    by_person: dict[str, list[Any]] = {}
    for row in due:
        by_person.setdefault(row.person, []).append(row)
    chosen: list[list[Any]] = []
    later: list[tuple[str, datetime]] = []
    for person, rows in by_person.items():
        allowed, free_at = left.get(person, (len(rows), now))
        groups, waiting = _mails_of(rows, allowed)
        chosen += groups
        later += [(row.id, free_at) for row in waiting]
    await _postpone(conn, later)
    return await _mark(conn, chosen[:at_once], now)


def _mails_of(rows: Sequence[Any], allowed: int) -> tuple[list[list[Any]], list[Any]]:
    """The mails that somebody gets now, as the rows of each, and the rows that wait."""
    if allowed <= 0:
        return [], list(rows)
    whole: dict[str, list[Any]] = {}
    for row in rows:
        whole.setdefault(row.digest_id or row.id, []).append(row)
    # what may have arrived is sent again as it was, under its Message-ID; only what has not is put together
    again = [group for group in whole.values() if group[0].state in ("unknown", "sending")]
    fresh = [group for group in whole.values() if group[0].state not in ("unknown", "sending")]
    groups, waiting = again[:allowed], [row for group in again[allowed:] for row in group]
    free = allowed - len(groups)
    if len(fresh) > free:
        rest = [row for group in fresh[max(free - 1, 0) :] for row in group]
        fresh = [*fresh[: free - 1], rest] if free else []
        waiting += [] if free else rest
    return [*groups, *fresh], waiting


async def _postpone(conn: AsyncConnection, later: Sequence[tuple[str, datetime]]) -> None:
    if later:
        new = rows_of(("id", Text()), ("next_at", DateTime(timezone=True)), values=later)
        await conn.execute(update(mails).where(mails.c.id == new.c.id).values(next_at=new.c.next_at))


async def _mark(conn: AsyncConnection, chosen: Sequence[Sequence[Any]], now: datetime) -> list[Claimed]:
    names: list[tuple[str, str | None]] = []
    made: list[tuple[str, list[str], int]] = []
    for rows in chosen:
        first, ids = rows[0], [row.id for row in rows]
        name = first.id if len(ids) == 1 else first.digest_id or f"digest-{first.id}"
        names += [(one, name if len(ids) > 1 else None) for one in ids]
        made.append((name, ids, first.attempt))
    if not made:
        return []
    new = rows_of(("id", Text()), ("digest_id", Text()), values=names)
    marked = (
        update(mails)
        .where(mails.c.id == new.c.id)
        .values(
            state="sending",
            attempt=mails.c.attempt + 1,
            next_at=now + timedelta(seconds=SENDING_SECONDS),
            digest_id=new.c.digest_id,
        )
        .returning(mails.c.id, mails.c.order)
    )
    found = {row.id: order_of(row) for row in await conn.execute(marked)}
    return [Claimed(name, tuple(found[one] for one in ids), attempts) for name, ids, attempts in made]


async def _left(
    conn: AsyncConnection, people: Sequence[str], now: datetime, per_minute: int, per_hour: int
) -> dict[str, tuple[int, datetime]]:
    """How many mails each may get now, and when the next becomes free where it is none."""
    if not people:
        return {}
    hour, minute = now - timedelta(hours=1), now - timedelta(minutes=1)
    mail = func.coalesce(mails.c.digest_id, mails.c.id)
    under_way = (mails.c.state == "sending") & (mails.c.next_at > now)
    at = func.max(func.coalesce(mails.c.sent_at, now)).label("at")
    counted = (
        select(mails.c.person, at)
        .where(mails.c.person == among("people", people), (mails.c.sent_at > hour) | under_way)
        .group_by(mails.c.person, mail)
    )
    times: dict[str, list[datetime]] = {person: [] for person in people}
    for row in await conn.execute(counted):
        times[row.person].append(row.at)
    found: dict[str, tuple[int, datetime]] = {}
    for person, sent in times.items():
        sent.sort()
        of_minute = [one for one in sent if one > minute]
        left = min(per_hour - len(sent), per_minute - len(of_minute))
        free_at = now
        if len(sent) >= per_hour:
            free_at = max(free_at, sent[-per_hour] + timedelta(hours=1))
        if len(of_minute) >= per_minute:
            free_at = max(free_at, of_minute[-per_minute] + timedelta(minutes=1))
        found[person] = (left, max(free_at, now + timedelta(milliseconds=200)))
    return found
