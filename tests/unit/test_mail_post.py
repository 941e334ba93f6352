"""Handing a mail over to a server that does anything at any step."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from services.escalation.mail import Post, Sent

OK = {
    "greeting": "220 hello",
    "EHLO": "250 there",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
    "RSET": "250 ok",
    "NOOP": "250 ok",
    "QUIT": "221 bye",
}

#: seconds for what a server does at once, on a machine that is busy
PATIENCE = 10


class Server:
    """An SMTP server by script: what it answers at each step; `hang` says nothing any more, `drop` hangs up."""

    def __init__(self) -> None:
        self.says = dict(OK)
        self.connections = 0
        self.taken: list[str] = []
        self.heard: list[str] = []
        self.port = 0

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        step = "greeting"
        while True:
            answer = self.says[step]
            if answer == "hang":
                await reader.read()  # until the other side gives up
                return
            if answer == "drop":
                return
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
            if step == "DATA" and answer.startswith("354"):
                text = await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(text.decode())
                step = "."
                continue
            line = (await reader.readuntil(b"\r\n")).decode().strip()
            self.heard.append(line)
            step = line[:4].upper()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that takes everything until it is told otherwise."""
    one = Server()
    await one.listen()
    yield one
    one.stop()


def message(text: str = "words\n.\nmore words\n") -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content(text)
    return made


async def send(server: Server) -> Sent:
    patience = 1 if "hang" in server.says.values() else PATIENCE
    post = Post(f"smtp://127.0.0.1:{server.port}", step_seconds=patience)
    sent = await post.send(message(), "loop@example.com", "vp@example.com")
    await post.close()
    return sent


async def test_what_is_taken_is_accepted(server: Server) -> None:
    assert (await send(server)).state == "accepted"
    assert "MAIL FROM:<loop@example.com>" in server.heard[1]
    assert "RCPT TO:<vp@example.com>" in server.heard
    assert "\r\n..\r\n" in server.taken[0]


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [
        ("greeting", "421 busy", "temporary"),
        ("greeting", "554 go away", "temporary"),
        ("greeting", "hang", "temporary"),
        ("greeting", "drop", "temporary"),
        ("EHLO", "hang", "temporary"),
        ("MAIL", "451 later", "temporary"),
        ("MAIL", "550 not you", "temporary"),
        ("MAIL", "hang", "temporary"),
        ("MAIL", "drop", "temporary"),
        ("RCPT", "450 greylisted", "temporary"),
        ("RCPT", "550 nobody here", "permanent"),
        ("RCPT", "hang", "temporary"),
        ("RCPT", "drop", "temporary"),
        ("DATA", "451 later", "temporary"),
        ("DATA", "554 never", "permanent"),
        (".", "452 no room", "temporary"),
        (".", "554 looks like spam", "permanent"),
        (".", "hang", "unknown"),
        (".", "drop", "unknown"),
        (".", "what?", "unknown"),
    ],
)
async def test_every_answer_has_a_fate(server: Server, step: str, answer: str, state: str) -> None:
    server.says[step] = answer
    sent = await send(server)
    assert sent.state == state
    assert "@" not in sent.detail
    # what the server never said of this mail is no reason to give it up
    assert sent.said is (step in ("RCPT", "DATA", ".") and answer not in ("hang", "drop")) or state == "unknown"


async def test_a_burst_goes_over_few_connections_and_a_stale_one_is_noticed(server: Server) -> None:
    post = Post(f"smtp://127.0.0.1:{server.port}", step_seconds=PATIENCE)
    for _ in range(5):
        assert (await post.send(message(), "loop@example.com", "vp@example.com")).state == "accepted"
    assert server.connections == 1
    server.says["NOOP"] = "421 too long idle"
    assert (await post.send(message(), "loop@example.com", "vp@example.com")).state == "accepted"
    assert server.connections == 2
    await post.close()
    assert server.heard[-1] == "QUIT"


async def test_a_refused_recipient_leaves_the_connection_fit_for_the_next(server: Server) -> None:
    post = Post(f"smtp://127.0.0.1:{server.port}", step_seconds=PATIENCE)
    server.says["RCPT"] = "550 nobody here"
    assert (await post.send(message(), "loop@example.com", "a@example.com")).state == "permanent"
    server.says["RCPT"] = "250 ok"
    assert (await post.send(message(), "loop@example.com", "b@example.com")).state == "accepted"
    assert server.connections == 1
    await post.close()


@pytest.mark.parametrize(
    "url", [None, "smtp://127.0.0.1:1", "smtp://", "smtp://127.0.0.1:99999", "smtps://127.0.0.1:1"]
)
async def test_where_there_is_no_server_the_mail_waits(url: str | None) -> None:
    sent = await Post(url, step_seconds=PATIENCE).send(message(), "loop@example.com", "vp@example.com")
    assert (sent.state, sent.said) == ("temporary", False)


async def test_a_password_is_sent_as_it_is_meant(server: Server) -> None:
    server.says |= {"EHLO": "250-there\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}
    post = Post(f"smtp://me%40x:p%3Aw@127.0.0.1:{server.port}", step_seconds=PATIENCE)
    assert (await post.send(message(), "loop@example.com", "vp@example.com")).state == "accepted"
    (line,) = [one for one in server.heard if one.startswith("AUTH")]
    assert base64.b64decode(line.split()[2]) == b"\0me@x\0p:w"
    await post.close()


async def test_a_refused_password_is_no_reason_to_lose_a_mail(server: Server) -> None:
    server.says |= {"EHLO": "250-there\r\n250 AUTH PLAIN", "AUTH": "535 no"}
    post = Post(f"smtp://me:pw@127.0.0.1:{server.port}", step_seconds=PATIENCE)
    sent = await post.send(message(), "loop@example.com", "vp@example.com")
    assert (sent.state, sent.said) == ("temporary", False)
    assert "pw" not in sent.detail
