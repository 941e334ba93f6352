"""`crowd_memory_ratio`: what intake's API holds in memory after a crowd of distinct customers, against after its first
part: caches are bounded, so it stays as it is.

`python -m deploy.bench.crowd CUSTOMERS` runs with another number, such as a million, and tells how it goes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from deploy.bench.intake import intake_served

_CUSTOMERS = 100_000
_ITEMS = 1_000
_FIRST = 20_000
_JSON = {"content-type": "application/json"}
_WORDS = ("router", "bill", "drops", "again", "refund", "slow", "I will leave", "third time", "投诉", "断线", "thanks")


def run(customers: int = _CUSTOMERS, *, aloud: bool = False) -> Iterator[dict[str, Any]]:
    """Yields the figure; starts a PostgreSQL of its own, and intake as it is served alone."""
    with intake_served() as (port, key, _):
        headers = {"authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            yield _measured(client, _server(), customers, aloud)


def _measured(client: httpx.Client, pid: int, customers: int, aloud: bool) -> dict[str, Any]:
    held, waited = [], []
    for start in range(0, customers, _ITEMS):
        body = [_contact(number) for number in range(start, start + _ITEMS)]
        # answers to keys are remembered too, and responders, conversations and words that nobody has said before
        answer = client.post(
            "/v1/contacts/batch", content=json.dumps(body), headers={**_JSON, "idempotency-key": f"crowd-{start}"}
        )
        answer.raise_for_status()
        assert all("contact_id" in one for one in answer.json()["results"])
        began = time.perf_counter()
        client.post("/v1/contacts", content=json.dumps(_contact(customers + start)), headers=_JSON).raise_for_status()
        waited.append((time.perf_counter() - began) * 1000)
        if (start + _ITEMS) % _FIRST == 0:
            held.append(_megabytes(pid))
            if aloud:
                sys.stderr.write(f"{start + _ITEMS:>9,} customers  {held[-1]:.0f} MB  {waited[-1]:.1f} ms\n")
    part = max(1, len(waited) // 4)
    return {
        "figure": "crowd_memory_ratio",
        "value": round(held[-1] / held[0], 3),
        "unit": f"of the memory after {_FIRST:,} customers, after {customers:,} who each are new",
        "against": {
            "first_mb": round(held[0]),
            "last_mb": round(held[-1]),
            "post_ms_of_the_first_quarter": round(statistics.median(waited[:part]), 1),
            "post_ms_of_the_last_quarter": round(statistics.median(waited[-part:]), 1),
        },
    }


def _contact(number: int) -> dict[str, Any]:
    words = " ".join(_WORDS[number * factor % len(_WORDS)] for factor in (1, 7, 13))
    return {
        "source": "crowd",
        "source_event_id": f"e-{number}",
        "occurred_at": "2026-03-02T09:00:00Z",
        "channel": "chat",
        "customer": {"id": f"c-{number}", "name": f"Person {number}", "email": f"person{number}@example.org"},
        "responder": {"id": f"a-{number}", "name": f"Agent {number}"},
        "conversation_id": f"v-{number}",
        "text": f"About number {number}: {words}, please call {number}.",
    }


def _server() -> int:
    """The process that serves: the child of this one that is intake's."""
    for found in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((found / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"services.__main__" in (found / "cmdline").read_bytes():
                return int(found.name)
        except OSError:
            continue
    raise RuntimeError("there is no server")


def _megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


if __name__ == "__main__":
    for figure in run(int(sys.argv[1]), aloud=True):
        sys.stdout.write(json.dumps(figure) + "\n")
