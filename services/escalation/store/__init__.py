"""All tables of the schema `escalation` and every SQL statement of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store import loading, saving
from services.escalation.store.book import Book
from services.escalation.store.tables import events, idempotency, inbox, kin_of, metadata, parked, timers, unsent
from services.escalation.store.wanted import want
from shared.kin import read
from shared.policy import Policies
from shared.prepared import Question
from shared.timers import Timers
from shared.work import Input, Work, concerned

__all__ = ["Book", "EscalationStore", "metadata"]


class EscalationStore:
    """The tables as the corridor needs them."""

    events = events
    unsent = unsent
    inbox = inbox
    idempotency = idempotency
    parked = parked

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.timers = Timers(timers, "escalation")

    def questions(self, inputs: Sequence[Input[Any]]) -> Mapping[str, Question]:
        """Under which other ids the customers of these inputs are known."""
        return {"kin": kin_of(concerned(inputs))}

    async def load(
        self, conn: AsyncConnection, inputs: Sequence[Input[Any]], now: datetime, told: Mapping[str, Sequence[Any]]
    ) -> Book:
        """All that the inputs concern, under the locks of their customers."""
        book = Book(self.policies, read(told["kin"]))
        wanted = want(one.payload for one in inputs)
        await loading.fill(conn, book, wanted, book.kin.all_of(concerned(inputs)), now)
        return book

    async def save(self, conn: AsyncConnection, book: Book, work: Work) -> None:
        """Writes what the handlers did."""
        await saving.write(conn, book, work)
