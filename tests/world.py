"""All three services in one process, as they are wired for production, on real parts, with a clock that tests move.

A story posts over HTTP, opens the links of mails and lets time pass; `told` and `mailed` answer what came of it since
they were asked last, so that a test can say: exactly this, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation import handlers as escalation_handlers
from services.intake import handlers as intake_handlers
from services.ownership import handlers as ownership_handlers
from shared.assembly import Assembly, application
from shared.auth import KeyRing, StoredKey, mint
from shared.balance import balanced
from shared.clock import ManualClock
from shared.contracts.registry import SERVICES
from shared.http import as_served
from shared.kafka import Connection
from shared.policy import Policies, Policy
from shared.runner import Loop
from tests.given import contact
from tests.service.mail_house import MailServer, text_of

SECRET = "a secret of at least thirty-two characters"
_PARTS = frozenset({"relay", "consumer", "timers", "mail", "feed", "hooks"})
#: what each service's consumer reads, and the types that it takes
READS: Mapping[str, tuple[tuple[str, ...], list[str]]] = {
    "intake": (("ownership",), sorted(intake_handlers.REGISTRY)),
    "ownership": (("intake", "escalation"), sorted(ownership_handlers.EVENTS)),
    "escalation": (("intake", "ownership"), sorted(escalation_handlers.REGISTRY)),
}
_WAITING = " + ".join(f"(select count(*) from {name}.unsent)" for name in SERVICES)
_UNREAD = """
    select count(*) from {source}.events e
    where e.type = any(:types)
      and not exists (select from {reader}.inbox i where i.event_id = cast(e.event_id as text))
