"""`sse_last_watcher_p99_ms`: from the commit of an item of the feed until the last of five hundred streams has it.

The whole system as `make run` starts it; the ceiling is the same with one stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import uvloop

from deploy.bench.mail import milliseconds, running_system

WATCHERS = 500
ITEMS, PER_SECOND = 400, 20
_PATIENCE = 30.0
_INSERT = """
    insert into escalation.feed (type, at, level, owner_id, region, reference, complaint_id, data)
    select 'complaint.customer_updated', now(), 1, 'agent-1', 'default', 'C-BENCH', 'k-bench',
        '{"customer_id": "c-bench", "complaint_id": "k-bench", "by_id": "agent-1", "how": "phone"}'
    from pg_notify('escalation_unnumbered', '')
"""


class _Tally:
    """When each item has reached every stream."""

    def __init__(self, streams: int) -> None:
        self._streams = streams
        self._seen: dict[int, int] = {}
        self.at: dict[int, float] = {}

    def got(self, position: int) -> None:
        count = self._seen[position] = self._seen.get(position, 0) + 1
        if count == self._streams:
            self.at[position] = time.perf_counter()


class _Stream(asyncio.Protocol):
    """One watcher: reads the ids of the items as they come."""

    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request, self._tally, self._rest = request, tally, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                self._tally.got(int(line[4:]))


def run() -> Iterator[dict[str, Any]]:
    """Yields the figure."""
    with running_system() as endpoints, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        alone = runner.run(_measure(endpoints, 1))
        many = runner.run(_measure(endpoints, WATCHERS))
    yield {
        "figure": "sse_last_watcher_p99_ms",
        "value": milliseconds(many, 99),
        "unit": f"ms from commit to the last of {WATCHERS} streams, {PER_SECOND} items a second",
        "against": {
            "p50_ms": milliseconds(many, 50),
            "one_stream_p99_ms": milliseconds(alone, 99),
            "one_stream_p50_ms": milliseconds(alone, 50),
            "items": ITEMS,
        },
    }


async def _measure(endpoints: dict[str, Any], streams: int) -> list[float]:
    address = urlsplit(endpoints["http_url"])
    conn = await asyncpg.connect(endpoints["database_url"])
    head = await conn.fetchval("select coalesce(max(position), 0) from escalation.feed")
    request = (
        f"GET /v1/feed/stream?after={head} HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {endpoints['keys']['supervisor']}\r\n\r\n"
    ).encode()
    tally, loop = _Tally(streams), asyncio.get_running_loop()
    open_ones = []
    for _ in range(streams):
        _, stream = await loop.create_connection(lambda: _Stream(request, tally), address.hostname, address.port)
        open_ones.append(stream)
    await conn.execute(_INSERT)
    await _until(tally, 1)  # all have joined
    committed = []
    for number in range(ITEMS):
        await conn.execute(_INSERT)
        committed.append(time.perf_counter())
        await asyncio.sleep(max(0.0, committed[0] + (number + 1) / PER_SECOND - time.perf_counter()))
    await _until(tally, ITEMS + 1)
    for stream in open_ones:
        stream.transport.abort()
    await conn.close()
    came = [at for _, at in sorted(tally.at.items())][1:]
    return [at - began for began, at in zip(committed, came, strict=True)]


async def _until(tally: _Tally, items: int) -> None:
    end = time.monotonic() + _PATIENCE
    while len(tally.at) < items:
        if time.monotonic() > end:
            raise SystemExit(f"{len(tally.at)} of {items} items reached every stream")
        await asyncio.sleep(0.02)
