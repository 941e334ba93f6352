"""Tools as tests play them: deliveries signed and posted to the door, then understood and put in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import orjson
from sqlalchemy import select

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Endpoint
from services.intake.hooks.ordering import QUIET, Ordering
from services.intake.hooks.switchboard import sealed_row
from services.intake.hooks.understanding import Understanding
from services.intake.store import IntakeStore, deliveries
from services.intake.store.hooks import deliveries as deliveries_table
from services.intake.store.tables import parked
from tests.service.intake_world import SECRET, World, world_at

HOOK_SECRET = "c2VjcmV0LW9mLXRoZS10b29s"


@dataclass
class Tools:
    """All tools, each with an endpoint `main`."""

    world: World
    understanding: Understanding
    ordering: Ordering

    async def add(self, tool: str, endpoint: str = "main", secret: str = HOOK_SECRET, **more: Any) -> Endpoint:
        """Configures an endpoint, as `hooks add` does."""
        new = Endpoint(tool, endpoint, secret, more.get("url"), more.get("options", {}))
        async with self.world.engine.begin() as conn:
            await deliveries.set_endpoint(conn, sealed_row(new, SECRET), self.world.clock.now())
        self.world.clock.advance(1)
        return new

    async def deliver(
        self,
        tool: str,
        body: Any,
        *,
        endpoint: str = "main",
        secret: str = HOOK_SECRET,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        signed: bool = True,
    ) -> httpx.Response:
        """Posts what the tool would post, signed as it would sign."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        adapter = TOOLS[tool]
        path = f"/v1/hooks/{tool}/{endpoint}"
        signing: dict[str, str] = {}
        if signed:
            where = Endpoint(tool, endpoint, secret, f"http://test{path}")
            signing = dict(adapter.sign(raw, where, self.world.clock.now()))
        query = signing.pop("?", query)
        return await self.world.client.post(
            f"{path}?{query}" if query else path,
            content=raw,
            headers={"content-type": adapter.probe_type, **signing, **(headers or {})},
        )

    async def settle(self, quiet: timedelta = QUIET) -> None:
        """Lets everything follow that follows once nothing has come for a moment."""
        async with self.world.engine.connect() as conn:
            while await self.understanding.run_once(conn):
                pass
            self.world.clock.advance(quiet)
            while await self.ordering.run_once(conn):
                pass

    async def send(self, tool: str, *bodies: Any, **more: Any) -> None:
        """Delivers, each taken with a 2xx, and lets it settle."""
        for body in bodies:
            answer = await self.deliver(tool, body, **more)
            assert answer.is_success, answer.text
        await self.settle()

    async def contacts(self, **which: str) -> list[dict[str, Any]]:
        """Contacts in the order in which they occurred."""
        items = (await self.world.get("/v1/contacts", **which))["items"]
        return sorted(items, key=lambda one: (one["occurred_at"], one["contact_id"]))

    async def one(self, **which: str) -> dict[str, Any]:
        """The only contact."""
        (found,) = await self.contacts(**which)
        return found

    async def fates(self) -> list[tuple[str, str | None]]:
        """What has become of the deliveries, in order: (state, why)."""
        c = deliveries_table.c
        async with self.world.engine.connect() as conn:
            rows = await conn.execute(select(c.state, c.why).order_by(c.position))
            return [(row.state, row.why) for row in rows]

    async def parked(self) -> list[Any]:
        """What is in quarantine."""
        async with self.world.engine.connect() as conn:
            return list((await conn.execute(select(parked).order_by(parked.c.id))).all())


@asynccontextmanager
async def tools_at(url: str, tolerance: timedelta | None = None) -> AsyncIterator[Tools]:
    """Intake with its hooks on the migrated, empty database at `url`."""
    async with world_at(url, tolerance=tolerance) as world:
        store = world.corridor.store
        assert isinstance(store, IntakeStore)
        understanding = Understanding(world.clock, world.switchboard)
        yield Tools(world, understanding, Ordering(world.corridor, world.clock, store.ears))
