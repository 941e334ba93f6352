"""Mails that a server took and then sent back: as if it had refused them at once."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from services.escalation.domain.answering import AnswerGiven
from shared import faults
from tests.service.escalation_world import WORDS, breached, contact, opened
from tests.service.mail_house import text_of
from tests.service.reply_house import Inbound, asked

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house", "tests.service.reply_house")


def report(mail: EmailMessage, action: str = "failed", status: str = "5.1.1") -> bytes:
    """What a mail server says of a mail that it could not deliver."""
    lines = [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.com>",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "It could not be delivered.",
        "",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.com",
        "",
        f"Final-Recipient: rfc822; {mail['To']}",
        f"Action: {action}",
        f"Status: {status}",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {mail['Message-ID']}",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("by_tag", [True, False], ids=["envelope", "message id"])
async def test_an_executives_mail_that_comes_back_goes_to_the_next_person_at_once(
    inbound: Inbound, by_tag: bool
) -> None:
    mail = await asked(inbound)
    to = inbound.house.server.senders[0] if by_tag else "answers@example.com"
    assert (await inbound.deliver(report(mail), to))[0] == 250
    await inbound.work()
    one = await inbound.house.world.escalation()
    assert [(step["executive_id"], step["outcome"]) for step in one["steps"]] == [
        ("head", "undeliverable"),
        ("vp", "waiting"),
    ]
    assert "escalation.undeliverable" in [item["type"] for item in await inbound.house.world.feed()]
    assert len(inbound.house.server.to("vp@example.com")) == 1
    assert "cannot be reached" in inbound.house.server.to("chen@example.com")[0]["Subject"]
    assert await inbound.states() == [("bounced", "5.1.1", False)]
    assert await inbound.house.world.findings() == []


async def test_the_same_report_again_changes_nothing(inbound: Inbound) -> None:
    mail = await asked(inbound)
    for _ in range(3):
        await inbound.deliver(report(mail), inbound.house.server.senders[0])
        await inbound.work()
    assert (await inbound.house.world.events()).count("escalation.undeliverable") == 1


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.0.0")])
async def test_a_delay_is_no_bounce(inbound: Inbound, action: str, status: str) -> None:
    mail = await asked(inbound)
    await inbound.deliver(report(mail, action, status), inbound.house.server.senders[0])
    await inbound.work()
    assert (await inbound.house.world.escalation())["steps"][0]["outcome"] == "waiting"
    assert await inbound.states() == [("robot", None, False)]


async def test_a_digest_that_comes_back_climbs_for_each_complaint_in_it(inbound: Inbound) -> None:
    await asked(inbound)
    for n in range(2, 9):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await inbound.house.world.tell(opened(heard, f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    inbound.house.world.clock.advance(timedelta(minutes=2))
    await inbound.house.post()
    digest = inbound.house.server.to("head@example.com")[1]
    await inbound.deliver(report(digest), inbound.house.server.senders[-1])
    await inbound.work()
    found = {one["complaint_id"]: one["addressee"]["id"] for one in await inbound.house.world.escalations()}
    assert found == {"k-1": "head"} | {f"k-{n}": "vp" for n in range(2, 9)}


async def test_a_digest_of_which_one_fails_climbs_for_that_one_later(inbound: Inbound) -> None:
    await asked(inbound)
    for n in range(2, 5):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await inbound.house.world.tell(opened(heard, f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    inbound.house.world.clock.advance(timedelta(minutes=2))
    await inbound.house.post()
    digest = inbound.house.server.to("head@example.com")[1]
    await inbound.deliver(report(digest), inbound.house.server.senders[-1])
    for _ in range(2):  # all of them together, and then one of them alone
        faults.plan("corridor.before_commit", "error")
    await inbound.work()
    found = [one["addressee"]["id"] for one in await inbound.house.world.escalations() if one["complaint_id"] != "k-1"]
    assert sorted(found) == ["head", "head", "vp"] and (await inbound.states())[0][0] == "new"
    inbound.house.world.clock.advance(timedelta(minutes=3))
    await inbound.work()
    found = [one["addressee"]["id"] for one in await inbound.house.world.escalations() if one["complaint_id"] != "k-1"]
    assert found == ["vp"] * 3 and (await inbound.states())[0] == ("bounced", "5.1.1", False)
    assert (await inbound.house.world.events()).count("escalation.undeliverable") == 3


async def test_a_digest_of_which_one_always_fails_is_given_up_and_the_others_have_climbed(inbound: Inbound) -> None:
    await asked(inbound)
    for n in range(2, 5):
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await inbound.house.world.tell(opened(heard, f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    inbound.house.world.clock.advance(timedelta(minutes=2))
    await inbound.house.post()
    digest = inbound.house.server.to("head@example.com")[1]
    await inbound.deliver(report(digest), inbound.house.server.senders[-1])
    for _ in range(6):
        for _ in range(2):
            faults.plan("corridor.before_commit", "error")
        await inbound.room.run_once()
        faults.clear()
        inbound.house.world.clock.advance(timedelta(minutes=3))
    found = [one["addressee"]["id"] for one in await inbound.house.world.escalations() if one["complaint_id"] != "k-1"]
    assert sorted(found) == ["head", "vp", "vp"] and await inbound.states() == [("failed", None, False)]


async def test_a_customers_mail_that_comes_back_brings_the_owner_in(inbound: Inbound) -> None:
    await asked(inbound)
    one = await inbound.house.world.escalation()
    await inbound.house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS))
    await inbound.house.post()
    (mail,) = inbound.house.server.to("li@customer.example")
    assert mail["Reply-To"] is None  # customers are heard elsewhere
    await inbound.deliver(report(mail), inbound.house.server.senders[-1])
    await inbound.work()
    (told,) = inbound.house.server.to("chen@example.com")
    assert "tell the customer in person" in told["Subject"]
    assert WORDS in text_of(told)
    assert (await inbound.house.world.escalation())["answer"]["owner_asked_to_tell"] is True
