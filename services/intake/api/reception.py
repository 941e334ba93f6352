"""From what was posted to what is decided on: reads a contact, hears it, and gives it an id.

The one way in for contacts and responses, whichever door they come through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.domain import PROFILE, NewContact, NewResponse, Person, references_in
from services.intake.listening import Ears
from services.intake.signals import Caller
from shared.contracts.envelope import new_id
from shared.contracts.intake import Amount
from shared.fields import Money

from .bodies import ContactBody, CustomerPart, ProfileBody, ResponderPart, ResponseBody


def read_contact(body: ContactBody, ears: Ears, envelope: bytes | None = None) -> NewContact:
    """A contact, heard without regard to what the customer said before; `envelope` is the digest of its event."""
    caller = Caller(complaint=body.complaint, departure_threat=body.departure_threat, cause=body.cause, need=body.need)
    text, subject = body.text or "", body.subject or ""
    profile = _profile(body.customer)
    return NewContact(
        contact_id=new_id(),
        source=body.source,
        source_event_id=body.source_event_id,
        occurred_at=body.occurred_at,
        channel=body.channel,
        customer_id=body.customer.id,
        profile=profile,
        responder=None if body.responder is None else _person(body.responder),
        conversation_id=body.conversation_id,
        product=body.product,
        subject=subject,
        text=text,
        references=references_in((body.regarding, subject, text)),
        caller=caller,
        signals=ears.hear(text, subject, profile.get("locale"), caller),
        posted=body.model_dump_json(exclude_none=True).encode(),
        envelope=envelope,
    )


def read_response(body: ResponseBody, contact_id: str, where: Any) -> NewResponse:
    """A response to a contact; `where` tells whose it is, of which source and conversation."""
    return NewResponse(
        response_id=new_id(),
        contact_id=contact_id,
        customer_id=where.customer_id,
        source=where.source,
        scope=where.conversation_id or contact_id,
        source_event_id=body.source_event_id,
        responder=_person(body.responder),
        occurred_at=body.occurred_at,
        text=body.text,
    )


def fields_of(body: ProfileBody) -> Mapping[str, Any]:
    """The fields that a profile states, also those that it states to be nothing."""
    return {name: _value(getattr(body, name)) for name in PROFILE if name in body.model_fields_set}


def _profile(customer: CustomerPart) -> dict[str, Any]:
    given = {}
    for name in customer.model_fields_set:
        if name != "id" and (value := _value(getattr(customer, name))) is not None:
            given[name] = value
    return given


def _value(value: Any) -> Any:
    if isinstance(value, Money):
        return Amount(amount=format(value.amount, "f"), currency=value.currency)
    return value or None


def _person(part: ResponderPart) -> Person:
    return Person(part.id, part.name or None, part.email or None)
