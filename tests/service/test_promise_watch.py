"""A promise breaks by itself when its cause comes back, whichever topic tells of it first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import ActionDone, PromiseGiven
from services.escalation.domain.promising import ActionWanted
from services.escalation.handlers import Promised
from shared.contracts import ownership
from shared.contracts.intake import Verdict
from shared.refusal import Refusal
from tests.service.escalation_world import NINE, World, contact, erased, of, opened, owned, promised

pytest_plugins = ["tests.service.escalation_house"]
DAY = timedelta(days=1)
LATER = NINE + timedelta(hours=2)


@pytest.fixture
async def watched(escalation: World) -> World:
    """The vice president promised customer c-1, whose complaint k-1 agent-7 owned, that the line will not drop."""
    await escalation.tell(opened(contact()), owned())
    await make(escalation)
    escalation.clock.advance(timedelta(hours=3))
    return escalation


async def make(world: World, *actions: ActionWanted, **told: Any) -> Any:
    return await world.act("c-1", PromiseGiven("vp", "c-1", "k-1", promised(*actions, **told)))


def joined(heard: Any, complaint_id: str = "k-1") -> ownership.ContactJoined:
    event: ownership.ContactJoined = of(
        ownership.ContactJoined, complaint_id, heard.customer_id, contact_id=heard.contact_id, because="cause"
    )
    return event


def said(*contact_ids: str, **told: Any) -> ownership.Classified:
    event: ownership.Classified = of(
        ownership.Classified, by_id="agent-7", changed=tuple(told), contact_ids=contact_ids, **told
    )
    return event


async def check_broken(world: World, contact_id: str) -> None:
    promise = await world.promise()
    assert promise["status"] == "broken"
    assert [breach["contact_id"] for breach in promise["breaches"]] == [contact_id]
    assert (await world.events()).count("promise.broken") == 1
    one = await world.escalation()
    assert (one["reasons"], one["level"], one["addressee"]["id"]) == (["promise_broken"], 2, "vp")
    assert sorted(await world.mails()) == [("breach", "agent-7"), ("breach", "vp")]
    assert await world.findings() == []


@pytest.mark.parametrize("order", ["contact first", "complaint first", "together"])
async def test_the_same_cause_again_breaks_it(watched: World, order: str) -> None:
    heard = contact(at=LATER)
    topics = {"contact first": [heard, joined(heard)], "complaint first": [joined(heard), heard]}.get(order)
    if topics is None:
        await watched.tell(joined(heard), heard)
    else:
        for event in topics:
            await watched.tell(event)
    await check_broken(watched, heard.contact_id)
    mail = next(order for order in await watched.orders() if order.recipient_id == "vp")
    assert (mail.step, mail.contact_id) == (1, heard.contact_id) and mail.due_at is not None


@pytest.mark.parametrize("contact_first", [True, False])
async def test_a_cause_that_an_agent_names_later_breaks_it(watched: World, contact_first: bool) -> None:
    heard = contact(at=LATER, cause=None, complaint=Verdict(value=None, score=0.4))
    ownership_says = [joined(heard), said(heard.contact_id, cause="router-drops")]
    if contact_first:
        await watched.tell(heard)
        await watched.tell(*ownership_says)
    else:
        for event in ownership_says:
            await watched.tell(event)
        assert (await watched.promise())["status"] == "watching"
        await watched.tell(heard)
    await check_broken(watched, heard.contact_id)


@pytest.mark.parametrize(
    "over",
    [
        {"at": NINE - DAY},
        {"at": LATER, "cause": "billing-error"},
        {"at": LATER, "cause": None},
        {"at": LATER, "complaint": Verdict(value=False, score=0)},
        {"at": LATER, "customer": "c-2"},
    ],
)
async def test_what_breaks_nothing(watched: World, over: dict[str, Any]) -> None:
    heard = contact(**over)
    await watched.tell(heard)
    await watched.tell(opened(heard, "k-9"))
    assert (await watched.promise())["status"] == "watching"
    assert await watched.escalations() == []


async def test_a_contact_told_in_whole_seconds_counts_as_after(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    escalation.clock.advance(0.7)
    await make(escalation)
    heard = contact(at=NINE, received_at=NINE + timedelta(seconds=0.9))
    await escalation.tell(heard)
    assert (await escalation.promise())["status"] == "broken"


async def test_another_product_breaks_nothing_and_an_unnamed_one_is_that_of_the_cause(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(escalation, product="fibre-1g")
    escalation.clock.advance(timedelta(hours=3))
    await escalation.tell(contact(at=LATER, product="dsl"))
    assert (await escalation.promise())["status"] == "watching"
    await escalation.tell(contact(at=LATER, product=None))
    assert (await escalation.promise())["status"] == "broken"


@pytest.mark.parametrize(
    ("why", "event"),
    [
        ("cause_changed", lambda heard: said(heard.contact_id, cause="billing-error")),
        ("not_a_complaint", lambda heard: said(heard.contact_id, complaint=False)),
        ("not_a_complaint", lambda heard: of(ownership.Closed, basis="not_a_complaint", by_id="agent-7")),
    ],
)
async def test_a_breach_is_taken_back_on_the_record(watched: World, why: str, event: Any) -> None:
    heard = contact(at=LATER)
    await watched.tell(heard, joined(heard))
    await watched.tell(event(heard))
    promise = await watched.promise()
    assert promise["status"] == "watching"
    assert promise["breaches"][0]["taken_back"]["why"] == why
    assert promise["breaches"][0]["taken_back"]["by"] == "agent-7"
    assert await watched.findings() == []


async def test_a_withdrawal_takes_nothing_back(watched: World) -> None:
    heard = contact(at=LATER)
    await watched.tell(heard, joined(heard), of(ownership.Closed, basis="withdrawn"))
    assert (await watched.promise())["status"] == "broken"


async def test_once_per_contact_and_each_contact_once(watched: World) -> None:
    heard, more = contact(at=LATER), contact(at=LATER)
    await watched.tell(heard, joined(heard), said(heard.contact_id, cause="router-drops"), more, joined(more))
    promise = await watched.promise()
    assert len(promise["breaches"]) == 2
    assert len(await watched.escalations()) == 1


async def test_a_promise_to_everyone_breaks_by_anybody(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(escalation, scope="everyone")
    escalation.clock.advance(timedelta(hours=3))
    heard = contact("c-2", LATER)
    await escalation.tell(heard)
    await escalation.settle()
    assert (await escalation.promise())["status"] == "broken"
    assert await escalation.escalations() == []
    await escalation.tell(opened(heard, "k-2"))
    await escalation.settle()
    one = await escalation.escalation()
    assert (one["complaint_id"], one["customer_id"], one["addressee"]["id"]) == ("k-2", "c-2", "vp")
    assert sorted(await escalation.mails()) == [("breach", "agent-7"), ("breach", "vp")]
    await escalation.tell(
        of(
            ownership.Classified,
            "k-2",
            "c-2",
            by_id="a",
            changed=("complaint",),
            complaint=False,
            contact_ids=(heard.contact_id,),
        )
    )
    await escalation.settle()
    assert (await escalation.promise())["status"] == "watching"
    assert await escalation.findings() == []


async def test_what_came_while_a_promise_to_everyone_was_made_breaks_it_too(escalation: World) -> None:
    heard = contact("c-2", LATER)
    await escalation.tell(heard, opened(heard, "k-2"), opened(contact()), owned())
    await make(escalation, scope="everyone")
    await escalation.settle()
    assert (await escalation.promise())["status"] == "watching"
    await escalation.pass_time(timedelta(minutes=2))
    assert (await escalation.promise())["status"] == "broken"
    assert (await escalation.escalation())["complaint_id"] == "k-2"


async def test_a_broken_promise_is_not_made_again_in_the_same_words(watched: World) -> None:
    await watched.tell(contact(at=LATER))
    refusal = await make(watched)
    assert isinstance(refusal, Refusal) and refusal.slug == "canned-answer"
    other = "The cabinet in your street has new cards since Monday; I look at its log every morning until May."
    assert isinstance(await make(watched, text=other), Promised)


async def test_kept_at_the_end_of_its_watch(watched: World) -> None:
    await watched.pass_time(179 * DAY)
    assert (await watched.promise())["status"] == "watching"
    await watched.pass_time(DAY)
    promise = await watched.promise()
    assert (promise["status"], promise["kept_at"]) == ("kept", promise["watch_until"])
    assert await watched.findings() == []


async def test_a_contact_that_comes_late_still_breaks_what_was_kept(watched: World) -> None:
    await watched.pass_time(181 * DAY)
    await watched.tell(contact(at=NINE + 100 * DAY))
    assert (await watched.promise())["status"] == "broken"


async def test_actions_are_chased_and_a_late_one_holds_the_promise_open(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(escalation, ActionWanted("Replace the splitter", "field-ops", NINE + 10 * DAY), watch_for=None)
    await escalation.pass_time(6 * DAY)
    assert await escalation.mails() == []
    await escalation.pass_time(DAY)
    assert await escalation.mails() == [("chase", "field-ops")]
    await escalation.pass_time(3 * DAY)
    assert (await escalation.events())[-1] == "promise.action_missed"
    assert await escalation.mails() == [("chase", "field-ops")] * 2
    await escalation.pass_time(3 * DAY)
    assert await escalation.mails() == [("chase", "field-ops")] * 3
    await escalation.pass_time(200 * DAY)
    promise = await escalation.promise()
    assert promise["status"] == "watching"
    done = ActionDone(promise["id"], 1, "field-ops", "photo 12")
    assert isinstance(await escalation.act("c-1", done), Promised)
    promise = await escalation.promise()
    assert (promise["status"], promise["actions"][0]["evidence"]) == ("kept", "photo 12")
    again = await escalation.act("c-1", done)
    assert isinstance(again, Refusal) and again.status == 409
    chased = len(await escalation.mails())
    await escalation.pass_time(30 * DAY)
    assert len(await escalation.mails()) == chased
    assert await escalation.findings() == []


async def test_who_cannot_be_written_to_is_chased_through_the_promiser(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(escalation, ActionWanted("Replace the splitter", "field-ops", NINE + DAY))
    await escalation.pass_time(DAY / 2)
    (chase,) = await escalation.orders()
    await escalation.mailed(chase, "permanent", no_address=True)
    assert ("chase", "vp") in await escalation.mails()


async def test_an_address_is_chased_but_no_event_names_it(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(escalation, ActionWanted("Replace the splitter", "ops@example.com", NINE + DAY))
    await escalation.pass_time(DAY)
    assert {order.recipient_kind for order in await escalation.orders()} == {"address"}
    assert "ops@example.com" not in str(await escalation.feed())


async def test_an_erased_customer_leaves_no_words(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await make(
        escalation, ActionWanted("Replace CANARY", "ops@canary.example", NINE + DAY), text="CANARY will not drop"
    )
    await escalation.tell(erased())
    promise = await escalation.promise()
    assert promise["text"] is None and promise["actions"][0]["what"] is None
    await escalation.pass_time(2 * DAY)
    assert await escalation.findings() == []
