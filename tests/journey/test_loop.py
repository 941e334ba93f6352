"""The whole loop, as people meet it: given, when, then exactly these events and mails and nothing else."""

from __future__ import annotations

from datetime import timedelta

from tests.given import MIA, NOOR
from tests.service.mail_house import text_of
from tests.world import World

THREAT = "My router drops again. I will cancel and move to another provider."
WORDS = "I called you this noon, Tom: a technician replaces the splitter in your street tomorrow at nine."
AGAIN = "It dropped again last night."
PROMISE = "Your line will not drop in the evening again."


async def test_a_threat_to_leave_is_answered_by_an_executive_and_the_promise_breaks_by_itself(world: World) -> None:
    # when a customer threatens to leave while Mia has them on the phone
    await world.contact("tom", THREAT, responder=MIA)
    assert await world.told() == [
        "contact.captured",
        "complaint.opened",
        "complaint.owner_assigned",
        "complaint.departure_threatened",
        "complaint.executive_asked",
        "escalation.raised",
    ]
    assert await world.mailed() == [("ask", "vp@company.example")]
    letter = text_of(world.last_mail("vp@company.example"))
    assert THREAT in letter and "Mia Berg" in letter
    complaint = await world.complaint("tom")
    assert complaint["owner"] == {"id": "mia", "name": "Mia Berg"}
    (asked,) = (await world.get("/v1/escalations", customer_id="tom"))["items"]
    owed = [(c["due_at"], c["met_at"]) for c in complaint["clocks"] if c["kind"] == "executive_answer"]
    assert owed == [(asked["due_at"], None)]

    # when the executive looks, and so does a mail scanner, nothing happens
    page = world.link("vp@company.example", "e")
    for _ in range(3):
        assert THREAT in (await world.ask("GET", page)).text
    await world.settle()
    assert (await world.told(), await world.mailed()) == ([], [])

    # when the executive writes a phrase, or leaves the stay question out, it is refused and nothing happens
    form = {"code": world.code("vp@company.example"), "text": WORDS, "stay": "A line that holds.", "promise": PROMISE}
    for refused in ({"text": "We apologise for any inconvenience caused."}, {"stay": ""}, {"text": " "}):
        answer = await world.ask("POST", page, data=form | refused)
        assert 400 <= answer.status_code < 500 and PROMISE in answer.text, "what was typed is kept"
    await world.settle()
    assert (await world.told(), await world.mailed()) == ([], [])

    # when the executive answers in own words, with a promise, the words reach the customer, and that ends it
    assert (await world.ask("POST", page, data=form)).status_code == 200
    await world.settle()
    assert await world.told() == [
        "complaint.executive_replied",
        "complaint.executive_answered",
        "escalation.answered",
        "promise.made",
        "escalation.delivered",
        "escalation.ended",
    ]
    assert await world.mailed() == [("answer", "tom@customer.example")]
    assert WORDS in text_of(world.last_mail("tom@customer.example"))
    complaint = await world.complaint("tom")
    assert (complaint["status"], complaint["owner"]["id"]) == ("open", "mia"), "it closes nothing by itself"
    assert all(clock["met_at"] for clock in complaint["clocks"] if clock["kind"] == "executive_answer")

    # when the same trouble comes back, told to somebody else and without a complaint, the promise breaks by itself
    await world.pass_time(timedelta(hours=30))
    assert (await world.told(), await world.mailed()) == (["complaint.clock_warned"], [])
    await world.contact("tom", AGAIN, responder=NOOR, cause="router-drops")
    assert await world.told() == [
        "contact.captured",
        "complaint.contact_joined",
        "complaint.executive_asked",
        "promise.broken",
        "escalation.raised",
    ]
    assert sorted(await world.mailed()) == [("breach", "mia@company.example"), ("breach", "vp@company.example")]
    for address in ("vp@company.example", "mia@company.example"):
        letter = text_of(world.last_mail(address))
        assert PROMISE in letter and AGAIN in letter, "both texts"
    assert world.link("vp@company.example", "e") != page, "and is asked again"
    (promise,) = (await world.get("/v1/promises", customer_id="tom"))["items"]
    assert promise["status"] == "broken"
    complaint = await world.complaint("tom")
    assert complaint["owner"]["id"] == "mia", "the original owner still"

    # and a supervisor has seen all of it, in one gapless order
    feed = (await world.get("/v1/feed", limit=200))["items"]
    assert [item["position"] for item in feed] == list(range(1, len(feed) + 1))
    assert await world.findings() == []


