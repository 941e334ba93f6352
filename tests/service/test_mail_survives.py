"""Mails that break off, wait, or are made by several at once: none is lost, none is another one the second time."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.escalation.domain.answering import Alike, AnswerGiven
from services.escalation.store.claiming import SENDING_SECONDS, claim
from services.escalation.store.mails import mails
from shared import faults
from tests.service.escalation_world import WORDS, breached, contact, opened, threatened
from tests.service.mail_house import House, another_room, text_of, trouble

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
MINUTE = timedelta(minutes=1)


async def test_however_long_intake_is_away_the_mail_is_not_given_up(house: House) -> None:
    house.neighbours.away = True
    await trouble(house)
    await house.post()
    house.world.clock.advance(timedelta(days=9))
    await house.post()
    house.neighbours.away = False
    house.world.clock.advance(MINUTE)
    await house.post()
    assert len(house.server.to("head@example.com")) == 1


async def test_however_long_the_server_is_down_the_mail_is_not_given_up(house: House) -> None:
    house.server.stop()
    await trouble(house)
    await house.post()
    house.world.clock.advance(timedelta(days=9))
    await house.post()
    house.server.start()
    house.world.clock.advance(timedelta(hours=1))
    await house.post()
    assert len(house.server.to("head@example.com")) == 1


async def test_a_server_that_says_later_for_days_has_refused(house: House) -> None:
    house.server.says["head@example.com"] = ["rcpt 452 mailbox full"] * 2
    await trouble(house)
    await house.post()
    house.world.clock.advance(timedelta(days=5, hours=1))
    await house.post()
    assert "escalation.undeliverable" in await house.world.events()
    assert (await house.world.escalation())["steps"][0]["outcome"] == "undeliverable"


async def test_who_was_answered_while_the_mail_was_tried_is_not_asked_again(house: House) -> None:
    house.server.says["head@example.com"] = ["452 no room"]
    await trouble(house)
    one = await house.world.escalation()
    async with house.world.engine.begin() as conn:
        (mine,) = await claim(conn, house.world.clock.now(), per_minute=1, per_hour=10)
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS))
    await house.room._send(mine)
    house.world.clock.advance(timedelta(hours=1))
    await house.post()
    assert house.server.to("head@example.com") == []
    assert "escalation.undeliverable" not in await house.world.events()
    async with house.world.engine.connect() as conn:
        states = await conn.execute(select(mails.c.kind, mails.c.state).order_by(mails.c.kind))
        assert states.all() == [("answer", "accepted"), ("ask", "withdrawn")]


async def test_what_may_have_arrived_is_never_put_into_a_digest(house: House) -> None:
    house.server.says["head@example.com"] = ["hang"]
    house.room = another_room(house, step_seconds=1)
    await trouble(house)
    await house.post()
    for n in (2, 3, 4):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        await house.world.tell(opened(heard, f"k-{n}"), breached(**who))
    for _ in range(40):
        house.world.clock.advance(MINUTE)
        await house.post()
    first, again, digest = house.server.to("head@example.com")
    assert first["Message-ID"] == again["Message-ID"] != digest["Message-ID"]
    assert len(re.findall(r"^Code: ", text_of(digest), re.MULTILINE)) == 3


async def test_a_digest_that_may_have_arrived_is_sent_again_as_it_was(house: House) -> None:
    house.server.says["head@example.com"] = ["250 OK", "hang"]
    house.room = another_room(house, step_seconds=1)
    for n in (1, 2, 3):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        await house.world.tell(opened(heard, f"k-{n}"), breached(**who))
        await house.post()
    for _ in range(10):
        house.world.clock.advance(MINUTE)
        await house.post()
    one, first, again = house.server.to("head@example.com")
    assert first["Message-ID"] == again["Message-ID"] != one["Message-ID"]
    assert text_of(first) == text_of(again)


async def test_rooms_side_by_side_send_every_mail_once(house: House) -> None:
    for n in range(40):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        house.neighbours.customers[f"c-{n}"] = {"id": f"c-{n}", "email": f"c{n}@customer.example"}
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        await house.world.tell(opened(heard, f"k-{n}"), breached(**who))
    for one in await house.world.escalations():
        await house.world.act(one["customer_id"], AnswerGiven(one["id"], "head", WORDS, seen=10**6, alike=Alike()))
    rooms = [house.room, another_room(house), another_room(house)]
    while sum(await asyncio.gather(*(room.run_once() for room in rooms))):
        pass
    got = [address for address, _ in house.server.taken if address.endswith("customer.example")]
    assert sorted(got) == sorted(set(got))
    assert len(got) == 40


async def test_a_row_that_somebody_is_writing_is_left_alone(house: House) -> None:
    await trouble(house)
    async with house.world.engine.connect() as other:
        await other.execute(select(mails.c.id).with_for_update())
        assert await house.room.run_once() == 0
        await other.rollback()
    assert await house.room.run_once() == 1


async def test_one_letter_that_fails_does_not_stop_the_others(house: House) -> None:
    house.neighbours.complaints["k-1"] = {"clocks": "nonsense"}
    await trouble(house)
    heard = contact("c-2", contact_id="contact-2")
    await house.world.tell(opened(heard, "k-2"), threatened(complaint_id="k-2", customer="c-2", contact_id="contact-2"))
    with pytest.raises(AttributeError):
        await house.room.run_once()
    assert len(house.server.to("vp@example.com")) == 1


@pytest.mark.parametrize("point", ["mail.after_claim", "mail.after_send", "mail.before_record"])
async def test_a_death_at_any_point_loses_no_mail(house: House, point: str) -> None:
    await trouble(house)
    faults.plan(point, "error")
    with contextlib.suppress(faults.FaultError):
        await house.post()
    house.world.clock.advance(timedelta(seconds=SENDING_SECONDS + 1))
    await house.post()
    got = house.server.to("head@example.com")
    assert len(got) == (1 if point == "mail.after_claim" else 2)
    assert len({mail["Message-ID"] for mail in got}) == 1
    async with house.world.engine.connect() as conn:
        assert await conn.scalar(select(mails.c.state)) == "accepted"
