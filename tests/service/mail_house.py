"""The mail room as it is, with a mail server that does as it is told and neighbours that can be away."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from deploy.local.ports import free_port
from services.escalation.mail import MailRoom, Post, Words
from services.escalation.mail.inbound import Replies
from shared.settings import Base
from tests.service.escalation_world import World, breached, contact, opened, owned

SECRET = "a secret of at least thirty-two characters"


class MailServer:
    """Takes mails by SMTP; `says` has what it does with the next ones for an address."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        #: the envelope's sender of each
        self.senders: list[str] = []
        self.says: dict[str, list[str]] = {}
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Listens, always on the same port."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Is down."""
        self._controller.stop(no_assert=True)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        answers = self.says.get(address) or []
        if answers and answers[0].startswith("rcpt "):
            return answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        address = envelope.rcpt_tos[0]
        answers = self.says.get(address) or []
        told = answers.pop(0) if answers else "250 OK"
        if told == "hang":
            self._take(address, envelope)
            await asyncio.Event().wait()
        if told.startswith("250"):
            self._take(address, envelope)
        return told

    def _take(self, address: str, envelope: Any) -> None:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((address, message))
        self.senders.append(envelope.mail_from)

    def to(self, address: str) -> list[EmailMessage]:
        """Mails that an address got."""
        return [message for one, message in self.taken if one == address]


@dataclass
class Neighbours:
    """Intake and ownership over HTTP, as far as the mail room asks them."""

    away: bool = False
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    responders: dict[str, dict[str, Any]] = field(default_factory=dict)
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    complaints: dict[str, dict[str, Any]] = field(default_factory=dict)
    timelines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        assert request.headers["authorization"].startswith("Bearer cls_escalation_")
        _, _, what, name, *rest = request.url.path.split("/")
        if rest == ["timeline"]:
            return httpx.Response(200, json={"items": self.timelines.get(name, []), "next": None})
        found = getattr(self, what).get(name)
        return httpx.Response(200, json=found) if found is not None else httpx.Response(404, json={})


@dataclass
class House:
    """One mail room on a world of escalations."""

    world: World
    server: MailServer
    neighbours: Neighbours
    room: MailRoom

    async def post(self) -> None:
        """Does all mail that is due now, and what follows from it."""
        while await self.room.run_once():
            pass


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(preferencelist=("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def trouble(house: House) -> None:
    """A complaint of c-1 about which the head of care is asked."""
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A running mail server."""
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
async def house(escalation: World, mail_server: MailServer) -> House:
    """A mail room whose neighbours know the customer c-1 and what they said in contact-1."""
    neighbours = Neighbours()
    neighbours.customers["c-1"] = {"id": "c-1", "name": "Li Wei", "email": "li@customer.example", "locale": "en"}
    neighbours.contacts["contact-1"] = {"contact_id": "contact-1", "text": "My router drops every evening."}
    neighbours.responders["agent-7"] = {"id": "agent-7", "name": "Chen Yu", "email": "chen@example.com"}
    return House(escalation, mail_server, neighbours, room_of(escalation, mail_server, neighbours))


def another_room(house: House, step_seconds: float = 10, replies: Replies | None = None) -> MailRoom:
    """A replica of the mail room; one of little patience where the mail server is to hang."""
    return room_of(house.world, house.server, house.neighbours, step_seconds, replies)


def room_of(
    world: World,
    server: MailServer,
    neighbours: Neighbours,
    step_seconds: float = 10,
    replies: Replies | None = None,
) -> MailRoom:
    """A mail room on a world, of these neighbours and this mail server."""
    settings = Base(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused",
        secret_key=SecretStr(SECRET),
        public_url="http://loop.example",
        mail_from="loop@example.com",
    )
    words = Words(settings, world.clock, httpx.MockTransport(neighbours.answer))
    post = Post(f"smtp://127.0.0.1:{server.port}", step_seconds=step_seconds)
    return MailRoom(
        world.engine,
        world.corridor.take,
        world.policies,
        settings,
        world.clock,
        words=words,
        post=post,
        replies=replies,
    )
