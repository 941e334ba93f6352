"""All that one set of inputs concerns, in memory: what was there, and what is to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson

from services.intake.domain import Contact, NewContact, NewResponse, Person, Profile, Standing
from services.intake.listening import MOST_COMPARED, MOST_EARLIER, Breath, Ears
from services.intake.signals import Earlier, Signals
from shared.contracts.intake import ContactCaptured, ContactResponded
from shared.work import Kept

Identity = tuple[str, str]


@dataclass(slots=True)
class Known:
    """A contact that is there already, as its first answer told it."""

    contact_id: str
    received_at: datetime
    signals: bytes


@dataclass(slots=True)
class Customer:
    """A customer as loaded: the fold of what was announced, and the profile that stays home."""

    kept: Kept[Standing]
    profile: Profile = field(default_factory=Profile)
    #: whether a row or a contact of theirs is there
    known: bool = False
    changed: bool = False
    merged_into: str | None = None
    #: how often it was said where it is merged into
    merged: int = 0

    @property
    def standing(self) -> Standing:
        return self.kept.state or Standing()


@dataclass(slots=True)
class Recent:
    """An earlier contact of a customer, to be compared with a new one."""

    earlier: Earlier
    conversation_id: str | None


@dataclass(slots=True)
class Opined:
    """A contact that somebody else has an opinion about: as it was told, what was heard, and what is heard now."""

    kept: Kept[Contact]
    told: ContactCaptured
    signals: Mapping[str, Any]
    heard: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Responder:
    """Somebody's name and address, and as of when they were said."""

    name: str | None
    email: str | None
    said_at: datetime


