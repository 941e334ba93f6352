"""Words are kept as long as the policy says; ids, codes and times longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.intake.store.aging import WORDS
from shared.policy import Policies
from shared.retention import Retention
from tests.service.intake_world import World, contact, example_policy, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def forget(world: World) -> int:
    """What the loop does."""
    policy = example_policy()
    assert str(policy.retention.texts) == "2y"
    return await Retention("intake", world.engine, world.clock, Policies.single(policy), WORDS).run_once()


async def test_old_words_go_and_new_ones_stay(world: World) -> None:
    body = [contact(f"o-{n}", customer={"id": "c-1", "name": "Li"}, subject="old", cause="slow") for n in range(700)]
    answer = await world.ask("POST", "/v1/contacts/batch", json=body)
    old = answer.json()["results"][0]["contact_id"]
    assert (await world.respond(old, "r-1", "mia", text="old words")).status_code == 202
    assert await forget(world) == 0
    world.clock.advance(timedelta(days=365).total_seconds())
    new = (await world.take(occurred_at="2027-03-02T09:00:00Z"))["contact_id"]
    assert await forget(world) == 0
    world.clock.advance(timedelta(days=366).total_seconds())
    # several at once do it once
    assert sum(await asyncio.gather(*(forget(world) for _ in range(3)))) == 701
    assert await forget(world) == 0
    left = await world.get(f"/v1/contacts/{old}")
    assert not {"text", "subject"} & left.keys()
    assert (left["customer"], left["cause"], left["responses"][0]["text"]) == ({"id": "c-1"}, "slow", None)
    assert (await world.get(f"/v1/contacts/{new}"))["text"]
    # sent again it is the same contact, and brings no words back
    assert (await world.post(body[0])).json()["duplicate"] is True
    assert "text" not in await world.get(f"/v1/contacts/{old}")
    assert await world.findings() == []