async def test_the_customer_has_the_last_word_and_the_owner_stays(world: World) -> None:
    await world.contact("li", "My router drops every evening.", complaint=True, responder=MIA)
    assert await world.told() == ["contact.captured", "complaint.opened", "complaint.owner_assigned"]
    complaint = await world.complaint("li")
    path = f"/v1/complaints/{complaint['id']}"
    answer = {"agent_id": "mia", "text": "You have another port now.", "outcome": "upheld", "reasons": "A fault."}

    # when the owner answers, the customer gets the words and a link
    await world.post("agent", f"{path}/answer", answer)
    await world.settle()
    assert await world.told() == ["complaint.answered"]
    assert await world.mailed() == [("confirm", "li@customer.example")]
    assert "You have another port now." in text_of(world.last_mail("li@customer.example"))
    page = world.link("li@customer.example", "c")
    assert (await world.ask("GET", page)).status_code == 200
    assert (await world.complaint("li"))["status"] == "answered", "looking says nothing"

    # when the customer says no, the same owner has it, in another cycle, on fresh clocks
    assert (await world.ask("POST", page, data={"solved": "no", "comment": "It dropped again."})).status_code == 200
    await world.settle()
    assert await world.told() == ["complaint.reopened"]
    complaint = await world.complaint("li")
    assert (complaint["status"], complaint["cycle"], complaint["owner"]["id"]) == ("open", 2, "mia")
    assert {clock["kind"] for clock in complaint["clocks"] if clock["cycle"] == 2} >= {"next_update", "final_answer"}

    # when it is answered again and the customer says yes, it is closed by the customer's word
    await world.post("agent", f"{path}/answer", answer | {"text": "The cable from the street is new; it holds."})
    await world.settle()
    page = world.link("li@customer.example", "c")
    assert (await world.ask("POST", page, data={"solved": "yes"})).status_code == 200
    await world.settle()
    assert await world.told() == ["complaint.answered", "complaint.accepted", "complaint.closed"]
    complaint = await world.complaint("li")
    assert (complaint["status"], complaint["basis"], complaint["owner"]["id"]) == ("closed", "accepted", "mia")
    assert await world.findings() == []


async def test_what_nobody_owns_climbs_to_the_top_and_is_repeated_there_until_somebody_answers(world: World) -> None:
    # given a mail that nobody has taken
    await world.contact("maria", "You charged me twice on this invoice.", complaint=True, channel="email")
    assert await world.told() == ["contact.captured", "complaint.opened"]
    assert (await world.complaint("maria"))["owner"] is None

    # when the claim clock runs out
    await world.pass_time(timedelta(minutes=15), by=timedelta(minutes=1))
    told = await world.told()
    asked = ["complaint.executive_asked", "escalation.raised"]
    assert told == [*["complaint.clock_warned"] * 3, "complaint.clock_breached", *asked]
    assert await world.mailed() == [("ask", "head@company.example")]

    # when nobody answers, it climbs, and at the top it is said again and again
    await world.pass_time(timedelta(hours=4))
    assert sorted(await world.told()) == [
        *["complaint.clock_breached"] * 3,  # acknowledgement, first response and the executive's answer
        *["complaint.clock_warned"] * 9,
        "escalation.climbed",
        "escalation.reason_joined",
    ]
    assert await world.mailed() == [("ask", "vp@company.example")]
    await world.pass_time(timedelta(hours=8))
    await world.told()
    assert await world.mailed() == [("ask", "ceo@company.example")]
    for _ in range(3):
        await world.pass_time(timedelta(days=1))
        assert [address for _, address in await world.mailed()] == ["ceo@company.example"]
    (escalation,) = (await world.get("/v1/escalations", customer_id="maria"))["items"]
    assert (escalation["status"], escalation["standing_unanswered"]) == ("waiting", True)

    # when two reach for it, one owns it, and the other is told who
    path = f"/v1/complaints/{escalation['complaint_id']}"
    await world.post("agent", f"{path}/claim", {"agent_id": "noor"})
    late = await world.ask("POST", f"{path}/claim", "agent", json={"agent_id": "mia"})
    assert late.status_code == 409 and late.json()["state"]["owner"]["id"] == "noor"
    await world.settle()
    (escalation,) = (await world.get("/v1/escalations", customer_id="maria"))["items"]
    assert escalation["status"] == "waiting", "only delivered words of an executive end it"

    # when the top answers, it ends
    await world.post(
        "executive", f"/v1/escalations/{escalation['id']}/answer",
        {"executive_id": "ceo", "text": "Maria, I have had the second charge paid back today.", "apology": True},
    )  # fmt: skip
    await world.settle()
    (escalation,) = (await world.get("/v1/escalations", customer_id="maria"))["items"]
    assert escalation["status"] == "ended"
    assert await world.findings() == []


