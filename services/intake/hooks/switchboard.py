"""Which endpoints there are: known for half a second at a time, so that a new one works within a second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.adapters.pieces.shape import Endpoint
from services.intake.store import deliveries as kept
from shared.clock import Clock

from .sealed import seal, unseal

_FRESH = timedelta(seconds=0.5)
#: endpoints, known or not, that are remembered
_MOST = 1_000
#: options that are secrets too
SECRET_OPTIONS = frozenset({"api_token", "api_password", "api_secret", "api_key_id"})


def sealed_row(endpoint: Endpoint, secret_key: str) -> dict[str, Any]:
    """An endpoint as it is stored."""
    hidden = {name: value for name, value in endpoint.options.items() if name in SECRET_OPTIONS}
    words = orjson.dumps({"secret": endpoint.secret, "options": hidden})
    return {
        "tool": endpoint.tool,
        "id": endpoint.id,
        "secret": seal(secret_key, words, f"{endpoint.tool}/{endpoint.id}"),
        "url": endpoint.url,
        "options": {name: value for name, value in endpoint.options.items() if name not in SECRET_OPTIONS},
    }


def endpoint_of(row: Any, secret_key: str, tolerance: timedelta | None = None) -> Endpoint:
    """An endpoint from its row; raises UnreadableSecret."""
    words = orjson.loads(unseal(secret_key, bytes(row.secret), f"{row.tool}/{row.id}"))
    return Endpoint(row.tool, row.id, words["secret"], row.url, {**row.options, **words["options"]}, tolerance)


class Switchboard:
    """The endpoints of this installation."""

    def __init__(self, engine: AsyncEngine, clock: Clock, secret_key: str, tolerance: timedelta | None = None) -> None:
        self._engine, self._clock, self._secret_key, self._tolerance = engine, clock, secret_key, tolerance
        self._known: dict[tuple[str, str], tuple[Endpoint | None, Any]] = {}

    async def find(self, tool: str, endpoint_id: str) -> Endpoint | None:
        """An endpoint; None if there is none. Raises UnreadableSecret, and what the database raises."""
        now = self._clock.now()
        key = (tool, endpoint_id)
        known = self._known.get(key)
        # a clock that was set back must not keep an endpoint fresh for ever
        if known is not None and known[1] <= now < known[1] + _FRESH:
            return known[0]
        async with self._engine.connect() as conn:
            row = await kept.endpoint(conn, tool, endpoint_id)
        found = None if row is None else endpoint_of(row, self._secret_key, self._tolerance)
        self._known.pop(key, None)
        self._known[key] = (found, now)
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return found
