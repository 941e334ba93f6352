"""What is written to a connection, and when."""

from __future__ import annotations

import asyncio
import json

import uvicorn
from uvicorn.server import ServerState

from shared.http.protocol import Joined, Protocol

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class _Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_an_answer_in_one_piece_leaves_in_one_write() -> None:
    wire = _Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    for _ in range(2):
        joined.write(HEAD)
        joined.write(b"{}")
    await asyncio.sleep(0)
    assert wire.written == [HEAD + b"{}"] * 2


async def test_the_head_of_a_stream_waits_for_nothing() -> None:
    wire = _Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(HEAD)
    await asyncio.sleep(0)
    assert wire.written == [HEAD]
    joined.write(b"data: 1\n\n")
    assert wire.written == [HEAD, b"data: 1\n\n"]


async def test_what_is_closed_has_said_all() -> None:
    wire = _Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.close()
    await asyncio.sleep(0)
    assert (wire.written, joined.is_closing()) == ([HEAD], True)


async def test_what_is_no_http_is_refused_like_everything_else() -> None:
    async def nobody(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nothing was asked")

    config = uvicorn.Config(nobody, http=Protocol, log_config=None)
    config.load()
    wire = _Wire()
    protocol = Protocol(config, ServerState(), {}, asyncio.get_running_loop())
    protocol.connection_made(wire)
    protocol.data_received(b"FOO /v1/contacts HTTP/1.1\r\n\r\n")
    head, _, body = b"".join(wire.written).partition(b"\r\n\r\n")
    fields = dict(line.split(": ") for line in head.decode().splitlines()[1:])
    assert head.startswith(b"HTTP/1.1 400 ") and fields["content-type"] == "application/problem+json"
    told = json.loads(body)
    assert (told["status"], told["type"]) == (400, "urn:complaint-loop:problem:unreadable")
    assert told["detail"] and told["instance"] == fields["x-request-id"] and wire.closed
