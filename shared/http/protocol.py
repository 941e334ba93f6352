"""A connection as the server has it: an answer in one piece leaves in one write, and nobody may dawdle.

uvicorn waits for ever for a request that comes a byte at a time, and each byte ends its keep-alive timer. So each
connection is looked at once a second, and one that has been waiting for its client for too long is ended.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problem import MEDIA_TYPE, Problem, to_json, unreadable


class Joined:
    """A transport that holds the head of an answer until its body comes, at most until the loop's next turn.

    uvicorn writes the two one after the other, and a system call costs as much as all that is done to read a request.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._write = transport.write
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@dataclass(frozen=True, slots=True)
class Limits:
    """`header_seconds` from a connection, or from the first byte of a further request, to the end of its head;
    `body_seconds` from there to the end of its body, a little longer than routes wait for one (`BODY_SECONDS`);
    `connections` that may be open at a time, in one process."""

    header_seconds: float = 10.0
    connections: int = 10_000
    body_seconds: float = 65.0


class Protocol(HttpToolsProtocol):
    """What `uvicorn.Config(http=Protocol)` makes for each connection."""

    limits = Limits()
    #: what it was seen to be at, and since when by the loop's clock
    _seen: tuple[Any, Any, bool] = (None, None, True)
    since = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
        self.since = self.loop.time()
        if len(self.connections) > self.limits.connections:
            _make_room(self.connections)

    @property
    def begun(self) -> bool:
        """Whether the head of a request has begun, and not ended."""
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def look(self, now: float) -> None:
        """Ends it where its client has kept it waiting for too long. What it is at is looked at from outside, once a
        second, so that requests cost nothing."""
        cycle = self.cycle
        seen = (cycle, self.scope, self.idle)
        if any(one is not other for one, other in zip(seen, self._seen, strict=True)):
            self._seen, self.since = seen, now
            return
        if self.begun or cycle is None:
            # behind a request that is being answered, the next one's head may wait
            most = self.limits.header_seconds if self.idle else None
        elif cycle.more_body:
            most = self.limits.body_seconds
        else:
            most = self.timeout_keep_alive + self.limits.header_seconds if self.idle else None
        if most is not None and now - self.since >= most:
            self.end()

    def end(self) -> None:
        """Closes a connection that waits for its client; says so where a request has begun."""
        if self.begun:
            self._refuse(Problem(408, "too-slow", "The request took too long", "Its head did not come in time."))
        elif not self.idle and not self.cycle.response_started:
            self._refuse(Problem(408, "too-slow", "The body came too slowly", "It did not come in time."))
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP in the form of every other refusal, with an id of its own."""
        self._refuse(unreadable("This is not HTTP/1.1."))

    def _refuse(self, problem: Problem) -> None:
        instance = str(uuid_utils.uuid7())
        body = to_json(problem.body(instance))
        phrase = {400: "Bad Request", 408: "Request Timeout"}[problem.status_code]
        head = (
            f"HTTP/1.1 {problem.status_code} {phrase}\r\n"
            f"content-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {instance}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def close_late(connections: Iterable[Any], now: float) -> None:
    """Ends those that have been waiting for their client for too long."""
    for one in list(connections):
        if isinstance(one, Protocol):
            one.look(now)


def _make_room(connections: Iterable[Any]) -> None:
    """Ends those that have been idle for longest, several at once so that a flood does not look through all each time:
    whoever holds thousands of connections keeps nobody else out."""
    idle = [one for one in connections if isinstance(one, Protocol) and one.idle and not one.transport.is_closing()]
    for one in heapq.nsmallest(1 + len(idle) // 64, idle, key=lambda one: one.since):
        one.end()
