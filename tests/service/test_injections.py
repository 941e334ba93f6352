"""Whatever people write in any field, the executive's page and the feed are the same with other words in them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
import pytest

from services.escalation.api import Desk
from services.escalation.feed import Hub, line
from services.escalation.mail.gathering import Gathering
from services.escalation.mail.tokens import link_of
from services.escalation.web import executive_page
from shared.contracts import ownership
from shared.fields import Id
from shared.http import create_app
from shared.outbox import Bell
from tests.injections import INJECTIONS
from tests.service.escalation_house import Doors
from tests.service.escalation_world import POLICY, breached, contact, of, opened, owned, policy
from tests.service.mail_house import SECRET, House
from tests.unit.test_mail_injections import Structure

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]")
BUDGET = "escalation:\n  mail_budget: {per_minute: 100000, per_hour: 100000}\n"


def say(house: House, n: int, evil: str) -> None:
    """Everything that the neighbours know of one complaint says the same."""
    near = house.neighbours
    near.customers[f"c-{n}"] = {"name": evil, "email": evil, "tier": evil, "region": evil, "locale": "en"}
    near.contacts[f"contact-{n}"] = {"contact_id": f"contact-{n}", "text": evil, "subject": evil}
    near.complaints[f"k-{n}"] = {
        "reference": evil,
        "owner": {"id": evil, "name": evil},
        "cause": evil,
        "product": evil,
        "tier": evil,
        "region": evil,
        "first_contact_at": "2026-03-02T09:00:00Z",
        "contacts": ["1"],
        "clocks": [{"kind": evil, "due_at": "2026-03-02T09:00:00Z", "breached_at": "2026-03-02T09:00:00Z"}],
    }
    near.timelines[f"k-{n}"] = [
        {"type": "complaint.customer_updated", "at": "2026-03-02T09:00:00Z", "note": {"text": evil}}
    ]


@pytest.fixture
async def browser(house: House) -> httpx.AsyncClient:
    """Somebody with a browser."""
    world = house.world
    known = Gathering(world.engine, world.policies, house.room._words)
    desk = Desk(world.corridor, world.engine, world.policies, Hub(world.engine, Bell()))
    app = create_app(title="escalation", version="1", routers=[executive_page(desk, known)], ready=list)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loop.example")


def shape(page: str) -> list[Any]:
    """The page's tags, but for what a field was given back with."""
    return [
        (tag, [(name, None if name == "value" else value) for name, value in attrs])
        for tag, attrs in Structure(page).tags
    ]


async def test_the_page_stays_the_page_it_is(house: House, browser: httpx.AsyncClient) -> None:
    world = house.world
    world.policies.current = policy(POLICY.replace("escalation:\n", BUDGET))
    texts = ["words", *INJECTIONS]
    for n, text in enumerate(texts):
        say(house, n, text)
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        await world.tell(opened(contact(f"c-{n}", contact_id=f"contact-{n}"), f"k-{n}"), breached(**who))
    await house.post()
    orders = {order.complaint_id: order.id for order in await world.orders() if order.kind == "ask"}
    assert {str(one["To"]) for _, one in house.server.taken} == {"head@example.com"}
    good: list[Any] = []
    for n, text in enumerate(texts):
        path = f"/e/{link_of(SECRET, orders[f'k-{n}']).token}"
        shown = await browser.get(path)
        typed = {"text": text, "stay": text, "promise": text, "code": text, "apology": text}
        refused = await browser.post(path, data=typed)
        if "\x00" in text:  # no browser sends it
            assert (shown.status_code, refused.status_code) == (200, 400), n
            assert shape(shown.text) == good[0], n
            continue
        assert (shown.status_code, refused.status_code) == (200, 403), n
        found = [shape(shown.text), shape(refused.text)]
        good = good or found
        assert found == good, n
        # what was typed is given back as it was typed, where it can be seen; everything else is cleaned
        assert not _UNSEEN.search(shown.text), n


async def test_the_feed_is_one_item_a_line_whatever_ids_and_codes_are(house: House) -> None:
    world = house.world
    doors = Doors(world)
    taken = [text for text in INJECTIONS if len(text) <= 200 and _may_be_an_id(text)]
    assert len(taken) > 90
    for n, text in enumerate(taken):
        heard = contact(text, cause=text, product=text)
        who = {"complaint_id": f"k-{n}", "customer": text}
        told = opened(heard, f"k-{n}", region=text, tier=text, reference=f"C-{n:05d}")
        await world.tell(told, owned(text, **who), breached(kind=text, **who))
        await world.tell(of(ownership.EscalationAsked, by="agent", by_id=text, **who))
    items = await world.feed()
    assert len(items) >= 4 * len(taken)
    for item in items:
        sent = line(item).sent
        assert re.fullmatch(rb"id: \d+\nevent: [a-z._]+\ndata: [^\r\n]+\n\n", sent)
        assert orjson.loads(sent.split(b"\ndata: ")[1])["data"] == orjson.loads(orjson.dumps(item["data"]))
    async with doors.client("supervisor") as client:
        page = await client.get("/v1/feed", params={"limit": 200})
        assert page.headers["content-type"].startswith("application/json")
        assert [item["position"] for item in page.json()["items"]] == list(range(1, 201))
        for text in taken[:20]:
            of_owner = (await client.get("/v1/feed", params={"owner_id": text, "limit": 200})).json()["items"]
            assert {item["owner_id"] for item in of_owner} == {text}


def _may_be_an_id(text: str) -> bool:
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(Id).validate_python(text)
    except ValidationError:
        return False
    return True
