"""Escalation as its neighbours meet it: events in, acts, time that is moved; mails, events and state out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation import feed as feed_loop
from services.escalation import handlers, verify
from services.escalation.domain.acts import ActionDone, Delivered, Forwarded, LinksRevoked, PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.mail import MailOrder, MailOutcome
from services.escalation.domain.promising import ActionWanted, PromiseWanted
from services.escalation.store import Book, EscalationStore, feed, mails, reading
from services.escalation.store import tables as t
from shared.clock import ManualClock
from shared.contracts import ownership
from shared.contracts.envelope import Envelope, Event, dump, full_type, new_id
from shared.contracts.intake import Amount, ContactCaptured, CustomerErased, DepartureVerdict, RepeatVerdict, Verdict
from shared.policy import Policies, Policy, parse_policy
from shared.work import Corridor, Failed, Input

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORDS = "I rang you at eight; a technician replaces the splitter in your street tomorrow at nine."

POLICY = """
version: v1
regions:
  default: {time_zone: UTC, hours: {mon-sun: ["00:00-24:00"]}, holidays: null}
causes:
  - {code: router-drops, product: fibre-1g, words: {en: [router, drops]}}
  - {code: billing-error, words: {en: [invoice]}}
escalation:
  reasons: {clock_breached: 1, unowned: 1, asked: 1, repeat: 2, departure_threat: 2, value_at_stake: 3}
  value_at_stake_over: {amount: "100000", currency: USD}
  ladder:
    - {level: 1, role: head_of_care, answer_within: 4h}
    - {level: 2, role: vice_president, answer_within: 8h}
    - {level: 3, role: chief_executive, answer_within: 1d, repeat_every: 1d}
executives:
  - {id: head, name: Hana Head, email: head@example.com, role: head_of_care, time_zone: UTC}
  - {id: vp, name: Victor Vice, email: vp@example.com, role: vice_president, time_zone: UTC, delegates: [aide]}
  - {id: ceo, name: Ana Ruiz, email: ceo@example.com, role: chief_executive, time_zone: UTC, delegates: [vp]}
