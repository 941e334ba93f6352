"""Whatever stands in any field of a letter, the letter is the same letter with other words in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html.parser import HTMLParser

import pytest

from services.escalation.mail import letters, promises, telling
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.render import render
from tests.injections import INJECTIONS

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINK = ("http://loop.example/e/token", "7K3P-XQ")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]")


class Structure(HTMLParser):
    """The tags of a page with their attributes, but for its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", ()))


def letters_with(evil: str) -> dict[str, Letter]:
    """Every kind of letter, with the same text in all fields that people write."""
    contact = {"contact_id": "1", "subject": evil, "text": evil}
    promise = {
        "reference": "P-3K9TT",
        "made_by": evil,
        "by_name": evil,
        "made_at": "2026-01-01T00:00:00Z",
        "text": evil,
        "status": "broken",
        "breaches": [{"at": "2026-02-01T00:00:00Z", "taken_back": None}],
        "actions": [{"n": 1, "what": evil, "owner": evil, "due_at": AT}],
    }
    about = Facts(
        reference="C-7F3K9",
        cause=evil,
        customer={"name": evil, "tier": evil, "region": evil, "lifetime_value": {"amount": "1", "currency": evil}},
        complaint={
            "first_contact_at": "2026-03-01T09:00:00Z",
            "contacts": ["1", "2"],
            "owner": {"id": evil, "name": evil},
            "tier": evil,
            "region": evil,
            "product": evil,
            "cause": evil,
            "clocks": [{"kind": evil, "due_at": AT, "breached_at": AT}],
        },
        first=contact,
        latest=contact | {"contact_id": "2"},
        timeline=[{"type": "complaint.customer_updated", "at": AT, "note": {"text": evil}}],
        escalation={"status": "waiting", "reasons": ["asked"], "departure_threat": False},
        promises=[promise],
        asked_before=[evil],
    )
    said = telling.Said(evil, evil, evil, stay=evil, redress=evil, promise=promise)
    return {
        "ask": letters.ask("en", evil, about, AT, *LINK, by_reply=True),
        "answer": telling.answer("en", about, said, "http://loop.example/c/token"),
        "confirm": telling.confirm("zh", about, {"text": evil, "redress": evil}, "http://loop.example/c/token"),
        "tell": telling.tell("en", evil, about, said, 1),
        "untold": telling.untold("en", evil, about, said, 2),
        "came_back": telling.came_back("zh", evil, about, {"text": evil}),
        "visit": letters.visit("en", evil, about, AT),
        "breach": promises.breach("en", evil, about, promise, LINK, AT),
        "chase": promises.chase("en", evil, about, promise, 1, AT),
        "undeliverable": letters.undeliverable("en", evil, about, evil),
        "refused": letters.refused("zh", evil, about, "canned-answer", 92, LINK),
        "digest": letters.digest("en", evil, [("C-7F3K9", *LINK)], [evil]),
    }


def arrived(letter: Letter) -> tuple[EmailMessage, str, str]:
    """The mail as it is read on arrival: its headers, text and HTML."""
    made = render(letter, message_id="<1@example.com>", sender="loop@example.com", recipient="vp@example.com", at=AT)
    read = BytesParser(policy=default).parsebytes(bytes(made))
    assert isinstance(read, EmailMessage)
    parts = [read.get_body(preferencelist=(kind,)) for kind in ("plain", "html")]
    text, html = [str(part.get_content()) if part else "" for part in parts]
    return read, text.replace("\r\n", "\n"), html


GOOD = {kind: arrived(letter) for kind, letter in letters_with("words").items()}


def _own(text: str) -> int:
    return sum(line.startswith(("Code: ", "—— ")) for line in text.split("\n"))


@pytest.mark.parametrize("n", range(len(INJECTIONS)))
def test_a_letter_stays_the_letter_it_is(n: int) -> None:
    evil = INJECTIONS[n]
    made = letters_with(evil)
    others = [kind for kind in made if kind not in ("ask", "breach")]
    for kind in ("ask", "breach", others[n % len(others)]):
        mail, text, html = arrived(made[kind])
        good, good_text, good_html = GOOD[kind]
        assert mail.keys() == good.keys(), kind
        assert [one.addr_spec for one in mail["To"].addresses] == ["vp@example.com"]
        assert not re.search(r"[\r\n]", str(mail["Subject"]))
        assert Structure(html).tags == Structure(good_html).tags, kind
        assert not _UNSEEN.search(text + html + str(mail["Subject"])), kind
        # a line of ours is never somebody else's: quotes are marked, names stay in their line; but customers are
        # greeted by their own name, and what an executive writes to them stands there as they wrote it
        assert kind in ("answer", "confirm") or _own(text) == _own(good_text), kind


def test_there_are_two_hundred_of_them() -> None:
    assert len(INJECTIONS) >= 200
