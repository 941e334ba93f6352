"""The feed's stream across the death of the API: joined again with Last-Event-ID, no gap and no repeat."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx

from tests.outage.load import Load
from tests.outage.system import System, until


class Follower:
    """A supervisor's screen: reads the stream, and joins again where it broke off."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.positions: list[int] = []
        self.joined = 0

    async def follow(self) -> None:
        """Reads until it is cancelled."""
        async with self._system.client("supervisor") as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await self._read(client)
                await asyncio.sleep(0.05)  # as a browser waits before it comes back

    async def _read(self, client: httpx.AsyncClient) -> None:
        last = {"Last-Event-ID": str(self.positions[-1])} if self.positions else {}
        async with client.stream("GET", "/v1/feed/stream?after=0", headers=last) as answer:
            if answer.status_code != 200:
                return
            self.joined += 1
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    self.positions.append(int(line.removeprefix("id: ")))


async def test_the_stream_goes_on_where_it_ended_although_the_api_dies(system: System) -> None:
    load, follower = Load(system), Follower(system)
    following = asyncio.create_task(follower.follow())
    try:
        async with load.running():
            for how in ("kill", "ask_to_stop"):
                api, seen, joined = system.running["api"], len(follower.positions), follower.joined
                await until(lambda n=seen: len(follower.positions) > n + 20, "items on the stream")  # type: ignore[misc]
                getattr(api, how)()
                await until(lambda one=api: one.ended is not None, "the end of the API")  # type: ignore[misc]
                system.spawn("api", "api")
                await until(lambda n=joined: follower.joined > n, "the stream to be joined again")  # type: ignore[misc]
                await load.count(30)
        await system.settled()
        told = await _all_items(system)
        await until(lambda: len(follower.positions) >= len(told), "the end of the feed")
    finally:
        following.cancel()
    assert follower.positions == [item["position"] for item in told]
    assert follower.positions == list(range(1, len(told) + 1))


async def _all_items(system: System) -> list[dict[str, Any]]:
    """The feed page by page, once every item has its position."""
    unnumbered = "select 1 from escalation.feed where position is null limit 1"

    async def numbered() -> bool:
        return not await system.rows(unnumbered)

    await until(numbered, "a position for every item")
    items: list[dict[str, Any]] = []
    async with system.client("supervisor") as client:
        while True:
            after = items[-1]["position"] if items else 0
            page = (await client.get("/v1/feed", params={"after": after, "limit": 200})).json()["items"]
            if not page:
                return items
            items += page
