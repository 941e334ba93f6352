"""The loop that reads deliveries: what they say waits for its turn, what cannot be understood is parked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import (
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Request,
    Thin,
    Unread,
    prefixed,
)
from services.intake.listening import Breath
from services.intake.store import deliveries as kept
from services.intake.store import messages as waiting
from shared.clock import Clock

from .posting import message_row
from .receiving import request_of
from .switchboard import Switchboard

log = structlog.get_logger()

_MOST = 300
#: bytes of a body that is read beside the loop
_LONG = 30_000
#: how often it is looked whether somebody wants what is parked to be retried
_RETRYING: Final = timedelta(seconds=1)
#: a repeat that comes later than this is taken for a new delivery; its messages are still known by their own ids
REMEMBERED: Final = timedelta(days=30)
#: how long an answer waits for the message that it answers
_GIVEN_UP: Final = timedelta(days=30)

FATES = Counter("complaint_loop_deliveries_total", "Deliveries of tools, by what became of them", ["tool", "fate"])


@dataclass(slots=True)
class Found:
    """What a set of deliveries amounts to."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    fates: list[tuple[int, str, str | None, datetime | None]] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, conn: AsyncConnection) -> None:
        """Keeps all of it, in the caller's transaction."""
        await waiting.wait(conn, self.messages)
        await kept.settle(conn, self.fates)
        await kept.park(conn, self.parked)


def heard(
    found: Found, row: Any, endpoint: Endpoint, said: Sequence[Heard], now: datetime, *, asked: bool = False
) -> str | None:
    """Sorts what one delivery says, and returns why it is parked; None where it is not. What is thin though the API was
    `asked` stays so until somebody changes the endpoint. One thing that is not understood has the delivery parked, and
    what else it says taken: said again, after a retry, that is known by its ids."""
    prefix = endpoint.option("prefix") or ""
    messages, thin, unread, nothing = [], None, None, "it says nothing"
    for one in said:
        one = prefixed(one, prefix)
        if isinstance(one, Thin):
            thin = one.missing
        elif isinstance(one, Nothing):
            nothing = one.why
        elif isinstance(one, Unread):
            unread = unread or one.why
        else:
            try:
                messages.append(message_row(row.tool, one, row.received_at))
            except NotUnderstood as fault:
                unread = unread or str(fault)
    found.messages += messages
    if thin is not None and not asked:
        _note(found, row, "thin", f"thin: {thin}", now)
        return None
    if unread is not None:
        parked(found, row, unread[:300], now)
    elif thin is not None:
        _note(found, row, "thin", f"thin: {thin}")
    elif messages:
        _note(found, row, "taken")
    else:
        _note(found, row, "nothing", nothing)
    return None if unread is None else unread[:300]


def _note(found: Found, row: Any, fate: str, why: str | None = None, next_at: datetime | None = None) -> None:
    found.fates.append((row.position, fate, why, next_at))
    FATES.labels(row.tool, fate).inc()


def parked(found: Found, row: Any, reason: str, now: datetime) -> None:
    """Puts a delivery into quarantine, with all that came."""
    _note(found, row, "parked", reason)
    told = row.request
    headers = [*told["headers"].items(), (":method", told["method"]), (":query", told["query"])]
    headers += [(":url", url) for url in told["urls"]]
    found.parked.append(
        {
            "parked_at": now,
            "origin": f"{kept.ORIGIN}{row.tool}/{row.endpoint}",
            "offset": row.position,
            "key": row.identity.encode(),
            "headers": [[name, value.encode().hex()] for name, value in headers],
            "value": bytes(row.body),
            "reason": reason,
        }
    )
    log.warning("delivery_parked", tool=row.tool, endpoint=row.endpoint, position=row.position, why=reason)


