"""What a mail looks like on arrival: its headers, its two forms, both languages."""

from __future__ import annotations

import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.mail import letters, promises
from services.escalation.mail.facts import Facts
from services.escalation.mail.letter import Letter
from services.escalation.mail.phrases import DONE, KINDS, PHRASES
from services.escalation.mail.phrases_staff import STAFF
from services.escalation.mail.plain import clean, line
from services.escalation.mail.render import UnsafeMail, html_of, render, text_of
from services.escalation.web.phrases import BECAUSE, PAGE
from shared.languages import language_of

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINK = ("http://loop.example/e/token", "7K3P-XQ")


def facts(**over: Any) -> Facts:
    """A complaint with a history."""
    told: dict[str, Any] = {
        "reference": "C-7F3K9",
        "zone": "Asia/Shanghai",
        "customer": {"name": "Li Wei", "tier": "gold", "lifetime_value": {"amount": "300000", "currency": "CNY"}},
        "complaint": {
            "first_contact_at": "2026-03-01T09:00:00Z",
            "contacts": ["1", "2"],
            "owner": {"id": "agent-7", "name": "Chen Yu"},
            "clocks": [{"kind": "first_response", "due_at": "2026-03-01T10:00:00Z", "breached_at": AT}],
        },
        "first": {"contact_id": "1", "text": "It drops every evening."},
        "latest": {"contact_id": "2", "text": "I will leave you."},
        "timeline": [
            {"type": "complaint.acknowledged", "at": "2026-03-01T11:00:00Z", "note": None},
            {"type": "complaint.customer_updated", "at": AT, "note": {"text": "We look for the fault."}},
            {"type": "complaint.clock_warned", "at": AT, "note": None},
        ],
        "escalation": {"status": "waiting", "reasons": ["departure_threat"], "departure_threat": True},
        "promises": [
            {
                "reference": "P-3K9TT",
                "made_by": "vp",
                "by_name": "Victor Vice",
                "made_at": "2026-01-01T00:00:00Z",
                "text": "Never again.",
                "status": "broken",
            }
        ],
        "asked_before": ["Hana Head"],
    }
    return Facts(**(told | over))


def ask(language: str = "en", **over: Any) -> Letter:
    return letters.ask(language, "Ana Ruiz", facts(**over), AT, *LINK)


def sent(letter: Letter, recipient: str = "ceo@example.com") -> EmailMessage:
    """A mail as it arrives."""
    made = render(letter, message_id="<m-1@example.com>", sender="loop@example.com", recipient=recipient, at=AT)
    read = BytesParser(policy=email.policy.default).parsebytes(bytes(made))
    assert isinstance(read, EmailMessage)
    return read


def test_the_headers_are_these_and_no_others() -> None:
    mail = sent(ask())
    wanted = "Message-ID Date From To Subject Auto-Submitted X-Auto-Response-Suppress MIME-Version Content-Type"
    assert sorted(mail.keys()) == sorted(wanted.split())
    assert mail["Message-ID"] == "<m-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == AT
    assert mail["Subject"] == (
        "Complaint C-7F3K9: the customer may leave. Your own answer, please, by 2026-03-02 17:00 (Asia/Shanghai)"
    )


def test_the_history_is_five_lines_with_what_was_done_in_it() -> None:
    text = text_of(ask())
    history = text.partition("WHAT HAS HAPPENED")[2].partition("\n\n")[0].split("\n")[1:]
    assert len(history) == 5
    assert "acknowledged" not in "".join(history)


def test_a_reopening_by_merging_is_not_told_as_the_customers_word() -> None:
    timeline = [
        {"type": "complaint.reopened", "at": AT, "note": None, "data": {"through": "merge"}},
        {"type": "complaint.took_in", "at": AT, "note": None, "data": {}},
    ]
    text = text_of(ask(timeline=timeline))
    assert "about the same joined it" in text and "is not solved" not in text
    asked = [{"type": "complaint.reopened", "at": AT, "note": None, "data": {"through": "page"}}]
    assert "the customer said that it is not solved" in text_of(ask(timeline=asked))


def test_the_mail_asks_with_everything_that_is_known() -> None:
    text = text_of(ask())
    for said in (
        "The customer may leave us.",
        "Name: Li Wei",
        "Worth to us: 300,000 CNY",
        "> It drops every evening.",
        "> I will leave you.",
        "in touch 2 times",
        "Chen Yu owns the complaint",
        "Missed: first response, due 2026-03-01 18:00.",
        "the owner wrote to the customer: “We look for the fault.”",
        "Asked before you, without an answer: Hana Head.",
        "P-3K9TT, by Victor Vice on 2026-01-01 08:00: “Never again.” (broken)",
        "what would make them stay",
        "Answer the customer: http://loop.example/e/token",
    ):
        assert said in text
    assert "warned" not in text
    assert re.findall(r"^Code: .*$", text, re.MULTILINE) == ["Code: 7K3P-XQ"]


