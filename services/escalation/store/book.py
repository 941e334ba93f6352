"""All that one set of inputs concerns: read before the handlers, written after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.escalation.domain import complaint as complaints
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.contact import Contact
from services.escalation.domain.escalation import Answer, Escalation
from services.escalation.domain.escalation import evolve as evolve_escalation
from services.escalation.domain.mail import MailOrder, MailOutcome, heeding_quiet
from services.escalation.domain.promise import Promise
from services.escalation.domain.promise import evolve as evolve_promise
from services.escalation.domain.reach import Mark, Reach
from shared.contracts.envelope import Event, dump
from shared.contracts.escalation import PromiseEvent
from shared.kin import Kin
from shared.policy import Policies
from shared.work import Kept, Work


@dataclass(frozen=True, slots=True)
class Watch:
    """A promise to everyone that was made to another customer: enough to see that a contact may break it."""

    id: str
    customer_id: str
    cause: str
    product: str | None
    scope: str
    made_at: datetime
    watched_until: datetime | None
    made_by: str
    level: int
    complaint_id: str | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that came in: whether it was dealt with, and how many replies to the same mail were refused before."""

    settled: bool
    refused_before: int


@dataclass(slots=True)
class Breach:
    """What one contact did to one promise; `taken_back` is null while it stands."""

    promise_id: str
    contact_id: str
    hurt_id: str
    at: datetime
    taken_back: dict[str, Any] | None = None

    @property
    def stands(self) -> bool:
        return self.taken_back is None


@dataclass(slots=True)
class Words:
    """A promise in words: they stay in this schema, and go when the customer is erased."""

    text: str | None
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """The words of a promise that did not hold, and who gave it to whom."""

    cause: str
    customer_id: str
    scope: str
    made_by: str
    text: str


@dataclass(slots=True)
class Said:
    """An executive's words, to be kept."""

    id: str
    escalation_id: str
    complaint_id: str
    customer_id: str
    executive_id: str
    delegate_of: str | None
    text: str
    apology: bool
    stay_asked: bool
    stay: str | None
    redress: str | None
    given_at: datetime
    sketch: list[str]


