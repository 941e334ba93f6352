"""What an executive owes the customer, as escalation tells of it. Due times are escalation's: none is counted here.

One run of the clock is one escalation's, however often it climbs: due when the first answer was, unless somebody else
was asked in time; met by an executive's answer. It outlives the complaint's closing, because the escalation does.
"""

from __future__ import annotations

from datetime import datetime

from shared.contracts import ownership as said
from shared.contracts.escalation import (
    EscalationAnswered,
    EscalationClimbed,
    EscalationDelivered,
    EscalationForwarded,
    EscalationRaised,
    EscalationRepeated,
    ReasonJoined,
)
from shared.contracts.ownership import ClockChange
from shared.policy import Policy

from . import clocks
from .due import work_through
from .story import Story, ids

#: events by which escalation asks somebody, each with until when
Asking = EscalationRaised | ReasonJoined | EscalationClimbed | EscalationRepeated | EscalationForwarded


def executive_asked(story: Story, told: Asking, policy: Policy, now: datetime) -> None:
    """An executive is to answer: the clock of the escalation starts, or moves with whoever is asked now.

    Whichever of an escalation's events is heard of first starts its clock, also one that follows its answer.
    """
    state, at = story.state, min(told.at, now)
    known = state.escalation(told.escalation_id)
    if known is None or known.asked_at is None:
        current = state.asking
        if current is not None and current.asked_at is not None and current.asked_at > at:
            changes = []  # another one is asked about since: its clock runs
        else:
            changes = clocks.executive_asked(state, at, told.due_at, known.answered_at if known else None)
        _tell_asked(story, told, at, changes)
        return
    if known != state.asking or known.answered_at is not None or at < known.asked_at:
        return  # over, or heard of late
    work_through(story, policy, at, now)
    clock = story.state.running(clocks.EXECUTIVE_ANSWER)
    if clock is not None and clock.breached_at is None and clock.due_at != told.due_at:
        _tell_asked(story, told, at, [clocks.executive_moved(clock, at, told.due_at)])


def _tell_asked(story: Story, told: Asking, at: datetime, changes: list[ClockChange]) -> None:
    event = said.ExecutiveAsked(
        **ids(story.state, at),
        escalation_id=told.escalation_id,
        executive_id=told.executive_id,
        level=told.level,
        due_at=told.due_at,
        cycle=story.state.cycle,
        policy_version=told.policy_version if isinstance(told, EscalationRaised) else None,
        clocks=tuple(changes),
    )
    story.tell(event, by=None)


def executive_replied(story: Story, told: EscalationAnswered, policy: Policy, now: datetime) -> None:
    """An executive has answered: what they owed is met, though their words are on their way yet."""
    _reply(story, told, told.executive_id, policy, now)


def executive_answered(story: Story, told: EscalationDelivered, policy: Policy, now: datetime) -> None:
    """An executive's words reached the customer, who may now say no to them; nothing where that is over."""
    state = story.state
    if state.status == "closed" and state.escalation(told.escalation_id) is None:
        return
    _reply(story, told, None, policy, now)  # what was delivered has been answered, heard of or not
    if story.state.status != "closed":
        delivered = {"escalation_id": told.escalation_id, "answer_id": told.answer_id, "cycle": story.state.cycle}
        story.tell(said.ExecutiveAnswered(**ids(state, min(told.at, now)), **delivered), by=None)


def _reply(
    story: Story,
    told: EscalationAnswered | EscalationDelivered,
    executive_id: str | None,
    policy: Policy,
    now: datetime,
) -> None:
    known, at = story.state.escalation(told.escalation_id), min(told.at, now)
    if known is not None and known.answered_at is not None:
        return
    theirs = known is not None and known == story.state.asking
    if theirs:
        work_through(story, policy, at, now)
    event = said.ExecutiveReplied(
        **ids(story.state, at),
        escalation_id=told.escalation_id,
        answer_id=told.answer_id,
        executive_id=executive_id,
        cycle=story.state.cycle,
        clocks=tuple(clocks.met(story.state, (clocks.EXECUTIVE_ANSWER,), at)) if theirs else (),
    )
    story.tell(event, by=executive_id)
