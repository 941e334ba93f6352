"""An executive with the mail open and a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import pytest

from services.escalation.api import Desk
from services.escalation.feed import Hub
from services.escalation.mail import Words
from services.escalation.mail.gathering import Gathering
from services.escalation.web import executive_page
from shared.http import create_app
from shared.outbox import Bell
from tests.service.escalation_world import WORDS, contact, opened, owned, threatened
from tests.service.mail_house import House, text_of

STAY = "A technician tomorrow, and no more drops."


@dataclass
class Page:
    """An executive with the mail open and a browser."""

    house: House
    http: httpx.AsyncClient
    path: str
    code: str

    async def get(self) -> httpx.Response:
        return await self.http.get(self.path)

    async def post(self, **typed: str) -> httpx.Response:
        return await self.http.post(self.path, data={"code": self.code, "text": WORDS, "stay": STAY} | typed)


@pytest.fixture
async def page(house: House) -> Page:
    """The vice president is asked about a customer who may leave."""
    world = house.world
    await world.tell(opened(contact(contact_id="contact-1")), owned(), threatened(contact_id="contact-1"))
    await house.post()
    body = text_of(house.server.to("vp@example.com")[0])
    path = re.search(r"http://loop\.example(/e/\S+)", body)
    code = re.search(r"^Code: (\S+)$", body, re.MULTILINE)
    assert path and code
    words: Words = house.room._words
    known = Gathering(world.engine, world.policies, words)
    desk = Desk(world.corridor, world.engine, world.policies, Hub(world.engine, Bell()))
    app = create_app(title="escalation", version="1", routers=[executive_page(desk, known)], ready=list)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loop.example")
    return Page(house, http, path[1], code[1])
