"""Contacts: kept before they are answered, each once, and told as one event without the customer's words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.service.intake_world import World, contact, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def test_a_contact_is_kept_and_told(world: World) -> None:
    body = contact(
        customer={"id": "c-1", "name": "Li Wei", "email": "li@example.com", "tier": "gold", "region": "zhejiang"},
        responder={"id": "agent-7", "name": "Chen Yu"},
        conversation_id="v-1",
        regarding="C-7F3K9",
        complaint=True,
        cause="router-drops",
    )
    answer = await world.post(body)
    assert answer.status_code == 202
    told = answer.json()
    assert told["duplicate"] is False
    assert told["received_at"] == "2026-03-02T09:00:00Z"
    assert told["signals"]["complaint"] == {"value": True, "score": 1.0, "because": ["the caller says so"]}
    assert told["signals"]["cause"]["value"] == "router-drops"
    kept = await world.get(f"/v1/contacts/{told['contact_id']}")
    assert {name: kept[name] for name in body} == body
    assert kept["signals"] == told["signals"]
    assert kept["responses"] == []
    assert await world.names() == ["customer.profiled", "contact.captured"]
    (_, profile), (_, event) = await world.told()
    assert (profile["tier"], profile["region"]) == ("gold", "zhejiang")
    assert event["references"] == ["C-7F3K9"]
    assert (event["responder_id"], event["tier"], event["cause"]) == ("agent-7", "gold", "router-drops")
    assert "Li Wei" not in str(event) and "router drops" not in str(event)
    assert await world.get("/v1/responders/agent-7", "service") == {"id": "agent-7", "name": "Chen Yu", "email": None}
    assert await world.findings() == []


async def test_the_same_identity_at_once_is_one_contact(world: World) -> None:
    answers = await asyncio.gather(
        *(world.post(contact("same", customer={"id": f"c-{n % 3}"}, text=f"text {n}")) for n in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    told = [name for n in range(3) for name in await world.names(f"c-{n}")]
    assert told == ["contact.captured"]
    assert await world.findings() == []
