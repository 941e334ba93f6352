"""What is due, what was missed, and how that is told: time is moved, never slept."""

from __future__ import annotations

from datetime import timedelta

from services.ownership.store.tables import timers_rows
from shared.policy import parse_policy
from tests.service.ownership_world import MONDAY, POLICY, World, clock_of

pytest_plugins = ["tests.service.ownership_world"]


async def test_warnings_and_the_breach_each_once(world: World) -> None:
    await world.contact()
    seen: list[tuple[str, str, int]] = []
    for _ in range(40):
        await world.pass_time(30)
        await world.sweep()
    one = await world.complaint()
    for item in (await world.get(f"/v1/complaints/{one['id']}/timeline", limit="200"))["items"]:
        if item["type"].startswith("complaint.clock_") and item["data"]["kind"] == "claim":
            seen.append((item["type"], item["at"], item["data"]["percent"]))
    assert seen == [
        ("complaint.clock_warned", "2026-03-02T09:07:30Z", 50),
        ("complaint.clock_warned", "2026-03-02T09:11:30Z", 75),
        ("complaint.clock_warned", "2026-03-02T09:13:30Z", 90),
        ("complaint.clock_breached", "2026-03-02T09:15:00Z", 100),
    ]


async def test_who_slept_through_deadlines_tells_all_in_order(world: World) -> None:
    await world.contact()
    await world.pass_time(timedelta(days=30))
    one = await world.complaint()
    items = (await world.get(f"/v1/complaints/{one['id']}/timeline", limit="200"))["items"][1:]
    told = [(i["data"]["kind"], i["data"]["percent"]) for i in items]
    assert len(told) == len(set(told)) == 5 * 4
    for kind in ("claim", "acknowledgement", "first_response", "next_update", "final_answer"):
        assert [percent for k, percent in told if k == kind] == [50, 75, 90, 100]
    due = [i["data"]["due_at"] for i in items if i["type"] == "complaint.clock_breached"]
    assert due == sorted(due)
    assert await world.pass_time(timedelta(days=300)) == 0
    assert one["overdue"] and (await world.get("/v1/complaints", overdue="true"))["items"][0]["id"] == one["id"]
    assert await world.findings() == []


async def test_a_wall_clock_that_jumps_back_tells_nothing_twice(world: World) -> None:
    await world.contact()
    await world.pass_time(timedelta(hours=5))
    told = await world.told()
    world.clock.move_to(MONDAY)
    await world.sweep()
    await world.pass_time(timedelta(hours=5))
    assert await world.told() == told


async def test_met_after_its_breach_it_stays_breached(world: World) -> None:
    await world.contact(responder_id="agent-1")
    await world.pass_time(timedelta(hours=2))
    one = await world.complaint()
    await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": "Sorry for the wait."})
    first = clock_of(await world.complaint(), "first_response")
    assert first["breached_at"] == "2026-03-02T11:00:00Z" and first["met_at"] == "2026-03-02T11:00:00Z"
    await world.pass_time(timedelta(hours=1))
    assert (await world.told()).count("clock_breached") == 2  # that of the acknowledgement, due at the same time