@dataclass(slots=True)
class Book:
    """Made by the store, worked on by the handlers."""

    ears: Ears
    known: dict[Identity, Known] = field(default_factory=dict)
    #: the same by the digest of the event that brought them
    enveloped: dict[bytes, Known] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    #: the last few contacts of each customer, the latest last, with those of this set
    recent: dict[str, list[Recent]] = field(default_factory=dict)
    #: what was heard in contacts of customers who spoke before
    compared: dict[str, Signals] = field(default_factory=dict)
    contacts: dict[str, Kept[Contact]] = field(default_factory=dict)
    responses: dict[tuple[str, str, str], tuple[str, str, datetime, bool]] = field(default_factory=dict)
    responders: dict[str, Responder] = field(default_factory=dict)
    #: customer ids that are the id of a contact: their events would be mistaken for one another
    confused: set[str] = field(default_factory=set)

    captured: list[tuple[NewContact, Kept[Contact], bytes]] = field(default_factory=list)
    #: events that brought contacts, to be kept: digest -> contact
    envelopes: dict[bytes, str] = field(default_factory=dict)
    responded: list[tuple[NewResponse, ContactResponded]] = field(default_factory=list)
    renamed: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    #: contact -> what an agent said that it is
    corrected: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: contacts about which somebody else is to be asked, as rows
    doubtful: list[dict[str, Any]] = field(default_factory=list)
    opined: dict[str, Opined] = field(default_factory=dict)

    def customer(self, customer_id: str) -> Customer:
        """A customer, known or not."""
        found = self.customers.get(customer_id)
        if found is None:
            found = self.customers[customer_id] = Customer(Kept(customer_id, customer_id))
        return found

    async def compare(self, new: Sequence[NewContact]) -> None:
        """Hears the new contacts, in order, beside the earlier ones of their customers: is it the same trouble again?

        Here, and not where it is decided, because a set of long texts takes seconds.
        """
        breath = Breath()
        seen: set[Identity | bytes] = set()
        for one in new:
            names: set[Identity | bytes] = {(one.source, one.source_event_id)}
            if one.envelope is not None:
                names.add(one.envelope)
            if not seen.isdisjoint(names) or one.customer_id in self.confused:
                continue
            seen |= names
            signals = one.signals
            if earlier := self.earlier_than(one):
                await breath.taken()
                locale = one.profile.get("locale")
                signals = self.ears.hear(one.text, one.subject, locale, one.caller, earlier)
                self.compared[one.contact_id] = signals
            said = Earlier(one.contact_id, one.text[:MOST_COMPARED], signals.cause.value, one.occurred_at)
            self.recent.setdefault(one.customer_id, []).append(Recent(said, one.conversation_id))

    def earlier_than(self, new: NewContact) -> Sequence[Earlier]:
        """The customer's last few contacts before this one; one conversation is one contact that goes on."""
        recent = self.recent.get(new.customer_id)
        if not recent:
            return ()
        since = new.occurred_at - self.ears.repeat_within
        found = [
            one.earlier
            for one in recent
            if since <= one.earlier.occurred_at <= new.occurred_at
            and (new.conversation_id is None or one.conversation_id != new.conversation_id)
        ]
        return found[-MOST_EARLIER:]

    def took(self, new: NewContact, kept: Kept[Contact], signals: bytes) -> None:
        """Notes a contact that was captured, for what comes after it in this set and for the tables."""
        state = kept.now
        self.captured.append((new, kept, signals))
        there = self.known[(new.source, new.source_event_id)] = Known(new.contact_id, state.received_at, signals)
        self.came_in(new.envelope, there)
        self.contacts[kept.id] = kept
        self.customer(new.customer_id).known = True

    def there(self, new: NewContact) -> Known | None:
        """The contact where it is there already, by its identity or by that of the event that brings it."""
        found = self.known.get((new.source, new.source_event_id))
        return self.enveloped.get(new.envelope) if found is None and new.envelope is not None else found

    def came_in(self, envelope: bytes | None, there: Known) -> None:
        """Notes which event brought a contact, the first time or again."""
        if envelope is not None and envelope not in self.enveloped:
            self.enveloped[envelope] = there
            self.envelopes[envelope] = there.contact_id

    def forget(self, customer_id: str) -> None:
        """Forgets a customer: what is stored of them, and what has come in this set so far."""
        self.erased.add(customer_id)
        self.captured = [
            (replace(new, posted=forgotten(new.posted)) if new.customer_id == customer_id else new, kept, signals)
            for new, kept, signals in self.captured
        ]
        self.responded = [
            (replace(new, text=None) if event.customer_id == customer_id else new, event)
            for new, event in self.responded
        ]
        self.recent.pop(customer_id, None)
        self.doubtful = [row for row in self.doubtful if row["customer_id"] != customer_id]
        self.opined = {name: one for name, one in self.opined.items() if one.kept.customer_id != customer_id}

    def meets(self, person: Person, at: datetime) -> None:
        """Learns the latest name and address of somebody who answers customers."""
        there = self.responders.get(person.id)
        if there is None:
            self.responders[person.id] = Responder(person.name, person.email, at)
            self.renamed.add(person.id)
            return
        if at <= there.said_at and there.name is None and there.email is None:
            return  # somebody had them forgotten since
        if at < there.said_at:
            name, email = there.name or person.name, there.email or person.email
        else:
            name, email = person.name or there.name, person.email or there.email
        if (name, email) != (there.name, there.email):
            self.responders[person.id] = Responder(name, email, max(at, there.said_at))
            self.renamed.add(person.id)


#: what of a contact goes with its customer
WORDS: Final = ("customer", "subject", "text", "regarding", "remedy_sought", "attributes")


def forgotten(posted: bytes) -> bytes:
    """What was posted, without words and names."""
    whole = orjson.loads(posted)
    kept = {name: value for name, value in whole.items() if name not in WORDS}
    responder = whole.get("responder")
    named = {"responder": {"id": responder["id"]}} if responder else {}
    return orjson.dumps({**kept, "customer": {"id": whole["customer"]["id"]}, **named})


def contact_row(new: NewContact, kept: Kept[Contact], signals: bytes) -> Mapping[str, Any]:
    """A contact as it is stored."""
    state = kept.now
    return {
        "id": kept.id,
        "source": state.source,
        "source_event_id": state.source_event_id,
        "customer_id": state.customer_id,
        "conversation_id": state.conversation_id,
        "occurred_at": state.occurred_at,
        "received_at": state.received_at,
        "cause": state.cause,
        "responder_id": state.responder_id,
        "responses": state.responses,
        "version": kept.version,
        "chain": kept.chain,
        "posted": new.posted,
        "signals": signals,
    }
