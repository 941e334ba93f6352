"""Letting go of customers' words: by their age, and not before the complaint that they are about is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.store import aging
from shared.auth import service_token
from shared.clock import Clock

log = structlog.get_logger()

#: of these contacts, (id, customer_id), those whose complaint is not over; None: nobody knows now
Needed = Callable[[Sequence[tuple[str, str]], datetime], Awaitable[set[str] | None]]


class Complaints:
    """Asks ownership which contacts belong to complaints that are open, or were closed later than words are kept."""

    def __init__(self, url: str, secret_key: str, clock: Clock) -> None:
        self._url, self._secret_key, self._clock = url, secret_key, clock
        self._client: httpx.AsyncClient | None = None

    async def needed(self, contacts: Sequence[tuple[str, str]], before: datetime) -> set[str] | None:
        """Those of them; None where ownership is away."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        token = service_token(self._secret_key, "intake", self._clock.now())
        body = {
            "before": before.isoformat(),
            "contact_ids": [one for one, _ in contacts],
            "customer_ids": sorted({customer_id for _, customer_id in contacts}),
        }
        try:
            answer = await self._client.post(
                f"{self._url}/v1/words/needed", json=body, headers={"Authorization": f"Bearer {token}"}
            )
            answer.raise_for_status()
            return set(answer.json()["contact_ids"])
        except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
            log.warning("old_words_wait", error=type(error).__name__)
            return None

    async def stop(self) -> None:
        """Lets go of the connections."""
        if self._client is not None:
            await self._client.aclose()


class OldWords:
    """`forget` goes on from where the last one came to; several at once do it once."""

    def __init__(self, engine: AsyncEngine, clock: Clock, needed: Needed) -> None:
        self._engine, self._clock, self._needed = engine, clock, needed

    async def forget(self, before: datetime, most: int) -> int:
        """Looks at up to `most` contacts and responses that were received before `before`, and at as many contacts that
        were held back; answers how many of them are dealt with."""
        return sum([await self._of(table, of, before, most) for table, of in aging.KINDS])

    async def _of(self, table: Any, of: Any, before: datetime, most: int) -> int:
        now = self._clock.now()
        async with self._engine.connect() as conn:
            found = await aging.old(conn, table, of, before, now, most)
        if not found.contacts:
            return 0
        needed = await self._needed(found.contacts, before)
        if needed is None:
            return 0
        async with self._engine.begin() as conn:
            return await aging.forget(conn, found, needed, now)
