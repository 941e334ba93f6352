"""What counts as an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation, of
from services.escalation.domain.ladder import delegator, known
from services.escalation.domain.promising import PromiseWanted
from shared.contracts.escalation import EscalationAnswered, EscalationEvent
from shared.policy import Policy
from shared.refusal import Refusal

#: why nothing at all is no answer
NO_WORDS = "there are no words in it"


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """Somebody's own words. `stay` is what the customer said would make them stay; None: they were not asked.

    `seen` is the number of the last earlier answer that the words were compared with before; `alike` what came of it.
    """

    escalation_id: str
    executive_id: str
    text: str
    apology: bool = False
    stay_asked: bool = False
    stay: str | None = None
    promise: PromiseWanted | None = None
    by: str | None = None
    seen: int = 0
    alike: Alike | None = None
    #: what is given besides words
    redress: str | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """How much an answer is like one given before: from 0 to 1, with reasons in words."""

    acceptable: bool = True
    likeness: float = 0.0
    because: tuple[str, ...] = field(default=())
    #: by which answers like it are found, those too that come while it is compared
    sketch: tuple[str, ...] = ()
    #: the answer that it is like, without names, dates and numbers: for whoever wrote this one
    earlier: str = ""

    def refusal(self, detail: str = "") -> Refusal:
        """What is told of words that were used before, and where there are none."""
        return Refusal(
            "canned-answer",
            detail or "This is nearly an answer that was given before, or says nothing of this customer's matter.",
            422,
            {"likeness": self.likeness, "because": list(self.because)}
            | ({"earlier": self.earlier} if self.earlier else {}),
        ).at("/text", "must be words of one's own")


#: words that are none
NOTHING_SAID = Alike(False, 1.0, (NO_WORDS,))


def decide_answer(
    state: Escalation,
    complaint: Complaint,
    given: AnswerGiven,
    alike: Alike,
    now: datetime,
    policy: Policy,
    *,
    answer_id: str,
    promise_id: str | None,
) -> list[EscalationEvent] | Refusal:
    """An answer is one person's own words, fit for this customer; anything else is refused with why."""
    if state.status != "waiting":
        return Refusal("already-answered", f"This escalation is {state.status}.", 409, {"state": told(state)})
    if not known(policy, given.executive_id):
        return unknown_executive("/executive_id")
    if not given.text.strip():
        return NOTHING_SAID.refusal("An answer needs words of one's own.")
    if complaint.departure_threat and not (given.stay_asked and (given.stay or "").strip()):
        return Refusal(
            "stay-question-missing",
            "The customer may leave: ask what would make them stay, and write down what they said.",
            422,
        ).at("/stay_question", "is required where the customer may leave")
    if not alike.acceptable:
        return alike.refusal()
    return [
        EscalationAnswered(
            **of(state, now),
            answer_id=answer_id,
            executive_id=given.executive_id,
            delegate_of=delegator(policy, given.executive_id, state.meant),
            level=state.level,
            apology=given.apology,
            stay_asked=given.stay_asked,
            promise_id=promise_id,
            redress=given.redress is not None,
        )
    ]


def unknown_executive(pointer: str) -> Refusal:
    """Nobody of that id can answer or promise."""
    refusal = Refusal("unknown-executive", "The policy names no such executive or delegate.", 422)
    return refusal.at(pointer, "must be an executive of the policy, or a delegate of one")


def told(state: Escalation) -> dict[str, Any]:
    """The present state, for a refusal."""
    answer = state.answer
    return {
        "id": state.id,
        "complaint_id": state.complaint_id,
        "status": state.status,
        "level": state.level,
        "answered_by": answer.executive_id if answer else None,
        "answered_at": answer.at if answer else None,
        "delivered_at": answer.delivered_at if answer else None,
    }
