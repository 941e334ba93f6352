"""Thousands of malformed bodies through the real door of every POST route: refused in one form, and never a 5xx."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import httpx

from tests.outage.doors import Door, every_door
from tests.outage.malforming import malformed
from tests.outage.system import LONG, System

_MANY = 50_000 if LONG else 5_000
_SEED = 20260302
_AT_ONCE = 8


async def test_no_malformed_body_is_answered_with_a_5xx(system: System) -> None:
    doors = await every_door(system)
    async with system.client("supervisor") as client:
        described = (await client.get("/openapi.json")).json()["paths"]
    assert {door.path for door in doors} == {path for path, methods in described.items() if "post" in methods}
    for path, methods in described.items():
        # tools have no such header, and what a service asks another is kept nowhere
        if "post" in methods and path.startswith("/v1/") and not path.startswith(("/v1/hooks/", "/v1/words/")):
            assert "Idempotency-Key" in [one["name"] for one in methods["post"]["parameters"]], path
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    share = [random.Random(f"{_SEED}/{number}") for number in range(_AT_ONCE)]
    await asyncio.gather(*(_send(system, doors, dice, answers, wrong) for dice in share))
    assert not wrong, "\n".join(wrong[:20])
    assert answers.total() >= _MANY and sum(n for status, n in answers.items() if status >= 400) > 0.8 * _MANY
    assert not system.said("api", "request_failed") and not system.said("api", "request_unstorable")
    await system.verified()


async def _send(
    system: System, doors: list[Door], dice: random.Random, answers: Counter[int], wrong: list[str]
) -> None:
    async with httpx.AsyncClient(base_url=system.url, timeout=60) as client:
        for number in range(-(-_MANY // _AT_ONCE)):
            door = doors[number % len(doors)]
            path, body, headers = malformed(door, dice)
            key = f"Bearer {system.keys[door.scope]}".encode()
            answer = await client.post(path, content=body, headers=[(b"authorization", key), *headers])
            answers[answer.status_code] += 1
            if flaw := _flaw(door, answer):
                wrong.append(f"{flaw}: {door.path} {headers} {body[:300]!r} -> {answer.text[:300]}")


def _flaw(door: Door, answer: httpx.Response) -> str:
    """What is wrong with an answer; empty when nothing is."""
    kind, status = answer.headers.get("content-type", ""), answer.status_code
    if status >= 500:
        return str(status)
    if status < 400 or (door.is_page and kind.startswith("text/html")):
        return ""
    if kind != "application/problem+json":
        return f"{status} as {kind!r}"
    told = answer.json()
    right = (
        told["status"] == status
        and told["title"]
        and told["detail"]
        and told["type"].startswith("urn:complaint-loop:problem:")
    )
    return "" if right else "no problem as it should be"
