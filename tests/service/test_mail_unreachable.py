"""An address that mails do not reach is known to every escalation, until there is reason to trust it again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from services.escalation.domain.acts import Forwarded
from services.escalation.domain.mail import MailOrder
from shared.contracts import ownership
from shared.refusal import Refusal
from tests.service.escalation_house import Doors
from tests.service.escalation_world import POLICY, World, breached, contact, of, opened, owned, policy, threatened
from tests.service.mail_house import House, text_of
from tests.service.reply_house import Inbound, asked
from tests.service.test_mail_bounces import report

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house", "tests.service.reply_house")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Steps = list[tuple[str, str]]


async def trouble(world: World, n: int, *more: ownership.ComplaintEvent) -> None:
    """A complaint of customer n, with a clock that was missed or whatever else is said."""
    heard = contact(f"c-{n}", contact_id=f"contact-{n}")
    whose = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
    await world.tell(opened(heard, f"k-{n}"), owned(**whose), *(more or (breached(**whose),)))


async def steps(world: World, n: int) -> Steps:
    """(whom, with what outcome) of the escalation of complaint n."""
    (one,) = [one for one in await world.escalations() if one["complaint_id"] == f"k-{n}"]
    return [(step["executive_id"], step["outcome"]) for step in one["steps"]]


async def ask_to(world: World, who: str) -> MailOrder:
    """The last mail by which somebody is asked."""
    return [order for order in await world.orders() if (order.kind, order.recipient_id) == ("ask", who)][-1]


async def marked(world: World, *people: str) -> None:
    """The address of each of these has refused a mail about complaint 1."""
    await trouble(world, 1)
    for who in people:
        await world.mailed(await ask_to(world, who), "permanent", detail="recipient refused: 550")


@pytest.fixture
def on(escalation: World) -> World:
    return escalation


async def test_a_later_escalation_goes_to_the_next_person_at_once_and_says_why(on: World) -> None:
    await marked(on, "head")
    since = on.clock.now()
    await on.pass_time(timedelta(seconds=59))
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "undeliverable"), ("vp", "waiting")]
    assert ("ask", "head") not in (await on.mails())[1:]
    (order,) = [order for order in await on.orders() if order.escalation_id and order.complaint_id == "k-2"]
    assert (order.recipient_id, order.due_at) == ("vp", on.clock.now() + 8 * HOUR)
    told = [item["data"] for item in await on.feed() if item["type"] == "escalation.undeliverable"][-1]
    assert (told["executive_id"], told["because"]) == ("head", "refused") and told["complaint_id"] == "k-2"
    assert told["since"] == since.isoformat().replace("+00:00", "Z")
    assert await on.findings() == []


async def test_two_that_are_marked_are_each_on_the_record(on: World) -> None:
    await marked(on, "head", "vp")
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "undeliverable"), ("vp", "undeliverable"), ("ceo", "waiting")]


async def test_a_climb_and_a_lift_pass_over_whoever_is_marked(on: World) -> None:
    patient = POLICY.replace("escalation:\n", "escalation:\n  mail_retry_after: [1d]\n")
    on.policies.current = policy(patient)
    await marked(on, "head", "vp")
    (first,) = await on.escalations()
    on.policies.current = policy(patient.replace("head@example.com", "hana@example.com"))
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "waiting")]
    await on.pass_time(4 * HOUR)
    assert (await steps(on, 2))[1:] == [("vp", "undeliverable"), ("ceo", "waiting")]
    await trouble(on, 3)
    await on.tell(threatened(complaint_id="k-3", customer="c-3"))
    assert await steps(on, 3) == [("head", "lifted"), ("vp", "undeliverable"), ("ceo", "waiting")]
    assert first["addressee"]["id"] == "ceo" and await on.findings() == []


async def test_others_whose_mail_has_not_gone_out_are_passed_on_at_once(on: World) -> None:
    for n in (1, 2, 3):
        await trouble(on, n)
    mails = {order.complaint_id: order for order in await on.orders()}
    await on.mailed(mails["k-3"])
    await on.mailed(mails["k-1"], "permanent", detail="recipient refused: 550")
    await on.settle()
    assert await steps(on, 1) == await steps(on, 2) == [("head", "undeliverable"), ("vp", "waiting")]
    assert await steps(on, 3) == [("head", "waiting")]  # theirs was taken before
    assert await on.findings() == []


async def test_what_waits_for_its_turn_is_not_sent_to_a_marked_address(house: House) -> None:
    house.server.says["head@example.com"] = ["250 OK", "rcpt 550 no such user"]
    for n in range(4):
        await trouble(house.world, n)
        await house.post()
    for _ in range(3):
        house.world.clock.advance(timedelta(minutes=2))
        await house.post()
        await house.world.settle()
    await house.post()
    assert len(house.server.to("head@example.com")) == 1 and house.server.says["head@example.com"] == []
    for n in (1, 2, 3):
        assert await steps(house.world, n) == [("head", "undeliverable"), ("vp", "waiting")]


async def test_where_all_are_marked_the_mail_goes_to_whoever_is_asked(on: World) -> None:
    await marked(on, "head", "vp", "ceo")
    assert await steps(on, 1) == [("head", "undeliverable"), ("vp", "undeliverable"), ("ceo", "undeliverable")]
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "waiting")]
    assert (await ask_to(on, "head")).complaint_id == "k-2"
    # refused again it goes on, and at the top on the policy's rhythm for ever
    for who in ("head", "vp", "ceo"):
        await on.mailed(await ask_to(on, who), "permanent", detail="recipient refused: 550")
    assert [outcome for _, outcome in await steps(on, 2)] == ["undeliverable"] * 3
    before = len(await on.orders())
    await on.pass_time(2 * DAY)
    assert len(await on.orders()) > before
    assert (await on.escalations(complaint_id="k-2"))[0]["standing_unanswered"] and await on.findings() == []


async def test_another_address_in_the_policy_is_trusted(on: World) -> None:
    await marked(on, "head")
    on.policies.current = policy(POLICY.replace("head@example.com", "hana@example.com"))
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "waiting")]


async def tried(world: World, n: int) -> bool:
    """Whether the head is written to about a new complaint."""
    await trouble(world, n)
    return (await steps(world, n))[0] == ("head", "waiting")


async def refuse(world: World) -> None:
    """The head's address refuses the mail that was written last."""
    await world.mailed(await ask_to(world, "head"), "permanent", detail="recipient refused: 550")


