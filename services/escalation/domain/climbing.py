"""What raises an escalation, what lifts it, and what time does to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation, evolve
from services.escalation.domain.ladder import Ladder, known
from shared.contracts.escalation import (
    EscalationClimbed,
    EscalationEvent,
    EscalationForwarded,
    EscalationRaised,
    EscalationRepeated,
    Reason,
    ReasonJoined,
    StoodUnanswered,
    Undeliverable,
)
from shared.policy import Policy
from shared.refusal import Refusal

#: missed steps that one deadline works through; what is left follows at once with the next
MOST_AT_ONCE = 200


class Cause:
    """Why somebody above must write: the reason, its level, and what it is about."""

    __slots__ = ("contact_id", "executive_id", "level", "promise_id", "reason")

    def __init__(
        self,
        reason: Reason,
        level: int,
        *,
        contact_id: str | None = None,
        promise_id: str | None = None,
        executive_id: str | None = None,
    ) -> None:
        self.reason, self.level, self.contact_id, self.promise_id = reason, level, contact_id, promise_id
        #: who is to be asked, where the reason has a name: the one who promised
        self.executive_id = executive_id


def decide_raise(
    escalation_id: str, complaint: Complaint, cause: Cause, now: datetime, policy: Policy
) -> list[EscalationEvent]:
    """A complaint without a waiting escalation gets one."""
    post = Ladder(policy, policy).at(cause.level)
    named = cause.executive_id if cause.executive_id and policy.executive(cause.executive_id) else None
    return [
        EscalationRaised(
            customer_id=complaint.customer_id,
            escalation_id=escalation_id,
            complaint_id=complaint.id,
            at=now,
            level=post.level,
            reason=cause.reason,
            executive_id=named or post.executive.id,
            due_at=post.due(now),
            policy_version=policy.version,
            departure_threat=cause.reason == "departure_threat" or complaint.departure_threat,
            contact_id=cause.contact_id,
            promise_id=cause.promise_id,
        )
    ]


def decide_join(state: Escalation, cause: Cause, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """A further reason joins; one whose level is higher lifts the escalation, and the next person's time begins.

    A reason that is there already and lifts nothing is no news.
    """
    post = ladder.at(cause.level)
    lifted = post.level > state.level
    if not lifted and cause.reason in state.reasons:
        return []
    named = cause.executive_id if cause.executive_id and known(ladder.today, cause.executive_id) else None
    return [
        ReasonJoined(
            **_of(state, now),
            reason=cause.reason,
            level=post.level if lifted else state.level,
            lifted=lifted,
            executive_id=(named or post.executive.id) if lifted else state.executive_id,
            due_at=post.due(now) if lifted else state.due_at,
            departure_threat=cause.reason == "departure_threat",
            contact_id=cause.contact_id,
            promise_id=cause.promise_id,
        )
    ]


def decide_time(state: Escalation, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """Every step whose time has come, each once and dated when it was due: the ladder then stands where time says."""
    events: list[EscalationEvent] = []
    while state.status == "waiting" and state.due_at <= now and len(events) < MOST_AT_ONCE:
        for event in _next(state, ladder):
            events.append(event)
            state = evolve(state, event)
    return events


def _next(state: Escalation, ladder: Ladder) -> list[EscalationEvent]:
    at = state.due_at
    post = ladder.above(state.level, state.unreachable)
    if post is not None:
        return [
            EscalationClimbed(
                **_of(state, at),
                from_level=state.level,
                level=post.level,
                executive_id=post.executive.id,
                due_at=post.due(at),
            )
        ]
    top = ladder.top
    asked = state.executive_id if known(ladder.today, state.executive_id) else top.executive.id
    events: list[EscalationEvent] = []
    if not state.standing_unanswered:
        events.append(StoodUnanswered(**_of(state, at), level=state.level, executive_id=state.executive_id))
    due = top.due(at, repeated=True)
    events.append(
        EscalationRepeated(**_of(state, at), level=state.level, executive_id=asked, due_at=due, times=state.times + 1)
    )
    return events


def decide_undeliverable(state: Escalation, executive_id: str, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """An address refused: it is said, and if that person was being asked, the next one is asked at once."""
    if all(step.executive_id != executive_id or step.outcome == "undeliverable" for step in state.steps):
        return []
    level = next(step.level for step in reversed(state.steps) if step.executive_id == executive_id)
    events: list[EscalationEvent] = [Undeliverable(**_of(state, now), level=level, executive_id=executive_id)]
    if state.status != "waiting" or state.executive_id != executive_id:
        return events
    without = state.unreachable | {executive_id}
    post = ladder.above(state.level, without)
    if post is not None:
        to, level, due = post.executive.id, post.level, post.due(now)
    else:
        person = ladder.stand_in(ladder.at(state.level), without)
        if person is None:
            return events  # nobody is left: the rhythm of the top goes on, and the feed says why
        to, level, due = person.id, state.level, ladder.top.due(now)
    events.append(
        EscalationClimbed(
            **_of(state, now), from_level=state.level, level=level, executive_id=to, due_at=due, because="undeliverable"
        )
    )
    return events


def decide_forward(
    state: Escalation, to: str, by: str, now: datetime, policy: Policy
) -> list[EscalationEvent] | Refusal:
    """Another executive is asked instead; the clock goes on as it was."""
    if state.status != "waiting":
        return Refusal("not-waiting", "Only an escalation that waits for an answer can be forwarded.")
    if policy.executive(to) is None:
        return Refusal("unknown-executive", "The policy names no such executive.", 422)
    if to == state.executive_id:
        return Refusal("already-asked", "This person is being asked already.")
    return [
        EscalationForwarded(
            **_of(state, now),
            from_id=state.executive_id,
            executive_id=to,
            level=state.level,
            due_at=state.due_at,
            by_id=by,
        )
    ]


def level_of(reason: Reason, policy: Policy) -> int:
    """The rung on which a reason begins; 1 where the policy says nothing."""
    return policy.escalation.reasons.get(reason, 1)


def _of(state: Escalation, at: datetime) -> dict[str, Any]:
    return {
        "customer_id": state.customer_id,
        "escalation_id": state.id,
        "complaint_id": state.complaint_id,
        "at": at,
    }
