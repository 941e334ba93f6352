"""What people and tools ask of intake, read and heard, ready to be decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake.signals import Caller, Signals
from shared.contracts.intake import Channel

from .customer import Profile


@dataclass(frozen=True, slots=True)
class Person:
    """A human who answers customers."""

    id: str
    name: str | None = None
    email: str | None = None


# not frozen: that would cost as much as reading its JSON
@dataclass(slots=True)
class NewContact:
    """A customer said something. `posted` is the whole of it as JSON; `profile` has the customer's fields that were
    given; `signals` is what was heard without looking at earlier contacts; `envelope` is the digest of the event that
    brought it, if one did."""

    contact_id: str
    source: str
    source_event_id: str
    occurred_at: datetime
    channel: Channel
    customer_id: str
    profile: Mapping[str, Any]
    responder: Person | None
    conversation_id: str | None
    product: str | None
    subject: str
    text: str
    references: tuple[str, ...]
    caller: Caller
    signals: Signals
    posted: bytes
    envelope: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewResponse:
    """A human answered the customer of a contact. `scope` is the conversation, or the contact where there is none:
    within it a `source_event_id` is one response."""

    response_id: str
    contact_id: str
    customer_id: str
    source: str
    scope: str
    source_event_id: str
    responder: Person
    occurred_at: datetime
    text: str | None


@dataclass(frozen=True, slots=True)
class NewProfile:
    """What a CRM says of a customer, as of `occurred_at`. Fields that are not in `fields` are left as they are."""

    customer_id: str
    fields: Mapping[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """A customer's id is that of the same person as `into`; None takes the two apart again."""

    customer_id: str
    into: str | None


@dataclass(frozen=True, slots=True)
class Carried:
    """What is known of the same person under another id."""

    customer_id: str
    profile: Profile


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody else hears in a contact's text, asked afterwards. `quote` is a stretch of the text itself."""

    contact_id: str
    customer_id: str
    model: str
    complaint: bool | None
    departure_threat: bool | None
    cause: str | None
    quote: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Erase:
    """A customer is to be forgotten."""

    customer_id: str
