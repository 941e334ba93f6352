"""Words about complaints go when they have been closed for as long as the policy keeps texts; nothing else goes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from services.ownership.store import WORDS
from services.ownership.store.tables import parked
from shared.inbox import parked_words
from shared.retention import Retention
from tests.service.ownership_world import ANSWER, World

pytest_plugins = ["tests.service.ownership_world"]
TWO_YEARS = timedelta(days=731)


async def retained(world: World) -> int:
    """What the loops of three replicas do at once."""
    parts = [WORDS, parked_words(parked)]
    loops = [Retention("ownership", world.engine, world.clock, world.policies, parts) for _ in range(3)]
    return sum(await asyncio.gather(*(loop.run_once() for loop in loops)))


async def answered_and_solved(world: World, complaint: dict[str, Any]) -> None:
    assert (await world.post(f"{complaint['id']}/answer", ANSWER)).status_code == 200
    assert (await world.post(f"{complaint['id']}/confirmation", {"solved": True})).status_code == 200


async def words(world: World, complaint: dict[str, Any]) -> int:
    """How many items of a timeline say something."""
    items = (await world.get(f"/v1/complaints/{complaint['id']}/timeline", limit="200"))["items"]
    return sum(bool(item["why"] or item["note"]) for item in items)


async def test_what_is_closed_long_enough_and_only_that(world: World) -> None:
    for n in range(130):
        await world.contact(f"c-{n}", responder_id="agent-1")
    solved = [await world.complaint(f"c-{n}") for n in range(130)]
    for one in solved[1:]:
        await answered_and_solved(world, one)
    await world.pass_time(TWO_YEARS - timedelta(days=30))  # the visits after closing are over, too
    assert await retained(world) == 0
    await world.pass_time(timedelta(days=60))
    assert await retained(world) == 129
    assert await retained(world) == 0
    assert await words(world, solved[0])
    assert not await words(world, solved[1])
    assert await world.findings() == []


async def test_what_is_said_later_is_let_go_of_as_well_and_what_is_opened_again_is_kept(
    world: World, owned: dict[str, Any]
) -> None:
    await answered_and_solved(world, owned)
    await world.pass_time(timedelta(days=80))
    again = await world.post(f"{owned['id']}/confirmation", {"solved": False, "comment": "it drops again"})
    assert again.json()["status"] == "open", again.text
    await world.pass_time(TWO_YEARS)
    assert await retained(world) == 0
    await answered_and_solved(world, owned)
    await world.pass_time(TWO_YEARS + timedelta(days=30))
    assert await retained(world) == 1
    assert not await words(world, owned)
    assert await world.findings() == []


async def test_what_goes_on_in_another_complaint_is_kept_with_it(world: World, owned: dict[str, Any]) -> None:
    await world.contact(conversation_id="v-2", cause="billing-error", responder_id="agent-2")
    other = next(one for one in await world.complaints() if one["id"] != owned["id"])
    body = {"into": owned["id"], "agent_id": "agent-2", "reason": "the same"}
    assert (await world.post(f"{other['id']}/merge", body, "supervisor")).status_code == 200
    await world.pass_time(TWO_YEARS)
    assert await retained(world) == 0
    assert await words(world, other)
    await answered_and_solved(world, owned)
    await world.pass_time(TWO_YEARS + timedelta(days=30))
    assert await retained(world) == 2
    assert not await words(world, other)
    assert await world.findings() == []


async def test_what_was_parked_loses_what_was_sent(world: World) -> None:
    row = {"parked_at": world.now, "origin": "t", "partition": 0, "headers": [["a", "00"]], "key": b"k", "value": b"v"}
    states = ("parked", "retry", "dropped", "retried")
    rows = [row | {"offset": n, "state": state, "reason": "why", "attempts": 1} for n, state in enumerate(states)]
    async with world.engine.begin() as conn:
        await conn.execute(insert(parked), rows)
    assert await retained(world) == 0
    world.clock.advance(TWO_YEARS)
    assert await retained(world) == 3
    async with world.engine.connect() as conn:
        found = await conn.execute(select(parked.c.state, parked.c.value, parked.c.reason).order_by(parked.c.offset))
    assert [tuple(one) for one in found] == [
        ("dropped", None, "why"),
        ("retry", b"v", "why"),
        ("dropped", None, "why"),
        ("retried", None, "why"),
    ]
