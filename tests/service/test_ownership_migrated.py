"""What was stored by an earlier version is what this one would have stored: the migrations fill in what is new."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from runpy import run_path

from sqlalchemy import text

import services.ownership
from tests.service.ownership_world import MONDAY, World

pytest_plugins = ["tests.service.ownership_world"]
VERSIONS = Path(services.ownership.__file__).parent / "migrations" / "versions"


async def test_who_owned_a_complaint_first_is_read_from_its_events(world: World) -> None:
    world.clock.advance(timedelta(hours=1))
    await world.contact("c-1", at=MONDAY, responder_id="agent-1")  # took it an hour before it came to us
    answered = await world.contact("c-2")
    await world.response(answered, "agent-2")
    await world.contact("c-3")  # nobody's
    change = {"to": "agent-9", "reason": "role_ended", "note": "n", "accepted_by": "agent-9"}
    await world.post(f"{(await world.complaint('c-2'))['id']}/succession", change, "supervisor")
    migration = run_path(str(VERSIONS / "0003_deputies.py"))
    async with world.engine.begin() as conn:
        await conn.execute(text("update ownership.complaints set state = state - 'first_owner'"))
    assert len(await world.findings()) == 2
    async with world.engine.begin() as conn:
        await conn.execute(text(migration["_FIRST_OWNERS"].replace(":", r"\:")))
    assert await world.findings() == []
