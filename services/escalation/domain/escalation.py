"""An escalation: the state of one, and how each event changes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Event
from shared.contracts.escalation import (
    AnswerUntold,
    DeliveryFailed,
    EscalationAnswered,
    EscalationClimbed,
    EscalationDelivered,
    EscalationEnded,
    EscalationForwarded,
    EscalationRaised,
    EscalationRepeated,
    Reason,
    ReasonJoined,
    StoodUnanswered,
    Undeliverable,
)

#: events by which somebody is asked
_Asking = EscalationRaised | ReasonJoined | EscalationClimbed | EscalationRepeated | EscalationForwarded
#: why no mail brings an answer
Because = Literal["no_address", "refused", "came_back"]
Outcome = Literal["waiting", "unanswered", "answered", "undeliverable", "lifted", "forwarded"]
#: how many steps a state carries; of what repeats at the top for ever, the journal has the rest
MOST_STEPS = 60


class Step(BaseModel):
    """One person asked once: `n` counts from 1 and is the same for ever."""

    model_config = ConfigDict(frozen=True)

    n: int
    level: int
    executive_id: str
    instead_of: str | None = None
    at: datetime
    due_at: datetime
    repeat: bool = False
    outcome: Outcome = "waiting"


class Answer(BaseModel):
    """That somebody answered; the words are kept apart."""

    model_config = ConfigDict(frozen=True)

    id: str
    executive_id: str
    delegate_of: str | None
    level: int
    apology: bool
    stay_asked: bool
    promise_id: str | None
    at: datetime
    delivered_at: datetime | None = None
    through: Literal["mail", "owner"] | None = None
    agent_id: str | None = None
    acknowledged: bool | None = None
    redress: bool = False
    #: why no mail brings it, and since when the owner is to tell it in person; how often they were reminded
    failed: Because | None = None
    failed_at: datetime | None = None
    untold: int = 0


class Later(BaseModel):
    """A reason that came after the answer and before its delivery: it is raised anew once the customer has that."""

    model_config = ConfigDict(frozen=True)

    reason: Reason
    level: int
    executive_id: str | None = None
    contact_id: str | None = None
    promise_id: str | None = None


class Escalation(BaseModel):
    """One escalation of one complaint."""

    model_config = ConfigDict(frozen=True)

    id: str
    complaint_id: str
    customer_id: str
    status: Literal["waiting", "answered", "ended"] = "waiting"
    standing_unanswered: bool = False
    level: int
    reasons: tuple[str, ...]
    executive_id: str
    #: whose place it is, where that person is away or cannot be written to
    instead_of: str | None = None
    due_at: datetime
    departure_threat: bool
    policy_version: str
    raised_at: datetime
    ended_at: datetime | None = None
    #: the contact and the promise that it is about, as far as known
    contact_id: str | None = None
    promise_id: str | None = None
    times: int = 0
    steps_made: int = 1
    steps: tuple[Step, ...]
    answer: Answer | None = None
    later: tuple[Later, ...] = ()

    @property
    def step(self) -> Step:
        """The step that stands now."""
        return self.steps[-1]

    @property
    def meant(self) -> str:
        """Who would be asked now, if they were there."""
        return self.instead_of or self.executive_id

    @property
    def unreachable(self) -> frozenset[str]:
        """People whose address refused."""
        return frozenset(step.executive_id for step in self.steps if step.outcome == "undeliverable")


def of(state: Escalation, at: datetime) -> dict[str, Any]:
    """What every event of an escalation tells: which it is, and when."""
    return {
        "customer_id": state.customer_id,
        "escalation_id": state.id,
        "complaint_id": state.complaint_id,
        "at": at,
    }


def evolve(state: Escalation | None, event: Event) -> Escalation:
    """The escalation after `event`."""
    if isinstance(event, EscalationRaised):
        return _raised(event)
    assert state is not None
    match event:
        case ReasonJoined():
            return _joined(state, event)
        case EscalationClimbed():
            came: Outcome = "undeliverable" if event.because == "undeliverable" else "unanswered"
            return _stepped(state, came, event)
        case EscalationRepeated():
            repeated = _stepped(state, "unanswered", event, repeat=True)
            return repeated.model_copy(update={"times": event.times})
        case EscalationForwarded():
            return _stepped(state, "forwarded", event)
        case StoodUnanswered():
            return state.model_copy(update={"standing_unanswered": True})
        case Undeliverable():
            return state.model_copy(update={"steps": _refused(state.steps, event.executive_id)})
        case EscalationAnswered():
            return _answered(state, event)
        case EscalationDelivered():
            told = {
                "delivered_at": event.at,
                "through": event.through,
                "agent_id": event.agent_id,
                "acknowledged": event.acknowledged,
            }
            return _told(state, told)
        case DeliveryFailed():
            gone = {"delivered_at": None, "through": None, "failed": event.because, "failed_at": event.at}
            return _told(state, gone).model_copy(update={"status": "answered", "ended_at": None})
        case AnswerUntold():
            return _told(state, {"untold": event.times})
        case EscalationEnded():
            return state.model_copy(update={"status": "ended", "ended_at": event.at, "later": ()})
    raise TypeError(f"{type(event).__name__} is no event of an escalation")


def _raised(event: EscalationRaised) -> Escalation:
    first = _step(1, event)
    return Escalation(
        id=event.escalation_id,
        complaint_id=event.complaint_id,
        customer_id=event.customer_id,
        level=event.level,
        reasons=(event.reason,),
        executive_id=event.executive_id,
        instead_of=event.instead_of,
        due_at=event.due_at,
        departure_threat=event.departure_threat,
        policy_version=event.policy_version,
        raised_at=event.at,
        contact_id=event.contact_id,
        promise_id=event.promise_id,
        steps=(first,),
    )


def _joined(state: Escalation, event: ReasonJoined) -> Escalation:
    reasons = state.reasons if event.reason in state.reasons else (*state.reasons, event.reason)
    if event.later_level is not None:
        one = Later(
            reason=event.reason,
            level=event.later_level,
            executive_id=event.later_id,
            contact_id=event.contact_id,
            promise_id=event.promise_id,
        )
        return state.model_copy(update={"reasons": reasons, "later": (*state.later, one)})
    told = {
        "reasons": reasons,
        "departure_threat": state.departure_threat or event.departure_threat,
        "contact_id": event.contact_id or state.contact_id,
        "promise_id": event.promise_id or state.promise_id,
    }
    joined = state.model_copy(update=told)
    if not event.lifted:
        return joined
    lifted = _stepped(joined, "lifted", event)
    return lifted.model_copy(update={"standing_unanswered": False})


def _step(n: int, event: _Asking, *, repeat: bool = False) -> Step:
    return Step(
        n=n,
        level=event.level,
        executive_id=event.executive_id,
        instead_of=event.instead_of,
        at=event.at,
        due_at=event.due_at,
        repeat=repeat,
    )


def _stepped(state: Escalation, came_of_it: Outcome, event: _Asking, *, repeat: bool = False) -> Escalation:
    n = state.steps_made + 1
    step = _step(n, event, repeat=repeat)
    steps = [*state.steps[:-1], _settled(state.steps[-1], came_of_it), step]
    if len(steps) > MOST_STEPS:
        steps.remove(next((old for old in steps if old.repeat), steps[0]))
    told = {
        "steps": tuple(steps),
        "steps_made": n,
        "level": step.level,
        "executive_id": step.executive_id,
        "instead_of": step.instead_of,
        "due_at": step.due_at,
    }
    return state.model_copy(update=told)


def _settled(step: Step, outcome: Outcome) -> Step:
    return step.model_copy(update={"outcome": outcome}) if step.outcome == "waiting" else step


def _refused(steps: tuple[Step, ...], executive_id: str) -> tuple[Step, ...]:
    return tuple(
        step.model_copy(update={"outcome": "undeliverable"})
        if step.executive_id == executive_id and step.outcome in ("waiting", "unanswered")
        else step
        for step in steps
    )


def _told(state: Escalation, told: dict[str, Any]) -> Escalation:
    assert state.answer is not None
    return state.model_copy(update={"answer": state.answer.model_copy(update=told)})


def _answered(state: Escalation, event: EscalationAnswered) -> Escalation:
    answer = Answer(
        id=event.answer_id,
        executive_id=event.executive_id,
        delegate_of=event.delegate_of,
        level=event.level,
        apology=event.apology,
        stay_asked=event.stay_asked,
        promise_id=event.promise_id,
        at=event.at,
        redress=event.redress,
    )
    steps = (*state.steps[:-1], _settled(state.steps[-1], "answered"))
    told = {"status": "answered", "standing_unanswered": False, "answer": answer, "steps": steps}
    return state.model_copy(update=told)
