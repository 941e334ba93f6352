"""The people who act: what is said of them, and what is refused."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from tests.outage.doors import Door
from tests.outage.malforming import malformed
from tests.service.ownership_world import World

pytest_plugins = ["tests.service.ownership_world"]
CHEN = {
    "name": "Chen Yu",
    "email": "chen@example.com",
    "superior": "lead-1",
    "languages": ["zh-CN", "en", "en"],
    "time_zone": "Asia/Shanghai",
    "hours": {"mon-fri": ["09:00-12:00", "13:30-18:00"]},
    "absences": [
        {"from": "2026-05-01T00:00:00+08:00", "until": "2026-05-06T00:00:00+08:00"},
        {"from": "2026-03-09T00:00:00Z", "until": "2026-03-10T00:00:00Z"},
    ],
}


async def test_what_is_said_of_somebody_is_kept_and_what_is_left_out_stays(world: World) -> None:
    assert (await world.ask("/v1/agents/agent-7")).status_code == 404
    told = await world.put_agent("agent-7", **CHEN)
    assert told == {
        **CHEN,
        "id": "agent-7",
        "active": True,
        "languages": ["zh-CN", "en"],
        "absences": [
            {"from": "2026-03-09T00:00:00Z", "until": "2026-03-10T00:00:00Z"},
            {"from": "2026-04-30T16:00:00Z", "until": "2026-05-05T16:00:00Z"},
        ],
    }
    assert await world.put_agent("agent-7", active=False) == {**told, "active": False}
    less = await world.put_agent("agent-7", active=True, superior=None, hours=None, absences=[], email=None)
    assert less == {**told, "superior": None, "hours": None, "absences": [], "email": None}
    assert await world.get("/v1/agents/agent-7") == less


async def test_agents_are_listed_by_id_and_a_page_goes_on_where_it_ended(world: World) -> None:
    await world.contact(responder_id="agent-owner")
    for n in range(5):
        await world.put_agent(f"agent-{n}", superior="lead" if n % 2 else None, active=n != 3)
    found, cursor = [], None
    while True:
        page = await world.get("/v1/agents", limit="2", **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == [*(f"agent-{n}" for n in range(5)), "agent-owner"]
    assert [one["id"] for one in (await world.get("/v1/agents", superior="lead"))["items"]] == ["agent-1", "agent-3"]
    assert [one["id"] for one in (await world.get("/v1/agents", active="false"))["items"]] == ["agent-3"]
    assert (await world.ask("/v1/agents", cursor="xx")).status_code == 422


@pytest.mark.parametrize(
    ("told", "pointer", "message"),
    [
        ({"name": ""}, "/name", "must not be empty"),
        ({"name": "a\nb"}, "/name", "has characters or a form that is not allowed"),
        ({"email": "chen at example"}, "/email", "is no e-mail address"),
        ({"active": "yes"}, "/active", "must be true or false"),
        ({"active": None}, "/active", "must be true or false"),
        ({"superior": " x"}, "/superior", "has characters or a form that is not allowed"),
        ({"superior": "agent-7"}, "/superior", "must be somebody else"),
        ({"languages": ["english please"]}, "/languages/0", "has characters or a form that is not allowed"),
        ({"languages": "en"}, "/languages", "must be an array"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone", "is no time zone"),
        ({"hours": {"someday": ["09:00-10:00"]}}, "/hours/someday", "has a name that is no weekday"),
        ({"hours": {"mon": ["9-10"]}}, "/hours/mon/0", "is no span of hours"),
        ({"hours": {"mon": ["18:00-09:00"]}}, "/hours/mon/0", "closes before it opens"),
        ({"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "/hours", "overlap"),
        ({"hours": {"mon-fri": ["09:00-12:00"], "wed": ["13:00-14:00"]}}, "/hours", "names a weekday twice"),
        ({"hours": {}}, "/hours", "has no hours"),
        ({"hours": {"mon": []}}, "/hours", "has no hours"),
        ({"absences": [{"from": "2026-03-09"}]}, "/absences/0/from", "must be an RFC 3339 time"),
        ({"absences": [{"from": "2026-03-09T00:00:00Z"}]}, "/absences/0/until", "is required"),
        (
            {"absences": [{"from": "2026-03-09T00:00:00Z", "until": "2026-03-09T00:00:00Z"}]},
            "/absences/0",
            "must end after it begins",
        ),
        ({"absences": [{"from_": "2026-03-09T00:00:00Z", "until": "2026-03-10T00:00:00Z"}]}, "/absences/0/from", ""),
        ({"shoe_size": 43}, "/shoe_size", "is not known here"),
    ],
)
async def test_what_is_not_valid_names_its_field(world: World, told: Any, pointer: str, message: str) -> None:
    answer = await world.say_of("agent-7", told)
    assert answer.status_code == 422
    assert any(error["pointer"] == pointer and message in error["message"] for error in answer.json()["errors"])
    assert (await world.ask("/v1/agents/agent-7")).status_code == 404


async def test_supervisors_and_admins_say_and_agents_read(world: World) -> None:
    for scope, status in (("supervisor", 200), ("admin", 200), ("agent", 403), ("intake", 403)):
        assert (await world.say_of("agent-7", {"name": "Chen Yu"}, scope)).status_code == status
    for scope, status in (("agent", 200), ("supervisor", 200), ("admin", 200), ("intake", 403)):
        assert (await world.ask("/v1/agents/agent-7", scope)).status_code == status
    assert (await world.say_of("agent%20", {})).status_code == 422


async def test_no_malformed_agent_is_answered_with_a_5xx(world: World) -> None:
    dice = random.Random(20260302)
    key = f"Bearer {world.keys['admin']}".encode()
    door = Door("admin", "/v1/agents/{id}", {"id": "agent-7"}, CHEN | {"active": True})
    answers: Counter[int] = Counter()
    for _ in range(400):
        path, body, headers = malformed(door, dice)
        answer = await world.client.put(path, content=body, headers=[(b"authorization", key), *headers])
        answers[answer.status_code] += 1
        assert answer.status_code < 500, body[:300]
    assert sum(count for status, count in answers.items() if status in (400, 413, 415, 422)) > 200
    await world.sweep()