def understand(tool: str, request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """What a delivery says; raises NotUnderstood."""
    adapter = TOOLS.get(tool)
    if adapter is None:
        raise NotUnderstood("there is no such tool")
    try:
        return adapter.read(request, endpoint)
    except NotUnderstood:
        raise
    except Exception as error:  # it does no I/O: whatever goes wrong in it is this delivery's fault
        raise NotUnderstood(f"it has an unexpected form ({type(error).__name__})") from None


class Understanding:
    """Reads what has come. `run_once` answers how many deliveries it looked at."""

    def __init__(self, clock: Clock, switchboard: Switchboard) -> None:
        self._clock, self._switchboard = clock, switchboard
        self._purged_at: datetime | None = None
        self._retried_at: datetime | None = None

    async def run_once(self, conn: AsyncConnection) -> int:
        """One set. Raises what the database raises."""
        now = self._clock.now()
        async with conn.begin():
            rows = await kept.new(conn, _MOST)
            if rows:
                await (await self._read(rows, now)).write(conn)
        asked = await self._retry_parked(conn, now)
        await self._forget(conn, now)
        return len(rows) + asked

    async def _retry_parked(self, conn: AsyncConnection, now: datetime) -> int:
        # what is parked has no index by its state: a person waits for it, and a second is soon enough for them
        if self._retried_at is not None and abs(now - self._retried_at) < _RETRYING:
            return 0
        async with conn.begin():
            asked = await kept.to_retry(conn, _MOST)
            for row in asked:
                await self._retry(conn, row, now)
        self._retried_at = None if asked else now
        return len(asked)

    async def _read(self, rows: Sequence[Any], now: datetime) -> Found:
        found, breath = Found(), Breath()
        for row in rows:
            await breath.taken()
            await self._read_one(found, row, now)
        return found

    async def _read_one(self, found: Found, row: Any, now: datetime) -> str | None:
        """None where it is understood, else why not."""
        endpoint = await self._switchboard.find(row.tool, row.endpoint) or Endpoint(row.tool, row.endpoint, "")
        try:
            request = request_of(row)
            if len(request.body) < _LONG:
                said = understand(row.tool, request, endpoint)
            else:  # a second's worth of HTML must not hold up those who wait for an answer
                said = await asyncio.to_thread(understand, row.tool, request, endpoint)
        except NotUnderstood as error:
            parked(found, row, str(error)[:300], now)
            return str(error)
        return heard(found, row, endpoint, said, now)

    async def _retry(self, conn: AsyncConnection, row: Any, now: datetime) -> None:
        if row.origin.startswith(kept.MESSAGE_ORIGIN):
            await waiting.wait(conn, [_message_again(row)])
            await kept.retried(conn, row.id)
            return
        found = Found()
        if await self._read_one(found, _ParkedDelivery(row), now) is None:
            await kept.retried(conn, row.id)
        await found.write(conn)

    async def _forget(self, conn: AsyncConnection, now: datetime) -> None:
        if self._purged_at is not None and now - self._purged_at < timedelta(minutes=10):
            return
        self._purged_at = now
        async with conn.begin():
            await kept.purge(conn, now - REMEMBERED)
            await waiting.purge(conn, now - _GIVEN_UP)


def _message_again(row: Any) -> dict[str, Any]:
    told = orjson.loads(row.value)
    times = {name: datetime.fromisoformat(told[name]) for name in ("occurred_at", "received_at")}
    return {**told, **times, "tool": row.origin.removeprefix(kept.MESSAGE_ORIGIN)}


class _ParkedDelivery:
    """A parked row, as the delivery that it was."""

    def __init__(self, row: Any) -> None:
        self.tool, _, self.endpoint = row.origin.removeprefix(kept.ORIGIN).partition("/")
        self.position, self.body, self.received_at = row.offset, row.value or b"", row.parked_at
        self.identity = bytes(row.key or b"").decode()
        headers = [(name, bytes.fromhex(raw).decode()) for name, raw in row.headers]
        told = dict(headers)
        self.request = {
            "method": told.get(":method", "POST"),
            "query": told.get(":query", ""),
            "urls": [value for name, value in headers if name == ":url"],
            "headers": {name: value for name, value in headers if not name.startswith(":")},
        }
