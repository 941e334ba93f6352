"""Intake as tests meet it: through its HTTP doors, with a clock that they move, on a real database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake import verify
from services.intake.api import Desk, HookDoor, routers
from services.intake.api.bodies import CONTACT
from services.intake.api.reception import read_contact
from services.intake.domain import Erase
from services.intake.handlers import on_contact, on_erase
from services.intake.hooks.receiving import Shelf
from services.intake.hooks.switchboard import Switchboard
from services.intake.listening import Ears
from services.intake.store import Book, IntakeStore
from services.intake.store.tables import events
from shared.auth import KeyRing, StoredKey, mint, service_token
from shared.clock import ManualClock
from shared.db import make_engine
from shared.group import GroupCommit
from shared.http import as_served, create_app
from shared.policy import Policies, Policy, load_policy
from shared.work import Corridor, Input

SECRET = "a secret of forty characters, no less: ok"
_POLICY = Path(__file__).parents[2] / "deploy" / "policy.example.yaml"
_number = count(1)


def contact(event_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """A contact as a tool posts it."""
    body: dict[str, Any] = {
        "source": "desk",
        "source_event_id": event_id or f"e-{next(_number)}",
        "occurred_at": "2026-03-02T09:00:00Z",
        "channel": "email",
        "customer": {"id": "c-1"},
        "text": "My router drops the line every evening.",
    }
    return {name: value for name, value in {**body, **fields}.items() if value is not ...}


@dataclass
class World:
    """Intake with keys of every scope."""

    engine: AsyncEngine
    clock: ManualClock
    corridor: Corridor[Book]
    client: httpx.AsyncClient
    keys: dict[str, str]
    switchboard: Switchboard

    async def ask(self, method: str, path: str, scope: str = "intake", **more: Any) -> httpx.Response:
        """Any request."""
        headers = {"authorization": f"Bearer {self.keys[scope]}"} | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def post(self, body: Any, key: str | None = None) -> httpx.Response:
        """Posts one contact."""
        headers = {"idempotency-key": key} if key else {}
        return await self.ask("POST", "/v1/contacts", json=body, headers=headers)

    async def take(self, **fields: Any) -> dict[str, Any]:
        """Posts a contact that is new; answers what was answered."""
        answer = await self.post(contact(**fields))
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def respond(self, contact_id: str, event_id: str, responder: Any, **fields: Any) -> httpx.Response:
        """A human answers."""
        body = {
            "responder": {"id": responder} if isinstance(responder, str) else responder,
            "occurred_at": "2026-03-02T09:30:00Z",
            "source_event_id": event_id,
            **fields,
        }
        return await self.ask("POST", f"/v1/contacts/{contact_id}/responses", json=body)

    async def get(self, path: str, scope: str = "agent", **params: Any) -> Any:
        """Reads something that is there."""
        answer = await self.ask("GET", path, scope, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def told(self, customer_id: str = "c-1") -> list[tuple[str, dict[str, Any]]]:
        """What intake announced about a customer: (name, data), in order."""
        statement = select(events.c.type, events.c.data).where(events.c.customer_id == customer_id)
        async with self.engine.connect() as conn:
            rows = (await conn.execute(statement.order_by(events.c.position))).all()
        return [(row.type.split(".", 1)[1].removesuffix(".v1"), orjson.loads(row.data)) for row in rows]

    def reads(self, body: dict[str, Any]) -> Input[Book]:
        """A contact as an input."""
        store = self.corridor.store
        assert isinstance(store, IntakeStore)
        new = read_contact(CONTACT.validate_python(body), store.ears)
        return Input(new.customer_id, new, on_contact)

    def erases(self, customer_id: str) -> Input[Book]:
        """An erasure as an input."""
        return Input(customer_id, Erase(customer_id), on_erase)

    async def names(self, customer_id: str = "c-1") -> list[str]:
        """The names of what was announced about a customer."""
        return [name for name, _ in await self.told(customer_id)]

    async def findings(self) -> list[str]:
        """What `verify` finds wrong."""
        async with self.engine.connect() as conn:
            return [finding async for finding in verify.findings(conn)]


def example_policy() -> Policy:
    """The policy that comes with the product."""
    return load_policy(_POLICY)


@asynccontextmanager
async def world_at(
    url: str, policy: Policy | None = None, *, tolerance: timedelta | None = None
) -> AsyncIterator[World]:
    """Intake on the migrated, empty database at `url`."""
    engine = make_engine(url, size=12, name=f"test-{os.getpid()}")
    clock = ManualClock()
    ears = Ears(Policies.single(policy or example_policy()))
    corridor: Corridor[Book] = Corridor("intake", engine, clock, IntakeStore(ears))
    desk = Desk(engine, corridor, GroupCommit(corridor), clock, ears)
    switchboard = Switchboard(engine, clock, SECRET, tolerance)
    door = HookDoor(
        switchboard, GroupCommit(cast(Any, Shelf(engine)), whose=itemgetter("identity")), clock, "http://test"
    )
    app = create_app(title="intake", version="1", routers=routers(desk, door), ready=list)
    stored: dict[str, StoredKey] = {}
    keys = {"service": service_token(SECRET, "escalation", clock.now())}
    for scope in ("intake", "agent", "supervisor", "executive", "integration", "admin"):
        made = mint()
        stored[made.id] = StoredKey(made.id, f"key of {scope}", frozenset({scope}), made.digest)
        keys[scope] = made.key

    async def fetch(key_id: str) -> StoredKey | None:
        return stored.get(key_id)

    app.state.keyring = KeyRing(fetch, clock, secret_key=SECRET)
    transport = httpx.ASGITransport(app=as_served(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield World(engine, clock, corridor, client, keys, switchboard)
    await engine.dispose()
