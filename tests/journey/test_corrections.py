"""What an agent corrects is known the next time, and what somebody else hears afterwards reaches an executive."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from services.command.line import app
from shared.clock import ManualClock
from shared.kafka import Connection
from tests.given import MIA, policy
from tests.service.opinion_world import THREAT, Endpoint, saying
from tests.world import World, world_at

_BOX = "The little box in the hall blinks red all night and nothing streams. This is unacceptable."
_LIKE = "Again the little box in the hall blinks red all night, unacceptable, nothing streams."


async def _cause(world: World, contact_id: str) -> Any:
    return (await world.get(f"/v1/contacts/{contact_id}"))["signals"]["cause"]


async def test_a_cause_that_an_agent_gives_is_heard_in_the_next_text(
    world: World, database_url: str, tmp_path: Path
) -> None:
    # given a text in which no cause is heard, and an agent who knows better
    first = await world.contact("tom", _BOX, responder=MIA)
    assert (await _cause(world, first))["value"] is None
    complaint = await world.complaint("tom")
    path = f"/v1/complaints/{complaint['id']}/classification"
    await world.post("agent", path, {"agent_id": "mia", "cause": "router-drops"})
    await world.settle()
    assert (await world.complaint("tom"))["cause"] == "router-drops"

    # when it has come back to intake and been learned, the same trouble of somebody else is known, with its product
    await world.learn()
    second = await world.contact("ada", _LIKE, responder=MIA)
    assert (await _cause(world, second))["value"] == "router-drops"
    other = await world.complaint("ada")
    assert (other["cause"], other["product"]) == ("router-drops", "fibre-1g")

    # what is known elsewhere is learned from a file, and the latest word counts
    file = tmp_path / "known.jsonl"
    file.write_text(
        "".join(json.dumps({"contact_id": one, "cause": "billing-error"}) + "\n" for one in (first, second))
    )
    given = {"COMPLAINT_LOOP_DATABASE_URL": database_url, "COMPLAINT_LOOP_POLICY_FILE": "deploy/policy.example.yaml"}
    told = await asyncio.to_thread(CliRunner().invoke, app, ["signals", "learn", str(file)], env=given)
    assert told.exit_code == 0, told.output
    await world.learn()
    third = await world.contact("eve", _LIKE, responder=MIA)
    assert (await _cause(world, third))["value"] == "billing-error"
    assert await world.findings() == []


async def test_a_threat_that_somebody_else_hears_too_reaches_an_executive(
    engine: AsyncEngine, database_url: str, topics: Connection, clock: ManualClock
) -> None:
    endpoint = Endpoint(body=saying(complaint=True, departure_threat=True, quote=THREAT[:11]))
    async with (
        endpoint.listening(),
        world_at(
            engine, database_url, topics, clock, policy(), opinion_url=endpoint.url, opinion_model="small-1"
        ) as world,
    ):
        await world.contact("tom", THREAT, responder=MIA)
        told = await world.told()
        assert told[:2] == ["contact.captured", "contact.heard_again"]
        assert "complaint.departure_threatened" in told and told[-1] == "escalation.raised"
        assert ("ask", "vp@company.example") in await world.mailed()
        assert (await world.complaint("tom"))["departure_threat"] is True
        assert len(endpoint.asked) == 1
        assert await world.findings() == []
