"""Many contacts at once: each is taken or refused by itself, and answered in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from fastapi import Request

from services.intake.domain import NewContact
from services.intake.handlers import Taken, on_contact
from services.intake.listening import Breath
from services.intake.store import Book
from shared.http import Answer, Problem, checked, invalid, media_type, refused, request_id, strict_loads, to_json
from shared.http.edge import failure
from shared.http.problem import unreadable
from shared.http.strict import strict_ndjson
from shared.idempotency import Ticket
from shared.once import once
from shared.refusal import Refusal
from shared.work import Failed, Input

from . import view
from .bodies import CONTACT, MOST_ITEMS, ContactBody
from .desk import Desk
from .reception import read_contact

#: contacts of one transaction: the next ones are read and heard while these are written
_AT_ONCE = 200
#: code points of one transaction, about: while they are compared their customers are locked
_MOST_WORDS = 250_000

BATCH_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "maxItems": MOST_ITEMS,
                    "items": {"$ref": "#/components/schemas/ContactBody"},
                }
            },
            "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ContactBody"}},
        },
    }
}


async def take_batch(desk: Desk, request: Request, ticket: Ticket | None) -> Answer:
    """Answers `{"results": […]}` in order. Raises 400, 413 or 415 where the whole cannot be read."""
    count, values = _values(await request.body(), media_type(request))
    return await once(desk.corridor, ticket, lambda: _taken(desk, request, count, values))


async def _taken(desk: Desk, request: Request, count: int, values: Iterator[Any]) -> bytes:
    # each contact is found to be a duplicate where the batch is sent again before its answer is kept
    results: list[bytes] = [b""] * count
    numbered, breath = enumerate(values), Breath()
    writing: asyncio.Task[None] | None = None
    try:
        while new := await _read(desk, request, numbered, results, breath):
            if writing is not None:
                await writing
            writing = asyncio.create_task(_write(desk, request, new, results))
        if writing is not None:
            await writing
    finally:
        if writing is not None and not writing.done():
            await asyncio.wait([writing])
    return b'{"results":[' + b",".join(results) + b"]}"


def _values(raw: bytes, kind: str) -> tuple[int, Iterator[Any]]:
    """How many, and each; lines are read when they are asked for."""
    if kind == "application/x-ndjson":
        count = sum(1 for line in raw.split(b"\n") if line.strip())
        if count > MOST_ITEMS:
            raise _too_many()
        return count, (value for _, value in strict_ndjson(raw))
    if kind == "application/json":
        if not raw:
            raise unreadable("A body is required.")
        values = strict_loads(raw)
        if not isinstance(values, list):
            raise invalid(("", "must be an array"))
        if len(values) > MOST_ITEMS:
            raise _too_many()
        return len(values), iter(values)
    raise Problem(
        415,
        "unsupported-media-type",
        "The media type is not supported",
        "The body must be application/json or application/x-ndjson, in UTF-8.",
        headers={"Accept": "application/json, application/x-ndjson"},
    )


def _too_many() -> Problem:
    return Problem(
        413, "too-many-items", "Too many items", f"A batch has at most {MOST_ITEMS} items.", limit=MOST_ITEMS
    )


async def _read(
    desk: Desk, request: Request, numbered: Iterator[tuple[int, Any]], results: list[bytes], breath: Breath
) -> list[tuple[int, NewContact]]:
    """The contacts of the next transaction; none when all are read."""
    found: list[tuple[int, NewContact]] = []
    words = 0
    for index, value in numbered:
        await breath.taken()
        try:
            if isinstance(value, Problem):
                raise value
            body: ContactBody = checked(CONTACT, value)
            new = read_contact(body, desk.ears)
        except Problem as problem:
            results[index] = _problem(problem, request)
            continue
        found.append((index, new))
        words += len(new.text)
        if len(found) == _AT_ONCE or words > _MOST_WORDS:
            break
    return found


async def _write(desk: Desk, request: Request, new: list[tuple[int, NewContact]], results: list[bytes]) -> None:
    inputs: list[Input[Book]] = [
        Input(one.customer_id, one, on_contact, correlation_id=one.contact_id) for _, one in new
    ]
    for (index, _), result in zip(new, await desk.corridor.take(inputs), strict=True):
        if isinstance(result, Taken):
            results[index] = view.taken(result)
        elif isinstance(result, Refusal):
            results[index] = _problem(refused(result), request)
        else:
            assert isinstance(result, Failed)
            results[index] = _problem(failure(result.error, request_id(request.scope), request.scope), request)


def _problem(problem: Problem, request: Request) -> bytes:
    return b'{"problem":%s}' % to_json(problem.body(request_id(request.scope)))
