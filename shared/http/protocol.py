"""A connection as the server has it: an answer in one piece leaves in one write."""

from __future__ import annotations

import asyncio
from typing import Any

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problem import MEDIA_TYPE, to_json, unreadable


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


class Protocol(HttpToolsProtocol):
    """What `uvicorn.Config(http=Protocol)` makes for each connection."""

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP in the form of every other refusal, with an id of its own."""
        instance = str(uuid_utils.uuid7())
        body = to_json(unreadable("This is not HTTP/1.1.").body(instance))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {instance}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
