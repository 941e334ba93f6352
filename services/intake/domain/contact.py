"""A contact: what is announced of it, and who answered it first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from services.intake.signals import Signals
from shared.contracts.intake import (
    ContactCaptured,
    ContactHeardAgain,
    ContactResponded,
    DepartureVerdict,
    RepeatVerdict,
    Verdict,
)

from .commands import NewContact, NewResponse
from .customer import Standing


@dataclass(slots=True)
class Contact:
    """What intake knows of a contact besides its words. `responder_id` is the first human who answered, for good."""

    customer_id: str
    source: str
    source_event_id: str
    conversation_id: str | None
    occurred_at: datetime
    received_at: datetime
    cause: str | None
    responder_id: str | None
    responses: int = 0


def capture(
    new: NewContact, signals: Signals, standing: Standing, product: str | None, now: datetime
) -> ContactCaptured:
    """The event of a new contact. What it does not say of the customer is taken from what is known."""
    given = new.profile
    trouble, leaving, again = signals.complaint, signals.departure_threat, signals.repeat
    # verdicts as plain mappings: checked with the rest in one go, which halves what an event costs
    return ContactCaptured(
        customer_id=new.customer_id,
        contact_id=new.contact_id,
        source=new.source,
        source_event_id=new.source_event_id,
        occurred_at=new.occurred_at,
        received_at=now,
        channel=new.channel,
        conversation_id=new.conversation_id,
        references=new.references,
        responder_id=new.responder.id if new.responder else None,
        product=product,
        cause=signals.cause.value,
        need=signals.need,
        tier=given.get("tier") or standing.tier,
        region=given.get("region") or standing.region,
        locale=given.get("locale") or standing.locale,
        lifetime_value=given.get("lifetime_value") or standing.lifetime_value,
        complaint=cast(Verdict, {"value": trouble.value, "score": trouble.score}),
        departure_threat=cast(DepartureVerdict, {"value": leaving.value, "score": leaving.score, "tier": leaving.tier}),
        repeat=cast(RepeatVerdict, {"value": again.value, "score": again.score, "of": again.of}),
        signals_version=signals.version,
    )


def respond(contact: Contact, new: NewResponse, now: datetime) -> ContactResponded:
    """The event of a response: the first one to a contact that nobody had taken fills its responder."""
    return ContactResponded(
        customer_id=contact.customer_id,
        contact_id=new.contact_id,
        response_id=new.response_id,
        responder_id=new.responder.id,
        occurred_at=new.occurred_at,
        received_at=now,
        conversation_id=contact.conversation_id,
        first=contact.responder_id is None,
    )


def evolve_contact(state: Contact | None, event: ContactCaptured | ContactHeardAgain | ContactResponded) -> Contact:
    """Folds an event into a contact."""
    if isinstance(event, ContactHeardAgain):
        assert state is not None
        return state
    if isinstance(event, ContactCaptured):
        return Contact(
            event.customer_id,
            event.source,
            event.source_event_id,
            event.conversation_id,
            event.occurred_at,
            event.received_at,
            event.cause,
            event.responder_id,
        )
    assert state is not None
    responder_id = event.responder_id if event.first else state.responder_id
    return replace(state, responder_id=responder_id, responses=state.responses + 1)
