"""Deliveries that tell an id alone: kept, completed by the tool's API when there is one to ask, patiently."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.intake.hooks.asking import AskingLoop
from services.intake.store import deliveries
from tests.service.hooks_world import Tools, tools_at

PREVIEW = {
    "type": "inbound_received",
    "payload": {
        "id": "evt_1",
        "type": "inbound",
        "conversation": {"id": "cnv_1", "subject": "Router"},
        "target": {"data": {"id": "msg_1"}},
    },
}
MESSAGE = {
    "id": "msg_1",
    "type": "email",
    "is_inbound": True,
    "created_at": 1772441000,
    "body": "<p>It drops</p>",
    "recipients": [{"handle": "ola@example.org", "role": "from"}],
}


@dataclass
class Front:
    """Front's API, as a test has it answer."""

    answer: Callable[[], httpx.Response] = field(default=lambda: httpx.Response(200, json=MESSAGE))
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer()


@dataclass
class Desk:
    """Front with its API, and the loop that asks it."""

    tools: Tools
    front: Front
    loop: AskingLoop

    async def preview(self, number: int = 1) -> None:
        """An event without its message, and a look at it."""
        payload: dict[str, Any] = {**PREVIEW["payload"], "id": f"evt_{number}"}  # type: ignore[dict-item]
        await self.tools.send("front", {**PREVIEW, "payload": payload})

    async def ask(self) -> None:
        """Asks for whatever is due."""
        async with self.tools.world.engine.connect() as conn:
            await self.loop.run_once(conn)
        await self.tools.settle()

    async def later(self, seconds: float) -> None:
        """Time passes, and what is due is asked for."""
        self.tools.world.clock.advance(seconds)
        await self.ask()


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with tools_at(database_url) as tools:
        front = Front()
        loop = AskingLoop(tools.world.clock, tools.world.switchboard, transport=httpx.MockTransport(front))
        await tools.add("front", options={"api_token": "t0ken", "api_url": "https://front.example/"})
        yield Desk(tools, front, loop)
        await loop.stop()


async def test_what_a_delivery_leaves_out_is_asked_for(desk: Desk) -> None:
    await desk.preview()
    assert await desk.tools.fates() == [("thin", "thin: the message")]
    await desk.ask()
    (asked,) = desk.front.asked
    assert (str(asked.url), asked.headers["authorization"]) == ("https://front.example/messages/msg_1", "Bearer t0ken")
    assert await desk.tools.fates() == [("taken", None)]
    assert (await desk.tools.one(source="front"))["text"] == "It drops"
    # the same message in another delivery is asked for, and is the same
    await desk.preview(2)
    await desk.ask()
    await desk.tools.one(source="front")


async def test_without_an_api_it_stays_thin_and_says_so_until_there_is_one(desk: Desk) -> None:
    await desk.tools.add("front")
    await desk.preview()
    await desk.ask()
    assert await desk.tools.fates() == [("thin", "thin: the message; no API is configured to ask")]
    await desk.later(86_400)
    assert desk.front.asked == []
    await desk.tools.add("front", options={"api_token": "t0ken"})
    async with desk.tools.world.engine.begin() as conn:
        assert await deliveries.wake_thin(conn, "front", "main", desk.tools.world.clock.now()) == 1
    await desk.ask()
    assert await desk.tools.fates() == [("taken", None)]
    assert desk.front.asked[0].url.host == "api2.frontapp.com"


async def test_who_asks_for_patience_gets_it(desk: Desk) -> None:
    desk.front.answer = lambda: httpx.Response(429, headers={"retry-after": "120"})
    await desk.preview(1)
    await desk.preview(2)
    await desk.ask()
    assert len(desk.front.asked) == 1  # the second one waits without asking
    desk.front.answer = lambda: httpx.Response(200, json=MESSAGE)
    await desk.later(60)
    assert len(desk.front.asked) == 1
    await desk.later(90)
    assert await desk.tools.fates() == [("taken", None), ("taken", None)]


def _silent() -> httpx.Response:
    raise httpx.ReadTimeout("too slow")


@pytest.mark.parametrize("answer", [lambda: httpx.Response(503), _silent])
async def test_an_api_that_does_not_answer_is_asked_ever_more_slowly_and_then_given_up(
    desk: Desk, answer: Callable[[], httpx.Response]
) -> None:
    desk.front.answer = answer
    await desk.preview()
    hours = 0
    while (await desk.tools.fates())[0][0] == "thin":
        await desk.later(3_600)
        hours += 1
        assert hours < 100
    assert 16 <= hours <= 48 and len(desk.front.asked) == 16
    (parked,) = await desk.tools.parked()
    assert parked.reason.startswith("the tool's API")
    assert b"msg_1" in parked.value


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(401),
        httpx.Response(302, headers={"location": "http://127.0.0.1/"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"id": "msg_1"}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"[" * 6_000_000),
    ],
)
async def test_an_answer_that_helps_nobody_parks_the_delivery(desk: Desk, answer: httpx.Response) -> None:
    desk.front.answer = lambda: answer
    await desk.preview()
    await desk.ask()
    assert [state for state, _ in await desk.tools.fates()] == ["parked"]
    assert len(await desk.tools.parked()) == 1
