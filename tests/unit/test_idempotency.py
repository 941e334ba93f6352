"""Idempotency keys: what a ticket is, and what a real PostgreSQL makes of a set of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import ManualClock
from shared.db import make_engine, service_metadata
from shared.http import Answer, StrictRoute, create_app
from shared.idempotency import (
    BUSY,
    REUSED,
    Stored,
    Ticket,
    Ticketed,
    idempotency_table,
    keep,
    make_ticket,
    purge,
    reserve,
)

NOW = ManualClock().now()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter(route_class=StrictRoute)

    @router.post("/things/{thing_id}")
    async def post(thing_id: str, ticket: Ticketed) -> Answer:
        return Answer(None if ticket is None else [ticket.id.hex(), ticket.request.hex()])

    app = create_app(title="t", version="1", routers=[router], ready=list)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client


async def test_what_makes_a_ticket(client: httpx.AsyncClient) -> None:
    async def ask(key: str, path: str = "/things/1", body: bytes = b"{}") -> Any:
        return (await client.post(path, content=body, headers={"idempotency-key": key})).json()

    assert (await client.post("/things/1")).json() is None
    first = await ask("a")
    assert await ask("a") == first
    assert await ask('"a"') == first
    assert (await ask("b"))[0] != first[0]
    assert (await ask("a", "/things/2"))[0] != first[0]
    other = await ask("a", body=b"{ }")
    assert other[0] == first[0] and other[1] != first[1]


@pytest.mark.parametrize("key", [b"", b'""', b"x" * 256, b"\xff", b"a\tb"])
async def test_keys_that_are_none(client: httpx.AsyncClient, key: bytes) -> None:
    answer = await client.post("/things/1", headers=[(b"idempotency-key", key)])
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":idempotency-key-invalid")


async def test_openapi_shows_the_header_where_it_is_taken(client: httpx.AsyncClient) -> None:
    (header,) = [
        parameter
        for parameter in (await client.get("/openapi.json")).json()["paths"]["/things/{thing_id}"]["post"]["parameters"]
        if parameter["in"] == "header"
    ]
    assert (header["name"], header["required"]) == ("Idempotency-Key", False)


def test_a_stored_answer_says_that_it_is_one() -> None:
    response = Stored(202, b'{"id":1}').response()
    assert (response.status_code, response.body) == (202, b'{"id":1}')
    assert response.headers["idempotency-replayed"] == "true"


def ticket(key: str, body: bytes = b"body") -> Ticket:
    return make_ticket("key-1", "POST", "/v1/things", b"", key, body)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[tuple[AsyncEngine, Table]]:
    metadata = service_metadata("once")
    table = idempotency_table(metadata)
    engine = make_engine(database_url)
    async with engine.begin() as conn:
        await conn.execute(text("DROP SCHEMA IF EXISTS once CASCADE"))
        await conn.execute(text("CREATE SCHEMA once"))
        await conn.run_sync(metadata.create_all)
    yield engine, table
    await engine.dispose()


async def test_a_set_of_tickets(store: tuple[AsyncEngine, Table]) -> None:
    engine, table = store
    async with engine.begin() as conn:
        a, b = ticket("a"), ticket("b")
        assert await reserve(conn, table, []) == []
        # the third is a twin of the first in the same set, the fourth uses its key for something else
        assert await reserve(conn, table, [a, b, ticket("a"), ticket("a", b"x")]) == [None, None, BUSY, REUSED]
        async with engine.begin() as other:
            assert await reserve(other, table, [ticket("a"), ticket("c")]) == [BUSY, None]
        await keep(conn, table, [(a, 202, b"{}"), (b, 409, b"a refusal had no effect")], NOW)
    async with engine.begin() as conn:
        asked = [ticket("a"), ticket("a", b"x"), ticket("b"), ticket("c")]
        assert await reserve(conn, table, asked) == [Stored(202, b"{}"), REUSED, None, None]


async def test_what_rolls_back_was_never_done(store: tuple[AsyncEngine, Table]) -> None:
    engine, table = store
    with pytest.raises(RuntimeError):
        async with engine.begin() as conn:
            one = ticket("a")
            assert await reserve(conn, table, [one]) == [None]
            await keep(conn, table, [(one, 202, b"{}")], NOW)
            raise RuntimeError
    async with engine.begin() as conn:
        assert await reserve(conn, table, [ticket("a")]) == [None]


async def test_answers_are_forgotten(store: tuple[AsyncEngine, Table]) -> None:
    engine, table = store
    async with engine.begin() as conn:
        await keep(conn, table, [(ticket("old"), 200, b"1")], NOW - timedelta(days=8))
        await keep(conn, table, [(ticket("new"), 200, b"2")], NOW)
        assert await purge(conn, table, NOW - timedelta(days=7)) == 1
        assert await reserve(conn, table, [ticket("old"), ticket("new")]) == [None, Stored(200, b"2")]
