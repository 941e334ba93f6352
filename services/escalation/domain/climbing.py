"""What raises an escalation, what lifts it, and what time does to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation, evolve, of
from services.escalation.domain.ladder import Asked, Ladder
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
    asked = Ladder(policy, policy).ask(cause.level, now, cause.executive_id)
    return [
        EscalationRaised(
            customer_id=complaint.customer_id,
            escalation_id=escalation_id,
            complaint_id=complaint.id,
            at=now,
            reason=cause.reason,
            **_asked(asked, now),
            passed_over=asked.passed_over,
            policy_version=policy.version,
            departure_threat=cause.reason == "departure_threat" or complaint.departure_threat,
            contact_id=cause.contact_id,
            promise_id=cause.promise_id,
        )
    ]


def decide_join(state: Escalation, cause: Cause, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """A further reason joins; one whose level is higher lifts the escalation, and the next person's time begins.

    A reason that is there already and lifts nothing is no news. Where an answer is on its way to the customer, it waits
    for that: nothing that happens after somebody answered is covered by the answer.
    """
    answered = state.status == "answered"
    if answered and any(one.reason == cause.reason and one.level >= cause.level for one in state.later):
        return []
    lifted = not answered and ladder.at(cause.level).level > state.level
    if not answered and not lifted and cause.reason in state.reasons:
        return []
    asked = ladder.ask(cause.level, now, cause.executive_id) if lifted else None
    stands = {
        "level": state.level,
        "executive_id": state.executive_id,
        "instead_of": state.instead_of,
        "due_at": state.due_at,
    }
    return [
        ReasonJoined(
            **of(state, now),
            reason=cause.reason,
            lifted=lifted,
            **(_asked(asked, now) if asked else stands),
            passed_over=asked.passed_over if asked else (),
            departure_threat=cause.reason == "departure_threat",
            contact_id=cause.contact_id,
            promise_id=cause.promise_id,
            later_level=cause.level if answered else None,
            later_id=cause.executive_id if answered else None,
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
    asked = ladder.above(state.level, at, ladder.barred(state))
    if asked is not None:
        return [_climbed(state, asked, at)]
    events: list[EscalationEvent] = []
    if not state.standing_unanswered:
        events.append(StoodUnanswered(**of(state, at), level=state.level, executive_id=state.executive_id))
    asked = ladder.again(state.meant, state.level, at, ladder.barred(state))
    told = _asked(asked, at) | {"level": state.level, "due_at": ladder.top.due(at, asked.person, repeated=True)}
    events.append(EscalationRepeated(**of(state, at), **told, times=state.times + 1))
    return events


def _climbed(state: Escalation, asked: Asked, at: datetime, **told: Any) -> EscalationClimbed:
    return EscalationClimbed(
        **of(state, at), from_level=state.level, **_asked(asked, at), passed_over=asked.passed_over, **told
    )


def _asked(asked: Asked, at: datetime) -> dict[str, Any]:
    return {
        "level": asked.post.level,
        "executive_id": asked.person.id,
        "instead_of": asked.instead_of,
        "due_at": asked.post.due(at, asked.person),
    }


def decide_undeliverable(state: Escalation, executive_id: str, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """An address refused: it is said, and if that person was being asked, the next one is asked at once."""
    if all(step.executive_id != executive_id or step.outcome == "undeliverable" for step in state.steps):
        return []
    level = next(step.level for step in reversed(state.steps) if step.executive_id == executive_id)
    mark = ladder.reach.mark(executive_id)
    why = {"because": mark.because, "since": mark.since} if mark else {}
    events: list[EscalationEvent] = [Undeliverable(**of(state, now), level=level, executive_id=executive_id, **why)]
    if state.status != "waiting" or state.executive_id != executive_id:
        return events
    asked = _following(state, now, ladder, ladder.barred(state) | {executive_id})
    if asked is not None:  # else nobody is left: the rhythm of the top goes on, and the feed says why
        events.append(_climbed(state, asked, now, because="undeliverable"))
    return events


def decide_passed_over(state: Escalation, now: datetime, ladder: Ladder) -> list[EscalationEvent]:
    """Whoever is newly asked and whose address is marked is passed over for the next person, each on the record.

    Where the addresses of all who are left are marked, whoever is asked is written to all the same: nothing would be
    sent to anybody otherwise, and such a mail is how an address is trusted again.
    """
    events: list[EscalationEvent] = []
    marked = ladder.reach.marked
    while state.status == "waiting" and state.due_at > now and state.executive_id in marked:
        if _following(state, now, ladder, ladder.barred(state) | marked) is None:
            break
        for event in decide_undeliverable(state, state.executive_id, now, ladder):
            events.append(event)
            state = evolve(state, event)
    return events


def _following(state: Escalation, now: datetime, ladder: Ladder, without: frozenset[str]) -> Asked | None:
    return ladder.above(state.level, now, without) or ladder.stand_in(state.meant, state.level, now, without)


def decide_forward(
    state: Escalation, to: str, by: str, now: datetime, policy: Policy, marked: frozenset[str] = frozenset()
) -> list[EscalationEvent] | Refusal:
    """Another executive is asked instead, or who stands in for them; the clock goes on as it was."""
    if state.status != "waiting":
        return Refusal("not-waiting", "Only an escalation that waits for an answer can be forwarded.")
    person = policy.executive(to)
    if person is None:
        return Refusal("unknown-executive", "The policy names no such executive.", 422).at(
            "/to", "must be an executive of the policy"
        )
    ladder = Ladder(policy, policy)
    post = ladder.at(state.level)
    asked = ladder.of(person, post, now, marked) or Asked(post, person)
    if asked.person.id in marked:
        return Refusal(
            "unreachable-executive",
            "Mails to this person do not arrive (`/v1/unreachable`), and none of their delegates is there.",
        )
    if asked.person.id == state.executive_id:
        return Refusal("already-asked", "This person is being asked already.")
    return [
        EscalationForwarded(
            **of(state, now),
            from_id=state.executive_id,
            executive_id=asked.person.id,
            instead_of=asked.instead_of,
            level=state.level,
            due_at=state.due_at,
            by_id=by,
        )
    ]


def level_of(reason: Reason, policy: Policy) -> int:
    """The rung on which a reason begins; 1 where the policy says nothing."""
    return policy.escalation.reasons.get(reason, 1)
