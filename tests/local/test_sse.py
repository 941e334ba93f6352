"""The feed in a terminal: joined again without a gap or a repeat."""

from __future__ import annotations

import json
from itertools import islice

import httpx
import pytest

from deploy.local.trouble import Trouble
from services.command.feed import line_of, newest
from services.command.sse import items


def stream(first: int, last: int) -> bytes:
    told = [f"id: {n}\nevent: promise.broken\ndata: {json.dumps({'position': n})}\n\n" for n in range(first, last + 1)]
    return ("retry: 10\n\n: ping\n\n" + "".join(told) + f"id: {last + 1}\ndata: {{half").encode()


def test_it_joins_again_where_it_was_interrupted() -> None:
    asked: list[str | None] = []

    def feed(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        if len(asked) == 2:
            return httpx.Response(503)
        if len(asked) == 3:
            raise httpx.ConnectError("away")
        begin = int(asked[-1] or 0) + 1
        return httpx.Response(200, content=stream(begin, begin + 2))

    with httpx.Client(transport=httpx.MockTransport(feed), base_url="http://x") as client:
        got = [item["position"] for item in islice(items(client, "/v1/feed/stream", {"level": 2}, 4), 6)]
    assert got == [5, 6, 7, 8, 9, 10]
    assert asked == ["4", "7", "7", "7"]


def test_a_refusal_ends_it() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json={"detail": "A key is required."}))
    with httpx.Client(transport=transport, base_url="http://x") as client, pytest.raises(Trouble, match="key is requ"):
        next(items(client, "/v1/feed/stream", {}, None))


def test_a_word_of_the_server_is_no_item() -> None:
    asked: list[str | None] = []

    def feed(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        cut = b'event: cut\ndata: {"position": 99}\n\n'
        return httpx.Response(200, content=stream(len(asked), len(asked)).rpartition(b"id: ")[0] + cut)

    with httpx.Client(transport=httpx.MockTransport(feed), base_url="http://x") as client:
        assert [item["position"] for item in islice(items(client, "/v1/feed/stream", {}, 0), 2)] == [1, 2]
    assert asked == ["0", "1"]


def test_it_begins_at_the_end() -> None:
    def feed(request: httpx.Request) -> httpx.Response:
        assert request.url.params["type"] == "nothing"
        return httpx.Response(200, json={"items": [], "next": 17})

    with httpx.Client(transport=httpx.MockTransport(feed), base_url="http://x") as client:
        assert newest(client) == 17


def test_an_item_as_a_line() -> None:
    item = {
        "position": 7,
        "type": "escalation.raised",
        "at": "2026-11-22T10:00:00Z",
        "level": 2,
        "reference": "C-1",
        "data": {"kind": "claim"},
    }
    assert line_of(item).split() == ["7", "2026-11-22T10:00:00Z", "escalation.raised", "C-1", "kind=claim", "level=2"]
