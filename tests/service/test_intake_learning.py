"""What an agent corrects is heard from then on; the words stay home, and go with their customer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.command.line import app
from services.intake.handlers import on_classified
from services.intake.learning import Learning
from services.intake.listening import Ears
from services.intake.store import IntakeStore, corrections
from shared.contracts.envelope import new_id
from shared.contracts.ownership import Classified
from shared.policy import Policies
from shared.work import Corridor, Input
from tests.service.intake_world import World, example_policy, world_at

_WORDS = "The little box in the hall blinks red all night and nothing streams."
_LIKE = "Again that little box in the hall blinks red all night."


def _classified(contact_id: str, **said: Any) -> Classified:
    names = {"complaint_id": new_id(), "customer_id": "c-1", "contact_ids": [contact_id], "by_id": "agent-7"}
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    return Classified.model_validate({"at": at, **names, "changed": sorted(said), **said})


async def _correct(world: World, ears: Ears, *events: Classified) -> None:
    corridor: Corridor[Any] = Corridor("intake", world.engine, world.clock, IntakeStore(ears))
    await corridor.take([Input(one.customer_id, one, on_classified) for one in events])


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


@pytest.fixture
def ears() -> Ears:
    return Ears(Policies.single(example_policy()))


async def test_a_correction_is_an_example(world: World, ears: Ears) -> None:
    told = await world.take(text=_WORDS)
    assert told["signals"]["cause"]["value"] is None
    before = ears.hearing
    learning = Learning(world.engine, ears)
    await learning.run_once()
    assert ears.hearing is before, "nothing new, nothing built"
    await _correct(world, ears, _classified(told["contact_id"], cause="router-drops"))
    await learning.run_once()
    heard = ears.hearing.hear(_LIKE)
    assert heard.cause.candidates[0][0] == "router-drops"
    assert ears.hearing.version != before.version


async def test_what_is_not_said_anew_stays(world: World, ears: Ears) -> None:
    contact_id = (await world.take(text=_WORDS))["contact_id"]
    await _correct(world, ears, _classified(contact_id, cause="router-drops"), _classified(contact_id, complaint=True))
    await _correct(world, ears, _classified(contact_id, departure_threat=False))
    async with world.engine.connect() as conn:
        assert (await corrections.edition(conn))[0] == 1
        (row,) = await corrections.examples(conn)
    assert (row.cause, row.text) == ("router-drops", _WORDS)


async def test_what_people_said_is_held_against_what_is_heard(world: World, ears: Ears, database_url: str) -> None:
    wrong = "This is a disgrace. I cancel my contract today and go to another provider."
    mistaken = (await world.take(text=wrong))["contact_id"]
    await _correct(world, ears, _classified(mistaken, complaint=False, departure_threat=False))
    await world.take(text=wrong, complaint=True, departure_threat=True)
    await world.take(text="Thank you, all is well.", complaint=False)
    given = {"COMPLAINT_LOOP_DATABASE_URL": database_url, "COMPLAINT_LOOP_POLICY_FILE": "deploy/policy.example.yaml"}
    told = await asyncio.to_thread(CliRunner().invoke, app, ["signals", "evaluate"], env=given)
    assert told.exit_code == 0, told.output
    figures = {(one.get("who"), one["what"]): one for one in map(json.loads, told.output.splitlines())}
    assert figures["agents", "complaint"]["p"] == figures["agents", "departure likely or above"]["p"] == 0.0
    assert (figures["callers", "complaint"]["f1"], figures["callers", "complaint"]["n"]) == (1.0, 2)
    assert figures["callers", "departure likely or above"]["r"] == 1.0


async def test_who_is_erased_is_no_example(world: World, ears: Ears) -> None:
    contact_id = (await world.take(text=_WORDS))["contact_id"]
    await _correct(world, ears, _classified(contact_id, cause="router-drops"))
    await world.ask("DELETE", "/v1/customers/c-1", "admin")
    async with world.engine.connect() as conn:
        assert not await corrections.examples(conn)


def _learn(database_url: str, file: Path) -> Any:
    given = {"COMPLAINT_LOOP_DATABASE_URL": database_url, "COMPLAINT_LOOP_POLICY_FILE": "deploy/policy.example.yaml"}
    return CliRunner().invoke(app, ["signals", "learn", str(file)], env=given)


async def test_the_command_line_keeps_corrections(world: World, database_url: str, tmp_path: Path) -> None:
    contact_id = (await world.take(text=_WORDS))["contact_id"]
    file = tmp_path / "known.jsonl"
    file.write_text(json.dumps({"contact_id": contact_id, "cause": "router-drops"}) + "\n")
    told = await asyncio.to_thread(_learn, database_url, file)
    assert told.exit_code == 0, told.output
    async with world.engine.connect() as conn:
        assert [row.cause for row in await corrections.examples(conn)] == ["router-drops"]
    file.write_text(json.dumps({"contact_id": contact_id, "cause": "no-such-cause"}) + "\n")
    told = await asyncio.to_thread(_learn, database_url, file)
    assert "line 1: the cause is none of the policy's" in str(told.exception)
