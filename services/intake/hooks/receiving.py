"""The shelf on which deliveries are put before anybody looks at them: many that come at once in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.adapters.pieces.shape import Adapter, Endpoint, Request
from services.intake.adapters.pieces.signing import digest
from services.intake.store import deliveries as kept
from shared.transaction import by_hand

#: names of headers that no adapter needs and nobody should find in a database
_LEFT_OUT = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization", "host", "content-length"})


class Shelf:
    """Takes sets of rows, as GroupCommit hands them over."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = by_hand(engine)

    async def take(self, rows: Sequence[dict[str, Any]]) -> list[None]:
        """Commits them; raises what the database raises."""
        # one statement, which PostgreSQL commits by itself: begin and commit would be two round trips more
        async with self._engine.connect() as conn:
            await kept.keep(conn, rows)
        return [None] * len(rows)


def delivery_row(adapter: Adapter, endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """A delivery as it is stored."""
    return {
        "tool": endpoint.tool,
        "endpoint": endpoint.id,
        "identity": identity_of(adapter, request),
        "received_at": request.received_at,
        "request": {
            "method": request.method,
            "urls": request.urls,
            "query": _without_key(request.query),
            "headers": {name: value for name, value in request.headers.items() if name not in _LEFT_OUT},
        },
        "body": request.body,
    }


def identity_of(adapter: Adapter, request: Request) -> str:
    """The tool's own id of a delivery; of one that cannot even be told apart, a hash of its bytes."""
    try:
        found = adapter.identity(request)
    except Exception:  # whatever a stranger's bytes do to it: they are kept, and understood later or parked
        found = ""
    if found and len(found) <= 300 and found.isprintable():
        return found
    return digest(request.body, request.query)


def _without_key(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("key="))


def request_of(row: Any) -> Request:
    """A delivery as it came, from its row."""
    told = row.request
    return Request(
        told["method"], tuple(told["urls"]), told["query"], told["headers"], bytes(row.body), row.received_at
    )
