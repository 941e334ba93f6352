"""What escalation tells the others: who was asked, what came of it, what was promised, kept or broken."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.envelope import Event

Reason = Literal["departure_threat", "clock_breached", "promise_broken", "repeat", "unowned", "asked", "value_at_stake"]


class EscalationEvent(Event):
    """What all events of an escalation have."""

    SUBJECT: ClassVar[str] = "escalation_id"

    escalation_id: str
    complaint_id: str
    at: AwareDatetime


class EscalationRaised(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.raised"

    level: int
    reason: Reason
    executive_id: str
    #: whose place it is, where that person is away or cannot be written to
    instead_of: str | None = None
    #: people of rungs on which nobody is there
    passed_over: tuple[str, ...] = ()
    due_at: AwareDatetime
    policy_version: str
    #: the customer may leave: the answer must ask what would make them stay
    departure_threat: bool = False
    #: the contact and the promise behind the reason, where there is one
    contact_id: str | None = None
    promise_id: str | None = None


class ReasonJoined(EscalationEvent):
    """One more reason for an open escalation; it may lift the level. One that comes when it is answered, and the answer
    has not reached the customer, is raised anew (`later_level`) once it has: it is not covered by that answer."""

    TYPE: ClassVar[str] = "escalation.reason_joined"

    reason: Reason
    level: int
    lifted: bool
    executive_id: str
    instead_of: str | None = None
    passed_over: tuple[str, ...] = ()
    due_at: AwareDatetime
    departure_threat: bool = False
    contact_id: str | None = None
    promise_id: str | None = None
    later_level: int | None = None
    #: who is to be asked then, where the reason has a name
    later_id: str | None = None


class EscalationClimbed(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.climbed"

    from_level: int
    level: int
    executive_id: str
    instead_of: str | None = None
    passed_over: tuple[str, ...] = ()
    due_at: AwareDatetime
    because: Literal["unanswered", "undeliverable"] = "unanswered"


class EscalationRepeated(EscalationEvent):
    """At the top nobody is above: the same person is written to again."""

    TYPE: ClassVar[str] = "escalation.repeated"

    level: int
    executive_id: str
    instead_of: str | None = None
    due_at: AwareDatetime
    times: int


class EscalationForwarded(EscalationEvent):
    """Handed to another executive of the same level; the clock goes on."""

    TYPE: ClassVar[str] = "escalation.forwarded"

    from_id: str
    executive_id: str
    instead_of: str | None = None
    level: int
    due_at: AwareDatetime
    by_id: str


class StoodUnanswered(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.stood_unanswered"

    level: int
    executive_id: str


class Undeliverable(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.undeliverable"

    level: int
    executive_id: str
    #: why mails to this person do not arrive, and since when: of earlier than this where another mail showed it
    because: Literal["refused", "came_back"] | None = None
    since: AwareDatetime | None = None


class EscalationAnswered(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.answered"

    answer_id: str
    executive_id: str
    delegate_of: str | None = None
    level: int
    apology: bool
    stay_asked: bool
    promise_id: str | None = None
    #: something is given besides words
    redress: bool = False


class EscalationDelivered(EscalationEvent):
    """The executive's words reached the customer."""

    TYPE: ClassVar[str] = "escalation.delivered"

    answer_id: str
    through: Literal["mail", "owner"]
    agent_id: str | None = None
    #: told in person: whether the customer said that they have understood it; null where nobody said so
    acknowledged: bool | None = None


class DeliveryFailed(EscalationEvent):
    """No mail brings the answer: the owner is to tell the customer in person. Whatever had ended waits for that."""

    TYPE: ClassVar[str] = "escalation.delivery_failed"

    answer_id: str
    because: Literal["no_address", "refused", "came_back"]
    #: who is to tell the customer; null while nobody owns the complaint
    owner_id: str | None = None


class AnswerUntold(EscalationEvent):
    """The owner was to tell the customer and has not said that they did: they are reminded, and others hear of it."""

    TYPE: ClassVar[str] = "escalation.untold"

    answer_id: str
    owner_id: str | None = None
    times: int


class EscalationEnded(EscalationEvent):
    TYPE: ClassVar[str] = "escalation.ended"

    because: Literal["answer_delivered"] = "answer_delivered"


class PromisedAction(BaseModel):
    """What somebody will do so that it cannot happen again; an owner who is an address is not named here."""

    model_config = ConfigDict(frozen=True)
    n: int
    owner_id: str | None
    due_at: AwareDatetime


class PromiseEvent(Event):
    """What all events of a promise have."""

    SUBJECT: ClassVar[str] = "promise_id"

    promise_id: str
    at: AwareDatetime


class PromiseMade(PromiseEvent):
    TYPE: ClassVar[str] = "promise.made"

    reference: str
    made_by: str
    complaint_id: str | None
    escalation_id: str | None = None
    cause: str
    product: str | None = None
    scope: Literal["customer", "everyone"]
    actions: tuple[PromisedAction, ...] = ()
    watch_until: AwareDatetime
    made_at: AwareDatetime
    #: the promiser's place on the ladder: where a breach goes back to
    level: int = 1
    #: no action comes with it: supervisors are told that it is words alone
    nothing_changes: bool = False


class PromiseActionDone(PromiseEvent):
    TYPE: ClassVar[str] = "promise.action_done"

    n: int
    by_id: str


class PromiseActionMissed(PromiseEvent):
    TYPE: ClassVar[str] = "promise.action_missed"

    n: int
    due_at: AwareDatetime


class PromiseBroken(PromiseEvent):
    """The same cause hurt a customer again: `customer_id` is whom it was made to, `hurt_id` whom it hit."""

    TYPE: ClassVar[str] = "promise.broken"

    contact_id: str
    complaint_id: str | None
    hurt_id: str
    made_by: str
    cause: str


class BreachTakenBack(PromiseEvent):
    TYPE: ClassVar[str] = "promise.breach_taken_back"

    contact_id: str
    by_id: str
    #: `another_customer`: two ids that were merged were taken apart
    because: Literal["cause_changed", "not_a_complaint", "another_customer"]


class PromiseKept(PromiseEvent):
    TYPE: ClassVar[str] = "promise.kept"


EVENTS: tuple[type[Event], ...] = (
    EscalationRaised,
    ReasonJoined,
    EscalationClimbed,
    EscalationRepeated,
    EscalationForwarded,
    StoodUnanswered,
    Undeliverable,
    EscalationAnswered,
    EscalationDelivered,
    DeliveryFailed,
    AnswerUntold,
    EscalationEnded,
    PromiseMade,
    PromiseActionDone,
    PromiseActionMissed,
    PromiseBroken,
    BreachTakenBack,
    PromiseKept,
)
