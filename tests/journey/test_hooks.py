"""A helpdesk tells of a complaint in its own words, out of order: whoever answered first has it, by the tool's time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Endpoint
from services.intake.hooks.switchboard import sealed_row
from services.intake.store import deliveries
from tests.world import SECRET, World

DESK = Endpoint("zendesk", "desk", "s3cret")


async def deliver(world: World, number: int, author: str, words: str, minute: int) -> None:
    """Zendesk tells of a public comment on ticket 9."""
    body = orjson.dumps(
        {
            "type": "zen:event-type:ticket.comment_added",
            "id": f"evt-{number}",
            "time": f"2026-03-02T08:{minute:02}:00Z",
            "detail": {"id": "9", "requester_id": "77", "assignee_id": "ben", "via": {"channel": "email"}},
            "event": {
                "comment": {
                    "id": f"c{number}",
                    "body": words,
                    "is_public": True,
                    "author": {"id": author, "is_staff": author != "77", "name": author},
                }
            },
        }
    )
    headers = dict(TOOLS["zendesk"].sign(body, DESK, world.clock.now()))
    answer = await world.ask("POST", "/v1/hooks/zendesk/desk", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_complaint_in_a_tools_own_words_belongs_to_who_answered_first(world: World) -> None:
    async with world.engine.begin() as conn:
        await deliveries.set_endpoint(conn, sealed_row(DESK, SECRET), world.clock.now())
    # the second answer arrives first, and everything at least twice
    said: list[tuple[int, str, str, int]] = [
        (3, "ben", "I have looked at the line as well.", 50),
        (1, "77", "My router drops the line every evening. This is a complaint.", 40),
        (2, "ana", "I am sorry. I take care of it.", 45),
    ]
    for one in [*said, *said[::-1]]:
        await deliver(world, *one)
    await world.settle()
    assert await world.told() == []
    await world.pass_time(timedelta(seconds=3))
    told = await world.told()
    assert (told.count("contact.captured"), told.count("contact.responded")) == (1, 2)
    complaint: Any = await world.complaint("77")
    assert complaint["owner"]["id"] == "ana"
    assert complaint["first_contact_at"] == "2026-03-02T08:40:00Z"
    clocks = {one["kind"]: one for one in complaint["clocks"]}
    assert clocks["first_response"]["met_at"] == "2026-03-02T08:45:00Z"
    # the customer writes again: the same complaint, the same owner
    await deliver(world, 4, "77", "It still drops.", 55)
    await world.pass_time(timedelta(seconds=3))
    again: Any = await world.complaint("77")
    assert (len(again["contacts"]), again["owner"]["id"]) == (2, "ana")
    assert await world.findings() == []
