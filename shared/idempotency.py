"""The same request sent twice has its effect once (draft-ietf-httpapi-idempotency-key-header).

The answer to a POST with an `Idempotency-Key` is kept in the transaction that did the work. The same key, route,
principal and body get that answer again; another body gets 422; a twin that is still running gets 409. Only 2xx
answers are kept: a refusal had no effect, and the same request may succeed later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    Select,
    SmallInteger,
    Table,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import principal_of
from shared.http.problem import Answer, Problem
from shared.http.route import header_of
from shared.prepared import Question, ask
from shared.refusal import Refusal
from shared.sets import insert_many
from shared.transaction import free_locks

#: how long answers are kept
KEPT_FOR = timedelta(days=7)

_KEY = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request that carries a key: `id` is the digest of principal, route and key, `request` that of the rest.

    Two tickets are the same only if they are the same object: a repeated request has a ticket of its own.
    """

    id: bytes
    request: bytes

    @property
    def lock(self) -> int:
        """The advisory lock of this key, a signed 64-bit number."""
        return int.from_bytes(self.id[:8], "big", signed=True)


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that was given the first time."""

    status: int
    body: bytes

    def response(self) -> Answer:
        """The stored answer, said to be a repetition."""
        return Answer(self.body, self.status, headers={"Idempotency-Replayed": "true"})


BUSY = Refusal("idempotency-key-in-use", "A request with this Idempotency-Key is still running.", 409)
REUSED = Refusal("idempotency-key-reused", "This Idempotency-Key was used with another request.", 422)


def make_ticket(principal: str, method: str, path: str, query: bytes, key: str, body: bytes) -> Ticket:
    """A ticket from the parts of a request; the path is the actual one, with its ids."""
    whole = hashlib.sha256("\0".join((principal, method, path, key)).encode())
    return Ticket(whole.digest(), hashlib.sha256(b"\0".join((query, body))).digest())


async def ticket(request: Request) -> Ticket | None:
    """The dependency: a ticket if the request carries a key. After `requires`, if the route has it.

    Raises 400 for a key that is empty, too long or not printable ASCII. A key in quotes, as the draft writes it, is
    the same as without.
    """
    given = header_of(request, b"idempotency-key")
    if given is None:
        return None
    key = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not _KEY.fullmatch(key):
        raise Problem(
            400,
            "idempotency-key-invalid",
            "The Idempotency-Key is not valid",
            "An Idempotency-Key has 1 to 255 printable ASCII characters.",
        )
    principal = principal_of(request)
    body = await request.body()
    return make_ticket(
        principal.key_id if principal else "",
        request.method,
        request.scope["path"],
        request.scope["query_string"],
        key,
        body,
    )


#: how OpenAPI shows it on each route that takes one
ticket.header = {  # type: ignore[attr-defined]
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again get the stored answer for seven days; another body gets 422, and 409 "
    "while the first is still running.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
}
#: `async def open_thing(body: Thing, ticket: Ticketed) -> …`
Ticketed = Annotated[Ticket | None, Depends(ticket)]


def idempotency_table(metadata: MetaData) -> Table:
    """One per service schema. Holds digests instead of keys: a key is the caller's text."""
    return Table(
        "idempotency",
        metadata,
        Column("id", LargeBinary, primary_key=True),
        Column("request", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("kept_at", DateTime(timezone=True), nullable=False),
        Index(None, "kept_at"),
    )


@cache
def _answers_of(table: Table) -> Select[Any]:
    c = table.c
    wanted = bindparam("tickets", type_=ARRAY(LargeBinary))
    return select(c.id, c.request, c.status, c.body).where(c.id == func.any(wanted))


def answers_to(table: Table, tickets: Sequence[Ticket]) -> Question:
    """The question whose rows `stored_answers` wants."""
    return Question(_answers_of(table), {"tickets": list({one.id for one in tickets})})


async def reserve(conn: AsyncConnection, table: Table, tickets: Sequence[Ticket]) -> list[Stored | Refusal | None]:
    """Locks and looks up a set of tickets inside the caller's transaction, as `stored_answers` does.

    Two statements for the whole set: the locks, which last until the transaction ends, and after them the answers, so
    that one committed by a twin a moment ago is seen.
    """
    free = await free_locks(conn, list({one.lock for one in tickets}))
    told = await ask(conn, {"answers": answers_to(table, tickets)})
    return stored_answers(tickets, free, told["answers"])


def stored_answers(tickets: Sequence[Ticket], free: Set[int], rows: Sequence[Any]) -> list[Stored | Refusal | None]:
    """What is known of tickets whose locks were asked for, in order: None goes on and does the work.

    Stored has been done; BUSY is being done by another transaction, which has its lock, or by an earlier ticket of
    this set; REUSED is the key of another request.
    """
    stored = {row.id: row for row in rows}
    answers: list[Stored | Refusal | None] = []
    taken: dict[bytes, bytes] = {}
    for one in tickets:
        row = stored.get(one.id)
        if row is not None:
            answers.append(Stored(row.status, row.body) if row.request == one.request else REUSED)
        elif one.id in taken:
            answers.append(BUSY if taken[one.id] == one.request else REUSED)
        elif one.lock not in free:
            answers.append(BUSY)
        else:
            taken[one.id] = one.request
            answers.append(None)
    return answers


async def keep(
    conn: AsyncConnection, table: Table, answers: Sequence[tuple[Ticket, int, bytes]], now: datetime
) -> None:
    """Keeps the 2xx among (ticket, status, body), in the transaction that did the work."""
    await insert_many(conn, table, kept_rows(answers, now))


def kept_rows(answers: Sequence[tuple[Ticket, int, bytes]], now: datetime) -> list[dict[str, Any]]:
    """What is kept of answers: the 2xx."""
    return [
        {"id": one.id, "request": one.request, "status": status, "body": body, "kept_at": now}
        for one, status, body in answers
        if 200 <= status < 300
    ]


async def purge(conn: AsyncConnection, table: Table, before: datetime, most: int = 5_000) -> int:
    """Forgets what was kept before `before` (now - KEPT_FOR), a part of it; answers how many."""
    old = select(table.c.id).where(table.c.kept_at < before).limit(most).with_for_update(skip_locked=True)
    result = await conn.execute(delete(table).where(table.c.id.in_(old)))
    return result.rowcount
