"""Fifty people act on twenty complaints at once, while some of them are deactivated and others stand in."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import httpx

from services.ownership.handlers import due_input
from tests.service.ownership_world import MONDAY, World

pytest_plugins = ["tests.service.ownership_world"]
PEOPLE, COMPLAINTS = 50, 20
#: refusals of what is asked for, not of the act: another person, a yes, or an owner who works here would be taken
_ABOUT_WHOM = (
    "agent-inactive",
    "already-owner",
    "owner-inactive",
    "owner-is-no-deputy",
    "not-the-successor",
    "no-successor-named",
    "not-answered",
)


def acts_of(chance: random.Random, me: str) -> list[tuple[str, dict[str, Any], str]]:
    """What somebody does in one turn: (act, body, scope)."""
    other = f"agent-{chance.randrange(PEOPLE)}"
    until = (MONDAY + timedelta(hours=chance.randrange(1, 100))).isoformat()
    who = {"agent_id": me}
    succession = {"to": other, "reason": "role_ended", "note": "n"}
    every = [
        ("claim", who, "agent"),
        ("updates", who | {"text": "Soon."}, "agent"),
        ("helpers", who | {"helper": other, "question": "?"}, "agent"),
        ("deputy", {"agent": other, "until": until, "reason": "r"}, "supervisor"),
        ("deputy/end", {"reason": "r"}, "supervisor"),
        ("succession", succession, "supervisor"),
        ("succession", succession | {"accepted_by": other}, "supervisor"),
        ("succession/acceptance", who, "agent"),
        ("succession/withdrawal", {"reason": "r"}, "supervisor"),
        ("answer", who | {"text": "Done.", "outcome": "upheld", "reasons": "fault"}, "agent"),
        ("confirmation", {"solved": False}, "agent"),
    ]
    return chance.sample(every, 5)


async def test_a_crowd_leaves_no_gap(world: World) -> None:
    for n in range(COMPLAINTS):
        await world.contact(f"c-{n}", responder_id=f"agent-{n}" if n % 2 else None)
    names = {f"c-{n}": (await world.complaint(f"c-{n}"))["id"] for n in range(COMPLAINTS)}
    answers: list[tuple[str, httpx.Response]] = []

    async def somebody(number: int) -> None:
        chance = random.Random(number)
        for act, body, scope in acts_of(chance, f"agent-{number}"):
            name = names[f"c-{chance.randrange(COMPLAINTS)}"]
            answers.append((act, await world.post(f"{name}/{act}", body, scope)))
        if number % 5 == 0:
            told = await world.say_of(f"agent-{number}", {"active": chance.random() < 0.3, "superior": "agent-1"})
            assert told.status_code == 200
            await world.corridor.sweep(due_input)

    await asyncio.gather(*(somebody(n) for n in range(PEOPLE)))
    await world.sweep()
    await world.pass_time(timedelta(minutes=2))

    assert {answer.status_code for _, answer in answers} == {200, 409}
    for act, answer in answers:
        if answer.status_code == 409:
            told = answer.json()
            owner = told["state"]["owner"]
            assert told["state"]["status"] in ("open", "answered") and (owner is None or owner["id"])
            assert act not in told["allowed"] or told["type"].rpartition(":")[2] in _ABOUT_WHOM, told
    done = [act for act, answer in answers if answer.status_code == 200]
    said = [kind for customer in names for kind in await world.told(customer)]
    for act, kind in (("claim", "owner_assigned"), ("helpers", "helper_asked"), ("answer", "answered")):
        assert done.count(act) <= said.count(kind)
    for name in names.values():
        items = (await world.get(f"/v1/complaints/{name}/ownership"))["items"]
        owners = [one for one in items if one["role"] == "owner"]
        assert [one["until"] for one in owners[:-1]] == [one["from"] for one in owners[1:]]
        assert not owners or owners[-1]["until"] is None
        assert sum(one["role"] == "deputy" and one["until"] is None for one in items) <= 1
    inactive = {one["id"] for one in (await world.get("/v1/agents", active="false", limit="200"))["items"]}
    listed = (await world.get("/v1/complaints", limit="200"))["items"]
    assert all(one["succession_asked"] for one in listed if one["owner"] and one["owner"]["id"] in inactive)
    assert all(one["deputy"] is None or one["deputy"]["id"] not in inactive for one in listed)
    assert await world.findings() == []
