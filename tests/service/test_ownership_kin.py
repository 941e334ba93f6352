"""Two ids of one person in ownership: whatever comes first, twice or at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations

from sqlalchemy import text

from shared.contracts.intake import CustomerMerged
from tests.service.ownership_world import ANSWER, World, captured

pytest_plugins = ["tests.service.ownership_world"]


def merged(world: World, key: str, number: int, into: str | None = "b") -> CustomerMerged:
    """`a` says for the `number`th time into which id it is merged, under one of the keys."""
    return CustomerMerged(customer_id=key, merged_id="a", into_id=into, number=number, at=world.now)


async def test_the_last_word_counts_in_whatever_order_and_however_often_it_arrives(world: World) -> None:
    words = [(1, "b"), (2, None), (3, "b")]
    for order in permutations(words):
        async with world.engine.begin() as conn:
            await conn.execute(text("truncate ownership.kin"))
        for number, into in order:
            await world.deliver(*(merged(world, key, number, into) for key in ("b", "a")))
        await world.deliver(merged(world, "a", 2, None))
        async with world.engine.connect() as conn:
            rows = await conn.execute(text("select id, into_id, number from ownership.kin"))
            assert [tuple(row) for row in rows] == [("a", "b", 3)]


async def test_contacts_under_both_ids_at_once_are_one_complaint(world: World) -> None:
    """Under the lock of one id alone each would open a complaint."""
    ids = [(f"a-{n}", f"b-{n}") for n in range(12)]
    for one, other in ids:
        for key in (one, other):
            await world.deliver(CustomerMerged(customer_id=key, merged_id=one, into_id=other, number=1, at=world.now))
    both = [captured(customer_id, at=world.now) for pair in ids for customer_id in pair]
    await asyncio.gather(*(world.deliver(contact) for contact in [*both, *reversed(both)]))
    for one, other in ids:
        (complaint,) = await world.complaints(one)
        assert await world.complaints(other) == [complaint]
        assert len(complaint["contacts"]) == 2
    assert await world.findings() == []


async def test_what_one_set_tells_holds_for_the_rest_of_it(world: World) -> None:
    first = captured("a", at=world.now, responder_id="agent-1")
    await world.deliver(first, merged(world, "a", 1), captured("b", at=world.now), merged(world, "b", 1))
    (complaint,) = await world.complaints("b")
    assert (complaint["customer_id"], len(complaint["contacts"]), complaint["owner"]["id"]) == ("a", 2, "agent-1")
    # a human's answer to the contact under the other id counts for it, and the customer's word ends its pause
    until = (world.now + timedelta(days=2)).isoformat()
    pause = {"agent_id": "agent-1", "reason": "waits for a part", "until": until}
    assert (await world.post(f"{complaint['id']}/pause", pause)).status_code == 200
    world.clock.advance(timedelta(hours=1))
    other = await world.contact("b", conversation_id="v-9", complaint=False, cause=None)
    assert "resumed" in await world.told("a")
    await world.response(other, "agent-2")
    assert await world.findings() == []


async def test_complaints_under_two_ids_can_be_made_one_and_split_again(world: World) -> None:
    await world.contact("a", responder_id="agent-1")
    world.clock.advance(timedelta(minutes=5))
    later = await world.contact("b", responder_id="agent-2")
    first, second = await world.complaint("a"), await world.complaint("b")
    body = {"into": first["id"], "agent_id": "agent-2", "reason": "the same person"}
    assert (await world.post(f"{second['id']}/merge", body, "supervisor")).status_code == 409
    await world.deliver(merged(world, "a", 1), merged(world, "b", 1))
    assert (await world.complaints("a"))[1]["repeat_of"] == first["id"]
    assert (await world.post(f"{second['id']}/merge", body, "supervisor")).status_code == 200
    split = {
        "contacts": [later.contact_id],
        "agent_id": "agent-1",
        "reason": "another matter",
        "cause": "billing-error",
    }
    parted = await world.post(f"{first['id']}/split", split, "supervisor")
    assert parted.status_code in (200, 202), parted.text
    told = [one for one in await world.told("a") if one in ("contact_joined", "split")]
    assert told == ["contact_joined", "split"]
    async with world.engine.connect() as conn:
        query = "select convert_from(data, 'UTF8')::jsonb ->> 'contact_customer_id' from ownership.events"
        where = " where type ~ 'contact_joined|complaint.opened' order by position"
        assert list((await conn.execute(text(query + where))).scalars()) == [None, None, "b", "b"]
    assert (await world.post(f"{first['id']}/answer", ANSWER)).status_code == 200
    assert await world.findings() == []
