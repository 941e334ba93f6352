"""A human's answer to a contact that could not be handled waits for it: retried, it is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.ownership import handlers
from shared.contracts.envelope import full_type
from shared.contracts.intake import ContactCaptured
from tests.given import MIA, contact
from tests.world import World


async def number(world: World, query: str) -> int:
    async with world.engine.connect() as conn:
        return int(await conn.scalar(text(query)))


async def until(world: World, query: str) -> None:
    """Lets intake tell what it knows and ownership read it, until there is what is counted."""
    while not await number(world, query):
        for name in ("intake.understanding", "intake.ordering", "intake.relay", "ownership.consumer"):
            await world._work(name)


async def test_the_answer_to_a_parked_contact_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise LookupError("a mistake of ours")

    contract, _ = handlers.EVENTS[full_type(ContactCaptured)]
    with monkeypatch.context() as patched:
        patched.setitem(handlers.EVENTS, full_type(ContactCaptured), (contract, broken))
        words = "My router drops every evening."
        said = contact("li", words, world.clock.now(), complaint=True, channel="email")
        taken = await world.post("intake", "/v1/contacts", said)
        world.clock.advance(timedelta(minutes=10))
        answer = {"responder": MIA, "source_event_id": "r-1", "occurred_at": world.clock.now().isoformat()}
        await world.post("intake", f"/v1/contacts/{taken['contact_id']}/responses", answer)
        await until(world, "select count(*) from ownership.parked")
        await until(world, "select count(*) from ownership.early_responses")
    world.clock.advance(timedelta(hours=3))
    async with world.engine.begin() as conn:
        await conn.execute(text("update ownership.parked set state = 'retry'"))
    await world._work("ownership.parked")
    await world.settle()
    complaint = await world.complaint("li")
    assert complaint["owner"]["id"] == MIA["id"]
    met = {clock["kind"]: (clock["met_at"], clock["breached_at"]) for clock in complaint["clocks"]}
    assert met["first_response"] == ("2026-03-02T09:10:00Z", None)
    assert await number(world, "select count(*) from ownership.early_responses") == 0
    assert await world.findings() == []
