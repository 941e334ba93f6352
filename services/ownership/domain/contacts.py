"""What a contact or a response means: it opens a complaint or joins one, finds an owner, meets clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from shared.contracts import ownership as said
from shared.contracts.intake import Amount, ContactCaptured, ContactHeardAgain, ContactResponded
from shared.policy import Facts, Policy

from . import clocks
from .due import resume, work_through
from .repeating import repeat_of
from .state import Complaint
from .story import Story, at_stake, ids, opening

#: who acts when the customer does
BY_CUSTOMER = "customer"

Because = Literal["reference", "conversation", "cause"]


def spoke_at(contact: ContactCaptured | ContactResponded, now: datetime) -> datetime:
    """When it was said: never later than receipt, never later than now."""
    return min(contact.occurred_at, contact.received_at, now)


def heard_at(contact: ContactCaptured | ContactResponded, now: datetime) -> datetime:
    """When we learnt of it: intake's clock may be ahead of ours."""
    return min(contact.received_at, now)


def joins(contact: ContactCaptured, complaints: Sequence[Complaint]) -> tuple[Complaint, Because] | None:
    """The open or answered complaint that a contact belongs to: the one it names, else of its conversation, else of
    its cause; the youngest of several."""
    there = [one for one in complaints if one.status != "closed"]
    rules: list[tuple[Because, list[Complaint]]] = [
        ("reference", [one for one in there if _named(one, contact.references)]),
        ("conversation", [one for one in there if contact.conversation_id in one.conversations]),
        ("cause", [one for one in there if contact.cause is not None and one.cause == contact.cause]),
    ]
    for because, found in rules:
        if found:
            return max(found, key=lambda one: (one.opened_at, one.id)), because
    return None


def _named(complaint: Complaint, references: Sequence[str]) -> bool:
    """Whether a contact calls it by its reference, or by that of a complaint that it goes on with."""
    return complaint.reference in references or any(name in references for name in complaint.known_as)


def threat_of(contact: ContactCaptured) -> Literal["certain", "likely", "possible"] | None:
    """How sure it is that the customer threatens to leave; a caller's plain yes is certain."""
    verdict = contact.departure_threat
    if verdict.value:
        return verdict.tier if verdict.tier in ("certain", "likely") else "certain"
    return "possible" if verdict.value is None and verdict.tier == "possible" else None


def opens(contact: ContactCaptured) -> Literal["complaint", "perhaps_a_complaint", "departure_threat"] | None:
    """Why a contact opens a complaint, if it does."""
    if contact.complaint.value:
        return "complaint"
    if threat_of(contact) in ("certain", "likely"):
        return "departure_threat"
    return "perhaps_a_complaint" if contact.complaint.value is None else None


def decide_opening(
    contact: ContactCaptured,
    complaints: Sequence[Complaint],
    now: datetime,
    policy: Policy,
    *,
    complaint_id: str,
    reference: str,
) -> Story | None:
    """A complaint of this contact; None if it is none and threatens nothing."""
    because = opens(contact)
    if because is None:
        return None
    start = clocks.start_of(contact.occurred_at, heard_at(contact, now), policy.accept_late.delta)
    tier, region = policy.tier(contact.tier), policy.region(contact.region)
    responder = contact.responder_id
    facts = Facts(
        tier=tier,
        region=region,
        product=contact.product,
        cause=contact.cause,
        need=contact.need,
        channel=contact.channel,
    )
    live = responder is not None and contact.channel in clocks.LIVE_CHANNELS
    changes = clocks.fresh(policy, facts, region, 1, start, owned=responder is not None, live=live)
    again = repeat_of(contact.cause, start, policy, complaints)
    story = opening(
        said.ComplaintOpened(
            complaint_id=complaint_id,
            customer_id=contact.customer_id,
            at=now,
            clocks=tuple(changes),
            reference=reference,
            contact_id=contact.contact_id,
            conversation_id=contact.conversation_id,
            because=because,
            channel=contact.channel,
            tier=tier,
            region=region,
            product=contact.product,
            cause=contact.cause,
            need=contact.need,
            locale=contact.locale,
            value_at_stake=contact.lifetime_value,
            departure_threat=threat_of(contact) in ("certain", "likely"),
            repeat_of=again.id if again else None,
            first_contact_at=spoke_at(contact, now),
            policy_version=policy.version,
        ),
        by=BY_CUSTOMER,
        why=_WHY_OPENED[because] + (_JOINS_NONE if any(one.status != "closed" for one in complaints) else ""),
    )
    if responder is not None:
        event = said.OwnerAssigned(**ids(story.state, now), owner_id=responder, because="first_responder")
        story.tell(event, by=responder, why="took the first contact")
    _tell_threat(story, contact, now)
    if again is not None:
        story.tell(said.Repeated(**ids(story.state, now), repeat_of=again.id, cause=contact.cause), by=BY_CUSTOMER)
    return story