def test_without_a_threat_nobody_is_asked_to_ask_about_staying() -> None:
    text = text_of(ask(escalation={"status": "waiting", "reasons": ["asked"], "departure_threat": False}))
    assert "stay" not in text.replace("stays with it", "")


def test_it_speaks_chinese() -> None:
    mail = sent(ask("zh"))
    assert "客户可能离开" in mail["Subject"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert "客户的原话" in text.get_content()
    assert "\nCode: 7K3P-XQ" in text.get_content().replace("\r\n", "\n")
    assert [language_of(one) for one in ("zh-CN", "ZH_tw", "zh", "en-GB", "zhx", "", None)] == ["zh"] * 3 + ["en"] * 4


def test_every_sentence_is_there_in_both_languages() -> None:
    for said in (PHRASES, DONE, KINDS, PAGE, BECAUSE, STAFF):
        assert said["en"].keys() == said["zh"].keys()
    for name, text in PHRASES["en"].items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", PHRASES["zh"][name])), name


def test_the_html_needs_nothing_from_elsewhere_and_knows_the_dark() -> None:
    page = html_of(ask())
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"<(img|script|link|iframe)\b|url\(|@import", page)
    assert re.findall(r'href="([^"]*)"', page) == ["http://loop.example/e/token"]
    assert "It drops every evening." in page


def test_a_long_story_is_told_in_part() -> None:
    text = text_of(ask(first={"contact_id": "1", "text": "x" * 100_000}))
    assert len(text) < 8_000
    assert "x […]" in text


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b\r", "\n\r\n"])
def test_no_word_of_a_customers_looks_like_one_of_ours(end: str) -> None:
    """A code or a link in a line of its own is ours: quotes are marked in every line, names stay in theirs."""
    evil = f"Li{end}Code: EVIL-00{end}Answer the customer: http://evil.example/"
    asked = ask(
        customer={"name": evil, "tier": evil, "region": evil},
        complaint={"owner": {"id": "x", "name": evil}, "cause": evil, "product": evil, "contacts": ["1"]},
        first={"contact_id": "1", "subject": evil, "text": evil},
        latest={"contact_id": "2", "text": evil},
        promises=[dict(facts().promises[0], text=evil, by_name=evil)],
        timeline=[{"type": "complaint.answered", "at": AT, "note": {"text": evil}}],
    )
    mail = sent(asked)
    body = mail.get_body(("plain",))
    assert body is not None
    lines = body.get_content().splitlines()
    assert [one for one in lines if one.startswith("Code:")] == ["Code: 7K3P-XQ"]
    assert [one for one in lines if one.startswith("Answer the customer")] == [f"Answer the customer: {LINK[0]}"]


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@b\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "A <a@b.example>",
        "=?utf-8?q?a=40b?=@c.example\n",
        "a b@c.example",
        "a@b@c.example",
        "a@[127.0.0.1]",
        "a\x00@b.example",
        "ä@b.example",
        "a@" + "b" * 250 + ".example",
    ],
)
def test_only_a_plain_address_gets_mail(recipient: str) -> None:
    with pytest.raises(UnsafeMail):
        sent(ask(), recipient)


@given(st.text(max_size=200), st.sampled_from(["reference", "name"]))
def test_a_subject_is_one_line_whatever_is_in_it(said: str, where: str) -> None:
    letter = Letter("en", said if where == "reference" else f"=?utf-8?q?{said}=0ABcc:_x@evil.example?=")
    mail = sent(letter)
    assert mail["Bcc"] is None
    assert mail["To"] == "ceo@example.com"


@given(st.text(max_size=300))
def test_clean_text_has_no_hidden_characters_and_no_odd_line_breaks(text: str) -> None:
    assert clean(text).splitlines() == clean(text).split("\n") or clean(text) == "" or clean(text).endswith("\n")
    assert "\n" not in line(text)


def test_a_breach_shows_both_texts() -> None:
    promise = dict(facts().promises[0])
    told = promises.breach("en", "Victor Vice", facts(), promise, LINK, AT)
    assert "> Never again." in text_of(told)
    assert "> I will leave you." in text_of(told)
    assert "Code: 7K3P-XQ" in text_of(told)
    assert "Code:" not in text_of(promises.breach("en", "Chen Yu", facts(), promise, None, None))


def test_a_digest_has_the_way_to_each() -> None:
    asked = [(f"C-{n:05d}", f"http://loop.example/e/{n}", f"{n:04d}-AA") for n in range(300)]
    text = text_of(letters.digest("en", "Ana Ruiz", asked, ["Promise P-1 was broken (complaint C-1)"]))
    assert len(re.findall(r"^C-\d{5}: http", text, re.MULTILINE)) == 300
    assert len(re.findall(r"^Code: \d{4}-AA$", text, re.MULTILINE)) == 300
