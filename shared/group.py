"""Requests that wait at the same time share a transaction: one fsync for many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from shared.work import Book, Corridor, Failed, Input

B = TypeVar("B", bound=Book)


class GroupCommit(Generic[B]):
    """Joins requests that wait at the same time into one transaction: one fsync for many.

    `take_one` answers when the caller's input is committed. At most `limit` wait; beyond that it raises TimeoutError,
    which the edge answers with 503, before memory grows.

    Many are written in two lanes, and a group is at most half of those who are here: while PostgreSQL writes one, the
    other is decided and the next requests are read. In one lane, or in groups of few and many by turns, each would wait
    for the other. `few` are not worth a second lane. One customer, or whatever `whose` says of an input, is in one lane
    at a time, in the order of arrival.
    """

    def __init__(
        self,
        corridor: Corridor[B],
        *,
        lanes: int = 2,
        few: int = 24,
        most: int = 256,
        limit: int = 4096,
        whose: Callable[[Any], str] = attrgetter("customer_id"),
    ) -> None:
        self._whose = whose
        self._corridor, self._lanes, self._few, self._most, self._limit = corridor, lanes, few, most, limit
        self._waiting: list[tuple[Input[B], asyncio.Future[Any]]] = []
        self._here = 0
        self._held: set[str] = set()
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def take_one(self, one: Input[B]) -> Any:
        """Handles one input together with whoever else is waiting; raises what it failed with."""
        (result,) = await self.take_all([one])
        if isinstance(result, Failed):
            raise result.error
        return result

    async def take_all(self, inputs: Sequence[Input[B]]) -> list[Any]:
        """Handles inputs, those of one customer in order; answers each one's result, or Failed."""
        if len(self._waiting) >= self._limit:
            raise TimeoutError("too many requests wait for the database")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Any]] = [loop.create_future() for _ in inputs]
        self._waiting += zip(inputs, futures, strict=True)
        self._here += len(futures)
        try:
            self._open_lanes()
            return [await future for future in futures]
        finally:
            self._here -= len(futures)

    def _open_lanes(self) -> None:
        wanted = self._lanes if len(self._waiting) >= self._few else 1
        for _ in range(self._running, wanted):
            # counted here and where it ends: a task is done later than its last line, and would be counted on
            self._running += 1
            lane = asyncio.create_task(self._drain())
            self._tasks.add(lane)
            lane.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        try:
            while group := self._next():
                customers = {self._whose(one) for one, _ in group}
                self._held |= customers
                try:
                    results = await self._corridor.take([one for one, _ in group])
                except Exception as error:
                    results = [Failed(error)] * len(group)
                self._held -= customers
                for (_, future), result in zip(group, results, strict=True):
                    if not future.done():
                        future.set_result(result)
        finally:
            self._running -= 1

    def _next(self) -> list[tuple[Input[B], asyncio.Future[Any]]]:
        # whoever is passed over is taken by the lane that holds their customer, once it is done
        size = min(max(self._here // 2, self._few), self._most)
        group: list[tuple[Input[B], asyncio.Future[Any]]] = []
        left: list[tuple[Input[B], asyncio.Future[Any]]] = []
        passed_over: set[str] = set()
        for item in self._waiting:
            customer_id = self._whose(item[0])
            if len(group) < size and customer_id not in self._held and customer_id not in passed_over:
                group.append(item)
            else:
                left.append(item)
                passed_over.add(customer_id)
        self._waiting = left
        return group
