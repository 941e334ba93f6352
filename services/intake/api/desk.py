"""What all routes of this service share: the way to the corridor and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.domain import NewContact
from services.intake.handlers import Responded, Taken, on_contact, on_response
from services.intake.listening import Ears
from services.intake.store import Book, reading
from shared.clock import Clock
from shared.http import Answer, Problem, refused
from shared.idempotency import Ticket
from shared.refusal import Refusal
from shared.work import Corridor, Input, Repeated

from . import view
from .bodies import ContactBody, ResponseBody
from .reception import read_contact, read_response


class Taking(Protocol):
    """Whatever takes inputs and answers when they are committed."""

    async def take_one(self, one: Input[Book]) -> Any: ...

    async def take_all(self, inputs: Sequence[Input[Book]]) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with. `group` joins requests into transactions; `corridor` takes whole sets."""

    engine: AsyncEngine
    corridor: Corridor[Book]
    group: Taking
    clock: Clock
    ears: Ears

    async def take(self, body: ContactBody, ticket: Ticket | None = None) -> Answer:
        """Takes one contact and answers with what was heard in it."""
        return await self.take_new(read_contact(body, self.ears), ticket)

    async def take_new(self, new: NewContact, ticket: Ticket | None) -> Answer:
        """The same of a contact that is read and heard."""
        return answered(await self.group.take_one(input_of(new, ticket)), _render_contact)

    async def respond(self, contact_id: str, body: ResponseBody, ticket: Ticket | None = None) -> Answer:
        """Takes a human's response to a contact; raises the 404."""
        contact_id = contact_id.lower()
        where = None
        if reading.is_id(contact_id):
            async with self.engine.connect() as conn:
                where = await reading.where_is(conn, contact_id)
        if where is None:
            raise no_such_contact()
        new = read_response(body, contact_id, where)
        render = None if ticket is None else _render_response
        one: Input[Book] = Input(
            new.customer_id, new, on_response, ticket=ticket, render=render, correlation_id=new.response_id
        )
        return answered(await self.group.take_one(one), _render_response)


def input_of(new: NewContact, ticket: Ticket | None = None) -> Input[Book]:
    """A contact on its way into the corridor."""
    render = None if ticket is None else _render_contact
    return Input(new.customer_id, new, on_contact, ticket=ticket, render=render, correlation_id=new.contact_id)


def answered(result: Any, render: Any) -> Answer:
    """The answer to a result of the corridor; raises its refusal."""
    if isinstance(result, Repeated):
        assert result.stored is not None
        return result.stored.response()
    if isinstance(result, Refusal):
        raise refused(result)
    status, body = render(result)
    return Answer(body, status)


def _render_contact(result: Any) -> tuple[int, bytes] | None:
    if not isinstance(result, Taken):
        return None
    return (200 if result.duplicate else 202), view.taken(result)


def _render_response(result: Any) -> tuple[int, bytes] | None:
    if not isinstance(result, Responded):
        return None
    return (200 if result.duplicate else 202), view.responded(result)


def no_such_contact() -> Problem:
    """404 for an id that is no contact's."""
    return Problem(404, "not-found", "Not found", "There is no such contact.")