class Book:
    """State by id, what changed of it, and what follows: mails, feed items, things to forget."""

    def __init__(self, policies: Policies, kin: Kin | None = None) -> None:
        self.policies = policies
        #: which ids are one person's
        self.kin = kin or Kin()
        self.complaints: dict[str, Complaint] = {}
        self.contacts: dict[str, Contact] = {}
        self.escalations: dict[str, Kept[Escalation]] = {}
        self._of_complaint: dict[str, list[Kept[Escalation]]] = {}
        self.delivery: dict[str, dict[str, Any]] = {}
        self.promises: dict[str, Kept[Promise]] = {}
        self.words: dict[str, Words] = {}
        self._by_cause: dict[tuple[str, str], list[Kept[Promise]]] = {}
        self._everyone: dict[str, list[Kept[Promise]]] = {}
        self.watches: dict[str, Watch] = {}
        self._watches_by_cause: dict[str, list[Watch]] = {}
        self.breaches: dict[tuple[str, str], Breach] = {}
        self._breaches_by: dict[str, list[Breach]] = {}
        self.ordered: dict[str, MailOrder] = {}
        #: answers to other complaints that came since the words were compared: complaint and text
        self.newer: list[tuple[str, str]] = []
        #: promises on the causes of a new one that did not hold, the latest
        self.broken: list[Broken] = []
        #: contacts that may have been heard before a promise to everyone could be seen, by promise
        self.heard_since: dict[str, list[str]] = {}
        #: (promise, its customer, contact) of those under different ids that were or are one person's
        self.across: list[tuple[str, str, str]] = []
        self.changed_complaints: set[str] = set()
        self.changed_contacts: set[str] = set()
        self.changed_breaches: set[tuple[str, str]] = set()
        self.changed_delivery: set[str] = set()
        self.answers: list[Said] = []
        self.items: list[dict[str, Any]] = []
        self.orders: dict[str, MailOrder] = {}
        self.outcomes: list[MailOutcome] = []
        self.withdrawn: set[str] = set()
        #: escalations whose step is over: mails of it that nobody has tried to send stay here
        self.overtaken: set[str] = set()
        #: links that end: (escalation, executive); None is everybody's
        self.revoked: list[tuple[str, str | None]] = []
        self.arrivals: dict[str, Arrival] = {}
        #: mail that came in and was dealt with: (id, state, detail)
        self.settled: list[tuple[str, str, str]] = []
        self.erased: set[str] = set()
        #: what is known of executives' addresses, and what is learned of them: refusals, mails taken, a person's word
        self.reach = Reach()
        self.marked: dict[str, Mark] = {}
        self.accepted: set[str] = set()
        self.trusted: dict[str, str] = {}
        #: (escalation, customer) of all whose mail to a person has not gone out, by the person
        self.not_mailed: dict[str, list[tuple[str, str]]] = {}

    # complaints and contacts: facts of others, folded

    def complaint(self, complaint_id: str, customer_id: str) -> Complaint:
        """The complaint, or an empty one where ownership's first word of it is missing."""
        return self.complaints.get(complaint_id) or Complaint(id=complaint_id, customer_id=customer_id)

    def learn(self, complaint_id: str, event: Event) -> Complaint:
        """Folds one of ownership's events into the complaint."""
        before = self.complaint(complaint_id, event.customer_id)
        after = self.complaints[complaint_id] = complaints.evolve(before, event)
        self.changed_complaints.add(complaint_id)
        return after

    def contact(self, contact_id: str, customer_id: str) -> Contact:
        """The contact, or an empty one where nothing of it is known yet."""
        return self.contacts.get(contact_id) or Contact(id=contact_id, customer_id=customer_id)

    def keep_contact(self, contact: Contact) -> Contact:
        """Notes what is known of a contact now."""
        if self.contacts.get(contact.id) != contact:
            self.contacts[contact.id] = contact
            self.changed_contacts.add(contact.id)
        return contact

    def contacts_of(self, complaint_id: str) -> list[Contact]:
        """The contacts of a complaint, as far as they were read."""
        return [one for one in self.contacts.values() if one.complaint_id == complaint_id]

    # escalations

    def waiting(self, complaint_id: str) -> Kept[Escalation] | None:
        """The one escalation of this complaint that waits for an answer."""
        held = self._of_complaint.get(complaint_id, ())
        return next((one for one in held if one.now.status == "waiting"), None)

    def answered(self, complaint_id: str) -> list[Kept[Escalation]]:
        """Escalations of this complaint whose answer has not reached the customer."""
        return [one for one in self._of_complaint.get(complaint_id, ()) if one.now.status == "answered"]

    def undelivered(self, complaint_id: str) -> Kept[Escalation] | None:
        """The latest of them."""
        return max(self.answered(complaint_id), key=lambda one: one.now.raised_at, default=None)

    def last_answer(self, complaint_id: str) -> Answer | None:
        """The latest answer of an executive to this complaint, as far as its escalations were read."""
        given = [one.now.answer for one in self._of_complaint.get(complaint_id, ()) if one.now.answer]
        return max(given, key=lambda one: one.at, default=None)

    def open_escalation(self, kept: Kept[Escalation], complaint_id: str) -> None:
        """Lays an escalation open, one that was read or one about to be raised."""
        self.escalations[kept.id] = kept
        self._of_complaint.setdefault(complaint_id, []).append(kept)

    # promises

    def open_promise(self, kept: Kept[Promise], cause: str, words: Words) -> None:
        """Lays a promise open, one that was read or one about to be made."""
        self.promises[kept.id] = kept
        self.words[kept.id] = words
        self._by_cause.setdefault((kept.customer_id, cause), []).append(kept)
        if kept.state is not None and kept.state.scope == "everyone":
            self._everyone.setdefault(cause, []).append(kept)

    def open_watch(self, watch: Watch) -> None:
        """Lays another customer's promise to everyone open."""
        self.watches[watch.id] = watch
        self._watches_by_cause.setdefault(watch.cause, []).append(watch)

    def promise(self, promise_id: str) -> Promise | Watch | None:
        """A promise, or as much of another customer's as is known here."""
        kept = self.promises.get(promise_id)
        return kept.now if kept else self.watches.get(promise_id)

    def promises_on(self, customer_id: str, causes: Iterable[str]) -> list[Kept[Promise]]:
        """Promises on any of these causes that concern this customer, under whichever id, and whose own customer's lock
        is held."""
        return [
            kept
            for cause in causes
            for kept in (
                *(kept for one in sorted(self.kin.of(customer_id)) for kept in self._by_cause.get((one, cause), ())),
                *self._everyone.get(cause, ()),
            )
        ]

    def watches_on(self, causes: Iterable[str]) -> list[Watch]:
        """Other customers' promises to everyone on any of these causes."""
        return [watch for cause in causes for watch in self._watches_by_cause.get(cause, ())]

    def breaches_by(self, contact_id: str) -> list[Breach]:
        """What a contact broke, taken back or not."""
        return self._breaches_by.get(contact_id, [])

    def breach(self, promise_id: str, contact_id: str) -> Breach | None:
        """What this contact did to this promise, if anything."""
        return self.breaches.get((promise_id, contact_id))

    def open_breach(self, breach: Breach) -> None:
        """Lays a breach open, one that was read or one that has just come about."""
        self.breaches[(breach.promise_id, breach.contact_id)] = breach
        self._breaches_by.setdefault(breach.contact_id, []).append(breach)

    def note_delivery(self, escalation_id: str, **told: Any) -> None:
        """Notes what the mail server said; no part of the fold, because no event tells it."""
        self.delivery.setdefault(escalation_id, {}).update(told)
        self.changed_delivery.add(escalation_id)

    # saying, mailing, showing

    def say_escalation(self, work: Work, kept: Kept[Escalation], event: Event, **words: Any) -> Escalation:
        """Announces an event of an escalation and puts it into the feed."""
        state = work.announce(kept, event, evolve_escalation, **words)
        self.show(event, self.complaint(state.complaint_id, state.customer_id), state.level)
        return state

    def say_promise(self, work: Work, kept: Kept[Promise], event: PromiseEvent, **words: Any) -> Promise:
        """Announces an event of a promise and puts it into the feed."""
        state = work.announce(kept, event, evolve_promise, **words)
        about = self.complaints.get(state.complaint_id) if state.complaint_id else None
        self.show(event, about, state.level)
        return state

    def show(self, event: Event, complaint: Complaint | None, level: int | None) -> None:
        """One item of the feed, with what it can be filtered by."""
        self.items.append(
            {
                "type": event.TYPE,
                "at": getattr(event, "at"),  # noqa: B009 - every event of these two services has it
                "level": level,
                "owner_id": complaint.owner_id if complaint else None,
                "region": complaint.region if complaint else None,
                "reference": complaint.reference if complaint else None,
                "complaint_id": complaint.id if complaint else None,
                "data": dump(event),
            }
        )

    def order(self, order: MailOrder) -> None:
        """Orders a mail; the same again is one."""
        self.orders.setdefault(order.id, heeding_quiet(order, self.policies.current))

    def settle(self, arrival_id: str, state: str, detail: str) -> None:
        """Says what became of a mail that came in; the same in this set again is a repeat."""
        self.settled.append((arrival_id, state, detail))
        self.arrivals[arrival_id] = replace(self.arrivals[arrival_id], settled=True)

    def mark(self, mark: Mark) -> None:
        """Notes that mails to an address do not arrive: whatever follows in this set knows it."""
        self.marked[mark.executive_id] = mark
        self.accepted.discard(mark.executive_id)
        self.reach = self.reach.having(mark)

    def withdraw(self, escalation_id: str) -> None:
        """Takes back mails that still ask for an answer."""
        self.orders = {
            name: one for name, one in self.orders.items() if (one.kind, one.escalation_id) != ("ask", escalation_id)
        }
        self.withdrawn.add(escalation_id)