async def test_it_is_tried_again_after_ever_longer_waits(on: World) -> None:
    await marked(on, "head")
    numbers = iter(range(2, 100))
    for minutes in (1, 5, 15, 30, 30):
        on.clock.advance(timedelta(minutes=minutes, seconds=-1))
        assert not await tried(on, next(numbers))
        on.clock.advance(timedelta(seconds=1))
        assert await tried(on, next(numbers))
        await refuse(on)
    assert await on.findings() == []


async def test_mails_that_were_on_their_way_are_no_further_try(on: World) -> None:
    for n in (1, 2, 3):
        await trouble(on, n)
    asks = await on.orders()
    for one in asks:
        await on.mailed(one, "permanent", detail="recipient refused: 550")
    on.clock.advance(timedelta(minutes=1))
    assert await tried(on, 4)


async def test_a_mail_that_was_taken_ends_the_matter_where_it_has_not_come_back_for_a_day(doors: Doors) -> None:
    on = doors.world
    await marked(on, "head")
    on.clock.advance(timedelta(minutes=1))
    assert await tried(on, 2)
    await on.mailed(await ask_to(on, "head"))
    assert await tried(on, 3)
    (one,) = await items(doors)
    assert (one["tried_from"], one["trusted_from"]) == (None, "2026-03-03T09:01:00Z")
    await refuse(on)  # a report that comes late
    on.clock.advance(timedelta(minutes=5, seconds=-1))
    assert not await tried(on, 4)
    (one,) = await items(doors)
    assert (one["since"], one["tried_from"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:06:00Z")
    on.clock.advance(timedelta(seconds=1))
    assert await tried(on, 5)
    await on.mailed(await ask_to(on, "head"))
    on.clock.advance(DAY)
    assert await items(doors) == []
    # what is refused after that is another matter
    assert await tried(on, 6)
    await refuse(on)
    assert (await items(doors))[0]["tried_from"] == "2026-03-03T09:07:00Z"


async def test_many_that_are_refused_at_once_are_one_mark(on: World) -> None:
    for n in range(12):
        await trouble(on, n)
    asks = [order for order in await on.orders() if order.kind == "ask"]
    await asyncio.gather(*(on.mailed(one, "permanent", detail="recipient refused: 550") for one in asks))
    await on.settle()
    assert {tuple(await steps(on, n)) for n in range(12)} == {(("head", "undeliverable"), ("vp", "waiting"))}
    assert (await on.events()).count("escalation.undeliverable") == 12 and await on.findings() == []


async def test_a_mail_that_comes_back_marks_it_for_others(inbound: Inbound) -> None:
    mail: EmailMessage = await asked(inbound)
    await inbound.deliver(report(mail), inbound.house.server.senders[0])
    await inbound.work()
    await trouble(inbound.house.world, 2)
    assert await steps(inbound.house.world, 2) == [("head", "undeliverable"), ("vp", "waiting")]
    told = [item["data"] for item in await inbound.house.world.feed() if item["type"] == "escalation.undeliverable"]
    assert [one["because"] for one in told] == ["came_back", "came_back"]


async def test_supervisors_read_once_who_why_and_since_when(house: House) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    for n in range(3):
        await trouble(house.world, n)
        await house.post()
        await house.world.settle()
    house.world.clock.advance(HOUR)
    await house.post()
    (mail,) = house.server.to("desk@example.com")
    text = text_of(mail)
    assert "Hana Head: recipient refused: 550" in text and "Since: 2026-03-02 09:00 (UTC)" in text
    assert "/v1/unreachable/head/trusted" in text


async def test_what_is_no_word_of_a_server_marks_nobody(on: World) -> None:
    await trouble(on, 1)
    await on.mailed(await ask_to(on, "head"), "permanent", detail="nothing to say", unsaid=True)
    assert await steps(on, 1) == [("head", "undeliverable"), ("vp", "waiting")]
    await trouble(on, 2)
    assert await steps(on, 2) == [("head", "waiting")]


async def test_nothing_is_forwarded_to_a_marked_address(on: World) -> None:
    await marked(on, "head")
    await trouble(on, 2)
    (one,) = await on.escalations(complaint_id="k-2")
    refused = await on.act("c-2", Forwarded(one["id"], "head", "boss"))
    assert isinstance(refused, Refusal) and (refused.slug, refused.status) == ("unreachable-executive", 409)


async def items(doors: Doors, scope: str = "supervisor") -> list[dict[str, Any]]:
    async with doors.client(scope) as client:
        answer = await client.get("/v1/unreachable")
    assert answer.status_code == 200 and answer.json()["next"] is None
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_they_are_a_list_like_all_others(doors: Doors) -> None:
    await marked(doors.world, "head")
    await marked(doors.world, "vp")
    async with doors.client("supervisor") as client:
        first = (await client.get("/v1/unreachable", params={"limit": 1})).json()
        second = (await client.get("/v1/unreachable", params={"limit": 1, "cursor": first["next"]})).json()
    assert [one["executive_id"] for one in (*first["items"], *second["items"])] == ["head", "vp"]
    assert first["next"] and second["next"] is None


async def test_a_supervisor_sees_who_it_is_and_says_that_the_address_works(doors: Doors) -> None:
    await marked(doors.world, "head")
    (one,) = await items(doors)
    assert one["executive"] == {"id": "head", "name": "Hana Head", "role": "head_of_care"}
    assert (one["because"], one["detail"], one["since"]) == (
        "refused",
        "recipient refused: 550",
        "2026-03-02T09:00:00Z",
    )
    path, key = "/v1/unreachable/head/trusted", {"Idempotency-Key": "one"}
    async with doors.client("executive") as client:
        assert (await client.post(path, json={})).status_code == 403
    async with doors.client("supervisor") as client:
        first = await client.post(path, json={"by": "boss"}, headers=key)
        again = await client.post(path, json={"by": "boss"}, headers=key)
        assert first.status_code == again.status_code == 202 and first.json() == again.json()
        assert (await client.post(path, json={})).status_code == 404
        assert (await client.post(path, json={"why": "x"})).status_code == 422
    assert await items(doors) == []
    await trouble(doors.world, 2)
    assert await steps(doors.world, 2) == [("head", "waiting")]
    # and where it refuses again it is marked anew
    doors.world.clock.advance(HOUR)
    await doors.world.mailed(await ask_to(doors.world, "head"), "permanent", detail="text refused: 554")
    assert [(one["executive_id"], one["since"]) for one in await items(doors)] == [("head", "2026-03-02T10:00:00Z")]


async def test_a_repeat_reaches_whoever_is_trusted_again(doors: Doors) -> None:
    on = doors.world
    await trouble(on, 1, of(ownership.Repeated, "k-1", "c-1", repeat_of="k-0"))
    await on.pass_time(8 * HOUR)
    await on.mailed(await ask_to(on, "ceo"), "permanent", detail="recipient refused: 550")
    assert (await steps(on, 1))[-1] == ("vp", "waiting")  # her delegate
    async with doors.client("supervisor") as client:
        assert (await client.post("/v1/unreachable/ceo/trusted", json={})).status_code == 202
    await on.pass_time(DAY)
    assert (await steps(on, 1))[-1] == ("ceo", "waiting") and await on.findings() == []