async def test_an_owner_who_leaves_orphans_nothing_and_nobodys_decision_goes_up(world: World) -> None:
    # given a complaint of Mia's, and that Noor is whom she reports to
    await world.contact("ines", "My router drops every evening.", complaint=True, responder=MIA)
    await world.contact("ines", "Any news?", responder=NOOR, cause="router-drops")
    for agent, told in (("noor", {"name": "Noor"}), ("mia", {"superior": "noor"})):
        assert (await world.ask("PUT", f"/v1/agents/{agent}", "supervisor", json=told)).status_code == 200
    await world.settle()
    await world.told()
    await world.mailed()

    # when Mia is deactivated, she keeps it, Noor stands in, and a supervisor is asked who follows
    assert (await world.ask("PUT", "/v1/agents/mia", "supervisor", json={"active": False})).status_code == 200
    await world.settle()
    assert await world.told() == ["complaint.succession_asked", "complaint.deputy_started"]
    complaint = await world.complaint("ines")
    assert (complaint["owner"]["id"], complaint["deputy"]["id"]) == ("mia", "noor")
    assert await world.mailed() == [("deputy", "noor@company.example")]
    assert "Mia Berg stays the owner" in text_of(world.last_mail("noor@company.example"))
    feed = (await world.get("/v1/feed", limit=200))["items"]
    assert {"complaint.succession_asked", "complaint.deputy_started"} <= {item["type"] for item in feed}

    # when nobody decides, it goes up
    await world.pass_time(timedelta(days=1, hours=16), by=timedelta(hours=4))
    told = await world.told()
    assert told.count("complaint.clock_breached") == told.count("escalation.raised") == 1
    assert await world.mailed() == [("ask", "head@company.example")]
    complaint = await world.complaint("ines")
    assert (complaint["owner"]["id"], complaint["deputy"]["id"]) == ("mia", "noor"), "and nothing has moved"

    # when a supervisor names Noor, and she says yes, it is hers
    path = f"/v1/complaints/{complaint['id']}/succession"
    await world.post("supervisor", path, {"to": "noor", "reason": "left_company", "note": "Mia has left."})
    await world.settle()
    assert await world.mailed() == [("succession", "noor@company.example")]
    await world.post("agent", f"{path}/acceptance", {"agent_id": "noor"})
    await world.settle()
    assert [name for name in await world.told() if "owner" in name or "deputy" in name] == [
        "complaint.deputy_ended",
        "complaint.owner_succeeded",
    ]
    ledger = (await world.get(f"/v1/complaints/{complaint['id']}/ownership"))["items"]
    assert [(one["role"], one["agent"]["id"]) for one in ledger] == [
        ("owner", "mia"),
        ("deputy", "noor"),
        ("owner", "noor"),
    ]


