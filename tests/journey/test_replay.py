"""Ownership made anew from its topic or its journal is the same, word for word; and what is lost is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from deploy.local.trouble import Trouble
from services.command.replay import Origin, made_anew, replayed
from services.command.settings import AllSettings
from services.ownership import replay
from shared.replay import NotEmptyError
from tests.given import MIA
from tests.world import SECRET, World

PAUSE = {"agent_id": "mia", "reason": "waits for a photo", "until": "2026-03-02T12:00:00Z"}


async def lived(world: World) -> None:
    """Complaints in every state."""
    for customer in ("ann", "bob", "cem", "dora"):
        await world.contact(customer, "My router drops every evening.", complaint=True, responder=MIA)
    await world.contact("eve", "My invoice is wrong.", complaint=True)
    path = {name: f"/v1/complaints/{(await world.complaint(name))['id']}" for name in ("ann", "bob", "cem")}
    answer = {"agent_id": "mia", "text": "Done.", "outcome": "upheld", "reasons": "A fault."}
    await world.post("agent", f"{path['bob']}/answer", answer)
    await world.post("agent", f"{path['bob']}/confirmation", {"solved": False})
    await world.post("agent", f"{path['cem']}/answer", answer)
    await world.post("agent", f"{path['cem']}/confirmation", {"solved": True})
    await world.post("agent", f"{path['ann']}/pause", PAUSE)
    await world.pass_time(timedelta(hours=9), by=timedelta(hours=3))
    await world.contact("ann", "It drops still.", cause="router-drops")


async def anew(world: World, origin: Origin, into: str) -> tuple[dict[str, int], list[str]]:
    """Made anew, proved, and compared."""
    async with world.engine.begin() as conn, world.engine.connect() as live:
        counts, findings = await made_anew(conn, world.connection, origin, into)
        if into != "ownership":
            same, different = await replay.compared(live, conn, moving=False)
            counts, findings = counts | same, findings + different
    return counts, findings


@pytest.mark.parametrize("origin", list(Origin))
async def test_made_anew_it_is_the_same(world: World, origin: Origin) -> None:
    await lived(world)
    counts, findings = await anew(world, origin, "anew")
    assert findings == [] and counts["complaints"] == counts["same"] == 5
    async with world.engine.connect() as conn:
        for table, key in (("timers", "subject_id, due_at"), ("pauses", "owner_id, paused_at"), ("agents", "id, 1")):
            query = f"select {key} from {{}}.{table} order by 1, 2"
            live, made = [
                [tuple(row) for row in await conn.execute(text(query.format(schema)))]
                for schema in ("ownership", "anew")
            ]
            assert live == made and live, table
        why = await conn.scalar(text("select why from anew.events where type like '%.paused.v1'"))
    assert why == ("waits for a photo" if origin is Origin.journal else None)  # reasons are on no topic
    with pytest.raises(NotEmptyError):
        await anew(world, origin, "anew")


async def test_a_database_that_was_lost_comes_back_and_goes_on(world: World) -> None:
    await lived(world)
    before = {name: await shown(world, name) for name in ("ann", "bob", "cem", "dora", "eve")}
    async with world.engine.begin() as conn:
        tables = ", ".join(table.fullname for table in replay.metadata.sorted_tables)
        await conn.execute(text(f"truncate {tables}"))
    _, findings = await anew(world, Origin.topic, "ownership")
    assert findings == []
    async with world.engine.begin() as conn:  # what had no effect is in no book: the group has read it all the same
        read = "select 'urn:complaint-loop:escalation', cast(event_id as text), at from escalation.events"
        await conn.execute(text(f"insert into ownership.inbox {read} on conflict do nothing"))
    await world.settle()
    after = {name: await shown(world, name) for name in before}
    assert after == before
    # its clocks run on, and nothing is told again
    await world.told()
    await world.settle()
    assert await world.told() == []
    await world.pass_time(timedelta(days=1))
    assert "complaint.clock_warned" in await world.told()
    assert await world.findings() == []


async def shown(world: World, customer: str) -> Any:
    """What anybody sees of it."""
    one = await world.complaint(customer)
    return {name: value for name, value in one.items() if name != "confirmation_url"}


async def test_what_is_not_the_same_is_told(world: World) -> None:
    await lived(world)
    changes = (
        "update ownership.complaints set state = state || '{\"owner_id\": \"thief\"}' where customer_id = 'dora'",
        "delete from ownership.events where sequence = 2 and customer_id = 'eve'",
    )
    for change in changes:
        async with world.engine.begin() as conn:
            await conn.execute(text(change))
    _, from_topic = await anew(world, Origin.topic, "one")
    assert len(from_topic) == 1 and "is another" in from_topic[0]
    _, from_journal = await anew(world, Origin.journal, "two")
    assert any("event 2 is missing" in one for one in from_journal)


async def test_the_command_leaves_nothing_behind_where_all_is_right(world: World, database_url: str) -> None:
    await lived(world)
    settings = AllSettings(
        database_url=database_url,
        kafka_bootstrap_servers=world.connection.bootstrap_servers,
        secret_key=SecretStr(SECRET),
    )

    async def schemas() -> int:
        async with world.engine.connect() as conn:
            return int(await conn.scalar(text("select count(*) from pg_namespace where nspname like '%replayed'")))

    counts, findings = await replayed(settings)
    assert (findings, counts["same"], await schemas()) == ([], 5, 0)
    await replayed(settings, Origin.journal, keep=True)
    assert await schemas() == 1
    with pytest.raises(Trouble):
        await replayed(settings)
    assert (await replayed(settings, replace=True))[1] == [] and await schemas() == 0
