"""What a promise is made of, what breaks it, what takes a breach back, and what time does to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from services.escalation.domain.contact import Contact
from services.escalation.domain.promise import Action, Promise
from shared.calendars import Duration, due_at
from shared.contracts.escalation import (
    BreachTakenBack,
    PromiseActionDone,
    PromiseActionMissed,
    PromiseBroken,
    PromisedAction,
    PromiseEvent,
    PromiseKept,
    PromiseMade,
)
from shared.policy import Policy
from shared.refusal import Refusal

#: the shortest time between two chases
LEAST_CHASE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ActionWanted:
    """What will be done: `owner` is an agent id, an executive id or an e-mail address."""

    what: str
    owner: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class PromiseWanted:
    """A promise as it is given."""

    text: str
    cause: str
    product: str | None = None
    scope: Literal["customer", "everyone"] = "customer"
    actions: tuple[ActionWanted, ...] = ()
    watch_for: Duration | None = None


class Watched(Protocol):
    """What must be known of a promise to tell whether a contact breaks it."""

    @property
    def customer_id(self) -> str: ...
    @property
    def cause(self) -> str: ...
    @property
    def product(self) -> str | None: ...
    @property
    def scope(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...
    @property
    def watched_until(self) -> datetime | None: ...


def decide_promise(
    promise_id: str,
    reference: str,
    made_by: str,
    customer_id: str,
    wanted: PromiseWanted,
    now: datetime,
    policy: Policy,
    *,
    region: str | None,
    level: int,
    complaint_id: str | None = None,
    escalation_id: str | None = None,
) -> list[PromiseEvent] | Refusal:
    """A promise with a cause that the policy knows; its watch is counted on the calendar of the customer's region."""
    codes = {entry.code for entry in policy.causes}
    if codes and wanted.cause not in codes:
        return Refusal("unknown-cause", "The policy names no such cause.", 422, {"causes": sorted(codes)})
    watch = wanted.watch_for or policy.promises.watch_for
    return [
        PromiseMade(
            customer_id=customer_id,
            promise_id=promise_id,
            at=now,
            reference=reference,
            made_by=made_by,
            complaint_id=complaint_id,
            escalation_id=escalation_id,
            cause=wanted.cause,
            product=wanted.product,
            scope=wanted.scope,
            actions=tuple(
                PromisedAction(n=n, owner_id=None if "@" in one.owner else one.owner, due_at=one.due_at)
                for n, one in enumerate(wanted.actions, start=1)
            ),
            watch_until=due_at(now, watch, "calendar", policy.calendar(policy.region(region))),
            made_at=now,
            level=level,
            nothing_changes=not wanted.actions,
        )
    ]


def hurts(promise: Watched, contact: Contact, policy: Policy, same: Collection[str] = ()) -> bool:
    """Whether a contact, as it is judged now, breaks a promise; `same` are all ids of whom it was made to.

    It came after the promise was made and while it was watched, is or may be a complaint, has the same cause, and the
    same product if the promise names one. A product that nobody named is that of the cause.
    """
    if contact.heard_at is None or contact.complaint is False or contact.cause != promise.cause:
        return False
    if promise.scope == "customer" and contact.customer_id not in (promise.customer_id, *same):
        return False
    if promise.product is not None and (contact.product or product_of(contact.cause, policy)) != promise.product:
        return False
    if contact.heard_at <= promise.made_at:
        return False
    return promise.watched_until is None or contact.heard_at <= promise.watched_until


def product_of(cause: str | None, policy: Policy) -> str | None:
    """The product that the policy ties a cause to."""
    return next((entry.product for entry in policy.causes if entry.code == cause), None)


def decide_judged(
    state: Promise, contact: Contact, stands: bool, now: datetime, policy: Policy, same: Collection[str] = ()
) -> list[PromiseEvent]:
    """What a contact means for a promise as it is judged now; `stands`: it has broken it, and nobody took it back;
    `same`: all ids of whom it was made to."""
    hurt = hurts(state, contact, policy, same)
    if hurt and not stands:
        return [
            PromiseBroken(
                customer_id=state.customer_id,
                promise_id=state.id,
                at=now,
                contact_id=contact.id,
                complaint_id=contact.complaint_id,
                hurt_id=contact.customer_id,
                made_by=state.made_by,
                cause=state.cause,
            )
        ]
    if stands and not hurt:
        return [
            BreachTakenBack(
                customer_id=state.customer_id,
                promise_id=state.id,
                at=now,
                contact_id=contact.id,
                by_id=contact.said_by or "ownership",
                because=_taken_back(state, contact, same),
            )
        ]
    return []


def _taken_back(
    state: Promise, contact: Contact, same: Collection[str]
) -> Literal["cause_changed", "not_a_complaint", "another_customer"]:
    if contact.complaint is False:
        return "not_a_complaint"
    stranger = state.scope == "customer" and contact.customer_id not in (state.customer_id, *same)
    return "another_customer" if stranger and contact.cause == state.cause else "cause_changed"


def decide_done(state: Promise, n: int, by: str, now: datetime) -> list[PromiseEvent] | Refusal:
    """An action is done once."""
    action = state.action(n)
    if action is None:
        return Refusal("unknown-action", "The promise has no action of this number.", 404)
    if action.done_at is not None:
        present = {"n": n, "done_at": action.done_at, "done_by": action.done_by}
        return Refusal("already-done", "This action is done.", 409, {"state": present})
    return [PromiseActionDone(customer_id=state.customer_id, promise_id=state.id, at=now, n=n, by_id=by)]


def decide_missed(state: Promise, now: datetime) -> list[PromiseEvent]:
    """Actions whose time has passed undone, each said once."""
    return [
        PromiseActionMissed(
            customer_id=state.customer_id, promise_id=state.id, at=action.due_at, n=action.n, due_at=action.due_at
        )
        for action in sorted(state.actions, key=lambda one: (one.due_at, one.n))
        if action.done_at is None and action.missed_at is None and action.due_at <= now
    ]


def decide_kept(state: Promise, now: datetime) -> list[PromiseEvent]:
    """Kept at the end of its watch, with its actions done and no breach standing; a late action holds it open."""
    at = state.watched_until
    if state.status != "watching" or at is None or at > now:
        return []
    return [PromiseKept(customer_id=state.customer_id, promise_id=state.id, at=at)]


def chases(state: Promise, action: Action, before: timedelta) -> Iterator[datetime]:
    """When the owner of an action is written to: once before it is due, when it is due, and on until it is done."""
    early = action.due_at - before
    if early <= state.made_at:
        early = state.made_at + (action.due_at - state.made_at) / 2
    if state.made_at < early < action.due_at:
        yield early
    at, every = action.due_at, max(before, LEAST_CHASE)
    while True:
        yield at
        at += every


def chased(state: Promise, action: Action, before: timedelta, now: datetime) -> tuple[datetime | None, datetime]:
    """The last time that the owner should have been written to, and the next."""
    last = None
    for at in chases(state, action, before):
        if at > now:
            return last, at
        last = at
    raise AssertionError("unreachable: chases never end")


def next_due(state: Promise, before: timedelta, now: datetime) -> datetime | None:
    """When the promise has to be looked at again; None when nothing can come by time alone."""
    points = [chased(state, one, before, now)[1] for one in state.actions if one.done_at is None]
    points += [one.due_at for one in state.actions if one.done_at is None and one.due_at > now]
    if state.status == "watching" and state.watch_until > now:
        points.append(state.watch_until)
    return min(points, default=None)
