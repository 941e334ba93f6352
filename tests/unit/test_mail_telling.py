"""Letters that bring an answer, have it told in person, and say what was said before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.escalation.mail import letters, telling
from services.escalation.mail.facts import Facts
from services.escalation.mail.phrases_told import TOLD
from services.escalation.mail.render import html_of, text_of
from services.escalation.mail.telling import Said

AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
LINK = ("http://loop.example/e/token", "7K3P-XQ")


def facts(**over: Any) -> Facts:
    """A complaint that agent-7 owns."""
    told: dict[str, Any] = {
        "reference": "C-7F3K9",
        "customer": {"name": "Li Wei", "phone": "+86 571 5555"},
        "complaint": {"first_contact_at": "2026-03-01T09:00:00Z", "owner": {"id": "agent-7", "name": "Chen Yu"}},
        "first": {"contact_id": "1", "text": "It drops every evening."},
        "escalation": {"status": "waiting", "reasons": ["asked"]},
    }
    return Facts(**(told | over))


def test_what_comes_to_the_customer_is_the_executives_own_words() -> None:
    words = "I rang you at eight.\n\nThe line is mended."
    promise = {"reference": "P-3K9TT", "text": "It will not drop again."}
    said = Said(words, "Ana Ruiz", "Ana Ruiz, chief executive", redress="Two months are free.", promise=promise)
    text = text_of(telling.answer("en", facts(), said, "http://loop.example/c/token"))
    assert text.startswith(words)
    assert "http://loop.example/c/token" in text
    assert "> Two months are free." in text and "> It will not drop again." in text and "P-3K9TT" in text
    assert text.index("P-3K9TT") < text.index("Ana Ruiz, chief executive")
    assert "Code" not in text


def test_both_languages_have_the_same_sentences() -> None:
    assert TOLD["en"].keys() == TOLD["zh"].keys()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", ["no_address", "refused", "came_back"])
def test_the_owner_reads_what_to_tell_and_why(language: str, state: str) -> None:
    mail = {"state": state, "failed_at": "2026-03-02T09:00:00Z"}
    about = facts(escalation={"answer": {"delivery": {"mail": mail}}, "reasons": ["asked"], "status": "answered"})
    said = Said("The line is mended.", "Vi Aide, for Victor Vice", "", stay="A call.", redress="Two months are free.")
    for letter in (telling.tell(language, "Chen", about, said, 0), telling.untold(language, "Vi", about, said, 3)):
        text = text_of(letter)
        for one in ("Vi Aide, for Victor Vice", "> The line is mended.", "> A call.", "> Two months", "+86 571 5555"):
            assert one.lower() in text.lower()
        assert TOLD[language]["promise"] not in text
        assert html_of(letter).count("Two months are free.") == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whoever_is_answered_back_reads_what_was_said(language: str) -> None:
    said = {
        "id": "a-1",
        "escalation_id": "e-0",
        "executive_id": "aide",
        "by_name": "Vi Aide",
        "for_name": "Victor Vice",
        "text": "A technician comes tomorrow.",
        "stay": "A line that holds.",
        "redress": "Two months are free.",
        "given_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "delivered": True,
        "promise_id": None,
    }
    happened = [
        {"type": "complaint.answered", "at": "2026-03-03T09:00:00Z", "by": "agent-7", "note": {"text": "Mended."}},
        {"type": "complaint.reopened", "at": "2026-03-04T09:00:00Z", "note": {"comment": "Nobody came!"}},
        {"type": "complaint.escalation_asked", "at": "2026-03-05T09:00:00Z", "data": {"by": "agent"}, "why": "loud"},
    ]
    about = facts(answers=[said], timeline=happened)
    text = text_of(letters.ask(language, "Victor Vice", about, AT, *LINK))
    order = ["A line that holds.", "A technician comes tomorrow.", "Two months are free.", "Mended.", "Nobody came!"]
    places = [text.index(f"> {one}") for one in order]
    assert places == sorted(places)
    assert TOLD[language]["not_satisfied"] in text and "loud" not in text
    assert "Vi Aide" in text and "Victor Vice" in text
    assert TOLD[language]["ledger"].partition("{")[0].strip(" (（").lower() in text.lower()


@pytest.mark.parametrize(("through", "said_no"), [("merge", False), ("page", True), ("contact", True)])
def test_what_a_merge_reopens_is_nobodys_no(through: str, said_no: bool) -> None:
    said = {"by_name": "Vi", "text": "A technician comes.", "given_at": AT, "delivered": True, "promise_id": None}
    happened = [{"type": "complaint.reopened", "at": "2026-03-04T09:00:00Z", "data": {"cycle": 2, "through": through}}]
    text = text_of(letters.ask("en", "Victor", facts(answers=[said], timeline=happened), AT, *LINK))
    assert (TOLD["en"]["no"] in text) is said_no
    assert (TOLD["en"]["not_satisfied"] in text) is said_no
    assert ("the customer said that it is not solved" in text) is said_no
