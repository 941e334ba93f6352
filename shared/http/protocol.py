"""A connection as the server has it: an answer in one piece leaves in one write, and nobody may dawdle.

uvicorn waits for ever for a request that comes a byte at a time, and each byte ends its keep-alive timer. So each
connection knows until when it may be without a complete head, and `close_late` looks at all of them once a second.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
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
    `connections` that may be open at a time, in one process."""

    header_seconds: float = 10.0
    connections: int = 10_000


class Protocol(HttpToolsProtocol):
    """What `uvicorn.Config(http=Protocol)` makes for each connection."""

    limits = Limits()
    #: when, by the loop's clock, it has been without a complete head for too long; never, while one is answered
    late_at = inf
    _begun = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
        self.late_at = self.loop.time() + self.limits.header_seconds
        if len(self.connections) > self.limits.connections:
            _make_room(self.connections)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        late_at = self.loop.time() + self.limits.header_seconds
        if late_at < self.late_at:
            self.late_at = late_at

    def on_headers_complete(self) -> None:
        self.late_at = inf
        self._begun = False
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        if self.late_at == inf:  # else the head of the next request has begun
            self.late_at = self.loop.time() + self.timeout_keep_alive + self.limits.header_seconds
        super().on_response_complete()

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def idle_since(self) -> float:
        """When it came, or its last answer left, or the head of its request began, by the loop's clock."""
        waits = 0 if self._begun or self.cycle is None else self.timeout_keep_alive
        return self.late_at - self.limits.header_seconds - waits

    def end(self) -> None:
        """Closes a connection on which nothing is being answered; says so where a request has begun."""
        if self._begun:
            self._refuse(Problem(408, "too-slow", "The request took too long", "Its head did not come in time."))
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
    """Ends those that have been without a complete head for too long."""
    for one in [one for one in connections if isinstance(one, Protocol) and one.late_at <= now and one.idle]:
        one.end()


def _make_room(connections: Iterable[Any]) -> None:
    """Ends those that have been idle for longest, several at once so that a flood does not look through all each time:
    whoever holds thousands of connections keeps nobody else out."""
    idle = [one for one in connections if isinstance(one, Protocol) and one.idle and not one.transport.is_closing()]
    for one in heapq.nsmallest(1 + len(idle) // 64, idle, key=lambda one: one.idle_since):
        one.end()
