"""What each kind of mail says, as a letter: paragraphs, quotes, facts, lists, a link, a code.

The subject holds references, times and names of the company's own people: never a word of the customer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from services.escalation.domain.reach import Mark
from services.escalation.mail.facts import Facts, reopened_by_customer, time_of
from services.escalation.mail.ledger import ledger, not_satisfied
from services.escalation.mail.phrases import DONE, KINDS, PHRASES, REFUSED
from services.escalation.mail.phrases_told import told
from services.escalation.mail.plain import line, sentence, shortened

#: code points of a customer's text that a mail shows, and of what was written to them
MOST_WORDS = 4_000
_MOST_QUOTED = 200
#: lines of a complaint's history
_MOST_LINES = 5
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a letter. `lines` of facts are (name, value) pairs, of a link (label, address)."""

    kind: Literal["text", "head", "quote", "facts", "list", "link", "code", "marker"]
    text: str = ""
    lines: tuple[Any, ...] = ()


@dataclass(slots=True)
class Letter:
    """A mail before it has a form."""

    language: str
    subject: str
    blocks: list[Block] = field(default_factory=list)
    footer: str = ""
    #: what a list of mails shows of it besides the subject
    preview: str = ""

    def say(self, name: str, /, **values: Any) -> str:
        """A sentence in the letter's language. Values are of one line, whoever wrote them."""
        return sentence(PHRASES, self.language, name, **values)

    def add(self, kind: Any, text: str = "", lines: Sequence[Any] = ()) -> None:
        """One more part."""
        self.blocks.append(Block(kind, text, tuple(lines)))


def ask(
    language: str, name: str, facts: Facts, due: datetime, address: str, code: str, *, by_reply: bool = False
) -> Letter:
    """Asks an executive for their own answer; `by_reply`: by replying to the mail, too."""
    letter = Letter(language, "")
    subject = "ask_subject_leaving" if leaving(facts) else "ask_subject"
    letter.subject = letter.say(subject, reference=facts.reference, due=facts.at(due))
    letter.preview = letter.say("ask_intro")
    # where the customer may leave, a reply is not enough: a mail has no field for what would make them stay
    by_reply = by_reply and not leaving(facts)
    if by_reply:
        letter.add("marker", letter.say("reply_above"))
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("ask_intro"))
    why_and_who(letter, facts)
    asked_for(letter, facts, due, (address, code), by_reply=by_reply)
    letter.footer = letter.say("footer")
    return letter


def leaving(facts: Facts) -> bool:
    """Whether the customer may leave."""
    return bool((facts.escalation or {}).get("departure_threat"))


def asked_for(letter: Letter, facts: Facts, due: datetime | None, link: tuple[str, str], *, by_reply: bool) -> None:
    """What is asked of whoever reads it, until when, and where they do it."""
    letter.add("head", letter.say("what_now"))
    tasks = ["ask_write", *(["ask_stay"] if leaving(facts) else []), "ask_promise"]
    letter.add("list", lines=[letter.say(task) for task in tasks])
    if due:
        letter.add("text", letter.say("by", due=facts.at(due)))
    _answer_here(letter, *link)
    letter.add("text", letter.say("code_why"))
    if by_reply:
        letter.add("text", letter.say("ask_reply"))


def _answer_here(letter: Letter, address: str, code: str) -> None:
    letter.add("link", lines=[letter.say("answer_here"), address])
    letter.add("code", letter.say("code", code=code))


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
    """The clocks that were missed: (when, place, in words)."""
    clocks = [clock for clock in (facts.complaint or {}).get("clocks") or () if clock.get("breached_at")]
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


def visit(language: str, name: str, facts: Facts, due: datetime | None) -> Letter:
    """Asks for a visit after a closing, with both questions and the page on which the customer can answer them."""
    letter = Letter(language, "")
    complaint = facts.complaint or {}
    letter.subject = letter.say("visit_subject", reference=facts.reference, due=facts.at(due))
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("visit_intro"))
    letter.add("text", letter.say("visit_silent" if complaint.get("basis") == "silent" else "visit_accepted"))
    letter.add("list", lines=[letter.say("visit_satisfied"), letter.say("visit_again")])
    letter.add("facts", lines=customer_lines(letter, facts))
    if due:
        letter.add("text", letter.say("visit_by", due=facts.at(due)))
    if address := complaint.get("follow_up_url"):
        letter.add("link", lines=[letter.say("visit_here"), address])
    letter.footer = letter.say("footer")
    return letter


def undeliverable(language: str, name: str, facts: Facts, who: str, mark: Mark | None = None) -> Letter:
    """Tells that somebody could not be reached: what the mail server said, and since when others are asked instead."""
    letter = Letter(language, "")
    letter.subject = letter.say("undeliverable_subject", reference=facts.reference, name=who)
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("undeliverable_intro"))
    if mark:
        letter.add("facts", lines=[(who, mark.detail), (letter.say("since"), facts.at(mark.since))])
        letter.add("text", letter.say("undeliverable_until", id=mark.executive_id))
    letter.footer = letter.say("footer")
    return letter


def refused(
    language: str, name: str, facts: Facts, why: str, likeness: int | None, link: tuple[str, str] | None
) -> Letter:
    """Tells whoever replied by mail that it did not count, why, and where to answer."""
    letter = Letter(language, "")
    letter.subject = letter.say("refused_subject", reference=facts.reference)
    if link:
        letter.add("marker", letter.say("reply_above"))
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("refused_intro"))
    told = REFUSED[language]
    letter.add("text", told.get(why) or told["other"])
    if likeness is not None:
        letter.add("text", letter.say("refused_likeness", likeness=likeness))
    if link:
        letter.add("text", letter.say("refused_again"))
        _answer_here(letter, *link)
    letter.footer = letter.say("footer")
    return letter


def digest(
    language: str,
    name: str,
    asked: Sequence[tuple[str, str, str]],
    others: Sequence[str],
    whole: Sequence[Letter] = (),
) -> Letter:
    """Many mails to one person as one: (reference, address, code) of each that wants an answer, then the others, as
    far as they fit in with all that they say, and the subjects of the rest."""
    letter = Letter(language, "")
    letter.subject = letter.say(
        "digest_subject" if asked else "digest_told_subject", n=len(asked) or len(others) + len(whole)
    )
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", letter.say("digest_intro" if asked else "digest_told_intro"))
    for reference, address, code in asked:
        letter.add("link", lines=[reference, address])
        letter.add("code", letter.say("code", code=code))
    greeting = letter.say("hello", name=name)
    for one in whole:
        letter.add("head", one.subject)
        letter.blocks += [part for part in one.blocks if part.kind != "marker" and part.text != greeting]
    if others:
        letter.add("head", letter.say("digest_other"))
        letter.add("list", lines=list(others))
    letter.footer = letter.say("footer")
    return letter
