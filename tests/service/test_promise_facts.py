"""Promises beside their watch: how they are made and read, who is chased, who hears of a breach, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import ActionDone, Delivered, PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.promising import ActionWanted
from services.escalation.handlers import Promised
from shared.contracts import ownership
from shared.refusal import Refusal
from tests.service.escalation_house import Doors
from tests.service.escalation_world import NINE, WORDS, World, breached, contact, of, opened, owned, promised

pytest_plugins = ["tests.service.escalation_house"]
DAY = timedelta(days=1)
LATER = NINE + timedelta(hours=2)


async def make(world: World, *actions: ActionWanted, customer: str = "c-1", by: str = "vp", **told: Any) -> Any:
    """A promise by itself, about no complaint."""
    complaint_id = told.pop("complaint_id", None)
    return await world.act(customer, PromiseGiven(by, customer, complaint_id, promised(*actions, **told)))


def body(**over: Any) -> dict[str, Any]:
    return {
        "made_by": "vp",
        "customer_id": "c-1",
        "text": "The cards in your cabinet are replaced, and I look at its log every morning.",
        "cause": "router-drops",
        "product": "fibre-1g",
        "scope": "everyone",
        "watch_for": "30d",
        "actions": [{"what": "Replace the cards", "owner": "ops@example.com", "due_at": "2026-03-12T09:00:00Z"}],
    } | over


async def test_a_promise_by_itself_over_http(doors: Doors) -> None:
    world = doors.world
    async with doors.client("executive") as client:
        key = {"Idempotency-Key": "one"}
        made = await client.post("/v1/promises", json=body(), headers=key)
        assert made.status_code == 202, made.text
        again = await client.post("/v1/promises", json=body(), headers=key)
        assert again.json() == made.json() and len(await world.promises()) == 1
        shown = (await client.get(f"/v1/promises/{made.json()['reference']}")).json()
        assert (shown["text"], shown["made_to"], shown["scope"]) == (body()["text"], "c-1", "everyone")
        assert (shown["product"], shown["complaint_id"], shown["status"]) == ("fibre-1g", None, "watching")
        assert shown["watch_until"] == "2026-04-01T09:00:00Z" and shown["nothing_changes"] is False
        assert shown["actions"][0] | {"n": 1, "owner": "ops@example.com"} == shown["actions"][0]
        for wrong, status, slug in (
            ({"made_by": "stranger"}, 422, "unknown-executive"),
            ({"cause": "sunspots"}, 422, "unknown-cause"),
            ({"complaint_id": "k-9"}, 422, "unknown-complaint"),
            ({"watch_for": "0d"}, 422, "invalid"),
            ({"watch_for": "soon"}, 422, "invalid"),
            ({"scope": "nobody"}, 422, "invalid"),
            ({"level": 3}, 422, "invalid"),
        ):
            refused = await client.post("/v1/promises", json=body(**wrong))
            assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (status, slug), refused.text
    async with doors.client("agent") as client:
        assert (await client.post("/v1/promises", json=body())).status_code == 403
        done = {"by": "ops", "evidence": "photo 12"}
        path = f"/v1/promises/{made.json()['id']}/actions"
        assert (await client.post(f"{path}/1/done", json=done)).status_code == 200
        refused = await client.post(f"{path}/1/done", json=done)
        assert refused.status_code == 409 and refused.json()["state"]["done_by"] == "ops"
        assert (await client.post(f"{path}/2/done", json=done)).status_code == 404
    assert await world.findings() == []


async def test_the_history_of_a_cause_a_customer_and_a_person(doors: Doors) -> None:
    world = doors.world
    await make(world, text="One thing that I say.")
    await make(world, text="Another thing.", by="ceo", cause="billing-error")
    await make(world, text="Something else.", customer="c-2")
    async with doors.client("supervisor") as client:

        async def found(**wanted: str) -> list[str]:
            items = (await client.get("/v1/promises", params=wanted)).json()["items"]
            return [one["text"] for one in items]

        assert await found(cause="router-drops") == ["Something else.", "One thing that I say."]
        assert await found(customer_id="c-1") == ["Another thing.", "One thing that I say."]
        assert await found(made_by="ceo") == ["Another thing."]
        assert await found(made_by="vp", customer_id="c-2", status="watching") == ["Something else."]
        assert await found(status="broken") == []


async def test_words_alone_are_accepted_and_told_as_such(escalation: World) -> None:
    await make(escalation)
    await make(
        escalation, ActionWanted("Replace the splitter", "field-ops", NINE + DAY), text="A splitter is replaced."
    )
    told = [item["data"]["nothing_changes"] for item in await escalation.feed() if item["type"] == "promise.made"]
    assert told == [True, False]
    assert [one["nothing_changes"] for one in await escalation.promises()] == [False, True]


async def test_actions_are_chased_although_complaint_and_escalation_are_closed(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned(), breached())
    one = await escalation.escalation()
    given = promised(ActionWanted("Replace the splitter", "field-ops", NINE + 10 * DAY))
    await escalation.act("c-1", AnswerGiven(one["id"], "vp", WORDS, promise=given))
    await escalation.act("c-1", Delivered(one["id"], "agent-7", "by phone"))
    await escalation.tell(of(ownership.Closed, basis="accepted"))
    assert (await escalation.escalation())["status"] == "ended"
    for _ in range(16):
        await escalation.pass_time(DAY)
    chased = [(order.ordered_at - NINE).days for order in await escalation.orders() if order.kind == "chase"]
    assert chased == [7, 10, 13, 16]
    assert (await escalation.promise())["actions"][0]["missed_at"] is not None


async def test_a_late_action_holds_the_watch_open_and_a_done_one_ends_it(escalation: World) -> None:
    await make(escalation, ActionWanted("Replace the splitter", "field-ops", NINE + DAY), scope="everyone")
    await escalation.pass_time(200 * DAY)
    promise = await escalation.promise()
    assert promise["status"] == "watching"
    await escalation.act("c-1", ActionDone(promise["id"], 1, "field-ops", "photo 12"))
    assert (await escalation.promise())["kept_at"] == NINE + 200 * DAY
    await escalation.pass_time(2 * DAY)
    await escalation.tell(contact("c-2", NINE + 201 * DAY))
    await escalation.settle()
    assert (await escalation.promise())["status"] == "kept"
    await escalation.tell(contact("c-2", NINE + 190 * DAY))
    await escalation.settle()
    assert (await escalation.promise())["status"] == "broken"
    assert await escalation.findings() == []


async def test_the_watch_of_what_is_broken_ends_too(escalation: World) -> None:
    await make(escalation)
    await escalation.tell(contact(at=LATER))
    await escalation.pass_time(181 * DAY)
    await escalation.tell(contact(at=NINE + 180.5 * DAY))
    promise = await escalation.promise()
    assert promise["status"] == "broken" and len(promise["breaches"]) == 1


@pytest.mark.parametrize("owner_first", [True, False])
async def test_whoever_first_owns_the_complaint_hears_of_a_breach_once(escalation: World, owner_first: bool) -> None:
    await make(escalation)
    escalation.clock.advance(timedelta(hours=3))
    heard = contact(at=LATER)
    if owner_first:
        await escalation.tell(opened(heard), owned("agent-9"), heard)
    else:
        await escalation.tell(heard, opened(heard))
        assert await escalation.mails() == [("breach", "vp")]
        await escalation.tell(owned("agent-9"))
    succeeded = of(ownership.OwnerSucceeded, from_id="agent-9", to_id="agent-8", reason="role_ended", by_id="boss")
    await escalation.tell(succeeded)
    assert sorted(await escalation.mails()) == [("breach", "agent-9"), ("breach", "vp")]


async def test_broken_words_are_not_said_again_by_the_same_person_or_to_the_same_customer(escalation: World) -> None:
    await make(escalation)
    escalation.clock.advance(timedelta(hours=3))
    heard = contact(at=LATER)
    await escalation.tell(heard, opened(heard))
    for customer, by in (("c-1", "ceo"), ("c-2", "vp")):
        refused = await make(escalation, customer=customer, by=by)
        assert isinstance(refused, Refusal) and refused.slug == "canned-answer"
        assert refused.members["likeness"] > 0.9
    assert isinstance(await make(escalation, customer="c-2", by="ceo"), Promised)
    changed = of(
        ownership.Classified, by_id="a", changed=("cause",), cause="billing-error", contact_ids=(heard.contact_id,)
    )
    await escalation.tell(changed)  # the breach is taken back: the words held
    assert isinstance(await make(escalation), Promised)


async def test_who_has_no_address_here_is_chased_through_who_named_them(escalation: World) -> None:
    await make(escalation, ActionWanted("Replace the splitter", "field-ops", NINE + DAY), by="aide")
    await escalation.pass_time(DAY / 2)
    (chase,) = await escalation.orders()
    await escalation.mailed(chase, "permanent", no_address=True)
    assert await escalation.mails() == [("chase", "field-ops"), ("chase", "vp")]
    heard = contact(at=LATER)
    await escalation.tell(heard, opened(heard))
    assert ("breach", "vp") in await escalation.mails()
