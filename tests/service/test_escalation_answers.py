"""Only a person's own words, delivered to the customer, end an escalation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import Delivered
from services.escalation.domain.answering import AnswerGiven
from services.escalation.handlers import Done
from shared.contracts import ownership
from shared.refusal import Refusal
from tests.service.escalation_world import (
    NINE,
    WORDS,
    World,
    breached,
    contact,
    of,
    opened,
    owned,
    promised,
    threatened,
)

pytest_plugins = ["tests.service.escalation_house"]


@pytest.fixture
async def asked(escalation: World) -> World:
    """An executive has been asked about agent-7's complaint."""
    await escalation.tell(opened(contact()), owned(), breached())
    return escalation


async def answered(world: World, words: str = WORDS, executive: str = "head", **told: Any) -> Any:
    (one,) = await world.escalations(complaint_id="k-1")
    return await world.act("c-1", AnswerGiven(one["id"], executive, words, **told))


async def test_the_words_go_to_the_customer_and_their_delivery_ends_it(asked: World) -> None:
    assert isinstance(await answered(asked, apology=True), Done)
    one = await asked.escalation()
    assert (one["status"], one["answer"]["text"], one["answer"]["apology"]) == ("answered", WORDS, True)
    mail = next(order for order in await asked.orders() if order.kind == "answer")
    assert (mail.recipient_kind, mail.recipient_id) == ("customer", "c-1")
    await asked.mailed(mail, "temporary")
    assert (await asked.escalation())["status"] == "answered"
    await asked.mailed(mail)
    one = await asked.escalation()
    assert (one["status"], one["answer"]["delivered_through"]) == ("ended", "mail")
    assert (await asked.events())[-3:] == ["escalation.answered", "escalation.delivered", "escalation.ended"]
    await asked.pass_time(timedelta(days=30))
    assert len(await asked.mails()) == 2
    assert await asked.findings() == []


async def test_without_an_address_the_owner_tells_them_and_says_so(asked: World) -> None:
    await answered(asked)
    mail = next(order for order in await asked.orders() if order.kind == "answer")
    await asked.mailed(mail, "permanent", no_address=True)
    assert ("tell", "agent-7") in await asked.mails()
    one = await asked.escalation()
    assert one["status"] == "answered" and one["answer"]["owner_asked_to_tell"] is True
    await asked.act("c-1", Delivered(one["id"], "agent-7", "by phone, she thanked us"))
    one = await asked.escalation()
    assert (one["status"], one["answer"]["delivered_by"]) == ("ended", "agent-7")
    again = await asked.act("c-1", Delivered(one["id"], "agent-7", "again"))
    assert isinstance(again, Refusal) and again.status == 409


async def test_who_becomes_owner_later_is_asked_to_tell(escalation: World) -> None:
    await escalation.tell(opened(contact()), breached("claim"))
    await answered(escalation)
    mail = next(order for order in await escalation.orders() if order.kind == "answer")
    await escalation.mailed(mail, "permanent", no_address=True)
    assert "tell" not in [kind for kind, _ in await escalation.mails()]
    await escalation.tell(owned("agent-9"))
    assert ("tell", "agent-9") in await escalation.mails()


@pytest.mark.parametrize(
    ("given", "slug"),
    [
        ({"words": "  "}, "canned-answer"),
        ({"executive": "stranger"}, "unknown-executive"),
        ({"promise": promised(cause="the-moon")}, "unknown-cause"),
    ],
)
async def test_what_is_no_answer(asked: World, given: dict[str, Any], slug: str) -> None:
    refusal = await answered(asked, **given)
    assert isinstance(refusal, Refusal) and (refusal.slug, refusal.status) == (slug, 422)
    assert (await asked.escalation())["status"] == "waiting"


