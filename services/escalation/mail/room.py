"""The mail room: takes what is due, makes letters of it, hands them over, and tells what became of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.mail import MailOrder, MailOutcome
from services.escalation.handlers.mails import on_mail_outcome
from services.escalation.mail.gathering import NoAddress
from services.escalation.mail.inbound.address import Replies
from services.escalation.mail.post import Post, Sent
from services.escalation.mail.render import UnsafeMail, render
from services.escalation.mail.tokens import link_of
from services.escalation.mail.words import Away, Words
from services.escalation.mail.writing import NothingToSay, Overtaken, Writing, asks
from services.escalation.store import links, mails
from services.escalation.store.claiming import Claimed, claim
from shared.clock import Clock
from shared.db import is_transient
from shared.faults import fault
from shared.policy import Policies
from shared.settings import Base
from shared.work import Input

log = structlog.get_logger()

#: rung when orders were committed
BELL = "escalation_mail"
#: mails that are taken at once, and made and sent side by side: none waits while its time runs out
AT_ONCE = 8
#: a mail that takes longer (a server that says nothing) goes on by itself, and others are taken meanwhile; so many do
_PATIENCE_SECONDS, _MOST_UNDER_WAY = 2.0, 32
_OUTCOMES_AT_ONCE = 500
#: how long making a letter may take, its neighbours' answers included
_WRITING_SECONDS = 30
#: for so long a mail is tried again that the server refuses for now, as mail servers do (RFC 5321, 4.5.4.1); one that
#: never came so far waits for ever
_GIVE_UP_AFTER = timedelta(days=5)
_LINK_LASTS = timedelta(days=90)
#: an outcome is told again for so long: less than SENDING_SECONDS, after which another sends the mail again
_RECORDING_SECONDS, _RECORDING_PAUSE = 60.0, 0.5

Take = Callable[[Sequence[Input[Any]]], Awaitable[list[Any]]]


class MailRoom:
    """`run_once` sends what is due and answers how many mails it worked on; any number may run side by side."""

    def __init__(
        self,
        engine: AsyncEngine,
        take: Take,
        policies: Policies,
        settings: Base,
        clock: Clock,
        *,
        post: Post,
        words: Words | None = None,
        replies: Replies | None = None,
    ) -> None:
        self._engine, self._take, self._policies, self._clock = engine, take, policies, clock
        self._secret, self._sender = settings.secret_key.get_secret_value(), settings.mail_from
        self._words = words or Words(settings, clock)
        self._post = post
        self._replies = replies
        self._under_way: set[asyncio.Task[None]] = set()
        self._writing = Writing(
            engine, policies, self._words, self._secret, settings.base_url, by_reply=replies is not None
        )

    async def run_once(self) -> int:
        """One round."""
        await self._ended(self._under_way, 0)
        room_left = _MOST_UNDER_WAY - len(self._under_way)
        if room_left <= 0:
            await self._ended(self._under_way, _PATIENCE_SECONDS)
            return 0
        now = self._clock.now()
        budget = self._policies.current.escalation.mail_budget
        async with self._engine.begin() as conn:
            claimed = await claim(
                conn,
                now,
                per_minute=budget.per_minute,
                per_hour=budget.per_hour,
                at_once=min(AT_ONCE, room_left),
            )
            answered = [self._link(order) for one in claimed for order in one.orders if asks(order)]
            await links.put(conn, answered)
        if claimed:
            await fault("mail.after_claim")
            sending = {asyncio.create_task(self._send(one)) for one in claimed}
            self._under_way |= sending
            await self._ended(sending, _PATIENCE_SECONDS)
        return len(claimed)

    async def _ended(self, tasks: set[asyncio.Task[None]], seconds: float) -> None:
        """Waits for so long; one that failed leaves the others alone, counts as dead in a while, and is sent again."""
        if not tasks:
            return
        ended, _ = await asyncio.wait(tasks, timeout=seconds)
        self._under_way -= ended
        for failed in [error for task in ended if (error := task.exception())]:
            raise failed

    async def forget_old(self) -> int:
        """Rows of mails as old as the policy keeps closed things, and links that ended long ago."""
        now = self._clock.now()
        async with self._engine.begin() as conn:
            await links.purge(conn, now - _LINK_LASTS)
            return await mails.purge(conn, now - self._policies.current.retention.closed.delta)

    async def stop(self) -> None:
        """Lets go of the mail server and the neighbours; what is under way counts as dead in a while."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._post.close()
        await self._words.close()

    def _link(self, order: MailOrder) -> dict[str, Any]:
        link = link_of(self._secret, order.id)
        return {
            "token_hash": link.token_hash,
            "code_hash": link.code_hash,
            "mail_id": order.id,
            "escalation_id": order.escalation_id,
            "customer_id": order.customer_id,
            "executive_id": order.recipient_id,
            "expires_at": self._clock.now() + _LINK_LASTS,
        }

    async def _send(self, one: Claimed) -> None:
        sent, wait, no_address = await self._attempt(one)
        if sent.state not in ("accepted", "withdrawn"):
            log.warning("mail_not_accepted", mail_id=one.id, kind=one.orders[0].kind, state=sent.state, why=sent.detail)
        outcomes = [
            Input(order.customer_id, self._outcome(order, sent, wait, no_address), on_mail_outcome)
            for order in one.orders
        ]
        for start in range(0, len(outcomes), _OUTCOMES_AT_ONCE):
            await self._record(outcomes[start : start + _OUTCOMES_AT_ONCE])

    async def _record(self, outcomes: Sequence[Input[Any]]) -> None:
        """Tells what became of mails, again while the database is away: what is never told is sent once more."""
        end = time.monotonic() + _RECORDING_SECONDS
        while True:
            try:
                await self._take(outcomes)
                return
            except Exception as error:
                if not is_transient(error) or time.monotonic() > end:
                    raise
                log.warning("mail_outcome_waits", error=type(error).__name__)
            await asyncio.sleep(_RECORDING_PAUSE)

    async def _attempt(self, one: Claimed) -> tuple[Sent, timedelta, bool]:
        """What became of it, how long until the next attempt, and whether there is an address at all."""
        retry = self._policies.current.escalation.mail_retry_after
        wait = retry[min(one.attempts, len(retry) - 1)].delta
        try:
            async with asyncio.timeout(_WRITING_SECONDS):
                letter, recipient = await self._writing.write(one.orders)
            # a digest of hundreds takes a while: others are served meanwhile
            message = await asyncio.to_thread(
                render,
                letter,
                message_id=f"<{one.id}@{self._sender.rpartition('@')[2]}>",
                sender=self._sender,
                recipient=recipient,
                at=one.orders[0].ordered_at,
                reply_to=self._reply_to(one),
                replied=one.orders[0].kind == "refused",
            )
        except (Away, TimeoutError) as error:
            # the mail waits for the words; neighbours come back sooner than mail servers
            return (
                Sent("temporary", f"waits for {str(error) or 'its words'}"),
                timedelta(seconds=min(60, 2 * 2**one.attempts)),
                False,
            )
        except NoAddress as error:
            return Sent("permanent", f"no address: {error}"), wait, True
        except Overtaken:
            return Sent("withdrawn", "answered meanwhile"), wait, False
        except NothingToSay as error:
            return Sent("permanent", f"nothing to say: {error}"), wait, False
        except UnsafeMail as error:
            return Sent("permanent", f"unsafe: {error}"), wait, True
        # the envelope's sender is the mail's own address, so that a bounce says which mail came back
        envelope = (self._replies.of(one.id) if self._replies else None) or self._sender
        return await self._post.send(message, envelope, recipient), wait, False

    def _reply_to(self, one: Claimed) -> str | None:
        """Where a reply goes that would be an answer; after a refusal, to what was asked first."""
        first = one.orders[0]
        if self._replies is None or not any(asks(order) or order.kind == "refused" for order in one.orders):
            return None
        return self._replies.of(one.id if len(one.orders) > 1 else first.about_mail_id or first.id)

    def _outcome(self, order: MailOrder, sent: Sent, wait: timedelta, no_address: bool) -> MailOutcome:
        now = self._clock.now()
        state = sent.state
        if sent.said and state in ("temporary", "unknown") and now - order.ordered_at > _GIVE_UP_AFTER:
            state = "permanent"
        retry_at = now + wait if state in ("temporary", "unknown") else None
        unsaid = not sent.said or sent.state == "unknown"
        return MailOutcome(order.id, state, now, sent.detail, no_address, retry_at, unsaid=unsaid)
