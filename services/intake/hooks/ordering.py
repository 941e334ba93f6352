"""The loop that posts what waits: conversation by conversation, in the tool's order whatever the order of delivery.

A conversation is left alone until nothing has come for a moment, so that what overtook each other on the way is put
right; whoever answered first by the tool's own time is then the first to be posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.api.bodies import CONTACT, ResponderPart
from services.intake.api.reception import read_contact, read_response
from services.intake.handlers import Responded, Taken, on_contact, on_response
from services.intake.listening import Breath, Ears
from services.intake.store import Book
from services.intake.store import deliveries as kept
from services.intake.store import messages as waiting
from shared.clock import Clock
from shared.refusal import Refusal
from shared.work import Corridor, Failed, Input

from .posting import RESPONSE

log = structlog.get_logger()

#: how long nothing may have come in a conversation before it is posted
QUIET: Final = timedelta(seconds=2)
#: what waits for so long is posted even if more keeps coming
LONGEST: Final = timedelta(seconds=10)
_MOST = 200


class Where(NamedTuple):
    """Whose a contact is, as `read_response` wants to know it."""

    customer_id: str
    source: str
    conversation_id: str | None


@dataclass(slots=True)
class _There:
    """A contact of the conversation, posted before or in this set."""

    id: str
    occurred_at: datetime
    customer_id: str
    responder_id: str | None


class Ordering:
    """Posts what is ready. `run_once` answers how many messages it dealt with."""

    def __init__(self, corridor: Corridor[Book], clock: Clock, ears: Ears) -> None:
        self._corridor, self._clock, self._ears = corridor, clock, ears

    async def run_once(self, conn: AsyncConnection) -> int:
        """One set of conversations. Raises what is transient."""
        now = self._clock.now()
        async with conn.begin():
            whose = await waiting.ready(conn, now - QUIET, now - LONGEST, _MOST)
            if not whose:
                return 0
            # what came before its customer was erased brings nothing back
            await waiting.forget_in(conn, whose)
            rows = await waiting.of_conversations(conn, whose)
            contacts = await waiting.contacts_of(conn, whose)
            identities = [(row.tool, row.event_id) for row in rows if row.kind == "contact"]
            known = await waiting.known(conn, identities)
        posting, over, early = await self._in_order(rows, contacts, known)
        results = await self._corridor.take([one for one, _ in posting])
        refused: list[tuple[Any, str]] = []
        for (_, row), result in zip(posting, results, strict=True):
            if isinstance(result, Refusal) and result.slug == "not-found":
                early.append(row.position)
            elif isinstance(result, Refusal | Failed):
                refused.append((row, _reason(result)))
            else:
                assert isinstance(result, Taken | Responded)
                over.append(row.position)
        async with conn.begin():
            await kept.park(conn, [_parked(row, reason, now) for row, reason in refused])
            await waiting.done(conn, [*over, *(row.position for row, _ in refused)])
            await waiting.too_early(conn, early)
        return len(over) + len(refused)

    async def _in_order(
        self, rows: Sequence[Any], contacts: Iterable[Any], known: dict[tuple[str, str], str]
    ) -> tuple[list[tuple[Input[Book], Any]], list[int], list[int]]:
        """What is posted, in order; the positions of what has no effect any more; of what is too early."""
        there: dict[tuple[str, str], list[_There]] = {}
        for row in contacts:
            one = _There(row.id, row.occurred_at, row.customer_id, row.responder_id)
            there.setdefault((row.source, row.conversation_id), []).append(one)
        posting: list[tuple[Input[Book], Any]] = []
        over: list[int] = []
        early: list[int] = []
        breath = Breath()
        for key, group in groupby(rows, key=lambda row: (row.tool, row.conversation)):
            await breath.taken()
            conversation = _Conversation(there.get(key, []), self._ears)
            for row in group:
                if row.kind == "contact" and (row.tool, row.event_id) in known:
                    over.append(row.position)
                elif row.kind == "contact":
                    posting.append((conversation.contact(row), row))
                elif (answer := conversation.answer(row)) is not None:
                    posting.append((answer, row))
            over += [row.position for row in conversation.opening]
            early += [row.position for row in conversation.pending]
        return posting, over, early


class _Conversation:
    """One conversation while its messages are put in order."""

    def __init__(self, there: list[_There], ears: Ears) -> None:
        self._there, self._ears = sorted(there, key=_when), ears
        self._responder_id = next((one.responder_id for one in self._there if one.responder_id), None)
        #: answers while there is no contact yet
        self.pending: list[Any] = []
        #: those that a contact came after: whoever wrote them has the contact, and they answer nothing
        self.opening: list[Any] = []

    def contact(self, row: Any) -> Input[Book]:
        """A customer's message; in a conversation that somebody has taken it is theirs."""
        body = CONTACT.validate_json(orjson.dumps(row.body))
        if body.responder is None:
            if self._responder_id is not None:
                body.responder = ResponderPart(id=self._responder_id)
            elif self.pending:  # with their name, which the answer tells and nothing else may
                body.responder = RESPONSE.validate_json(orjson.dumps(self.pending[0].body)).responder
        self.opening += self.pending
        self.pending = []
        new = read_contact(body, self._ears)
        responder_id = None if body.responder is None else body.responder.id
        self._responder_id = self._responder_id or responder_id
        self._there.append(_There(new.contact_id, new.occurred_at, new.customer_id, responder_id))
        self._there.sort(key=_when)
        return Input(new.customer_id, new, on_contact, correlation_id=new.contact_id)

    def answer(self, row: Any) -> Input[Book] | None:
        """A human's message; None where it has to wait for a contact."""
        if not self._there:
            self.pending.append(row)
            return None
        one = self._answered(row.occurred_at)
        self._responder_id = self._responder_id or row.staff_id
        one.responder_id = one.responder_id or row.staff_id
        where = Where(one.customer_id, row.tool, None if row.conversation == row.event_id else row.conversation)
        new = read_response(RESPONSE.validate_json(orjson.dumps(row.body)), one.id, where)
        return Input(one.customer_id, new, on_response, correlation_id=new.response_id)

    def _answered(self, at: datetime) -> _There:
        """The contact that was answered at a time. The first answer is to the first contact, so that it has its
        responder; what is dated before every contact came late, or the tool's clock and ours differ."""
        if self._responder_id is None:
            return self._there[0]
        taken = [one for one in self._there if one.responder_id is not None]
        return next((one for one in reversed(taken) if one.occurred_at <= at), taken[0])


def _when(one: _There) -> datetime:
    return one.occurred_at


def _reason(result: Refusal | Failed) -> str:
    if isinstance(result, Refusal):
        return result.detail
    return f"it could not be posted: {type(result.error).__name__}"


def _parked(row: Any, reason: str, now: datetime) -> dict[str, Any]:
    log.warning("message_parked", tool=row.tool, position=row.position, why=reason)
    told = {name: getattr(row, name) for name in ("conversation", "kind", "event_id", "customer_id", "staff_id")}
    told |= {"occurred_at": row.occurred_at, "order": row.order, "received_at": row.received_at, "body": row.body}
    return {
        "parked_at": now,
        "origin": f"{kept.MESSAGE_ORIGIN}{row.tool}",
        "offset": row.position,
        "key": row.event_id.encode(),
        "headers": [],
        "value": orjson.dumps(told),
        "reason": reason,
    }
