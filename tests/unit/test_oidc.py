"""Tokens of an issuer: taken where they are signed by its keys, meant for us and not over; scopes are ours alone."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from shared.auth.keys import Principal
from shared.auth.oidc import OidcDoor
from shared.clock import ManualClock
from shared.http import Problem

ISSUER = "https://id.example.com/care"


class Issuer:
    """Publishes keys, and counts how often it is asked for them."""

    def __init__(self) -> None:
        self.keys = KeySet([RSAKey.generate_key(2048, {"kid": "one"})])
        self.asked, self.away = 0, False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path.endswith("/openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "https://id.example.com/keys"})
        self.asked += 1
        return httpx.Response(200, json=self.keys.as_dict(private=False))

    def token(self, clock: ManualClock, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        said = {"iss": ISSUER, "aud": "complaint-loop", "sub": "user-7", "scope": "openid agent root"}
        said |= {"exp": int(clock.now().timestamp()) + 300} | claims
        key = key or self.keys.keys[0]
        header = {"alg": algorithm, "kid": key.kid}
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, kept, key, algorithms=[algorithm])


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def door(issuer: Issuer, clock: ManualClock) -> OidcDoor:
    return OidcDoor(ISSUER, "complaint-loop", "scope", clock, httpx.MockTransport(issuer.answer))


async def test_a_good_token_has_the_scopes_that_are_ours(door: OidcDoor, issuer: Issuer, clock: ManualClock) -> None:
    known = Principal("oidc:user-7", "user-7", frozenset({"agent"}))
    assert await door.admit(issuer.token(clock)) == known
    listed = await door.admit(issuer.token(clock, aud=["other", "complaint-loop"], scope=["agent", 5]))
    assert listed == known and issuer.asked == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example.com"},
        {"aud": "other"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 99999999999},
        {"sub": None},
        {"sub": "two\nlines"},
    ],
)
async def test_what_is_not_meant_or_over_is_refused(
    door: OidcDoor, issuer: Issuer, clock: ManualClock, claims: dict[str, Any]
) -> None:
    assert await door.admit(issuer.token(clock, **claims)) is None


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_only_the_issuers_keys_sign(door: OidcDoor, issuer: Issuer, clock: ManualClock) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    assert await door.admit(issuer.token(clock, stranger)) is None
    head, body, _ = issuer.token(clock).split(".")
    # the oldest trick: the public key as a shared secret
    shared = f"{_coded(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{body}"
    signed = hmac.digest(issuer.keys.keys[0].as_pem(private=False), shared.encode(), "sha256")
    assert await door.admit(f"{shared}.{_coded(signed)}") is None
    for token in (f"{head}.{body}.", "a.b.c", "..", f"eyJhbGciOiJub25lIn0.{body}."):
        assert await door.admit(token) is None


async def test_new_keys_are_found_and_a_flood_of_unknown_ones_asks_seldom(
    door: OidcDoor, issuer: Issuer, clock: ManualClock
) -> None:
    assert await door.admit(issuer.token(clock))
    issuer.keys = KeySet([ECKey.generate_key("P-256", {"kid": "two"})])
    for _ in range(20):
        assert await door.admit(issuer.token(clock, algorithm="ES256")) is None
    assert issuer.asked == 1
    clock.advance(timedelta(seconds=11))
    assert await door.admit(issuer.token(clock, algorithm="ES256")) and issuer.asked == 2


async def test_an_issuer_that_is_away(door: OidcDoor, issuer: Issuer, clock: ManualClock) -> None:
    issuer.away = True
    with pytest.raises(Problem) as away:
        await door.admit(issuer.token(clock))
    assert away.value.status_code == 503
    issuer.away = False
    assert await door.admit(issuer.token(clock))
    issuer.away = True
    clock.advance(timedelta(minutes=11))
    assert await door.admit(issuer.token(clock)), "the keys that are known go on"
