"""PostgreSQL is killed and started again under load: 503 and come back, never 500, and nothing acknowledged is lost."""

from __future__ import annotations

import time

import httpx

from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

_TIMES = 3 if LONG else 1
_AWAY_SECONDS = 20.0 if LONG else 2.0
#: (scope, method, address): one of each service, of each kind
_ASKED = [
    ("supervisor", "GET", "/readyz"),
    ("supervisor", "GET", "/v1/contacts"),
    ("supervisor", "GET", "/v1/customers/someone"),
    ("supervisor", "GET", "/v1/complaints"),
    ("agent", "POST", "/v1/complaints/C-1/claim"),
    ("supervisor", "GET", "/v1/escalations"),
    ("supervisor", "GET", "/v1/promises"),
    ("supervisor", "GET", "/v1/feed"),
    ("executive", "POST", "/v1/escalations/unknown/answer/check"),
]
_BODIES = {"claim": {"agent_id": "amir"}, "check": {"executive_id": "vp", "text": "I have read your mail."}}


async def test_postgres_is_killed_under_load_and_comes_back(system: System) -> None:
    load = Load(system)
    async with load.running():
        await load.count(30)
        for _ in range(_TIMES):
            await _outage(system, load)
    assert {202, 503} <= set(load.answers) <= {200, 202, 503} and not load.broken
    assert not system.said("api", "request_failed")
    await system.ready(system.url)
    await system.verified()
    await kept_once(system, load)


async def _outage(system: System, load: Load) -> None:
    system.postgres.kill()
    back_at, told = time.monotonic() + _AWAY_SECONDS, load.answers[503]
    answers = [await _ask(system, *asked) for asked in _ASKED]
    assert [_as_promised(answer) for answer in answers] == [""] * len(_ASKED)
    assert (await _ask(system, "supervisor", "GET", "/healthz")).status_code == 200
    await until(lambda: time.monotonic() > back_at and load.answers[503] > told, "refusals", _AWAY_SECONDS + 30)
    system.postgres.again()
    await until(system.postgres.ready, "PostgreSQL")
    await load.count(30)


async def _ask(system: System, scope: str, method: str, address: str) -> httpx.Response:
    async with system.client(scope) as client:
        return await client.request(method, address, json=_BODIES.get(address.rpartition("/")[2]))


def _as_promised(answer: httpx.Response) -> str:
    """Empty for a 503 as it should be, else what was answered instead."""
    kind, after = answer.headers.get("content-type"), answer.headers.get("retry-after", "")
    if answer.status_code == 503 and kind == "application/problem+json" and after.isdecimal():
        return ""
    return f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {kind} {answer.text[:300]}"
