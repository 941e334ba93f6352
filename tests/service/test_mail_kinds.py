"""Every kind of mail but the request itself: who gets it, and what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.domain.answering import Alike, AnswerGiven
from services.escalation.domain.promising import ActionWanted
from shared.contracts import ownership
from tests.service.escalation_world import NINE, POLICY, WORDS, breached, contact, of, opened, owned, policy, promised
from tests.service.mail_house import House, text_of

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house")
OURS = "We replaced the splitter in your street."


async def answered(house: House, **complaint: Any) -> None:
    """The owner of c-1's complaint has answered it."""
    await house.world.tell(opened(contact(contact_id="contact-1")), owned())
    house.neighbours.complaints["k-1"] = {
        "status": "answered",
        "cycle": 1,
        "version": 3,
        "reference": "C-00001",
        "confirmation_url": "http://loop.example/c/token",
    } | complaint
    house.neighbours.timelines["k-1"] = [
        {"type": "complaint.answered", "at": "2026-03-02T09:00:00Z", "note": {"text": OURS, "reasons": "fault found"}}
    ]
    await house.world.tell(of(ownership.Answered, by_id="agent-7", outcome="upheld", cycle=1))
    await house.post()


async def kept_promise_broken(house: House) -> None:
    """The head of care promised, with an action for a technician, and the same trouble came back."""
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    one = await house.world.escalation()
    action = ActionWanted("Replace the splitter", "tech@example.com", NINE + timedelta(days=10))
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS, promise=promised(action)))
    await house.post()


async def test_the_owners_answer_comes_with_the_question_whether_it_solves_it(house: House) -> None:
    await answered(house)
    (mail,) = house.server.to("li@customer.example")
    assert OURS in text_of(mail)
    assert "http://loop.example/c/token" in text_of(mail)
    assert "fault found" not in text_of(mail)
    assert "Li Wei" in text_of(mail)


async def test_a_customer_who_reads_chinese_is_written_to_in_chinese(house: House) -> None:
    house.neighbours.customers["c-1"]["locale"] = "zh-CN"
    await answered(house)
    (mail,) = house.server.to("li@customer.example")
    assert "解决了吗" in mail["Subject"]
    assert OURS in text_of(mail)


@pytest.mark.parametrize("now", [{"status": "closed"}, {"status": "open", "cycle": 2}, {"cycle": 2}])
async def test_whoever_has_said_whether_it_is_solved_is_not_asked(house: House, now: dict[str, Any]) -> None:
    await answered(house, **now)
    assert house.server.taken == []


async def test_a_broken_promise_goes_back_to_the_promiser_and_the_owner_with_both_texts(house: House) -> None:
    await kept_promise_broken(house)
    house.neighbours.contacts["contact-2"] = {"contact_id": "contact-2", "text": "It dropped again last night."}
    house.world.clock.advance(timedelta(days=1))
    again = contact(contact_id="contact-2", at=house.world.clock.now())
    joined = of(ownership.ContactJoined, contact_id="contact-2", because="cause", at=again.received_at)
    await house.world.tell(again, joined)
    await house.post()
    mail = house.server.to("head@example.com")[-1]
    told = text_of(mail)
    assert "> Your line will not drop again." in told
    assert "> It dropped again last night." in told
    for part in (
        "Code: ",
        "WHAT HAS HAPPENED",
        "Li Wei",
        "“Your line will not drop again.” (broken",
        "Write to the customer",
    ):
        assert part in told
    (owner,) = house.server.to("chen@example.com")
    assert "> Your line will not drop again." in text_of(owner)
    assert "> It dropped again last night." in text_of(owner)
    assert "Code: " not in text_of(owner)


async def test_whoever_has_something_to_do_is_reminded_before_it_is_due(house: House) -> None:
    await kept_promise_broken(house)
    await house.world.pass_time(timedelta(days=8))
    await house.post()
    (mail,) = house.server.to("tech@example.com")
    assert "> Replace the splitter" in text_of(mail)
    assert "2026-03-12" in mail["Subject"]


async def test_an_agent_without_an_address_is_reminded_through_the_promiser(house: House) -> None:
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    one = await house.world.escalation()
    action = ActionWanted("Replace the splitter", "field-ops", NINE + timedelta(days=10))
    await house.world.act("c-1", AnswerGiven(one["id"], "head", WORDS, promise=promised(action)))
    await house.world.pass_time(timedelta(days=8))
    await house.post()
    before = house.server.to("head@example.com")[-1]
    assert "> Replace the splitter" in text_of(before) and "field-ops has an action" in text_of(before)
    await house.world.pass_time(timedelta(days=3))
    await house.post()
    after = house.server.to("head@example.com")[-1]
    assert "was due" in after["Subject"] and "nobody has said that it is done" in text_of(after)


async def test_that_somebody_cannot_be_reached_is_told_by_name_to_the_supervisors_once(house: House) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com, night@example.com]\n")
    house.server.says["head@example.com"] = ["rcpt 550 no such user"] * 3
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    for address in ("desk@example.com", "night@example.com"):
        (mail,) = house.server.to(address)
        assert "Hana Head cannot be reached" in mail["Subject"]
    assert house.server.to("chen@example.com") == []
    assert len(house.server.to("vp@example.com")) == 1


async def test_who_is_known_to_supervisors_alone_is_written_to_and_in_their_language(house: House) -> None:
    house.neighbours.responders.clear()
    house.neighbours.agents["agent-7"] = {
        "id": "agent-7",
        "name": "陈宇",
        "email": "yu@example.com",
        "languages": ["zh"],
    }
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    (mail,) = house.server.to("yu@example.com")
    assert "陈宇" in text_of(mail)


