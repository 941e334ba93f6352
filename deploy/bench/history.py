"""`long_history_ratio`: a contact of a customer who has 100,000, against the first contact of another."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import httpx

from deploy.bench.intake import intake_served

_CONTACTS = 100_000
_ITEMS = 1_000
_PAIRS = 600


def run() -> Iterator[dict[str, Any]]:
    """Yields the figure; starts a PostgreSQL of its own, and intake as it is served alone."""
    with intake_served() as (port, key, _):
        headers = {"authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            yield _measured(client)


def _contact(number: int, customer: str) -> dict[str, Any]:
    return {
        "source": "bench",
        "source_event_id": f"{customer}-{number}",
        "occurred_at": "2026-03-02T09:00:00Z",
        "channel": "chat",
        "customer": {"id": customer},
        "text": f"My router drops the line again, for the {number}th time.",
        "cause": "router-drops",
        "complaint": True,
    }


def _measured(client: httpx.Client) -> dict[str, Any]:
    for start in range(0, _CONTACTS, _ITEMS):
        body = [_contact(number, "long") for number in range(start, start + _ITEMS)]
        client.post("/v1/contacts/batch", content=json.dumps(body), headers=_JSON).raise_for_status()
    first, latest = [], []
    # in turns, so that the machine is equally busy for both
    for number in range(_PAIRS):
        first.append(_posted(client, _contact(number, f"new-{number}")))
        latest.append(_posted(client, _contact(_CONTACTS + number, "long")))
    return {
        "figure": "long_history_ratio",
        "value": round(statistics.median(latest) / statistics.median(first), 3),
        "unit": f"a customer's {_CONTACTS + 1:,}th contact against the first of another, medians of {_PAIRS}",
        "against": {
            "first_ms": round(statistics.median(first) * 1000, 2),
            "latest_ms": round(statistics.median(latest) * 1000, 2),
        },
    }


_JSON = {"content-type": "application/json"}


def _posted(client: httpx.Client, body: dict[str, Any]) -> float:
    content = json.dumps(body)
    began = time.perf_counter()
    answer = client.post("/v1/contacts", content=content, headers=_JSON)
    seconds = time.perf_counter() - began
    assert answer.status_code == 202, answer.text
    return seconds
