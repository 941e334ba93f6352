"""Contacts that come as CloudEvents: three modes, one contact, whoever wrote the sender."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.service.intake_world import World, contact, world_at

TYPE = "complaintloop.contact.reported.v1"
STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"
SAID = {"ce-id": "1", "ce-source": "/s", "ce-type": TYPE, "ce-specversion": "1.0"}
BARE = {name: value for name, value in contact().items() if name not in ("source", "source_event_id", "occurred_at")}


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as made:
        yield made


def event(event_id: str = "1", data: Any = None, **attributes: Any) -> dict[str, Any]:
    """An event as a sender writes it."""
    fixed = {"specversion": "1.0", "type": TYPE, "source": "/crm/eu", "id": event_id, "time": "2026-03-02T09:00:00Z"}
    whole = fixed | {"data": BARE if data is None else data} | attributes
    return {name: value for name, value in whole.items() if value is not ...}


async def send(world: World, body: Any, kind: str = STRUCTURED, **headers: str) -> httpx.Response:
    """Posts what is JSON, or bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.ask("POST", "/v1/events", content=content, headers=given)


async def test_one_contact_whatever_the_mode(world: World) -> None:
    first = await send(world, event())
    assert first.status_code == 202, first.text
    assert first.json()["duplicate"] is False and "signals" in first.json()
    headers = {f"ce-{name}": str(value) for name, value in event(data=...).items()}
    binary = await world.ask("POST", "/v1/events", json=BARE, headers=headers)
    batch = await send(world, [event(), event("2"), event()], BATCHED)
    based = await send(world, event(data=..., data_base64=b64encode(json.dumps(BARE).encode()).decode()))
    assert [answer.status_code for answer in (binary, batch, based)] == [200, 200, 200]
    results = batch.json()["results"]
    assert [one["duplicate"] for one in (binary.json(), *results, based.json())] == [True, True, False, True, True]
    assert {one["contact_id"] for one in (binary.json(), results[0], results[2])} == {first.json()["contact_id"]}
    kept = await world.get(f"/v1/contacts/{first.json()['contact_id']}")
    assert {"source": "/crm/eu", "source_event_id": "1", "occurred_at": "2026-03-02T09:00:00Z"}.items() <= kept.items()
    listed = await world.get("/v1/contacts", source="/crm/eu")
    assert len(listed["items"]) == 2
    assert await world.names() == ["contact.captured"] * 2
    assert await world.findings() == []


@pytest.mark.parametrize("bind", [to_binary, to_structured])
async def test_the_official_sdk_talks_to_us(world: World, bind: Any) -> None:
    attributes = {"type": TYPE, "source": "https://crm.example/eu", "subject": "Grüße 100%", "partitionkey": "c-1"}
    message: HTTPMessage = bind(CloudEvent(attributes, BARE), JSONFormat())
    answers = [
        await world.ask("POST", "/v1/events", content=message.body, headers=dict(message.headers)) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 200], answers[0].text
    assert answers[0].json()["contact_id"] == answers[1].json()["contact_id"]


async def test_the_envelope_or_the_data_tells_a_repeat(world: World) -> None:
    own = contact("e-1", source="zendesk")
    first = (await send(world, event("1", own))).json()
    kept = await world.get(f"/v1/contacts/{first['contact_id']}")
    assert (kept["source"], kept["source_event_id"]) == ("zendesk", "e-1")
    # the same envelope with other data, another envelope with the same data, and the data alone
    other = contact("e-2", source="zendesk", customer={"id": "c-2"})
    assert (await send(world, event("1", other))).json() == first | {"duplicate": True}
    assert (await send(world, event("2", own))).json() == first | {"duplicate": True}
    assert (await world.post(own)).json() == first | {"duplicate": True}
    # that other envelope is known by now as well
    assert (await send(world, event("2", other))).json() == first | {"duplicate": True}
    # and what was only ever in an envelope is nobody's identity at the other door
    assert (await world.post(contact("1", source="/crm/eu"))).json()["duplicate"] is False
    assert (await world.post(other)).json()["duplicate"] is False


async def test_half_an_identity_is_filled(world: World) -> None:
    data = {**BARE, "source": "zendesk", "occurred_at": None}
    answer = (await send(world, event("77", data))).json()
    kept = await world.get(f"/v1/contacts/{answer['contact_id']}")
    assert (kept["source"], kept["source_event_id"]) == ("zendesk", "77")


async def test_one_envelope_raced_with_different_customers_is_one_contact(world: World) -> None:
    sent = [event("race", {**BARE, "source_event_id": f"r-{n}", "customer": {"id": f"c-{n}"}}) for n in range(12)]
    answers = await asyncio.gather(*(send(world, one) for one in sent))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [202]
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    assert len((await world.get("/v1/contacts", source="/crm/eu"))["items"]) == 1


