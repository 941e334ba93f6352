"""Who asks, and what they may do: API keys, tokens between services, signed links and browser sessions.

A key is `cl_<id>_<secret>_<check>`; only its SHA-256 is stored. Scopes do not imply one another. Everything signed
is HMAC-SHA256 under a key derived from the installation's secret and the purpose, so that a token made for one
purpose means nothing to another.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zlib import crc32

import orjson
from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from sqlalchemy import ARRAY, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.http.problem import Problem

metadata = MetaData(schema="access")
#: every key ever made; services read it, only `keys create|revoke` writes
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("per_second", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("revoked_at", DateTime(timezone=True)),
)

SCOPES = frozenset({"intake", "agent", "supervisor", "executive", "integration", "admin"})
#: requests a second of a key that names no limit of its own
DEFAULT_PER_SECOND = 5_000
SERVICE_TOKEN_SECONDS = 300
SESSION_SECONDS = 12 * 3600
SESSION_COOKIE = "cl_session"

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(r"cl_([0-9A-Za-z]{12})_([0-9A-Za-z]{32,64})_([0-9A-Za-z]{6})", re.ASCII)
_SERVICE_TOKEN = re.compile(r"cls_([a-z][a-z-]{0,30})_([0-9]{10,11})_([0-9a-f]{64})", re.ASCII)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: how far apart the clocks of two services may be
_SKEW_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a key, a service or a supervisor's browser. `key_id` tells them apart and is safe to log."""

    key_id: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `key` is shown once, the rest is stored."""

    key: str
    id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept. `per_second` None means the default."""

    id: str
    name: str
    scopes: frozenset[str]
    digest: bytes
    per_second: int | None = None
    revoked_at: datetime | None = None


Fetch = Callable[[str], Awaitable[StoredKey | None]]


class Door(Protocol):
    """Another way to be known (OIDC): answers who a bearer token speaks for, or None if it is not one of its own."""

    async def admit(self, token: str) -> Principal | None: ...


