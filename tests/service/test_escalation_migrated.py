"""What was stored by an earlier version is what this one would have stored: the migrations fill in what is new."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

from sqlalchemy import text

import services.escalation
from shared.contracts import ownership
from tests.service.escalation_world import World, contact, of, opened

pytest_plugins = ["tests.service.escalation_house"]
VERSIONS = Path(services.escalation.__file__).parent / "migrations" / "versions"
_FACTS = "select id, facts from escalation.complaints order by id"


async def test_when_a_complaint_was_closed_is_read_from_the_feed(escalation: World) -> None:
    for name in ("k-1", "k-2", "k-3"):
        await escalation.tell(opened(contact(), name))
    await escalation.tell(
        of(ownership.Merged, "k-2", into_id="k-1", by_id="mia"), of(ownership.Closed, "k-2", basis="merged")
    )
    await escalation.tell(
        of(ownership.Closed, "k-3", basis="accepted"), of(ownership.Reopened, "k-3", cycle=2, through="tool")
    )
    migration = run_path(str(VERSIONS / "0006_worded.py"))
    async with escalation.engine.begin() as conn:
        known = [tuple(row) for row in await conn.execute(text(_FACTS))]
        await conn.execute(text("update escalation.complaints set facts = facts - 'closed_at' - 'merged_into'"))
        await conn.execute(text(migration["CLOSED"]))
        filled = {row.id: row.facts for row in await conn.execute(text(_FACTS))}
    for name, facts in known:
        for field in ("closed_at", "merged_into"):
            assert str(filled[name].get(field))[:19] == str(facts[field])[:19], (name, field)
    assert filled["k-2"]["merged_into"] == "k-1" and filled["k-2"]["closed_at"]
