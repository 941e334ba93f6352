"""An answer that no mail brings is told by the owner, who is reminded until they say so; a customer may answer back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.acts import Delivered
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.mail import MailOrder
from services.escalation.handlers import Done
from shared.contracts import ownership
from shared.policy import Policies
from tests.service.escalation_world import (
    POLICY,
    WORDS,
    World,
    breached,
    contact,
    of,
    opened,
    owned,
    policy,
    promised,
    threatened,
)

pytest_plugins = ["tests.service.escalation_house"]
DAY = timedelta(days=1)


@pytest.fixture
async def answered(escalation: World) -> World:
    """The head of care has answered agent-7's complaint."""
    await escalation.tell(opened(contact()), owned(), breached())
    assert isinstance(await answer(escalation), Done)
    return escalation


async def answer(world: World, words: str = WORDS, executive: str = "head", **told: Any) -> Any:
    one = next(one for one in await world.escalations() if one["status"] == "waiting")
    return await world.act("c-1", AnswerGiven(one["id"], executive, words, **told))


async def order(world: World, kind: str = "answer", who: str = "c-1") -> MailOrder:
    return next(one for one in reversed(await world.orders()) if (one.kind, one.recipient_id) == (kind, who))


async def told(world: World) -> list[tuple[str, str]]:
    """Whom the telling was asked of or told, by kind and id."""
    return [(one.recipient_kind, one.recipient_id) for one in await world.orders() if one.kind == "tell"]


async def test_what_counts_as_delivered_and_comes_back_brings_the_owner_in(answered: World) -> None:
    await answered.mailed(await order(answered))
    assert (await answered.escalation())["status"] == "ended"
    await answered.mailed(await order(answered), "permanent")
    one = await answered.escalation()
    assert (one["status"], one["ended_at"], one["answer"]["delivered_at"]) == ("answered", None, None)
    assert one["answer"]["delivery"]["mail"]["state"] == "came_back"
    assert one["answer"]["delivery"]["owner"]["state"] == "asked"
    assert await told(answered) == [("agent", "agent-7")]
    assert (await answered.events())[-1] == "escalation.delivery_failed"
    await answered.mailed(await order(answered), "permanent")
    assert (await answered.events()).count("escalation.delivery_failed") == 1
    await answered.act("c-1", Delivered(one["id"], "agent-7", "by phone", "She said: at last."))
    one = await answered.escalation()
    assert (one["status"], one["answer"]["acknowledged"]) == ("ended", True)
    assert one["answer"]["delivery"]["owner"]["state"] == "told"
    assert await answered.findings() == []


async def test_what_the_owner_told_is_not_taken_back_by_a_mail_that_comes_back(answered: World) -> None:
    one = await answered.escalation()
    await answered.act("c-1", Delivered(one["id"], "agent-7", "by phone"))
    await answered.mailed(await order(answered), "permanent")
    one = await answered.escalation()
    assert (one["status"], one["answer"]["delivered_through"], one["answer"]["acknowledged"]) == (
        "ended",
        "owner",
        None,
    )
    assert await told(answered) == []


async def test_an_owner_who_says_nothing_is_reminded_for_ever_and_others_hear_of_it(answered: World) -> None:
    await answered.mailed(await order(answered), "permanent", no_address=True)
    assert await told(answered) == [("agent", "agent-7")]
    await answered.pass_time(DAY)
    assert await told(answered) == [("agent", "agent-7")] * 2
    await answered.pass_time(DAY)
    assert ("superior", "agent-7") in await told(answered)
    await answered.pass_time(DAY)
    assert ("executive", "head") in await told(answered)
    for _ in range(27):
        await answered.pass_time(DAY)
    counted = Counter(await told(answered))
    assert counted == {("agent", "agent-7"): 31, ("superior", "agent-7"): 29, ("executive", "head"): 28}
    one = await answered.escalation()
    assert one["answer"]["delivery"]["owner"]["reminded"] == 30
    await answered.act("c-1", Delivered(one["id"], "agent-7", "at the door"))
    await answered.pass_time(30 * DAY)
    assert Counter(await told(answered)) == counted
    assert (await answered.events()).count("escalation.untold") == 30
    assert await answered.findings() == []


async def test_after_an_outage_one_reminder_is_sent_and_all_are_counted(answered: World) -> None:
    await answered.mailed(await order(answered), "permanent", no_address=True)
    await answered.pass_time(10 * DAY)
    assert Counter(await told(answered)) == {
        ("agent", "agent-7"): 2,
        ("superior", "agent-7"): 1,
        ("executive", "head"): 1,
    }
    assert (await answered.escalation())["answer"]["delivery"]["owner"]["reminded"] == 10


