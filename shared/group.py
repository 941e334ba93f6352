"""Requests that wait at the same time share a transaction: one fsync for many."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

from shared.work import Book, Corridor, Failed, Input

B = TypeVar("B", bound=Book)


class GroupCommit(Generic[B]):
    """Joins requests that wait at the same time into one transaction: one fsync for many.

    `take_one` answers when the caller's input is committed. At most `limit` wait; beyond that it raises TimeoutError,
    which the edge answers with 503, before memory grows.

    A group is at most half of those who are here, unless they are few: while it is written, the requests of the other
    half are read. In groups of all, or of few and many by turns, reading and writing would wait for each other.
    """

    def __init__(self, corridor: Corridor[B], *, few: int = 32, most: int = 256, limit: int = 4096) -> None:
        self._corridor, self._few, self._most, self._limit = corridor, few, most, limit
        self._waiting: list[tuple[Input[B], asyncio.Future[Any]]] = []
        self._loop: asyncio.Task[None] | None = None

    async def take_one(self, one: Input[B]) -> Any:
        """Handles one input together with whoever else is waiting; raises what it failed with."""
        if len(self._waiting) >= self._limit:
            raise TimeoutError("too many requests wait for the database")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._drain())
        result = await future
        if isinstance(result, Failed):
            raise result.error
        return result

    async def _drain(self) -> None:
        group: list[tuple[Input[B], asyncio.Future[Any]]] = []
        while self._waiting:
            half = (len(self._waiting) + len(group)) // 2
            size = min(max(half, self._few), self._most)
            group, self._waiting = self._waiting[:size], self._waiting[size:]
            try:
                results = await self._corridor.take([one for one, _ in group])
            except Exception as error:
                results = [Failed(error)] * len(group)
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)
