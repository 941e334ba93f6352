"""Mails about promises: that one was broken, and that something promised is to be done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.escalation.mail.case import customer_lines, history, their_words
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.letters import asked_for, leaving


def breach(
    language: str,
    name: str,
    facts: Facts,
    promise: dict[str, Any],
    link: tuple[str, str] | None,
    due: datetime | None,
    *,
    by_reply: bool = False,
) -> Letter:
    """Tells promiser and owner that a promise was broken, with both texts.

    Whoever is asked to answer (`link`) gets no other mail about it: it has all that a request has.
    """
    letter = Letter(language, "")
    letter.subject = letter.say("breach_subject", promise=promise["reference"], reference=facts.reference)
    by_reply = by_reply and link is not None and not leaving(facts)
    if by_reply:
        letter.add("marker", letter.say("reply_above"))
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("breach_intro"))
    by = promise.get("by_name") or promise["made_by"]
    letter.add("head", letter.say("promised", by=by, at=facts.at(promise["made_at"])))
    letter.add("quote", promise.get("text") or letter.say("erased"))
    their_words(letter, facts)
    letter.add("head", letter.say("who"))
    letter.add("facts", lines=customer_lines(letter, facts))
    if link:
        history(letter, facts)
        asked_for(letter, facts, due, link, by_reply=by_reply)
    letter.footer = letter.say("footer")
    return letter


def chase(
    language: str,
    name: str,
    facts: Facts,
    promise: dict[str, Any],
    n: int,
    due: datetime | None,
    *,
    late: bool = False,
    instead_of: str | None = None,
) -> Letter:
    """Reminds whoever promised to do something, before and after its date; the promiser `instead_of` somebody who
    cannot be reached."""
    letter = Letter(language, "")
    subject = "chase_subject_late" if late else "chase_subject"
    letter.subject = letter.say(subject, promise=promise["reference"], due=facts.at(due))
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("chase_for", owner=instead_of) if instead_of else letter.say("chase_intro"))
    action: dict[str, Any] = next((one for one in promise["actions"] if one["n"] == n), {})
    letter.add("head", letter.say("action"))
    letter.add("quote", action.get("what") or letter.say("erased"))
    letter.add("text", letter.say("due_late" if late else "due", due=facts.at(due)))
    letter.footer = letter.say("footer")
    return letter
