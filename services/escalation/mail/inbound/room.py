"""Works on mail that came in: what each is, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.answering import Alike, AnswerGiven
from services.escalation.domain.mail import MailOrder
from services.escalation.domain.replying import BounceCame, ReplyCame
from services.escalation.handlers.replies import on_bounce, on_reply
from services.escalation.mail.inbound.arrived import UNREADABLE, Arrived, read
from services.escalation.mail.writing import asks
from services.escalation.store import arrivals, links, mails
from shared.clock import Clock
from shared.db import is_transient
from shared.policy import Policies
from shared.refusal import Refusal
from shared.work import Failed, Input

log = structlog.get_logger()

Take = Callable[[Sequence[Input[Any]]], Awaitable[list[Any]]]
Compare = Callable[[str, str], Awaitable[tuple[Alike, int]]]
_AT_ONCE = 8
_BOUNCES_AT_ONCE = 500
#: times that one is tried which fails; then it is told as unreadable
_MOST_ATTEMPTS = 4
#: what an answer may have at most, as everywhere
_MOST_WORDS = 20_000
KEPT_FOR = timedelta(days=90)


def _no(slug: str) -> Refusal:
    return Refusal(slug, "A reply by mail that cannot be an answer.", 422)


class InboundRoom:
    """`run_once` works on what came and answers how many mails that were; any number may run side by side."""

    def __init__(
        self, engine: AsyncEngine, take: Take, compare: Compare, policies: Policies, host: str, clock: Clock
    ) -> None:
        self._engine, self._take, self._compare = engine, take, compare
        self._policies, self._host, self._clock = policies, host, clock

    async def run_once(self) -> int:
        """One round."""
        async with self._engine.begin() as conn:
            found = await arrivals.claim(conn, self._clock.now(), _AT_ONCE)
        for row in found:
            await self._work(row)
        return len(found)

    async def forget_old(self) -> int:
        """Rows that nobody asks about any more."""
        async with self._engine.begin() as conn:
            await arrivals.purge(conn, self._clock.now() - KEPT_FOR)
        return 0

    async def _work(self, row: Any) -> None:
        try:
            arrived = await asyncio.to_thread(read, bytes(row.raw), self._host)
        except UNREADABLE as error:
            log.warning("inbound_mail_unreadable", mail_id=row.mail_id, error=type(error).__name__)
            arrived = None
        if arrived is not None and arrived.bounced:
            await self._bounced(row, arrived.bounced)
        elif arrived is not None and arrived.robot:
            await self._settle(row, "robot")
        else:
            await self._replied(row, arrived)

    async def _replied(self, row: Any, arrived: Arrived | None) -> None:
        async with self._engine.connect() as conn:
            ids = await arrivals.orders_of(conn, row.mail_id)
            orders = await mails.orders(conn, ids)
            # a digest brings other mails too: what a reply may be an answer to is one that asks
            found = sorted(orders.values(), key=lambda one: (not asks(one), one.id))
            order = found[0] if found else None
            # a refusal was answered once more: that is an answer to what was asked first
            if order is not None and order.kind == "refused" and order.about_mail_id:
                order = (await mails.orders(conn, [order.about_mail_id])).get(order.about_mail_id)
            usable = await links.usable(conn, [order.id] if order else [], self._clock.now())
        if order is None or not asks(order):
            await self._settle(row, "ignored")
            return
        came = await self._judged(row, order, arrived, several=len(ids) > 1, usable=order.id in usable)
        (result,) = await self._take([Input(order.customer_id, came, on_reply)])
        if isinstance(result, Failed):
            await self._failed(row, result.error)

    async def _judged(
        self, row: Any, order: MailOrder, arrived: Arrived | None, *, several: bool, usable: bool
    ) -> ReplyCame:
        if arrived is None or row.attempt > _MOST_ATTEMPTS:
            return ReplyCame(row.id, order, _no("reply-unreadable"), doubtful=True)
        writer = self._writer(order, arrived)
        if writer is None:
            return ReplyCame(row.id, order, _no("reply-sender-unknown"), doubtful=True)
        refused = None
        if not usable:
            refused = "link-revoked"
        elif several:
            refused = "reply-to-several"
        elif not arrived.text:
            refused = "empty-answer"
        elif arrived.absent:
            refused = "reply-sounds-absent"
        elif len(arrived.text) > _MOST_WORDS:
            refused = "reply-too-long"
        if refused:
            return ReplyCame(row.id, order, _no(refused))
        alike, seen = await self._compare(order.complaint_id or "", arrived.text)
        given = AnswerGiven(order.escalation_id or "", writer, arrived.text, seen=seen, alike=alike)
        return ReplyCame(row.id, order, given)

    def _writer(self, order: MailOrder, arrived: Arrived) -> str | None:
        """Who wrote it: the person asked, or somebody whom they named to stand in for them."""
        policy = self._policies.current
        asked = policy.executive(order.recipient_id)
        if asked is None or not arrived.aligned:
            return None
        people = [asked, *(policy.executive(one) for one in asked.delegates)]
        return next((one.id for one in people if one and one.email.lower() == arrived.author), None)

    async def _bounced(self, row: Any, status: str) -> None:
        async with self._engine.connect() as conn:
            orders = await mails.orders(conn, await arrivals.orders_of(conn, row.mail_id))
        if not orders:
            await self._settle(row, "ignored")
            return
        log.warning("mail_came_back", mail_id=row.mail_id, status=status)
        came = [
            Input(one.customer_id, BounceCame(row.id, one.id, status, number == len(orders)), on_bounce)
            for number, one in enumerate(orders.values(), start=1)
        ]
        # the last settles the row: it waits until all others have climbed, else one that failed never would
        failed: Failed | None = None
        others, last = came[:-1], came[-1:]
        for start in range(0, len(others), _BOUNCES_AT_ONCE):
            failed = _failed_of(await self._take(others[start : start + _BOUNCES_AT_ONCE])) or failed
        if failed is None or row.attempt > _MOST_ATTEMPTS:
            failed = _failed_of(await self._take(last)) or failed
        if failed is not None:
            await self._failed(row, failed.error)

    async def _settle(self, row: Any, state: str) -> None:
        async with self._engine.begin() as conn:
            await arrivals.settle(conn, [(row.id, state, "")])

    async def _failed(self, row: Any, error: Exception) -> None:
        if is_transient(error):
            raise error
        log.error("inbound_mail_failed", mail_id=row.mail_id, error=type(error).__name__)
        if row.attempt > _MOST_ATTEMPTS:
            await self._settle(row, "failed")


def _failed_of(results: Sequence[Any]) -> Failed | None:
    return next((one for one in results if isinstance(one, Failed)), None)
