"""Five thousand escalations to one executive within a minute: nobody is flooded, nobody is left out, no clock waits."""

from __future__ import annotations

import re
from datetime import timedelta

from tests.service.escalation_world import breached, contact, opened
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
ALL = 5_000
SET = 500


async def test_five_thousand_at_once_are_ten_mails_an_hour_that_name_them_all(house: House) -> None:
    world = house.world
    began = world.clock.now()
    for start in range(0, ALL, SET):
        told = []
        for n in range(start, start + SET):
            heard = contact(f"c-{n}", contact_id=f"contact-{n}")
            told.append(opened(heard, f"k-{n}", reference=f"C-{n:05d}"))
            told.append(breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
        await world.tell(*told)
        world.clock.advance(timedelta(seconds=5))
        await house.post()
    hour = began + timedelta(hours=1)
    while world.clock.now() < hour:
        await house.post()
        world.clock.advance(timedelta(minutes=1))
    got = house.server.to("head@example.com")
    assert 2 <= len(got) <= 10
    told_of = "\n".join(text_of(mail) for mail in got) + "\n".join(str(mail["Subject"]) for mail in got)
    assert {f"C-{n:05d}" for n in range(ALL)} == set(re.findall(r"C-\d{5}", told_of))
    assert len(set(re.findall(r"/e/(\S+)", told_of))) == ALL
    # clocks run from when each was raised, whatever became of its mail
    waiting = await world.escalations(executive_id="head")
    assert len(waiting) == 1000  # a page of them
    assert {one["due_at"] - one["raised_at"] for one in waiting} == {timedelta(hours=4)}
    assert all(one["steps"][0]["mailed_at"] for one in waiting)
