"""Words are kept as long as the policy says; ids, codes and times longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from services.intake.retention import OldWords
from services.intake.store.aging import WORDS
from shared.policy import Policies
from shared.retention import Own, Retention
from tests.service.intake_world import World, contact, example_policy, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def forget(world: World, needed: set[str] | None = frozenset()) -> int:  # type: ignore[assignment]
    """What the loop does; None: ownership is away."""
    policy = example_policy()
    assert str(policy.retention.texts) == "2y"

    async def known(contacts: Sequence[tuple[str, str]], before: datetime) -> set[str] | None:
        return None if needed is None else {one for one, _ in contacts} & needed

    parts = [Own(OldWords(world.engine, world.clock, known).forget), *WORDS]
    return await Retention("intake", world.engine, world.clock, Policies.single(policy), parts).run_once()


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


async def test_what_an_open_complaint_needs_is_kept_and_goes_with_it(world: World) -> None:
    needed, other = [(await world.take(source_event_id=f"n-{n}"))["contact_id"] for n in range(2)]
    assert (await world.respond(needed, "r-1", "mia", text="words")).status_code == 202
    world.clock.advance(timedelta(days=732).total_seconds())
    assert await forget(world, None) == 0  # nobody knows: nothing goes
    assert (await world.get(f"/v1/contacts/{other}"))["text"]
    assert await forget(world, {needed}) == 3
    assert await forget(world, {needed}) == 0
    assert "text" not in await world.get(f"/v1/contacts/{other}")
    kept = await world.get(f"/v1/contacts/{needed}")
    assert kept["text"] and kept["responses"][0]["text"] == "words"
    assert (await world.respond(needed, "r-2", "mia", text="more words")).status_code == 202
    world.clock.advance(timedelta(days=1).total_seconds())
    assert await forget(world, {needed}) == 0
    world.clock.advance(timedelta(days=1).total_seconds())
    assert await forget(world) == 1
    left = await world.get(f"/v1/contacts/{needed}")
    assert "text" not in left and [one["text"] for one in left["responses"]] == [None, None]
    assert await world.findings() == []
