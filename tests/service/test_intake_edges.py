"""Who may ask what, what is refused and how, lists, and what is heard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.service.intake_world import World, contact, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("POST", "/v1/contacts", {"intake"}),
        ("POST", "/v1/contacts/batch", {"intake"}),
        ("POST", "/v1/contacts/x/responses", {"intake", "agent"}),
        ("GET", "/v1/contacts", {"intake", "agent", "supervisor", "admin", "service"}),
        ("GET", "/v1/contacts/x", {"intake", "agent", "supervisor", "admin", "service"}),
        ("POST", "/v1/signals", {"intake", "agent", "supervisor", "admin"}),
        ("PUT", "/v1/customers/x", {"intake", "integration", "admin"}),
        ("GET", "/v1/customers/x", {"intake", "agent", "supervisor", "admin", "integration", "service"}),
        ("DELETE", "/v1/customers/x", {"supervisor", "integration", "admin"}),
        ("GET", "/v1/responders/x", {"intake", "agent", "supervisor", "admin", "integration", "service"}),
    ],
)
async def test_scopes(world: World, method: str, path: str, scopes: set[str]) -> None:
    allowed = {scope for scope in world.keys if (await world.ask(method, path, scope)).status_code != 403}
    assert allowed == scopes
    assert (await world.client.request(method, path)).status_code == 401


_BAD: list[tuple[dict[str, Any], str]] = [
    ({"source": ...}, "/source"),
    ({"source": ""}, "/source"),
    ({"source_event_id": 7}, "/source_event_id"),
    ({"occurred_at": "2026-03-02T09:00:00"}, "/occurred_at"),
    ({"occurred_at": "2026-02-30T09:00:00Z"}, "/occurred_at"),
    ({"channel": "pigeon"}, "/channel"),
    ({"customer": {}}, "/customer/id"),
    ({"customer": {"id": "a\u202eb"}}, "/customer/id"),
    ({"customer": {"id": "c-1", "name": "a\r\nBcc: x@example.com"}}, "/customer/name"),
    ({"customer": {"id": "c-1", "lifetime_value": {"amount": "1e5", "currency": "USD"}}}, "/customer/lifetime_value"),
    ({"complaint": "yes"}, "/complaint"),
    ({"need": "must"}, "/need"),
    ({"text": "x" * 100_001}, "/text"),
    ({"attributes": {str(n): n for n in range(51)}}, "/attributes"),
    ({"attributes": {"deep": {"a": 1}}}, "/attributes/deep"),
    ({"surprise": 1}, "/surprise"),
]


@pytest.mark.parametrize(("fields", "pointer"), _BAD)
async def test_bad_fields_are_named_and_never_echoed(world: World, fields: dict[str, Any], pointer: str) -> None:
    answer = await world.post(contact(**fields))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"])
    assert "pigeon" not in answer.text
    batch = await world.ask("POST", "/v1/contacts/batch", json=[contact(**fields)])
    (result,) = batch.json()["results"]
    assert (result["problem"]["status"], result["problem"]["errors"]) == (422, answer.json()["errors"])
    assert await world.names() == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"source": "a", "source": "b"}', 400),
        (b'{"text": "\\u0000"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": "\xff"}', 400),
        (b'{"a": NaN}', 400),
        (b'{"a": 9223372036854775808}', 400),
        (b"[" * 40 + b"]" * 40, 400),
    ],
)
async def test_what_cannot_be_read(world: World, raw: bytes, status: int) -> None:
    answer = await world.ask("POST", "/v1/contacts", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text


async def test_what_is_declared_otherwise(world: World) -> None:
    raw = json.dumps(contact()).encode()
    for kind in ("text/plain", "", "application/json; charset=latin-1"):
        answer = await world.ask("POST", "/v1/contacts", content=raw, headers={"content-type": kind})
        assert answer.status_code == 415
    kind = "application/json; charset=utf-8"
    assert (await world.ask("POST", "/v1/contacts", content=raw, headers={"content-type": kind})).status_code == 202


async def test_an_idempotency_key(world: World) -> None:
    body = contact("e-1")
    first = await world.post(body, key="k")
    again = await world.post(body, key="k")
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await world.post(contact("e-2"), key="k")
    assert (other.status_code, other.json()["type"]) == (422, "urn:complaint-loop:problem:idempotency-key-reused")
    duplicate = await world.post({**body, "text": "another body"})
    assert (duplicate.status_code, duplicate.json()["duplicate"]) == (200, True)
    assert duplicate.json()["signals"] == first.json()["signals"]
    assert await world.names() == ["contact.captured"]


async def test_lists_in_pages(world: World) -> None:
    taken = [
        (await world.take(customer={"id": f"c-{n % 2}"}, conversation_id=f"v-{n % 3}"))["contact_id"] for n in range(9)
    ]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await world.get("/v1/contacts", limit=4, **({"cursor": cursor} if cursor else {}))
        seen += [item["contact_id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == taken[::-1]
    found = await world.get("/v1/contacts", customer_id="c-1", conversation_id="v-0", source="desk")
    assert [item["contact_id"] for item in found["items"]] == [taken[3]]
    assert (await world.get("/v1/contacts", source="other"))["items"] == []
    for params in ({"cursor": "nonsense"}, {"limit": "0"}, {"limit": "201"}, {"customer_id": "x" * 201}):
        assert (await world.ask("GET", "/v1/contacts", "agent", params=params)).status_code == 422


async def test_a_question_under_an_idempotency_key_is_answered_as_before(world: World) -> None:
    keyed = {"Idempotency-Key": "asked-once"}
    body = {"items": [{"text": "I will cancel my contract.", "customer_id": "c-1"}]}
    first = await world.ask("POST", "/v1/signals", json=body, headers=keyed)
    await world.take(text="My line is dead.", customer={"id": "c-1"})
    again = await world.ask("POST", "/v1/signals", json=body, headers=keyed)
    assert (again.headers["idempotency-replayed"], again.content) == ("true", first.content)
    other = await world.ask("POST", "/v1/signals", json={"items": []}, headers=keyed)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")


async def test_what_is_heard(world: World) -> None:
    told = (await world.take(text="If this is not fixed by Friday I will cancel my contract and leave you."))["signals"]
    assert told["departure_threat"]["value"] is True
    start, end = told["departure_threat"]["quote"]
    assert 0 <= start < end <= 75
    body = {"items": [{"text": "Thank you, all is well."}, {"text": "我要退订，换别家。", "locale": "zh-CN"}]}
    heard = (await world.ask("POST", "/v1/signals", json=body)).json()["items"]
    assert [one["departure_threat"]["value"] for one in heard] == [False, True]
    believed = (await world.take(text="I will leave you.", complaint=False, departure_threat=False))["signals"]
    assert (believed["complaint"]["value"], believed["departure_threat"]["value"]) == (False, False)


async def test_the_same_trouble_again(world: World) -> None:
    first = (await world.take(cause="router-drops"))["contact_id"]
    again = await world.take(cause="router-drops", occurred_at="2026-03-02T09:00:01Z")
    assert (again["signals"]["repeat"]["value"], again["signals"]["repeat"]["of"]) == (True, first)
    other = await world.take(cause="billing-error", occurred_at="2026-03-02T09:00:02Z")
    assert other["signals"]["repeat"]["value"] is not True
    before = await world.take(cause="router-drops", occurred_at="2026-03-01T09:00:00Z")
    assert before["signals"]["repeat"]["value"] is not True
    batch = await world.ask(
        "POST",
        "/v1/contacts/batch",
        json=[contact(customer={"id": "c-5"}, cause="outage", occurred_at=f"2026-03-02T0{n}:00:00Z") for n in (1, 2)],
    )
    one, two = batch.json()["results"]
    assert two["signals"]["repeat"]["of"] == one["contact_id"]


async def test_one_conversation_repeats_nothing(world: World) -> None:
    await world.take(cause="router-drops", conversation_id="v-1")
    again = await world.take(cause="router-drops", conversation_id="v-1", occurred_at="2026-03-02T09:05:00Z")
    assert again["signals"]["repeat"]["value"] is not True
