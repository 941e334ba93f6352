"""Idempotency-Key for routes whose answer is not the result of one input: batches, and mere questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared.http import Answer, refused
from shared.idempotency import Ticket, reserve
from shared.refusal import Refusal
from shared.work import Corridor, Input, Repeated


async def once(corridor: Corridor[Any], ticket: Ticket | None, answer: Callable[[], Awaitable[bytes]]) -> Answer:
    """The stored answer of a ticket, else what `answer` makes, kept. Raises the 409 or 422 of the ticket.

    The answer is kept after whatever it did has committed: asked again in between, it is made again.
    """
    if ticket is None:
        return Answer(await answer())
    async with corridor.engine.begin() as conn:
        (before,) = await reserve(conn, corridor.store.idempotency, [ticket])
    if before is None:
        one: Input[Any] = Input("", await answer(), _nothing, ticket=ticket, render=lambda body: (200, body))
        result = await corridor.take_one(one)
        if not isinstance(result, Repeated):
            if isinstance(result, Refusal):
                raise refused(result)
            return Answer(result)
        before = result.stored
    if isinstance(before, Refusal):
        raise refused(before)
    assert before is not None
    return before.response()


def _nothing(_book: Any, _work: Any, body: bytes) -> bytes:
    return body
