"""Trouble reaches a person, climbs by itself, and stands at the top until somebody answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import Forwarded
from services.escalation.domain.answering import AnswerGiven
from shared.contracts import ownership
from shared.contracts.intake import Amount
from shared.refusal import Refusal
from tests.service.escalation_world import WORDS, World, breached, contact, of, opened, owned, threatened

pytest_plugins = ["tests.service.escalation_house"]
HOUR = timedelta(hours=1)


@pytest.fixture
async def trouble(escalation: World) -> World:
    """A complaint that agent-7 owns."""
    await escalation.tell(opened(contact()), owned())
    return escalation


async def test_a_threat_to_leave_asks_the_vice_president(trouble: World) -> None:
    await trouble.tell(threatened())
    one = await trouble.escalation()
    assert (one["status"], one["level"], one["addressee"]["id"]) == ("waiting", 2, "vp")
    assert one["reasons"] == ["departure_threat"] and one["departure_threat"] is True
    assert one["due_at"] == trouble.clock.now() + 8 * HOUR
    assert await trouble.mails() == [("ask", "vp")]
    assert await trouble.findings() == []


async def test_a_possible_threat_escalates_nothing_until_an_agent_says_so(trouble: World) -> None:
    await trouble.tell(threatened(tier="possible"))
    assert await trouble.escalations() == []
    await trouble.tell(threatened(tier="possible", because="agent"))
    assert (await trouble.escalation())["reasons"] == ["departure_threat"]


@pytest.mark.parametrize(
    ("event", "reason", "level"),
    [
        (breached(), "clock_breached", 1),
        (breached("claim"), "unowned", 1),
        (of(ownership.Repeated, repeat_of="k-0"), "repeat", 2),
        (of(ownership.EscalationAsked, by="customer"), "asked", 1),
    ],
)
async def test_every_reason_has_its_level(
    trouble: World, event: ownership.ComplaintEvent, reason: str, level: int
) -> None:
    await trouble.tell(event)
    one = await trouble.escalation()
    assert (one["reasons"], one["level"]) == ([reason], level)


async def test_much_at_stake_goes_to_the_top(escalation: World) -> None:
    heard = contact()
    await escalation.tell(opened(heard, value_at_stake=Amount(amount="100000.01", currency="USD")))
    assert (await escalation.escalation())["addressee"]["id"] == "ceo"
    await escalation.tell(opened(contact("c-2"), "k-2", value_at_stake=Amount(amount="900000", currency="CNY")))
    assert len(await escalation.escalations()) == 1


async def test_worth_that_becomes_known_later_raises_once(escalation: World) -> None:
    def joined(amount: str) -> Any:
        value = Amount(amount=amount, currency="USD")
        return of(ownership.ContactJoined, contact_id=f"x-{amount}", because="cause", value_at_stake=value)

    await escalation.tell(opened(contact()), owned(), joined("100000"))
    assert await escalation.escalations() == []
    await escalation.tell(joined("100001"), joined("200000"))
    assert (await escalation.escalation())["reasons"] == ["value_at_stake"]
    assert (await escalation.events()).count("escalation.raised") == 1


async def test_what_an_executive_did_not_answer_in_time_is_the_ladders_matter(trouble: World) -> None:
    await trouble.tell(breached("executive_answer"))
    assert await trouble.escalations() == [] and (await trouble.feed())[-1]["type"] == "complaint.clock_breached"


async def test_further_reasons_join_and_a_graver_one_lifts(trouble: World) -> None:
    await trouble.tell(breached())
    await trouble.pass_time(HOUR)
    await trouble.tell(breached("next_update"), of(ownership.EscalationAsked, by="agent"), threatened())
    one = await trouble.escalation()
    assert one["reasons"] == ["clock_breached", "asked", "departure_threat"]
    assert (one["level"], one["due_at"]) == (2, trouble.clock.now() + 8 * HOUR)
    assert [(step["executive_id"], step["outcome"]) for step in one["steps"]] == [("head", "lifted"), ("vp", "waiting")]
    assert await trouble.mails() == [("ask", "head"), ("ask", "vp")]


async def test_it_climbs_by_time_and_at_the_top_repeats_for_ever(trouble: World) -> None:
    await trouble.tell(breached())
    raised = trouble.clock.now()
    for _ in range(40):
        await trouble.pass_time(4 * HOUR)
    one = await trouble.escalation()
    assert one["standing_unanswered"] is True and one["times_repeated"] == 6
    times = [order.ordered_at - raised for order in await trouble.orders()]
    assert times == [hours * HOUR for hours in (0, 4, 12, 36, 60, 84, 108, 132, 156)]
    assert await trouble.mails() == [("ask", "head"), ("ask", "vp")] + [("ask", "ceo")] * 7
    assert (await trouble.events()).count("escalation.stood_unanswered") == 1
    assert await trouble.findings() == []


async def test_after_an_outage_each_missed_step_is_told_once_and_only_the_last_is_mailed(trouble: World) -> None:
    await trouble.tell(breached())
    await trouble.pass_time(37 * HOUR)
    one = await trouble.escalation()
    assert [(s["executive_id"], s["repeat"]) for s in one["steps"]] == [
        ("head", False),
        ("vp", False),
        ("ceo", False),
        ("ceo", True),
    ]
    assert one["due_at"] == one["raised_at"] + 60 * HOUR
    assert await trouble.mails() == [("ask", "head"), ("ask", "ceo")]
    told = await trouble.events()
    assert told[-4:] == [
        "escalation.climbed",
        "escalation.climbed",
        "escalation.stood_unanswered",
        "escalation.repeated",
    ]


async def test_what_is_heard_before_the_deadline_is_swept_finds_the_ladder_where_time_says(trouble: World) -> None:
    await trouble.tell(breached())
    trouble.clock.advance(5 * HOUR)  # asleep: head's four hours were over an hour ago
    await trouble.tell(threatened())
    one = await trouble.escalation()
    steps = [(step["executive_id"], step["at"] - one["raised_at"], step["outcome"]) for step in one["steps"]]
    assert steps == [("head", 0 * HOUR, "unanswered"), ("vp", 4 * HOUR, "waiting")]
    assert one["due_at"] == one["raised_at"] + 12 * HOUR  # the threat's level was reached: it lifts nothing
    trouble.clock.advance(8 * HOUR)
    await trouble.act("c-1", AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="a line that holds"))
    one = await trouble.escalation()
    assert (one["level"], one["steps"][-1]["executive_id"], one["answer"]["level"]) == (3, "ceo", 3)
    assert await trouble.mails() == [("ask", "head"), ("ask", "vp"), ("answer", "c-1")]
    assert await trouble.findings() == []


async def test_a_refusing_address_brings_the_next_person_at_once(trouble: World) -> None:
    await trouble.tell(breached())
    (ask,) = await trouble.orders()
    await trouble.pass_time(HOUR)
    await trouble.mailed(ask, "permanent", detail="550")
    one = await trouble.escalation()
    assert [(s["executive_id"], s["outcome"]) for s in one["steps"]] == [("head", "undeliverable"), ("vp", "waiting")]
    assert one["due_at"] == trouble.clock.now() + 8 * HOUR
    assert "escalation.undeliverable" in [item["type"] for item in await trouble.feed()]


async def test_at_the_top_a_refusing_address_brings_the_delegate(trouble: World) -> None:
    await trouble.tell(breached())
    await trouble.pass_time(12 * HOUR)
    ask = (await trouble.orders())[-1]
    assert ask.recipient_id == "ceo"
    await trouble.mailed(ask, "permanent")
    assert (await trouble.escalation())["addressee"]["id"] == "vp"


async def test_what_was_mailed_is_shown_by_step(trouble: World) -> None:
    await trouble.tell(breached())
    (ask,) = await trouble.orders()
    await trouble.mailed(ask)
    assert (await trouble.escalation())["steps"][0]["mailed_at"] is not None


async def test_forwarding_keeps_the_clock(trouble: World) -> None:
    await trouble.tell(breached())
    (ask,) = await trouble.escalations()
    await trouble.pass_time(HOUR)
    assert isinstance(await trouble.act("c-1", Forwarded(ask["id"], "nobody", "boss")), Refusal)
    await trouble.act("c-1", Forwarded(ask["id"], "ceo", "boss"))
    one = await trouble.escalation()
    assert (one["addressee"]["id"], one["due_at"], one["level"]) == ("ceo", ask["due_at"], 1)
    assert (await trouble.mails())[-1] == ("ask", "ceo")


async def test_two_reasons_at_once_raise_one(trouble: World) -> None:
    await trouble.tell(breached(), threatened(), breached("final_answer"))
    assert len(await trouble.escalations()) == 1
