"""The feed in this process: the one writer of positions, and the hub that tells every watcher of new items.

The hub reads each new item and writes its line once, however many watch. A watcher that reads slower than items
come is told and cut off; with the last position it has seen it can go on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.escalation.store import feed
from services.escalation.store.feed import Filters
from shared.db import is_transient
from shared.faults import fault
from shared.http import to_json
from shared.outbox import Bell, lock_number, ring_on_commit

log = structlog.get_logger()

#: who numbers: one process at a time holds this lock
WRITER_KEY = lock_number("feed", "escalation")
#: rung when items wait for a position, and when new positions can be read
UNNUMBERED, NUMBERED = "escalation_unnumbered", "escalation_feed"
#: items that may wait for one watcher
MOST_WAITING = 2_000
_PAGE = 500


async def number_once(conn: AsyncConnection, most: int = 2_000) -> int:
    """Numbers what is committed, over the leader's connection; answers how many items were given a position."""
    numbered = await feed.number(conn, most)
    if not numbered:
        await conn.rollback()
        return 0
    await ring_on_commit(conn, [NUMBERED])
    await fault("feed.before_commit")
    await conn.commit()
    return numbered


class Line(NamedTuple):
    """One item as it is sent: the same bytes to everybody."""

    position: int
    sent: bytes


def line(item: dict[str, Any]) -> Line:
    """An item as a server-sent event."""
    event = b"id: %d\nevent: %s\ndata: %s\n\n" % (item["position"], item["type"].encode(), to_json(item))
    return Line(item["position"], event)


class CutOff(Exception):
    """The watcher is too slow; it may come back with `position`, the last that it was given."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Watcher:
    """One stream. Holds what came since it joined, until it is read."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.waiting: list[Line] = []
        self.rung = asyncio.Event()
        self.late = False

    def offer(self, items: Sequence[tuple[dict[str, Any], Line]]) -> None:
        """Takes over what fits; notes when it is too much."""
        fitting = [line for item, line in items if self.filters.fit(item)]
        if not fitting or self.late:
            return
        if len(self.waiting) + len(fitting) > MOST_WAITING:
            self.late = True
        else:
            self.waiting += fitting
        self.rung.set()


class Hub:
    """Watches the feed for this process while anybody listens."""

    def __init__(self, engine: AsyncEngine, bell: Bell, *, tick: float = 1.0) -> None:
        self._engine, self._bell, self._tick = engine, bell, tick
        self._watchers: set[Watcher] = set()
        self._position: int | None = None
        self._stopping = False

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    async def run(self, stopping: asyncio.Event) -> None:
        """Reads new items at each ring, once for all, until `stopping`; then ends every stream."""
        end = asyncio.create_task(self._end(stopping))
        try:
            while not stopping.is_set():
                await self._bell.wait(self._tick)
                try:
                    while not stopping.is_set() and await self.run_once():
                        pass
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("feed_unreadable", error=type(error).__name__)
        finally:
            end.cancel()

    async def _end(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._stopping = True
        self._bell.ring()
        for watcher in self._watchers:
            watcher.rung.set()

    async def run_once(self) -> int:
        """Reads on from where it was and hands out; answers how many items there were."""
        if not self._watchers or self._position is None:
            self._position = None
            return 0
        async with self._engine.connect() as conn:
            items, position = await feed.read(conn, self._position, _PAGE)
        if self._position is None:
            return 0
        self._position = position
        lines = [(item, line(item)) for item in items]
        for watcher in self._watchers:
            watcher.offer(lines)
        return len(items)

    async def watch(
        self, after: int | None, filters: Filters, heartbeat: float = 15.0
    ) -> AsyncGenerator[list[Line], None]:
        """Items after a position (None: only new ones) as they come, those that are there together; none of them is a
        heartbeat.

        Raises CutOff when the reader does not keep up. Ends when the process stops.
        """
        position = await self._head() if after is None else after
        async for lines, reached in self._past(position, filters):
            position = reached
            if lines:
                yield lines
        watcher = Watcher(filters)
        await self._join(watcher)
        try:
            # what came between the last page and joining
            async for lines, reached in self._past(position, filters):
                position = reached
                if lines:
                    yield lines
            while not self._stopping:
                waiting, watcher.waiting = watcher.waiting, []
                if lines := [one for one in waiting if one.position > position]:
                    position = lines[-1].position
                    yield lines
                if watcher.late:
                    raise CutOff(position)
                if not watcher.waiting and not await self._rung(watcher, heartbeat):
                    yield []
        finally:
            self._watchers.discard(watcher)

    async def _rung(self, watcher: Watcher, heartbeat: float) -> bool:
        try:
            async with asyncio.timeout(heartbeat):
                await watcher.rung.wait()
        except TimeoutError:
            return False
        watcher.rung.clear()
        return True

    async def _join(self, watcher: Watcher) -> None:
        # positions after this one reach the watcher by the hub; those up to it are read by the watcher itself
        if self._position is None:
            head = await self._head()
            if self._position is None:
                self._position = head
        self._watchers.add(watcher)

    async def _past(self, position: int, filters: Filters) -> AsyncIterator[tuple[list[Line], int]]:
        """What is in the feed already, page by page, and how far that goes."""
        while not self._stopping:
            async with self._engine.connect() as conn:
                items, position = await feed.read(conn, position, _PAGE, filters)
            yield [line(item) for item in items], position
            if len(items) < _PAGE:
                return

    async def _head(self) -> int:
        async with self._engine.connect() as conn:
            return await feed.head(conn)
