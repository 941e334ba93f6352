"""What other tools get wrong, one story each: here it does not happen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.answering import AnswerGiven
from shared.contracts import ownership
from shared.policy import Policies, parse_policy
from tests.service.escalation_world import WORDS, breached, contact, of, opened, owned, policy, threatened
from tests.service.escalation_world import World as EscalationWorld
from tests.service.mail_house import House
from tests.service.ownership_world import MONDAY, POLICY, World, clock_of
from tests.service.page_house import Page

pytest_plugins = (
    "tests.service.ownership_world",
    "tests.service.escalation_house",
    "tests.service.mail_house",
    "tests.service.page_house",
)
ANSWER = {"agent_id": "agent-1", "text": "We laid a new line.", "outcome": "upheld", "reasons": "fault found"}


@pytest.fixture
async def owned_one(world: World) -> str:
    """The id of a complaint of agent-1, who has answered nothing yet."""
    await world.contact(responder_id="agent-1")
    return str((await world.complaint())["id"])


async def owner(world: World) -> Any:
    return (await world.complaint())["owner"]["id"]


# the owner moves or vanishes as a side effect


async def test_closing_takes_no_owner_away(world: World, owned_one: str) -> None:
    await world.post(f"{owned_one}/answer", ANSWER)
    await world.post(f"{owned_one}/confirmation", {"solved": True})
    assert (await world.complaint())["status"] == "closed" and await owner(world) == "agent-1"


async def test_reopening_moves_no_owner(world: World, owned_one: str) -> None:
    await world.post(f"{owned_one}/answer", ANSWER | {"agent_id": "agent-2"})
    await world.post(f"{owned_one}/confirmation", {"solved": True})
    await world.pass_time(timedelta(days=30))
    await world.post(f"{owned_one}/confirmation", {"solved": False})
    assert (await world.complaint())["status"] == "open" and await owner(world) == "agent-1"


async def test_removing_an_agent_orphans_nothing(world: World, owned_one: str) -> None:
    await world.put_agent("agent-1", active=False)
    one = await world.complaint()
    assert one["owner"]["id"] == "agent-1" and one["succession_asked"] is not None
    assert (await world.get("/v1/complaints", unowned="true"))["items"] == []
    await world.pass_time(timedelta(days=60))  # nobody decides
    assert await owner(world) == "agent-1" and await world.findings() == []


async def test_another_group_moves_no_owner(world: World, owned_one: str) -> None:
    said = {"agent_id": "agent-9", "cause": "billing-error", "product": "mobile", "need": "attractor"}
    await world.post(f"{owned_one}/classification", said)
    await world.contact(responder_id="agent-2", region="uk", cause="billing-error", complaint=False)
    assert await owner(world) == "agent-1"


async def test_no_timeout_moves_the_owner(world: World, owned_one: str) -> None:
    asked = {"agent_id": "agent-1", "helper": "agent-2", "question": "Is the splitter old?"}
    await world.post(f"{owned_one}/helpers", asked)
    deputy = {"agent": "agent-3", "until": "2026-03-20T09:00:00Z", "reason": "on leave"}
    await world.post(f"{owned_one}/deputy", deputy, "supervisor")
    for _ in range(12):
        await world.pass_time(timedelta(days=30))  # nobody does anything for a year
    one = await world.complaint()
    assert (one["owner"]["id"], one["deputy"], one["status"]) == ("agent-1", None, "open")
    owners = [i for i in (await world.get(f"/v1/complaints/{owned_one}/ownership"))["items"] if i["role"] == "owner"]
    assert len(owners) == 1


# ladders


async def test_a_ladder_does_not_end_in_silence(escalation: EscalationWorld) -> None:
    await escalation.tell(opened(contact()), owned(), breached())
    for _ in range(60):
        await escalation.pass_time(timedelta(days=1))
    one = await escalation.escalation()
    assert one["standing_unanswered"] is True and one["times_repeated"] >= 58
    assert (await escalation.mails())[-1] == ("ask", "ceo") and one["due_at"] > escalation.clock.now()


async def test_a_click_is_no_answer(page: Page) -> None:
    for _ in range(5):
        assert (await page.get()).status_code == 200
        assert 400 <= (await page.post(text="")).status_code < 500  # and neither is a button without words
    one = await page.house.world.escalation()
    assert (one["status"], one["answer"]) == ("waiting", None)
    await page.house.world.pass_time(timedelta(hours=9))
    assert (await page.house.world.escalation())["level"] == 3  # the clock went on all the time


async def test_a_late_acknowledgement_unresolves_nothing(world: World, owned_one: str) -> None:
    await world.post(f"{owned_one}/answer", ANSWER)
    await world.post(f"{owned_one}/confirmation", {"solved": True})
    before = await world.complaint()
    late = await world.post(f"{owned_one}/acknowledgement", {"agent_id": "agent-2"})
    assert late.status_code == 409 and late.json()["state"]["status"] == "closed"
    assert await world.complaint() == before


async def test_what_is_late_unresolves_no_escalation(escalation: EscalationWorld) -> None:
    await escalation.tell(opened(contact()), owned(), threatened())
    one = await escalation.escalation()
    await escalation.act("c-1", AnswerGiven(one["id"], "vp", WORDS, stay_asked=True, stay="A technician."))
    answered = await escalation.escalation()
    await escalation.tell(of(ownership.Acknowledged, by_id="agent-7"), of(ownership.Resumed, because="asked"))
    assert (await escalation.escalation())["status"] == answered["status"] != "waiting"
    assert len(await escalation.escalations()) == 1


async def test_notices_end_with_what_they_are_about(world: World, owned_one: str) -> None:
    world.policies.put(
        parse_policy(
            POLICY.replace("test-1", "fewer").replace("  - {kind: next_update, within: 1d, hours: business}\n", "")
        )
    )
    await world.post(f"{owned_one}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    told = await world.told()
    await world.pass_time(timedelta(days=400))
    assert await world.told() == told
    await world.contact("c-2", responder_id="agent-1")  # under the policy that has the clock no more
    await world.pass_time(timedelta(days=30))
    assert clock_of(await world.complaint("c-2"), "final_answer")["breached_at"]
    assert not any(one["kind"] == "next_update" for one in (await world.complaint("c-2"))["clocks"])


async def test_a_ladder_outlives_a_restart_and_pages_nobody_months_late(escalation: EscalationWorld) -> None:
    await escalation.tell(opened(contact()), owned(), breached())
    escalation.clock.advance(timedelta(days=90))  # nothing runs for three months
    restarted = EscalationWorld(escalation.engine, Policies.single(policy()), escalation.clock)
    await restarted.settle()
    one = await restarted.escalation()
    assert one["level"] == 3 and one["standing_unanswered"] is True
    # of all the steps that were missed only the last is mailed, and it is the one that is due today
    assert await restarted.mails() == [("ask", "head"), ("ask", "ceo")]
    last = (await restarted.orders())[-1]
    assert escalation.clock.now() - last.ordered_at < timedelta(days=1)
    await restarted.pass_time(timedelta(days=1))
    assert (await restarted.mails())[-1] == ("ask", "ceo") and len(await restarted.mails()) == 3


# clocks


async def test_a_reopened_complaint_has_clocks(world: World, owned_one: str) -> None:
    await world.post(f"{owned_one}/answer", ANSWER)
    await world.post(f"{owned_one}/confirmation", {"solved": False})
    fresh = {c["kind"]: c for c in (await world.complaint())["clocks"] if c["cycle"] == 2}
    assert {"acknowledgement", "first_response", "next_update", "final_answer"} <= set(fresh)
    await world.pass_time(timedelta(days=20))
    assert clock_of(await world.complaint(), "final_answer", 2)["breached_at"]


async def test_no_status_and_no_automatic_message_is_a_first_response(world: World, owned_one: str) -> None:
    acts: list[tuple[str, dict[str, Any]]] = [
        ("acknowledgement", {"agent_id": "agent-1"}),
        ("classification", {"agent_id": "agent-1", "cause": "billing-error"}),
        ("helpers", {"agent_id": "agent-1", "helper": "agent-2", "question": "Old?"}),
        ("helpers/1/reply", {"agent_id": "agent-2", "text": "Yes."}),
        ("pause", {"agent_id": "agent-1", "reason": "asked", "until": "2026-03-02T10:00:00Z"}),
        ("resume", {"agent_id": "agent-1"}),
        ("escalation", {"by": "agent", "reason": "stuck", "agent_id": "agent-1"}),
    ]
    for act, body in acts:
        assert (await world.post(f"{owned_one}/{act}", body)).status_code == 200, act
    await world.contact(complaint=False)  # the customer writes again, and no human has answered by then
    one = await world.complaint()
    assert clock_of(one, "first_response")["met_at"] is None and clock_of(one, "next_update")["met_at"] is None
    await world.post(f"{owned_one}/updates", {"agent_id": "agent-1", "text": "We are on it."})
    assert clock_of(await world.complaint(), "first_response")["met_at"]


async def test_a_customers_reply_ends_a_pause(world: World, owned_one: str) -> None:
    pause = {"agent_id": "agent-1", "reason": "waits for a photo", "until": "2026-03-20T09:00:00Z"}
    await world.post(f"{owned_one}/pause", pause)
    world.clock.advance(timedelta(hours=1))
    await world.contact(complaint=False, channel="email")
    one = await world.complaint()
    assert one["paused"] is None and clock_of(one, "final_answer")["paused_seconds"] == 3600


async def test_new_terms_recompute_no_old_due_time(world: World, owned_one: str) -> None:
    before = (await world.complaint())["clocks"]
    world.policies.put(parse_policy(POLICY.replace("test-1", "strict").replace("5d", "1d").replace("1h", "5m")))
    await world.post(f"{owned_one}/classification", {"agent_id": "agent-1", "need": "attractor"})
    await world.contact(complaint=False)
    assert (await world.complaint())["clocks"] == before


async def test_a_week_end_is_closed_and_calendar_time_goes_on(world: World) -> None:
    world.clock.move_to(MONDAY + timedelta(days=4, hours=8))  # Friday, five in the afternoon
    await world.contact("c-1", tier="silver")
    await world.contact("c-2", tier="gold")
    silver, gold = await world.complaint("c-1"), await world.complaint("c-2")
    assert clock_of(silver, "first_response")["due_at"] == "2026-03-09T12:00:00Z"  # one hour of Friday, three of Monday
    assert clock_of(gold, "first_response")["due_at"] == "2026-03-06T18:00:00Z"
    world.clock.advance(timedelta(hours=30))
    await world.contact("c-3", tier="silver")  # on a Saturday
    assert clock_of(await world.complaint("c-3"), "first_response")["due_at"] == "2026-03-09T13:00:00Z"


# what is told


async def test_the_first_assignment_is_on_the_record(world: World, owned_one: str) -> None:
    (first,) = (await world.get(f"/v1/complaints/{owned_one}/ownership"))["items"]
    assert (first["agent"]["id"], first["from"], first["until"]) == ("agent-1", "2026-03-02T09:00:00Z", None)
    assert first["why"] and first["by"]
    types = [item["type"] for item in (await world.get(f"/v1/complaints/{owned_one}/timeline"))["items"]]
    assert types == ["complaint.opened", "complaint.owner_assigned"]


async def test_what_is_to_be_told_is_tried_again_and_told_once(house: House) -> None:
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached(contact_id="contact-1"))
    house.server.says["head@example.com"] = ["rcpt 451 later", "452 no room", "rcpt 451 later"]
    for _ in range(6):
        await house.post()
        house.world.clock.advance(timedelta(minutes=16))
    assert len(house.server.to("head@example.com")) == 1