promises: {watch_for: 180d, chase_before: 3d}
"""


def policy(text: str = POLICY) -> Policy:
    """The policy of these stories: 4 h, 8 h, then a day, again every day."""
    return parse_policy(text)


class World:
    """One escalation service on a real database, with a clock that tests move."""

    def __init__(self, engine: AsyncEngine, policies: Policies, clock: ManualClock) -> None:
        self.engine, self.policies = engine, policies
        self.clock = clock
        self.store = EscalationStore(policies)
        self.corridor: Corridor[Book] = Corridor("escalation", engine, self.clock, self.store)
        self._sequence = itertools.count(1)

    # what the others say

    def envelope(self, event: Event) -> Envelope:
        """An event as it comes from its topic."""
        service = "intake" if type(event).__module__.endswith("intake") else "ownership"
        return Envelope(
            id=new_id(),
            source=f"urn:complaint-loop:{service}",
            type=full_type(type(event)),
            time=self.clock.now(),
            subject=event.subject_id,
            customer_id=event.customer_id,
            sequence=next(self._sequence),
            correlation_id="c",
            causation_id=None,
            data=dump(event),
        )

    def input(self, event: Event) -> Input[Book]:
        """The input that the consumer makes of an event."""
        _, handle = handlers.REGISTRY[full_type(type(event))]
        return Input(event.customer_id, event, handle, envelope=self.envelope(event))

    async def tell(self, *events: Event) -> None:
        """Takes events in, as one set."""
        await self.take([self.input(event) for event in events])

    async def take(self, inputs: Sequence[Input[Book]]) -> list[Any]:
        """Takes inputs; whatever fails, fails the test."""
        results = await self.corridor.take(inputs)
        for result in results:
            if isinstance(result, Failed):
                raise result.error
        return results

    async def act(self, customer_id: str, payload: Any) -> Any:
        """One act of a person, as the routes take it."""
        handle = {
            AnswerGiven: handlers.answer,
            Delivered: handlers.delivered,
            Forwarded: handlers.forward,
            LinksRevoked: handlers.revoke_links,
            PromiseGiven: handlers.promise,
            ActionDone: handlers.action_done,
        }[type(payload)]
        return await self.corridor.take_one(Input(customer_id, payload, handle))

    async def settle(self) -> None:
        """Does everything that is due by now, also what that makes due."""
        while await self.corridor.sweep(handlers.when):
            pass

    async def pass_time(self, step: timedelta) -> None:
        """Moves the clock and does what is due."""
        self.clock.advance(step)
        await self.settle()

    async def mailed(self, order: MailOrder, state: Any = "accepted", **told: Any) -> None:
        """The mail server took a mail, or refused it."""
        outcome = MailOutcome(order.id, state, self.clock.now(), **told)
        await self.corridor.take_one(Input(order.customer_id, outcome, handlers.on_mail_outcome))

    # what came of it

    async def orders(self) -> list[MailOrder]:
        """Every mail that was ordered, in order."""
        async with self.engine.connect() as conn:
            ids = [row.id for row in await conn.execute(select(mails.mails.c.id))]
            found = await mails.orders(conn, ids)
        return sorted(found.values(), key=lambda order: (order.ordered_at, order.kind, order.recipient_id, order.step))

    async def mails(self) -> list[tuple[str, str]]:
        """(kind, recipient) of every mail."""
        return [(order.kind, order.recipient_id) for order in await self.orders()]

    async def events(self) -> list[str]:
        """The names of all events said, in order."""
        async with self.engine.connect() as conn:
            rows = await conn.execute(select(t.events.c.type).order_by(t.events.c.position))
            return [row.type.removeprefix("complaintloop.").removesuffix(".v1") for row in rows]

    async def escalations(self, **wanted: Any) -> list[dict[str, Any]]:
        """Escalations as the API lists them."""
        async with self.engine.connect() as conn:
            return await reading.escalation_list(conn, self.policies, limit=1000, **wanted)

    async def escalation(self) -> dict[str, Any]:
        """The only escalation there is."""
        (one,) = await self.escalations()
        return one

    async def promises(self, **wanted: Any) -> list[dict[str, Any]]:
        """Promises as the API lists them."""
        async with self.engine.connect() as conn:
            return await reading.promise_list(conn, limit=1000, **wanted)

    async def promise(self) -> dict[str, Any]:
        """The only promise there is."""
        (one,) = await self.promises()
        return one

    async def feed(self) -> list[dict[str, Any]]:
        """The whole feed, numbered."""
        async with self.engine.connect() as conn:
            while await feed_loop.number_once(conn):
                pass
            items, _ = await feed.read(conn, 0, 10_000)
        return items

    async def findings(self) -> list[str]:
        """What is wrong with the books."""
        await self.feed()
        async with self.engine.connect() as conn:
            return [finding async for finding in verify.findings(conn)]


def contact(customer: str = "c-1", at: datetime = NINE, **over: Any) -> ContactCaptured:
    """A complaint about dropping routers, heard by intake."""
    told: dict[str, Any] = {
        "customer_id": customer,
        "contact_id": f"contact-{uuid4().hex[:8]}",
        "source": "test",
        "source_event_id": uuid4().hex,
        "occurred_at": at,
        "received_at": at + timedelta(seconds=1),
        "channel": "phone",
        "cause": "router-drops",
        "product": "fibre-1g",
        "complaint": Verdict(value=True, score=1),
        "departure_threat": DepartureVerdict(value=False, score=0),
        "repeat": RepeatVerdict(value=False, score=0),
        "signals_version": "1",
    }
    return ContactCaptured(**(told | over))


def opened(heard: ContactCaptured, complaint_id: str = "k-1", **over: Any) -> ownership.ComplaintOpened:
    """The complaint that a contact opened."""
    told: dict[str, Any] = {
        "customer_id": heard.customer_id,
        "complaint_id": complaint_id,
        "at": heard.received_at,
        "reference": "C-" + complaint_id.upper()[-5:],
        "contact_id": heard.contact_id,
        "because": "complaint",
        "channel": "phone",
        "tier": "gold",
        "region": "default",
        "product": heard.product,
        "cause": heard.cause,
        "first_contact_at": heard.occurred_at,
        "policy_version": "v1",
        "value_at_stake": Amount(amount="300", currency="USD"),
    }
    return ownership.ComplaintOpened(**(told | over))


def of(event: type[ownership.ComplaintEvent], complaint_id: str = "k-1", customer: str = "c-1", **told: Any) -> Any:
    """Any other event of a complaint."""
    at = told.pop("at", NINE)
    return event(customer_id=customer, complaint_id=complaint_id, at=at, **told)


def owned(agent: str = "agent-7", **told: Any) -> ownership.OwnerAssigned:
    """Somebody owns the complaint."""
    event: ownership.OwnerAssigned = of(ownership.OwnerAssigned, owner_id=agent, because="first_responder", **told)
    return event


def threatened(**told: Any) -> ownership.DepartureThreatened:
    """The customer may leave."""
    event: ownership.DepartureThreatened = of(
        ownership.DepartureThreatened, **({"tier": "certain", "because": "heard"} | told)
    )
    return event


def breached(kind: str = "first_response", **told: Any) -> ownership.ClockBreached:
    """A clock was missed."""
    event: ownership.ClockBreached = of(ownership.ClockBreached, kind=kind, cycle=1, due_at=NINE, **told)
    return event


def promised(*actions: ActionWanted, **told: Any) -> PromiseWanted:
    """A promise about dropping routers."""
    return PromiseWanted(
        **({"text": "Your line will not drop again.", "cause": "router-drops", "actions": actions} | told)
    )


def erased(customer: str = "c-1") -> CustomerErased:
    """The customer is to be forgotten."""
    return CustomerErased(customer_id=customer, erased_at=NINE)
