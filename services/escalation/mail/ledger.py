"""What was said so far: executives' and owner's answers, and what the customer said to them, in order of time.

An executive whom the customer answers back reads it beside the question; so does whoever is asked after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from services.escalation.mail.facts import Facts, reopened_by_customer, time_of
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases_told import told
from services.escalation.mail.plain import shortened

#: what is shown at most, the latest
_MOST = 12
_OWNER = "complaint.answered"
_ASKED = "complaint.escalation_asked"
_NEVER = datetime.min.replace(tzinfo=UTC)


def not_satisfied(facts: Facts) -> bool:
    """Whether the customer has said no to an executive's answer."""
    return bool(facts.answers) and any(_from_customer(item) for item in facts.timeline)


def ledger(letter: Letter, facts: Facts, most: int) -> None:
    """Adds it, where an executive has answered before; `most` code points of each text."""
    if not facts.answers:
        return
    letter.add("head", told(letter.language, "ledger", zone=facts.zone))
    said = sorted([*_executives(letter, facts), *_timeline(letter, facts)], key=lambda one: one[0])
    for _, who, words in said[-_MOST:]:
        letter.add("text", who)
        letter.add("quote", shortened(words, most))


Entry = tuple[datetime, str, str]


def _executives(letter: Letter, facts: Facts) -> Iterator[Entry]:
    promises = {one.get("id"): one for one in facts.promises}
    for one in facts.answers:
        at = time_of(one["given_at"]) or _NEVER
        on = facts.on(at)
        name = one["by_name"]
        if one.get("for_name"):
            name = letter.say("signed_for", name=name, other=one["for_name"])
        who = told(letter.language, "said_by", at=on, name=name)
        if not one.get("delivered"):
            who += " " + told(letter.language, "undelivered")
        if one.get("stay"):
            yield at, told(letter.language, "said_asked", at=on), one["stay"]
        yield at, who, one["text"] or letter.say("erased")
        if one.get("redress"):
            yield at, told(letter.language, "given", at=on), one["redress"]
        promise = promises.get(one.get("promise_id") or "")
        if promise and promise.get("text"):
            status = letter.say(promise["status"])
            label = told(letter.language, "promised", at=on, reference=promise["reference"], status=status)
            yield at, label, promise["text"]


def _timeline(letter: Letter, facts: Facts) -> Iterator[Entry]:
    owner = (facts.complaint or {}).get("owner") or {}
    for item in facts.timeline:
        at, note = time_of(item.get("at")) or _NEVER, item.get("note") or {}
        if item.get("type") == _OWNER and note.get("text"):
            by = str((item.get("data") or {}).get("by_id") or item.get("by") or "?")
            name = owner.get("name") or by if by == owner.get("id") else by
            yield at, told(letter.language, "said_by_owner", at=facts.on(at), name=name), str(note["text"])
        elif _from_customer(item):
            words = note.get("comment") or (item.get("why") if item.get("type") == _ASKED else None)
            nothing = told(letter.language, "no")
            yield at, told(letter.language, "said_by_customer", at=facts.on(at)), str(words or nothing)


def _from_customer(item: dict[str, Any]) -> bool:
    asked = item.get("type") == _ASKED and (item.get("data") or {}).get("by") == "customer"
    return asked or reopened_by_customer(item)
