"""Letters to the company's own people: a question for a helper, a turn as deputy, a request to follow an owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.escalation.domain.mail import AGAIN, MailOrder
from services.escalation.mail.case import customer_lines
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases_staff import staff


def written(order: MailOrder, language: str, name: str, facts: Facts) -> Letter | None:
    """The letter of an order of one of `KINDS`; None where what it tells or asks for is over."""
    letter = Letter(language, "")
    due = facts.at(order.due_at) if order.due_at else ""
    letter.subject = letter.say(f"{order.kind}_subject", reference=facts.reference, due=due)
    letter.add("text", letter.say("hello", name=name))
    if not KINDS[order.kind](letter, order, facts):
        return None
    letter.add("facts", lines=customer_lines(letter, facts))
    letter.footer = letter.say("footer_staff")
    return letter


def _helper(facts: Facts, n: int) -> dict[str, Any]:
    helpers = (facts.complaint or {}).get("helpers") or ()
    return next((one for one in helpers if one.get("n") == n), {})


def _question(letter: Letter, order: MailOrder, facts: Facts) -> bool:
    helper = _helper(facts, order.step)
    if helper.get("state") not in ("asked", "reminded") or (facts.complaint or {}).get("status") == "closed":
        return False
    said = "question_again" if order.why == AGAIN else "question"
    letter.add("text", staff(letter.language, said, name=helper["asked_by"]))
    _quoted(letter, facts, order.step)
    if order.due_at:
        letter.add("text", staff(letter.language, "question_by", due=facts.at(order.due_at)))
    letter.add("text", staff(letter.language, "one_face"))
    return True


def _unanswered(letter: Letter, order: MailOrder, facts: Facts) -> bool:
    helper = _helper(facts, order.step)
    if helper.get("state") != "timed_out":
        return False
    letter.add("text", staff(letter.language, "unanswered", name=helper.get("name") or helper.get("id")))
    _quoted(letter, facts, order.step)
    return True


def _deputy(letter: Letter, order: MailOrder, facts: Facts) -> bool:
    if ((facts.complaint or {}).get("deputy") or {}).get("id") != order.recipient_id:
        return False
    name = facts.owner or "?"
    letter.add("text", staff(letter.language, "deputy", name=name, due=facts.at(order.due_at)))
    letter.add("text", staff(letter.language, "deputy_stays", name=name))
    return True


def _succession(letter: Letter, order: MailOrder, facts: Facts) -> bool:
    asked = (facts.complaint or {}).get("succession_asked") or {}
    to = (asked.get("to") or {}).get("id")
    named = order.recipient_kind == "agent"
    if not asked or (to != order.recipient_id if named else to is not None):
        return False
    name = facts.owner or "?"
    letter.add("text", staff(letter.language, "succession_named" if named else "succession_open", name=name))
    if order.due_at:
        letter.add("text", staff(letter.language, "succession_by", due=facts.at(order.due_at)))
    return True


def _quoted(letter: Letter, facts: Facts, n: int) -> None:
    asked = (item for item in facts.timeline if item.get("type") == "complaint.helper_asked")
    note = next((item.get("note") for item in asked if (item.get("data") or {}).get("n") == n), None) or {}
    letter.add("quote", note.get("question") or letter.say("erased"))


#: the kinds of these letters; each function says whether there is still something to write
KINDS: Final[Mapping[str, Callable[[Letter, MailOrder, Facts], bool]]] = {
    "question": _question,
    "unanswered": _unanswered,
    "deputy": _deputy,
    "succession": _succession,
}