def apart(whose: str, customer_id: str) -> str | None:
    """The id under which a contact came, where that is not the one of its complaint."""
    return None if whose == customer_id else whose


_WHY_OPENED = {
    "complaint": "it is a complaint",
    "perhaps_a_complaint": "it may be a complaint",
    "departure_threat": "it threatens to leave",
}
_JOINS_NONE = ", and it names none of the customer's open complaints and shares neither conversation nor cause with one"


def decide_joining(
    state: Complaint, because: Because, contact: ContactCaptured, now: datetime, policy: Policy
) -> Story:
    """A contact becomes part of a complaint. It moves no owner; on a live channel it is a response as well."""
    story = Story(state)
    at = spoke_at(contact, now)
    responder = contact.responder_id
    live = responder is not None and contact.channel in clocks.LIVE_CHANNELS
    if responder is not None:
        work_through(story, policy, at, now)
    story.tell(
        said.ContactJoined(
            **ids(state, at),
            contact_id=contact.contact_id,
            contact_customer_id=apart(contact.customer_id, state.customer_id),
            conversation_id=contact.conversation_id,
            because=because,
            value_at_stake=_more_at_stake(state, contact),
            clocks=tuple(clocks.spoken(story.state, policy, at, heard_at=heard_at(contact, now))) if live else (),
        ),
        by=BY_CUSTOMER,
        why=_WHY_JOINED[because],
    )
    if responder is not None and story.state.owner_id is None and state.status == "open":
        assign(story, responder, "first_response" if live else "first_responder", at)
    elif responder is not None:
        _tell_earlier(story, responder, at, now, contact_id=contact.contact_id)
    _tell_threat(story, contact, now)
    return story


def _more_at_stake(state: Complaint, contact: ContactCaptured) -> Amount | None:
    """What the customer is worth, where that was not known when the complaint was opened, or is more by now."""
    known, value = at_stake(state), contact.lifetime_value
    if value is None or known is None:
        return value
    more = value.currency == known.currency and Decimal(value.amount) > Decimal(known.amount)
    return value if more else None


_WHY_JOINED = {
    "reference": "it names this complaint",
    "conversation": "it belongs to the same conversation",
    "cause": "it has the same cause",
}


def _tell_threat(story: Story, contact: ContactCaptured, now: datetime) -> None:
    tier = threat_of(contact)
    if tier is None or (tier == "possible" and story.state.departure_threat):
        return
    event = said.DepartureThreatened(**ids(story.state, now), contact_id=contact.contact_id, tier=tier, because="heard")
    story.tell(event, by=BY_CUSTOMER, why="to be confirmed or dismissed" if tier == "possible" else None)


