"""How a complaint ends, goes on elsewhere, and is followed up: the customer's word decides."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.intake import Amount, Need

from .complaint import Basis, ComplaintEvent, NoThrough, Outcome


class Answered(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.answered"

    by_id: str
    outcome: Outcome
    cycle: int


class ExecutiveAsked(ComplaintEvent):
    """Somebody above owes the customer an answer until `due_at`: an escalation was raised, or went to somebody else
    in time."""

    TYPE: ClassVar[str] = "complaint.executive_asked"

    escalation_id: str
    executive_id: str
    level: int
    due_at: AwareDatetime
    cycle: int
    #: whose ladder says until when; null where another event of the escalation has told it
    policy_version: str | None = None


class ExecutiveReplied(ComplaintEvent):
    """An executive answered; the words are on their way to the customer."""

    TYPE: ClassVar[str] = "complaint.executive_replied"

    escalation_id: str
    answer_id: str
    #: null where only the delivery was heard of
    executive_id: str | None = None
    cycle: int


class ExecutiveAnswered(ComplaintEvent):
    """An executive's own words reached the customer, who may say whether they solve it. The owner's are still owed."""

    TYPE: ClassVar[str] = "complaint.executive_answered"

    escalation_id: str
    answer_id: str
    cycle: int


class Accepted(ComplaintEvent):
    """The customer said that it is solved."""

    TYPE: ClassVar[str] = "complaint.accepted"

    cycle: int
    through: Literal["tool", "page"]


class Reopened(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.reopened"

    cycle: int
    through: Literal["tool", "page", "contact", "follow_up", "merge"]


class Continued(ComplaintEvent):
    """The customer said no, too late to reopen: another complaint with the same owner goes on with it."""

    TYPE: ClassVar[str] = "complaint.continued"

    #: the complaint that follows
    to_id: str
    cycle: int
    through: NoThrough


class Merged(ComplaintEvent):
    """It is the same as another complaint: its contacts and what is owed go on there, and it is closed as merged."""

    TYPE: ClassVar[str] = "complaint.merged"

    into_id: str
    by_id: str
    #: who owns the one that goes on
    owner_id: str | None = None


class TookIn(ComplaintEvent):
    """Another complaint was merged into this one. Its contacts follow as joined; `clocks` are those that are stricter
    than its own. Whatever is null or empty stays as it was."""

    TYPE: ClassVar[str] = "complaint.took_in"

    from_id: str
    by_id: str
    conversation_ids: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()
    departure_threat: bool = False
    #: a contact of the other that may threaten to leave
    departure_possible: str | None = None
    cause: str | None = None
    product: str | None = None
    need: Need | None = None
    value_at_stake: Amount | None = None


class Split(ComplaintEvent):
    """Some contacts are about something else: they go on as a complaint of their own."""

    TYPE: ClassVar[str] = "complaint.split"

    into_id: str
    by_id: str
    contact_ids: tuple[str, ...]
    #: conversations of which no contact is left here
    conversation_ids: tuple[str, ...] = ()


class Closed(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.closed"

    basis: Basis
    by_id: str | None = None


class FollowUpDue(ComplaintEvent):
    """The customer is to be visited now: whoever `agent_id` names has until `due_at`."""

    TYPE: ClassVar[str] = "complaint.follow_up_due"

    agent_id: str | None = None
    #: whose visit the policy asks for
    by: Literal["superior", "owner"] = "owner"
    cycle: int = 1
    due_at: AwareDatetime | None = None


class FollowedUp(ComplaintEvent):
    """What the customer said some time after the closing: to a visitor, or on their own page."""

    TYPE: ClassVar[str] = "complaint.followed_up"

    by_id: str
    satisfied: bool
    would_choose_again: bool
    cycle: int = 1
    through: Literal["tool", "page"] = "tool"
