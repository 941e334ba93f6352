"""The feed over HTTP: as pages of JSON, and as a stream of server-sent events. One shape for both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from services.escalation.api.desk import Desk
from services.escalation.feed import CutOff
from services.escalation.store import feed
from services.escalation.store.feed import Filters
from shared.auth import requires
from shared.fields import Id, Whole
from shared.http import Answer, StrictRoute, invalid, to_json

_READERS = ("supervisor", "executive", "integration")
_ABOUT = (
    "Items after a position. Filters are and-ed; `type` may be given several times, and any of them fits. `next` is "
    "where to go on from, beyond what does not fit."
)
_ABOUT_STREAM = (
    "Each item as in the pages, with its position as `id` and its type as `event`. Goes on from `Last-Event-ID`, else "
    "from `after`; without either it begins now. A comment comes every 15 seconds when nothing else does. Whoever "
    "reads too slowly gets an event `cut`, without an id, and is cut off: join again with the last id."
)
#: told to browsers: how soon to come back, in milliseconds
_RETRY = b"retry: 1000\n\n"
#: a connection that takes nothing for so long is given up
_TAKES_NOTHING_SECONDS = 30.0


async def _filters(
    level: Annotated[int | None, Query(ge=0, le=1000)] = None,
    owner_id: Annotated[Id | None, Query()] = None,
    region: Annotated[Id | None, Query()] = None,
    type: Annotated[list[Id] | None, Query(max_length=50)] = None,
) -> Filters:
    return Filters(level, owner_id, region, tuple(type or ()))


Filtered = Annotated[Filters, Depends(_filters)]


def feed_routes(desk: Desk) -> APIRouter:
    """`/v1/feed` and `/v1/feed/stream`."""
    router = APIRouter(prefix="/v1/feed", tags=["feed"], route_class=StrictRoute)
    may_read = [Depends(requires(*_READERS))]

    @router.get("", summary="What happened, in order", description=_ABOUT, dependencies=may_read)
    async def read_feed(filters: Filtered, after: Whole = 0, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Answer:
        async with desk.engine.connect() as conn:
            items, position = await feed.read(conn, after, limit, filters)
        return Answer({"items": items, "next": position})

    @router.get(
        "/stream", summary="What happens, as server-sent events", description=_ABOUT_STREAM, dependencies=may_read
    )
    async def stream_feed(
        filters: Filtered,
        after: Whole | None = None,
        last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    ) -> StreamingResponse:
        position = _position(last_event_id)
        start = position if position is not None else after
        return _Patient(
            _stream(desk, start, filters),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def _position(text: str | None) -> int | None:
    if text is None or not text.strip():
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > 2**63 - 1:
        raise invalid(("/Last-Event-ID", "must be a position of the feed"))
    return int(text)


class _Patient(StreamingResponse):
    """A stream that gives up a reader whose connection takes nothing any more: it would hold it for ever."""

    async def stream_response(self, send: Send) -> None:
        """Sends until the end, or until nothing has been taken for so long."""

        async def within_time(message: Message) -> None:
            async with asyncio.timeout(_TAKES_NOTHING_SECONDS):
                await send(message)

        async with contextlib.aclosing(cast(AsyncGenerator[bytes, None], self.body_iterator)):
            with contextlib.suppress(TimeoutError):
                await super().stream_response(within_time)


async def _stream(desk: Desk, after: int | None, filters: Filters) -> AsyncGenerator[bytes, None]:
    yield _RETRY
    try:
        async with contextlib.aclosing(desk.hub.watch(after, filters)) as watched:
            async for lines in watched:
                yield b"".join(one.sent for one in lines) if lines else b": still here\n\n"
    except CutOff as cut:
        # in the shape of an item, but without an id: whoever comes back goes on from the last real one
        told = dict.fromkeys(("level", "owner_id", "region", "reference", "complaint_id"))
        because = {"because": "this stream was read too slowly; go on from the last id"}
        told |= {"position": cut.position, "type": "cut", "at": desk.corridor.clock.now(), "data": because}
        yield b"event: cut\ndata: %s\n\n" % to_json(told)
