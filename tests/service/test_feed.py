"""The feed: positions without a gap, given by one writer; pages and streams that miss nothing and repeat nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from services.escalation import feed as feed_loop
from services.escalation.api import feed as feed_api
from services.escalation.feed import CutOff, Hub
from services.escalation.store.feed import Filters
from shared import faults
from shared.contracts import ownership
from shared.outbox import Bell
from shared.runner import LedLoop
from tests.service.escalation_house import Doors
from tests.service.escalation_world import World, breached, contact, of, opened, owned

pytest_plugins = ["tests.service.escalation_house"]


async def number(world: World) -> int:
    async with world.engine.connect() as conn:
        return await feed_loop.number_once(conn)


async def fill(world: World, start: int, count: int, **over: Any) -> None:
    """Complaints, one item each."""
    for n in range(start, start + count):
        await world.tell(opened(contact(f"c-{n}"), f"k-{n}", **over))


async def test_every_event_of_both_services_is_one_item(escalation: World) -> None:
    heard = contact()
    await escalation.tell(heard, opened(heard, region="north"), owned(), of(ownership.Acknowledged, by_id="agent-7"))
    await escalation.tell(breached())
    items = await escalation.feed()
    assert [item["type"] for item in items] == [
        "complaint.opened",
        "complaint.owner_assigned",
        "complaint.acknowledged",
        "complaint.clock_breached",
        "escalation.raised",
    ]
    assert [item["position"] for item in items] == [1, 2, 3, 4, 5]
    last = items[-1]
    assert (last["level"], last["owner_id"], last["region"], last["reference"]) == (1, "agent-7", "north", "C-K-1")
    assert last["complaint_id"] == "k-1" and last["data"]["reason"] == "clock_breached"


async def test_a_row_that_commits_late_is_numbered_late(escalation: World) -> None:
    slow = await escalation.engine.connect()
    await slow.execute(
        text("insert into escalation.feed (type, at, data) values ('complaint.opened', now(), '{\"n\": 1}')")
    )
    await fill(escalation, 1, 2)
    assert await number(escalation) == 2
    await slow.commit()
    await slow.close()
    assert await number(escalation) == 1
    items = await escalation.feed()
    assert [item["data"].get("n") for item in items] == [None, None, 1]
    assert await escalation.findings() == []


async def test_one_writer_numbers_and_a_fault_leaves_no_gap(escalation: World) -> None:
    await fill(escalation, 1, 3)
    faults.plan("feed.before_commit", "error")
    loops = [LedLoop(escalation.engine, feed_loop.WRITER_KEY, feed_loop.number_once) for _ in range(2)]
    try:
        with pytest.raises(faults.FaultError):
            await loops[0].run_once()
        assert await loops[0].run_once() == 3
        assert await loops[1].run_once() == 0
    finally:
        faults.clear()
        for loop in loops:
            await loop.resign()
    assert [item["position"] for item in await escalation.feed()] == [1, 2, 3]


async def test_pages_with_filters_go_on_past_what_does_not_fit(doors: Doors) -> None:
    await fill(doors.world, 1, 30)
    await fill(doors.world, 31, 3, region="north")
    await doors.world.tell(owned(complaint_id="k-31", customer="c-31"))
    await doors.world.feed()
    async with doors.client("integration") as client:
        page = (await client.get("/v1/feed", params={"region": "north", "limit": 2})).json()
        assert [item["position"] for item in page["items"]] == [31, 32] and page["next"] == 32
        page = (await client.get("/v1/feed", params={"region": "north", "after": 32, "limit": 2})).json()
        assert [item["position"] for item in page["items"]] == [33, 34] and page["next"] == 34
        page = (await client.get("/v1/feed", params={"region": "south"})).json()
        assert page == {"items": [], "next": 34}
        only = {"type": ["complaint.owner_assigned", "complaint.closed"], "region": "north", "owner_id": "agent-7"}
        page = (await client.get("/v1/feed", params=only)).json()
        assert [item["type"] for item in page["items"]] == ["complaint.owner_assigned"]
        page = (await client.get("/v1/feed", params={"after": 1_000})).json()
        assert page == {"items": [], "next": 1_000}


async def test_readers_beside_writers_miss_nothing(escalation: World) -> None:
    async def write(first: int) -> None:
        for n in range(first, first + 25):
            await escalation.tell(opened(contact(f"c-{n}"), f"k-{n}"))

    writers = [asyncio.create_task(write(1000 * n)) for n in range(1, 5)]
    seen: list[int] = []
    after = 0
    while not all(task.done() for task in writers) or await number(escalation):
        await number(escalation)
        async with escalation.engine.connect() as conn:
            items, after = await feed_loop.feed.read(conn, after, 7)
        seen += [item["position"] for item in items]
    await asyncio.gather(*writers)
    async with escalation.engine.connect() as conn:
        while items := (await feed_loop.feed.read(conn, after, 7))[0]:
            seen += [item["position"] for item in items]
            after = items[-1]["position"]
    assert seen == list(range(1, 101))


async def take(stream: AsyncIterator[Any], count: int) -> list[int]:
    """Positions of the next items."""
    async with asyncio.timeout(10):
        found: list[int] = []
        while len(found) < count:
            found += [line.position for line in await anext(stream)]
        return found


@pytest.fixture
async def hub(escalation: World) -> AsyncIterator[tuple[Hub, Bell]]:
    """A hub that reads when its bell is rung."""
    bell, stopping = Bell(), asyncio.Event()
    hub = Hub(escalation.engine, bell, tick=30)
    task = asyncio.create_task(hub.run(stopping))
    yield hub, bell
    stopping.set()
    await task


async def test_a_stream_goes_on_from_what_is_there_to_what_comes(escalation: World, hub: tuple[Hub, Bell]) -> None:
    await fill(escalation, 1, 3)
    await number(escalation)
    stream = hub[0].watch(1, Filters())
    assert await take(stream, 2) == [2, 3]
    waiting = asyncio.create_task(take(stream, 2))
    await fill(escalation, 4, 2)
    await number(escalation)
    while not waiting.done():
        hub[1].ring()
        await asyncio.wait([waiting], timeout=0.02)
    assert waiting.result() == [4, 5]
    await stream.aclose()  # type: ignore[attr-defined]
    assert hub[0].watchers == 0


async def test_a_silent_stream_has_a_heartbeat(escalation: World, hub: tuple[Hub, Bell]) -> None:
    stream = hub[0].watch(None, Filters(), heartbeat=0.01)
    async with asyncio.timeout(10):
        assert await anext(stream) == []
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_slow_watcher_is_cut_off_and_told(
    escalation: World, hub: tuple[Hub, Bell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_loop, "MOST_WAITING", 3)
    stream = hub[0].watch(0, Filters(), heartbeat=0.01)
    async with asyncio.timeout(10):
        assert await anext(stream) == []
    await fill(escalation, 1, 5)
    await number(escalation)
    await hub[0].run_once()
    with pytest.raises(CutOff) as cut:
        async with asyncio.timeout(10):
            while True:
                await anext(stream)
    assert cut.value.position == 0


async def lines(answer: httpx.Response, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            found.append(orjson.loads(line[6:]))
        if len(found) == count:
            break
    return found


async def test_the_stream_over_http_is_the_feed_and_resumes(served: Doors) -> None:
    world = served.world
    await fill(world, 1, 4)
    await number(world)
    headers = {"Authorization": f"Bearer {served.keys['supervisor']}"}
    async with httpx.AsyncClient(base_url=served.base_url, headers=headers, timeout=10) as client:
        pages = (await client.get("/v1/feed")).json()["items"]
        async with client.stream("GET", "/v1/feed/stream", headers={"Last-Event-ID": "0"}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert await lines(answer, 4) == pages
        async with client.stream("GET", "/v1/feed/stream", headers={"Last-Event-ID": "3"}) as answer:
            await fill(world, 5, 1)
            await number(world)
            assert [item["position"] for item in await lines(answer, 2)] == [4, 5]
        async with client.stream("GET", "/v1/feed/stream", params={"after": 2, "region": "nowhere"}) as answer:
            await fill(world, 6, 1, region="nowhere")
            await number(world)
            assert [item["position"] for item in await lines(answer, 1)] == [6]
        refused = await client.get("/v1/feed/stream", headers={"Last-Event-ID": "yesterday"})
        assert refused.status_code == 422
    async with asyncio.timeout(5):
        while served.hub.watchers:  # who has gone is let go at once, not at the next heartbeat
            await number(world)


async def test_who_takes_nothing_any_more_is_given_up(served: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_api, "_TAKES_NOTHING_SECONDS", 0.2)
    host, port = served.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    head = f"GET /v1/feed/stream?after=0 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {served.keys['supervisor']}"
    writer.write(f"{head}\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await reader.readline()  # and from here on nothing is read
        while served.hub.watchers < 1:
            await asyncio.wait([asyncio.ensure_future(writer.drain())], timeout=0.01)
        async with served.world.engine.begin() as conn:
            many = "insert into escalation.feed (type, at, data) select 'complaint.opened', now(), "
            await conn.execute(text(f"{many} jsonb_build_object('n', repeat('x', 60000)) from generate_series(1, 400)"))
        n = 0
        while served.hub.watchers:
            n += 1
            await fill(served.world, n, 1)
            await number(served.world)
            served.bell.ring()
    writer.close()


async def test_many_watchers_cost_one_reading(escalation: World, hub: tuple[Hub, Bell]) -> None:
    streams = [hub[0].watch(0, Filters(), heartbeat=60) for _ in range(500)]
    waiting = [asyncio.create_task(take(stream, 2)) for stream in streams]
    async with asyncio.timeout(60):
        while hub[0].watchers < 500:
            await asyncio.wait(waiting, timeout=0.01)
        await fill(escalation, 1, 2)
        await number(escalation)
        hub[1].ring()
        assert [await one for one in waiting] == [[1, 2]] * 500
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


async def test_promises_about_a_complaint_carry_its_facts(escalation: World) -> None:
    from services.escalation.domain.acts import PromiseGiven
    from tests.service.escalation_world import promised

    await escalation.tell(opened(contact(), region="north"), owned())
    await escalation.act("c-1", PromiseGiven("vp", "c-1", "k-1", promised()))
    await escalation.pass_time(timedelta(days=181))
    kept = (await escalation.feed())[-1]
    assert (kept["type"], kept["level"], kept["owner_id"], kept["region"]) == ("promise.kept", 2, "agent-7", "north")
