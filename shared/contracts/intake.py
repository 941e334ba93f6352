"""What intake tells the others. Ids, codes and times: the customer's words stay in intake's schema."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.envelope import Event

Channel = Literal["phone", "email", "chat", "sms", "social", "web", "app", "in_person", "letter", "other"]
Need = Literal["must_have", "attractor", "nice_to_have"]


class Amount(BaseModel):
    """Money: a decimal as text, and an ISO 4217 code."""

    model_config = ConfigDict(frozen=True)
    amount: str
    currency: str


class Verdict(BaseModel):
    """What intake heard: true, false, or null for unknown, with its score from 0 to 1."""

    model_config = ConfigDict(frozen=True)
    value: bool | None
    score: float


class DepartureVerdict(Verdict):
    """A threat to leave alerts when certain or likely; `possible` has value null."""

    tier: Literal["certain", "likely", "possible"] | None = None


class RepeatVerdict(Verdict):
    """The same trouble as the earlier contact `of`."""

    of: str | None = None


class ContactCaptured(Event):
    """A customer said something; intake keeps the words and tells what it heard in them."""

    TYPE: ClassVar[str] = "contact.captured"
    SUBJECT: ClassVar[str] = "contact_id"

    contact_id: str
    source: str
    source_event_id: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    channel: Channel
    conversation_id: str | None = None
    #: complaint references that the contact names, in `regarding`, subject or text
    references: tuple[str, ...] = ()
    responder_id: str | None = None
    product: str | None = None
    cause: str | None = None
    need: Need | None = None
    tier: str | None = None
    region: str | None = None
    locale: str | None = None
    lifetime_value: Amount | None = None
    complaint: Verdict
    departure_threat: DepartureVerdict
    repeat: RepeatVerdict
    signals_version: str


class ContactHeardAgain(ContactCaptured):
    """More was heard in a contact than was told at first: all of it as it is known now. What it says of trouble and of
    leaving is never less than before."""

    TYPE: ClassVar[str] = "contact.heard_again"

    #: what was told otherwise before
    changed: tuple[Literal["complaint", "departure_threat"], ...]


class ContactResponded(Event):
    """A human answered the customer in a conversation: never an automatic message."""

    TYPE: ClassVar[str] = "contact.responded"
    SUBJECT: ClassVar[str] = "contact_id"

    contact_id: str
    response_id: str
    responder_id: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    conversation_id: str | None = None
    #: true where this response filled the responder of a contact that had none
    first: bool


class CustomerProfiled(Event):
    """What a customer is to the business, as their CRM or a contact said it."""

    TYPE: ClassVar[str] = "customer.profiled"
    SUBJECT: ClassVar[str] = "customer_id"

    tier: str | None = None
    region: str | None = None
    locale: str | None = None
    lifetime_value: Amount | None = None
    occurred_at: AwareDatetime


class CustomerMerged(Event):
    """Two ids are one person's, or are no longer: `merged_id` was merged into `into_id` (null: taken apart). Told under
    each id that it concerns, so that whatever comes under either of them afterwards comes after it."""

    TYPE: ClassVar[str] = "customer.merged"
    SUBJECT: ClassVar[str] = "customer_id"

    merged_id: str
    into_id: str | None
    #: which word of `merged_id` it is: the last one counts, in whatever order they arrive
    number: int
    at: AwareDatetime

    @property
    def also_concerns(self) -> tuple[str, ...]:
        return tuple(one for one in (self.merged_id, self.into_id) if one is not None)


class CustomerErased(Event):
    """Every service forgets this customer's words, names and addresses."""

    TYPE: ClassVar[str] = "customer.erased"
    SUBJECT: ClassVar[str] = "customer_id"

    erased_at: AwareDatetime


EVENTS: tuple[type[Event], ...] = (
    ContactCaptured,
    ContactHeardAgain,
    ContactResponded,
    CustomerProfiled,
    CustomerMerged,
    CustomerErased,
)
