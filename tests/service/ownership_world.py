"""A small world around ownership for stories: its real API and corridor on a real PostgreSQL, and a clock to move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ownership import verify
from services.ownership.api import Desk, Pages, routers
from services.ownership.handlers import EVENTS, due_input
from services.ownership.store import Book, OwnershipStore, metadata
from services.ownership.store.reading import short_type
from services.ownership.store.tables import events
from shared.auth import KeyRing, StoredKey, mint
from shared.clock import ManualClock
from shared.contracts.envelope import Envelope, Event, dump, full_type, new_id
from shared.contracts.intake import (
    ContactCaptured,
    ContactResponded,
    CustomerErased,
    DepartureVerdict,
    RepeatVerdict,
    Verdict,
)
from shared.db import make_engine
from shared.http import create_app
from shared.policy import Policies, Policy, load_policy
from shared.work import Corridor, Failed, Input

#: Monday, when the default region opens
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = """
version: "test-1"
regions:
  default:  {time_zone: UTC, hours: {mon-fri: ["09:00-18:00"]}, holidays: null}
  zhejiang: {time_zone: Asia/Shanghai, hours: {mon-fri: ["09:00-12:00", "13:30-18:00"]}, holidays: CN}
  uk: {time_zone: Europe/London, hours: {mon-fri: ["09:00-17:00"]}, holidays: GB-ENG}
tiers: [gold, silver, standard]
causes:
  - {code: router-drops, product: fibre-1g, need: must_have, words: {en: [router, drops], zh: [路由器, 断线]}}
  - {code: billing-error, need: must_have, words: {en: [invoice], zh: [账单]}}
clocks:
  - {kind: claim, within: 15m, hours: business}
  - {kind: acknowledgement, within: 1h, hours: business}
  - {kind: first_response, when: {tier: gold}, within: 1h, hours: calendar, warn_at: [50, 75, 90]}
  - {kind: first_response, within: 4h, hours: business}
  - {kind: next_update, within: 1d, hours: business}
  - {kind: final_answer, within: 5d, hours: business}
  - {kind: "FCA DISP 1.6.2", when: {region: uk}, within: 8w, hours: calendar}
confirmation: {remind_after: [3d, 7d], silent_after: 14d}
reopen_within: 90d
repeat_within: 90d
accept_late: 1d
executives:
  - {id: ceo, name: Ana Ruiz, email: ceo@example.com, role: chief_executive, time_zone: Europe/Madrid}
"""
SECRET = "a secret of at least 32 characters, for tests"
#: what agent-1 answers the customer
ANSWER = {"agent_id": "agent-1", "text": "We laid a new line.", "outcome": "upheld", "reasons": "fault found"}


def captured(
    customer_id: str = "c-1",
    *,
    at: datetime,
    complaint: bool | None = True,
    threat: str | None = None,
    **fields: Any,
) -> ContactCaptured:
    """A contact as intake tells of it; a phone call about a router unless said otherwise."""
    tiers = {"certain": True, "likely": True, "possible": None, None: False}
    contact_id = fields.pop("contact_id", None) or new_id()
    told = {
        "contact_id": contact_id,
        "source": "test",
        "source_event_id": contact_id,
        "occurred_at": at,
        "received_at": at,
        "channel": "email",
        "cause": "router-drops",
        "product": "fibre-1g",
        "tier": "gold",
        "signals_version": "1",
        **fields,
    }
    return ContactCaptured(
        customer_id=customer_id,
        complaint=Verdict(value=complaint, score=1.0),
        departure_threat=DepartureVerdict.model_validate({"value": tiers[threat], "score": 1.0, "tier": threat}),
        repeat=RepeatVerdict(value=None, score=0.0),
        **told,
    )


def enveloped(event: Event, at: datetime) -> Envelope:
    """The envelope in which intake would send it."""
    return Envelope(
        id=new_id(),
        source="urn:complaint-loop:intake",
        type=full_type(type(event)),
        time=at,
        subject=event.subject_id,
        customer_id=event.customer_id,
        sequence=1,
        correlation_id=new_id(),
        causation_id=None,
        data=dump(event),
    )


@dataclass
class World:
    """What a story acts on and looks at."""

    engine: AsyncEngine
    clock: ManualClock
    corridor: Corridor[Book]
    client: httpx.AsyncClient
    keys: dict[str, str]
    policies: Policies
    delivered: list[Envelope] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def deliver(self, *told: Event | Envelope) -> list[Any]:
        """Events arrive, as one set."""
        inputs = []
        for one in told:
            envelope = one if isinstance(one, Envelope) else enveloped(one, self.now)
            contract, handler = EVENTS[envelope.type]
            event = contract.model_validate_json(envelope.data)
            inputs.append(Input(event.customer_id, event, handler, envelope=envelope))
            self.delivered.append(envelope)
        results = await self.corridor.take(inputs)
        for result in results:
            if isinstance(result, Failed):
                raise result.error
        return results

    async def contact(self, customer_id: str = "c-1", **fields: Any) -> ContactCaptured:
        """A customer says something, now unless `at` says otherwise."""
        at = fields.pop("at", self.now)
        contact = captured(customer_id, at=at, **fields)
        await self.deliver(contact)
        return contact

    async def response(self, contact: ContactCaptured, responder: str, *, at: datetime | None = None) -> None:
        """A human answers in the conversation of a contact."""
        said_at = at or self.now
        await self.deliver(
            ContactResponded(
                customer_id=contact.customer_id,
                contact_id=contact.contact_id,
                response_id=new_id(),
                responder_id=responder,
                occurred_at=said_at,
                received_at=max(said_at, contact.received_at),
                conversation_id=contact.conversation_id,
                first=True,
            )
        )

    async def erase(self, customer_id: str) -> None:
        """The customer is erased."""
        await self.deliver(CustomerErased(customer_id=customer_id, erased_at=self.now))

    async def pass_time(self, step: timedelta | float) -> int:
        """Time goes by in one jump, and what has come due is worked through."""
        self.clock.advance(step)
        return await self.sweep()

    async def sweep(self) -> int:
        """Works through all that is due."""
        done = 0
        while found := await self.corridor.sweep(due_input):
            done += found
        return done

    async def post(self, path: str, body: Any, scope: str = "agent", key: str | None = None) -> httpx.Response:
        """Asks for an act."""
        headers = {"authorization": f"Bearer {self.keys[scope]}"} | ({"idempotency-key": key} if key else {})
        return await self.client.post(f"/v1/complaints/{path}", json=body, headers=headers)

    async def put_agent(self, agent_id: str, **told: Any) -> dict[str, Any]:
        """Something is said of somebody, and what follows from it is done."""
        answer = await self.say_of(agent_id, told)
        assert answer.status_code == 200, answer.text
        await self.sweep()
        return dict(answer.json())

    async def say_of(self, agent_id: str, told: Any, scope: str = "supervisor") -> httpx.Response:
        """Asks for something to be said of somebody."""
        headers = {"authorization": f"Bearer {self.keys[scope]}"}
        return await self.client.put(f"/v1/agents/{agent_id}", json=told, headers=headers)

    async def get(self, path: str, scope: str = "agent", **params: Any) -> Any:
        """Reads something; it must be there."""
        answer = await self.ask(path, scope, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, path: str, scope: str = "agent", **params: Any) -> httpx.Response:
        """Reads something."""
        return await self.client.get(path, params=params, headers={"authorization": f"Bearer {self.keys[scope]}"})

    async def complaints(self, customer_id: str = "c-1") -> list[dict[str, Any]]:
        """A customer's complaints, oldest first."""
        listed = await self.get("/v1/complaints", customer_id=customer_id)
        return list(reversed(listed["items"]))

    async def complaint(self, customer_id: str = "c-1") -> dict[str, Any]:
        """A customer's only complaint."""
        (one,) = await self.complaints(customer_id)
        return one

    async def told(self, customer_id: str = "c-1", after: int = 0) -> list[str]:
        """What ownership announced about a customer, in order."""
        statement = (
            select(events.c.type).where(events.c.customer_id == customer_id).order_by(events.c.position).offset(after)
        )
        async with self.engine.connect() as conn:
            return [short_type(name).removeprefix("complaint.") for name in (await conn.execute(statement)).scalars()]

    async def note(self, kind: str, customer_id: str = "c-1") -> dict[str, Any]:
        """The timeline's latest item of a kind."""
        complaint = await self.complaint(customer_id)
        items = (await self.get(f"/v1/complaints/{complaint['id']}/timeline", limit="200"))["items"]
        return next(item for item in reversed(items) if item["type"] == f"complaint.{kind}")

    async def findings(self) -> list[str]:
        """What `verify` finds wrong."""
        async with self.engine.connect() as conn:
            return [finding async for finding in verify.findings(conn)]


