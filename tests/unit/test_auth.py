"""The life of a key, what each credential may do, and that a token means one thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.auth import (
    SESSION_COOKIE,
    KeyRing,
    Principal,
    StoredKey,
    key_id_of,
    mint,
    requires,
    service_token,
    session_cookie,
    sign,
    sign_in_token,
    verify,
    verify_service_token,
    verify_sign_in,
)
from shared.clock import ManualClock
from shared.fields import Body
from shared.http import Answer, Problem, StrictRoute, create_app

SECRET = "a secret of this installation, 32+"


class Keys:
    """Stands for the table: counts how often it is asked."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredKey] = {}
        self.asked = 0
        self.broken = False

    def add(self, *scopes: str, per_second: int | None = None) -> str:
        new = mint()
        self.rows[new.id] = StoredKey(new.id, "a key", frozenset(scopes), new.digest, per_second)
        return new.key

    async def fetch(self, key_id: str) -> StoredKey | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionRefusedError
        return self.rows.get(key_id)


class Empty(Body):
    pass


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app(keys: Keys, clock: ManualClock) -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/desk")
    async def desk(principal: Annotated[Principal, Depends(requires("agent", "supervisor"))]) -> Answer:
        return Answer({"name": principal.name, "key_id": principal.key_id})

    @router.post("/desk")
    async def act(body: Empty, principal: Annotated[Principal, Depends(requires("supervisor"))]) -> Answer:
        return Answer({"name": principal.name})

    @router.get("/words")
    async def words(principal: Annotated[Principal, Depends(requires("service"))]) -> Answer:
        return Answer({"name": principal.name})

    app = create_app(title="t", version="1", routers=[router], ready=list)
    app.state.keyring = KeyRing(keys.fetch, clock, secret_key=SECRET)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_minted_key_names_itself() -> None:
    new = mint()
    prefix, key_id, secret, check = new.key.split("_")
    assert (prefix, key_id, len(secret) >= 32, len(check)) == ("cl", new.id, True, 6)
    assert key_id_of(new.key) == new.id
    assert mint().key != new.key


@given(st.integers(0, 64), st.sampled_from("abcXYZ019_é"))
@settings(deadline=None)
def test_a_typing_error_is_told_without_the_table(place: int, other: str) -> None:
    key = mint().key
    place = min(place, len(key) - 1)
    changed = key[:place] + other + key[place + 1 :]
    assert (key_id_of(changed) is None) or changed == key


