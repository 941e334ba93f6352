"""Batches: each contact is taken or refused by itself, and answered in its place."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.service.intake_world import World, contact, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


async def _lines(world: World, *lines: bytes, key: str | None = None) -> httpx.Response:
    headers = {"content-type": "application/x-ndjson"} | ({"idempotency-key": key} if key else {})
    return await world.ask("POST", "/v1/contacts/batch", content=b"\n".join(lines), headers=headers)


def _raw(*contacts: dict[str, Any]) -> list[bytes]:
    return [json.dumps(one).encode() for one in contacts]


async def test_one_bad_item_refuses_no_other(world: World) -> None:
    good = _raw(contact("a"), contact("b", customer={"id": "c-2"}), contact("a"))
    answer = await _lines(
        world, good[0], b"", b"{not json", good[1], b'{"source": "x"}', b'{"source": "\xff"}', good[2], b""
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result.get("duplicate", result.get("problem", {}).get("status")) for result in results] == [
        False,
        400,
        False,
        422,
        400,
        True,
    ]
    assert results[5]["contact_id"] == results[0]["contact_id"]
    pointers = {error["pointer"] for error in results[3]["problem"]["errors"]}
    assert {"/source_event_id", "/occurred_at", "/channel", "/customer"} <= pointers
    assert await world.names() == ["contact.captured"]
    assert await world.names("c-2") == ["contact.captured"]
    assert await world.findings() == []


async def test_an_array_of_a_thousand_in_order(world: World) -> None:
    body = [contact(f"m-{n}", customer={"id": f"c-{n % 300}", "tier": "gold"}) for n in range(1000)]
    answer = await world.ask("POST", "/v1/contacts/batch", json=body)
    assert answer.status_code == 200
    ids = [result["contact_id"] for result in answer.json()["results"]]
    assert len(set(ids)) == 1000
    for n in (0, 499, 999):
        assert (await world.get(f"/v1/contacts/{ids[n]}"))["source_event_id"] == f"m-{n}"
    again = await world.ask("POST", "/v1/contacts/batch", json=body)
    assert [result["contact_id"] for result in again.json()["results"]] == ids
    assert all(result["duplicate"] for result in again.json()["results"])
    assert await world.findings() == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"[]", "application/json", 200),
        (b"", "application/x-ndjson", 200),
        (b"", "application/json", 400),
        (b"null", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'[{"a": 1, "a": 2}]', "application/json", 400),
        (b"[1, 2]", "text/plain", 415),
        (b"[1, 2]", "", 415),
        (b"[%s]" % b",".join([b"1"] * 1001), "application/json", 413),
        (b"1\n" * 1001, "application/x-ndjson", 413),
        (b" " * 5_000_001, "application/x-ndjson", 413),
    ],
)
async def test_what_is_no_batch(world: World, content: bytes, kind: str, status: int) -> None:
    answer = await world.ask("POST", "/v1/contacts/batch", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text


async def test_a_batch_with_a_key_is_answered_as_the_first_time(world: World) -> None:
    lines = _raw(contact("k-1"), contact("k-2"))
    first = await _lines(world, *lines, key="one")
    again = await _lines(world, *lines, key="one")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    other = await _lines(world, *_raw(contact("k-3")), key="one")
    assert (other.status_code, other.json()["type"]) == (422, "urn:complaint-loop:problem:idempotency-key-reused")
    assert len(await world.names()) == 2
