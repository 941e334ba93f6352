"""What comes in floods, slowly, too large or compressed is refused by name, and nobody else is kept waiting."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from services.intake.adapters.pieces.shape import Endpoint
from services.intake.hooks.switchboard import sealed_row
from services.intake.store import deliveries
from shared.group import GroupCommit
from tests.service.intake_world import SECRET, World, contact, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/contacts/batch", "/v1/events", "/v1/customers/batch"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
async def test_what_is_compressed_is_refused_unread(world: World, path: str, encoding: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"content-type": "application/json", "content-encoding": encoding}
    answer = await world.ask("POST", path, content=bomb, headers=headers)
    assert answer.status_code == 415
    assert answer.json()["type"] == "urn:complaint-loop:problem:unsupported-content-encoding"
    plain = await world.ask(
        "POST",
        "/v1/contacts",
        content=json.dumps(contact()).encode(),
        headers=headers | {"content-encoding": "identity"},
    )
    assert plain.status_code == 202


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/contacts/batch", "/v1/events", "/v1/customers/batch"])
async def test_thirty_megabytes_are_refused(world: World, path: str) -> None:
    answer = await world.ask("POST", path, content=b" " * 30_000_000, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["limit"]) == (413, 5_000_000)


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/contacts/batch", "/v1/hooks/twilio/main"])
async def test_a_body_that_comes_a_byte_at_a_time_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("shared.http.route.BODY_SECONDS", 0.1)
    async with world.engine.begin() as conn:
        await deliveries.set_endpoint(conn, sealed_row(Endpoint("twilio", "main", "s"), SECRET), world.clock.now())
    never = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    headers = {"content-type": "application/json"}
    answer = await asyncio.wait_for(world.ask("POST", path, content=slowly(), headers=headers), 10)
    assert (answer.status_code, answer.json()["type"]) == (408, "urn:complaint-loop:problem:too-slow")


async def test_a_flood_is_told_to_come_back_and_what_was_taken_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a database that stands still for a while: as many wait as may, and the others hear so at once
    held, take = asyncio.Event(), world.corridor.take

    async def slow(inputs: object) -> object:
        await held.wait()
        return await take(inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(world.corridor, "take", slow)
    monkeypatch.setattr(GroupCommit.__init__, "__kwdefaults__", GroupCommit.__init__.__kwdefaults__ | {"limit": 50})
    async with world_at(str(world.engine.url.render_as_string(hide_password=False))) as other:
        monkeypatch.setattr(other.corridor, "take", slow)
        asked = [asyncio.create_task(other.post(contact(f"f-{n}", customer={"id": f"c-{n}"}))) for n in range(200)]
        refused: list[asyncio.Task[httpx.Response]] = []
        while len(refused) < 100:
            await asyncio.wait(asked, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
            refused = [one for one in asked if one.done()]
        assert {(one.result().status_code, one.result().headers["retry-after"]) for one in refused} == {(503, "1")}
        held.set()
        answers = [task.result() for task in asked if await asyncio.wait([task]) is not None]
    taken = [answer for answer in answers if answer.status_code == 202]
    assert len(taken) >= 50 and len(taken) + sum(answer.status_code == 503 for answer in answers) == 200
    assert len((await world.get("/v1/contacts", limit=200))["items"]) == len(taken)
    assert await world.findings() == []
