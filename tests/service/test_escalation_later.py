"""More trouble while an answer is on its way to the customer: one escalation is open, and nothing is covered by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import Delivered, PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.mail import MailOrder
from shared.contracts import ownership
from tests.service.escalation_world import (
    POLICY,
    WORDS,
    World,
    breached,
    contact,
    of,
    opened,
    owned,
    policy,
    promised,
    threatened,
)
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def answered(escalation: World) -> World:
    """The head of care has answered, and the customer does not know it yet."""
    await escalation.tell(opened(contact()), owned(), breached())
    one = await escalation.escalation()
    await escalation.act("c-1", AnswerGiven(one["id"], "head", WORDS))
    await escalation.pass_time(HOUR)
    return escalation


async def answer_mail(world: World) -> MailOrder:
    return next(order for order in await world.orders() if order.kind == "answer")


async def both(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one that has ended, and the one that waits."""
    waiting, ended = await world.escalations()
    assert (waiting["status"], ended["status"]) == ("waiting", "ended")
    return ended, waiting


async def test_a_reason_joins_and_is_raised_once_the_customer_has_the_answer(answered: World) -> None:
    await answered.tell(threatened(contact_id="contact-9"))
    one = await answered.escalation()
    assert (one["status"], one["level"]) == ("answered", 1)
    assert one["reasons"] == ["clock_breached", "departure_threat"]
    assert one["reasons_since_answer"] == ["departure_threat"]
    await answered.pass_time(HOUR)
    await answered.mailed(await answer_mail(answered))
    first, second = await both(answered)
    assert (second["reasons"], second["level"], second["addressee"]["id"]) == (["departure_threat"], 2, "vp")
    assert second["raised_at"] == first["ended_at"] and second["due_at"] == second["raised_at"] + 8 * HOUR
    assert first["reasons_since_answer"] == second["reasons_since_answer"] == []
    assert (await answered.mails())[-1] == ("ask", "vp") and (await answered.orders())[-1].contact_id == "contact-9"
    assert await answered.findings() == []


async def test_the_same_reason_as_before_is_not_covered_by_the_answer_either(answered: World) -> None:
    for _ in range(2):
        await answered.tell(breached("final_answer"))
    assert (await answered.events()).count("escalation.reason_joined") == 1
    await answered.mailed(await answer_mail(answered))
    _, second = await both(answered)
    assert second["reasons"] == ["clock_breached"]


async def test_several_are_raised_as_one_on_the_highest_level(answered: World) -> None:
    await answered.tell(
        of(ownership.EscalationAsked, by="agent"), threatened(), of(ownership.Repeated, repeat_of="k-0")
    )
    await answered.mailed(await answer_mail(answered))
    _, second = await both(answered)
    assert second["reasons"] == ["asked", "departure_threat", "repeat"] and second["level"] == 2
    assert await answered.findings() == []


async def test_the_customers_word_goes_to_whoever_answered(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned(), threatened())
    one = await escalation.escalation()
    await escalation.act("c-1", AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="A call."))
    await escalation.tell(of(ownership.EscalationAsked, by="customer"))
    await escalation.mailed(await answer_mail(escalation))
    _, second = await both(escalation)
    assert (second["addressee"]["id"], second["level"], second["reasons"]) == ("vp", 2, ["asked"])


async def test_an_answer_that_comes_back_later_raises_nothing_twice(answered: World) -> None:
    await answered.tell(threatened())
    mail = await answer_mail(answered)
    await answered.mailed(mail)
    await answered.mailed(mail, "permanent", came_back=True)
    waiting, again = await answered.escalations()
    assert (waiting["status"], again["status"]) == ("waiting", "answered")
    await answered.tell(breached("final_answer"))
    assert (await answered.escalations())[0]["reasons"] == ["departure_threat", "clock_breached"]
    await answered.act("c-1", Delivered(again["id"], "agent-7", "by phone"))
    await both(answered)
    assert await answered.findings() == []


async def test_a_broken_promise_is_told_at_once_and_asked_about_after_the_delivery(answered: World) -> None:
    await answered.act("c-1", PromiseGiven("ceo", "c-1", "k-1", promised()))
    await answered.pass_time(HOUR)
    again = contact(at=answered.clock.now())
    joined = of(ownership.ContactJoined, contact_id=again.contact_id, because="cause", at=answered.clock.now())
    await answered.tell(again, joined)
    await answered.settle()
    assert {("breach", "ceo"), ("breach", "agent-7")} <= set(await answered.mails())
    assert (await answered.escalation())["reasons_since_answer"] == ["promise_broken"]
    await answered.mailed(await answer_mail(answered))
    _, second = await both(answered)
    assert (second["addressee"]["id"], second["level"]) == ("ceo", 3)
    assert await answered.findings() == []


async def test_where_no_mail_brings_the_answer_those_above_and_its_writer_hear_at_once(answered: World) -> None:
    answered.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    await answered.mailed(await answer_mail(answered), "permanent", no_address=True)
    assert ("tell", "desk@example.com") not in await answered.mails()
    await answered.tell(threatened())
    assert {("tell", "desk@example.com"), ("tell", "head")} <= set(await answered.mails())
    one = await answered.escalation()
    await answered.act("c-1", Delivered(one["id"], "agent-7", "by phone"))
    _, second = await both(answered)
    assert (second["addressee"]["id"], second["departure_threat"]) == ("vp", True)
    assert await answered.findings() == []


async def test_a_mail_for_which_more_trouble_waits_is_not_tried_for_days(answered: World) -> None:
    mail = await answer_mail(answered)
    await answered.mailed(mail, "temporary", retry_at=answered.clock.now() + HOUR)
    await answered.tell(threatened())
    await answered.mailed(mail, "temporary", retry_at=answered.clock.now() + HOUR)
    assert ("tell", "agent-7") not in await answered.mails()
    await answered.pass_time(DAY)
    await answered.mailed(mail, "temporary", retry_at=answered.clock.now() + HOUR)
    assert {("tell", "agent-7"), ("tell", "head")} <= set(await answered.mails())
    assert (await answered.escalation())["answer"]["delivery"]["mail"]["state"] == "refused"
    assert await answered.findings() == []


async def test_what_they_read_names_what_waits(house: House) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    del house.neighbours.customers["c-1"]["email"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    one = await house.world.escalation()
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS))
    await house.world.tell(threatened())
    await house.post()
    (mail,) = house.server.to("desk@example.com")
    assert "Meanwhile there is more" in text_of(mail) and "The customer may leave us." in text_of(mail)