async def test_a_late_act_hides_no_breach(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    world.clock.advance(timedelta(hours=2))  # the sweep has not come yet
    await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": "Sorry."})
    told = await world.told()
    assert told.index("clock_breached") < told.index("customer_updated")
    assert clock_of(await world.complaint(), "first_response")["breached_at"]


async def test_a_response_in_time_that_is_heard_of_late_meets_its_clock(world: World) -> None:
    contact = await world.contact(responder_id="agent-1")
    world.clock.advance(timedelta(hours=2))
    await world.response(contact, "agent-1", at=MONDAY + timedelta(minutes=40))
    first = clock_of(await world.complaint(), "first_response")
    assert first["met_at"] == "2026-03-02T09:40:00Z" and first["breached_at"] is None
    await world.sweep()
    assert "clock_breached" not in await world.told()


async def test_clocks_start_when_the_customer_spoke(world: World) -> None:
    world.clock.advance(timedelta(days=2))
    spoke = world.now - timedelta(hours=3)
    await world.contact("c-1", at=spoke, received_at=world.now)
    await world.contact("c-2", at=world.now - timedelta(hours=30), received_at=world.now)
    await world.contact("c-3", at=world.now + timedelta(hours=1), received_at=world.now)
    early, late, ahead = [await world.complaint(f"c-{n}") for n in (1, 2, 3)]
    assert clock_of(early, "first_response")["started_at"] == "2026-03-04T06:00:00Z"
    assert clock_of(late, "first_response")["started_at"] == "2026-03-04T09:00:00Z"
    assert late["first_contact_at"] == "2026-03-03T03:00:00Z"
    assert clock_of(ahead, "first_response")["started_at"] == "2026-03-04T09:00:00Z"
    words = (await world.get(f"/v1/complaints/{late['id']}/explain", clock="first_response"))["clocks"][0]["words"]
    assert any("later than the policy accepts" in word for word in words)
    await world.sweep()  # three hours late already: told at once
    assert clock_of(await world.complaint("c-1"), "first_response")["breached_at"]


async def test_nothing_runs_on_after_the_end(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    await world.post(f"{one['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    told = await world.told()
    assert await world.pass_time(timedelta(days=100)) == 0
    assert await world.told() == told
    one = await world.complaint()
    assert all(c["stopped_at"] for c in one["clocks"]) and not one["overdue"]


async def test_without_a_word_it_closes_as_silent(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    answer = {"agent_id": "agent-1", "text": "Done.", "outcome": "upheld", "reasons": "fault"}
    await world.post(f"{one['id']}/answer", answer)
    for days, told in ((3, ["clock_warned"]), (4, ["clock_warned"]), (6, []), (1, ["closed"])):
        before = len(await world.told())
        await world.pass_time(timedelta(days=days))
        assert await world.told(after=before) == told
    one = await world.complaint()
    assert (one["status"], one["basis"]) == ("closed", "silent")
    assert "clock_breached" not in await world.told()
    one = (await world.post(f"{one['id']}/confirmation", {"solved": False})).json()
    assert (one["status"], one["cycle"]) == ("open", 2)
    assert await world.findings() == []


async def test_a_reopened_complaint_has_clocks_that_run(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    await world.post(f"{one['id']}/confirmation", {"solved": True})
    await world.post(f"{one['id']}/confirmation", {"solved": False})
    await world.pass_time(timedelta(days=20))
    one = await world.complaint()
    assert all(c["breached_at"] for c in one["clocks"] if c["cycle"] == 2)
    assert all(c["breached_at"] is None for c in one["clocks"] if c["cycle"] == 1)


async def test_explain_says_which_entry_and_which_holidays(world: World) -> None:
    world.clock.move_to(MONDAY.replace(month=4, day=30, hour=1))  # Thursday 09:00 in Hangzhou, before Labour Day
    await world.contact(region="zhejiang", tier="silver")
    one = await world.complaint()
    told = await world.get(f"/v1/complaints/{one['id']}/explain", clock="final_answer")
    (clock,) = told["clocks"]
    assert clock["term"]["within"] == "5d" and told["policy_version"] == "test-1"
    assert any("Labor Day" in word for word in clock["words"]), clock["words"]
    assert clock["counted"]["due"] == clock["due_at"]
    gone = await world.ask(f"/v1/complaints/{one['id']}/explain", clock="tea")
    assert gone.status_code == 404 and "final_answer" in gone.json()["clocks"]
    everything = await world.get(f"/v1/complaints/{one['id']}/explain")
    assert len(everything["clocks"]) == len(one["clocks"])


async def test_a_deadline_that_comes_early_is_put_back(world: World) -> None:
    await world.contact()
    async with world.engine.begin() as conn:
        await conn.execute(timers_rows.update().values(due_at=world.now))
    assert await world.sweep() == 1
    assert await world.told() == ["opened"] and await world.findings() == []
    await world.pass_time(timedelta(minutes=15))
    assert clock_of(await world.complaint(), "claim")["breached_at"]


async def test_words_from_before_the_customers_no_answer_it_not(world: World) -> None:
    contact = await world.contact(responder_id="agent-1")
    one = await world.complaint()
    world.clock.advance(timedelta(hours=1))
    await world.post(f"{one['id']}/confirmation", {"solved": True})
    world.clock.advance(timedelta(hours=1))
    await world.post(f"{one['id']}/confirmation", {"solved": False})
    await world.response(contact, "agent-1", at=MONDAY + timedelta(minutes=30))
    first = clock_of(await world.complaint(), "first_response")
    assert (first["cycle"], first["met_at"]) == (2, None)
    await world.response(contact, "agent-1")
    assert clock_of(await world.complaint(), "first_response")["met_at"] == "2026-03-02T11:00:00Z"


async def test_a_response_heard_of_too_late_owes_the_next_update_from_then_on(world: World) -> None:
    contact = await world.contact(responder_id="agent-1")
    await world.pass_time(timedelta(days=3))
    before = len(await world.told())
    told = contact.model_copy(update={"received_at": world.now})
    await world.response(told, "agent-1", at=MONDAY + timedelta(hours=30))
    assert clock_of(await world.complaint(), "next_update")["started_at"] == "2026-03-05T09:00:00Z"
    await world.sweep()
    assert await world.told(after=before) == ["customer_updated"]  # and no breach of what nobody could know


async def test_a_clock_of_intake_that_is_ahead_gives_nobody_more_time(world: World) -> None:
    ahead = world.now + timedelta(minutes=10)
    await world.contact(at=ahead, received_at=ahead, responder_id="agent-1")
    one = await world.complaint()
    assert clock_of(one, "first_response")["started_at"] == one["first_contact_at"] == "2026-03-02T09:00:00Z"


async def test_a_wall_clock_that_leaps_ahead_and_comes_back(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    await world.pass_time(timedelta(hours=30))  # somebody set it wrongly
    told = await world.told()
    world.clock.move_to(MONDAY + timedelta(minutes=1))
    await world.sweep()
    await world.post(f"{one['id']}/updates", {"agent_id": "agent-1", "text": "We are on it."})
    one = await world.complaint()
    assert clock_of(one, "first_response")["breached_at"]  # it was told; taking it back would be telling it twice
    await world.pass_time(timedelta(hours=2))
    assert [kind for kind in (await world.told())[len(told) :] if kind.startswith("clock_breached")] == []
    assert await world.findings() == []


async def test_pauses_are_counted_for_whoever_owned_the_complaint(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    pause = {"agent_id": "agent-2", "reason": "asked", "until": "2026-03-04T12:00:00Z"}
    for _ in range(3):
        assert (await world.post(f"{one['id']}/pause", pause)).status_code == 200
        await world.post(f"{one['id']}/resume", {"agent_id": "agent-2"})
    change = {"to": "agent-3", "reason": "role_ended", "note": "moved", "accepted_by": "agent-3"}
    await world.post(f"{one['id']}/succession", change, "supervisor")
    await world.post(f"{one['id']}/pause", pause)
    load = {agent: (await world.get(f"/v1/owners/agent-{agent}/workload"))["pauses"] for agent in (1, 2, 3)}
    assert load == {1: 3, 2: 0, 3: 1}


async def test_two_hundred_named_rules_at_once(world: World) -> None:
    rules = "".join(
        f'  - {{kind: "Rule {n}", within: {n + 1}h, hours: {"calendar" if n % 2 else "business"}}}\n'
        for n in range(200)
    )
    policy = parse_policy(POLICY.replace("test-1", "rules").replace("confirmation:", rules + "confirmation:", 1))
    world.policies.put(policy)
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    assert len(one["clocks"]) == 4 + 200
    await world.pass_time(timedelta(hours=8.5))
    one = await world.complaint()
    late = {c["kind"] for c in one["clocks"] if c["breached_at"] and c["kind"].startswith("Rule")}
    assert late == {f"Rule {n}" for n in range(8)}
    answer = {"agent_id": "agent-1", "text": "Done.", "outcome": "upheld", "reasons": "fault"}
    one = (await world.post(f"{one['id']}/answer", answer)).json()
    assert all(c["met_at"] for c in one["clocks"] if c["kind"].startswith("Rule"))
    assert {c["kind"] for c in one["clocks"] if c["breached_at"]} >= late  # met after the breach: stays breached
    assert await world.findings() == []


async def test_a_change_of_terms_touches_nothing_that_is_open(world: World) -> None:
    await world.contact("c-1", responder_id="agent-1")
    before = await world.complaint("c-1")
    text = POLICY.replace("test-1", "test-2").replace("within: 5d", "within: 1d").replace("within: 4h", "within: 2h")
    world.policies.put(parse_policy(text))
    await world.contact("c-1", complaint=False)
    await world.contact("c-2", responder_id="agent-1")
    after, new = await world.complaint("c-1"), await world.complaint("c-2")
    assert [c["due_at"] for c in after["clocks"]] == [c["due_at"] for c in before["clocks"]]
    assert (after["policy_version"], new["policy_version"]) == ("test-1", "test-2")
    assert clock_of(new, "final_answer")["due_at"] < clock_of(after, "final_answer")["due_at"]
    answer = {"agent_id": "agent-1", "text": "Done.", "outcome": "upheld", "reasons": "fault"}
    await world.post(f"{after['id']}/answer", answer)
    again = (await world.post(f"{after['id']}/confirmation", {"solved": False})).json()
    # reopened it has the terms of its opening, not of today
    assert clock_of(again, "final_answer", 2)["due_at"] == clock_of(before, "final_answer")["due_at"]
