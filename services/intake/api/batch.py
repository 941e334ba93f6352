"""Many things at once: each is taken or refused by itself, and answered in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from services.intake.handlers import Taken
from services.intake.listening import Breath
from services.intake.store import Book
from shared.beside import beside
from shared.db import is_transient
from shared.http import Answer, Problem, checked, invalid, media_type, refused, request_id, strict_loads, to_json
from shared.http.edge import failure
from shared.http.problem import unreadable
from shared.http.strict import strict_ndjson
from shared.idempotency import Ticket
from shared.once import once
from shared.refusal import Refusal
from shared.work import Failed, Input

from . import view
from .bodies import CONTACT, MOST_ITEMS
from .desk import Desk, input_of
from .reception import read_contact

#: things of one transaction: the next ones are read and heard while these are written
_AT_ONCE = 200
#: code points of one transaction, about: while they are compared their customers are locked
_MOST_WORDS = 250_000


def batch_of(name: str) -> dict[str, Any]:
    """How OpenAPI describes a batch of these."""
    item = {"$ref": f"#/components/schemas/{name}"}
    content = {
        "application/json": {"schema": {"type": "array", "maxItems": MOST_ITEMS, "items": item}},
        "application/x-ndjson": {"schema": item},
    }
    return {"requestBody": {"required": True, "content": content}}


async def take_batch(desk: Desk, request: Request, ticket: Ticket | None) -> Answer:
    """Contacts. Answers `{"results": […]}` in order. Raises 400, 413 or 415 where the whole cannot be read."""

    def read(value: Any) -> Input[Book]:
        return input_of(read_contact(checked(CONTACT, value), desk.ears))

    return await take_each(
        desk, request, ticket, items_of(await request.body(), media_type(request)), read, show_contact
    )


@dataclass(frozen=True, slots=True)
class Items:
    """How many there are, and each; lines are read when they are asked for. One that cannot be read is a Problem."""

    count: int
    values: Iterator[Any]


async def take_each(
    desk: Desk,
    request: Request,
    ticket: Ticket | None,
    items: Items,
    read: Callable[[Any], Input[Book]],
    show: Callable[[Any], bytes],
) -> Answer:
    """Takes each item by itself: `read` makes it an input or raises its Problem, `show` makes its answer."""

    async def answer() -> bytes:
        # each is found to be a duplicate where the batch is sent again before its answer is kept
        results: list[bytes] = [b""] * items.count
        numbered, breath = enumerate(items.values), Breath()
        async with beside() as start:
            while new := await _read(request, read, numbered, results, breath):
                start(_write(desk, request, show, new, results))
        return b'{"results":[' + b",".join(results) + b"]}"

    return await once(desk.corridor, ticket, answer)


def items_of(raw: bytes, kind: str) -> Items:
    """The items of a batch: a JSON array, or newline-delimited JSON. Raises 400, 413, 415 or 422."""
    if kind == "application/x-ndjson":
        count = sum(1 for line in raw.split(b"\n") if line.strip())
        if count > MOST_ITEMS:
            raise _too_many()
        return Items(count, (value for _, value in strict_ndjson(raw)))
    if kind == "application/json":
        return array_of(raw)
    raise Problem(
        415,
        "unsupported-media-type",
        "The media type is not supported",
        "The body must be application/json or application/x-ndjson, in UTF-8.",
        headers={"Accept": "application/json, application/x-ndjson"},
    )


def array_of(raw: bytes) -> Items:
    """The items of a JSON array. Raises 400, 413 or 422."""
    if not raw:
        raise unreadable("A body is required.")
    values = strict_loads(raw)
    if not isinstance(values, list):
        raise invalid(("", "must be an array"))
    if len(values) > MOST_ITEMS:
        raise _too_many()
    return Items(len(values), iter(values))


def _too_many() -> Problem:
    return Problem(
        413, "too-many-items", "Too many items", f"A batch has at most {MOST_ITEMS} items.", limit=MOST_ITEMS
    )


async def _read(
    request: Request,
    read: Callable[[Any], Input[Book]],
    numbered: Iterator[tuple[int, Any]],
    results: list[bytes],
    breath: Breath,
) -> list[tuple[int, Input[Book]]]:
    """The inputs of the next transaction; none when all are read."""
    found: list[tuple[int, Input[Book]]] = []
    words = 0
    for index, value in numbered:
        await breath.taken()
        try:
            if isinstance(value, Problem):
                raise value
            new = read(value)
        except Problem as problem:
            results[index] = _problem(problem, request)
            continue
        found.append((index, new))
        words += len(getattr(new.payload, "text", ""))
        if len(found) == _AT_ONCE or words > _MOST_WORDS:
            break
    return found


async def _write(
    desk: Desk, request: Request, show: Callable[[Any], bytes], new: list[tuple[int, Input[Book]]], results: list[bytes]
) -> None:
    taken = await desk.group.take_all([one for _, one in new])
    for (index, _), result in zip(new, taken, strict=True):
        if isinstance(result, Refusal):
            results[index] = _problem(refused(result), request)
        elif isinstance(result, Failed):
            if is_transient(result.error):
                raise result.error  # the whole is to be sent again: what was taken of it is found to be a duplicate
            results[index] = _problem(failure(result.error, request_id(request.scope), request.scope), request)
        else:
            results[index] = show(result)


def show_contact(result: Any) -> bytes:
    """The answer to one contact of a batch."""
    assert isinstance(result, Taken)
    return view.taken(result)


def _problem(problem: Problem, request: Request) -> bytes:
    return b'{"problem":%s}' % to_json(problem.body(request_id(request.scope)))
