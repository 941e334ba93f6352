"""Complaints of one customer that have to do with each other: one that follows another."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.service.ownership_world import ANSWER, World

pytest_plugins = ["tests.service.ownership_world"]


async def test_a_no_that_comes_too_late_opens_another_of_the_same_owner(world: World, owned: dict[str, Any]) -> None:
    old = owned["id"]
    await world.post(f"{old}/answer", ANSWER)
    await world.post(f"{old}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=90, seconds=1))
    answer = await world.post(f"{old}/confirmation", {"solved": False, "comment": "It drops again."})
    new = answer.json()
    assert answer.status_code == 200
    assert (new["status"], new["cycle"], new["owner"]["id"], new["follows"]) == ("open", 1, "agent-1", old)
    assert new["id"] != old and new["reference"] != owned["reference"] and new["contacts"] == []
    fresh = {clock["kind"]: clock for clock in new["clocks"]}
    assert set(fresh) == {"acknowledgement", "first_response", "next_update", "final_answer"}
    assert {clock["started_at"] for clock in fresh.values()} == {new["opened_at"]}
    closed = await world.get(f"/v1/complaints/{old}")
    assert (closed["status"], closed["basis"], closed["followed_by"]) == ("closed", "accepted", new["id"])
    last = (await world.get(f"/v1/complaints/{old}/timeline"))["items"][-1]
    assert last["type"] == "complaint.continued" and last["note"] == {"comment": "It drops again."}
    assert "90 days" in last["why"] and new["reference"] in last["why"]
    first = (await world.get(f"/v1/complaints/{new['id']}/timeline"))["items"][0]
    assert first["data"]["contact_id"] == owned["contacts"][0] and owned["reference"] in first["why"]
    ledger = (await world.get(f"/v1/complaints/{new['id']}/ownership"))["items"]
    assert [(item["agent"]["id"], item["why"]) for item in ledger] == [("agent-1", "same_owner")]
    again = await world.post(f"{old}/confirmation", {"solved": False})
    assert again.status_code == 409 and again.json()["state"]["followed_by"] == new["id"]
    # whoever still uses the old reference, or the old conversation, means the new one
    world.clock.advance(timedelta(days=100))
    for fields in ({"references": (owned["reference"],), "cause": None}, {"conversation_id": "v-1", "cause": None}):
        contact = await world.contact(**fields)
        assert contact.contact_id in (await world.get(f"/v1/complaints/{new['id']}"))["contacts"]
    assert await world.findings() == []


async def test_what_repeats_what_is_judged_anew_when_the_earlier_one_is_classified(world: World) -> None:
    await world.contact(cause=None, responder_id="agent-1", channel="phone")
    await world.contact(cause="router-drops", responder_id="agent-2", channel="chat")
    earlier, later = await world.complaints()
    assert later["repeat_of"] is None
    path, body = f"{earlier['id']}/classification", {"agent_id": "agent-1", "cause": "router-drops"}
    assert (await world.post(path, body)).json()["repeat_of"] is None
    assert (await world.get(f"/v1/complaints/{later['id']}"))["repeat_of"] == earlier["id"]
    told = (await world.get(f"/v1/complaints/{later['id']}/timeline"))["items"][-1]
    assert told["type"] == "complaint.repeated" and earlier["reference"] in told["why"]
    # and it is none any more where the earlier one turns out to be something else, or nothing at all
    for something in ({"cause": "billing-error"}, {"cause": "router-drops"}, {"complaint": False}):
        await world.post(path, {"agent_id": "agent-1"} | something)
        found = (await world.get(f"/v1/complaints/{later['id']}"))["repeat_of"]
        assert found == (earlier["id"] if something.get("cause") == "router-drops" else None)
    await world.post(f"{later['id']}/classification", body | {"cause": None})
    assert await world.findings() == []


async def test_a_cause_that_is_corrected_may_make_it_no_repeat(world: World, owned: dict[str, Any]) -> None:
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    await world.contact(responder_id="agent-2", channel="chat")
    _, second = await world.complaints()
    assert second["repeat_of"] == owned["id"]
    body = {"agent_id": "agent-2", "cause": "billing-error"}
    assert (await world.post(f"{second['id']}/classification", body)).json()["repeat_of"] is None
    assert await world.findings() == []


async def test_who_took_it_back_or_called_it_none_and_why(world: World) -> None:
    reasons = {
        "withdrawal": {"agent_id": "agent-1", "reason": "she found the cable herself"},
        "classification": {"agent_id": "agent-2", "complaint": False, "reason": "he asked for the opening hours"},
    }
    for n, (act, body) in enumerate(reasons.items()):
        await world.contact(f"c-{n}", responder_id="agent-1")
        one = await world.complaint(f"c-{n}")
        assert one["closing"] is None
        await world.post(f"{one['id']}/{act}", body)
    for basis, body in zip(("withdrawn", "not_a_complaint"), reasons.values(), strict=True):
        (one,) = (await world.get("/v1/complaints", "supervisor", basis=basis))["items"]
        assert (one["closing"]["by"], one["closing"]["why"]) == (body["agent_id"], body["reason"])
        assert one["closing"]["at"] == one["closed_at"]
    closed = await world.note("closed", "c-1")
    assert closed["data"]["by_id"] == "agent-2" and "why" not in closed["data"]
    assert (await world.ask("/v1/complaints", basis="solved")).status_code == 422
    # the customer's own no opens it again, and it can be called none once more
    one = await world.complaint("c-1")
    await world.post(f"{one['id']}/confirmation", {"solved": False})
    assert (await world.get("/v1/complaints", basis="not_a_complaint"))["items"] == []
    again = {"agent_id": "agent-2", "complaint": False}
    assert (await world.post(f"{one['id']}/classification", again)).json()["basis"] == "not_a_complaint"
    assert await world.findings() == []


async def test_many_noes_at_once_open_one_complaint(world: World, owned: dict[str, Any]) -> None:
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=91))
    noes = await asyncio.gather(*(world.post(f"{owned['id']}/confirmation", {"solved": False}) for _ in range(6)))
    assert sorted(answer.status_code for answer in noes) == [200, 409, 409, 409, 409, 409]
    assert len(await world.complaints()) == 2


async def test_nobody_owned_what_comes_back(world: World) -> None:
    await world.contact()
    old = await world.complaint()
    await world.post(f"{old['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    world.clock.advance(timedelta(days=91))
    new = (await world.post(f"{old['id']}/confirmation", {"solved": False})).json()
    assert new["owner"] is None and any(clock["kind"] == "claim" for clock in new["clocks"])
    assert (await world.post(f"{new['id']}/claim", {"agent_id": "agent-2"})).status_code == 200
    assert await world.findings() == []


async def test_a_repeat_is_found_however_long_ago_the_earlier_one_was_closed(world: World) -> None:
    await world.contact(responder_id="agent-1")
    first = await world.complaint()
    await world.post(f"{first['id']}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=80))
    await world.contact(cause=None, channel="chat", responder_id="agent-2")
    _, second = await world.complaints()
    world.clock.advance(timedelta(days=60))  # long after the window: what counts is when the customer came back
    body = {"agent_id": "agent-2", "cause": "router-drops"}
    assert (await world.post(f"{second['id']}/classification", body)).json()["repeat_of"] == first["id"]
