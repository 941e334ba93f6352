"""What is written to a connection, and when."""

from __future__ import annotations

import asyncio

from shared.http.protocol import Joined

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
