"""API keys: `cl_<id>_<secret>_<check>`, of which only the SHA-256 is stored; known for a second, limited per second."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zlib import crc32

from sqlalchemy import ARRAY, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.auth.signed import verify_service_token
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

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(r"cl_([0-9A-Za-z]{12})_([0-9A-Za-z]{32,64})_([0-9A-Za-z]{6})", re.ASCII)


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
