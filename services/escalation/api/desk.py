"""What the routes work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation import canned
from services.escalation.domain.answering import Alike
from services.escalation.feed import Hub
from services.escalation.store import Book, reading
from shared.http import Answer, Problem, refused, to_json
from shared.idempotency import Ticket
from shared.policy import Policies
from shared.refusal import Refusal
from shared.work import Corridor, Input, Repeated

Shape = Callable[[Any], Any]


@dataclass(slots=True)
class Desk:
    """The corridor, a database to read, the policies, and the feed's hub."""

    corridor: Corridor[Book]
    engine: AsyncEngine
    policies: Policies
    hub: Hub

    async def take(
        self,
        customer_id: str,
        payload: Any,
        handle: Callable[[Book, Any, Any], Any],
        shape: Shape,
        ticket: Ticket | None,
        *,
        status: int = 202,
    ) -> Answer:
        """Takes one act and answers with what came of it; raises the refusal as a problem."""

        def render(result: Any) -> tuple[int, bytes] | None:
            return None if isinstance(result, Refusal) else (status, to_json(shape(result)))

        result = await self.corridor.take_one(
            Input(customer_id, payload, handle, ticket=ticket, render=render if ticket else None)
        )
        if isinstance(result, Refusal):
            raise refused(result)
        if isinstance(result, Repeated):
            assert result.stored is not None
            return result.stored.response()
        return Answer(to_json(shape(result)), status)

    async def alike(self, complaint_id: str, text: str) -> tuple[Alike, int]:
        """How much words are like an earlier answer to another complaint, and the last answer looked at."""
        names = [one.name for one in self.policies.current.executives]
        pieces = await asyncio.to_thread(canned.sketch, text, names)
        async with self.engine.connect() as conn:
            earlier, last = await reading.earlier_answers(conn, complaint_id, pieces)
        found = await asyncio.to_thread(canned.likeness, text, earlier, names)
        like = canned.refused_for(found, earlier)
        return Alike(found.acceptable, found.value, found.because, tuple(pieces), like), last


def not_found(what: str) -> Problem:
    """404 with what there is none of."""
    return Problem(404, "not-found", "Not found", f"There is no such {what}.")
