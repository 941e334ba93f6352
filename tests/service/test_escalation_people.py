"""Absences, delegates and quiet hours: a mail reaches somebody who is there, and no clock waits for anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.acts import PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.handlers import Done
from services.escalation.mail.facts import Facts
from services.escalation.mail.letters import ask
from shared.clock import ManualClock
from shared.contracts import ownership
from tests.service.escalation_house import Doors, emptied
from tests.service.escalation_world import (
    NINE,
    POLICY,
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
from tests.service.mail_house import MailServer, Neighbours, room_of, text_of

pytest_plugins = ["tests.service.escalation_house", "tests.service.mail_house"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AWAY = "absences: [{from: 2026-03-01, until: 2026-03-04}]"


def having(role: str, more: str) -> str:
    """The policy in which whoever holds a role has something more."""
    return POLICY.replace(f"role: {role}, time_zone: UTC", f"role: {role}, time_zone: UTC, {more}")


HEAD_AWAY, CEO_AWAY = having("head_of_care", AWAY), having("chief_executive", AWAY)
QUIET = having("vice_president", 'quiet_hours: ["20:00-07:00"]')


async def trouble(engine: AsyncEngine, clock: ManualClock, policy: str) -> World:
    world = await emptied(engine, clock, policy)
    await world.tell(opened(contact()), owned())
    return world


async def test_the_delegate_of_somebody_away_is_asked_answers_and_is_named_everywhere(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, CEO_AWAY)
    await world.tell(threatened())
    await world.pass_time(8 * HOUR)
    one = await world.escalation()
    assert one["addressee"]["id"] == "vp" and one["addressee"]["instead_of"]["name"] == "Ana Ruiz"
    assert [(s["level"], s["executive_id"], s["instead_of"]) for s in one["steps"]] == [
        (2, "vp", None),
        (3, "vp", "ceo"),
    ]
    assert await world.mails() == [("ask", "vp"), ("ask", "vp")]
    climbed = (await world.feed())[-1]
    assert (climbed["type"], climbed["data"]["instead_of"]) == ("escalation.climbed", "ceo")
    letter = ask("en", "Victor", Facts("C-1", escalation=one), one["due_at"], "http://x/e/t", "AAAA-BB")
    assert "You are asked in place of Ana Ruiz, who is away or cannot be reached." in str(letter.blocks)
    given = AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="no", promise=promised())
    answered = await world.act("c-1", given)
    assert isinstance(answered, Done)
    promise = await world.promise()
    assert (promise["made_by"], promise["level"]) == ("vp", 3)  # what is promised for her comes back to her level
    one = await world.escalation()
    assert (one["answer"]["executive_id"], one["answer"]["delegate_of"]) == ("vp", "ceo")
    assert one["answer"]["delegate_of_name"] == "Ana Ruiz"
    told = [item["data"]["delegate_of"] for item in await world.feed() if item["type"] == "escalation.answered"]
    assert told == ["ceo"]
    assert await world.findings() == []


async def test_the_customer_reads_who_answers_for_whom(
    escalation_engine: AsyncEngine, clock: ManualClock, mail_server: MailServer
) -> None:
    world = await trouble(escalation_engine, clock, CEO_AWAY)
    neighbours = Neighbours(customers={"c-1": {"id": "c-1", "name": "Li Wei", "email": "li@customer.example"}})
    room = room_of(world, mail_server, neighbours)
    await world.tell(threatened())
    await world.pass_time(8 * HOUR)
    one = await world.escalation()
    await world.act("c-1", AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="no"))
    while await room.run_once():
        pass
    (mail,) = mail_server.to("li@customer.example")
    assert "Victor Vice" in text_of(mail) and "Ana Ruiz" in text_of(mail)
    assert (await world.escalation())["status"] == "ended"


async def test_at_the_top_who_is_away_is_asked_again_once_they_are_back(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, CEO_AWAY)
    await world.tell(threatened())
    for step in (8 * HOUR, DAY, DAY, DAY, DAY):
        await world.pass_time(step)
    people = [(s["executive_id"], s["instead_of"]) for s in (await world.escalation())["steps"]]
    # from the third of March on, every day at five in the afternoon
    assert people == [("vp", None), ("vp", "ceo"), ("vp", "ceo"), ("vp", "ceo"), ("ceo", None), ("ceo", None)]


async def test_a_level_with_nobody_there_goes_to_the_next_person_at_once(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, HEAD_AWAY)
    await world.tell(breached())
    one = await world.escalation()
    assert (one["level"], one["addressee"]["id"], one["due_at"]) == (2, "vp", clock.now() + 8 * HOUR)
    assert (await world.feed())[-1]["data"]["passed_over"] == ["head"]
    await world.tell(threatened())
    assert await world.mails() == [("ask", "vp")]


async def test_quiet_hours_hold_the_mail_and_never_the_clock(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, QUIET)
    world.clock.move_to(NINE + 15 * HOUR)  # midnight
    await world.tell(threatened())
    (order,) = await world.orders()
    assert order.not_before == NINE + 22 * HOUR  # seven in the morning
    assert (await world.escalation())["due_at"] == NINE + 23 * HOUR
    await world.pass_time(8 * HOUR)
    assert (await world.escalation())["addressee"]["id"] == "ceo"
    assert [order.not_before for order in await world.orders() if order.recipient_id == "ceo"] == [None]


async def test_a_mail_is_not_held_beyond_the_time_to_answer_it(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, QUIET)
    world.clock.move_to(NINE + 13 * HOUR)  # ten in the evening: due at six, before the quiet hours are over
    await world.tell(threatened())
    assert [order.not_before for order in await world.orders()] == [None]


async def test_what_goes_away_silences_nothing(escalation: World) -> None:

    await escalation.tell(opened(contact()), owned(), breached(), threatened())
    raised = await escalation.escalation()
    await escalation.tell(
        of(ownership.Acknowledged, by_id="agent-7"),
        of(ownership.Classified, by_id="a", changed=("departure_threat",), departure_threat=False, contact_ids=()),
        of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1),
        of(ownership.Closed, basis="withdrawn"),
    )
    one = await escalation.escalation()
    assert (one["status"], one["level"], one["due_at"]) == ("waiting", 2, raised["due_at"])
    assert one["reasons"] == ["clock_breached", "departure_threat"]
    await escalation.pass_time(8 * HOUR)
    assert ("ask", "ceo") in await escalation.mails()
    answered: Any = await escalation.act("c-1", AnswerGiven(one["id"], "ceo", WORDS))
    assert isinstance(answered, Done)  # and nobody need ask any more what would make them stay


async def test_forwarding_over_http_keeps_the_clock_and_says_who_is_away(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, CEO_AWAY)
    doors = Doors(world)
    await world.tell(breached())
    one = await world.escalation()
    await world.pass_time(HOUR)
    path = f"/v1/escalations/{one['id']}/forward"
    async with doors.client("supervisor") as client:
        refused = await client.post(path, json={"to": "nobody"})
        assert refused.status_code == 422 and refused.json()["type"].endswith("unknown-executive")
        moved = await client.post(path, json={"to": "ceo"}, headers={"Idempotency-Key": "one"})
        assert moved.status_code == 202
        told = moved.json()
        assert (told["addressee"]["id"], told["addressee"]["instead_of"]["id"]) == ("vp", "ceo")
        assert (told["level"], told["standing_unanswered"]) == (1, False)
        again = await client.post(path, json={"to": "ceo"}, headers={"Idempotency-Key": "one"})
        assert again.json() == told
        refused = await client.post(path, json={"to": "vp"})
        assert refused.status_code == 409 and refused.json()["state"]["status"] == "waiting"
    assert (await world.escalation())["due_at"] == one["due_at"]


async def test_a_promiser_away_is_stood_in_for_and_told_all_the_same(
    escalation_engine: AsyncEngine, clock: ManualClock
) -> None:
    world = await trouble(escalation_engine, clock, CEO_AWAY)
    await world.act("c-1", PromiseGiven("ceo", "c-1", "k-1", promised()))
    world.clock.advance(3 * HOUR)
    heard = contact(at=NINE + 2 * HOUR)
    await world.tell(heard, opened(heard, "k-2"))
    one = await world.escalation()
    assert (one["reasons"], one["level"]) == (["promise_broken"], 3)
    assert (one["addressee"]["id"], one["addressee"]["instead_of"]["id"]) == ("vp", "ceo")
    assert sorted(await world.mails()) == [("breach", "agent-7"), ("breach", "ceo"), ("breach", "vp")]
