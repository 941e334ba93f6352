"""Responses, profiles and erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.service.intake_world import World, contact, world_at

CANARY = "kanarienvogel"


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def test_the_first_response_fills_the_responder_for_good(world: World) -> None:
    taken = (await world.take(conversation_id="v-1"))["contact_id"]
    first = await world.respond(taken, "r-1", {"id": "agent-1", "name": "Ann"}, text="I am on it.")
    assert (first.status_code, first.json()["first"], first.json()["duplicate"]) == (202, True, False)
    second = await world.respond(taken, "r-2", "agent-2", occurred_at="2026-03-02T09:10:00Z")
    assert (second.status_code, second.json()["first"]) == (202, False)
    again = await world.respond(taken, "r-1", "agent-3")
    assert again.status_code == 200
    assert (again.json()["response_id"], again.json()["duplicate"]) == (first.json()["response_id"], True)
    kept = await world.get(f"/v1/contacts/{taken}")
    assert kept["responder"] == {"id": "agent-1"}
    assert [(one["responder_id"], one["first"], one["text"]) for one in kept["responses"]] == [
        ("agent-1", True, "I am on it."),
        ("agent-2", False, None),
    ]
    told = [data for name, data in await world.told() if name == "contact.responded"]
    assert [(one["responder_id"], one["first"]) for one in told] == [("agent-1", True), ("agent-2", False)]
    assert "I am on it" not in str(told)
    assert (await world.get("/v1/responders/agent-1"))["name"] == "Ann"
    assert await world.findings() == []


async def test_a_response_told_twice_in_a_conversation_is_one(world: World) -> None:
    older = (await world.take(conversation_id="v-1"))["contact_id"]
    newer = (await world.take(conversation_id="v-1"))["contact_id"]
    first = await world.respond(older, "r-1", "agent-1")
    again = await world.respond(newer, "r-1", "agent-1")
    assert again.json()["response_id"] == first.json()["response_id"]
    apart = [(await world.take())["contact_id"] for _ in range(2)]
    answers = [await world.respond(one, "r-9", "agent-1") for one in apart]
    assert [answer.status_code for answer in answers] == [202, 202]


async def test_a_response_to_nothing(world: World) -> None:
    for name in ("01a2114c-0000-7000-8000-000000000000", "nothing", "%F0%9F%98%80"):
        assert (await world.respond(name, "r-1", "agent-1")).status_code == 404


async def test_a_contact_with_a_responder_keeps_them(world: World) -> None:
    taken = (await world.take(responder={"id": "agent-7"}))["contact_id"]
    assert (await world.respond(taken, "r-1", "agent-8")).json()["first"] is False


async def test_profiles_that_arrive_out_of_order(world: World) -> None:
    async def put(**body: object) -> dict[str, object]:
        answer = await world.ask("PUT", "/v1/customers/c-1", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    await put(tier="silver", email="old@example.com", occurred_at="2026-03-01T10:00:00Z")
    await put(tier="gold", name="Li Wei", occurred_at="2026-03-01T12:00:00Z")
    late = await put(tier="standard", region="uk", occurred_at="2026-03-01T11:00:00Z")
    assert (late["tier"], late["region"], late["name"], late["email"]) == ("gold", "uk", "Li Wei", "old@example.com")
    assert (await put(email=None, tier="gold"))["email"] is None
    told = [(data["tier"], data["region"]) for _, data in await world.told()]
    assert told == [("silver", None), ("gold", None), ("gold", "uk")]
    assert await world.get("/v1/customers/c-1", "service") == await world.get("/v1/customers/c-1")
    assert await world.findings() == []


async def test_a_contact_teaches_a_profile_and_borrows_from_it(world: World) -> None:
    value = {"amount": "300000.5", "currency": "CNY"}
    await world.take(customer={"id": "c-1", "tier": "gold", "lifetime_value": value})
    await world.take(customer={"id": "c-1"})
    assert await world.names() == ["customer.profiled", "contact.captured", "contact.captured"]
    assert (await world.told())[2][1]["lifetime_value"] == value
    assert (await world.get("/v1/customers/c-1"))["lifetime_value"] == value
    await world.take(customer={"id": "c-1", "tier": "standard"}, occurred_at="2026-02-01T00:00:00Z")
    assert (await world.get("/v1/customers/c-1"))["tier"] == "gold"


async def test_a_statement_from_the_future_does_not_last_until_then(world: World) -> None:
    await world.take(customer={"id": "c-1", "tier": "gold"}, occurred_at="2030-01-01T00:00:00Z")
    world.clock.advance(60)
    answer = await world.ask("PUT", "/v1/customers/c-1", json={"tier": "silver"})
    assert answer.json()["tier"] == "silver"


async def test_who_is_not_known(world: World) -> None:
    for path in ("/v1/customers/nobody", "/v1/responders/nobody", "/v1/contacts/nothing"):
        assert (await world.ask("GET", path, "agent")).status_code == 404
    assert (await world.ask("DELETE", "/v1/customers/nobody", "admin")).status_code == 404
    await world.take(customer={"id": "c-9"})
    assert (await world.get("/v1/customers/c-9"))["name"] is None


async def test_nothing_of_an_erased_customer_is_left(world: World) -> None:
    words = {name: f"{CANARY} {name}" for name in ("subject", "text", "regarding", "remedy_sought", "product", "cause")}
    del words["product"], words["cause"]
    body = contact(
        "gone",
        customer={"id": "c-1", "name": CANARY, "email": f"{CANARY}@example.com", "phone": CANARY, "tier": "gold"},
        attributes={CANARY: CANARY},
        **words,
    )
    taken = (await world.post(body, key="k")).json()["contact_id"]
    await world.respond(taken, "r-1", "agent-1", text=CANARY)
    await world.take(customer={"id": "c-2", "name": "Somebody else"})
    assert CANARY in await _everything(world)
    answer = await world.ask("DELETE", "/v1/customers/c-1", "admin")
    assert answer.status_code == 202
    assert CANARY not in await _everything(world)
    assert (await world.names())[-1] == "customer.erased"
    kept = await world.get(f"/v1/contacts/{taken}")
    assert kept["customer"] == {"id": "c-1"}
    assert "text" not in kept
    shown = await world.get("/v1/customers/c-1")
    assert (shown["name"], shown["tier"]) == (None, None)
    assert shown["erased_at"] is not None
    assert (await world.get("/v1/customers/c-2"))["name"] == "Somebody else"
    # what was said before, and comes later, brings nothing back; the same contact stays the same
    late = contact(customer={"id": "c-1", "name": CANARY}, occurred_at="2026-03-02T08:00:00Z", text="")
    await world.post(late)
    assert (await world.get("/v1/customers/c-1"))["name"] is None
    assert (await world.post(body)).json()["duplicate"] is True
    assert await world.findings() == []


async def test_what_comes_together_with_an_erasure_is_erased_only_if_it_came_before(world: World) -> None:
    await world.take(customer={"id": "c-1"})
    before = contact("before", customer={"id": "c-1", "name": CANARY}, text=CANARY)
    after = contact("after", customer={"id": "c-1"}, text="And now something else.")
    inputs = [world.reads(before), world.erases("c-1"), world.reads(after)]
    await world.corridor.take(inputs)
    assert CANARY not in await _everything(world)
    kept = (await world.get("/v1/contacts", customer_id="c-1"))["items"]
    assert [one.get("text") for one in kept] == ["And now something else.", None, None]
    assert await world.findings() == []


async def _everything(world: World) -> str:
    found = []
    async with world.engine.connect() as conn:
        tables = (await conn.execute(text("select tablename from pg_tables where schemaname = 'intake'"))).scalars()
        for table in tables.all():
            found += (await conn.execute(text(f"select t::text from intake.{table} t"))).scalars().all()
            if table == "events":
                found += (
                    (await conn.execute(text("select convert_from(data, 'utf8') from intake.events"))).scalars().all()
                )
    return "\n".join(found)


async def test_a_customer_cannot_be_called_as_a_contact_is(world: World) -> None:
    taken = (await world.take())["contact_id"]
    answer = await world.post(contact(customer={"id": taken, "tier": "gold"}))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:complaint-loop:problem:customer-id-taken")
    assert (await world.ask("PUT", f"/v1/customers/{taken}", json={"tier": "gold"})).status_code == 422


async def test_who_answered_can_be_forgotten(world: World) -> None:
    ann = {"id": "agent-1", "name": "Ann", "email": "ann@company.example"}
    taken = (await world.take(responder=ann))["contact_id"]
    assert (await world.ask("DELETE", "/v1/responders/agent-1", "agent")).status_code == 403
    assert (await world.ask("DELETE", "/v1/responders/nobody", "supervisor")).status_code == 404
    assert (await world.ask("DELETE", "/v1/responders/agent-1", "supervisor")).json()["name"] is None
    # what was said before, and arrives later, brings nothing back; who answered stays known by id
    await world.take(responder=ann)
    assert await world.get("/v1/responders/agent-1") == {"id": "agent-1", "name": None, "email": None}
    # in a contact the name goes with the words
    assert (await world.get(f"/v1/contacts/{taken}"))["responder"] == ann
    assert (await world.ask("DELETE", "/v1/customers/c-1", "admin")).status_code == 202
    assert (await world.get(f"/v1/contacts/{taken}"))["responder"] == {"id": "agent-1"}
    world.clock.advance(60)
    await world.take(responder=ann, occurred_at=world.clock.now().isoformat())
    assert (await world.get("/v1/responders/agent-1"))["name"] == "Ann"
