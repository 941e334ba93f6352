"""A customer who says no to an executive's words while the owner's answer is still to come is heard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.contracts.envelope import new_id
from shared.contracts.escalation import EscalationDelivered
from tests.service.ownership_world import World

pytest_plugins = ["tests.service.ownership_world"]


async def delivered(world: World, complaint_id: str) -> None:
    """An executive's own words reached the customer."""
    told = {"complaint_id": complaint_id, "escalation_id": new_id(), "answer_id": new_id(), "at": world.now}
    await world.deliver(EscalationDelivered(customer_id="c-1", through="mail", **told))


async def no(world: World, complaint_id: str) -> Any:
    return await world.post(f"{complaint_id}/confirmation", {"solved": False, "comment": "Nobody came."})


async def test_a_no_to_an_executives_words_goes_back_up(world: World, owned: Any) -> None:
    early = await no(world, owned["id"])
    assert early.status_code == 409 and early.json()["type"].endswith(":not-answered")
    await delivered(world, owned["id"])
    said = await no(world, owned["id"])
    assert said.status_code in (200, 202) and said.json()["status"] == "open"
    assert (await world.told())[-2:] == ["executive_answered", "escalation_asked"]
    one = await world.complaint()
    assert (one["owner"]["id"], one["cycle"]) == ("agent-1", 1)


async def test_it_is_answered_for_its_own_cycle(world: World, owned: Any) -> None:
    await delivered(world, owned["id"])
    body = {"agent_id": "agent-1", "text": "A new line.", "outcome": "upheld", "reasons": "fault"}
    assert (await world.post(f"{owned['id']}/answer", body)).status_code in (200, 202)
    assert (await no(world, owned["id"])).json()["cycle"] == 2
    assert (await no(world, owned["id"])).status_code == 409


async def test_words_that_reach_the_customer_after_the_closing_change_nothing(world: World, owned: Any) -> None:
    assert (await world.post(f"{owned['id']}/withdrawal", {"agent_id": "agent-1", "reason": "Never mind."})).is_success
    told = await world.told()
    await delivered(world, owned["id"])
    await delivered(world, new_id())
    assert await world.told() == told


async def test_what_an_executive_answers_meets_none_of_the_owners_clocks(world: World, owned: Any) -> None:
    await delivered(world, owned["id"])
    running = {clock["kind"] for clock in (await world.complaint())["clocks"] if not clock["met_at"]}
    assert running == {clock["kind"] for clock in owned["clocks"] if not clock["met_at"]}
    await world.pass_time(timedelta(days=30))
    assert "clock_breached" in await world.told()
