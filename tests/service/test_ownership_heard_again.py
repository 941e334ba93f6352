"""More is heard in a contact than was told at first: it may open a complaint, or be a threat; agents' words stand."""

from __future__ import annotations

from typing import Any

from shared.contracts.intake import ContactCaptured, ContactHeardAgain
from tests.service.ownership_world import World, captured, clock_of

pytest_plugins = ["tests.service.ownership_world"]


async def _again(world: World, contact: ContactCaptured, **fields: Any) -> None:
    told = {name: getattr(contact, name) for name in ContactCaptured.model_fields}
    more = captured(contact.customer_id, **{"at": contact.occurred_at, "contact_id": contact.contact_id, **fields})
    told |= {name: getattr(more, name) for name in ("complaint", "departure_threat")}
    told |= {"responder_id": fields.get("responder_id")}
    changed = tuple(name for name in ("complaint", "departure_threat") if getattr(contact, name) != getattr(more, name))
    await world.deliver(ContactHeardAgain.model_validate({**told, "changed": changed}))


async def test_what_is_a_complaint_after_all_opens_one_from_when_it_was_said(world: World) -> None:
    contact = await world.contact(complaint=False)
    assert await world.complaints() == []
    await world.pass_time(60)
    await _again(world, contact, complaint=None, responder_id="mia")
    (one,) = await world.complaints()
    assert (one["owner"]["id"], one["contacts"]) == ("mia", [contact.contact_id])
    assert one["first_contact_at"] == contact.occurred_at.isoformat().replace("+00:00", "Z")
    await _again(world, contact, complaint=None, responder_id="mia")
    assert len(await world.complaints()) == 1


async def test_a_threat_that_was_only_possible_is_one(world: World) -> None:
    contact = await world.contact(threat="possible")
    (one,) = await world.complaints()
    assert (one["departure_threat"], one["departure_possible"]) == (False, True)
    await _again(world, contact, threat="likely")
    (one,) = await world.complaints()
    assert (one["departure_threat"], one["departure_possible"]) == (True, False)


async def test_what_an_agent_has_dismissed_stays_dismissed(world: World) -> None:
    contact = await world.contact(threat="possible", responder_id="mia")
    (one,) = await world.complaints()
    said = {"agent_id": "mia", "departure_threat": False}
    assert (await world.post(f"{one['id']}/classification", said)).status_code in (200, 202)
    await _again(world, contact, threat="likely")
    await _again(world, contact, threat="possible", complaint=None)
    (one,) = await world.complaints()
    assert (one["departure_threat"], one["departure_possible"]) == (False, False)


async def test_a_threat_in_another_language_is_put_before_the_owner(world: World) -> None:
    contact = await world.contact(complaint=None)
    await _again(world, contact, complaint=True, threat="possible")
    (one,) = await world.complaints()
    assert (one["departure_threat"], one["departure_possible"]) == (False, True)


async def test_whoever_had_answered_it_meanwhile_owns_it(world: World) -> None:
    contact = await world.contact(complaint=False)
    world.clock.advance(60)
    await world.response(contact, "noor")
    world.clock.advance(60)
    await _again(world, contact, complaint=True)
    one = await world.complaint()
    assert one["owner"]["id"] == "noor" and clock_of(one, "first_response")["met_at"] == "2026-03-02T09:01:00Z"
