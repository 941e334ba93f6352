"""The door where mail comes in, with somebody who replies to mails as programs do."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from uuid import uuid4

import pytest
from sqlalchemy import select

from deploy.local.ports import free_port
from services.escalation.api import Desk
from services.escalation.feed import Hub
from services.escalation.mail.inbound import Door, InboundRoom, Replies
from services.escalation.store.arrivals import arrivals
from shared.outbox import Bell
from tests.service.mail_house import SECRET, House, another_room, trouble

HOST = "mx.example.com"


@dataclass
class Inbound:
    """A mail house that takes replies."""

    house: House
    replies: Replies
    room: InboundRoom
    port: int

    async def deliver(self, raw: bytes, to: str, sender: str = "") -> tuple[int, str]:
        """Hands a mail over by LMTP; answers what the door said about it."""

        def talk() -> tuple[int, str]:
            with smtplib.LMTP("127.0.0.1", self.port, local_hostname="mx") as lmtp:
                lmtp.ehlo()
                lmtp.mail(sender)
                code, said = lmtp.rcpt(to)
                if code < 400:
                    code, said = lmtp.data(raw)
                return code, said.decode()

        return await asyncio.to_thread(talk)

    def reply(self, to: EmailMessage, text: str, sender: str, *, html: bool = False, **headers: str) -> bytes:
        """Somebody replies to a mail; the mail server in front vouches for them unless a header says otherwise."""
        made = EmailMessage()
        domain = sender.rpartition("@")[2]
        told = {
            "Authentication-Results": f"{HOST}; dmarc=pass header.from={domain}",
            "From": f"Somebody <{sender}>",
            "To": str(to["Reply-To"] or to["From"]),
            "Subject": f"Re: {to['Subject']}",
            "Message-ID": f"<{uuid4()}@{domain}>",
            "In-Reply-To": str(to["Message-ID"]),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in told.items():
            if value:
                made[name] = value
        made.set_content(text, subtype="html" if html else "plain")
        return bytes(made)

    async def answer(
        self, to: EmailMessage, text: str, sender: str, *, envelope: str | None = None, **headers: str
    ) -> tuple[int, str]:
        """Replies, and has the reply worked on."""
        raw = self.reply(to, text, sender, **headers)
        address = headers.get("To") or str(to["Reply-To"].addresses[0].addr_spec)
        said = await self.deliver(raw, address, envelope if envelope is not None else sender)
        await self.work()
        return said

    async def work(self) -> None:
        """Does everything that is due."""
        while await self.room.run_once():
            pass
        await self.house.post()

    async def states(self) -> list[tuple[str, str | None, bool]]:
        """(state, detail, whether its words are still there) of each mail that came in."""
        async with self.house.world.engine.connect() as conn:
            rows = await conn.execute(select(arrivals).order_by(arrivals.c.came_at, arrivals.c.id))
            return [(row.state, row.detail, row.raw is not None) for row in rows]


async def asked(inbound: Inbound) -> EmailMessage:
    """The mail by which the head of care is asked."""
    await trouble(inbound.house)
    await inbound.house.post()
    (mail,) = inbound.house.server.to("head@example.com")
    return mail


@pytest.fixture
async def inbound(house: House) -> AsyncIterator[Inbound]:
    """A door on a port of its own."""
    world = house.world
    replies = Replies(SECRET, "answers", "example.com", "example.com")
    house.room = another_room(house, replies=replies)
    desk = Desk(world.corridor, world.engine, world.policies, Hub(world.engine, Bell()))
    room = InboundRoom(world.engine, world.corridor.take, desk.alike, world.policies, HOST, world.clock)
    port, stopping = free_port(), asyncio.Event()
    running = asyncio.create_task(Door(f"lmtp://127.0.0.1:{port}", replies, world.engine, world.clock).run(stopping))
    await _listening(port)
    yield Inbound(house, replies, room, port)
    stopping.set()
    await running


async def _listening(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return
    raise AssertionError("the door does not open")
