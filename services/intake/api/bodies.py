"""What may be posted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from shared.contracts.intake import Channel, Need
from shared.fields import Body, Id, Ident, Instant, Money, Text

#: code points of what somebody said
MOST_TEXT = 100_000
#: contacts of one batch
MOST_ITEMS = 1_000

Code = Annotated[str, Text(100, line=True)]
Line = Annotated[str, Text(320, blank=True, line=True)]
#: kept as it was said: places in it are counted from its very beginning
Words = Annotated[str, Field(max_length=MOST_TEXT)]
Attribute = Annotated[str, Field(max_length=2_000)] | int | float | bool | None


class CustomerPart(Body):
    """Who speaks. Only the id is needed; what else is given is learned, as of `occurred_at`."""

    id: Id
    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    tier: Code | None = None
    region: Code | None = None
    locale: Code | None = None
    lifetime_value: Money | None = None


class ResponderPart(Body):
    """A human who answers customers."""

    id: Id
    name: Line | None = None
    email: Line | None = None


class ContactBody(Body):
    """A customer said something. `responder` is the human who took the contact; absent if nobody has yet.
    `complaint` and `departure_threat` are believed; left out, they are decided here."""

    source: Annotated[str, Ident(100)]
    source_event_id: Id
    occurred_at: Instant
    channel: Channel
    customer: CustomerPart
    responder: ResponderPart | None = None
    conversation_id: Id | None = None
    regarding: Line | None = None
    subject: Annotated[str, Field(max_length=1_000)] | None = None
    text: Words | None = None
    product: Code | None = None
    cause: Code | None = None
    need: Need | None = None
    complaint: bool | None = None
    departure_threat: bool | None = None
    remedy_sought: Annotated[str, Field(max_length=5_000)] | None = None
    attributes: Annotated[dict[Code, Attribute], Field(max_length=50)] | None = None


class ResponseBody(Body):
    """A human's message to the customer. Never an automatic one."""

    responder: ResponderPart
    occurred_at: Instant
    source_event_id: Id
    text: Words | None = None


class ProfileBody(Body):
    """What a CRM knows of a customer, as of `occurred_at` (else now). What is left out stays as it is; null takes it
    away. Older word never undoes newer."""

    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    tier: Code | None = None
    region: Code | None = None
    locale: Code | None = None
    lifetime_value: Money | None = None
    occurred_at: Instant | None = None


class ProfileItem(ProfileBody):
    """One of many."""

    id: Id


class MergeBody(Body):
    """The id of the same person that stays in use; null where the two turn out to be two."""

    into: Id | None


class SignalItem(Body):
    """A text to be heard; with `customer_id` it is compared with that customer's contacts."""

    text: Words
    locale: Code | None = None
    customer_id: Id | None = None


class SignalsBody(Body):
    items: Annotated[list[SignalItem], Field(max_length=MOST_ITEMS)]


PROFILE: TypeAdapter[ProfileItem] = TypeAdapter(ProfileItem)
CONTACT: TypeAdapter[ContactBody] = TypeAdapter(ContactBody)
