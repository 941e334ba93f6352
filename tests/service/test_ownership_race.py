"""Fifty agents act on twenty complaints at once over HTTP, as it is wired: each answer is the act, done once, or a 409
with the present state; nothing is done that nobody was told of, and no complaint is without its one owner."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx

from services.ownership.api import Desk, Pages, routers
from services.ownership.handlers import due_input
from shared.group import GroupCommit
from shared.http import create_app
from tests.service.ownership_world import SECRET, World

pytest_plugins = ["tests.service.ownership_world"]
AGENTS, COMPLAINTS, TURNS = 50, 20, 10
#: what each act announces, once for each time that it is done
SAYS = {
    "acknowledgement": "acknowledged",
    "updates": "customer_updated",
    "answer": "answered",
    "pause": "paused",
    "helpers": "helper_asked",
    "escalation": "escalation_asked",
    "deputy": "deputy_started",
    "succession": "owner_succeeded",
}


def act_of(chosen: random.Random, agent: str, until: str) -> tuple[str, dict[str, Any], str]:
    """(act, body, scope) of one turn."""
    who = {"agent_id": agent}
    other = f"agent-{chosen.randrange(AGENTS)}"
    answer = {"text": "We laid a new line.", "outcome": "upheld", "reasons": "fault found"}
    acts: list[tuple[str, dict[str, Any], str]] = [
        ("claim", who, "agent"),
        ("claim", who, "agent"),
        ("acknowledgement", who, "agent"),
        ("updates", who | {"text": "Soon."}, "agent"),
        ("pause", who | {"reason": "asked", "until": until}, "agent"),
        ("resume", who, "agent"),
        ("helpers", who | {"helper": other, "question": "Is it old?"}, "agent"),
        ("escalation", {"by": "agent", "reason": "stuck"} | who, "agent"),
        ("answer", who | answer, "agent"),
        ("confirmation", {"solved": chosen.random() < 0.3}, "agent"),
        ("deputy", {"agent": other, "until": until, "reason": "on leave"}, "supervisor"),
        ("deputy/end", {"reason": "back"}, "supervisor"),
        (
            "succession",
            {"to": other, "reason": "role_ended", "note": "moved", "accepted_by": other},
            "supervisor",
        ),
    ]
    return chosen.choice(acts)


async def test_fifty_agents_on_twenty_complaints(world: World) -> None:
    for n in range(COMPLAINTS):
        await world.contact(f"c-{n}")
    names = [(await world.complaint(f"c-{n}"))["id"] for n in range(COMPLAINTS)]
    group = GroupCommit(world.corridor)
    desk = Desk(world.engine, group, world.clock, Pages("http://test", SECRET, world.policies))
    app = create_app(title="ownership", version="1", routers=routers(desk), ready=list)
    app.state.keyring = world.client._transport.app.state.keyring  # type: ignore[attr-defined]
    until = (world.now + timedelta(hours=3)).isoformat()
    answers: list[tuple[str, str, httpx.Response]] = []

    async def agent(client: httpx.AsyncClient, number: int) -> None:
        chosen = random.Random(number)
        for turn in range(TURNS):
            name = chosen.choice(names)
            act, body, scope = act_of(chosen, f"agent-{number}", until)
            headers = {"authorization": f"Bearer {world.keys[scope]}", "idempotency-key": f"{number}-{turn}"}
            # an impatient tool asks again before it has an answer
            times = 2 if chosen.random() < 0.3 else 1
            asked = [client.post(f"/v1/complaints/{name}/{act}", json=body, headers=headers) for _ in range(times)]
            given = await asyncio.gather(*asked)
            done = [one for one in given if one.status_code == 200]
            assert len({one.content for one in done}) <= 1
            answers.append((name, act, done[0] if done else given[0]))
            if chosen.random() < 0.1:
                await world.corridor.sweep(due_input)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        await asyncio.gather(*(agent(client, number) for number in range(AGENTS)))
    assert {one.status_code for _, _, one in answers} <= {200, 409}
    for _, act, refused in answers:
        if refused.status_code == 409 and "state" in refused.json():
            told = refused.json()
            assert told["state"]["status"] in ("open", "answered", "closed") and isinstance(told["allowed"], list)
            assert act not in told["allowed"] or act in ("deputy", "succession", "confirmation"), (act, told)
    for n, name in enumerate(names):
        said = Counter(await world.told(f"c-{n}"))
        done = Counter(act for one, act, answer in answers if one == name and answer.status_code == 200)
        for act, kind in SAYS.items():
            assert said[kind] == done[act], (act, said, done)
        assert said["owner_assigned"] <= 1 and done["claim"] <= said["owner_assigned"]
        ledger = (await world.get(f"/v1/complaints/{name}/ownership"))["items"]
        owners = [item for item in ledger if item["role"] == "owner"]
        assert [item["until"] for item in owners[:-1]] == [item["from"] for item in owners[1:]]
        assert len(owners) == said["owner_assigned"] + said["owner_succeeded"]
        one = await world.complaint(f"c-{n}")
        assert (one["owner"] and one["owner"]["id"]) == (owners[-1]["agent"]["id"] if owners else None)
        assert sum(item["role"] == "deputy" and item["until"] is None for item in ledger) == (one["deputy"] is not None)
    assert await world.findings() == []
