"""Mails that executives, customers and owners get, whatever the mail server and the neighbours do."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.escalation.domain.answering import AnswerGiven
from services.escalation.store import mails as rows
from services.escalation.store.claiming import SENDING_SECONDS, claim
from services.escalation.store.mails import mails
from tests.service.escalation_world import WORDS, breached, contact, opened, owned, promised, threatened
from tests.service.mail_house import House, another_room, text_of, trouble

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
MINUTE = timedelta(minutes=1)


async def test_a_mail_that_nobody_tried_to_send_in_time_is_not_sent_late(house: House) -> None:
    await trouble(house)
    await house.world.pass_time(timedelta(hours=4))  # the mail room was down; the ladder was not
    await house.post()
    assert [address for address, _ in house.server.taken] == ["vp@example.com"]


async def test_the_mail_has_the_customers_words_a_code_and_no_word_of_theirs_in_a_header(house: House) -> None:
    await trouble(house)
    await house.post()
    (mail,) = house.server.to("head@example.com")
    body = text_of(mail)
    assert "My router drops every evening." in body
    assert "Li Wei" in body
    assert re.search(r"^Code: [0-9A-Z]{4}-[0-9A-Z]{2}$", body, re.MULTILINE)
    assert "http://loop.example/e/" in body
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"]
    assert "router" not in "".join(str(value) for value in mail.values()).lower()
    (step,) = (await house.world.escalation())["steps"]
    assert step["mailed_at"] == house.world.clock.now()


async def test_while_intake_is_away_the_mail_waits_and_is_then_sent_once(house: House) -> None:
    house.neighbours.away = True
    await trouble(house)
    await house.post()
    for _ in range(6):
        house.world.clock.advance(MINUTE)
        await house.post()
    assert house.server.taken == []
    house.neighbours.away = False
    house.world.clock.advance(MINUTE)
    await house.post()
    assert len(house.server.to("head@example.com")) == 1


async def test_a_server_that_is_down_or_says_later_gets_the_same_mail_again(house: House) -> None:
    house.server.stop()
    await trouble(house)
    await house.post()
    house.server.start()
    house.server.says["head@example.com"] = ["rcpt 451 later", "452 no room"]
    for _ in range(3):
        house.world.clock.advance(timedelta(minutes=16))
        await house.post()
    assert len(house.server.to("head@example.com")) == 1
    async with house.world.engine.connect() as conn:
        row = (await conn.execute(select(mails))).one()
    assert (row.state, row.attempt) == ("accepted", 4)


async def test_a_mail_is_tried_after_1_5_15_and_30_minutes_while_the_ladder_goes_on(house: House) -> None:
    world, began = house.world, house.world.clock.now()
    house.server.says["head@example.com"] = ["rcpt 451 later"] * 1000
    await trouble(house)
    tried: list[int] = []
    while world.clock.now() < began + timedelta(hours=4, minutes=1):
        left = len(house.server.says["head@example.com"])
        await house.post()
        if len(house.server.says["head@example.com"]) < left:
            tried.append(round((world.clock.now() - began) / MINUTE))
        await world.pass_time(MINUTE)
    assert tried[:6] == [0, 1, 6, 21, 51, 81]
    assert {later - sooner for sooner, later in itertools.pairwise(tried[4:])} == {30}
    # the next person was asked when the head's time was over, and not before
    steps = (await world.escalation())["steps"]
    assert [(step["executive_id"], step["outcome"]) for step in steps] == [("head", "unanswered"), ("vp", "waiting")]
    assert steps[1]["at"] == began + timedelta(hours=4)
    await house.post()
    assert len(house.server.to("vp@example.com")) == 1


async def test_a_refused_address_is_undeliverable_and_the_next_person_is_written_to_at_once(house: House) -> None:
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    await trouble(house)
    await house.post()
    assert len(house.server.to("vp@example.com")) == 1
    one = await house.world.escalation()
    first = one["steps"][0]
    assert (first["executive_id"], first["outcome"]) == ("head", "undeliverable")
    assert "escalation.undeliverable" in await house.world.events()


async def test_a_server_lost_after_the_text_gets_it_again_under_the_same_message_id(house: House) -> None:
    house.server.says["head@example.com"] = ["hang"]
    house.room = another_room(house, step_seconds=1)
    await trouble(house)
    await house.post()
    async with house.world.engine.connect() as conn:
        assert await conn.scalar(select(mails.c.state)) == "unknown"
    house.world.clock.advance(2 * MINUTE)
    await house.post()
    first, second = house.server.to("head@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)


async def test_a_mail_room_that_died_while_sending_leaves_nothing_unsent(house: House) -> None:
    await trouble(house)
    async with house.world.engine.begin() as conn:
        assert await claim(conn, house.world.clock.now(), per_minute=1, per_hour=10)
    await house.post()
    assert house.server.taken == []
    house.world.clock.advance(timedelta(seconds=SENDING_SECONDS + 1))
    await house.post()
    assert len(house.server.to("head@example.com")) == 1


@pytest.mark.parametrize(
    "evil",
    [
        "Li\r\nBcc: thief@example.com",
        "=?utf-8?q?Li=0ABcc:_thief@example.com?=",
        "Li\u2028Bcc: thief@example.com",
        "Li\x00\x1b[31m",
        "<script>alert(1)</script>",
        "\u202egnp.exe",
        "{{ 7 * 7 }}{% for x in y %}",
        'Li" onclick="x',
    ],
)
async def test_nothing_a_customer_writes_reaches_a_header_or_acts(house: House, evil: str) -> None:
    house.neighbours.customers["c-1"] |= {"name": evil, "tier": evil}
    house.neighbours.contacts["contact-1"] = {"contact_id": "contact-1", "text": evil, "subject": evil}
    house.neighbours.complaints["k-1"] = {"reference": evil, "owner": {"id": evil, "name": evil}, "cause": evil}
    await trouble(house)
    await house.post()
    (mail,) = house.server.to("head@example.com")
    assert [address.addr_spec for address in mail["To"].addresses] == ["head@example.com"]
    assert mail["Bcc"] is None and mail["Cc"] is None
    assert "thief" not in "".join(f"{name}{value}" for name, value in mail.items())
    html = mail.get_body(preferencelist=("html",))
    assert html is not None
    page = html.get_content()
    assert "<script>" not in page and "\u202e" not in page
    assert not re.search(r"<[^>]*onclick", page)
    assert "{{ 7 * 7 }}" in page or "7 * 7" not in evil


async def test_an_evil_address_gets_no_mail_and_the_owner_tells_instead(house: House) -> None:
    house.neighbours.customers["c-1"]["email"] = "li@customer.example\r\nBcc: thief@example.com"
    await trouble(house)
    await house.post()
    one = await house.world.escalation()
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS))
    await house.post()
    assert {address for address, _ in house.server.taken} == {"head@example.com", "chen@example.com"}
    assert WORDS in text_of(house.server.to("chen@example.com")[0])
    assert (await house.world.escalation())["status"] == "answered"


async def test_the_executives_words_reach_the_customer_and_that_ends_it(house: House) -> None:
    await trouble(house)
    await house.post()
    one = await house.world.escalation()
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS, promise=promised()))
    await house.post()
    (mail,) = house.server.to("li@customer.example")
    assert WORDS in text_of(mail)
    assert "http://loop.example/c/" in text_of(mail)
    assert (await house.world.escalation())["status"] == "ended"
    assert await house.world.findings() == []


async def test_nobody_is_flooded_and_nobody_is_left_out(house: House) -> None:
    """30 complaints to one executive within a minute: ten mails an hour at most, which name all of them."""
    names = [f"k-{n:03d}" for n in range(30)]
    for n, name in enumerate(names):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        house.neighbours.contacts[heard.contact_id] = {"contact_id": heard.contact_id, "text": "It drops."}
        who = {"complaint_id": name, "customer": f"c-{n}"}
        await house.world.tell(opened(heard, name, reference=f"C-{n:05d}"), owned(**who), breached(**who))
        if n == 0:
            await house.post()  # the first goes out at once
    for _ in range(59):
        await house.post()
        house.world.clock.advance(MINUTE)
    got = house.server.to("head@example.com")
    assert len(got) <= 10
    told = "\n".join(f"{mail['Subject']}\n{text_of(mail)}" for mail in got)
    assert {f"C-{n:05d}" for n in range(30)} <= set(re.findall(r"C-\d{5}", told))
    assert len(re.findall(r"^Code: ", told, re.MULTILINE)) >= 30
    async with house.world.engine.connect() as conn:
        assert [finding async for finding in rows.findings(conn)] == []


async def test_asking_stops_when_somebody_has_answered(house: House) -> None:
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), threatened(contact_id="contact-1"))
    one = await house.world.escalation()
    given = AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="A technician tomorrow.")
    await house.world.act("c-1", given)
    await house.post()
    assert house.server.to("vp@example.com") == []
    assert len(house.server.to("li@customer.example")) == 1


async def test_a_server_that_says_nothing_about_one_keeps_nobody_else_waiting(house: House) -> None:
    await trouble(house)
    house.server.says["head@example.com"] = ["hang"]
    room = another_room(house, step_seconds=60)
    assert await room.run_once() == 1
    await house.world.tell(threatened())
    assert await room.run_once() == 1
    assert len(house.server.to("vp@example.com")) == 1
    assert await room.run_once() == 0
    await room.stop()


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        ("accepted", "the customer said that it is solved"),
        ("withdrawn", "the customer withdrew the complaint"),
        ("silent", "the customer did not say whether it is solved"),
        ("not_a_complaint", "it was closed as no complaint"),
    ],
)
async def test_whoever_is_still_asked_reads_that_it_was_closed_and_how(house: House, basis: str, said: str) -> None:
    at = "2026-03-02T09:30:00Z"
    missed = {"kind": "executive_answer", "breached_at": at, "due_at": at}
    house.neighbours.complaints["k-1"] = {"status": "closed", "basis": basis, "version": 3, "clocks": [missed]}
    house.neighbours.timelines["k-1"] = [{"type": "complaint.closed", "at": at, "data": {"basis": basis}}]
    await trouble(house)
    await house.post()
    told = text_of(house.server.to("head@example.com")[-1])
    assert re.search(rf"2026-03-02 \d\d:30: .*{said}", told)
    assert "executive_answer" not in told
