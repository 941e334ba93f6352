"""What customers, owners and those above them read of an answer: real mails on a real mail server, both forms."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from services.escalation.domain.acts import Delivered
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.mail import MailOutcome
from services.escalation.handlers import on_mail_outcome
from services.escalation.mail.phrases_told import TOLD
from shared.contracts import ownership
from shared.work import Input
from tests.service.escalation_world import WORDS, breached, contact, of, opened, owned, promised, threatened
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
REDRESS = "Two months are free.\nThe new router is yours."
LI, CHEN = "li@customer.example", "chen@example.com"


def html_of(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("html",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
async def asked(house: House) -> House:
    """The vice president is asked about a customer who may leave."""
    house.neighbours.complaints["k-1"] = {
        "status": "open",
        "cycle": 1,
        "version": 3,
        "owner": {"id": "agent-7", "name": "Chen Yu"},
        "confirmation_url": "http://loop.example/c/token",
    }
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), threatened())
    await house.post()
    return house


async def answer(house: House, words: str = WORDS, executive: str = "aide", **told: Any) -> None:
    one = next(one for one in await house.world.escalations() if one["status"] == "waiting")
    given = AnswerGiven(one["id"], executive, words, stay_asked=True, stay="A call from you.", **told)
    await house.world.act("c-1", given)
    await house.post()


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_the_customer_reads_words_redress_promise_and_for_whom_a_delegate_writes(
    asked: House, locale: str
) -> None:
    asked.neighbours.customers["c-1"]["locale"] = locale
    await answer(asked, redress=REDRESS, promise=promised(text="It will not drop again."))
    (mail,) = asked.server.to(LI)
    sentences = TOLD["zh" if locale == "zh-CN" else "en"]
    reference = (await asked.world.promise())["reference"]
    text, html = text_of(mail), html_of(mail)
    assert text.startswith(WORDS)
    for part in (text, html):
        assert sentences["redress"].lower() in part.lower() and sentences["promise"].lower() in part.lower()
        assert "Two months are free." in part and "It will not drop again." in part and reference in part
        assert "aide" in part and "Victor Vice" in part
        assert "http://loop.example/c/token" in part
        assert "A call from you." not in part
    assert (await asked.world.escalation())["answer"]["delivery"]["mail"]["state"] == "accepted"


async def test_the_owner_reads_what_to_tell_and_those_above_that_nobody_told(asked: House) -> None:
    del asked.neighbours.customers["c-1"]["email"]
    asked.neighbours.customers["c-1"]["phone"] = "+86 571 5555"
    asked.neighbours.agents["agent-7"] = {"id": "agent-7", "superior": "agent-1", "languages": ["zh"]}
    asked.neighbours.agents["agent-1"] = {"id": "agent-1", "name": "Boss", "email": "boss@example.com"}
    await answer(asked, redress=REDRESS)
    (first,) = asked.server.to(CHEN)
    assert "请当面或致电告知客户" in first["Subject"]
    assert WORDS in text_of(first) and "A call from you." in text_of(first) and "+86 571 5555" in text_of(first)
    for _ in range(3):
        await asked.world.pass_time(timedelta(days=1))
        await asked.post()
    assert "第 3 次提醒" in asked.server.to(CHEN)[-1]["Subject"]
    above = asked.server.to("boss@example.com")
    assert len(above) == 2 and "has not reached the customer" in above[0]["Subject"]
    assert "Chen Yu was asked on 2026-03-02" in text_of(above[0]) and WORDS in text_of(above[0])
    # the delegate who wrote it has no address of their own here
    assert "has not reached the customer" in asked.server.to("vp@example.com")[-1]["Subject"]


async def test_a_reminder_that_waited_is_not_sent_once_the_customer_knows(asked: House) -> None:
    del asked.neighbours.customers["c-1"]["email"]
    await answer(asked)
    asked.neighbours.away = True
    await asked.world.pass_time(timedelta(days=1))
    await asked.post()
    one = await asked.world.escalation()
    await asked.world.act("c-1", Delivered(one["id"], "agent-7", "by phone", "Fine."))
    asked.neighbours.away = False
    await asked.world.pass_time(timedelta(hours=2))
    await asked.post()
    assert len(asked.server.to(CHEN)) == 1


async def test_whoever_is_answered_back_reads_what_was_said_and_the_no(asked: House) -> None:
    await answer(asked, redress=REDRESS)
    asked.neighbours.timelines["k-1"] = [
        {
            "type": "complaint.answered",
            "at": "2026-03-03T09:00:00Z",
            "by": "agent-7",
            "note": {"text": "It is mended."},
        },
        {
            "type": "complaint.reopened",
            "at": "2026-03-04T09:00:00Z",
            "note": {"comment": "It is not, and nobody came."},
        },
    ]
    asked.world.clock.advance(timedelta(days=2))
    await asked.world.tell(of(ownership.Reopened, cycle=2, through="page"))
    await asked.post()
    again = asked.server.to("vp@example.com")[-1]
    text = text_of(again)
    assert TOLD["en"]["not_satisfied"] in text
    said = [WORDS, "Two months are free.", "It is mended.", "It is not, and nobody came."]
    places = [text.index(f"> {one}") for one in said]
    assert places == sorted(places)
    assert "aide, for Victor Vice" in text
    for one in said:
        assert one in html_of(again)


async def test_an_owners_answer_that_comes_back_is_told_to_the_owner_once(house: House) -> None:
    await house.world.tell(opened(contact(contact_id="contact-1")), owned())
    house.neighbours.complaints["k-1"] = {"status": "answered", "cycle": 1, "version": 3}
    house.neighbours.timelines["k-1"] = [
        {"type": "complaint.answered", "at": "2026-03-02T09:00:00Z", "note": {"text": "It is mended.", "redress": "40"}}
    ]
    await house.world.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1))
    await house.post()
    (order,) = await house.world.orders()
    outcome = MailOutcome(order.id, "permanent", house.world.clock.now(), "came back: 5.1.1", came_back=True)
    for _ in range(2):
        await house.world.take([Input(order.customer_id, outcome, on_mail_outcome)])
        await house.post()
    (told,) = house.server.to(CHEN)
    assert "It is mended." in text_of(told) and "did not reach the customer" in text_of(told)


async def test_an_owners_answer_without_any_address_is_their_tools_to_bring(house: House) -> None:
    del house.neighbours.customers["c-1"]["email"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    house.neighbours.complaints["k-1"] = {"status": "answered", "cycle": 1, "version": 3}
    house.neighbours.timelines["k-1"] = [
        {"type": "complaint.answered", "at": "2026-03-02T09:00:00Z", "note": {"text": "It is mended."}}
    ]
    await house.world.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1))
    await house.post()
    assert house.server.to(CHEN) == []
