"""An endpoint on this machine that answers as a story has it answer, and intake that asks it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.intake.opinion.adviser import Adviser
from services.intake.opinion.doubts import HalfHeard
from services.intake.opinion.seeking import SecondOpinions
from services.intake.store import IntakeStore, opinions
from shared.settings import Base
from tests.service.intake_world import SECRET, World, world_at

#: a threat that is half heard, and what is quoted of it
THREAT = "Considering other options at this point."
KEY = "sk-not-to-be-told"


def saying(**said: Any) -> bytes:
    """A completion whose answer says this."""
    whole = {"complaint": None, "departure_threat": None, "quote": None, "cause": None} | said
    return completed(json.dumps(whole))


def completed(content: str, **more: Any) -> bytes:
    """A completion with these words."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"} | more
    return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode()


@dataclass
class Endpoint:
    """Answers every request with `body`; `hold` is how long it waits in the middle of it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    hold: float = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def message(self, number: int = -1) -> str:
        """The text that it was asked about."""
        return str(json.loads(self.asked[number]["messages"][1]["content"])["message"])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Endpoint]:
        """Listens on a port of its own."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield self
        server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            body = await reader.readexactly(int(length.split(b":")[1]))
            self.raw.append(head + body)
            self.asked.append(json.loads(body))
            self.came.set()
            headers = {"content-length": str(len(self.body)), "connection": "close"} | dict(self.headers)
            lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
            writer.write("\r\n".join(lines).encode() + self.body[:5])
            await writer.drain()
            if self.hold:
                await asyncio.sleep(self.hold)
            writer.write(self.body[5:])
            await writer.drain()
        writer.close()


@dataclass
class Asking:
    """Intake with somebody to ask."""

    world: World
    endpoint: Endpoint
    loop: SecondOpinions

    def wants_all(self) -> None:
        """From now on everything is worth asking about."""
        store = self.world.corridor.store
        assert isinstance(store, IntakeStore)
        store.ears.doubts = lambda new, signals, now: True

    async def ask(self) -> int:
        """Asks about whatever is due."""
        async with self.world.engine.connect() as conn:
            return await self.loop.run_once(conn)

    async def later(self, **span: float) -> int:
        """Time passes, and what is due is asked about."""
        self.world.clock.advance(timedelta(**span).total_seconds())
        return await self.ask()

    async def counted(self) -> dict[str, int]:
        """What was counted today, without what is nought and what depends on the length of the question."""
        async with self.world.engine.connect() as conn:
            row = next(iter(await opinions.days(conn, 1)), None)
        found = {} if row is None else dict(row._mapping)
        return {name: number for name, number in found.items() if number and name not in ("day", "characters")}

    async def signals(self, contact_id: str) -> dict[str, Any]:
        """What is shown of a contact."""
        return dict((await self.world.get(f"/v1/contacts/{contact_id}"))["signals"])


def settings(url: str, **more: Any) -> Base:
    """Settings with an endpoint."""
    given: dict[str, Any] = {"opinion_url": url, "opinion_model": "small-1", "opinion_key": KEY, "opinion_seconds": 5}
    return Base(
        database_url="postgresql://unused", kafka_bootstrap_servers="unused", secret_key=SECRET, **(given | more)
    )


@asynccontextmanager
async def asking_at(database_url: str, **more: Any) -> AsyncIterator[Asking]:
    """Intake and the endpoint, which agrees that nothing is the matter."""
    endpoint = Endpoint(body=saying(complaint=False, departure_threat=False))
    async with endpoint.listening(), world_at(database_url) as world:
        store = world.corridor.store
        assert isinstance(store, IntakeStore)
        store.ears.doubts = HalfHeard(store.ears.policies)
        given = settings(endpoint.url, **more)
        adviser = Adviser(given)
        loop = SecondOpinions(world.corridor, world.clock, store.ears.policies, adviser, given)
        yield Asking(world, endpoint, loop)
        await adviser.stop()
