"""What a complaint is and what happens to it while it is open: contacts, words, clocks, pauses."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.intake import Amount, Channel, Need

from .complaint import ComplaintEvent


class ComplaintOpened(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.opened"

    reference: str
    #: the contact that it is about; one that `follows` another is about the contact in which the trouble was first told
    contact_id: str
    #: where the contact came under another id of the same person
    contact_customer_id: str | None = None
    conversation_id: str | None = None
    #: why it was opened
    because: Literal["complaint", "perhaps_a_complaint", "departure_threat", "still_not_solved", "split"]
    channel: Channel
    tier: str
    region: str
    product: str | None = None
    cause: str | None = None
    need: Need | None = None
    locale: str | None = None
    value_at_stake: Amount | None = None
    departure_threat: bool = False
    repeat_of: str | None = None
    #: the complaint that was closed too long ago to be reopened by the customer's no
    follows: str | None = None
    #: the complaint that some of its contacts were taken out of
    split_from: str | None = None
    #: references of other complaints by which the customer may call this one
    known_as: tuple[str, ...] = ()
    first_contact_at: AwareDatetime
    policy_version: str


class ContactJoined(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.contact_joined"

    contact_id: str
    conversation_id: str | None = None
    because: Literal["reference", "conversation", "cause", "merged", "split"]
    #: where the contact came under another id of the same person
    contact_customer_id: str | None = None
    #: where more is at stake than was known before
    value_at_stake: Amount | None = None


class Acknowledged(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.acknowledged"

    by_id: str


class CustomerUpdated(ComplaintEvent):
    """A human told the customer where things stand."""

    TYPE: ClassVar[str] = "complaint.customer_updated"

    by_id: str
    how: Literal["update", "response"]
    response_id: str | None = None


class Classified(ComplaintEvent):
    """An agent said what it is: only the fields that changed are set; `changed` names them."""

    TYPE: ClassVar[str] = "complaint.classified"

    by_id: str
    changed: tuple[str, ...]
    cause: str | None = None
    product: str | None = None
    need: Need | None = None
    complaint: bool | None = None
    departure_threat: bool | None = None
    #: null where it turned out to repeat nothing
    repeat_of: str | None = None
    #: all contacts of the complaint, so that a promise watch can judge them anew
    contact_ids: tuple[str, ...] = ()


class Paused(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.paused"

    until: AwareDatetime
    by_id: str
    #: who owns it as it is paused: pauses are counted by owner, so that none hides a breach unseen
    owner_id: str | None = None


class Resumed(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.resumed"

    because: Literal["asked", "until", "customer_contact"]


class ClockWarned(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.clock_warned"

    kind: str
    cycle: int
    due_at: AwareDatetime
    percent: int
    owner_id: str | None = None


class ClockBreached(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.clock_breached"

    kind: str
    cycle: int
    due_at: AwareDatetime
    percent: int = 100
    owner_id: str | None = None


class DepartureThreatened(ComplaintEvent):
    """The customer may leave: never a bluff."""

    TYPE: ClassVar[str] = "complaint.departure_threatened"

    contact_id: str | None = None
    tier: Literal["certain", "likely", "possible"]
    because: Literal["heard", "agent"]


class Repeated(ComplaintEvent):
    """The same customer, the same cause, again within the policy's window."""

    TYPE: ClassVar[str] = "complaint.repeated"

    repeat_of: str
    cause: str | None = None


class EscalationAsked(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.escalation_asked"

    by: Literal["customer", "agent", "supervisor"]
