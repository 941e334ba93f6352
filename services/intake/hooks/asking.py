"""The loop that asks tools' APIs for what thin deliveries leave out; the deliveries were answered long before.

Within time limits, one question after the other per endpoint, no faster than the tool allows (429 with Retry-After);
what fails for the moment is asked again, ever more slowly, for a day and a half, and then parked.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.body import any_json
from services.intake.adapters.pieces.shape import Adapter, Endpoint, NotUnderstood
from services.intake.outside import LONGEST, NotNow, TooMuch, body_of, may_pass, retry_after
from services.intake.store import deliveries as kept
from shared.clock import Clock

from .receiving import request_of
from .switchboard import Switchboard
from .understanding import Found, heard, parked

log = structlog.get_logger()

_MOST = 20
_SECONDS = 10.0
_MOST_BYTES = 5_000_000
#: how often one delivery is asked for
_ATTEMPTS: Final = 16
#: how long an answer is recent, how many are kept of them, and of what size
_RECENT: Final = timedelta(minutes=10)
_MOST_RECENT: Final = 500
_MOST_RECENT_BYTES: Final = 20_000


class Recent:
    """What APIs answered lately, each for ten minutes, so that one person's ten events do not ask ten times."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], tuple[bytes, datetime]] = {}

    def find(self, key: tuple[str, str, str], now: datetime) -> bytes | None:
        """An answer that is still young; None where there is none."""
        answer, at = self._answers.get(key, (None, now))
        return answer if at <= now < at + _RECENT else None

    def keep(self, key: tuple[str, str, str], answer: bytes, now: datetime) -> None:
        """Keeps an answer, and no more than a few hundred."""
        self._answers.pop(key, None)
        if len(answer) <= _MOST_RECENT_BYTES:
            self._answers[key] = (answer, now)
        while len(self._answers) > _MOST_RECENT:
            del self._answers[next(iter(self._answers))]


class Api:
    """One endpoint's API, as an adapter asks it."""

    def __init__(
        self, client: httpx.AsyncClient, adapter: Adapter, endpoint: Endpoint, recent: Recent, now: datetime
    ) -> None:
        self._client, self._adapter, self._endpoint, self._recent = client, adapter, endpoint, recent
        self._base, self._now = _base(adapter, endpoint).rstrip("/"), now

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """JSON from the API. Raises NotNow, or NotUnderstood where asking again would not help."""
        answer = await self._answered(f"{self._base}{path}", dict(params or {}))
        if params is None:
            self._recent.keep(self._key(path), answer, self._now)
        return any_json(answer)

    async def recently(self, path: str) -> Any:
        """The same, or what was answered in the last ten minutes."""
        answer = self._recent.find(self._key(path), self._now)
        return await self.get(path) if answer is None else any_json(answer)

    async def visit(self, url: str) -> None:
        """Asks for a page that an adapter has found to be the tool's, without the endpoint's credential."""
        await self._answered(url, None)

    def _key(self, path: str) -> tuple[str, str, str]:
        return self._endpoint.tool, self._endpoint.id, path

    async def _answered(self, url: str, params: Mapping[str, str] | None) -> bytes:
        try:
            asked = self._client.build_request("GET", url, params=params)
            if params is not None:
                asked.headers.update(self._adapter.authorize(self._endpoint, str(asked.url), self._now))
            answer = await self._client.send(asked, stream=True)
            try:
                body = await body_of(answer, _MOST_BYTES)
            finally:
                await answer.aclose()
        except TooMuch:
            raise NotUnderstood("the tool's API answered with too much") from None
        except httpx.InvalidURL:
            raise NotUnderstood("the tool's API has no usable address") from None
        except httpx.TransportError as error:
            raise NotNow(f"the tool's API did not answer ({type(error).__name__})") from None
        status = answer.status_code
        if may_pass(status):
            raise NotNow(f"the tool's API answered {status}", retry_after(answer, self._now))
        if status != 200:
            raise NotUnderstood(f"the tool's API answered {status}")
        return body


class AskingLoop:
    """Completes thin deliveries. `run_once` answers how many it dealt with."""

    def __init__(
        self, clock: Clock, switchboard: Switchboard, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._clock, self._switchboard = clock, switchboard
        self._client = httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, transport=transport)
        self._patience: dict[tuple[str, str], datetime] = {}
        self._recent = Recent()

    async def run_once(self, conn: AsyncConnection) -> int:
        """One set. Raises what the database raises."""
        now = self._clock.now()
        async with conn.begin():
            rows = await kept.thin(conn, now, _MOST)
        for row in rows:
            await self._complete(conn, row, now)
        return len(rows)

    async def stop(self) -> None:
        """Lets go of its connections."""
        await self._client.aclose()

    async def _complete(self, conn: AsyncConnection, row: Any, now: datetime) -> None:
        endpoint = await self._switchboard.find(row.tool, row.endpoint)
        adapter = TOOLS.get(row.tool)
        ask = None if endpoint is None or adapter is None else _question(adapter, endpoint)
        found = Found()
        if ask is None or endpoint is None:
            why = f"{(row.why or 'thin').partition(';')[0]}; no API is configured to ask"
            found.fates.append((row.position, "thin", why, None))
        elif (until := self._patience.get((row.tool, row.endpoint))) is not None and until > now:
            found.fates.append((row.position, "thin", row.why, until))
        else:
            await self._ask(conn, found, row, endpoint, ask, now)
        async with conn.begin():
            await found.write(conn)

    async def _ask(
        self,
        conn: AsyncConnection,
        found: Found,
        row: Any,
        endpoint: Endpoint,
        ask: Callable[[Any, Api], Awaitable[Any]],
        now: datetime,
    ) -> None:
        adapter = TOOLS[row.tool]
        api = Api(self._client, adapter, endpoint, self._recent, now)
        try:
            said = await ask(request_of(row), api)
            heard(found, row, endpoint, said, now, asked=True)
        except NotUnderstood as error:
            parked(found, row, str(error)[:300], now)
        except NotNow as error:
            if row.attempts + 1 >= _ATTEMPTS:
                parked(found, row, error.why, now)
                return
            pause = min(LONGEST, timedelta(seconds=5) * 2**row.attempts) * random.uniform(0.8, 1.2)
            if error.after is not None:
                self._patience[(row.tool, row.endpoint)] = now + error.after
                pause = max(pause, error.after)
            async with conn.begin():
                await kept.postpone(conn, row.position, f"thin; {error.why}", now + pause)
        except Exception as error:  # what a foreign API sends does not stop the others
            log.error("completion_failed", tool=row.tool, position=row.position, error=type(error).__name__)
            parked(found, row, f"the tool's API answered in an unexpected form ({type(error).__name__})", now)


def _question(adapter: Adapter, endpoint: Endpoint) -> Callable[[Any, Api], Awaitable[Any]] | None:
    complete = adapter.complete
    if complete is None:
        return None
    if not adapter.asks_without_token and not (endpoint.option("api_token") and _base(adapter, endpoint)):
        return None
    return lambda request, api: complete(request, endpoint, api)


def _base(adapter: Adapter, endpoint: Endpoint) -> str:
    return endpoint.option("api_url") or adapter.api_url
