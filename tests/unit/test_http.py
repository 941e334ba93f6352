"""What the edge does with bad requests: a problem that says where, never what, and never a 5xx."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, field_validator
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.fields import Body, Day, Id, Instant, Invalid, Money, Text, instant
from shared.http import Answer, Paged, Problem, StrictRoute, create_app, encode_cursor, read_form, refused
from shared.refusal import Refusal

JSON = {"content-type": "application/json"}


class Person(Body):
    id: Id
    worth: Money | None = None


class Thing(Body):
    name: Annotated[str, Text(20)]
    at: Instant
    person: Person
    title: Annotated[str, Text(50, line=True)] | None = None
    count: int = 0
    sure: bool = False
    ratio: float = 0
    day: Day | None = None
    tags: list[Annotated[str, Text(5)]] = Field(default=[], max_length=3)
    more: dict[str, str] = Field(default_factory=dict)

    @field_validator("count")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise Invalid("must be even")
        if value == 66:
            raise ValueError(f"{value} is what the caller sent")
        return value


class SomeError(Exception):
    sqlstate = "53300"


class Canceled(Exception):
    sqlstate = "57014"


class TooLong(Exception):
    sqlstate = "22001"


FAILURES: dict[str, Exception] = {
    "bug": RuntimeError("the words of a customer"),
    "refused": ConnectionRefusedError(),
    "full": DBAPIError("SELECT 1", {}, SomeError()),
    "gone": OperationalError("SELECT 1", {}, Exception(), connection_invalidated=True),
    "late": TimeoutError(),
    "slow": DBAPIError("SELECT 1", {}, Canceled()),
    "long": DBAPIError("SELECT 1", {}, TooLong()),
}


def build(missing: list[str] | None = None, max_body: int = 100_000) -> FastAPI:
    router = APIRouter(prefix="/v1", route_class=StrictRoute)

    @router.post("/things", status_code=202)
    async def post(body: Thing) -> Answer:
        return Answer({"name": body.name, "at": body.at, "worth": body.person.worth}, 202)

    @router.get("/things")
    async def list_things(page: Paged) -> Answer:
        return Answer({"limit": page.limit, "after": page.after(str, int, datetime)})

    @router.get("/things/{thing_id}")
    async def show(thing_id: Id) -> Answer:
        raise refused(Refusal("thing-closed", "It is closed.", 409, {"state": "closed"}))

    @router.post("/forms")
    async def fill(request: Request) -> Answer:
        return Answer(await read_form(request, most=3))

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        while True:
            yield ServerSentEvent(data={})
            await asyncio.sleep(0.001)

    @router.get("/failures/{kind}")
    async def fail(kind: str) -> Answer:
        raise FAILURES[kind]

    return create_app(title="t", version="1", routers=[router], ready=lambda: missing or [], max_body=max_body)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build()) as client:
        yield client


def thing(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "at": "2026-03-02T09:00:00+08:00", "person": {"id": "p-1"}, **changes}


async def test_a_good_body(client: httpx.AsyncClient) -> None:
    body = thing(name=" trimmed ", person={"id": "p", "worth": {"amount": 12.5, "currency": "EUR"}})
    answer = await client.post("/v1/things", json=body)
    assert answer.status_code == 202
    assert answer.json() == {
        "name": "trimmed",
        "at": "2026-03-02T01:00:00Z",
        "worth": {"amount": "12.5", "currency": "EUR"},
    }
    assert len(answer.headers["x-request-id"]) == 36


UNREADABLE = [
    (b"", None),
    (b"  ", ""),
    (b"{", ""),
    (b"\xff\xfe{\x00}\x00", ""),
    (b"\xef\xbb\xbf{}", ""),
    (b'{"name":1,"name":2}', ""),
    (b'{"person":{"id":1,"id":1}}', "/person"),
    (b'{"tags":["a",{"x":NaN}]}', "/tags/1/x"),
    (b'{"ratio":-Infinity}', "/ratio"),
    (b'{"ratio":1e999}', "/ratio"),
    (b'{"count":9223372036854775808}', "/count"),
    (b'{"count":' + b"9" * 5000 + b"}", "/count"),
    (b'{"name":"\\ud800"}', "/name"),
    (b'{"name":"\\udc00\\ud800"}', "/name"),
    (b'{"name":"\\u0000"}', "/name"),
    (b'{"name":"\x00"}', ""),
    (b'{"<b>":{"name":"\\u0000"}}', ""),
    (b'{"more":{"\\u0000":"x"}}', "/more"),
    (b'{"name":"\xed\xa0\x80"}', ""),
    (b"[" * 50_000, ""),
    (b"[" * 33 + b"]" * 33, ""),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, ""),
    (b"{'a':1}", ""),
    (b'{"a":1,}', ""),
    (b'{"a":01}', ""),
    (b"{} {}", ""),
]


@pytest.mark.parametrize(("raw", "pointer"), UNREADABLE, ids=lambda v: repr(v)[:40])
async def test_unreadable(client: httpx.AsyncClient, raw: bytes, pointer: str | None) -> None:
    answer = await client.post("/v1/things", content=raw, headers=JSON)
    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:complaint-loop:problem:unreadable"
    assert problem["instance"] == answer.headers["x-request-id"]
    if pointer is not None:
        assert [e["pointer"] for e in problem["errors"]] == [pointer]


async def test_what_only_looks_bad_is_read(client: httpx.AsyncClient) -> None:
    raw = rb'{"name":"\\u0000 \\ud800","at":"2026-03-02T09:00:00Z","person":{"id":"\ud83d\ude00"}}'
    assert (await client.post("/v1/things", content=raw, headers=JSON)).status_code == 202
    deep = json.dumps(thing(more={"a": "[" * 100})).encode()
    assert (await client.post("/v1/things", content=deep, headers=JSON)).status_code == 202


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"name": 5}, "/name", "must be a string"),
    ({"name": "  "}, "/name", "must not be empty"),
    ({"name": "x" * 21}, "/name", "must have at most 20 characters"),
    ({"name": None}, "/name", "must be a string"),
    ({"title": "a@b\r\nBcc: c@d"}, "/title", "has characters or a form that is not allowed"),
    ({"sure": 1}, "/sure", "must be true or false"),
    ({"sure": "true"}, "/sure", "must be true or false"),
    ({"count": "1"}, "/count", "must be an integer"),
    ({"count": True}, "/count", "must be an integer"),
    ({"count": 1}, "/count", "must be even"),
    ({"count": 66}, "/count", "is not valid"),
    ({"ratio": True}, "/ratio", "must be a number"),
    ({"at": 5}, "/at", "must be an RFC 3339 time with an offset, such as 2026-03-02T09:00:00+08:00"),
    (
        {"at": "2026-03-02T09:00:00"},
        "/at",
        "must be an RFC 3339 time with an offset, such as 2026-03-02T09:00:00+08:00",
    ),
    ({"at": "2026-13-45T99:99:99Z"}, "/at", "is not a time that exists"),
    ({"at": "0001-01-01T00:00:00-14:00"}, "/at", "must lie in the years 1970 to 9998"),
    ({"at": "9999-12-31T23:59:59.999999+14:00"}, "/at", "must lie in the years 1970 to 9998"),
    ({"at": "9999-12-31T23:59:59.999999-14:00"}, "/at", "must lie in the years 1970 to 9998"),
    ({"day": "2026-02-30"}, "/day", "is not a day that exists"),
    ({"person": []}, "/person", "must be an object"),
    ({"person": {}}, "/person/id", "is required"),
    ({"person": {"id": " a"}}, "/person/id", "has characters or a form that is not allowed"),
    ({"person": {"id": "a\u202eb"}}, "/person/id", "has characters or a form that is not allowed"),
    ({"person": {"id": "a\nb"}}, "/person/id", "has characters or a form that is not allowed"),
    ({"person": {"id": "x" * 201}}, "/person/id", "must have at most 200 characters"),
    ({"person": {"id": "p", "other": 1}}, "/person/other", "is not known here"),
    ({"person": {"id": "p", "<script>": 1}}, "/person", "is not known here"),
    (
        {"person": {"id": "p", "worth": {"amount": True, "currency": "EUR"}}},
        "/person/worth/amount",
        "must be a decimal number",
    ),
    (
        {"person": {"id": "p", "worth": {"amount": "1e5", "currency": "EUR"}}},
        "/person/worth/amount",
        "must be a decimal number with at most 15 digits and 4 decimals",
    ),
    (
        {"person": {"id": "p", "worth": {"amount": 1e308, "currency": "EUR"}}},
        "/person/worth/amount",
        "must be a decimal number with at most 15 digits and 4 decimals",
    ),
    (
        {"person": {"id": "p", "worth": {"amount": "1", "currency": "eur"}}},
        "/person/worth/currency",
        "has characters or a form that is not allowed",
    ),
    ({"tags": ["a", "abcdef"]}, "/tags/1", "must have at most 5 characters"),
    ({"tags": ["a"] * 4}, "/tags", "must have at most 3 items"),
    ({"more": {"a b": 1}}, "/more", "must be a string"),
]


@pytest.mark.parametrize(("changes", "pointer", "message"), INVALID, ids=lambda v: str(v)[:50])
async def test_invalid(client: httpx.AsyncClient, changes: dict[str, Any], pointer: str, message: str) -> None:
    answer = await client.post("/v1/things", json=thing(**changes))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": pointer, "message": message}]


async def test_many_mistakes_are_listed_and_nothing_is_echoed(client: httpx.AsyncClient) -> None:
    nasty = "<script>' OR 1=1"
    body = {f"{nasty}{n}": nasty for n in range(100)} | {"name": {nasty: nasty}, "at": nasty, "person": nasty}
    answer = await client.post("/v1/things", json=body)
    assert answer.status_code == 422
    assert "script" not in answer.text and "1=1" not in answer.text
    assert len(answer.json()["errors"]) <= 20


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/xml", "application/json; charset=utf-16", "json", "application/jsonx"]
)
async def test_media_type(client: httpx.AsyncClient, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    assert (await client.post("/v1/things", content=b"{}", headers=headers)).status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "Application/JSON", "application/vnd.x+json"])
async def test_media_types_that_are_json(client: httpx.AsyncClient, kind: str) -> None:
    raw = json.dumps(thing()).encode()
    assert (await client.post("/v1/things", content=raw, headers={"content-type": kind})).status_code == 202


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"text=a+b&code=%E6%9D%8E", 200),
        (b"text=&code=", 200),
        (b"text=%00", 400),
        (b"text=%ff", 400),
        (b"text=\xff", 400),
        (b"text=a&text=b", 400),
        (b"a=1&b=1&c=1&d=1", 400),
    ],
)
async def test_forms(client: httpx.AsyncClient, raw: bytes, status: int) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await client.post("/v1/forms", content=raw, headers=headers)).status_code == status
    assert (await client.post("/v1/forms", content=raw, headers=JSON)).status_code == 415


async def test_too_large() -> None:
    async with client_of(build(max_body=1000)) as client:
        whole = await client.post("/v1/things", content=b"0" * 1001, headers=JSON)
        assert (whole.status_code, whole.json()["limit"]) == (413, 1000)

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b"0" * 100

        streamed = await client.post("/v1/things", content=chunks(), headers={**JSON, "transfer-encoding": "chunked"})
        assert streamed.status_code == 413
        assert streamed.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/things/%00", 400),
        ("/v1/things/%ff", 400),
        ("/v1/things?cursor=%00", 400),
        ("/v1/things?other=%ED%A0%80", 400),
        ("/v1/things?other=" + "a" * 5000, 414),
        ("/v1/things/" + "a" * 9000, 414),
        ("/v1/things/" + "a" * 201, 422),
        ("/v1/things?limit=0", 422),
        ("/v1/things?limit=201", 422),
        ("/v1/things?limit=", 422),
        ("/v1/things?limit=99999999999999999999", 422),
        ("/v1/things?limit=%F0%9F%98%80", 422),
        ("/v1/things?cursor=garbage", 422),
        ("/v1/things?cursor=" + "A" * 3000, 422),
        ("/v1/things?cursor=é", 422),
        ("/v1/things?limit=7", 200),
        ("/v1/things?limits=7", 422),
        ("/v1/things?limit=7&Cursor=", 422),
        ("/v1/things?cursor=", 200),
        ("/v1/things/", 404),
        ("/nothing", 404),
    ],
)
async def test_addresses(client: httpx.AsyncClient, address: str, status: int) -> None:
    answer = await client.get(address)
    assert answer.status_code == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_cursors(client: httpx.AsyncClient) -> None:
    at = datetime.fromisoformat("2026-03-02T09:00:00.000001+00:00")
    good = await client.get("/v1/things", params={"cursor": encode_cursor(["a", 7, at])})
    assert good.json()["after"] == ["a", 7, "2026-03-02T09:00:00.000001Z"]
    wrong: list[list[Any]] = [
        [],
        ["a", 7],
        ["a", "7", at],
        [1, 7, at],
        ["a", True, at],
        ["a", 7, "tomorrow"],
        ["a", 7, at, 1],
    ]
    for values in wrong:
        assert (await client.get("/v1/things", params={"cursor": encode_cursor(values)})).status_code == 422


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_no_text_breaks_a_cursor(text: str) -> None:
    from shared.http import decode_cursor

    with pytest.raises(Problem) as raised:
        decode_cursor(text, str, int)
    assert raised.value.status_code == 422


async def test_methods(client: httpx.AsyncClient) -> None:
    wrong = await client.delete("/v1/things")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json()["detail"] == "Allowed here: GET, HEAD, OPTIONS, POST."
    assert (await client.get("/nothing")).json()["detail"] == "Nothing is served at this path."
    asked = await client.options("/v1/things")
    assert (asked.status_code, asked.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await client.head("/v1/stream")).status_code == 200  # and ends
    head = await client.head("/v1/things")
    assert (head.status_code, head.content) == (200, b"")
    assert (await client.options("/nothing")).status_code == 404


async def test_request_ids(client: httpx.AsyncClient) -> None:
    given = await client.get("/nothing", headers={"x-request-id": "abc-1"})
    assert given.headers["x-request-id"] == given.json()["instance"] == "abc-1"
    for odd in ("a b", "<script>", "x" * 101):
        assert (await client.get("/nothing", headers={"x-request-id": odd})).headers["x-request-id"] != odd


@pytest.mark.parametrize(
    ("kind", "status"),
    [("bug", 500), ("refused", 503), ("full", 503), ("gone", 503), ("late", 503), ("slow", 503), ("long", 422)],
)
async def test_failures(client: httpx.AsyncClient, kind: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await client.get(f"/v1/failures/{kind}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers.get("retry-after") == "1") is (status == 503)
    out = capsys.readouterr()
    assert "customer" not in answer.text + out.out + out.err
    assert answer.headers["x-request-id"] in out.out + out.err


async def test_a_refusal_of_the_domain(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things/x")
    problem = answer.json()
    assert answer.status_code == 409
    assert problem["type"] == "urn:complaint-loop:problem:thing-closed"
    assert (problem["title"], problem["state"]) == ("Thing closed", "closed")


async def test_health() -> None:
    async with client_of(build()) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": []}
        counted = (await client.get("/metrics")).text
        labels = 'method="GET",route="/healthz"'
        assert f'http_requests_total{{{labels},status="200"}}' in counted
        below, count = (
            float(counted.partition(f"http_request_seconds_{what} ")[2].partition("\n")[0])
            for what in (f'bucket{{le="+Inf",{labels}}}', f"count{{{labels}}}")
        )
        assert below == count >= 1
    async with client_of(build(missing=["topics"])) as client:
        assert (await client.get("/healthz")).status_code == 200
        unready = await client.get("/readyz")
        assert (unready.status_code, unready.json()["missing"]) == (503, ["topics"])


def test_a_leap_second_is_the_moment_after_it() -> None:
    assert instant("2016-12-31T23:59:60Z") == instant("2017-01-01T00:00:00Z")
    assert instant("2017-01-01t07:59:60.5+08:00") == instant("2017-01-01T00:00:00.5Z")
    for wrong in ("2016-12-31T23:58:60Z", "2016-12-31T23:59:61Z", "9998-12-31T23:59:60-14:00"):
        with pytest.raises(Invalid):
            instant(wrong)


@pytest.mark.parametrize("kind", [Id, Annotated[str, Text(50, line=True)], Annotated[str, Text(50)]])
def test_patterns_are_published_as_any_reader_of_a_schema_knows_them(kind: Any) -> None:
    adapter = TypeAdapter(kind)
    pattern = re.compile(adapter.json_schema()["pattern"])
    for letter in map(chr, [*range(1, 0x250), *range(0x2000, 0x2070), 0x4E2D, 0xFEFF]):
        try:
            taken = adapter.validate_python(f"a{letter}b") == f"a{letter}b"
        except ValidationError:
            taken = False
        assert bool(pattern.search(f"a{letter}b")) is taken, hex(ord(letter))


async def test_openapi(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    operation = schema["paths"]["/v1/things"]["post"]
    assert set(operation["responses"]) == {"202", "4XX", "5XX"}
    assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert "Problem" in schema["components"]["schemas"]
    assert "HTTPValidationError" not in schema["components"]["schemas"]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(), max_size=30)
    | st.sampled_from(["2026-03-02T09:00:00Z", "\x00", "\ud800", "9999-12-31T23:59:59+14:00", "<script>"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    changes=st.dictionaries(st.sampled_from(list(Thing.model_fields)) | st.text(max_size=8), anything, max_size=4),
    escaped=st.booleans(),
    cut=st.integers(0, 40),
)
@settings(max_examples=150, deadline=None)
def test_no_body_gives_a_5xx(changes: dict[str, Any], escaped: bool, cut: int) -> None:
    raw = json.dumps(thing(**changes), ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    raw = raw[: len(raw) - cut] if cut > 30 else raw

    async def send() -> httpx.Response:
        async with client_of(_APP) as client:
            return await client.post("/v1/things", content=raw, headers=JSON)

    answer = asyncio.run(send())
    assert answer.status_code in (202, 400, 422)
    if answer.status_code != 202:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "<script>" not in answer.text


_APP = build()
