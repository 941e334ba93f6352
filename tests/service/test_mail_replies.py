"""Replies by mail: an executive's own words count as if they were typed on the page; nothing else does."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, text

from services.escalation.domain.acts import Forwarded
from services.escalation.store.arrivals import arrivals
from services.escalation.store.tables import metadata
from tests.service.escalation_world import POLICY, WORDS, breached, contact, erased, opened, owned, policy, threatened
from tests.service.mail_house import text_of
from tests.service.reply_house import Inbound, asked

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house", "tests.service.reply_house")
QUOTED = "\n\nOn Mon, 2 Mar 2026 at 09:00, Complaint Loop <loop@example.com> wrote:\n> My router drops every evening."


def refusals(inbound: Inbound, address: str = "head@example.com") -> list[EmailMessage]:
    """What an address was told of refused replies."""
    return [mail for mail in inbound.house.server.to(address) if "was not sent" in mail["Subject"]]


async def test_own_words_in_a_reply_go_to_the_customer_and_end_it(inbound: Inbound) -> None:
    mail = await asked(inbound)
    assert (await inbound.answer(mail, WORDS + QUOTED, "head@example.com"))[0] == 250
    (told,) = inbound.house.server.to("li@customer.example")
    assert WORDS in text_of(told)
    assert "My router drops" not in text_of(told)
    one = await inbound.house.world.escalation()
    assert (one["status"], one["answer"]["executive_id"], one["answer"]["text"]) == ("ended", "head", WORDS)
    assert await inbound.states() == [("taken", None, False)]
    assert refusals(inbound) == []
    assert await inbound.house.world.findings() == []


async def test_the_mail_says_how_it_is_answered_and_the_tag_is_its_own(inbound: Inbound) -> None:
    mail = await asked(inbound)
    body = text_of(mail)
    assert body.startswith("—— Please write your reply above this line ——")
    assert "Or simply reply to this mail" in body
    address = mail["Reply-To"].addresses[0].addr_spec
    assert inbound.replies.read(address) == mail["Message-ID"].strip("<>").partition("@")[0]
    assert inbound.house.server.senders == [address]


async def test_a_reply_to_the_address_without_the_tag_is_known_by_what_it_answers(inbound: Inbound) -> None:
    mail = await asked(inbound)
    assert (await inbound.answer(mail, WORDS, "head@example.com", To="answers@example.com"))[0] == 250
    assert (await inbound.house.world.escalation())["status"] == "ended"


@pytest.mark.parametrize("to", ["answers+m" + "a" * 42 + "@example.com", "other@example.com", "answers@example.org"])
async def test_what_is_for_nobody_is_not_taken(inbound: Inbound, to: str) -> None:
    mail = await asked(inbound)
    assert (await inbound.answer(mail, WORDS, "head@example.com", To=to))[0] == 550
    assert await inbound.states() == []


async def test_what_answers_no_mail_of_ours_is_not_taken(inbound: Inbound) -> None:
    mail = await asked(inbound)
    told = {"To": "answers@example.com", "In_Reply_To": "<other@example.com>"}
    assert (await inbound.answer(mail, WORDS, "head@example.com", **told))[0] == 550


@pytest.mark.parametrize(
    "headers",
    [
        {"Authentication_Results": ""},
        {"Authentication_Results": "mx.example.com; dmarc=fail header.from=example.com"},
        {"Authentication_Results": "mx.thief.example; dmarc=pass header.from=example.com"},
        {"From": "Hana Head <head@thief.example>"},
        {"From": "Victor Vice <vp@example.com>"},
        {"From": '"head@example.com" <thief@thief.example>'},
    ],
)
async def test_whoever_is_not_proved_to_be_the_person_asked_answers_nothing(
    inbound: Inbound, headers: dict[str, str]
) -> None:
    mail = await asked(inbound)
    for _ in range(3):
        await inbound.answer(mail, WORDS, "head@example.com", **headers)
    assert (await inbound.house.world.escalation())["status"] == "waiting"
    assert inbound.house.server.to("li@customer.example") == []
    # the person asked is told, once; the sender's address is never written to
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    (told,) = refusals(inbound)
    assert "could not be proved" in text_of(told)
    assert {address for address, _ in inbound.house.server.taken} == {"head@example.com"}


async def test_a_delegate_answers_as_a_delegate(inbound: Inbound) -> None:
    world = inbound.house.world
    world.policies.current = policy(POLICY.replace("{id: head,", "{id: head, delegates: [vp],"))
    mail = await asked(inbound)
    await inbound.answer(mail, WORDS, "vp@example.com")
    answer = (await world.escalation())["answer"]
    assert (answer["executive_id"], answer["delegate_of"]) == ("vp", "head")
    assert "Victor Vice, for Hana Head" in text_of(inbound.house.server.to("li@customer.example")[0])


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Subject": "Automatic reply: Complaint"},
        {"Subject": "自动回复：投诉"},
        {"envelope": ""},
    ],
)
async def test_robots_answer_nothing_and_are_not_answered(inbound: Inbound, headers: dict[str, str]) -> None:
    mail = await asked(inbound)
    assert (await inbound.answer(mail, WORDS, "head@example.com", **headers))[0] == 250
    assert await inbound.states() == [("robot", None, False)]
    assert (await inbound.house.world.escalation())["status"] == "waiting"
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    assert refusals(inbound) == []


@pytest.mark.parametrize(
    ("text", "why", "code"),
    [
        ("Thank you for your feedback. Your satisfaction is important to us.", "like a form letter", "canned-answer"),
        ("> My router drops every evening.", "no text of your own", "empty-answer"),
        ("I am out of the office until Monday.", "notice of absence", "reply-sounds-absent"),
        ("x " * 12_000, "longer than 20,000", "reply-too-long"),
    ],
)
async def test_what_is_no_answer_is_told_once_with_why_and_the_link(
    inbound: Inbound, text: str, why: str, code: str
) -> None:
    mail = await asked(inbound)
    await inbound.answer(mail, text, "head@example.com")
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    (told,) = refusals(inbound)
    body = text_of(told)
    assert why in body
    # the link and code of the mail that was answered
    for line in (r"/e/\S+", r"Code: \S+"):
        assert re.search(line, body)[0] == re.search(line, text_of(mail))[0]  # type: ignore[index]
    assert told["Auto-Submitted"] == "auto-replied"
    assert await inbound.states() == [("refused", code, False)]
    assert (await inbound.house.world.escalation())["status"] == "waiting"
    # a better reply to that is taken
    await inbound.answer(told, WORDS, "head@example.com")
    assert (await inbound.house.world.escalation())["status"] == "ended"


async def test_where_the_customer_may_leave_a_reply_cannot_say_what_would_make_them_stay(inbound: Inbound) -> None:
    await inbound.house.world.tell(opened(contact(contact_id="contact-1")), owned(), threatened(contact_id="contact-1"))
    await inbound.house.post()
    (mail,) = inbound.house.server.to("vp@example.com")
    assert "Or simply reply" not in text_of(mail)
    await inbound.answer(mail, WORDS, "vp@example.com")
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    (told,) = refusals(inbound, "vp@example.com")
    assert "what would make them stay" in text_of(told) and "/e/" in text_of(told)


async def test_a_program_that_answers_every_refusal_is_not_talked_to_for_ever(inbound: Inbound) -> None:
    mail = await asked(inbound)
    for n in range(20):
        await inbound.answer(mail, f"> {n}", "head@example.com")
        inbound.house.world.clock.advance(timedelta(minutes=20))
        await inbound.work()
    assert len(refusals(inbound)) == 5


async def test_a_reply_to_a_digest_is_asked_which_complaint_it_is_for(inbound: Inbound) -> None:
    await asked(inbound)
    for n in (2, 3):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await inbound.house.world.tell(opened(heard, f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    inbound.house.world.clock.advance(timedelta(minutes=2))
    await inbound.house.post()
    digest = inbound.house.server.to("head@example.com")[1]
    assert "2 complaints" in digest["Subject"]
    await inbound.answer(digest, WORDS, "head@example.com")
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    (told,) = refusals(inbound)
    assert "several complaints" in text_of(told) and "/e/" not in text_of(told)
    assert {one["status"] for one in await inbound.house.world.escalations()} == {"waiting"}


async def test_a_mail_delivered_twice_or_by_several_at_once_is_one(inbound: Inbound) -> None:
    mail = await asked(inbound)
    raw = inbound.reply(mail, WORDS, "head@example.com")
    address = mail["Reply-To"].addresses[0].addr_spec
    said = await asyncio.gather(
        *(inbound.deliver(b"Received: by hop %d\r\n" % n + raw, address, "head@example.com") for n in range(3))
    )
    assert {code for code, _ in said} == {250}
    await asyncio.gather(*(inbound.room.run_once() for _ in range(4)))
    await inbound.deliver(raw, address, "head@example.com")
    await inbound.work()
    assert len(await inbound.states()) == 1
    assert len(inbound.house.server.to("li@customer.example")) == 1
    assert refusals(inbound) == []


async def test_a_death_between_the_answer_and_its_note_tells_no_refusal(inbound: Inbound) -> None:
    """The effect and the note are one transaction: taken up again, nothing is left to do."""
    mail = await asked(inbound)
    raw = inbound.reply(mail, WORDS, "head@example.com")
    await inbound.deliver(raw, mail["Reply-To"].addresses[0].addr_spec, "head@example.com")
    async with inbound.house.world.engine.begin() as conn:
        (row,) = await conn.execute(select(arrivals))
    await asyncio.gather(*(inbound.room._work(row) for _ in range(3)))
    await inbound.work()
    assert [state for state, _, _ in await inbound.states()] == ["taken"]
    assert refusals(inbound) == []
    assert len(inbound.house.server.to("li@customer.example")) == 1


async def test_what_cannot_be_kept_is_not_taken(inbound: Inbound, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = await asked(inbound)

    async def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("services.escalation.store.arrivals.keep", full)
    assert (await inbound.answer(mail, WORDS, "head@example.com"))[0] == 451
    monkeypatch.undo()
    assert (await inbound.answer(mail, WORDS, "head@example.com"))[0] == 250
    assert (await inbound.house.world.escalation())["status"] == "ended"


async def test_too_much_is_refused_and_broken_mails_are_told_or_ignored(
    inbound: Inbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.escalation.mail.inbound.door.MOST_BYTES", 100_000)
    mail = await asked(inbound)
    address = mail["Reply-To"].addresses[0].addr_spec
    raw = inbound.reply(mail, WORDS, "head@example.com")
    assert (await inbound.deliver(raw + b"x\r\n" * 40_000, address, "head@example.com"))[0] == 552
    head = raw.partition(b"Content-Type")[0]
    for n, body in enumerate((b"\xff\x00\xfe" * 99, b'Content-Type: multipart/mixed; boundary="\r\n\r\n--', b"--\r\n")):
        name = b"Message-ID: <%d@x>\r\n" % n
        code, _ = await inbound.deliver(name + head.replace(b"Message-ID", b"X") + body, address, "head@example.com")
        assert code == 250
    await inbound.work()
    assert {state for state, _, _ in await inbound.states()} <= {"refused"}
    assert (await inbound.house.world.escalation())["status"] == "waiting"


async def test_a_reply_to_what_was_passed_on_to_somebody_else_counts_no_more(inbound: Inbound) -> None:
    mail = await asked(inbound)
    one = await inbound.house.world.escalation()
    await inbound.house.world.act("c-1", Forwarded(one["id"], "ceo", "desk"))
    await inbound.answer(mail, WORDS, "head@example.com")
    inbound.house.world.clock.advance(timedelta(hours=1))
    await inbound.work()
    (told,) = refusals(inbound)
    assert "passed on to somebody else" in text_of(told)
    assert (await inbound.house.world.escalation())["status"] == "waiting"


async def test_nothing_of_a_mail_is_left_when_the_customer_is_forgotten(inbound: Inbound) -> None:
    mail = await asked(inbound)
    raw = inbound.reply(mail, "canary words", "head@example.com")
    await inbound.deliver(raw, mail["Reply-To"].addresses[0].addr_spec, "head@example.com")
    await inbound.house.world.tell(erased())
    await inbound.work()
    async with inbound.house.world.engine.connect() as conn:
        for table in metadata.tables:
            found = text(f"select count(*) from {table} t where t::text like '%canary%'")
            assert (await conn.execute(found)).scalar_one() == 0
    assert await inbound.states() == [("ignored", None, False)]
