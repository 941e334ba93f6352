"""After a closing the customer is visited: by whom, until when, and what follows from what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.policy import parse_policy
from tests.service.ownership_world import ANSWER, MONDAY, POLICY, World, clock_of, world_at

pytest_plugins = ["tests.service.ownership_world"]
GLAD = {"agent_id": "boss-1", "satisfied": True, "would_choose_again": True}


async def answered(world: World, **fields: Any) -> str:
    """A complaint of agent-1, whose superior is boss-1, that has been answered."""
    await world.put_agent("agent-1", superior="boss-1")
    await world.put_agent("boss-1", name="Bea Boss")
    await world.contact(responder_id="agent-1", **fields)
    one = await world.complaint()
    await world.post(f"{one['id']}/answer", ANSWER)
    return str(one["id"])


async def test_the_best_customers_are_visited_by_the_owners_own_superior(world: World) -> None:
    name = await answered(world, tier="gold")
    closed = (await world.post(f"{name}/confirmation", {"solved": True})).json()
    visit = clock_of(closed, "follow_up")
    assert (visit["started_at"], visit["due_at"]) == (closed["closed_at"], "2026-03-09T09:00:00Z")
    assert closed["follow_up"] is None and not closed["overdue"]
    await world.pass_time(timedelta(days=7))
    asked = (await world.note("follow_up_due"))["data"]
    told = await world.get(f"/v1/complaints/{name}/explain", clock="follow_up")
    assert any("7 days after the closing" in words for words in told["clocks"][0]["words"])
    assert any("2 days of working time" in words for words in told["clocks"][0]["words"])
    assert (asked["agent_id"], asked["by"], asked["due_at"]) == ("boss-1", "superior", "2026-03-11T18:00:00Z")
    one = await world.complaint()
    assert one["follow_up"]["agent"] == {"id": "boss-1", "name": "Bea Boss"} and one["status"] == "closed"
    assert clock_of(one, "follow_up")["due_at"] == "2026-03-11T18:00:00Z"
    done = (await world.post(f"{name}/follow-up", GLAD | {"comment": "All is well."})).json()
    assert clock_of(done, "follow_up")["met_at"] == "2026-03-09T09:00:00Z"
    assert (done["follow_up"]["satisfied"], done["follow_up"]["would_choose_again"]) == (True, True)
    told = await world.note("followed_up")
    assert told["note"] == {"comment": "All is well."} and "comment" not in told["data"]
    again = await world.post(f"{name}/follow-up", GLAD)
    assert again.status_code == 409 and "follow-up" not in again.json()["allowed"]
    assert await world.findings() == []


async def test_who_has_left_visits_nobody(world: World) -> None:
    name = await answered(world, tier="gold")
    await world.put_agent("boss-1", active=False, superior="boss-2")
    await world.post(f"{name}/confirmation", {"solved": True})
    await world.contact("c-2", responder_id="agent-4", tier="standard")
    await world.put_agent("agent-4", superior="boss-2")
    other = await world.complaint("c-2")
    await world.post(f"{other['id']}/confirmation", {"solved": True})
    await world.put_agent("agent-4", active=False)
    await world.pass_time(timedelta(days=15))
    for customer in ("c-1", "c-2"):  # the superior of a superior who left, and that of an owner who left
        assert (await world.note("follow_up_due", customer))["data"]["agent_id"] == "boss-2"
    assert await world.findings() == []


async def test_silence_is_not_solved_and_is_followed_up_all_the_same(world: World) -> None:
    name = await answered(world, tier="standard")
    await world.pass_time(timedelta(days=14))
    one = await world.complaint()
    assert (one["status"], one["basis"]) == ("closed", "silent")
    await world.pass_time(timedelta(days=14))
    asked = (await world.note("follow_up_due"))["data"]
    assert (asked["agent_id"], asked["by"]) == ("agent-1", "owner")
    done = (await world.post(f"{name}/follow-up", GLAD | {"agent_id": "agent-1"})).json()
    assert done["basis"] == "silent"  # what somebody heard on a visit does not make it the customer's word
    assert await world.findings() == []


async def test_a_visit_that_is_not_made_is_missed_like_any_other_clock(world: World) -> None:
    name = await answered(world, tier="gold")
    await world.post(f"{name}/confirmation", {"solved": True})
    told = len(await world.told())
    await world.pass_time(timedelta(days=30))
    one = await world.complaint()
    assert (await world.told())[told:] == ["follow_up_due", *["clock_warned"] * 3, "clock_breached"]
    assert clock_of(one, "follow_up")["breached_at"] and one["overdue"]
    assert [x["id"] for x in (await world.get("/v1/complaints", overdue="true"))["items"]] == [name]
    late = (await world.post(f"{name}/follow-up", GLAD)).json()
    assert clock_of(late, "follow_up")["breached_at"] and clock_of(late, "follow_up")["met_at"]
    assert not late["overdue"]
    assert await world.findings() == []


async def test_who_is_not_satisfied_has_said_no(world: World) -> None:
    name = await answered(world)
    await world.post(f"{name}/confirmation", {"solved": True})
    await world.pass_time(timedelta(days=8))
    body = GLAD | {"satisfied": False, "would_choose_again": False, "comment": "It drops again."}
    one = (await world.post(f"{name}/follow-up", body)).json()
    assert (one["status"], one["cycle"], one["owner"]["id"]) == ("open", 2, "agent-1")
    assert clock_of(one, "first_response", 2)["met_at"] is None
    reopened = await world.note("reopened")
    assert (reopened["by"], reopened["data"]["through"]) == ("boss-1", "follow_up")
    assert one["follow_up"]["satisfied"] is False
    # answered and closed again, it is followed up again
    await world.post(f"{name}/answer", ANSWER)
    await world.post(f"{name}/confirmation", {"solved": True})
    await world.pass_time(timedelta(days=7))
    assert (await world.note("follow_up_due"))["data"]["cycle"] == 2
    assert (await world.post(f"{name}/follow-up", GLAD)).status_code == 200
    assert await world.findings() == []


async def test_not_satisfied_long_after_opens_another(world: World) -> None:
    name = await answered(world)
    await world.post(f"{name}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=91))
    new = (await world.post(f"{name}/follow-up", GLAD | {"satisfied": False})).json()
    assert (new["follows"], new["owner"]["id"], new["status"]) == (name, "agent-1", "open")
    assert (await world.get(f"/v1/complaints/{name}"))["follow_up"]["satisfied"] is False
    assert await world.findings() == []


async def test_what_is_taken_back_or_open_is_not_followed_up(world: World) -> None:
    name = await answered(world)
    early = await world.post(f"{name}/follow-up", GLAD)
    assert early.status_code == 409 and early.json()["state"]["status"] == "answered"
    half = await world.post(f"{name}/follow-up", {"agent_id": "boss-1", "satisfied": True})
    assert half.status_code == 422 and half.json()["errors"][0]["pointer"] == "/would_choose_again"
    one = (await world.post(f"{name}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})).json()
    assert all(clock["kind"] != "follow_up" for clock in one["clocks"])
    assert (await world.post(f"{name}/follow-up", GLAD)).status_code == 409
    told = len(await world.told())
    await world.pass_time(timedelta(days=40))
    assert len(await world.told()) == told


async def test_a_reopening_ends_the_wait_for_a_visit(world: World) -> None:
    name = await answered(world)
    await world.post(f"{name}/confirmation", {"solved": True})
    await world.post(f"{name}/confirmation", {"solved": False})
    await world.pass_time(timedelta(days=10))
    assert "follow_up_due" not in await world.told()


async def test_the_policy_says_who_gets_a_visit_and_how_long_it_may_take(database: str) -> None:
    more = (
        POLICY.replace("clocks:\n", "clocks:\n  - {kind: follow_up, within: 4h, hours: calendar, warn_at: [50]}\n", 1)
        + "follow_up: {silver: {after: 3d}}\n"
    )
    async with world_at(database, parse_policy(more), MONDAY) as world:
        for customer, tier in (("c-1", "gold"), ("c-2", "silver"), ("c-3", "standard")):
            await world.contact(customer, tier=tier, responder_id="agent-1")
            one = await world.complaint(customer)
            await world.post(f"{one['id']}/confirmation", {"solved": True})
        await world.pass_time(timedelta(days=4))
        # gold has none of its own, and gets that of the next tier below
        assert [x for x in await world.told() if x.startswith("follow")] == ["follow_up_due"]
        assert [x for x in await world.told("c-2") if x.startswith(("follow", "clock"))] == [
            "follow_up_due",
            "clock_warned",
            "clock_breached",
        ]
        assert not [x for x in await world.told("c-3") if x.startswith("follow")]


@pytest.mark.parametrize(("text", "visits"), [("", ["superior", "owner", "owner"]), ("follow_up: {}\n", [None] * 3)])
def test_without_a_word_in_the_policy_everybody_is_visited(text: str, visits: list[str | None]) -> None:
    policy = parse_policy(POLICY + text)
    assert [(visit := policy.visit(tier)) and visit.by for tier in ("gold", "silver", "standard")] == visits
