"""How a due time came about: the entry and why it, the calendar, every pause; and what another version would mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.policy import parse_policy, propose
from tests.service.ownership_world import MONDAY, POLICY, World

pytest_plugins = ["tests.service.ownership_world"]
PAUSE = {"agent_id": "agent-1", "reason": "waits for a photo"}


async def explained(world: World, kind: str, **params: str) -> dict[str, Any]:
    one = await world.complaint()
    told = await world.get(f"/v1/complaints/{one['id']}/explain", clock=kind, **params)
    (clock,) = told["clocks"]
    return dict(clock)


async def test_the_entry_that_matched_and_those_that_did_not(world: World) -> None:
    await world.contact(tier="silver", region="zhejiang")
    clock = await explained(world, "first_response")
    assert clock["term"]["entry"] == 3 and clock["term"]["because"] == []
    assert clock["term"]["passed_over"] == [
        {"entry": 2, "within": "1h", "hours": "calendar", "because": ["tier is silver, not gold"]}
    ]
    assert any("Entry 3 does not fit: tier is silver, not gold" in words for words in clock["words"])
    one = await world.complaint()
    told = await world.get(f"/v1/complaints/{one['id']}/explain")
    assert told["calendar"] == {"region": "zhejiang", "time_zone": "Asia/Shanghai", "holidays": "CN"}
    assert told["facts"]["tier"] == "silver" and told["policy_version"] == "test-1"


async def test_each_pause_is_told_with_its_reason_and_what_it_moved(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    world.clock.advance(timedelta(hours=2))
    await world.post(f"{one['id']}/pause", PAUSE | {"until": "2026-03-02T13:00:00Z"})
    lasting = await explained(world, "final_answer")
    assert any("It is paused since" in words for words in lasting["words"])
    await world.pass_time(timedelta(hours=9))  # into the evening: ended by itself at one
    await world.post(f"{one['id']}/pause", PAUSE | {"until": "2026-03-02T21:00:00Z"})
    await world.pass_time(timedelta(hours=2))  # nobody works at this time: it moves nothing
    clock = await explained(world, "final_answer")
    first, second = clock["pauses"]
    assert (first["counted_seconds"], first["ended_by"], first["why"]) == (7200.0, "until", "waits for a photo")
    assert (second["counted_seconds"], second["due_after"]) == (0.0, clock["due_at"])
    assert first["due_after"] == clock["due_at"] == "2026-03-10T11:00:00Z" == clock["counted"]["due"]
    # calendar clocks never pause
    calendar = await explained(world, "first_response")
    assert calendar["due_at"] == "2026-03-02T10:00:00Z"


async def test_a_pause_after_a_clock_was_met_is_none_of_its_own(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    world.clock.advance(60)
    await world.post(f"{one['id']}/acknowledgement", {"agent_id": "agent-1"})
    await world.post(f"{one['id']}/pause", PAUSE | {"until": "2026-03-02T11:00:00Z"})
    await world.pass_time(timedelta(hours=3))
    clock = await explained(world, "acknowledgement")
    assert clock["pauses"] == [] and clock["counted"]["due"] == clock["due_at"] == "2026-03-02T10:00:00Z"


async def test_what_the_customer_was_told_takes_the_place_of_the_term(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    said = {"agent_id": "agent-1", "text": "On Wednesday.", "next_update_by": "2026-03-04T12:00:00Z"}
    await world.post(f"{one['id']}/updates", said)
    runs = (await world.get(f"/v1/complaints/{one['id']}/explain", clock="next_update"))["clocks"]
    assert "term" in runs[0] and "term" not in runs[1]
    assert "told to hear again" in runs[1]["words"][0]


async def proposed(world: World, version: str, *changes: tuple[str, str]) -> None:
    text = POLICY.replace("test-1", version)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    async with world.engine.begin() as conn:
        assert await propose(conn, parse_policy(text), world.now)


async def test_what_if_another_version_were_in_force(world: World) -> None:
    await proposed(
        world,
        "next",
        ("{kind: final_answer, within: 5d, hours: business}", "{kind: final_answer, within: 3d, hours: business}"),
        ("{kind: claim, within: 15m, hours: business}", "{kind: NEW, within: 2d, hours: calendar}"),
        ("accept_late: 1d", "accept_late: 3d"),
    )
    spoke = MONDAY - timedelta(days=2)
    await world.contact(responder_id="agent-1", at=spoke, received_at=MONDAY)
    before = await world.told()
    clock = await explained(world, "final_answer", what_if="next")
    # three working days after Saturday, where five were counted from the receipt on Monday
    assert (clock["due_at"], clock["promised_due_at"]) == ("2026-03-04T18:00:00Z", "2026-03-09T18:00:00Z")
    assert clock["differs_by_seconds"] == -5 * 86400 and clock["term"]["within"] == "3d"
    assert any("Policy next" in words for words in clock["words"])
    new = await explained(world, "NEW", what_if="next")
    assert (new["due_at"], new["promised_due_at"]) == ("2026-03-02T09:00:00Z", None)
    everything = await world.get(f"/v1/complaints/{(await world.complaint())['id']}/explain", what_if="next")
    assert everything["what_if"] == everything["policy_version"] == "next"
    # it was asked, and nothing else
    assert await world.told() == before and await explained(world, "final_answer") == await explained(
        world, "final_answer"
    )
    assert (await explained(world, "final_answer"))["due_at"] == "2026-03-09T18:00:00Z"


async def test_a_proposal_is_replaced_by_the_next_of_its_name(world: World) -> None:
    await world.contact(responder_id="agent-1")
    for days, due in (("3d", "2026-03-05T18:00:00Z"), ("2d", "2026-03-04T18:00:00Z")):
        await proposed(world, "twice", ("final_answer, within: 5d", f"final_answer, within: {days}"))
        assert (await explained(world, "final_answer", what_if="twice"))["due_at"] == due
    one = await world.complaint()
    for name in ("unheard-of", "a\x00", "x" * 501):
        answer = await world.ask(f"/v1/complaints/{one['id']}/explain", what_if=name)
        assert answer.status_code in (400, 404, 422)
        if name == "unheard-of":
            assert "twice" in answer.json()["versions"]


async def test_the_clock_of_a_succession_is_explained_where_no_entry_speaks_of_it(world: World) -> None:
    await world.contact(responder_id="agent-1")
    await world.put_agent("agent-1", active=False)
    clock = await explained(world, "succession")
    assert clock["due_at"] == clock["counted"]["due"] == "2026-03-03T18:00:00Z"
    assert "no entry for succession" in clock["words"][0]


async def test_what_the_customer_was_told_stands_under_any_policy(world: World) -> None:
    await world.contact(responder_id="agent-1")
    one = await world.complaint()
    said = {"agent_id": "agent-1", "text": "On Wednesday.", "next_update_by": "2026-03-04T12:00:00Z"}
    await world.post(f"{one['id']}/updates", said)
    await proposed(world, "none", ("  - {kind: next_update, within: 1d, hours: business}\n", ""))
    told = await world.get(f"/v1/complaints/{one['id']}/explain", clock="next_update", what_if="none")
    assert [(run["due_at"], run["differs_by_seconds"]) for run in told["clocks"]] == [
        (None, None),
        ("2026-03-04T12:00:00Z", 0),
    ]


async def test_everything_has_an_explanation(world: World) -> None:
    await world.contact(responder_id="agent-1", region="uk")
    one = await world.complaint()
    answer = {"agent_id": "agent-1", "text": "Done.", "outcome": "upheld", "reasons": "fault"}
    await world.post(f"{one['id']}/answer", answer)
    await world.post(f"{one['id']}/confirmation", {"solved": False})
    await world.post(f"{one['id']}/answer", answer)
    await world.post(f"{one['id']}/confirmation", {"solved": True})
    await proposed(world, "same")
    one = await world.complaint()
    for params in ({}, {"what_if": "same"}):
        told = await world.get(f"/v1/complaints/{one['id']}/explain", **params)
        assert [(c["kind"], c["due_at"]) for c in told["clocks"]] == [(c["kind"], c["due_at"]) for c in one["clocks"]]
        assert all(clock["words"] for clock in told["clocks"])
        assert not any("stands" in words for clock in told["clocks"] for words in clock["words"])
