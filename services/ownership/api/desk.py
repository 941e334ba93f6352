"""From a request to the corridor and back: what all routes of this service share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ownership.domain.acts import Act, PutAgent
from services.ownership.handlers import Done, agent_lock, on_act, on_agent
from services.ownership.store import Book, reading
from shared.clock import Clock
from shared.http import Answer, Problem, invalid, refused, to_json
from shared.idempotency import Ticket
from shared.refusal import Refusal
from shared.transaction import by_hand
from shared.work import Input, Repeated

from . import view
from .view import Pages


class Corridor(Protocol):
    """Whatever takes one input and answers when it is committed."""

    async def take_one(self, one: Input[Book]) -> Any: ...


def no_such_complaint() -> Problem:
    """404 for an id or reference that is nobody's."""
    return Problem(404, "not-found", "Not found", "There is no such complaint.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with."""

    engine: AsyncEngine
    corridor: Corridor
    clock: Clock
    pages: Pages
    #: for a page of a list: each of its statements stands for itself, so nothing is begun and nothing is ended
    reads: AsyncEngine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", by_hand(self.engine))

    async def where_is(self, name: str) -> tuple[str, str]:
        """(id, customer_id) of a complaint by its id or reference; raises the 404."""
        async with self.engine.connect() as conn:
            found = await reading.where_is(conn, name)
        if found is None:
            raise no_such_complaint()
        return found

    async def other_of(self, complaint_id: str, into: str) -> str:
        """The id of the complaint that `into` names in a body; raises 422 where there is none, or it is the same."""
        async with self.engine.connect() as conn:
            found = await reading.where_is(conn, into)
        if found is None:
            raise invalid(("/into", "names no complaint"))
        if found[0] == complaint_id:
            raise invalid(("/into", "must be another complaint"))
        return found[0]

    async def take(self, act: Act, customer_id: str, ticket: Ticket | None = None) -> Any:
        """Done, Refusal or Repeated."""
        return await self.corridor.take_one(
            Input(customer_id, act, on_act, ticket=ticket, render=None if ticket is None else self._render)
        )

    async def take_agent(self, told: PutAgent) -> None:
        """Keeps what is said of somebody; what follows for their complaints is done after it, one by one."""
        await self.corridor.take_one(Input(agent_lock(told.agent_id), told, on_agent))

    async def act(self, act: Act, customer_id: str, ticket: Ticket | None) -> Answer:
        """Does it and answers with the complaint; raises the refusal."""
        result = await self.take(act, customer_id, ticket)
        if isinstance(result, Repeated):
            assert result.stored is not None
            return result.stored.response()
        if isinstance(result, Refusal):
            raise refused(result)
        return Answer(self._body(result))

    def _render(self, result: Any) -> tuple[int, bytes] | None:
        return (200, self._body(result)) if isinstance(result, Done) else None

    def _body(self, done: Done) -> bytes:
        shown = view.complaint(done.state, done.version, done.names, self.pages, done.at)
        return to_json(shown if done.acted_as is None else shown | {"acted_as": done.acted_as})
