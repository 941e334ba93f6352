"""Whoever is erased is found nowhere in what tools have sent, whether it was understood or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from services.intake.hooks.forgetting import Forgetting, ids_in
from tests.service.hooks_conversations import Turn
from tests.service.hooks_desks import zendesk
from tests.service.hooks_world import Tools, tools_at

CANARY = "kanarienvogel"


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        for tool in ("zendesk", "front", "chatwoot"):
            await made.add(tool)
        yield made


async def everything(tools: Tools) -> str:
    """All rows of all tables of intake, with what their bytes say."""
    found = []
    async with tools.world.engine.connect() as conn:
        tables = (await conn.execute(text("select tablename from pg_tables where schemaname = 'intake'"))).scalars()
        for table in tables.all():
            found += (await conn.execute(text(f"select t::text from intake.{table} t"))).scalars().all()
        for column, table in (
            ("body", "deliveries"),
            ("value", "parked"),
            ("key", "parked"),
            ("headers::text", "parked"),
        ):
            rows = await conn.execute(text(f"select {column} from intake.{table} where {column} is not null"))
            found += [str(bytes(one) if isinstance(one, bytes) else one) for one in rows.scalars()]
    return "\n".join(found)


async def forget(tools: Tools) -> None:
    async with tools.world.engine.connect() as conn:
        await Forgetting(tools.world.switchboard).run_once(conn)


async def test_an_erased_customer_is_found_in_nothing_that_tools_sent(tools: Tools) -> None:
    ours, theirs = zendesk("9", [Turn(1, "customer", CANARY), Turn(2, "ana", CANARY)])
    await tools.send("zendesk", ours.body)
    strange = {**ours.body, "id": "evt-strange", "event": {"comment": {"body": CANARY, "is_public": True}}}
    await tools.send("zendesk", strange)
    other: dict[str, Any] = {**strange, "id": "evt-other", "detail": {"id": "10", "requester_id": "p10"}}
    await tools.send("zendesk", other | {"event": {"comment": {"body": "of somebody else", "is_public": True}}})
    # a message that still waits when its customer is erased
    await tools.deliver("zendesk", theirs.body)
    async with tools.world.engine.connect() as conn:
        await tools.understanding.run_once(conn)
    late = zendesk("9", [Turn(5, "customer", "first"), Turn(6, "customer", CANARY)])[1]
    await tools.deliver("zendesk", late.body)
    assert CANARY in await everything(tools)
    assert (await tools.world.ask("DELETE", "/v1/customers/p9", "admin")).status_code == 202
    await forget(tools)
    await tools.settle()
    left = await everything(tools)
    assert CANARY not in left and "of somebody else" in left
    parked = {row.state: row.reason for row in await tools.parked()}
    assert parked["dropped"] == "its customer was erased" and "parked" in parked
    # what they say afterwards is heard again
    tools.world.clock.advance(60)
    afterwards = zendesk("9", [Turn(7, "customer", "Hello")] * 2 + [Turn(8, "customer", "Hello again")])[2]
    await tools.send("zendesk", afterwards.body)
    assert "Hello again" in await everything(tools)
    assert await tools.world.findings() == []


async def test_what_waits_of_an_erased_customer_is_not_posted_before_it_is_forgotten(tools: Tools) -> None:
    first, second = zendesk("9", [Turn(1, "customer", "first"), Turn(2, "customer", CANARY)])
    await tools.send("zendesk", first.body)
    await tools.deliver("zendesk", second.body)
    await tools.deliver("zendesk", zendesk("10", [Turn(2, "customer", "of somebody else")])[0].body)
    async with tools.world.engine.connect() as conn:
        await tools.understanding.run_once(conn)
    assert (await tools.world.ask("DELETE", "/v1/customers/p9", "admin")).status_code == 202
    await tools.settle()
    left = await everything(tools)
    assert CANARY not in left and "of somebody else" in left


async def test_thin_deliveries_and_addresses_are_forgotten_too(tools: Tools) -> None:
    message = {
        "id": "msg_1", "is_inbound": True, "type": "email", "created_at": 1772441000, "text": CANARY,
        "recipients": [{"handle": f"{CANARY}@example.org", "role": "from"}],
    }  # fmt: skip
    event: dict[str, Any] = {"id": "evt_1", "type": "inbound", "conversation": {"id": "cnv_1", "subject": CANARY}}
    await tools.send("front", {"type": "inbound_received", "payload": {**event, "target": {"data": message}}})
    recipient = {"handle": f"{CANARY}@example.org", "role": "from"}
    thin = {
        **event,
        "id": "evt_2",
        "conversation": {**event["conversation"], "recipient": recipient},
        "target": {"data": {}},
    }
    await tools.send(
        "front", {"type": "inbound_received", "payload": thin}, b'{"handle": "%s@example.org' % CANARY.encode()
    )
    assert [state for state, _ in await tools.fates()] == ["taken", "thin", "parked"]
    customer = (await tools.one(source="front"))["customer"]["id"]
    assert (await tools.world.ask("DELETE", f"/v1/customers/{customer}", "admin")).status_code == 202
    await forget(tools)
    assert CANARY not in await everything(tools)


def test_small_numbers_are_somebodys_only_where_people_stand() -> None:
    assert "5" in ids_in(b'{"requester": {"id": 5}}') and "5" in ids_in(b"requester_id=5&x=1")
    assert "5" not in ids_in(b'{"priority": 5}')
    assert ids_in(b"\xff\xfe") == frozenset() and "1234" in ids_in(b"<Id>1234</Id>")
    deep = b'{"a":' * 5_000 + b"1"
    assert isinstance(ids_in(deep), frozenset)