def decide_heard_again(state: Complaint, contact: ContactHeardAgain, now: datetime) -> Story:
    """A threat that was heard only now. What an agent has said of it meanwhile stands."""
    story = Story(state)
    if "departure_threat" not in contact.changed or state.departure_threat:
        return story
    waits = state.departure_possible is not None
    if waits == (threat_of(contact) in ("certain", "likely")):
        _tell_threat(story, contact, now)
    return story


def assign(
    story: Story,
    agent_id: str,
    because: Literal["first_responder", "claimed", "first_response", "same_owner"],
    at: datetime,
) -> None:
    """Gives an unowned complaint its owner, who from then on changes only by succession."""
    state = story.state
    event = said.OwnerAssigned(
        **ids(state, at),
        owner_id=agent_id,
        because=because,
        clocks=tuple(clocks.met(state, ("claim",), at)),
    )
    story.tell(event, by=agent_id, why=because.replace("_", " "))


def _tell_earlier(
    story: Story, responder: str, at: datetime, now: datetime, *, contact_id: str, response_id: str | None = None
) -> None:
    """Somebody had answered before the one who became the owner. The owner stays; people are told."""
    state = story.state
    if state.first_owner is None or state.owner_id is None:
        return
    first, since = state.first_owner
    if responder == first or at >= since:
        return
    event = said.EarlierResponseKnown(
        **ids(state, now),
        responder_id=responder,
        responded_at=at,
        owner_id=state.owner_id,
        contact_id=contact_id,
        response_id=response_id,
    )
    story.tell(event, by=responder, why="answered earlier than the owner, and is known only now: the owner stays")


def answered_by(response: ContactResponded, complaints: Sequence[Complaint]) -> Complaint | None:
    """The complaint, not closed, that a response belongs to: that of its contact, else that of its conversation."""
    there = [one for one in complaints if one.status != "closed"]
    live = [one for one in there if response.contact_id in one.contacts]
    if not live and response.conversation_id is not None:
        live = [
            one
            for one in there
            if response.conversation_id in one.conversations and one.first_contact_at <= response.occurred_at
        ]
    return max(live, key=lambda one: (one.opened_at, one.id), default=None)


def decide_response_to_closed(
    response: ContactResponded, complaints: Sequence[Complaint], now: datetime
) -> Story | None:
    """A response to a contact of a closed complaint counts for nothing any more; that it was earlier is told."""
    closed = [one for one in complaints if one.status == "closed" and response.contact_id in one.contacts]
    if not closed:
        return None
    story = Story(max(closed, key=lambda one: (one.opened_at, one.id)))
    at = max(spoke_at(response, now), story.state.first_contact_at)
    _tell_earlier(
        story, response.responder_id, at, now, contact_id=response.contact_id, response_id=response.response_id
    )
    return story


def decide_response(state: Complaint, response: ContactResponded, now: datetime, policy: Policy) -> Story:
    """A human answered the customer: an unowned complaint has its owner, and clocks are met, whoever it was."""
    story = Story(state)
    at = max(spoke_at(response, now), state.first_contact_at)
    work_through(story, policy, at, now)
    if story.state.owner_id is None:
        assign(story, response.responder_id, "first_response", at)
    else:
        _tell_earlier(
            story, response.responder_id, at, now, contact_id=response.contact_id, response_id=response.response_id
        )
    event = said.CustomerUpdated(
        **ids(state, at),
        by_id=response.responder_id,
        how="response",
        response_id=response.response_id,
        clocks=tuple(clocks.spoken(story.state, policy, at, heard_at=heard_at(response, now))),
    )
    story.tell(event, by=response.responder_id)
    return story


def decide_customer_contact(state: Complaint, contact: ContactCaptured, now: datetime, policy: Policy) -> Story:
    """Any word of the customer ends a pause, whichever complaint it is about."""
    story = Story(state)
    at = spoke_at(contact, now)
    work_through(story, policy, at, now)
    if story.state.pause is not None:
        resume(story, policy, max(at, story.state.pause.since), "customer_contact", by=BY_CUSTOMER)
    return story