async def test_a_batch_raced_with_its_likeness_in_another_order(world: World) -> None:
    sent = [event(f"b-{n}", {**BARE, "customer": {"id": f"c-{n % 7}"}}) for n in range(120)]
    answers = await asyncio.gather(*(send(world, body, BATCHED) for body in (sent, sent[::-1], sent)))
    results = [one for answer in answers for one in answer.json()["results"]]
    assert all("contact_id" in one for one in results)
    assert sum(not one["duplicate"] for one in results) == 120
    assert await world.findings() == []


async def test_one_bad_event_of_a_batch_refuses_no_other(world: World) -> None:
    sent = [
        event("1"),
        5,
        event("2", type="com.example.other"),
        event("3", {}),
        event("4", specversion="2.0"),
        event("5"),
    ]
    answer = await send(world, sent, BATCHED)
    results = answer.json()["results"]
    assert [one.get("problem", {}).get("type", "").rpartition(":")[2] for one in results] == [
        "", "invalid", "unknown-event-type", "invalid", "invalid", "",
    ]  # fmt: skip
    assert {error["pointer"] for error in results[3]["problem"]["errors"]} == {"/data/channel", "/data/customer"}
    assert (await send(world, [], BATCHED)).json() == {"results": []}
    assert (await send(world, [event()] * 1001, BATCHED)).status_code == 413


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"type": "complaintloop.contact.reported.v2"}, 422, None),
        ({"specversion": "0.3"}, 422, "/specversion"),
        ({"id": ...}, 422, "/id"),
        ({"time": ...}, 422, "/data/occurred_at"),
        ({"time": "2026-03-02"}, 422, "/time"),
        ({"id": "x" * 201}, 422, "/id"),
        ({"source": "urn:" + "x" * 1000}, 422, "/source"),
        ({"data": 5}, 422, "/data"),
        ({"data": ...}, 422, "/data"),
        ({"data": {**BARE, "extra": 1}}, 422, "/data/extra"),
        ({"data": {**BARE, "customer": {"id": ""}}}, 422, "/data/customer/id"),
        ({"datacontenttype": "text/xml"}, 422, "/datacontenttype"),
    ],
)
async def test_what_is_refused(world: World, changed: dict[str, Any], status: int, pointer: str | None) -> None:
    answer = await send(world, event(**changed))
    assert answer.status_code == status, answer.text
    problem = answer.json()
    if pointer is None:
        assert problem["type"] == "urn:complaint-loop:problem:unknown-event-type"
    else:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert "x" * 50 not in answer.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {"content-type": STRUCTURED}, 400),
        (b"{", {"content-type": STRUCTURED}, 400),
        (b"{}", {"content-type": BATCHED}, 422),
        (b"[]", {"content-type": STRUCTURED}, 422),
        (b"<a/>", {"content-type": "application/cloudevents+xml"}, 415),
        (b"{}", {"content-type": STRUCTURED + "; charset=latin-1"}, 415),
        (b"{}", {"content-type": "application/json"}, 422),
        (b"{}", {}, 422),
        (b"<a/>", SAID | {"content-type": "text/xml"}, 415),
        (b"", SAID, 400),
        (b"", SAID | {"ce-type": "other"}, 422),
        (b"{}", SAID | {"ce-id": "%"}, 400),
    ],
)  # fmt: skip
async def test_what_is_no_event_at_all(world: World, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = await world.ask("POST", "/v1/events", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_a_long_uri_is_a_source(world: World) -> None:
    source = "https://crm.example/" + "s" * 980
    assert (await send(world, event(source=source))).status_code == 202
    assert len((await world.get("/v1/contacts", source=source))["items"]) == 1
    # with its own identity in the data an envelope may say anything
    assert (await send(world, event("y" * 3000, contact(), source="urn:" + "z" * 3000))).status_code == 202


async def test_a_key_is_honoured_and_headers_are_part_of_the_request(world: World) -> None:
    first = await send(world, event(), idempotency_key="k")
    again = await send(world, event(), idempotency_key="k")
    assert (again.status_code, again.content) == (202, first.content)
    headers = {f"ce-{name}": str(value) for name, value in event("8", data=...).items()} | {"idempotency-key": "b"}
    assert (await world.ask("POST", "/v1/events", json=BARE, headers=headers)).status_code == 202
    assert (await world.ask("POST", "/v1/events", json=BARE, headers=headers)).status_code == 202
    other = await world.ask("POST", "/v1/events", json=BARE, headers=headers | {"ce-id": "9"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:complaint-loop:problem:idempotency-key-reused")
    assert (await send(world, [event("7")], BATCHED, idempotency_key="c")).status_code == 200
    assert len(await world.names()) == 3


async def test_only_tools_report(world: World) -> None:
    answer = await world.ask("POST", "/v1/events", "agent", json=event())
    assert answer.status_code == 403
