"""How an answer reaches the customer: by mail, or told in person by the owner; that, and nothing else, ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from services.escalation.domain.answering import told
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Answer, Because, Escalation, of
from shared.contracts.escalation import (
    AnswerUntold,
    DeliveryFailed,
    EscalationDelivered,
    EscalationEnded,
    EscalationEvent,
)
from shared.policy import Telling
from shared.refusal import Refusal

#: reminders to the owner after which those above hear of it, and then whoever wrote the answer
ABOVE_AFTER, WRITER_AFTER = 2, 3


def decide_delivered(
    state: Escalation,
    now: datetime,
    through: Literal["mail", "owner"],
    agent_id: str | None = None,
    acknowledged: bool | None = None,
) -> list[EscalationEvent] | Refusal:
    """The words reached the customer: that, and nothing else, ends an escalation."""
    if state.status == "waiting":
        return Refusal("not-answered", "Nobody has answered yet.", 409, {"state": told(state)})
    if state.status == "ended":
        return Refusal("already-delivered", "The answer has reached the customer.", 409, {"state": told(state)})
    return [
        EscalationDelivered(
            **of(state, now),
            answer_id=_answer(state).id,
            through=through,
            agent_id=agent_id,
            acknowledged=acknowledged,
        ),
        EscalationEnded(**of(state, now)),
    ]


def not_theirs(state: Escalation, complaint: Complaint, agent_id: str) -> Refusal | None:
    """An answer counts as told by whoever owes it to the customer: nobody else can know. None where it is theirs."""
    owner_id, deputy_id = complaint.owner_id, complaint.deputy_id
    if owner_id is None or agent_id in (owner_id, deputy_id):
        return None
    present = told(state) | {"owner_id": owner_id, "deputy_id": deputy_id}
    return Refusal(
        "not-the-owner", "Only the owner, or their deputy, says that the customer knows.", 409, {"state": present}
    )


def decide_failed(state: Escalation, because: Because, owner_id: str | None, now: datetime) -> list[EscalationEvent]:
    """No mail brings it. What counted as delivered and came back was not delivered; what the owner told was."""
    given = state.answer
    if given is None or given.failed is not None or given.through == "owner":
        return []
    return [DeliveryFailed(**of(state, now), answer_id=given.id, because=because, owner_id=owner_id)]


def decide_untold(state: Escalation, owner_id: str | None, now: datetime, telling: Telling) -> list[EscalationEvent]:
    """The owner was asked to tell the customer and has not said so: each time once, for ever."""
    due = untold_due(state, telling)
    if due is None or due > now:
        return []
    given = _answer(state)
    return [AnswerUntold(**of(state, now), answer_id=given.id, owner_id=owner_id, times=_missed(given, now, telling))]


def untold_due(state: Escalation, telling: Telling) -> datetime | None:
    """When somebody is reminded next; None where nobody has to tell anything."""
    given = state.answer
    if state.status != "answered" or given is None or given.failed_at is None:
        return None
    return given.failed_at + telling.within.delta + telling.remind_every.delta * given.untold


def _missed(given: Answer, now: datetime, telling: Telling) -> int:
    # after an outage the reminders that it swallowed are counted, and only the last is sent
    assert given.failed_at is not None
    late: timedelta = now - given.failed_at - telling.within.delta
    return max(given.untold, late // telling.remind_every.delta) + 1


def _answer(state: Escalation) -> Answer:
    assert state.answer is not None
    return state.answer