def clock_of(complaint: dict[str, Any], kind: str, cycle: int | None = None) -> dict[str, Any]:
    """The latest run of a clock."""
    return next(
        c for c in reversed(complaint["clocks"]) if c["kind"] == kind and (cycle is None or c["cycle"] == cycle)
    )


@asynccontextmanager
async def world_at(url: str, policy: Policy, start: datetime) -> AsyncIterator[World]:
    """An empty world in the database at `url`."""
    engine = make_engine(url)
    async with engine.begin() as conn:
        await conn.execute(text("truncate " + ", ".join(table.fullname for table in metadata.sorted_tables)))
    clock = ManualClock(start)
    policies = Policies.single(policy)
    corridor: Corridor[Book] = Corridor("ownership", engine, clock, OwnershipStore(policies))
    desk = Desk(engine, corridor, clock, Pages("http://test", SECRET, policies))
    app = create_app(title="ownership", version="1", routers=routers(desk), ready=list)
    stored: dict[str, StoredKey] = {}
    keys: dict[str, str] = {}
    for scope in ("agent", "supervisor", "intake", "executive", "admin"):
        made = mint()
        stored[made.id] = StoredKey(made.id, f"key of {scope}", frozenset({scope}), made.digest)
        keys[scope] = made.key

    async def fetch(key_id: str) -> StoredKey | None:
        return stored.get(key_id)

    app.state.keyring = KeyRing(fetch, clock, secret_key=SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield World(engine, clock, corridor, client, keys, policies)
    await engine.dispose()


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The policy of these stories."""
    path: Path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return load_policy(path)


@pytest.fixture(scope="session")
async def database(postgres_server: str, template: str) -> AsyncIterator[str]:
    """A migrated database of our own; every world empties it."""
    name = f"{template}_ownership"
    conn = await asyncpg.connect(postgres_server)
    await conn.execute(f"drop database if exists {name} with (force)")
    await conn.execute(f"create database {name} template {template}")
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    await conn.execute(f"drop database if exists {name} with (force)")
    await conn.close()


@pytest.fixture
async def world(database: str, policy: Policy) -> AsyncIterator[World]:
    """An empty world on a Monday morning."""
    async with world_at(database, policy, MONDAY) as made:
        yield made


@pytest.fixture
async def owned(world: World) -> dict[str, Any]:
    """A complaint of agent-1, told by mail."""
    await world.contact(responder_id="agent-1", conversation_id="v-1")
    return await world.complaint()
