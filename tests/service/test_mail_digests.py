"""Many mails to one person as one: what is over stays out of it, and each line is said to whom it is for."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage

from sqlalchemy import select

from services.escalation.domain.acts import Delivered
from services.escalation.domain.answering import Alike, AnswerGiven
from services.escalation.store.claiming import Claimed, claim
from services.escalation.store.mails import mails
from tests.service.escalation_world import POLICY, WORDS, breached, contact, opened, owned, policy
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
DESK = "desk@example.com"


async def many(house: House, number: int) -> None:
    """Complaints of as many customers, about each of which the head of care is asked."""
    for n in range(number):
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await house.world.tell(opened(heard, f"k-{n}", reference=f"C-{n:05d}"), owned(**who), breached(**who))


async def answered(house: House) -> None:
    """The head of care answers all that wait."""
    for one in await house.world.escalations(status="waiting"):
        given = AnswerGiven(one["id"], "head", WORDS, seen=10**6, alike=Alike())
        await house.world.act(one["customer_id"], given)


async def untold(house: House, number: int) -> None:
    """As many answers that no mail can bring and no owner has told: the supervisors are to hear of each."""
    house.world.policies.current = policy(POLICY + f"supervisors: [{DESK}]\n")
    await many(house, number)
    await answered(house)
    for order in await house.world.orders():
        if order.kind == "answer":
            await house.world.mailed(order, "permanent", no_address=True)
    for _ in range(2):
        await house.world.pass_time(timedelta(days=1))


async def claimed(house: House) -> Claimed:
    """The one mail that is being sent now."""
    async with house.world.engine.begin() as conn:
        (one,) = await claim(conn, house.world.clock.now(), per_minute=1, per_hour=10)
    return one


async def states(house: House, kind: str) -> set[tuple[str, bool]]:
    """(state, whether anything is left to do) of all mails of a kind."""
    async with house.world.engine.connect() as conn:
        found = await conn.execute(select(mails.c.state, mails.c.next_at).where(mails.c.kind == kind))
        return {(row.state, row.next_at is not None) for row in found}


def list_of(mail: EmailMessage) -> list[str]:
    """The lines of a mail that tell of others by their subject alone."""
    return re.findall(r"^[-*•] (.*C-\d{5}.*)$", text_of(mail), re.MULTILINE)


async def test_a_digest_all_of_which_is_over_is_not_sent(house: House) -> None:
    await untold(house, 3)
    for one in await house.world.escalations():
        await house.world.act(one["customer_id"], Delivered(one["id"], "agent-7", "by phone"))
    await house.post()
    assert house.server.to(DESK) == []
    house.world.clock.advance(timedelta(hours=2))
    await house.post()
    assert house.server.taken == []
    assert await states(house, "tell") == {("withdrawn", False)}


async def test_what_was_answered_while_a_digest_was_made_is_not_asked_for(house: House) -> None:
    await many(house, 3)
    mine = await claimed(house)
    assert len(mine.orders) == 3
    first, *rest = await house.world.escalations()
    await house.world.act(first["customer_id"], AnswerGiven(first["id"], "head", WORDS))
    await house.room._send(mine)
    (mail,) = house.server.to("head@example.com")
    told = f"{mail['Subject']}\n{text_of(mail)}"
    assert first["reference"] not in told and all(one["reference"] in told for one in rest)
    assert "2 complaints" in mail["Subject"]


async def test_a_digest_of_requests_that_were_all_answered_is_not_sent(house: House) -> None:
    await many(house, 3)
    mine = await claimed(house)
    await answered(house)
    await house.room._send(mine)
    assert house.server.to("head@example.com") == []
    assert await states(house, "ask") == {("withdrawn", False)}
    assert "escalation.undeliverable" not in await house.world.events()


async def test_supervisors_read_that_nobody_told_the_customer_however_many_they_are(house: House) -> None:
    await untold(house, 24)
    await house.post()
    (mail,) = house.server.to(DESK)
    lines = list_of(mail)
    assert len(lines) == 4 and all("has not reached the customer (reminder 2)" in one for one in lines)
    (to_owner,) = house.server.to("chen@example.com")
    lines = list_of(to_owner)
    assert len(lines) == 52 and sum("has still not been told (reminder 2)" in one for one in lines) >= 4
    assert not any("has not reached the customer" in one for one in lines)