async def test_silence_is_followed_up_and_a_customer_who_is_not_satisfied_is_heard(world: World) -> None:
    boss = {"name": "Bea Boss", "email": "bea@company.example", "superior": None}
    assert (await world.ask("PUT", "/v1/agents/bea", "supervisor", json=boss)).status_code == 200
    assert (await world.ask("PUT", "/v1/agents/mia", "supervisor", json={"superior": "bea"})).status_code == 200
    assert (await world.ask("PUT", "/v1/customers/li", "intake", json={"tier": "gold"})).status_code == 200
    await world.contact("li", "My router drops.", complaint=True, responder=MIA)
    path = f"/v1/complaints/{(await world.complaint('li'))['id']}"
    answer = {"agent_id": "mia", "text": "You have another port now.", "outcome": "upheld", "reasons": "A fault."}
    await world.post("agent", f"{path}/answer", answer)
    await world.settle()
    await world.told(), await world.mailed()

    # when the customer says nothing, it is closed by silence, which is nobody's yes
    await world.pass_time(timedelta(days=14))
    assert [kind for kind in await world.told() if kind != "complaint.clock_warned"] == ["complaint.closed"]
    assert (await world.complaint("li"))["basis"] == "silent"
    await world.mailed()

    # when a week has gone by, the owner's own superior is asked to visit this customer
    await world.pass_time(timedelta(days=7))
    assert await world.told() == ["complaint.follow_up_due"]
    assert await world.mailed() == [("visit", "bea@company.example")]
    letter = text_of(world.last_mail("bea@company.example"))
    assert "Would you choose us again?" in letter and "has not said that it is solved" in letter
    page = world.link("bea@company.example", "c")

    # when nobody goes, it is missed like any other clock, and goes up
    await world.pass_time(timedelta(days=4))
    told = await world.told()
    assert told.count("complaint.clock_breached") == 1 and "escalation.raised" in told

    # when the customer then says that it is not solved, the same owner has it again
    assert (await world.ask("POST", page, data={"solved": "no", "comment": "It drops."})).status_code == 200
    await world.settle()
    complaint = await world.complaint("li")
    assert (complaint["status"], complaint["cycle"], complaint["owner"]["id"]) == ("open", 2, "mia")
    assert complaint["follow_up"]["asked_at"] and complaint["follow_up"]["done_at"] is None
    assert await world.findings() == []


async def test_two_complaints_turn_out_to_be_one(world: World) -> None:
    await world.contact("tom", "My router drops every evening.", complaint=True, responder=MIA, conversation_id="v-1")
    await world.contact("tom", THREAT, cause="billing-error", responder=NOOR, conversation_id="v-2")
    later, first = (await world.get("/v1/complaints", customer_id="tom"))["items"]
    await world.told(), await world.mailed()

    # when an agent says so, the earlier one goes on with both contacts, and its owner stays
    body = {"into": first["reference"], "agent_id": "noor", "reason": "both are about the splitter"}
    await world.post("agent", f"/v1/complaints/{later['id']}/merge", body)
    await world.settle()
    assert await world.told() == [
        "complaint.merged",
        "complaint.closed",
        "complaint.took_in",
        "complaint.contact_joined",
    ]
    assert await world.mailed() == []
    one = await world.get(f"/v1/complaints/{first['id']}")
    assert (one["owner"]["id"], len(one["contacts"]), one["departure_threat"]) == ("mia", 2, True)

    # and the executive who was asked about the later one still owes their own words
    (asked,) = (await world.get("/v1/escalations"))["items"]
    assert (asked["status"], asked["complaint_id"]) == ("waiting", later["id"])
    form = {"code": world.code("vp@company.example"), "text": WORDS, "stay": "A line that holds."}
    assert (await world.ask("POST", world.link("vp@company.example", "e"), data=form)).status_code == 200
    await world.settle()
    assert await world.mailed() == [("answer", "tom@customer.example")]

    # whose mail asks about the one that goes on
    page = world.link("tom@customer.example", "c")
    assert one["reference"] in (await world.ask("GET", page)).text
    assert (await world.ask("POST", page, data={"solved": "yes"})).status_code == 200
    await world.settle()
    assert (await world.get(f"/v1/complaints/{first['id']}"))["basis"] == "accepted"
    assert await world.findings() == []
