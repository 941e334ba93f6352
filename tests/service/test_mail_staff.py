"""Mails to those who help, stand in, or are to follow an owner: who gets them, and what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import ownership
from shared.contracts.ownership import ClockChange
from tests.service.escalation_world import NINE, POLICY, contact, of, opened, owned, policy
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
TOMORROW = NINE + timedelta(days=1)
QUESTION = "Is the splitter in Mill Lane older than 2010?"


@pytest.fixture
async def case(house: House) -> dict[str, Any]:
    """What ownership shows of k-1, Chen Yu's; and that a helper, a deputy and a successor have addresses."""
    await house.world.tell(opened(contact(contact_id="contact-1")), owned())
    for agent_id, languages in (("lead-1", ["en"]), ("tech-1", ["zh"])):
        house.neighbours.agents[agent_id] = {
            "id": agent_id,
            "name": agent_id.title(),
            "email": f"{agent_id}@example.com",
            "languages": languages,
            "active": True,
        }
    shown: dict[str, Any] = {
        "status": "open",
        "cycle": 1,
        "version": 4,
        "reference": "C-00001",
        "owner": {"id": "agent-7", "name": "Chen Yu"},
        "helpers": [{"n": 1, "id": "tech-1", "name": "Tech-1", "asked_by": "agent-7", "state": "asked"}],
        "deputy": {"id": "lead-1", "name": "Lead-1"},
        "succession_asked": {"to": None},
    }
    house.neighbours.complaints["k-1"] = shown
    house.neighbours.timelines["k-1"] = [
        {"type": "complaint.helper_asked", "at": NINE.isoformat(), "data": {"n": 1}, "note": {"question": QUESTION}}
    ]
    return shown


def asked(**more: Any) -> Any:
    return of(ownership.HelperAsked, n=1, helper_id="tech-1", by_id="agent-7", due_at=TOMORROW, **more)


async def test_a_helper_reads_the_question_in_their_language_and_is_reminded(
    house: House, case: dict[str, Any]
) -> None:
    await house.world.tell(asked())
    await house.post()
    (mail,) = house.server.to("tech-1@example.com")
    assert QUESTION in text_of(mail) and "就这项投诉向您提问" in text_of(mail) and QUESTION not in mail["Subject"]
    house.world.clock.advance(timedelta(hours=4))
    case["helpers"][0]["state"] = "reminded"
    reminded = of(ownership.HelperReminded, n=1, helper_id="tech-1", due_at=TOMORROW)
    await house.world.tell(reminded.model_copy(update={"at": house.world.clock.now()}))
    await house.post()
    (_, again) = house.server.to("tech-1@example.com")
    assert QUESTION in text_of(again) and "仍在等待" in text_of(again)


async def test_a_question_that_goes_back_goes_to_the_owner(house: House, case: dict[str, Any]) -> None:
    case["helpers"][0]["state"] = "timed_out"
    await house.world.tell(of(ownership.HelperTimedOut, n=1, helper_id="tech-1", owner_id="agent-7"))
    await house.post()
    (mail,) = house.server.to("chen@example.com")
    assert QUESTION in text_of(mail) and "Tech-1 has not answered" in text_of(mail)


@pytest.mark.parametrize("now", [{"status": "closed"}, {"helpers": [{"n": 1, "state": "replied"}]}, {"helpers": []}])
async def test_who_has_answered_is_not_asked_again(house: House, case: dict[str, Any], now: dict[str, Any]) -> None:
    case |= now
    house.neighbours.complaints["k-1"] = case
    await house.world.tell(asked())
    await house.post()
    assert house.server.taken == []


async def test_a_deputy_hears_for_whom_they_act_and_that_the_owner_stays(house: House, case: dict[str, Any]) -> None:
    started = of(ownership.DeputyStarted, deputy_id="lead-1", until=TOMORROW, by_id="policy", because="absent")
    await house.world.tell(started)
    await house.post()
    (mail,) = house.server.to("lead-1@example.com")
    assert "Chen Yu stays the owner" in text_of(mail) and "2026-03-03" in mail["Subject"]
    house.world.clock.advance(timedelta(minutes=1))
    case["deputy"] = None  # who has left meanwhile is told nothing
    await house.world.tell(started.model_copy(update={"at": NINE + timedelta(minutes=1)}))
    await house.post()
    assert len(house.server.taken) == 1


async def test_supervisors_are_asked_to_name_a_successor_and_the_successor_to_accept(
    house: House, case: dict[str, Any]
) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    clock = ClockChange(change="started", kind="succession", cycle=1, at=NINE, due_at=TOMORROW, hours="business")
    await house.world.tell(
        of(
            ownership.SuccessionAsked,
            from_id="agent-7",
            to_id=None,
            reason="role_ended",
            by_id="policy",
            clocks=(clock,),
        )
    )
    await house.post()
    (mail,) = house.server.to("desk@example.com")
    assert "Chen Yu, who owns this complaint, is inactive" in text_of(mail) and "2026-03-03" in mail["Subject"]
    case["succession_asked"] = {"to": {"id": "lead-1"}}
    named = of(ownership.SuccessionAsked, from_id="agent-7", to_id="lead-1", reason="left_company", by_id="boss")
    await house.world.tell(named)
    await house.post()
    (mail,) = house.server.to("lead-1@example.com")
    assert "you are asked to follow Chen Yu" in text_of(mail)


async def test_many_turns_at_once_are_one_mail_or_two(house: House, case: dict[str, Any]) -> None:
    """Somebody with many complaints is deactivated: whoever stands in for all of them is not flooded."""
    for n in range(2, 12):
        await house.world.tell(opened(contact(f"c-{n}", contact_id=f"contact-{n}"), f"k-{n}", customer_id=f"c-{n}"))
        house.neighbours.complaints[f"k-{n}"] = case
        told: dict[str, Any] = {"deputy_id": "lead-1", "until": TOMORROW, "by_id": "policy", "because": "inactive"}
        await house.world.tell(of(ownership.DeputyStarted, f"k-{n}", f"c-{n}", **told))
    await house.post()
    house.world.clock.advance(timedelta(minutes=2))
    await house.post()
    mails = house.server.to("lead-1@example.com")
    assert 1 <= len(mails) <= 2
    assert "K-11" in "".join(text_of(mail) for mail in mails)
