"""Routes that are asked thousands of times a second take a shorter way through the server, and answer the same."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response

from shared.http import Problem, RawRoute, as_served, create_app


async def _ready() -> list[str]:
    return []


router = APIRouter(prefix="/v1/things", route_class=RawRoute)


@router.post("/{kind}/{name}", response_class=Response)
async def take(kind: str, name: str, request: Request) -> Response:
    """Says what it was asked, and on which route."""
    if name == "nobody":
        raise Problem(404, "not-found", "Not found", "There is no such thing.")
    if name == "broken":
        raise ValueError("on our side")
    told = f"{kind} {name} {request.scope['route'].path} {(await request.body()).decode()}"
    return Response(told, media_type="text/plain")


@router.get("/{kind}/{name}", response_class=Response)
async def look(kind: str, name: str, request: Request) -> Response:
    """The same path, asked otherwise."""
    return Response(f"seen {kind} {name}")


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "a/b",
        "a/b?x=1",
        "a/%C3%A9",
        "a/b%2Fc",
        "a/%00",
        "a//",
        "a/",
        "a",
        "",
        "/a/b",
        "a/b/",
        "a/b/c",
        "a/nobody",
        "a/broken",
    ],
)
async def test_the_short_way_answers_as_the_long_one(method: str, path: str) -> None:
    app = create_app(title="Things", version="1", routers=[router], ready=_ready)
    told = []
    for served in (app, as_served(app)):
        transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.request(method, f"/v1/things/{path}", content=b"it", headers={"x-request-id": "r"})
        told.append((answer.status_code, answer.content, sorted(answer.headers.items())))
    assert told[0] == told[1]
    if path == "a/b" and method == "POST":
        assert told[0][:2] == (200, b"a b /v1/things/{kind}/{name} it")


async def test_the_short_way_is_short() -> None:
    """Nothing of the layers in between is asked."""
    app = create_app(title="Things", version="1", routers=[router], ready=_ready)
    served = as_served(app)

    async def nobody(*_: object) -> None:
        raise AssertionError("the long way was gone")

    served._app = nobody
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=served), base_url="http://test") as client:
        assert (await client.post("/v1/things/a/b", content=b"it")).text == "a b /v1/things/{kind}/{name} it"
