"""All tables of the schema `escalation` and every SQL statement of the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.store import loading, saving
from services.escalation.store.book import Book
from services.escalation.store.tables import events, idempotency, inbox, metadata, parked, timers, unsent
from services.escalation.store.wanted import want
from shared.policy import Policies
from shared.timers import Timers
from shared.work import Input, Work

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

    async def load(self, conn: AsyncConnection, inputs: Sequence[Input[Any]], now: datetime) -> Book:
        """All that the inputs concern, under the locks of their customers."""
        book = Book(self.policies)
        wanted = want(one.payload for one in inputs)
        await loading.fill(conn, book, wanted, {one.customer_id for one in inputs}, now)
        return book

    async def save(self, conn: AsyncConnection, book: Book, work: Work) -> None:
        """Writes what the handlers did."""
        await saving.write(conn, book, work)