def _base62(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def _check(text: str) -> str:
    rest, digits = crc32(text.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits


def digest_of(key: str) -> bytes:
    """What is stored of a key. The secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).digest()


def mint() -> NewKey:
    """Makes a key."""
    key_id = _base62(12)
    start = f"cl_{key_id}_{_base62(43)}"
    key = f"{start}_{_check(start)}"
    return NewKey(key, key_id, digest_of(key))


def key_id_of(key: str) -> str | None:
    """The id inside a well-formed key; None tells a typing error without asking the database."""
    match = _KEY.fullmatch(key)
    return match[1] if match and _check(key[:-7]) == match[3] else None


def fetch_from(engine: AsyncEngine) -> Fetch:
    """Reads keys from `access.api_keys`."""
    statement = select(api_keys)

    async def fetch(key_id: str) -> StoredKey | None:
        async with engine.connect() as conn:
            row = (await conn.execute(statement.where(api_keys.c.id == key_id))).one_or_none()
        if row is None:
            return None
        return StoredKey(row.id, row.name, frozenset(row.scopes), row.digest, row.per_second, row.revoked_at)

    return fetch


class _Bucket:
    # a bucket of one second's worth: full at rest, refilled as time passes
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens, self.at = tokens, at

    def take(self, per_second: int, now: float) -> float:
        """Takes one; answers 0, or the seconds until there is one."""
        self.tokens = min(float(per_second), self.tokens + max(0.0, now - self.at) * per_second)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        return (1 - self.tokens) / per_second


@dataclass(slots=True)
class _Kept:
    key: StoredKey | None
    until: float
    principal: Principal | None


class KeyRing:
    """Knows keys for a second at a time, so that a revocation bites within a second and the database rests.

    Limits per key are kept in the process: with n replicas a key may do n times its `per_second`.
    """

    def __init__(
        self,
        fetch: Fetch,
        clock: Clock,
        *,
        secret_key: str = "",
        doors: Sequence[Door] = (),
        fresh_seconds: float = 1.0,
        most: int = 10_000,
    ) -> None:
        self._fetch, self.clock, self._doors, self._fresh, self._most = fetch, clock, doors, fresh_seconds, most
        self.secret_key = secret_key
        self._kept: dict[str, _Kept] = {}
        self._unknown: dict[str, float] = {}
        self._asked: dict[str, asyncio.Future[StoredKey | None]] = {}
        self._buckets: dict[str, _Bucket] = {}

    async def admit(self, token: str) -> Principal | None:
        """Who a bearer token speaks for; None if nobody. Raises the 429 Problem, and what `fetch` raises."""
        if token.startswith("cl_"):
            return await self._admit_key(token)
        if token.startswith("cls_"):
            service = verify_service_token(self.secret_key, token, self.clock.now())
            return Principal(f"service:{service}", service, frozenset({"service"})) if service else None
        for door in self._doors:
            principal = await door.admit(token)
            if principal is not None:
                return principal
        return None

    async def _admit_key(self, token: str) -> Principal | None:
        match = _KEY.fullmatch(token)
        if match is None:
            return None
        key_id = match[1]
        now = self.clock.now().timestamp()
        kept = self._kept.get(key_id)
        # a clock that was set back must not keep a key fresh for ever
        if kept is None or not now < kept.until <= now + self._fresh:
            if key_id_of(token) is None:
                return None  # a typing error: the database need not be asked
            kept = await self._refreshed(key_id, now)
        if kept is None or kept.key is None or not hmac.compare_digest(kept.key.digest, digest_of(token)):
            return None
        if kept.key.revoked_at is not None:
            return None
        per_second = DEFAULT_PER_SECOND if kept.key.per_second is None else max(1, kept.key.per_second)
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = _Bucket(per_second, now)
            _bound(self._buckets, self._most)
        wait = bucket.take(per_second, now)
        if wait:
            raise Problem(
                429,
                "too-many-requests",
                "Too many requests",
                f"This key may do {per_second} requests a second.",
                headers={"Retry-After": str(max(1, round(wait + 0.5)))},
            )
        return kept.principal

    async def _refreshed(self, key_id: str, now: float) -> _Kept | None:
        until = self._unknown.get(key_id)
        if until is not None and now < until <= now + self._fresh:
            return None
        key = await self._ask(key_id)
        if key is None:
            self._kept.pop(key_id, None)
            self._unknown[key_id] = now + self._fresh
            _bound(self._unknown, self._most)
            return None
        self._unknown.pop(key_id, None)
        # fresh from when it was asked for, not from when the answer came
        kept = self._kept[key_id] = _Kept(key, now + self._fresh, Principal(key.id, key.name, key.scopes))
        _bound(self._kept, self._most)
        return kept

    async def _ask(self, key_id: str) -> StoredKey | None:
        # one question at a time per key; whoever comes meanwhile waits for the same answer
        asked = self._asked.get(key_id)
        if asked is None:
            asked = self._asked[key_id] = asyncio.ensure_future(self._fetch(key_id))
            asked.add_done_callback(lambda done: self._answered(key_id, done))
        return await asyncio.shield(asked)

    def _answered(self, key_id: str, done: asyncio.Future[StoredKey | None]) -> None:
        self._asked.pop(key_id, None)
        if not done.cancelled():
            done.exception()  # everybody who waited has it


def _bound(kept: dict[str, Any], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


class Requires(SecurityBase):
    """The dependency that `requires` makes."""

    def __init__(self, scopes: frozenset[str]) -> None:
        self.scopes = scopes
        self.scheme_name = "key"
        self.model = HTTPBearer(description="`Authorization: Bearer cl_<id>_<secret>_<check>`", bearerFormat="cl_")

    async def __call__(self, request: Request) -> Principal:
        known: Principal | None = request.scope.get("principal")
        principal = known if known is not None else await _known(request)
        if not self.scopes.isdisjoint(principal.scopes):
            return principal
        needed = sorted(self.scopes)
        raise Problem(
            403,
            "forbidden",
            "Not allowed",
            f"Needs one of the scopes: {', '.join(needed)}.",
            scopes_needed=needed,
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'},
        )

    async def before_body(self, request: Request) -> None:
        """Asked by StrictRoute before it reads the body."""
        await self(request)


def requires(*scopes: str) -> Requires:
    """`principal: Annotated[Principal, Depends(requires("agent", "supervisor"))]`: any one of `scopes` is enough.

    401 for a missing, malformed, unknown or revoked credential, 403 for one without the scope, 429 over the limit.
    The scope `service` is that of the other services' tokens. Reads `request.app.state.keyring`.
    """
    return Requires(frozenset(scopes))


async def _known(request: Request) -> Principal:
    ring: KeyRing = request.app.state.keyring
    header = next(
        (value.decode("latin-1") for name, value in request.scope["headers"] if name == b"authorization"), None
    )
    principal: Principal | None
    if header is None:
        principal = session_of(request, ring)
        if principal is None:
            raise _unauthorized("A key is required.", "")
    else:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("The Authorization header must be: Bearer, a space, the key.", "invalid_request")
        principal = await ring.admit(token.strip())
        if principal is None:
            raise _unauthorized("The key is malformed, unknown, expired or revoked.", "invalid_token")
    request.scope["principal"] = principal
    return principal


def _unauthorized(detail: str, error: str) -> Problem:
    challenge = 'Bearer realm="complaint-loop"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthorized", "Not signed in", detail, headers={"WWW-Authenticate": challenge})


def principal_of(request: Request) -> Principal | None:
    """Who asks, once `requires` has let them in."""
    principal: Principal | None = request.scope.get("principal")
    return principal


# --- signed things ---------------------------------------------------------------------------------------------------


def _mac(secret: str, purpose: str, message: bytes) -> bytes:
    if not secret:
        raise ValueError("no secret key is set")
    derived = hmac.digest(secret.encode(), b"complaint-loop:" + purpose.encode(), "sha256")
    return hmac.digest(derived, message, "sha256")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unbase64url(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)


def sign(secret: str, purpose: str, payload: Sequence[str], expires_at: datetime) -> str:
    """A token for links: `payload` is readable, cannot be changed, and counts for `purpose` until `expires_at`."""
    body = orjson.dumps([int(expires_at.timestamp()), *payload])
    return f"{_base64url(body)}.{_base64url(_mac(secret, purpose, body)[:18])}"


def verify(secret: str, purpose: str, token: str, now: datetime) -> list[str] | None:
    """The payload of a token made by `sign` for the same purpose; None if it is forged, damaged or expired."""
    if not secret or len(token) > 4096:
        return None
    head, _, tail = token.partition(".")
    try:
        body = _unbase64url(head)
        genuine = hmac.compare_digest(_base64url(_mac(secret, purpose, body)[:18]).encode(), tail.encode())
    except ValueError:
        return None
    # the text too must be ours to the letter: base64 has spare bits, and one token has one spelling
    if not genuine or _base64url(body) != head:
        return None
    expires, *payload = orjson.loads(body)
    return payload if now.timestamp() < expires else None


def service_token(secret_key: str, service: str, now: datetime) -> str:
    """A token with which one service asks another (scope `service`), good for five minutes."""
    expiry = int(now.timestamp()) + SERVICE_TOKEN_SECONDS
    return f"cls_{service}_{expiry}_{_mac(secret_key, 'service', f'{service} {expiry}'.encode()).hex()}"


def verify_service_token(secret_key: str, token: str, now: datetime) -> str | None:
    """The service that a token speaks for; None if it is forged, expired or made to last longer than allowed."""
    match = _SERVICE_TOKEN.fullmatch(token)
    if match is None or not secret_key:
        return None
    service, expiry, signature = match[1], int(match[2]), match[3]
    expected = _mac(secret_key, "service", f"{service} {expiry}".encode()).hex()
    left = expiry - now.timestamp()
    genuine = hmac.compare_digest(expected, signature)
    return service if genuine and 0 < left <= SERVICE_TOKEN_SECONDS + _SKEW_SECONDS else None


# --- the supervisors' pages ------------------------------------------------------------------------------------------


def sign_in_token(secret_key: str, name: str, now: datetime, seconds: int = SESSION_SECONDS) -> str:
    """What a sign-in link carries; opening the link starts a session as supervisor `name`."""
    return sign(secret_key, "sign-in", [name], now + timedelta(seconds=seconds))


def verify_sign_in(secret_key: str, token: str, now: datetime) -> str | None:
    """The name in a sign-in token; None if it is not good."""
    payload = verify(secret_key, "sign-in", token, now)
    return payload[0] if payload else None


def session_cookie(
    secret_key: str, name: str, now: datetime, *, secure: bool, seconds: int = SESSION_SECONDS
) -> dict[str, Any]:
    """Arguments for `response.set_cookie(**…)`: a signed session of supervisor `name`; `secure` behind https."""
    return {
        "key": SESSION_COOKIE,
        "value": sign(secret_key, "session", [name], now + timedelta(seconds=seconds)),
        "max_age": seconds,
        "path": "/",
        "httponly": True,
        "samesite": "lax",
        "secure": secure,
    }


def session_of(request: Request, ring: KeyRing) -> Principal | None:
    """The supervisor whose browser asks. Only for methods that change nothing: those that do need a key (CSRF)."""
    if request.method not in _SAFE_METHODS:
        return None
    token = request.cookies.get(SESSION_COOKIE)
    payload = verify(ring.secret_key, "session", token, ring.clock.now().astimezone(UTC)) if token else None
    return Principal(f"session:{payload[0]}", payload[0], frozenset({"supervisor"})) if payload else None