async def test_the_same_words_to_another_customer_are_canned(asked: World) -> None:
    await answered(asked)
    await asked.tell(opened(contact("c-2"), "k-2"), breached(complaint_id="k-2", customer="c-2"))
    (other,) = await asked.escalations(complaint_id="k-2")
    refusal = await asked.act("c-2", AnswerGiven(other["id"], "head", WORDS))
    assert isinstance(refusal, Refusal) and refusal.slug == "canned-answer"
    assert refusal.members["likeness"] > 0.8


async def test_of_many_alike_that_come_at_once_one_is_taken(escalation: World) -> None:
    for n in range(12):
        heard = contact(f"c-{n}")
        await escalation.tell(opened(heard, f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    waiting = await escalation.escalations(status="waiting")
    # each in a process of its own, as far as the database can tell
    worlds = [World(escalation.engine, escalation.policies, escalation.clock) for _ in waiting]
    await asyncio.gather(*(world.escalations() for world in worlds))  # connections that are open begin at once
    said = await asyncio.gather(
        *(
            world.act(one["customer_id"], AnswerGiven(one["id"], "head", WORDS))
            for world, one in zip(worlds, waiting, strict=True)
        )
    )
    assert sorted(type(one).__name__ for one in said) == ["Done", *["Refusal"] * 11]


async def test_the_same_words_to_the_same_complaint_are_consistency(asked: World) -> None:
    await answered(asked)
    mail = next(order for order in await asked.orders() if order.kind == "answer")
    await asked.mailed(mail)
    await asked.tell(breached("final_answer"))
    (second,) = await asked.escalations(status="waiting")
    assert isinstance(await asked.act("c-1", AnswerGiven(second["id"], "head", WORDS)), Done)


async def test_a_threat_that_stands_needs_the_stay_question(asked: World) -> None:
    await asked.tell(threatened())
    refusal = await answered(asked)
    assert isinstance(refusal, Refusal) and refusal.slug == "stay-question-missing"
    assert isinstance(await answered(asked, stay_asked=True, stay="No more drops in the evening."), Done)
    stay = (await asked.escalation())["answer"]["stay_question"]
    assert stay == {"asked": True, "what_would_make_you_stay": "No more drops in the evening."}


async def test_a_dismissed_threat_needs_no_stay_question_but_still_an_answer(asked: World) -> None:
    dismissed = of(ownership.Classified, by_id="agent-7", changed=("departure_threat",), departure_threat=False)
    await asked.tell(threatened(), dismissed)
    assert (await asked.escalation())["status"] == "waiting"
    assert isinstance(await answered(asked), Done)


async def test_answering_twice_is_told_with_the_present_state(asked: World) -> None:
    await answered(asked)
    refusal = await answered(asked, "Something quite different, said by somebody else.", "vp")
    assert isinstance(refusal, Refusal) and refusal.status == 409
    assert refusal.members["state"]["answered_by"] == "head"


async def test_a_delegate_answers_as_a_delegate(asked: World) -> None:
    await asked.tell(threatened())
    await answered(asked, executive="aide", stay_asked=True, stay="A call.")
    answer = (await asked.escalation())["answer"]
    assert (answer["executive_id"], answer["delegate_of"]) == ("aide", "vp")


async def test_the_owners_answer_is_mailed_for_confirmation(asked: World) -> None:
    await asked.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=2))
    confirm = next(order for order in await asked.orders() if order.kind == "confirm")
    assert (confirm.recipient_id, confirm.step, confirm.complaint_id) == ("c-1", 2, "k-1")


async def test_a_customer_who_says_nothing_to_the_owners_answer_is_reminded(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await escalation.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1))
    reminder = {"kind": "confirmation", "cycle": 1, "due_at": NINE + timedelta(days=14)}
    await escalation.tell(*(of(ownership.ClockWarned, percent=percent, **reminder) for percent in (21, 50)))
    await escalation.tell(of(ownership.ClockWarned, percent=50, **(reminder | {"kind": "next_update"})))
    assert await escalation.mails() == [("confirm", "c-1")] * 3
