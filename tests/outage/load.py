"""Load as tools make it: posters who repeat what was not acknowledged, and keep account of every answer."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.beside import beside
from tests.outage.system import System, until

#: contacts of one customer, all about one thing: one complaint, whoever of the three is handled first
_EACH = 3
#: every so manieth customer threatens to leave: one escalation each
_THREATENING = 6
_runs = itertools.count(1)


class Load:
    """A few posters. What they were told is in `acknowledged`, `answers` and `wrong`."""

    def __init__(self, system: System, urls: Sequence[str] = (), *, posters: int = 4, most: int = 20_000) -> None:
        self.name = f"load{next(_runs)}"
        self._system, self.urls, self._posters, self._most = system, list(urls or [system.url]), posters, most
        self._numbers = iter(range(most))
        self._ending = asyncio.Event()
        self.acknowledged: dict[str, str] = {}
        self.answers: Counter[int] = Counter()
        self.broken = 0
        self.wrong: list[str] = []

    def contact(self, number: int) -> dict[str, Any]:
        """The contact of this number, the same whenever it is asked for."""
        customer = number // _EACH
        return {
            "source": self.name,
            "source_event_id": str(number),
            "occurred_at": datetime.now(UTC).isoformat(),
            "channel": "phone",
            "customer": {"id": f"{self.name}-{customer}", "name": "A customer", "email": f"c{customer}@example.com"},
            "responder": {"id": f"agent-{number % 7}", "name": f"Agent {number % 7}"},
            "text": "My router drops every evening.",
            "cause": "router-drops",
            "complaint": True,
            "departure_threat": customer % _THREATENING == 0,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """Posts until the block ends, then until everything that was begun is acknowledged."""
        async with beside() as start:
            for _ in range(self._posters):
                start(self._post())
            try:
                yield self
            finally:
                self._ending.set()
        assert not self.wrong, self.wrong[:5]

    async def _post(self) -> None:
        async with self._system.client("intake") as client:
            for number in self._numbers:
                await self._until_acknowledged(client, self.contact(number))
                if self._ending.is_set():
                    return
                await asyncio.sleep(0.05)  # a pace that leaves the machine to others

    async def _until_acknowledged(self, client: httpx.AsyncClient, contact: dict[str, Any]) -> None:
        for attempt in itertools.count():
            url = self.urls[(int(contact["source_event_id"]) + attempt) % len(self.urls)]
            try:
                answer = await client.post(f"{url}/v1/contacts", json=contact)
            except httpx.TransportError:
                self.broken += 1
            else:
                self.answers[answer.status_code] += 1
                if answer.status_code in (200, 202):
                    self.acknowledged[contact["source_event_id"]] = answer.json()["contact_id"]
                    return
                self._judge(answer)
            await asyncio.sleep(0.1)  # as a tool waits before it tries again

    def _judge(self, answer: httpx.Response) -> None:
        kind = answer.headers.get("content-type")
        if answer.status_code != 503 or kind != "application/problem+json" or "retry-after" not in answer.headers:
            self.wrong.append(f"{answer.status_code} {kind} {answer.text[:200]}")

    async def count(self, more: int) -> int:
        """Waits until so many more contacts are acknowledged, or all there will be."""
        goal = min(self._most, len(self.acknowledged) + more)
        await until(lambda: len(self.acknowledged) >= goal, f"{more} more acknowledged contacts")
        return len(self.acknowledged)


async def kept_once(system: System, load: Load) -> None:
    """Every acknowledged contact is there once; every customer has one complaint with one owner; every threat one
    escalation, which one mail was ordered for."""
    ids = sorted(load.acknowledged.values())
    assert len(set(ids)) == len(ids)
    kept = await system.rows("select source_event_id, id::text from intake.contacts where source = $1", load.name)
    assert {row["source_event_id"]: row["id"] for row in kept} == load.acknowledged
    customers = {f"{load.name}-{int(number) // _EACH}" for number in load.acknowledged}

    async def theirs(query: str) -> list[Any]:
        return await system.rows(f"{query} and customer_id like $1", f"{load.name}-%")

    complaints = await theirs("select customer_id, owner_id from ownership.complaints where true")
    assert sorted(row["customer_id"] for row in complaints) == sorted(customers)
    assert all(row["owner_id"] for row in complaints)
    threats = sorted(one for one in customers if int(one.rpartition("-")[2]) % _THREATENING == 0)
    escalated = await theirs("select customer_id from escalation.escalations where true")
    assert sorted(row["customer_id"] for row in escalated) == threats
    mails = await theirs("select id, customer_id from escalation.mails where kind = 'ask' and state = 'accepted'")
    assert sorted(row["customer_id"] for row in mails) == threats
    taken = {name.strip("<>").partition("@")[0] for name in system.mail.taken}
    assert {row["id"] for row in mails} <= taken
