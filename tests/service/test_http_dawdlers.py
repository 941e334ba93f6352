"""Connections that dawdle: a request whose head comes a byte at a time is ended, and keeps nobody else out."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

PROCESS = """
import asyncio, sys
from shared.http.protocol import Limits
from shared.runner import run

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if scope["path"] == "/slow":
        await asyncio.sleep(1.6)
    while scope["path"] == "/reads" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

limits = Limits(float(sys.argv[2]), int(sys.argv[3]), body_seconds=float(sys.argv[2]))
asyncio.run(run(app=app, host="127.0.0.1", port=int(sys.argv[1]), loops=[], background=[], on_stop=[], limits=limits))
"""
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Server:
    """A process of its own that serves with these limits."""

    port: int

    async def connect(self, first: bytes = b"") -> Streams:
        """A connection, once the server listens."""
        async with asyncio.timeout(20):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
        writer.write(first)
        return reader, writer

    async def ask(self, streams: Streams, path: str = "/") -> bytes:
        """One whole request on a connection, and its whole answer."""
        reader, writer = streams
        writer.write(HEAD.replace(b"/ ", path.encode() + b" ", 1) + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)
        return head


@pytest.fixture
def serving() -> Iterator[list[subprocess.Popen[bytes]]]:
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for one in begun:
        os.kill(one.pid, signal.SIGTERM)
        one.wait(20)


def begin(serving: list[subprocess.Popen[bytes]], seconds: float, connections: int = 10_000) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving.append(subprocess.Popen([sys.executable, "-c", PROCESS, str(port), str(seconds), str(connections)]))
    return Server(port)


async def drips(streams: Streams, drop: bytes = b"a") -> bytes:
    """What is said to whoever sends a byte at a time until the connection ends."""
    reader, writer = streams
    ended = asyncio.create_task(reader.read())
    while not ended.done():
        try:
            writer.write(drop)
            await writer.drain()
        except OSError:
            break
        await asyncio.wait([ended], timeout=0.1)
    writer.close()
    try:
        return await ended
    except ConnectionResetError:
        return b""


async def test_heads_that_come_a_byte_at_a_time_are_ended_while_others_are_served(
    serving: list[subprocess.Popen[bytes]],
) -> None:
    server = begin(serving, 1.0)
    honest = await server.connect()
    assert (await server.ask(honest)).startswith(b"HTTP/1.1 200")
    slow = [await server.connect(HEAD + b"X-Slow: ") for _ in range(300)]
    async with asyncio.timeout(20):
        answering = asyncio.gather(*(drips(one) for one in slow))
        while not answering.done():
            assert (await server.ask(honest)).startswith(b"HTTP/1.1 200")
            await asyncio.wait([answering], timeout=0.1)
        said = await answering
    # who keeps sending after the end may lose the answer to a reset
    told = [one for one in said if one]
    assert told and all(one.startswith(b"HTTP/1.1 408 ") and b"too-slow" in one for one in told)


async def test_who_says_nothing_or_drips_between_requests_is_ended_too(serving: list[subprocess.Popen[bytes]]) -> None:
    server = begin(serving, 0.5)
    silent = await server.connect()
    again = await server.connect()
    assert (await server.ask(again)).startswith(b"HTTP/1.1 200")
    again[1].write(HEAD)
    async with asyncio.timeout(20):
        assert await silent[0].read() == b""
        assert (await again[0].read()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_does_not_come_is_not_waited_for(serving: list[subprocess.Popen[bytes]]) -> None:
    server = begin(serving, 0.5)
    head = HEAD.replace(b"GET / ", b"POST /reads ") + b"Content-Length: 5\r\n\r\n"
    nothing, little = await server.connect(head), await server.connect(head + b"{")
    # answered before its body has come: the connection is not kept for what may follow
    early = await server.connect(head.replace(b"/reads", b"/"))
    async with asyncio.timeout(20):
        for reader, _ in (nothing, little):
            said = await reader.read()
            assert said.startswith(b"HTTP/1.1 408 ") and b"The body came too slowly" in said
        assert (await early[0].read()).startswith(b"HTTP/1.1 200 ")
        whole = await server.connect(head + b"12345")
        assert (await whole[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_who_waits_for_an_answer_does_not_dawdle(serving: list[subprocess.Popen[bytes]]) -> None:
    server = begin(serving, 0.2)
    streams = await server.connect()
    async with asyncio.timeout(20):
        assert (await server.ask(streams, "/slow")).startswith(b"HTTP/1.1 200")
        # nor does it while the head of its next request has begun
        streams[1].write(HEAD.replace(b"/ ", b"/slow ") + b"\r\n" + HEAD)
        assert (await streams[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_those_idle_for_longest_make_room_for_others(serving: list[subprocess.Popen[bytes]]) -> None:
    server = begin(serving, 60, connections=20)
    held = [await server.connect() for _ in range(20)]
    for one in held:
        assert (await server.ask(one)).startswith(b"HTTP/1.1 200")
    async with asyncio.timeout(20):
        for _ in range(30):
            assert (await server.ask(await server.connect())).startswith(b"HTTP/1.1 200")
        assert await held[0][0].read() == b""
