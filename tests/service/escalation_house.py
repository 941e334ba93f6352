"""Fixtures of escalation's stories: the service on a real PostgreSQL, and its HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.api import Desk, routes
from services.escalation.feed import Hub
from services.escalation.store import metadata
from shared.auth import KeyRing, StoredKey, mint
from shared.clock import ManualClock
from shared.db import make_engine, sqlstate_of
from shared.http import create_app
from shared.outbox import Bell
from shared.policy import Policies
from tests.service.escalation_world import POLICY, World, policy

SCOPES = ("agent", "supervisor", "executive", "integration", "intake")


@pytest.fixture(scope="session")
async def escalation_engine(postgres_server: str, template: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database that all stories of escalation share, one after the other: making one takes a second."""
    name = f"{template}_escalation"
    conn = await asyncpg.connect(postgres_server)
    await conn.execute(f"create database {name} template {template}")
    engine = make_engine(postgres_server.rpartition("/")[0] + f"/{name}", size=12)
    yield engine
    await engine.dispose()
    await conn.execute(f"drop database if exists {name} with (force)")
    await conn.close()


async def emptied(engine: AsyncEngine, clock: ManualClock, text_of_policy: str = POLICY) -> World:
    """A world in which nothing has happened."""
    names = ", ".join(f"escalation.{table.name}" for table in metadata.tables.values())
    for left in (2, 1, 0):
        try:
            async with engine.begin() as conn:
                await conn.execute(text(f"truncate {names} restart identity"))
            break
        except DBAPIError as error:
            # a watcher of the story before may look for the last time, table by table in another order
            if sqlstate_of(error) != "40P01" or not left:
                raise
    return World(engine, Policies.single(policy(text_of_policy)), clock)


@pytest.fixture
async def escalation(escalation_engine: AsyncEngine, clock: ManualClock) -> World:
    """An empty world on a Monday morning."""
    return await emptied(escalation_engine, clock)


class Doors:
    """The service's HTTP: a client for each scope, and the hub behind the streams."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bell = Bell()
        self.hub = Hub(world.engine, self.bell, tick=0.1)
        desk = Desk(world.corridor, world.engine, world.policies, self.hub)
        self.app = create_app(title="escalation", version="1", routers=routes(desk), ready=list)
        stored: dict[str, StoredKey] = {}
        self.keys: dict[str, str] = {}
        for scope in SCOPES:
            made = mint()
            stored[made.id] = StoredKey(made.id, f"key of {scope}", frozenset({scope}), made.digest)
            self.keys[scope] = made.key

        async def fetch(key_id: str) -> StoredKey | None:
            return stored.get(key_id)

        self.app.state.keyring = KeyRing(fetch, world.clock, secret_key="s" * 40)
        self.base_url = "http://test"

    def client(self, scope: str) -> httpx.AsyncClient:
        """Somebody with a key of this scope, in this process."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://test", headers=headers)


@pytest.fixture
async def doors(escalation: World) -> Doors:
    """The routes in this process; streams need `served`."""
    return Doors(escalation)


@pytest.fixture
async def served(doors: Doors) -> AsyncIterator[Doors]:
    """The routes on a port of their own, with the hub running."""
    stopping = asyncio.Event()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        doors.base_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(doors.app, log_level="error", lifespan="off", ws="none"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        tasks = [asyncio.create_task(server.serve([sock])), asyncio.create_task(doors.hub.run(stopping))]
        yield doors
        stopping.set()
        server.should_exit = True
        await asyncio.gather(*tasks)
