"""Sends contacts in batches, several at a time, each customer's in their order; what is refused is told by row."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import httpx
import orjson

from deploy.local.trouble import Trouble

_MOST_ROWS, _MOST_BYTES = 500, 2_000_000
_PATIENCE_SECONDS = 120.0
#: where nobody has answered yet: the address is more likely wrong than the services away
_FIRST_SECONDS = 10.0


@dataclass
class Totals:
    """What has become of the rows so far."""

    rows: int = 0
    new: int = 0
    duplicate: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    number: int
    body: bytes


class Sender:
    """Hands contacts to `POST /v1/contacts/batch`. `reject(number, problem)` hears of each that is refused."""

    def __init__(
        self, client: httpx.AsyncClient, totals: Totals, reject: Callable[[int, dict[str, Any]], None], lanes: int
    ) -> None:
        self._client, self._totals, self._reject = client, totals, reject
        # a customer's contacts keep to one lane: who took the first one owns the complaint, so the order matters
        self._open: list[list[_Item]] = [[] for _ in range(lanes)]
        self._bytes = [0] * lanes
        self._queues: list[asyncio.Queue[list[_Item] | None]] = [asyncio.Queue(1) for _ in range(lanes)]
        self._workers: list[asyncio.Task[None]] = []
        self._reached = False

    async def __aenter__(self) -> Sender:
        self._workers = [asyncio.create_task(self._work(queue)) for queue in self._queues]
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for lane in range(len(self._open)):
                await self._flush(lane)
                await self._put(lane, None)
            await asyncio.gather(*self._workers)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def add(self, number: int, contact: dict[str, Any]) -> None:
        """Takes one contact; waits where enough are under way."""
        customer = contact.get("customer")
        name = str(customer.get("id", "")) if isinstance(customer, dict) else ""
        lane = crc32(name.encode("utf-8", "replace")) % len(self._open)
        body = orjson.dumps(contact)
        if self._open[lane] and (
            len(self._open[lane]) >= _MOST_ROWS or self._bytes[lane] + len(body) + 1 > _MOST_BYTES
        ):
            await self._flush(lane)
        self._open[lane].append(_Item(number, body))
        self._bytes[lane] += len(body) + 1

    async def _flush(self, lane: int) -> None:
        if self._open[lane]:
            items, self._open[lane], self._bytes[lane] = self._open[lane], [], 0
            await self._put(lane, items)

    async def _put(self, lane: int, items: list[_Item] | None) -> None:
        putting = asyncio.ensure_future(self._queues[lane].put(items))
        await asyncio.wait({putting, *self._workers}, return_when=asyncio.FIRST_COMPLETED)
        while not putting.done():
            for worker in self._workers:
                if worker.done() and worker.exception():
                    putting.cancel()
                    worker.result()
            await asyncio.wait({putting}, timeout=0.2)

    async def _work(self, queue: asyncio.Queue[list[_Item] | None]) -> None:
        while (items := await queue.get()) is not None:
            await self._send(items)

    async def _send(self, items: list[_Item]) -> None:
        answer = await self._post(b"\n".join(item.body for item in items))
        if answer.status_code == 200:
            results = answer.json()["results"]
            again = [item for item, result in zip(items, results, strict=True) if self._note(item, result)]
            if again:
                await asyncio.sleep(1)
                await self._send(again)
        elif answer.status_code in (401, 403):
            raise Trouble(f"The key is not good for this: {_detail(answer)} It needs the scope intake.")
        elif answer.status_code in (404, 405):
            raise Trouble("There is no intake at this address.")
        elif len(items) == 1:
            self._refuse(items[0], _problem(answer))
        else:  # one of them spoils the set: find it by halves
            half = len(items) // 2
            await self._send(items[:half])
            await self._send(items[half:])

    def _note(self, item: _Item, result: dict[str, Any]) -> bool:
        """Counts one result; true where it has to be sent again."""
        problem = result.get("problem")
        if problem is None:
            self._totals.duplicate += bool(result.get("duplicate"))
            self._totals.new += not result.get("duplicate")
        elif int(problem.get("status", 422)) in (429, 500, 502, 503, 504):
            return True
        else:
            self._refuse(item, problem)
        return False

    def _refuse(self, item: _Item, problem: dict[str, Any]) -> None:
        self._totals.rejected += 1
        self._reject(item.number, problem)

    async def _post(self, body: bytes) -> httpx.Response:
        """One batch; waits for services that are away or busy. Raises Trouble when that takes too long."""
        begin, wait, why = time.monotonic(), 0.2, ""
        while time.monotonic() < begin + (patience := _PATIENCE_SECONDS if self._reached else _FIRST_SECONDS):
            told = 0.0
            try:
                answer = await self._client.post(
                    "/v1/contacts/batch", content=body, headers={"Content-Type": "application/x-ndjson"}
                )
                self._reached = True
                if answer.status_code not in (429, 500, 502, 503, 504):
                    return answer
                why, told = f"answered {answer.status_code}", _seconds(answer.headers.get("Retry-After"))
            except httpx.TransportError as error:
                why = type(error).__name__
            await asyncio.sleep(max(told, wait * random.uniform(0.5, 1)))
            wait = min(5.0, wait * 2)
        raise Trouble(
            f"The services did not take contacts for {patience:.0f} s ({why}). Run the same command again "
            "when they do: what was taken is not taken twice."
        )


def _seconds(header: str | None) -> float:
    return min(30.0, float(header)) if header and header.isdigit() else 0.0


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"status": answer.status_code, "title": answer.reason_phrase}


def _detail(answer: httpx.Response) -> str:
    return str(_problem(answer).get("detail") or _problem(answer).get("title"))
