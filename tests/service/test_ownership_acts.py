"""What agents, supervisors and customers do with a complaint, and what the present state forbids."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.ownership.handlers import due_input
from tests.service.ownership_world import ANSWER, World, clock_of

pytest_plugins = ["tests.service.ownership_world"]


async def test_an_acknowledgement_is_no_response(world: World, owned: dict[str, Any]) -> None:
    world.clock.advance(60)
    answer = await world.post(f"{owned['id']}/acknowledgement", {"agent_id": "agent-1"})
    assert answer.status_code == 200
    assert clock_of(answer.json(), "acknowledgement")["met_at"] == "2026-03-02T09:01:00Z"
    assert clock_of(answer.json(), "first_response")["met_at"] is None
    again = await world.post(f"{owned['id']}/acknowledgement", {"agent_id": "agent-1"})
    assert again.status_code == 409 and "acknowledgement" not in again.json()["allowed"]


async def test_an_update_is_the_first_response_and_starts_the_next(world: World, owned: dict[str, Any]) -> None:
    world.clock.advance(60)
    said = {"agent_id": "agent-2", "text": "A technician comes tomorrow.", "next_update_by": "2026-03-04T12:00:00Z"}
    one = (await world.post(f"{owned['id']}/updates", said)).json()
    assert one["owner"]["id"] == "agent-1"
    assert clock_of(one, "first_response")["met_at"] and clock_of(one, "acknowledgement")["met_at"]
    due = clock_of(one, "next_update")
    assert (due["due_at"], due["hours"], due["met_at"]) == ("2026-03-04T12:00:00Z", "calendar", None)
    assert (await world.note("customer_updated"))["note"] == {"text": said["text"]}
    past = await world.post(f"{owned['id']}/updates", said | {"next_update_by": "2026-03-01T12:00:00Z"})
    assert past.status_code == 422 and past.json()["errors"][0]["pointer"] == "/next_update_by"


async def test_the_answer_and_the_customers_no_and_yes(world: World, owned: dict[str, Any]) -> None:
    early = await world.post(f"{owned['id']}/confirmation", {"solved": False})
    assert early.status_code == 409 and early.json()["state"]["status"] == "open"
    world.clock.advance(timedelta(hours=2))
    one = (await world.post(f"{owned['id']}/answer", ANSWER)).json()
    assert one["status"] == "answered" and one["confirmation_url"].startswith("http://test/c/")
    assert all(c["met_at"] for c in one["clocks"] if c["kind"] != "confirmation")
    assert (await world.complaint())["confirmation_url"] == one["confirmation_url"]
    assert (await world.post(f"{owned['id']}/answer", ANSWER)).status_code == 409
    world.clock.advance(timedelta(days=1))
    one = (await world.post(f"{owned['id']}/confirmation", {"solved": False, "comment": "It drops."})).json()
    assert (one["status"], one["cycle"], one["owner"]["id"], one["basis"]) == ("open", 2, "agent-1", None)
    assert "confirmation_url" not in one
    fresh = {c["kind"]: c for c in one["clocks"] if c["cycle"] == 2}
    assert set(fresh) == {"acknowledgement", "first_response", "next_update", "final_answer"}
    assert all(c["started_at"] == "2026-03-03T11:00:00Z" and c["met_at"] is None for c in fresh.values())
    assert one["first_contact_at"] == "2026-03-02T09:00:00Z"
    assert one["age_seconds"] > one["age_since_reopening_seconds"]
    await world.post(f"{owned['id']}/answer", ANSWER)
    one = (await world.post(f"{owned['id']}/confirmation", {"solved": True})).json()
    assert (one["status"], one["basis"], one["cycle"]) == ("closed", "accepted", 2)
    assert (await world.told())[-2:] == ["accepted", "closed"]
    assert await world.findings() == []


async def test_a_no_after_closing(world: World, owned: dict[str, Any]) -> None:
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    assert (await world.post(f"{owned['id']}/confirmation", {"solved": True})).status_code == 409
    world.clock.advance(timedelta(days=89))
    one = (await world.post(f"{owned['id']}/confirmation", {"solved": False})).json()
    assert (one["status"], one["cycle"], one["owner"]["id"], one["closed_at"]) == ("open", 2, "agent-1", None)
    await world.post(f"{owned['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    assert (await world.complaint())["basis"] == "withdrawn"


async def test_what_it_is(world: World, owned: dict[str, Any]) -> None:
    path = f"{owned['id']}/classification"
    one = (await world.post(path, {"agent_id": "agent-2", "cause": "billing-error", "need": None})).json()
    assert (one["cause"], one["product"]) == ("billing-error", "fibre-1g")
    event = await world.note("classified")
    assert event["data"]["changed"] == ["cause"] and event["data"]["contact_ids"] == owned["contacts"]
    assert (await world.post(path, {"agent_id": "agent-2"})).status_code == 422
    said = len(await world.told())
    assert (await world.post(path, {"agent_id": "agent-2", "cause": "billing-error"})).status_code == 200
    assert len(await world.told()) == said  # nothing new was said
    one = (await world.post(path, {"agent_id": "agent-2", "complaint": False})).json()
    assert (one["status"], one["basis"]) == ("closed", "not_a_complaint")


async def test_a_cause_found_later_may_be_a_repeat(world: World, owned: dict[str, Any]) -> None:
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    await world.contact(cause=None, responder_id="agent-2")
    _, second = await world.complaints()
    assert second["repeat_of"] is None
    body = {"agent_id": "agent-2", "cause": "router-drops"}
    assert (await world.post(f"{second['id']}/classification", body)).json()["repeat_of"] == owned["id"]
    assert (await world.told())[-1] == "repeated"


async def test_a_pause_ends_with_the_customers_word(world: World, owned: dict[str, Any]) -> None:
    world.clock.advance(timedelta(hours=1))
    until = "2026-03-02T14:00:00Z"
    body = {"agent_id": "agent-1", "reason": "waits for the customer's photo", "until": until}
    one = (await world.post(f"{owned['id']}/pause", body)).json()
    assert one["paused"] == {"since": "2026-03-02T10:00:00Z", "until": until}
    assert (await world.post(f"{owned['id']}/pause", body)).status_code == 409
    await world.pass_time(timedelta(hours=2))  # 12:00
    assert clock_of(await world.complaint(), "acknowledgement")["breached_at"]  # due before the pause
    await world.contact(complaint=False, cause=None)  # whatever it is about
    one = await world.complaint()
    assert one["paused"] is None and (await world.told())[-1] == "resumed"
    final = clock_of(one, "final_answer")
    assert (final["due_at"], final["paused_seconds"]) == ("2026-03-10T11:00:00Z", 7200.0)
    told = await world.get(f"/v1/complaints/{owned['id']}/explain", clock="final_answer")
    assert any("pause" in words for words in told["clocks"][0]["words"])
    assert (await world.post(f"{owned['id']}/resume", {"agent_id": "agent-1"})).status_code == 409
    assert await world.findings() == []


async def test_a_pause_ends_by_itself(world: World, owned: dict[str, Any]) -> None:
    until = "2026-03-02T12:00:00Z"
    await world.post(f"{owned['id']}/pause", {"agent_id": "agent-1", "reason": "asked", "until": until})
    await world.pass_time(timedelta(days=1))
    one = await world.complaint()
    assert one["paused"] is None
    assert clock_of(one, "acknowledgement")["due_at"] == "2026-03-02T13:00:00Z"
    assert clock_of(one, "first_response")["due_at"] == "2026-03-02T10:00:00Z"  # calendar clocks never pause


async def test_helpers_answer_and_take_nothing(world: World, owned: dict[str, Any]) -> None:
    asked = {"agent_id": "agent-1", "helper": "agent-9", "question": "Is the splitter old?"}
    one = (await world.post(f"{owned['id']}/helpers", asked)).json()
    assert one["helpers"][0]["id"] == "agent-9" and one["helpers"][0]["replied_at"] is None
    reply = {"agent_id": "agent-9", "text": "It is."}
    one = (await world.post(f"{owned['id']}/helpers/1/reply", reply)).json()
    assert one["helpers"][0]["replied_at"] and one["owner"]["id"] == "agent-1"
    assert clock_of(one, "first_response")["met_at"] is None  # the customer heard nothing
    assert (await world.post(f"{owned['id']}/helpers/1/reply", reply)).status_code == 409
    assert (await world.post(f"{owned['id']}/helpers/2/reply", reply)).status_code == 404


async def test_a_deputy_leaves_by_itself_and_a_successor_says_yes(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    body = {"agent": "agent-2", "until": "2026-03-03T09:00:00Z", "reason": "on leave", "by": "boss"}
    assert (await world.post(f"{path}/deputy", body)).status_code == 403
    one = (await world.post(f"{path}/deputy", body, "supervisor")).json()
    assert one["deputy"]["id"] == "agent-2" and one["owner"]["id"] == "agent-1"
    assert (await world.get("/v1/owners/agent-1/workload"))["deputised"] == 1
    await world.pass_time(timedelta(days=2))
    one = await world.complaint()
    assert one["deputy"] is None and one["owner"]["id"] == "agent-1"
    change = {"to": "agent-3", "reason": "left_company", "note": "retired"}
    one = (await world.post(f"{path}/succession", change, "supervisor")).json()
    assert one["owner"]["id"] == "agent-1" and one["succession_asked"]["to"]["id"] == "agent-3"
    assert (await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-4"})).status_code == 409
    one = (await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-3"})).json()
    assert one["owner"]["id"] == "agent-3" and one["succession_asked"] is None
    await world.post(f"{path}/succession", change | {"to": "agent-5", "accepted_by": "agent-5"}, "supervisor")
    items = (await world.get(f"/v1/complaints/{path}/ownership"))["items"]
    owners = [i for i in items if i["role"] == "owner"]
    assert [i["agent"]["id"] for i in owners] == ["agent-1", "agent-3", "agent-5"]
    assert [i["until"] for i in owners[:-1]] == [i["from"] for i in owners[1:]] and owners[-1]["until"] is None
    (deputy,) = (i for i in items if i["role"] == "deputy")
    assert (deputy["until"], deputy["by"]) == ("2026-03-03T09:00:00Z", "boss")
    pages, cursor = [], ""
    while len(pages) < 9 and (page := await world.get(f"/v1/complaints/{path}/ownership", limit="3", cursor=cursor)):
        pages.append(page["items"])
        if (cursor := page["next"]) is None:
            break
    assert [len(page) for page in pages] == [3, 1] and [one for page in pages for one in page] == items
    assert await world.findings() == []


async def test_escalation_is_asked_for_at_any_time(world: World, owned: dict[str, Any]) -> None:
    await world.post(f"{owned['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    answer = await world.post(f"{owned['id']}/escalation", {"by": "customer", "reason": "wants the boss"})
    assert answer.status_code == 200 and (await world.told())[-1] == "escalation_asked"
    asked = await world.note("escalation_asked")
    assert (asked["by"], asked["why"]) == ("key of agent", "wants the boss") and "reason" not in asked["data"]


async def test_the_same_request_twice(world: World, owned: dict[str, Any]) -> None:
    body = {"agent_id": "agent-1", "text": "Soon."}
    first = await world.post(f"{owned['id']}/updates", body, key="k-1")
    world.clock.advance(60)
    again = await world.post(f"{owned['id']}/updates", body, key="k-1")
    assert again.content == first.content and again.headers["idempotency-replayed"] == "true"
    assert (await world.told()).count("customer_updated") == 1
    assert (await world.post(f"{owned['id']}/updates", body | {"text": "Later."}, key="k-1")).status_code == 422


async def test_many_agents_at_once_do_each_thing_once_or_are_told_the_state(world: World) -> None:
    for n in range(6):
        await world.contact(f"c-{n}")
    names = [(await world.complaint(f"c-{n}"))["id"] for n in range(6)]

    async def agent(number: int) -> list[tuple[str, httpx.Response]]:
        who, done = {"agent_id": f"agent-{number}"}, []
        for turn in range(6):
            name = names[(number + turn) % len(names)]
            for act, body in (
                ("claim", who),
                ("acknowledgement", who),
                ("updates", who | {"text": "Soon."}),
                ("answer", ANSWER | who),
                ("confirmation", {"solved": number % 2 == 0}),
            ):
                done.append((act, await world.post(f"{name}/{act}", body)))
            await world.corridor.sweep(due_input)
        return done

    answers = [one for done in await asyncio.gather(*(agent(n) for n in range(12))) for one in done]
    assert {answer.status_code for _, answer in answers} == {200, 409}
    for act, answer in answers:
        if answer.status_code == 409:
            told = answer.json()
            assert (told["state"]["status"] in ("open", "answered", "closed") and act not in told["allowed"]) or (
                act == "confirmation"
            )
    claimed = sum(act == "claim" and answer.status_code == 200 for act, answer in answers)
    said = [kind for n in range(6) for kind in await world.told(f"c-{n}")]
    assert said.count("owner_assigned") == 6 and claimed <= 6
    for act, kind in (("answer", "answered"), ("updates", "customer_updated"), ("acknowledgement", "acknowledged")):
        assert said.count(kind) == sum(a == act and answer.status_code == 200 for a, answer in answers)
    for name in names:
        ledger = (await world.get(f"/v1/complaints/{name}/ownership"))["items"]
        assert [(item["role"], item["until"]) for item in ledger] == [("owner", None)]
    assert await world.findings() == []


@pytest.mark.parametrize("name", ["C-00000", "c-7F3K9X", "01a21151-a75f-756d-b160-969bf8a3d754", "x", "' or 1=1"])
async def test_no_such_complaint(world: World, name: str) -> None:
    assert (await world.ask(f"/v1/complaints/{name}")).status_code == 404
    assert (await world.post(f"{name}/claim", {"agent_id": "a"})).status_code == 404


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("claim", {"agent_id": 1}),
        ("claim", {"agent_id": "a\u0000"}),
        ("claim", {"agent_id": "a", "more": 1}),
        ("answer", {"agent_id": "a", "text": "   ", "outcome": "upheld", "reasons": "r"}),
        ("answer", {"agent_id": "a", "text": "t", "outcome": "won", "reasons": "r"}),
        ("confirmation", {"solved": 1}),
        ("updates", {"agent_id": "a", "text": "t", "next_update_by": "9999-12-31T23:59:59+14:00"}),
        ("classification", {"agent_id": "a", "need": "nice"}),
        ("escalation", {"by": "nobody", "reason": "r"}),
        ("pause", {"agent_id": "a", "reason": "r", "until": "yesterday"}),
        ("helpers/0/reply", {"agent_id": "a", "text": "t"}),
    ],
)
async def test_what_is_not_understood(world: World, owned: dict[str, Any], act: str, body: dict[str, Any]) -> None:
    answer = await world.post(f"{owned['id']}/{act}", body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await world.told() == ["opened", "owner_assigned"]
