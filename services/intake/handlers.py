"""One function per command: look up, decide, announce. What they decide by is in `domain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from services.intake import domain
from services.intake.domain import (
    Carried,
    Contact,
    Erase,
    Merge,
    NewContact,
    NewProfile,
    NewResponse,
    Opinion,
    Standing,
)
from services.intake.store import Book, Customer
from shared.contracts.envelope import full_type
from shared.contracts.ownership import Classified
from shared.refusal import Refusal
from shared.work import Kept, Work

#: `work.ring` of what another id of the same person is to hear
MERGED: Final = "intake_merged"
#: rung when a correction is kept
CORRECTED: Final = "intake_corrected"
#: rung when somebody else is to be asked about a contact
DOUBTED: Final = "intake_doubted"
#: rung when a customer is erased
ERASED: Final = "intake_erased"
_NO_CONTACT: Final = Refusal("not-found", "There is no such contact.", 404)
_NO_CUSTOMER: Final = Refusal("not-found", "There is no such customer.", 404)
_CONFUSED: Final = Refusal("customer-id-taken", "This customer id is the id of a contact.", 422)


@dataclass(slots=True)
class Taken:
    """A contact that is kept now, or was before; `signals` is JSON."""

    contact_id: str
    received_at: datetime
    signals: bytes
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Responded:
    """A response that is kept now, or was before."""

    contact_id: str
    response_id: str
    received_at: datetime
    first: bool
    duplicate: bool


def on_contact(book: Book, work: Work, new: NewContact) -> Taken | Refusal:
    """A customer said something; the same identity again changes nothing."""
    there = book.there(new)
    if there is not None:
        book.came_in(new.envelope, there)
        return Taken(there.contact_id, there.received_at, there.signals, duplicate=True)
    if new.customer_id in book.confused:
        return _CONFUSED
    customer = book.customer(new.customer_id)
    if new.profile:
        _learn(work, customer, new.profile, new.occurred_at)
    if new.responder is not None and (new.responder.name is not None or new.responder.email is not None):
        book.meets(new.responder, min(new.occurred_at, work.now))
    signals = book.compared.get(new.contact_id, new.signals)
    product = new.product or book.ears.product_of(signals.cause.value)
    kept: Kept[Contact] = Kept(new.contact_id, new.customer_id)
    event = domain.capture(new, signals, customer.standing, product, work.now)
    work.announce(kept, event, domain.evolve_contact)
    answer = orjson.dumps(signals)
    book.took(new, kept, answer)
    if (doubts := book.ears.doubts) is not None and doubts(new, signals, work.now):
        book.doubtful.append({"contact_id": new.contact_id, "customer_id": new.customer_id, "due_at": work.now})
        work.ring(DOUBTED)
    return Taken(new.contact_id, work.now, answer, duplicate=False)


def on_response(book: Book, work: Work, new: NewResponse) -> Responded | Refusal:
    """A human answered a customer; the same identity again changes nothing."""
    there = book.responses.get((new.source, new.scope, new.source_event_id))
    if there is not None:
        response_id, contact_id, received_at, first = there
        return Responded(contact_id, response_id, received_at, first, duplicate=True)
    kept = book.contacts.get(new.contact_id)
    if kept is None:
        return _NO_CONTACT
    if new.responder.name is not None or new.responder.email is not None:
        book.meets(new.responder, min(new.occurred_at, work.now))
    event = domain.respond(kept.now, new, work.now)
    work.announce(kept, event, domain.evolve_contact, by=new.responder.id)
    book.responded.append((new, event))
    key = (new.source, new.scope, new.source_event_id)
    book.responses[key] = (new.response_id, new.contact_id, work.now, event.first)
    return Responded(new.contact_id, new.response_id, work.now, event.first, duplicate=False)


def on_profile(book: Book, work: Work, new: NewProfile) -> Customer | Refusal:
    """A CRM says who a customer is; what it said later on stays."""
    if new.customer_id in book.confused:
        return _CONFUSED
    customer = book.customer(new.customer_id)
    _learn(work, customer, new.fields, new.occurred_at)
    customer.known = customer.changed = True
    return customer


def on_erase(book: Book, work: Work, erase: Erase) -> datetime | Refusal:
    """A customer is forgotten here, and everybody else is told to."""
    customer = book.customer(erase.customer_id)
    if not customer.known:
        return _NO_CUSTOMER
    # known as of now to be nothing: what was said before, and arrives later, brings nothing back
    customer.profile = domain.Profile({}, dict.fromkeys(domain.PROFILE, work.now))
    customer.changed = True
    work.announce(customer.kept, domain.erase(erase.customer_id, work.now), domain.evolve_customer)
    book.forget(erase.customer_id)
    work.ring(ERASED)
    return work.now


def on_merge(book: Book, work: Work, merge: Merge) -> Customer | Refusal:
    """Two ids are one person's: what is known under either is known under both from now on. Contacts and complaints
    stay under the id that they came with, and so does whoever owns them. It is told under every id that it concerns."""
    customer = book.customer(merge.customer_id)
    if not customer.known:
        return _NO_CUSTOMER
    if merge.into is not None:
        other = book.customer(merge.into)
        if not other.known:
            return Refusal("not-found", "There is no such customer to merge into.", 404)
        if other.merged_into == customer.kept.id:
            return Refusal("already-merged", "The two are one already: that one was merged into this one.", 409)
        work.ring(MERGED)
    before = customer.merged_into
    customer.merged_into, customer.changed = merge.into, True
    if merge.into == before and (before is None or customer.merged):
        return customer  # nothing that was not told
    customer.merged += 1
    for one in dict.fromkeys((merge.customer_id, before, merge.into)):
        if one is not None:
            named = book.customer(one)
            event = domain.merging(one, merge.customer_id, merge.into, customer.merged, work.now)
            work.announce(named.kept, event, domain.evolve_customer)
            named.changed = True
    return customer


def on_carried(book: Book, work: Work, carried: Carried) -> None:
    """The same person, under another id, is known better."""
    customer = book.customer(carried.customer_id)
    profile = domain.combined(customer.profile, carried.profile)
    if profile is not customer.profile:
        _know(work, customer, profile, max(profile.as_of.values()))


def on_opinion(book: Book, work: Work, opinion: Opinion) -> bool | None:
    """Somebody else says what a text says. Answers whether more is heard now; None where nobody asks any more."""
    there = book.opined.get(opinion.contact_id)
    if there is None or there.heard is not None:
        return None
    there.heard, changed = domain.lifted(there.signals, opinion, work.now)
    if changed:
        event = domain.heard_again(there.told, there.kept.now, there.heard, changed)
        work.announce(there.kept, event, domain.evolve_contact, why="a second opinion")
    return bool(changed)


def on_classified(book: Book, work: Work, event: Classified) -> None:
    """An agent said what a complaint is: its first contact is an example of that.

    A threat to leave may stand in any of the contacts; whether it does is known where there is one alone.
    """
    if not event.contact_ids:
        return
    threat = event.departure_threat if len(event.contact_ids) == 1 else None
    said = {"cause": event.cause, "complaint": event.complaint, "departure_threat": threat}
    if all(value is None for value in said.values()):
        return
    first = event.contact_ids[0]
    row = book.corrected.setdefault(first, {"contact_id": first, **dict.fromkeys(said), "at": work.now})
    row.update({name: value for name, value in said.items() if value is not None})
    work.ring(CORRECTED)


def _learn(work: Work, customer: Customer, given: Mapping[str, Any], occurred_at: datetime) -> None:
    # a statement from the future would keep all others out until then
    at = min(occurred_at, work.now)
    profile = domain.merged(customer.profile, given, at)
    if profile is customer.profile:
        return
    _know(work, customer, profile, at)
    if customer.merged_into is not None:
        work.ring(MERGED)


def _know(work: Work, customer: Customer, profile: domain.Profile, at: datetime) -> None:
    customer.profile, customer.changed = profile, True
    kept: Kept[Standing] = customer.kept
    event = domain.profiled(kept.id, customer.standing, profile, at)
    if event is not None:
        work.announce(kept, event, domain.evolve_customer)


#: what intake reads of ownership, by its full type
REGISTRY: Final = {full_type(Classified): (Classified, on_classified)}
