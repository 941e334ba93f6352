"""What each kind of mail says that asks somebody for something, or tells them what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.escalation.domain.reach import Mark
from services.escalation.mail.case import customer_lines, why_and_who
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases import REFUSED


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
