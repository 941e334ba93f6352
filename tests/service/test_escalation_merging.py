"""Complaints that are merged, split or followed: contacts change hands, and who was asked still owes an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.escalation.domain.acts import PromiseGiven
from services.escalation.store import reading
from shared.contracts import ownership
from tests.service.escalation_world import NINE, World, breached, contact, of, opened, owned, promised

pytest_plugins = ("tests.service.escalation_house",)
LATER = NINE + timedelta(hours=1)


async def known(world: World, complaint_id: str) -> Any:
    """What escalation knows of a complaint."""
    async with world.engine.connect() as conn:
        return await reading.complaint_of(conn, complaint_id)


async def two(world: World) -> None:
    """A promise to c-1, a complaint of theirs before it was made, and one that breaks it."""
    first = contact(contact_id="contact-1", at=NINE - timedelta(days=1))
    await world.tell(first, opened(first), owned("agent-7"))
    made = PromiseGiven("head", "c-1", "k-1", promised())
    await world.act("c-1", made)
    world.clock.advance(timedelta(hours=1))
    second = contact(contact_id="contact-2", at=LATER)
    await world.tell(second, opened(second, "k-2"), owned("agent-8", complaint_id="k-2"))
    await world.settle()


def merged() -> list[ownership.ComplaintEvent]:
    """k-2 is merged into k-1."""
    into = {"into_id": "k-1", "by_id": "agent-9", "owner_id": "agent-7"}
    return [
        of(ownership.Merged, "k-2", at=LATER, **into),
        of(ownership.Closed, "k-2", at=LATER, basis="merged"),
        of(ownership.TookIn, from_id="k-2", by_id="agent-9", departure_threat=True, at=LATER),
        of(ownership.ContactJoined, contact_id="contact-2", because="merged", at=LATER),
    ]


async def test_what_a_contact_broke_is_broken_once_whichever_complaint_it_belongs_to(escalation: World) -> None:
    await two(escalation)
    (breach,) = (await escalation.promise())["breaches"]
    (asked,) = await escalation.escalations()
    mails = await escalation.mails()
    assert (breach["contact_id"], asked["complaint_id"]) == ("contact-2", "k-2")
    await escalation.tell(*merged())
    await escalation.settle()
    assert len((await escalation.promise())["breaches"]) == 1 and await escalation.mails() == mails
    # an agent says of the complaint that goes on what it is: that counts for the contact that came along
    what = {"by_id": "agent-7", "changed": ("cause",), "cause": "billing-error"}
    await escalation.tell(of(ownership.Classified, contact_ids=("contact-1", "contact-2"), at=LATER, **what))
    await escalation.settle()
    assert (await escalation.promise())["breaches"][0]["taken_back"]
    assert await escalation.findings() == []


async def test_only_words_end_what_waits_for_words_and_the_owner_of_the_one_that_goes_on_tells_them(
    escalation: World,
) -> None:
    await two(escalation)
    await escalation.tell(*merged())
    (asked,) = await escalation.escalations()
    assert (asked["status"], asked["complaint_id"]) == ("waiting", "k-2")
    assert (await known(escalation, "k-2")).owner_id == "agent-7"
    one = await known(escalation, "k-1")
    assert one.departure_threat and one.status == "open"
    await escalation.tell(breached())
    assert sorted(e["complaint_id"] for e in await escalation.escalations()) == ["k-1", "k-2"]
    shown = [item["type"] for item in await escalation.feed()]
    assert {"complaint.merged", "complaint.took_in", "complaint.closed"} <= set(shown)


async def test_the_contact_of_one_that_follows_stays_with_the_earlier_one(escalation: World) -> None:
    first = contact(contact_id="contact-1")
    later = opened(first, "k-2", because="still_not_solved", follows="k-1", at=LATER)
    await escalation.tell(first, opened(first), owned(), of(ownership.Closed, basis="silent"), later)
    assert (await known(escalation, "k-2")).first_contact_id == "contact-1"  # whose words a mail shows
    await escalation.tell(of(ownership.Closed, basis="not_a_complaint"))
    assert await escalation.findings() == []


async def test_what_is_split_off_is_judged_by_itself(escalation: World) -> None:
    await two(escalation)
    await escalation.tell(
        of(ownership.Split, "k-2", into_id="k-3", by_id="agent-9", contact_ids=("contact-2",), at=LATER),
        opened(contact(contact_id="contact-2", at=LATER), "k-3", because="split", split_from="k-2"),
    )
    await escalation.settle()
    assert len((await escalation.promise())["breaches"]) == 1
    await escalation.tell(of(ownership.Closed, "k-3", basis="not_a_complaint", by_id="agent-9", at=LATER))
    await escalation.settle()
    assert (await escalation.promise())["breaches"][0]["taken_back"]
    assert await escalation.findings() == []
