"""Letters that bring an answer to the customer, or have it brought: the executive's own words come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.escalation.mail.case import customer_lines
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases_told import told


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in words: `by` names who wrote it, and for whom."""

    text: str
    by: str
    signed: str
    stay: str | None = None
    redress: str | None = None
    promise: dict[str, Any] | None = None


def answer(language: str, facts: Facts, said: Said, address: str) -> Letter:
    """Brings an executive's own words to the customer as they wrote them, with what is given and promised."""
    letter = Letter(language, "")
    letter.subject = letter.say("answer_subject", reference=facts.reference)
    letter.add("text", said.text)
    _besides(letter, said)
    letter.add("text", said.signed)
    return _ending(letter, facts, address)


def _besides(letter: Letter, said: Said) -> None:
    if said.redress:
        letter.add("head", told(letter.language, "redress"))
        letter.add("quote", said.redress)
    promise = said.promise or {}
    if promise.get("text"):
        letter.add("head", told(letter.language, "promise"))
        letter.add("quote", promise["text"])
        letter.add("text", told(letter.language, "promise_kept", reference=promise["reference"]))


def confirm(language: str, facts: Facts, note: dict[str, Any], address: str) -> Letter:
    """Brings the owner's answer to the customer, and asks whether it is solved."""
    letter = Letter(language, "")
    name = (facts.customer or {}).get("name")
    letter.subject = letter.say("confirm_subject", reference=facts.reference)
    letter.add("text", letter.say("answer_hello", name=name) if name else letter.say("hello_customer"))
    letter.add("text", letter.say("confirm_intro"))
    letter.add("quote", str(note.get("text") or ""))
    if note.get("redress"):
        letter.add("head", told(letter.language, "redress"))
        letter.add("quote", str(note["redress"]))
    return _ending(letter, facts, address)


def _ending(letter: Letter, facts: Facts, address: str) -> Letter:
    letter.add("head", letter.say("solved_ask"))
    letter.add("link", lines=[letter.say("solved_here"), address])
    letter.add("text", letter.say("reference", reference=facts.reference))
    letter.footer = letter.say("footer_customer")
    return letter


def tell(language: str, name: str, facts: Facts, said: Said, times: int) -> Letter:
    """Asks the owner to bring an answer in person, and reminds them."""
    letter = Letter(language, "")
    letter.subject = tell_subject(letter, facts.reference, times)
    letter.add("text", letter.say("hello", name=name))
    because = _failed(facts)
    letter.add("text", told(letter.language, f"tell_{because}"))
    letter.add("text", told(letter.language, "tell_ask"))
    if times:
        letter.add("text", told(letter.language, "tell_since", at=facts.at(_failed_at(facts))))
    return _with_words(letter, facts, said)


def tell_subject(letter: Letter, reference: str, times: int) -> str:
    """Of the letter to the owner; `times` they were reminded."""
    if times:
        return told(letter.language, "tell_again_subject", reference=reference, times=times)
    return letter.say("tell_subject", reference=reference)


def untold_subject(letter: Letter, reference: str, times: int) -> str:
    """Of the letter to those above the owner, and to whoever wrote the answer."""
    return told(letter.language, "untold_subject", reference=reference, times=max(times, 1))


def came_back(language: str, name: str, facts: Facts, note: dict[str, Any]) -> Letter:
    """Tells the owner that their own answer did not reach the customer."""
    letter = Letter(language, "")
    letter.subject = tell_subject(letter, facts.reference, 0)
    letter.add("text", letter.say("hello", name=name))
    letter.add("text", told(letter.language, "yours_came_back"))
    return _with_words(letter, facts, Said(str(note["text"]), name, "", redress=note.get("redress")))


def untold(language: str, name: str, facts: Facts, said: Said, times: int) -> Letter:
    """Tells those above the owner, and whoever wrote the answer, that the customer has not heard it."""
    letter = Letter(language, "")
    letter.subject = untold_subject(letter, facts.reference, times)
    letter.add("text", letter.say("hello", name=name))
    at = facts.at(_failed_at(facts))
    letter.add("text", told(letter.language, "untold" if facts.owner else "untold_unowned", owner=facts.owner, at=at))
    if since := (facts.escalation or {}).get("reasons_since_answer"):
        letter.add("text", told(letter.language, "untold_more"))
        letter.add("list", lines=[letter.say(str(reason)) for reason in since])
    letter.add("text", told(letter.language, "untold_ask"))
    return _with_words(letter, facts, said)


def _with_words(letter: Letter, facts: Facts, said: Said) -> Letter:
    letter.add("head", told(letter.language, "words_of", name=said.by))
    letter.add("quote", said.text)
    _besides(letter, said)
    if said.stay:
        letter.add("head", told(letter.language, "stay"))
        letter.add("quote", said.stay)
    phone = (facts.customer or {}).get("phone")
    more = [(told(letter.language, "phone"), str(phone))] if phone else []
    letter.add("facts", lines=[*customer_lines(letter, facts), *more])
    letter.footer = letter.say("footer")
    return letter


def _mail(facts: Facts) -> dict[str, Any]:
    given = (facts.escalation or {}).get("answer") or {}
    return dict((given.get("delivery") or {}).get("mail") or {})


def _failed(facts: Facts) -> str:
    state = str(_mail(facts).get("state"))
    return state if state in ("no_address", "refused", "came_back") else "no_address"


def _failed_at(facts: Facts) -> Any:
    return _mail(facts).get("failed_at")
