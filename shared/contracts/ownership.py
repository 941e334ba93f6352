"""What ownership tells the others: who holds a complaint, what is due, what was missed, what was answered.

Every event of a complaint may move its clocks: `clocks` says which, so that the complaint is the fold of its events.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.envelope import Event
from shared.contracts.intake import Amount, Channel, Need

Basis = Literal["accepted", "silent", "withdrawn", "not_a_complaint", "merged"]
#: by which way a customer said no to what was closed
NoThrough = Literal["tool", "page", "follow_up"]
Outcome = Literal["upheld", "partly_upheld", "not_upheld"]


class ClockChange(BaseModel):
    """One clock started, met, moved (by a pause) or stopped (no longer owed)."""

    model_config = ConfigDict(frozen=True)
    change: Literal["started", "met", "moved", "stopped"]
    kind: str
    cycle: int
    at: AwareDatetime
    due_at: AwareDatetime | None = None
    hours: Literal["business", "calendar"] | None = None
    #: instants at which a warning is due, with the percentage used up by then
    warnings: tuple[tuple[int, AwareDatetime], ...] = ()
    paused_seconds: float = 0
    #: of a clock that comes from another complaint: it was missed there
    breached_at: AwareDatetime | None = None


class ComplaintEvent(Event):
    """What all events of a complaint have."""

    SUBJECT: ClassVar[str] = "complaint_id"

    complaint_id: str
    at: AwareDatetime
    clocks: tuple[ClockChange, ...] = ()
    #: the owner, where their deputy acted
    on_behalf_of: str | None = None


class ComplaintOpened(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.opened"

    reference: str
    #: the contact that it is about; one that `follows` another is about the contact in which the trouble was first told
    contact_id: str
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


class OwnerAssigned(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.owner_assigned"

    owner_id: str
    because: Literal["first_responder", "claimed", "first_response", "same_owner"]


class EarlierResponseKnown(ComplaintEvent):
    """Somebody answered the customer before whoever became the owner; it is known only now, and moves nothing."""

    TYPE: ClassVar[str] = "complaint.earlier_response_known"

    responder_id: str
    responded_at: AwareDatetime
    owner_id: str
    contact_id: str
    response_id: str | None = None


class Acknowledged(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.acknowledged"

    by_id: str


class CustomerUpdated(ComplaintEvent):
    """A human told the customer where things stand."""

    TYPE: ClassVar[str] = "complaint.customer_updated"

    by_id: str
    how: Literal["update", "response"]
    response_id: str | None = None


class HelperAsked(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_asked"

    n: int
    helper_id: str
    by_id: str
    #: when the question goes back to who asked, and when the helper is reminded before
    due_at: AwareDatetime | None = None
    remind_at: tuple[AwareDatetime, ...] = ()


class HelperReminded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_reminded"

    n: int
    helper_id: str
    due_at: AwareDatetime


class HelperTimedOut(ComplaintEvent):
    """The question goes back unanswered to whoever holds the complaint."""

    TYPE: ClassVar[str] = "complaint.helper_timed_out"

    n: int
    helper_id: str
    owner_id: str | None = None


class HelperReplied(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_replied"

    n: int
    helper_id: str


class DeputyStarted(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.deputy_started"

    deputy_id: str
    until: AwareDatetime
    by_id: str
    #: asked for by a supervisor, or why the policy chose somebody
    because: Literal["asked", "inactive", "absent", "off_shift"] = "asked"


class DeputyEnded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.deputy_ended"

    deputy_id: str
    because: Literal["until", "ended", "succession", "closed", "owner_back", "unavailable"]
    by_id: str
    #: the policy chooses nobody before then: a supervisor wanted it so
    none_until: AwareDatetime | None = None


class SuccessionAsked(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.succession_asked"

    from_id: str | None
    #: null while a supervisor has yet to name the successor
    to_id: str | None
    reason: str
    by_id: str


class SuccessionWithdrawn(ComplaintEvent):
    """What was asked is asked no more; the owner stays."""

    TYPE: ClassVar[str] = "complaint.succession_withdrawn"

    from_id: str | None
    to_id: str | None
    because: Literal["owner_active", "asked"]
    by_id: str


class OwnerSucceeded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.owner_succeeded"

    from_id: str
    to_id: str
    reason: Literal["left_company", "role_ended", "conflict_of_interest", "customer_asked"]
    by_id: str


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


class Answered(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.answered"

    by_id: str
    outcome: Outcome
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


EVENTS: tuple[type[Event], ...] = (
    ComplaintOpened,
    ContactJoined,
    OwnerAssigned,
    EarlierResponseKnown,
    Acknowledged,
    CustomerUpdated,
    HelperAsked,
    HelperReminded,
    HelperTimedOut,
    HelperReplied,
    DeputyStarted,
    DeputyEnded,
    SuccessionAsked,
    SuccessionWithdrawn,
    OwnerSucceeded,
    Classified,
    Paused,
    Resumed,
    ClockWarned,
    ClockBreached,
    DepartureThreatened,
    Repeated,
    EscalationAsked,
    Answered,
    Accepted,
    Reopened,
    Continued,
    Merged,
    TookIn,
    Split,
    Closed,
    FollowUpDue,
    FollowedUp,
)
