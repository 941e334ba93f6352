"""Lists, timelines, who holds how much, names, and what `verify` sees."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import httpx
from sqlalchemy import text

from services.ownership.names import Names
from tests.service.ownership_world import ANSWER, SECRET, World, captured

pytest_plugins = ["tests.service.ownership_world"]


async def test_every_filter_and_a_cursor_that_nothing_moves(world: World) -> None:
    for n in range(7):
        await world.contact(f"c-{n}", responder_id=f"agent-{n % 2}" if n < 5 else None, cause=f"cause-{n % 3}")
        world.clock.advance(60)
    first = await world.get("/v1/complaints", limit="3")
    assert [one["customer_id"] for one in first["items"]] == ["c-6", "c-5", "c-4"]
    await world.contact("c-9")  # opened between two pages
    await world.post(f"{(await world.complaint('c-2'))['id']}/withdrawal", {"agent_id": "a", "reason": "moved"})
    second = await world.get("/v1/complaints", limit="3", cursor=first["next"])
    third = await world.get("/v1/complaints", limit="3", cursor=second["next"])
    assert [one["customer_id"] for one in second["items"] + third["items"]] == ["c-3", "c-2", "c-1", "c-0"]
    assert third["next"] is None

    async def found(**filters: str) -> list[str]:
        return sorted(one["customer_id"] for one in (await world.get("/v1/complaints", **filters))["items"])

    assert await found(owner_id="agent-1") == ["c-1", "c-3"]
    assert await found(status="closed") == ["c-2"]
    assert await found(cause="cause-0", status="open") == ["c-0", "c-3", "c-6"]
    assert await found(unowned="true") == ["c-5", "c-6", "c-9"]
    assert await found(customer_id="c-4") == ["c-4"]
    assert await found(owner_id="' or true --") == []
    world.clock.advance(timedelta(minutes=55))
    assert await found(overdue="true") == ["c-0", "c-1", "c-5", "c-6", "c-9"]
    assert await found(overdue="false") == ["c-2", "c-3", "c-4"]


async def test_what_is_late_is_listed_before_and_after_it_was_told(world: World) -> None:
    for n in range(9):
        await world.contact(f"c-{n}", responder_id=f"agent-{n % 2}", cause="router-drops" if n % 3 else "billing-error")
        await world.pass_time(timedelta(minutes=20))
    world.clock.advance(timedelta(minutes=25))  # some are told to be late, some have come due since, some are not late

    async def found(**filters: str) -> list[str]:
        names, cursor = [], None
        while True:
            page = await world.get("/v1/complaints", limit="2", **filters, **({"cursor": cursor} if cursor else {}))
            names += [one["customer_id"] for one in page["items"]]
            assert all(str(one["overdue"]).lower() == filters["overdue"] for one in page["items"])
            if (cursor := page["next"]) is None:
                return names

    for _ in range(2):
        assert await found(overdue="true") == [f"c-{n}" for n in range(7, -1, -1)]
        assert await found(overdue="false") == ["c-8"]
        assert await found(overdue="true", owner_id="agent-1") == ["c-7", "c-5", "c-3", "c-1"]
        assert await found(overdue="true", cause="billing-error", status="open") == ["c-6", "c-3", "c-0"]
        assert await found(overdue="true", unowned="true") == []
        await world.sweep()
    await world.post(f"{(await world.complaint('c-5'))['id']}/withdrawal", {"agent_id": "a", "reason": "moved"})
    assert await found(overdue="true", owner_id="agent-1") == ["c-7", "c-3", "c-1"]


async def test_a_walk_through_a_list_that_is_written_to_sees_each_one_once(world: World) -> None:
    before = {f"c-{n}" for n in range(40)}
    for name in sorted(before):
        await world.contact(name, responder_id="agent-1")
    walking = True

    async def writer(number: int) -> None:
        n = 0
        while walking:
            n += 1
            await world.contact(f"new-{number}-{n}", responder_id="agent-1")
            one = await world.complaint(f"c-{(number * 17 + n * 7) % 40}")
            said = {"agent_id": "agent-2", "text": "Still on it."}
            assert (await world.post(f"{one['id']}/updates", said)).status_code == 200

    async def walk(**filters: str) -> list[str]:
        seen, cursor = [], None
        while True:
            page = await world.get("/v1/complaints", limit="3", **filters, **({"cursor": cursor} if cursor else {}))
            seen += [one["customer_id"] for one in page["items"]]
            if (cursor := page["next"]) is None:
                return seen

    writers = [asyncio.create_task(writer(n)) for n in range(3)]
    walks = await asyncio.gather(walk(), walk(status="open"), walk(owner_id="agent-1"), walk(cause="router-drops"))
    walking = False
    await asyncio.gather(*writers)
    for seen in walks:
        assert len(seen) == len(set(seen)) and before <= set(seen)


async def test_lists_refuse_what_they_do_not_understand(world: World) -> None:
    for params in (
        {"status": "shut"},
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
        {"cursor": "WyJ4Il0"},
        {"overdue": "perhaps"},
        {"owner_id": "a\x00"},
        {"cause": "a" * 201},
    ):
        answer = await world.ask("/v1/complaints", **params)
        assert answer.status_code in (400, 422), params
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await world.ask("/v1/complaints", "intake")).status_code == 403


async def test_a_timeline_in_pages_is_the_whole_story(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    for n in range(5):
        await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": f"Step {n}."})
    items, cursor = [], None
    while True:
        page = await world.get(
            f"/v1/complaints/{one['id']}/timeline", limit="2", **({"cursor": cursor} if cursor else {})
        )
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["sequence"] for item in items] == list(range(1, 8))
    assert [item["note"]["text"] for item in items[2:]] == [f"Step {n}." for n in range(5)]
    assert all("text" not in item["data"] for item in items)  # texts stay home
    assert (await world.complaint())["version"] == 7


async def test_workload_and_history(world: World) -> None:
    for cause in ("router-drops", "billing-error"):
        await world.contact("c-1", responder_id="agent-1", cause=cause)
    await world.pass_time(timedelta(days=1))
    load = await world.get("/v1/owners/agent-1/workload")
    assert (load["open"], load["overdue"], load["owner"]["id"]) == (2, 2, "agent-1")
    history = await world.get("/v1/customers/c-1/history", limit="1")
    assert len(history["items"]) == 1 and history["next"]
    assert (await world.get("/v1/customers/nobody/history"))["items"] == []


async def test_a_list_shows_what_the_complaint_itself_shows(world: World) -> None:
    """Lists read clocks and what is owed another way."""
    for n in range(4):
        await world.contact(f"c-{n}", responder_id="agent-1", region="uk", at=world.now - timedelta(minutes=n))
    ids = [(await world.complaint(f"c-{n}"))["id"] for n in range(4)]
    pause = {"agent_id": "agent-1", "reason": "asked", "until": "2026-03-02T11:00:00Z"}
    await world.post(f"{ids[1]}/pause", pause)
    await world.pass_time(timedelta(hours=3))
    await world.post(f"{ids[2]}/answer", ANSWER)
    await world.post(f"{ids[3]}/answer", ANSWER)
    await world.post(f"{ids[3]}/confirmation", {"solved": False})
    listed = {one["id"]: one for one in (await world.get("/v1/complaints"))["items"]}
    assert {one["overdue"] for one in listed.values()} == {True, False}
    for one in ids:
        assert listed[one] == await world.get(f"/v1/complaints/{one}")


async def test_names_come_from_intake(world: World) -> None:
    await world.contact(responder_id="agent/7 ?")
    await world.contact("c-2", responder_id="stranger")
    asked: list[str] = []

    def intake(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"].startswith("Bearer cls_ownership_")
        asked.append(request.url.raw_path.decode())
        if "stranger" in asked[-1]:
            return httpx.Response(404)
        return httpx.Response(200, json={"id": "agent/7 ?", "name": "Chen Yu", "email": "chen@example.com"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(intake), base_url="http://intake")
    names = Names(world.engine, world.clock, client, SECRET)
    assert await names.run_once() == 1
    assert sorted(asked) == ["/v1/responders/agent%2F7%20%3F", "/v1/responders/stranger"]
    assert (await world.complaint())["owner"] == {"id": "agent/7 ?", "name": "Chen Yu"}
    assert (await world.complaint("c-2"))["owner"] == {"id": "stranger", "name": None}
    assert await names.run_once() == 0 and len(asked) == 2
    world.clock.advance(61)
    await names.run_once()
    assert len(asked) == 3  # the one that was not known is asked for again
    await names.stop()


async def test_a_name_that_was_forgotten_is_not_asked_for_again(world: World) -> None:
    await world.contact(responder_id="agent-7")

    def intake(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": "agent-7", "name": "Chen Yu", "email": "chen@example.com"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(intake), base_url="http://intake")
    names = Names(world.engine, world.clock, client, SECRET)
    assert await names.run_once() == 1
    assert (await world.put_agent("agent-7", active=False))["name"] == "Chen Yu"
    await world.put_agent("agent-7", name=None, email=None)
    world.clock.advance(3600)
    assert await names.run_once() == 0
    gone = await world.get("/v1/agents/agent-7")
    assert (gone["name"], gone["email"], gone["active"]) == (None, None, False)
    assert (await world.complaint())["owner"] == {"id": "agent-7", "name": None}
    assert (await world.put_agent("agent-7", name="Chen"))["name"] == "Chen"
    await names.stop()


async def test_an_address_that_a_supervisor_gave_stays_where_only_the_name_was_missing(world: World) -> None:
    await world.put_agent("agent-7", email="chen@supervised.example")

    def intake(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": "agent-7", "name": "Chen Yu", "email": "chen@example.com"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(intake), base_url="http://intake")
    names = Names(world.engine, world.clock, client, SECRET)
    assert await names.run_once() == 1
    known = await world.get("/v1/agents/agent-7")
    assert (known["name"], known["email"]) == ("Chen Yu", "chen@supervised.example")
    await names.stop()


async def test_verify_sees_what_is_wrong(world: World) -> None:
    for n in range(4):
        await world.contact(f"c-{n}", responder_id="agent-1")
    pause = {"agent_id": "agent-1", "reason": "asked", "until": "2026-03-04T12:00:00Z"}
    await world.post(f"{(await world.complaint('c-1'))['id']}/pause", pause)
    assert await world.findings() == []
    for statement in (
        "delete from ownership.pauses",
        "update ownership.events set data = replace(encode(data, 'escape'), 'gold', 'lead')::bytea "
        "where customer_id = 'c-0' and sequence = 1",
        "update ownership.complaints set state = jsonb_set(state, '{owner_id}', '\"thief\"') where customer_id = 'c-1'",
        "delete from ownership.timers where customer_id = 'c-2'",
        "delete from ownership.events where customer_id = 'c-3' and sequence = 1",
    ):
        async with world.engine.begin() as conn:
            await conn.execute(text(statement))
    found = await world.findings()
    assert len(found) == 5
    for piece in ("pauses are counted", "audit chain", "fold", "next moment", "missing"):
        assert sum(piece in one for one in found) == 1, found


async def test_a_complaint_of_two_thousand_contacts(world: World) -> None:
    for start in range(0, 2000, 250):
        at = world.now
        told = [captured(at=at, conversation_id=f"v-{n}", responder_id="agent-1") for n in range(start, start + 250)]
        await world.deliver(*told)
        world.clock.advance(60)
    one = await world.complaint()
    assert len(one["contacts"]) == 2000 and one["version"] == 2001
    began = time.process_time()
    for n in range(5):
        await world.contact(responder_id="agent-2", channel="phone", conversation_id="v-7", cause=None)
        await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": f"Step {n}."})
    said = {"agent_id": "agent-1", "cause": "billing-error"}
    assert (await world.post(f"{one['id']}/classification", said)).json()["cause"] == "billing-error"
    assert (time.process_time() - began) / 11 < 0.25, "seconds an act"
    seen, cursor = 0, None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await world.get(f"/v1/complaints/{one['id']}/timeline", limit="200", **more)
        seen += len(page["items"])
        if (cursor := page["next"]) is None:
            break
    assert seen == (await world.complaint())["version"]
    assert await world.findings() == []
