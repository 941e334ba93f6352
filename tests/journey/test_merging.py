"""Two ids turn out to be one person's: complaints, repeats and promises are one person's from then on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.given import MIA, NOOR, contact
from tests.world import World

PROMISE = {"made_by": "vp", "text": "Your line will not drop again.", "cause": "router-drops", "scope": "customer"}


async def merge(world: World, customer: str, into: str | None) -> None:
    await world.post("intake", f"/v1/customers/{customer}/merge", {"into": into})


async def heard(world: World, customer: str, cause: str = "router-drops", **more: Any) -> dict[str, Any]:
    """A customer complains; answers the complaint that the contact belongs to."""
    contact_id = await world.contact(customer, "It is bad again.", complaint=True, cause=cause, **more)
    for one in (await world.get("/v1/complaints", customer_id=customer))["items"]:
        if contact_id in one["contacts"]:
            return dict(one)
    raise AssertionError("it belongs to none")


async def close(world: World, complaint: dict[str, Any]) -> None:
    path = f"/v1/complaints/{complaint['id']}"
    await world.post(
        "agent", f"{path}/answer", {"agent_id": "mia", "text": "Done.", "outcome": "upheld", "reasons": "r"}
    )
    await world.post("agent", f"{path}/confirmation", {"solved": True})
    await world.settle()


async def test_one_person_under_two_ids(world: World) -> None:
    before = await heard(world, "shop-9", cause="billing-error", responder=MIA)
    await close(world, before)
    promise = await world.post("executive", "/v1/promises", {**PROMISE, "customer_id": "shop-9"})
    await heard(world, "crm-1", cause="billing-error", responder=NOOR)
    await merge(world, "crm-1", "shop-9")
    await world.settle()

    # what was open under one id turns out to repeat what came under the other
    (later,) = [
        one for one in (await world.get("/v1/complaints", customer_id="crm-1"))["items"] if not one["closed_at"]
    ]
    assert (later["customer_id"], later["repeat_of"]) == ("crm-1", before["id"])
    # a contact under the other id joins it, whoever owns it stays, and is named with its own id
    again = await heard(world, "shop-9", cause="billing-error", responder=MIA)
    assert (again["id"], again["owner"]["id"]) == (later["id"], "noor")
    items = (await world.get(f"/v1/complaints/{again['id']}/timeline"))["items"]
    assert [one["data"]["contact_customer_id"] for one in items if one["type"] == "complaint.contact_joined"] == [
        "shop-9"
    ]
    await world.pass_time(timedelta(minutes=5))
    # the promise to one is broken by the other; the promiser and the first owner are written to
    await world.mailed()
    broken = await heard(world, "crm-1", responder=NOOR)
    shown = await world.get(f"/v1/promises/{promise['id']}")
    assert (shown["status"], [one["complaint_id"] for one in shown["breaches"]]) == ("broken", [broken["id"]])
    assert ("breach", "vp@company.example") in await world.mailed()
    # either id shows everything
    for one in ("crm-1", "shop-9"):
        assert len((await world.get("/v1/complaints", customer_id=one))["items"]) == 3
        assert len((await world.get(f"/v1/customers/{one}/history"))["items"]) == 3
        assert [p["id"] for p in (await world.get("/v1/promises", customer_id=one))["items"]] == [promise["id"]]
        assert [e["complaint_id"] for e in (await world.get("/v1/escalations", customer_id=one))["items"]]
        assert (await world.get(f"/v1/customers/{one}"))["ids"] == ["crm-1", "shop-9"]
    assert await world.findings() == []

    # taken apart, they are two again: the breach is taken back, what was told of complaints stays on record
    await merge(world, "crm-1", None)
    await world.settle()
    shown = await world.get(f"/v1/promises/{promise['id']}")
    assert (shown["status"], shown["breaches"][0]["taken_back"]["why"]) == ("watching", "another_customer")
    assert len((await world.get("/v1/complaints", customer_id="shop-9"))["items"]) == 1
    assert (await heard(world, "shop-9", cause="billing-error", responder=MIA))["customer_id"] == "shop-9"
    assert await world.findings() == []


async def test_who_is_erased_under_one_id_is_erased_under_both(world: World) -> None:
    complaint = await heard(world, "shop-9", responder=MIA)
    await world.post("agent", f"/v1/complaints/{complaint['id']}/updates", {"agent_id": "mia", "text": "About shop."})
    made = await world.post("executive", "/v1/promises", {**PROMISE, "customer_id": "shop-9"})
    await world.contact("crm-1", "Hello.", complaint=False)
    await merge(world, "crm-1", "shop-9")
    await world.settle()
    assert (await world.ask("DELETE", "/v1/customers/crm-1", "supervisor")).status_code == 202
    await world.settle()
    items = (await world.get(f"/v1/complaints/{complaint['id']}/timeline"))["items"]
    assert not any(one["why"] or one["note"] for one in items)
    assert (await world.get(f"/v1/promises/{made['id']}"))["text"] is None
    assert await world.findings() == []


async def test_whatever_the_order_the_promise_is_broken(world: World) -> None:
    """Contacts, merging and taking apart at once, under both ids, while nothing has arrived anywhere yet."""
    made = await world.post("executive", "/v1/promises", {**PROMISE, "customer_id": "a"})
    await world.contact("b", "Hello.", complaint=False)
    await world.contact("a", "Hello.", complaint=False)
    world.clock.advance(timedelta(hours=1).total_seconds())

    async def says(customer: str) -> None:
        body = contact(customer, "Router drops.", world.clock.now(), complaint=True, cause="router-drops")
        await world.post("intake", "/v1/contacts", body)

    await asyncio.gather(says("b"), merge(world, "a", "b"), says("b"), merge(world, "a", "b"), says("a"))
    await world.settle()
    shown = await world.get(f"/v1/promises/{made['id']}")
    assert (shown["status"], len(shown["breaches"])) == ("broken", 3)
    assert {one["customer_id"] for one in shown["breaches"]} == {"a", "b"}
    await merge(world, "a", None)
    await merge(world, "a", "b")
    await merge(world, "a", None)
    await world.settle()
    shown = await world.get(f"/v1/promises/{made['id']}")
    assert [one["customer_id"] for one in shown["breaches"] if one["taken_back"] is None] == ["a"]
    assert await world.findings() == []
