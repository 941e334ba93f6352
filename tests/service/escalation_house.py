"""Fixtures of escalation's stories: a database of its own in a real PostgreSQL, and its HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest
import uvicorn
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.api import Desk, routes
from services.escalation.feed import Hub
from services.escalation.store import metadata
from shared.auth import KeyRing, StoredKey, mint
from shared.db import make_engine
from shared.http import create_app
from shared.outbox import Bell
from shared.policy import Policies
from tests.service.escalation_world import World, policy

SCOPES = ("agent", "supervisor", "executive", "integration", "intake")


@pytest.fixture(scope="session")
def escalation_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL: the one that is given, else one of our own."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    from deploy.local.parts import start_postgres

    with start_postgres(tmp_path_factory.mktemp("postgres")) as postgres:
        yield postgres.url


@pytest.fixture(scope="session")
async def escalation_engine(escalation_server: str) -> AsyncIterator[AsyncEngine]:
    """Escalation's tables, in a database of our own."""
    name = f"escalation_{os.getpid()}"
    conn = await asyncpg.connect(escalation_server)
    await conn.execute(f"drop database if exists {name} with (force)")
    await conn.execute(f"create database {name}")
    engine = make_engine(escalation_server.rpartition("/")[0] + f"/{name}")
    async with engine.begin() as made:
        await made.execute(text("create schema escalation"))
        await made.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()
    await conn.execute(f"drop database if exists {name} with (force)")
    await conn.close()


@pytest.fixture
async def escalation(escalation_engine: AsyncEngine) -> World:
    """An empty world on a Monday morning."""
    names = ", ".join(f"escalation.{table.name}" for table in metadata.tables.values())
    async with escalation_engine.begin() as conn:
        await conn.execute(text(f"truncate {names} restart identity"))
    return World(escalation_engine, Policies.single(policy()))


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
