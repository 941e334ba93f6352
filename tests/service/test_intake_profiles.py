"""Profiles: many at once, late and contradicting ones, and two ids that turn out to be one person's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import PROFILE, Profile, combined
from services.intake.merging import Merging
from shared.clock import ManualClock
from tests.service.intake_world import World, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def carry(world: World) -> int:
    """What the loop does."""
    return await Merging(world.corridor).run_once()


async def put(world: World, customer_id: str, **fields: Any) -> None:
    answer = await world.ask("PUT", f"/v1/customers/{customer_id}", json=fields)
    assert answer.status_code == 200, answer.text


async def merge(world: World, customer_id: str, into: str | None) -> Any:
    return await world.ask("POST", f"/v1/customers/{customer_id}/merge", "integration", json={"into": into})


async def shown(world: World, customer_id: str) -> dict[str, Any]:
    """A profile without what differs between two ids."""
    one = await world.get(f"/v1/customers/{customer_id}")
    return {name: one[name] for name in ("name", "email", "tier", "lifetime_value", "as_of")}


async def test_many_profiles_each_by_itself(world: World) -> None:
    items: list[Any] = [
        {"id": "c-1", "tier": "gold", "occurred_at": "2026-03-02T08:00:00Z"},
        {"id": "c-1", "tier": "silver", "name": "Li", "occurred_at": "2026-03-01T08:00:00Z"},
        {"tier": "gold"},
        {"id": "c-2", "tiers": "gold"},
        {"id": "c-3", "email": None},
    ]
    answer = await world.ask("POST", "/v1/customers/batch", "integration", json=items, headers={"idempotency-key": "k"})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [one.get("customer_id") for one in results] == ["c-1", "c-1", None, None, "c-3"]
    assert [one["pointer"] for one in results[2]["problem"]["errors"]] == ["/id"]
    assert [one["pointer"] for one in results[3]["problem"]["errors"]] == ["/tiers"]
    # the later word was said first: it stands
    assert {"tier": "gold", "name": "Li"}.items() <= (await shown(world, "c-1")).items()
    assert [data["tier"] for _, data in await world.told()] == ["gold"]
    again = await world.ask("POST", "/v1/customers/batch", "integration", json=items, headers={"idempotency-key": "k"})
    assert again.content == answer.content
    lines = b"\n".join(json.dumps({"id": f"n-{n}", "region": "uk"}).encode() for n in range(1000))
    ndjson = {"content-type": "application/x-ndjson"}
    answer = await world.ask("POST", "/v1/customers/batch", content=lines, headers=ndjson)
    assert answer.json()["results"][999] == {"customer_id": "n-999"}
    assert (await world.ask("POST", "/v1/customers/batch", json=[{"id": "x"}] * 1001)).status_code == 413
    assert (await world.ask("POST", "/v1/customers/batch", "agent", json=[])).status_code == 403
    assert await world.findings() == []


async def test_two_ids_of_one_person_share_what_is_known(world: World) -> None:
    old, new = "2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"
    await put(world, "crm-1", tier="silver", email="li@example.org", occurred_at=old)
    await put(world, "shop-9", tier="gold", name="Li", occurred_at=new)
    answer = await merge(world, "shop-9", "crm-1")
    assert (answer.status_code, answer.json()["merged_into"]) == (200, "crm-1"), answer.text
    assert await carry(world) == 1 and await carry(world) == 0
    assert await shown(world, "crm-1") == await shown(world, "shop-9")
    assert {"tier": "gold", "name": "Li", "email": "li@example.org"}.items() <= (await shown(world, "crm-1")).items()
    # what is learned later under either, by a contact or a CRM, is known under both
    await world.take(customer={"id": "shop-9", "name": "Li Wei"}, occurred_at="2026-03-02T08:30:00Z")
    await put(world, "crm-1", email=None)
    await carry(world)
    assert await shown(world, "crm-1") == await shown(world, "shop-9")
    assert {"name": "Li Wei", "email": None}.items() <= (await shown(world, "crm-1")).items()
    # contacts stay where they came, and are listed under either
    await world.take(customer={"id": "crm-1"})
    for one in ("crm-1", "shop-9"):
        whose = [item["customer"]["id"] for item in (await world.get("/v1/contacts", customer_id=one))["items"]]
        assert whose == ["crm-1", "shop-9"]
    assert [data["tier"] for name, data in await world.told("crm-1") if name == "customer.profiled"] == [
        "silver",
        "gold",
    ]
    # who is erased under one is erased under both
    assert (await world.ask("DELETE", "/v1/customers/crm-1", "admin")).status_code == 202
    assert (await world.names("shop-9"))[-1] == (await world.names("crm-1"))[-1] == "customer.erased"
    assert (await shown(world, "shop-9"))["name"] is None
    items = (await world.get("/v1/contacts", customer_id="crm-1"))["items"]
    assert [item.get("text") for item in items] == [None, None]
    assert await world.findings() == []


async def test_what_cannot_be_merged_and_what_is_taken_apart(world: World) -> None:
    await put(world, "a", name="A")
    await put(world, "b", name="B")
    await world.take(customer={"id": "spoke"})
    assert (await merge(world, "nobody", "a")).status_code == 404
    assert (await merge(world, "a", "nobody")).status_code == 404
    assert (await merge(world, "a", "a")).status_code == 422
    assert (await merge(world, "a", "spoke")).status_code == 200
    answer = await merge(world, "spoke", "a")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:complaint-loop:problem:already-merged")
    assert (await merge(world, "a", "spoke")).status_code == 200
    assert (await merge(world, "b", "a")).status_code == 200
    while await carry(world):
        pass
    assert {(await shown(world, one))["name"] for one in ("a", "b", "spoke")} == {"B"}
    assert (await merge(world, "a", None)).json()["merged_into"] is None
    world.clock.advance(1)
    await put(world, "spoke", name="Spoke")
    assert await carry(world) == 0
    assert (await shown(world, "a"))["name"] == "B"
    assert await world.findings() == []


async def test_two_who_merge_each_others_ids_do_not_both_succeed(world: World) -> None:
    for n in range(5):
        await put(world, f"x-{n}", name="X")
        await put(world, f"y-{n}", name="Y")
    asked = [(f"x-{n}", f"y-{n}") for n in range(5)] + [(f"y-{n}", f"x-{n}") for n in range(5)]
    answers = await asyncio.gather(*(merge(world, one, other) for one, other in asked))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 5


_AT = st.integers(0, 5).map(lambda hours: ManualClock().now().replace(hour=hours))
_PROFILES = st.dictionaries(st.sampled_from(PROFILE), st.tuples(_AT, st.sampled_from(["a", "b", None]))).map(
    lambda said: Profile(
        {name: value for name, (_, value) in said.items() if value is not None},
        {name: at for name, (at, _) in said.items()},
    )
)


@given(_PROFILES, _PROFILES)
def test_two_profiles_become_alike_and_stay_so(one: Profile, other: Profile) -> None:
    both, same = combined(one, other), combined(other, one)
    assert both.as_of == same.as_of
    assert combined(both, same) is both
    for name, at in other.as_of.items():
        if name not in one.as_of or at > one.as_of[name]:
            assert both.fields.get(name) == other.fields.get(name)
