"""The supervisors' page: for whoever has a session, with nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx
import pytest

from services.escalation.api import Desk
from services.escalation.feed import Hub
from services.escalation.web import supervisor_page
from shared.auth import KeyRing, session_cookie
from shared.http import create_app
from shared.outbox import Bell
from tests.service.escalation_world import World, breached, contact, opened, owned

pytest_plugins = ("tests.service.escalation_house",)
SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
async def browser(escalation: World) -> httpx.AsyncClient:
    """A browser without a session."""
    desk = Desk(escalation.corridor, escalation.engine, escalation.policies, Hub(escalation.engine, Bell()))
    app = create_app(title="escalation", version="1", routers=[supervisor_page(desk)], ready=list)

    async def nobody(_: str) -> None:
        return None

    app.state.keyring = KeyRing(nobody, escalation.clock, secret_key=SECRET)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


def sign_in(browser: httpx.AsyncClient, world: World) -> None:
    cookie = session_cookie(SECRET, "Supervisor", world.clock.now(), secure=False)
    browser.cookies.set(cookie["key"], cookie["value"])


async def test_without_a_session_it_says_how_to_get_one(browser: httpx.AsyncClient) -> None:
    closed = await browser.get("/")
    assert closed.status_code == 401
    assert "complaint-loop sign-in" in closed.text and "<script" not in closed.text


async def test_a_session_ends(browser: httpx.AsyncClient, escalation: World) -> None:
    sign_in(browser, escalation)
    assert (await browser.get("/")).status_code == 200
    escalation.clock.advance(13 * 3600)
    assert (await browser.get("/")).status_code == 401


async def test_it_runs_its_own_script_alone_and_begins_near_the_end_of_the_feed(
    browser: httpx.AsyncClient, escalation: World
) -> None:
    sign_in(browser, escalation)
    await escalation.tell(opened(contact()), owned(), breached())
    await escalation.feed()
    page = await browser.get("/")
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page.text)
    assert 'data-after="0"' in page.text
    assert '"escalation.raised"' in script
