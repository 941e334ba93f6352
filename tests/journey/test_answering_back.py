"""A customer answers an executive back, through all three services."""

from __future__ import annotations

from datetime import timedelta

from tests.given import MIA
from tests.service.mail_house import text_of
from tests.world import World

THREAT = "My router drops again. I will cancel and move to another provider."
WORDS = "I called you this noon, Tom: a technician replaces the splitter in your street tomorrow at nine."
AGAIN = "You are right to be angry: the van broke down, and I bring the splitter to your street myself tonight."
VP, TOM = "vp@company.example", "tom@customer.example"


async def answer(world: World, words: str) -> None:
    """The vice president answers on the page of the latest mail."""
    form = {"code": world.code(VP), "text": words, "stay": "A line that holds.", "redress": "May is free."}
    assert (await world.ask("POST", world.link(VP, "e"), data=form)).status_code == 200
    await world.settle()


async def test_a_customer_who_is_not_satisfied_is_heard_by_the_same_executive(world: World) -> None:
    await world.contact("tom", THREAT, responder=MIA)
    await answer(world, WORDS)
    await world.told(), await world.mailed()
    assert "May is free." in text_of(world.last_mail(TOM))

    # when the customer says no before the owner has answered, the same executive hears it, and what was said
    no = {"solved": "no", "comment": "Nobody came!"}
    assert (await world.ask("POST", world.link(TOM, "c"), data=no)).status_code == 200
    await world.settle()
    assert await world.told() == ["complaint.escalation_asked", "complaint.executive_asked", "escalation.raised"]
    assert await world.mailed() == [("ask", VP)]
    letter = text_of(world.last_mail(VP))
    places = [letter.index(f"> {said}") for said in ("A line that holds.", WORDS, "May is free.", "Nobody came!")]
    assert places == sorted(places)
    await world.pass_time(timedelta(hours=1))
    await world.told(), await world.mailed()
    await answer(world, AGAIN)
    assert await world.mailed() == [("answer", TOM)]

    # when the customer's tool says no to that, it goes back up just so
    path = f"/v1/complaints/{(await world.complaint('tom'))['id']}"
    await world.pass_time(timedelta(hours=1))
    await world.told(), await world.mailed()
    await world.post("agent", f"{path}/confirmation", {"solved": False, "comment": "The splitter is another one."})
    await world.settle()
    assert await world.told() == ["complaint.escalation_asked", "complaint.executive_asked", "escalation.raised"]
    await answer(world, "I had the wrong splitter with me. Our engineer Ada fits the right one now, I wait with her.")

    # and when the owner has answered too, and the customer says no: once more, next to all of it
    ours = {"agent_id": "mia", "text": "The splitter is in.", "outcome": "upheld", "reasons": "A fault."}
    await world.post("agent", f"{path}/answer", ours)
    await world.pass_time(timedelta(hours=1))
    await world.told(), await world.mailed()
    await world.post("agent", f"{path}/confirmation", {"solved": False, "comment": "It dropped at six."})
    await world.settle()
    assert await world.told() == ["complaint.reopened", "complaint.executive_asked", "escalation.raised"]
    assert await world.mailed() == [("ask", VP)]
    letter = text_of(world.last_mail(VP))
    places = [letter.index(f"> {said}") for said in (WORDS, "Nobody came!", AGAIN, "The splitter is in.")]
    assert places == sorted(places) and "> It dropped at six." in letter
    assert (await world.complaint("tom"))["owner"]["id"] == "mia", "the owner stays"
    assert await world.findings() == []
