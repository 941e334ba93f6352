"""Who opens a complaint, what joins it, and who owns it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from services.ownership.store import unclaimed
from shared.contracts.envelope import Event
from shared.contracts.intake import Amount, ContactResponded
from tests.service.ownership_world import World, captured, clock_of

pytest_plugins = ["tests.service.ownership_world"]


async def test_a_complaint_belongs_to_who_took_it(world: World) -> None:
    contact = await world.contact(channel="phone", responder_id="agent-7", conversation_id="v-1")
    one = await world.complaint()
    assert (one["status"], one["owner"]["id"], one["contacts"]) == ("open", "agent-7", [contact.contact_id])
    assert one["reference"].startswith("C-") and len(one["reference"]) >= 7
    assert await world.told() == ["opened", "owner_assigned"]
    # somebody spoke with the customer at once: that was a first response
    assert clock_of(one, "first_response")["met_at"] and clock_of(one, "acknowledgement")["met_at"]
    assert {c["kind"] for c in one["clocks"]} == {"acknowledgement", "first_response", "next_update", "final_answer"}
    assert (await world.get(f"/v1/complaints/{one['reference'].lower()}"))["id"] == one["id"]
    ledger = (await world.get(f"/v1/complaints/{one['id']}/ownership"))["items"]
    assert [(i["role"], i["agent"]["id"], i["until"], i["why"]) for i in ledger] == [
        ("owner", "agent-7", None, "first_responder")
    ]


@pytest.mark.parametrize(
    ("complaint", "threat", "opens"),
    [
        (True, None, True),
        (None, None, True),
        (False, None, False),
        (False, "likely", True),
        (False, "certain", True),
        (False, "possible", False),
        (None, "possible", True),
    ],
)
async def test_what_opens_one(world: World, complaint: bool | None, threat: str | None, opens: bool) -> None:
    await world.contact(complaint=complaint, threat=threat, responder_id="agent-1")
    told = await world.told()
    assert told[:2] == (["opened", "owner_assigned"] if opens else [])
    assert ("departure_threatened" in told) == (opens and threat is not None)
    if opens:
        one = await world.complaint()
        assert one["departure_threat"] == (threat in ("certain", "likely"))
        assert one["departure_possible"] == (threat == "possible")


async def test_what_joins_and_why(world: World) -> None:
    await world.contact(conversation_id="v-1", cause="router-drops", responder_id="agent-1")
    one = await world.complaint()
    world.clock.advance(60)
    for because, fields in (
        ("reference", {"references": (one["reference"],), "cause": "billing-error", "conversation_id": "v-9"}),
        ("conversation", {"conversation_id": "v-1", "cause": None, "complaint": False}),
        ("cause", {"conversation_id": "v-3", "cause": "router-drops"}),
    ):
        await world.contact(responder_id="agent-2", **fields)
        joined = await world.note("contact_joined")
        assert joined["data"]["because"] == because
    one = await world.complaint()
    assert len(one["contacts"]) == 4
    assert one["owner"]["id"] == "agent-1"  # whoever answers later does not take it over
    await world.contact(conversation_id="v-4", cause="billing-error")
    first, other = await world.complaints()
    begun = [(await world.get(f"/v1/complaints/{c['id']}/timeline"))["items"][0]["why"] for c in (first, other)]
    assert begun[0] == "it is a complaint"
    assert begun[1].startswith("it is a complaint, and it names none of the customer's open complaints and shares")
    await world.contact("c-2", references=(one["reference"],), conversation_id="v-1")
    assert len((await world.complaint("c-2"))["contacts"]) == 1  # another customer's reference opens no door
    assert await world.findings() == []


async def test_a_small_word_that_belongs_nowhere_is_nothing(world: World) -> None:
    await world.contact(complaint=False)
    assert await world.told() == []


async def test_nobody_had_responded(world: World) -> None:
    contact = await world.contact()
    one = await world.complaint()
    assert one["owner"] is None and clock_of(one, "claim")["due_at"] == "2026-03-02T09:15:00Z"
    assert [x["id"] for x in (await world.get("/v1/complaints", unowned="true"))["items"]] == [one["id"]]
    world.clock.advance(timedelta(minutes=5))
    await world.response(contact, "agent-3")
    one = await world.complaint()
    assert one["owner"]["id"] == "agent-3"
    assert [clock_of(one, kind)["met_at"] for kind in ("claim", "acknowledgement", "first_response")] == [
        "2026-03-02T09:05:00Z"
    ] * 3
    assert clock_of(one, "next_update")["started_at"] == "2026-03-02T09:05:00Z"
    assert (await world.told())[1:] == ["owner_assigned", "customer_updated"]
    world.clock.advance(timedelta(minutes=5))
    await world.response(contact, "agent-4")
    one = await world.complaint()
    assert one["owner"]["id"] == "agent-3"
    assert clock_of(one, "first_response")["met_at"] == "2026-03-02T09:05:00Z"
    assert clock_of(one, "next_update")["started_at"] == "2026-03-02T09:10:00Z"
    assert (await world.get("/v1/complaints", unowned="true"))["items"] == []


async def test_a_call_about_an_unowned_complaint_makes_its_owner(world: World) -> None:
    await world.contact(channel="web")
    await world.contact(channel="phone", responder_id="agent-5")
    one = await world.complaint()
    assert one["owner"]["id"] == "agent-5" and clock_of(one, "first_response")["met_at"]


async def test_two_claim_at_once(world: World) -> None:
    await world.contact()
    one = await world.complaint()
    answers = await asyncio.gather(*(world.post(f"{one['id']}/claim", {"agent_id": f"agent-{n}"}) for n in range(8)))
    won = [a.json() for a in answers if a.status_code == 200]
    lost = [a.json() for a in answers if a.status_code == 409]
    assert len(won) == 1 and len(lost) == 7
    assert {a["state"]["owner"]["id"] for a in lost} == {won[0]["owner"]["id"]}
    assert (await world.told()).count("owner_assigned") == 1
    assert clock_of(await world.complaint(), "claim")["met_at"]


async def test_the_same_trouble_again(world: World) -> None:
    await world.contact(responder_id="agent-1")
    first = await world.complaint()
    await world.post(f"{first['id']}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=89))
    await world.contact(responder_id="agent-2", channel="chat")
    first, again = await world.complaints()
    assert again["repeat_of"] == first["id"]
    assert (await world.told())[-3:] == ["opened", "owner_assigned", "repeated"]
    await world.post(f"{again['id']}/confirmation", {"solved": True})
    world.clock.advance(timedelta(days=91))
    await world.contact(responder_id="agent-2")
    assert (await world.complaints())[2]["repeat_of"] is None


async def test_more_at_stake_than_was_known_is_said_with_the_contact_that_tells_it(world: World) -> None:
    worth = [None, ("300", "USD"), ("200", "USD"), ("900", "CNY"), ("4000", "USD")]
    known = [None, "300", "300", "300", "4000"]
    for n, (value, stands) in enumerate(zip(worth, known, strict=True)):
        amount = Amount(amount=value[0], currency=value[1]) if value else None
        await world.contact(cause="router-drops", responder_id="agent-1", lifetime_value=amount)
        one = await world.complaint()
        assert len(one["contacts"]) == n + 1
        assert (one["value_at_stake"] or {}).get("amount") == stands


async def test_a_threat_that_joins(world: World) -> None:
    await world.contact(responder_id="agent-1", conversation_id="v-1")
    await world.contact(conversation_id="v-1", threat="possible")
    one = await world.complaint()
    assert not one["departure_threat"] and one["departure_possible"]
    await world.post(f"{one['id']}/classification", {"agent_id": "agent-1", "departure_threat": True})
    one = await world.complaint()
    assert one["departure_threat"] and not one["departure_possible"]
    threat = await world.note("departure_threatened")
    assert threat["data"]["because"] == "agent" and threat["data"]["tier"] == "certain"
    await world.contact(conversation_id="v-1", threat="likely")
    assert (await world.note("departure_threatened"))["data"]["because"] == "heard"


async def test_terms_are_those_of_the_customer(world: World) -> None:
    await world.contact(tier="gold", region="nowhere")
    await world.contact("c-2", tier="tin", region="uk")
    gold, other = await world.complaint(), await world.complaint("c-2")
    assert (gold["tier"], gold["region"], other["tier"], other["region"]) == ("gold", "default", "standard", "uk")
    assert clock_of(gold, "first_response")["due_at"] == "2026-03-02T10:00:00Z"
    assert clock_of(other, "first_response")["hours"] == "business"
    rule = clock_of(other, "FCA DISP 1.6.2")
    assert rule["hours"] == "calendar" and rule["due_at"] == "2026-04-27T08:00:00Z"  # 09:00 in London, by then BST


async def test_an_erased_customer_leaves_no_words(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": "a canary sang"})
    await world.post(f"{one['id']}/escalation", {"by": "customer", "reason": "the canary asks"})
    await world.erase("c-1")
    items = (await world.get(f"/v1/complaints/{one['id']}/timeline"))["items"]
    assert len(items) == 4 and all(item["why"] is None and item["note"] is None for item in items)
    assert await world.findings() == []


@pytest.mark.parametrize("together", [True, False])
async def test_answers_that_are_heard_of_before_their_contact_count_once_it_comes(world: World, together: bool) -> None:
    outcomes = []
    for n, order in enumerate(((0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0))):
        heard = captured(f"c-{n}", at=world.now)
        told: list[Event] = [heard]
        for m in (1, 2):
            said_at = world.now + timedelta(seconds=m)
            about = {"contact_id": heard.contact_id, "response_id": f"r-{m}", "responder_id": f"agent-{m}"}
            times = {"occurred_at": said_at, "received_at": said_at}
            told.append(ContactResponded(customer_id=f"c-{n}", first=m == 1, **about, **times))
        world.clock.advance(3)
        for some in [[told[i] for i in order]] if together else [[told[i]] for i in order]:
            await world.deliver(*some)
        one = await world.complaint(f"c-{n}")
        clock = clock_of(one, "first_response")
        met_after = datetime.fromisoformat(clock["met_at"]) - datetime.fromisoformat(clock["started_at"])
        outcomes.append((one["owner"]["id"], met_after.total_seconds(), len(await world.told(f"c-{n}"))))
    assert outcomes == [("agent-1", 1.0, 4)] * 4
    async with world.engine.connect() as conn:
        assert not await conn.scalar(text("select count(*) from ownership.early_responses"))


async def test_an_answer_to_what_is_no_complaint_is_not_kept_for_ever(world: World) -> None:
    contact = await world.contact(complaint=False)
    await world.response(contact, "agent-1")
    forget = unclaimed(world.clock)
    async with world.engine.begin() as conn:
        assert await forget(conn, world.now, 10) == 0
        world.clock.advance(timedelta(days=91))
        assert await forget(conn, world.now, 10) == 1