"""


@dataclass
class World:
    """What a story acts on and looks at."""

    engine: AsyncEngine
    clock: ManualClock
    connection: Connection
    url: str
    keys: dict[str, str]
    mail: MailServer
    loops: dict[str, Loop]
    _seen: dict[str, int] = field(default_factory=dict)
    _read: int = 0

    # what people do

    async def ask(self, method: str, path: str, scope: str | None = None, **more: Any) -> httpx.Response:
        """A request, as somebody with a key of this scope or, without, as anybody with a link."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20) as client:
            return await client.request(method, path.removeprefix(self.url), **more)

    async def post(self, scope: str, path: str, body: Any) -> Any:
        """Something that is taken."""
        answer = await self.ask("POST", path, scope, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def get(self, path: str, scope: str = "supervisor", **params: Any) -> Any:
        """Something that is there."""
        answer = await self.ask("GET", path, scope, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def contact(self, customer: str, words: str, **more: Any) -> str:
        """A customer says something, now; answers the contact's id once everything has followed from it."""
        taken = await self.post("intake", "/v1/contacts", contact(customer, words, self.clock.now(), **more))
        await self.settle()
        return str(taken["contact_id"])

    async def complaint(self, customer: str) -> Any:
        """A customer's only complaint."""
        (one,) = (await self.get("/v1/complaints", customer_id=customer))["items"]
        return await self.get(f"/v1/complaints/{one['id']}")

    # what time does

    async def settle(self) -> None:
        """Lets everything follow that follows by now: events, deadlines, mails, positions of the feed."""
        quiet = 0
        while quiet < 2:  # what the last loop of a round did may be news to the first one
            quiet = 0 if await self._round() else quiet + 1

    async def learn(self) -> None:
        """What agents have corrected is heard by from now on, wherever contacts come in."""
        for name in ("intake.learning", "intake.learning of the API"):
            await self._work(name)

    async def pass_time(self, step: timedelta, *, by: timedelta | None = None) -> None:
        """Moves the clock, in one jump or in smaller ones; whatever comes due is done before the next one."""
        end = self.clock.now() + step
        while self.clock.now() < end:
            self.clock.move_to(min(end, self.clock.now() + (by or step)))
            await self.settle()

    async def _round(self) -> int:
        done = await self._work("intake.understanding") + await self._work("intake.ordering")
        for name in ("intake", "ownership", "escalation"):
            done += await self._work(f"{name}.relay")
            while name in READS and await self._unread(name):
                done += await self._work(f"{name}.consumer")
            done += await self._work(f"{name}.timers")
        for name in ("intake.opinions", "ownership.names", "escalation.mail", "escalation.feed"):
            done += await self._work(name)
        async with self.engine.connect() as conn:
            return done + int(await conn.scalar(text(f"select {_WAITING}")) or 0)

    async def _work(self, name: str) -> int:
        return int(await self.loops[name]._run_once()) if name in self.loops else 0

    async def _unread(self, reader: str) -> int:
        sources, types = READS[reader]
        sent = "and not exists (select from {source}.unsent u where u.position = e.position)"
        query = " union all ".join((_UNREAD + sent).format(source=source, reader=reader) for source in sources)
        async with self.engine.connect() as conn:
            return sum((await conn.execute(text(query), {"types": types})).scalars())

    # what came of it

    async def told(self) -> list[str]:
        """The names of the events since the last call: intake's, then ownership's, then escalation's, in order."""
        found = []
        for service in SERVICES:
            query = f"select position, type from {service}.events where position > :after order by position"
            async with self.engine.connect() as conn:
                for row in await conn.execute(text(query), {"after": self._seen.get(service, 0)}):
                    self._seen[service] = row.position
                    found.append(row.type.removeprefix("complaintloop.").removesuffix(".v1"))
        return found

    async def mailed(self) -> list[tuple[str, str]]:
        """(kind, address) of the mails that the mail server took since the last call."""
        new, self._read = self.mail.taken[self._read :], len(self.mail.taken)
        async with self.engine.connect() as conn:
            rows = await conn.execute(text("select id, kind from escalation.mails"))
            kinds = {row.id: row.kind for row in rows}
        return [(kinds[str(mail["Message-ID"]).strip("<>").partition("@")[0]], address) for address, mail in new]

    def last_mail(self, address: str) -> EmailMessage:
        """The latest mail to an address."""
        return self.mail.to(address)[-1]

    def link(self, address: str, page: str) -> str:
        """The link to a page (`e` or `c`) in the latest mail to an address."""
        found = re.search(rf"{re.escape(self.url)}(/{page}/\S+)", text_of(self.last_mail(address)))
        assert found, text_of(self.last_mail(address))
        return found[1]

    def code(self, address: str) -> str:
        """The code in the latest mail to an address."""
        found = re.search(r"^Code: (\S+)$", text_of(self.last_mail(address)), re.MULTILINE)
        assert found
        return found[1]

    async def findings(self) -> list[str]:
        """What is wrong: in the journals against the topics, and in the books of each service."""
        found: list[str] = []
        for service in SERVICES:
            async with self.engine.connect() as conn:
                found += (await balanced(conn, self.connection, service))[1]
                found += [one async for one in import_module(f"services.{service}.verify").findings(conn)]
        return found


def _assemble(
    settings: dict[str, Any], clock: ManualClock, policies: Policies, parts: frozenset[str]
) -> list[Assembly]:
    made = []
    for name in SERVICES:
        kind = import_module(f"services.{name}.settings").Settings
        made.append(import_module(f"services.{name}.__main__").assemble(kind(**settings), clock, policies, parts))
    return made


@asynccontextmanager
async def world_at(
    engine: AsyncEngine,
    database_url: str,
    connection: Connection,
    clock: ManualClock,
    policy: Policy,
    **more: Any,
) -> AsyncIterator[World]:
    """Everything on an empty database and on topics of its own, served on a port of its own."""
    mail, policies = MailServer(), Policies.single(policy)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()  # what is asked before the server has started waits for it
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        settings = {
            "database_url": database_url,
            "kafka_bootstrap_servers": connection.bootstrap_servers,
            "secret_key": SecretStr(SECRET),
            "public_url": url,
            "smtp_url": f"smtp://127.0.0.1:{mail.port}",
            "mail_from": "loop@company.example",
            "local_dir": Path("/nonexistent"),
            **more,
        }
        served = _assemble(settings, clock, policies, frozenset({"api"}))
        looping = _assemble(settings, clock, policies, _PARTS)
        stored: dict[str, StoredKey] = {}
        keys: dict[str, str] = {}
        for scope in ("intake", "agent", "supervisor", "executive"):
            made = mint()
            stored[made.id] = StoredKey(made.id, f"key of {scope}", frozenset({scope}), made.digest)
            keys[scope] = made.key

        async def fetch(key_id: str) -> StoredKey | None:
            return stored.get(key_id)

        ring = KeyRing(fetch, clock, secret_key=SECRET)
        first = import_module("services.intake.settings").Settings(**settings)
        server = uvicorn.Server(
            uvicorn.Config(as_served(application(served, ring, first)), log_level="error", ws="none")
        )
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(server.serve([sock]))
        loops = {loop.name: loop for one in looping for loop in one.loops}
        loops |= {f"{loop.name} of the API": loop for one in served for loop in one.loops}
        try:
            yield World(engine, clock, connection, url, keys, mail, loops)
        finally:
            server.should_exit = True
            await serving
            for one in (*looping, *served):
                for stop in one.on_stop:
                    await stop()
            mail.stop()