async def test_what_is_for_an_owner_who_has_left_goes_to_who_stands_in(house: House) -> None:
    agents = house.neighbours.agents
    agents["agent-7"] = {"id": "agent-7", "name": "Chen Yu", "email": "chen@example.com", "active": False}
    agents["lead-1"] = {"id": "lead-1", "name": "Ana Lead", "email": "lead@example.com", "active": True}
    house.neighbours.complaints["k-1"] = {"reference": "C-00001", "deputy": {"id": "lead-1", "name": "Ana Lead"}}
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    assert house.server.to("chen@example.com") == [] and len(house.server.to("lead@example.com")) == 1


async def test_each_of_several_who_cannot_be_reached_is_named(house: House) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    house.server.says["vp@example.com"] = ["rcpt 550 no such user"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    for _ in range(3):
        await house.post()
        house.world.clock.advance(timedelta(minutes=2))
    said = "\n".join(f"{mail['Subject']}\n{text_of(mail)}" for mail in house.server.to("desk@example.com")).lower()
    assert "hana head cannot be reached" in said and "victor vice cannot be reached" in said
    assert len(house.server.to("ceo@example.com")) == 1


async def test_without_supervisors_in_the_policy_the_owner_is_told(house: House) -> None:
    house.server.says["head@example.com"] = ["rcpt 550 no such user"]
    await house.world.tell(opened(contact(contact_id="contact-1")), owned(), breached())
    await house.post()
    (mail,) = house.server.to("chen@example.com")
    assert "Hana Head cannot be reached" in mail["Subject"]


async def due_for_a_visit(house: House, agent_id: str | None, **complaint: Any) -> None:
    """c-1's complaint was closed, and the customer is to be visited."""
    await house.world.tell(opened(contact(contact_id="contact-1")), owned())
    house.neighbours.complaints["k-1"] = {
        "status": "closed",
        "basis": "silent",
        "cycle": 1,
        "version": 5,
        "reference": "C-00001",
        "follow_up": {"done_at": None},
        "follow_up_url": "http://loop.example/c/token",
    } | complaint
    event = of(ownership.FollowUpDue, agent_id=agent_id, by="superior", due_at=NINE + timedelta(days=2))
    await house.world.tell(of(ownership.Closed, basis="silent"), event)
    await house.post()


async def test_whoever_is_to_visit_the_customer_is_told_what_to_ask_and_by_when(house: House) -> None:
    house.neighbours.agents["boss-1"] = {"id": "boss-1", "name": "Bea Boss", "email": "bea@example.com"}
    await due_for_a_visit(house, "boss-1")
    (mail,) = house.server.to("bea@example.com")
    told = text_of(mail)
    assert "C-K-1" in mail["Subject"] and "2026-03-04" in mail["Subject"] and "Dear Bea Boss" in told
    assert "Are you satisfied" in told and "Would you choose us again?" in told
    assert "has not said that it is solved" in told and "http://loop.example/c/token" in told


async def test_a_visitor_is_written_to_in_their_language(house: House) -> None:
    agent = {"id": "boss-1", "name": "李娜", "email": "li.na@example.com", "languages": ["zh-CN", "en"]}
    house.neighbours.agents["boss-1"] = agent
    await due_for_a_visit(house, "boss-1", basis="accepted")
    (mail,) = house.server.to("li.na@example.com")
    assert "回访" in mail["Subject"] and "客户当时表示问题已经解决" in text_of(mail)


async def test_nobody_is_asked_for_a_visit_that_was_made(house: House) -> None:
    house.neighbours.agents["boss-1"] = {"id": "boss-1", "name": "Bea Boss", "email": "bea@example.com"}
    await due_for_a_visit(house, "boss-1", follow_up={"done_at": "2026-03-02T09:00:00Z"})
    assert house.server.taken == []


async def test_a_visit_that_nobody_is_named_for_is_told_to_the_supervisors(house: House) -> None:
    house.world.policies.current = policy(POLICY + "supervisors: [desk@example.com]\n")
    await due_for_a_visit(house, None)
    (mail,) = house.server.to("desk@example.com")
    assert "please visit the customer" in mail["Subject"]


async def test_messages_that_come_in_one_mail_still_say_all_that_they_say(house: House) -> None:
    """Two answers that no mail can bring, and an owner who has had a mail this minute."""
    for n in (1, 2, 3):
        house.neighbours.customers[f"c-{n}"] = {"id": f"c-{n}", "name": f"Customer {n}"}  # without an address
        who = {"complaint_id": f"k-{n}", "customer": f"c-{n}"}
        heard = contact(f"c-{n}", contact_id=f"contact-{n}")
        await house.world.tell(opened(heard, f"k-{n}"), owned(**who), breached(**who))
        (one,) = await house.world.escalations(complaint_id=f"k-{n}")
        given = AnswerGiven(
            one["id"], "head", f"{WORDS} That is number {n} of our street list.", seen=10**6, alike=Alike()
        )
        await house.world.act(f"c-{n}", given)
    await house.post()
    house.world.clock.advance(timedelta(minutes=2))
    await house.post()
    told = house.server.to("chen@example.com")
    assert len(told) == 1
    assert told[0]["Subject"] == "3 messages about complaints"
    for n in (1, 2, 3):
        assert f"number {n} of our street list" in text_of(told[0])
    assert text_of(told[0]).count("Dear Chen Yu") == 1