async def test_supervisors_of_the_policy_come_before_superiors(escalation: World) -> None:
    with_supervisors = policy(POLICY + "supervisors: [care@example.com, night@example.com]\n")
    world = World(escalation.engine, Policies.single(with_supervisors), escalation.clock)
    await world.tell(opened(contact()), owned(), breached())
    await answer(world)
    await world.mailed(await order(world), "permanent", no_address=True)
    await world.pass_time(2 * DAY)
    above = {one for one in await told(world) if one[0] != "agent"}
    assert above == {("address", "care@example.com"), ("address", "night@example.com")}


async def test_whoever_cannot_be_reached_is_passed_over_at_once(answered: World) -> None:
    await answered.mailed(await order(answered), "permanent", no_address=True)
    await answered.mailed(await order(answered, "tell", "agent-7"), "permanent", no_address=True)
    assert ("superior", "agent-7") in await told(answered)
    above = next(one for one in await answered.orders() if one.recipient_kind == "superior")
    await answered.mailed(above, "permanent", no_address=True)
    assert ("executive", "head") in await told(answered)


async def test_where_nobody_owns_it_the_writer_hears_of_it(escalation: World) -> None:
    await escalation.tell(opened(contact()), breached("claim"))
    await answer(escalation)
    await escalation.mailed(await order(escalation), "permanent", no_address=True)
    assert await told(escalation) == []
    await escalation.pass_time(DAY)
    assert await told(escalation) == [("executive", "head")]
    await escalation.tell(owned("agent-9"))
    assert ("agent", "agent-9") in await told(escalation)


async def test_redress_and_promise_go_with_the_words(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned(), breached())
    await answer(escalation, redress="Two months are free.", promise=promised())
    one = await escalation.escalation()
    assert one["answer"]["redress"] == "Two months are free."
    assert (await order(escalation)).promise_id == one["answer"]["promise_id"]


def reopened(**over: Any) -> Any:
    return of(ownership.Reopened, cycle=2, through="page", **over)


async def test_a_customer_who_is_not_satisfied_is_heard_by_the_same_executive(answered: World) -> None:
    await answered.mailed(await order(answered))
    await answered.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1), reopened())
    (again,) = await answered.escalations(status="waiting")
    assert (again["addressee"]["id"], again["level"], again["reasons"]) == ("head", 1, ["asked"])
    assert ("ask", "head") in (await answered.mails())[-2:]
    # and again, for ever: the same person, on the same level
    assert isinstance(
        await answer(answered, "Nobody came because our van broke down. I bring the splitter myself."), Done
    )
    await answered.mailed(await order(answered))
    await answered.tell(reopened(), of(ownership.EscalationAsked, by="customer"))
    (third,) = await answered.escalations(status="waiting")
    assert (third["addressee"]["id"], len(await answered.escalations())) == ("head", 3)
    assert await answered.findings() == []


async def test_a_no_where_no_executive_has_answered_raises_nothing(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned())
    await escalation.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1), reopened())
    assert await escalation.escalations() == []


async def test_the_no_goes_to_whoever_answered_above_not_to_the_first_level(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned(), threatened())
    await answer(escalation, executive="aide", stay_asked=True, stay="A call.")
    await escalation.mailed(await order(escalation))
    await escalation.tell(of(ownership.EscalationAsked, by="customer"))
    (again,) = await escalation.escalations(status="waiting")
    # the delegate has no address of their own here: who named them
    assert (again["addressee"]["id"], again["level"]) == ("vp", 2)


async def test_an_agents_word_goes_the_usual_way(escalation: World) -> None:
    await escalation.tell(opened(contact()), owned(), threatened())
    await answer(escalation, executive="vp", stay_asked=True, stay="A call.")
    await escalation.mailed(await order(escalation))
    await escalation.tell(of(ownership.EscalationAsked, by="agent"))
    (again,) = await escalation.escalations(status="waiting")
    assert (again["addressee"]["id"], again["level"]) == ("head", 1)


async def test_a_no_that_comes_too_late_to_reopen_goes_back_all_the_same(answered: World) -> None:
    await answered.mailed(await order(answered))
    late = contact()
    await answered.tell(opened(late, "k-2", because="still_not_solved", follows="k-1"))
    (again,) = await answered.escalations(status="waiting")
    assert (again["complaint_id"], again["addressee"]["id"]) == ("k-2", "head")
