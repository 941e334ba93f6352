"""What a letter or page shows of a case: why, who the customer is, their words, the history, what was promised."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from services.escalation.mail.facts import Facts, reopened_by_customer, time_of
from services.escalation.mail.ledger import ledger, not_satisfied
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases import DONE, KINDS
from services.escalation.mail.phrases_told import told
from services.escalation.mail.plain import line, shortened

#: code points of a customer's text that a mail shows, and of what was written to them
MOST_WORDS = 4_000
_MOST_QUOTED = 200
#: lines of a complaint's history
_MOST_LINES = 5
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def why_and_who(letter: Letter, facts: Facts, most: int = MOST_WORDS) -> None:
    """Reasons, customer, their words (`most` code points of each text), the history, earlier promises: the same in
    the mail and on the page."""
    reasons = (facts.escalation or {}).get("reasons") or []
    letter.add("head", letter.say("why"))
    meant = ((facts.escalation or {}).get("addressee") or {}).get("instead_of")
    if meant:
        letter.add("text", letter.say("instead_of", name=meant.get("name") or meant["id"]))
    no = [told(letter.language, "not_satisfied")] if not_satisfied(facts) else []
    letter.add("list", lines=[*no, *(letter.say(str(reason)) for reason in reasons)])
    letter.add("head", letter.say("who"))
    letter.add("facts", lines=customer_lines(letter, facts))
    their_words(letter, facts, most)
    ledger(letter, facts, most)
    history(letter, facts)


def history(letter: Letter, facts: Facts) -> None:
    """What has happened, and what was promised about it before and how that ended."""
    letter.add("head", letter.say("history", zone=facts.zone))
    letter.add("list", lines=_history(letter, facts))
    letter.add("head", letter.say("promises"))
    if facts.promises:
        letter.add("list", lines=[_promise(letter, facts, one) for one in facts.promises])
    else:
        letter.add("text", letter.say("no_promises"))


def customer_lines(letter: Letter, facts: Facts) -> list[tuple[str, str]]:
    """Who the customer is and is worth, as names and values."""
    customer, complaint = facts.customer or {}, facts.complaint or {}
    worth = complaint.get("value_at_stake") or customer.get("lifetime_value") or {}
    need = complaint.get("need")
    found = {
        "name": customer.get("name"),
        "tier": complaint.get("tier") or customer.get("tier"),
        "worth": money(worth) if worth else None,
        "region": complaint.get("region") or customer.get("region"),
        "product": complaint.get("product"),
        "cause": complaint.get("cause"),
        "need": letter.say(need) if need else None,
    }
    return [(letter.say(name), str(value)) for name, value in found.items() if value]


def money(worth: dict[str, Any]) -> str:
    """`300,000.00 USD`."""
    try:
        return f"{Decimal(str(worth.get('amount'))):,} {worth.get('currency')}"
    except InvalidOperation:
        return "?"


def their_words(letter: Letter, facts: Facts, most: int = MOST_WORDS) -> None:
    """What the customer said first, and last."""
    letter.add("head", letter.say("their_words"))
    letter.add("quote", words_of(letter, facts.first, most))
    first_id, latest_id = ((one or {}).get("contact_id") for one in (facts.first, facts.latest))
    if latest_id and latest_id != first_id:
        letter.add("head", letter.say("their_words_now"))
        letter.add("quote", words_of(letter, facts.latest, most))


def words_of(letter: Letter, contact: dict[str, Any] | None, most: int = MOST_WORDS) -> str:
    """What a contact says, shortened at `most` code points."""
    if contact is None:
        return letter.say("erased")
    text = "\n".join(filter(None, (contact.get("subject"), contact.get("text"))))
    if not text:
        return letter.say("no_words")
    return shortened(text, most)


def _history(letter: Letter, facts: Facts) -> list[str]:
    """What happened, in five lines: how often the customer came, whose it is, who was asked, and the latest."""
    complaint = facts.complaint or {}
    contacts = len(complaint.get("contacts") or ()) or 1
    first_at = facts.on(complaint.get("first_contact_at"))
    lines = [
        letter.say("contacts", n=contacts, at=first_at) if contacts > 1 else letter.say("contact_once", at=first_at)
    ]
    lines.append(letter.say("owner", name=facts.owner) if facts.owner else letter.say("no_owner"))
    asked = [letter.say("asked_before", names=", ".join(facts.asked_before))] if facts.asked_before else []
    done = _done(letter, facts)
    happened = sorted([*_missed(letter, facts), *done])
    room = _MOST_LINES - len(lines) - len(asked)
    latest = happened[-room:]
    if done and not set(done) & set(latest):
        latest = [done[-1], *latest[1:]]  # what was done is never crowded out by what was not
    return [*lines, *(told for _, _, told in latest), *asked]


def _missed(letter: Letter, facts: Facts) -> list[tuple[datetime, int, str]]:
    """The clocks that were missed: (when, place, in words). Of executives, those asked before are named instead."""
    running = (facts.complaint or {}).get("clocks") or ()
    clocks = [clock for clock in running if clock.get("breached_at") and clock.get("kind") != "executive_answer"]
    return [
        (
            time_of(one["breached_at"]) or _LONG_AGO,
            n,
            letter.say("missed", kind=KINDS[letter.language].get(one["kind"], one["kind"]), at=facts.on(one["due_at"])),
        )
        for n, one in enumerate(clocks)
    ]


def _done(letter: Letter, facts: Facts) -> list[tuple[datetime, int, str]]:
    """What was done about it, with the words that the customer was written: (when, place, in words)."""
    found = []
    for n, item in enumerate(facts.timeline):
        name = str(item.get("type")).removeprefix("complaint.")
        if name == "closed":
            name = f"closed_{(item.get('data') or {}).get('basis')}"
        if name not in DONE[letter.language] or (name == "reopened" and not reopened_by_customer(item)):
            continue  # what a merge reopens was still owed an answer, and is told itself
        said = line((item.get("note") or {}).get("text") or "")
        told = letter.say(
            "done_with_words" if said else "done",
            at=facts.on(item.get("at")),
            what=DONE[letter.language][name],
            text=shortened(said, _MOST_QUOTED),
        )
        found.append((time_of(item.get("at")) or _LONG_AGO, n, told))
    return found


def _promise(letter: Letter, facts: Facts, promise: dict[str, Any]) -> str:
    return letter.say(
        "promise_line",
        reference=promise["reference"],
        by=promise.get("by_name") or promise["made_by"],
        at=facts.on(promise["made_at"]),
        text=promise.get("text") or "…",
        status=_end(letter, facts, promise),
    )


def _end(letter: Letter, facts: Facts, promise: dict[str, Any]) -> str:
    """How a promise ended, or until when it is watched."""
    broken = [one for one in promise.get("breaches") or () if not one.get("taken_back")]
    if promise["status"] == "broken" and broken:
        return letter.say("broken_times", n=len(broken), at=facts.on(broken[-1]["at"]))
    if promise["status"] == "watching" and promise.get("watch_until"):
        return letter.say("watching_until", at=facts.on(promise["watch_until"]))
    return letter.say(promise["status"])