async def test_who_is_not_known(client: httpx.AsyncClient, keys: Keys) -> None:
    good = keys.add("agent")
    stranger = mint().key
    bad: list[Any] = [
        {},
        {"authorization": good},
        {"authorization": f"Basic {good}"},
        {"authorization": "Bearer"},
        {"authorization": b"Bearer " + b"\xff"},
        bearer("x" * 5000),
        bearer(good[:-1] + ("a" if good[-1] != "a" else "b")),
        bearer(stranger),
    ]
    for headers in bad:
        answer = await client.get("/desk", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    # 401 comes before whatever is wrong with the body
    assert (await client.post("/desk", content=b"{", headers={"content-type": "text/plain"})).status_code == 401
    assert keys.asked == 1


async def test_scopes(client: httpx.AsyncClient, keys: Keys) -> None:
    agent, admin = keys.add("agent"), keys.add("admin")
    assert (await client.get("/desk", headers=bearer(agent))).json()["name"] == "a key"
    assert (await client.get("/desk", headers={"authorization": f"bearer  {agent}"})).status_code == 200
    refused = await client.get("/desk", headers=bearer(admin))
    assert (refused.status_code, refused.json()["scopes_needed"]) == (403, ["agent", "supervisor"])
    assert (await client.post("/desk", json={}, headers=bearer(agent))).status_code == 403


async def test_a_revocation_bites_within_a_second(client: httpx.AsyncClient, keys: Keys, clock: ManualClock) -> None:
    key = keys.add("agent")
    for _ in range(5):
        assert (await client.get("/desk", headers=bearer(key))).status_code == 200
    assert keys.asked == 1
    key_id = key_id_of(key)
    assert key_id
    keys.rows[key_id] = replace(keys.rows[key_id], revoked_at=clock.now())
    clock.advance(1)
    assert (await client.get("/desk", headers=bearer(key))).status_code == 401
    clock.advance(-100)  # a clock set back keeps nothing for ever
    assert (await client.get("/desk", headers=bearer(key))).status_code == 401
    assert keys.asked == 3


async def test_a_new_key_works_within_a_second(client: httpx.AsyncClient, keys: Keys, clock: ManualClock) -> None:
    new = mint()
    for _ in range(3):
        assert (await client.get("/desk", headers=bearer(new.key))).status_code == 401
    assert keys.asked == 1
    keys.rows[new.id] = StoredKey(new.id, "new", frozenset({"agent"}), new.digest)
    clock.advance(1)
    assert (await client.get("/desk", headers=bearer(new.key))).status_code == 200


async def test_many_ask_once(app: FastAPI, keys: Keys) -> None:
    key = keys.add("agent")
    ring: KeyRing = app.state.keyring
    found = await asyncio.gather(*(ring.admit(key) for _ in range(50)))
    assert keys.asked == 1 and all(found)


async def test_the_right_id_with_another_secret(app: FastAPI, keys: Keys) -> None:
    key, other = keys.add("agent"), mint()
    key_id = key_id_of(key)
    assert key_id
    keys.rows[key_id] = replace(keys.rows[key_id], digest=other.digest)
    assert await app.state.keyring.admit(key) is None


async def test_the_database_is_away(client: httpx.AsyncClient, keys: Keys) -> None:
    key = keys.add("agent")
    keys.broken = True
    answer = await client.get("/desk", headers=bearer(key))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    keys.broken = False
    assert (await client.get("/desk", headers=bearer(key))).status_code == 200


async def test_memory_is_bounded(keys: Keys, clock: ManualClock) -> None:
    ring = KeyRing(keys.fetch, clock, most=10)
    for _ in range(30):
        assert await ring.admit(keys.add("agent"))
        assert await ring.admit(mint().key) is None
    assert max(len(ring._kept), len(ring._unknown), len(ring._buckets)) <= 10
    assert not ring._asked


async def test_the_rate_limit(client: httpx.AsyncClient, keys: Keys, clock: ManualClock) -> None:
    key, other = keys.add("agent", per_second=3), keys.add("agent")
    got = [(await client.get("/desk", headers=bearer(key))).status_code for _ in range(5)]
    assert got == [200, 200, 200, 429, 429]
    late = await client.get("/desk", headers=bearer(key))
    assert int(late.headers["retry-after"]) >= 1
    assert (await client.get("/desk", headers=bearer(other))).status_code == 200
    clock.advance(0.34)
    assert (await client.get("/desk", headers=bearer(key))).status_code == 200
    assert (await client.get("/desk", headers=bearer(key))).status_code == 429
    clock.advance(3600)  # rest does not add up beyond one second's worth
    got = [(await client.get("/desk", headers=bearer(key))).status_code for _ in range(4)]
    assert got == [200, 200, 200, 429]


async def test_services(client: httpx.AsyncClient, clock: ManualClock) -> None:
    token = service_token(SECRET, "north", clock.now())
    assert (await client.get("/words", headers=bearer(token))).json() == {"name": "north"}
    assert (await client.get("/desk", headers=bearer(token))).status_code == 403
    assert verify_service_token("another secret", token, clock.now()) is None
    assert verify_service_token(SECRET, token.replace("north", "south"), clock.now()) is None
    ahead = service_token(SECRET, "north", clock.now() + timedelta(hours=1))
    assert verify_service_token(SECRET, ahead, clock.now()) is None
    clock.advance(301)
    assert (await client.get("/words", headers=bearer(token))).status_code == 401


def test_signed_tokens(clock: ManualClock) -> None:
    token = sign(SECRET, "page", ["k-1", "李"], clock.now() + timedelta(days=1))
    assert verify(SECRET, "page", token, clock.now()) == ["k-1", "李"]
    assert verify(SECRET, "other", token, clock.now()) is None
    assert verify("another", "page", token, clock.now()) is None
    assert verify("", "page", token, clock.now()) is None
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert verify(SECRET, "page", changed, clock.now()) is None
    for odd in ("", ".", "é.é", token + "=", token + "A", " " + token, "." + token, "A" * 5000):
        assert verify(SECRET, "page", odd, clock.now()) is None
    clock.advance(timedelta(days=1))
    assert verify(SECRET, "page", token, clock.now()) is None


async def test_sessions(client: httpx.AsyncClient, keys: Keys, clock: ManualClock) -> None:
    link = sign_in_token(SECRET, "ana", clock.now())
    assert verify_sign_in(SECRET, link, clock.now()) == "ana"
    cookie = session_cookie(SECRET, "ana", clock.now(), secure=True)
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "lax", True)
    client.cookies.set(SESSION_COOKIE, cookie["value"])
    assert (await client.get("/desk")).json() == {"name": "ana", "key_id": "session:ana"}
    # what acts needs a key: a browser can be made to send a cookie
    assert (await client.post("/desk", json={})).status_code == 401
    assert (await client.post("/desk", json={}, headers=bearer(keys.add("supervisor")))).status_code == 200
    clock.advance(13 * 3600)
    assert (await client.get("/desk")).status_code == 401
    client.cookies.set(SESSION_COOKIE, link)
    assert (await client.get("/desk")).status_code == 401


async def test_another_door(keys: Keys, clock: ManualClock) -> None:
    class Tokens:
        async def admit(self, token: str) -> Principal | None:
            return Principal("oidc:1", "one", frozenset({"agent"})) if token == "a.b.c" else None

    ring = KeyRing(keys.fetch, clock, doors=[Tokens()])
    assert (await ring.admit("a.b.c")) == Principal("oidc:1", "one", frozenset({"agent"}))
    assert await ring.admit("d.e.f") is None


async def test_openapi_names_the_scheme(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert schema["paths"]["/desk"]["get"]["security"] == [{"key": []}]
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_a_limit_is_a_problem() -> None:
    assert issubclass(Problem, Exception)


async def test_what_services_have_among_themselves_is_not_offered() -> None:
    request = Request({"type": "http", "principal": Principal("k", "k", frozenset({"intake"}))})
    for scopes, offered in ((("agent", "service"), ["agent"]), (("service",), [])):
        with pytest.raises(Problem) as refused:
            await requires(*scopes)(request)
        assert refused.value.members["scopes_needed"] == offered and "service," not in refused.value.detail
