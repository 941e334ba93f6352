"""Deputies, successors, helpers, earlier responders: who acts for whom, and that nothing but a succession moves it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.escalation.handlers import REGISTRY
from shared.contracts.envelope import full_type
from shared.contracts.ownership import EVENTS
from tests.service.ownership_world import MONDAY, World, clock_of

pytest_plugins = ["tests.service.ownership_world"]
HOUR = timedelta(hours=1)
TUESDAY = (MONDAY + timedelta(days=1)).isoformat()


async def deputise(world: World, complaint_id: str, agent: str = "agent-2", until: str = TUESDAY) -> Any:
    body = {"agent": agent, "until": until, "reason": "in training"}
    return await world.post(f"{complaint_id}/deputy", body, "supervisor")


# deputies


async def test_what_a_deputy_does_says_so(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    await deputise(world, path)
    one = (await world.post(f"{path}/updates", {"agent_id": "agent-2", "text": "Chen is away; I look at it."})).json()
    assert one["acted_as"] == "deputy" and one["owner"]["id"] == "agent-1"
    assert (await world.note("customer_updated"))["data"]["on_behalf_of"] == "agent-1"
    one = (await world.post(f"{path}/updates", {"agent_id": "agent-1", "text": "I look at it."})).json()
    assert one["acted_as"] == "owner"
    assert (await world.note("customer_updated"))["data"]["on_behalf_of"] is None
    one = (await world.post(f"{path}/helpers", {"agent_id": "agent-2", "helper": "agent-9", "question": "?"})).json()
    assert one["acted_as"] == "deputy" and one["helpers"][0]["asked_by"] == "agent-2"
    one = (await world.post(f"{path}/helpers/1/reply", {"agent_id": "agent-9", "text": "Yes."})).json()
    assert one["acted_as"] == "helper"
    answer = {"agent_id": "agent-2", "text": "Done.", "outcome": "upheld", "reasons": "fault found"}
    one = (await world.post(f"{path}/answer", answer)).json()
    assert one["acted_as"] == "deputy" and (await world.note("answered"))["data"]["on_behalf_of"] == "agent-1"
    assert "acted_as" not in (await world.post(f"{path}/confirmation", {"solved": True})).json()


async def test_a_deputys_response_in_the_conversation_says_so_too(world: World) -> None:
    contact = await world.contact(responder_id="agent-1", conversation_id="conv-1")
    await deputise(world, (await world.complaint())["id"])
    await world.response(contact, "agent-2")
    assert (await world.note("customer_updated"))["data"]["on_behalf_of"] == "agent-1"
    assert (await world.complaint())["owner"]["id"] == "agent-1"


async def test_a_deputy_never_becomes_the_owner_by_staying(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    for day in range(1, 40):
        until = (MONDAY + timedelta(days=day)).isoformat()
        answer = await deputise(world, path, until=until)
        assert answer.status_code == 200, answer.text
        await world.post(f"{path}/updates", {"agent_id": "agent-2", "text": "Still at it."})
        await world.pass_time(timedelta(days=1))
        one = await world.complaint()
        assert (one["owner"]["id"], one["deputy"]) == ("agent-1", None)
    claimed = await world.post(f"{path}/claim", {"agent_id": "agent-2"})
    assert claimed.status_code == 409 and claimed.json()["state"]["owner"]["id"] == "agent-1"


async def test_whom_a_supervisor_sends_away_the_policy_does_not_bring_back(world: World, owned: dict[str, Any]) -> None:
    path, back = owned["id"], MONDAY + timedelta(days=2)
    await world.put_agent("lead-1")
    away = [{"from": MONDAY.isoformat(), "until": back.isoformat()}]
    await world.put_agent("agent-1", superior="lead-1", absences=away)
    assert (await world.complaint())["deputy"]["id"] == "lead-1"
    await world.post(f"{path}/deputy/end", {"reason": "I wait for Chen"}, "supervisor")
    await world.pass_time(timedelta(days=1))
    assert (await world.complaint())["deputy"] is None
    await world.put_agent("agent-1", absences=[{**away[0], "until": (back + timedelta(days=5)).isoformat()}])
    await world.pass_time(timedelta(days=1))
    assert (await world.complaint())["deputy"]["id"] == "lead-1"  # away for longer than the supervisor knew


async def test_a_supervisors_choice_takes_the_place_of_the_policys(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("lead-1")
    await world.put_agent("agent-1", superior="lead-1", active=False)
    one = (await deputise(world, owned["id"])).json()
    assert (one["deputy"]["id"], one["deputy"]["because"], one["acted_as"]) == ("agent-2", "asked", "supervisor")


@pytest.mark.parametrize(
    ("act", "body", "scope"),
    [
        ("deputy", {"agent": "gone", "until": TUESDAY, "reason": "r"}, "supervisor"),
        ("succession", {"to": "gone", "reason": "left_company", "note": "n"}, "supervisor"),
        ("succession", {"to": "gone", "reason": "role_ended", "note": "n", "accepted_by": "gone"}, "supervisor"),
        ("helpers", {"agent_id": "agent-1", "helper": "gone", "question": "q"}, "agent"),
    ],
)
async def test_nothing_is_given_to_who_is_inactive(
    world: World, owned: dict[str, Any], act: str, body: dict[str, Any], scope: str
) -> None:
    await world.put_agent("gone", active=False)
    answer = await world.post(f"{owned['id']}/{act}", body, scope)
    assert answer.status_code == 409 and answer.json()["type"].endswith(":agent-inactive")
    assert answer.json()["state"]["owner"]["id"] == "agent-1" and act in answer.json()["allowed"]


async def test_who_is_inactive_claims_nothing_and_who_answered_all_the_same_owns_it(world: World) -> None:
    await world.put_agent("gone", active=False)
    contact = await world.contact()
    path = (await world.complaint())["id"]
    assert (await world.post(f"{path}/claim", {"agent_id": "gone"})).status_code == 409
    await world.response(contact, "gone")  # their words have reached the customer
    one = await world.complaint()
    assert one["owner"]["id"] == "gone" and one["succession_asked"]["to"] is None


# successions


async def test_a_succession_waits_for_the_successor_and_for_nobody_else(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    change = {"to": "agent-2", "reason": "conflict_of_interest", "note": "they are cousins"}
    for wrong, pointer in (
        ({"reason": "busy"}, "/reason"),
        ({"note": ""}, "/note"),
        ({"accepted_by": "agent-3"}, "/accepted_by"),
    ):
        answer = await world.post(f"{path}/succession", change | wrong, "supervisor")
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == pointer
    assert (await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-2"})).status_code == 409
    one = (await world.post(f"{path}/succession", change, "supervisor")).json()
    assert one["owner"]["id"] == "agent-1" and one["succession_asked"]["reason"] == "conflict_of_interest"
    assert (await world.note("succession_asked"))["why"] == "they are cousins"
    await world.pass_time(timedelta(days=30))
    assert (await world.complaint())["owner"]["id"] == "agent-1"  # silence is no acceptance
    refused = await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-1"})
    assert refused.status_code == 409 and "succession/acceptance" in refused.json()["allowed"]
    one = (await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-2"})).json()
    assert (one["owner"]["id"], one["acted_as"]) == ("agent-2", "owner")
    items = (await world.get(f"/v1/complaints/{path}/ownership"))["items"]
    assert [(i["agent"]["id"], i["why"], i["by"]) for i in items] == [
        ("agent-1", "first_responder", "agent-1"),
        ("agent-2", "conflict_of_interest", "agent-2"),
    ]


async def test_a_successor_who_is_deactivated_meanwhile_cannot_accept(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    change = {"to": "agent-2", "reason": "customer_asked", "note": "wants a woman"}
    await world.post(f"{path}/succession", change, "supervisor")
    await world.put_agent("agent-2", active=False)
    answer = await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-2"})
    assert answer.status_code == 409 and answer.json()["type"].endswith(":agent-inactive")
    assert (await world.post(f"{path}/succession", change | {"to": "agent-3"}, "supervisor")).status_code == 200
    one = (await world.post(f"{path}/succession/acceptance", {"agent_id": "agent-3"})).json()
    assert one["owner"]["id"] == "agent-3"


async def test_what_was_asked_may_be_withdrawn_unless_the_owner_is_inactive(
    world: World, owned: dict[str, Any]
) -> None:
    path, why = owned["id"], {"reason": "Chen stays after all"}
    none = await world.post(f"{path}/succession/withdrawal", why, "supervisor")
    assert none.status_code == 409 and "succession/withdrawal" not in none.json()["allowed"]
    change = {"to": "agent-2", "reason": "role_ended", "note": "n"}
    await world.post(f"{path}/succession", change, "supervisor")
    one = (await world.post(f"{path}/succession/withdrawal", why, "supervisor")).json()
    assert one["succession_asked"] is None and clock_of(one, "succession")["stopped_at"]
    await world.put_agent("agent-1", active=False)
    refused = await world.post(f"{path}/succession/withdrawal", why, "supervisor")
    assert refused.status_code == 409 and refused.json()["type"].endswith(":owner-inactive")


async def test_a_closed_complaint_has_no_succession(world: World, owned: dict[str, Any]) -> None:
    path, change = owned["id"], {"to": "agent-2", "reason": "role_ended", "note": "n"}
    await world.post(f"{path}/succession", change, "supervisor")
    await world.post(f"{path}/withdrawal", {"agent_id": "agent-1", "reason": "sorted itself out"})
    for act, body, scope in (
        ("succession", change, "supervisor"),
        ("succession/acceptance", {"agent_id": "agent-2"}, "agent"),
    ):
        answer = await world.post(f"{path}/{act}", body, scope)
        assert answer.status_code == 409 and answer.json()["state"]["status"] == "closed"


async def test_how_long_a_decision_may_take_is_explained(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", active=False)
    (told,) = (await world.get(f"/v1/complaints/{owned['id']}/explain", clock="succession"))["clocks"]
    assert told["due_at"] == "2026-03-03T18:00:00Z" and told["words"][0].endswith(
        "no entry for succession, so it is 1 day."
    )


# helpers


async def test_a_helper_is_reminded_and_then_the_question_goes_back(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    one = (await world.post(f"{path}/helpers", {"agent_id": "agent-1", "helper": "agent-9", "question": "Old?"})).json()
    (asked,) = one["helpers"]
    assert (asked["state"], asked["due_at"]) == ("asked", "2026-03-03T18:00:00Z")
    await world.pass_time(4 * HOUR)
    assert (await world.complaint())["helpers"][0]["state"] == "reminded"
    assert (await world.told())[-1] == "helper_reminded"
    await world.pass_time(timedelta(days=1, hours=5))
    one = await world.complaint()
    assert (one["helpers"][0]["state"], one["owner"]["id"]) == ("timed_out", "agent-1")
    told = await world.note("helper_timed_out")
    assert told["data"].items() >= {"n": 1, "helper_id": "agent-9", "owner_id": "agent-1"}.items()
    assert (await world.told()).count("helper_reminded") == (await world.told()).count("helper_timed_out") == 1
    one = (await world.post(f"{path}/helpers/1/reply", {"agent_id": "agent-9", "text": "It was."})).json()
    assert one["helpers"][0]["state"] == "replied"  # late is better than never
    assert await world.findings() == []


async def test_who_answers_in_time_is_left_in_peace_and_each_question_has_its_own_time(
    world: World, owned: dict[str, Any]
) -> None:
    path = owned["id"]
    for helper in ("agent-8", "agent-9"):
        await world.post(f"{path}/helpers", {"agent_id": "agent-1", "helper": helper, "question": "Old?"})
        await world.pass_time(HOUR)
    await world.post(f"{path}/helpers/1/reply", {"agent_id": "agent-8", "text": "No."})
    await world.pass_time(timedelta(days=10))
    states = [one["state"] for one in (await world.complaint())["helpers"]]
    assert states == ["replied", "timed_out"] and (await world.told()).count("helper_reminded") == 1


async def test_a_closed_complaint_asks_nobody_any_more(world: World, owned: dict[str, Any]) -> None:
    path = owned["id"]
    await world.post(f"{path}/helpers", {"agent_id": "agent-1", "helper": "agent-9", "question": "Old?"})
    await world.post(f"{path}/withdrawal", {"agent_id": "agent-1", "reason": "sorted itself out"})
    await world.pass_time(timedelta(days=30))
    assert not {"helper_reminded", "helper_timed_out"} & set(await world.told())


# who answered first


async def test_an_earlier_response_that_is_known_later_moves_no_owner(world: World) -> None:
    contact = await world.contact(conversation_id="conv-1")
    world.clock.advance(HOUR)
    await world.response(contact, "agent-2")
    world.clock.advance(HOUR)
    await world.response(contact, "agent-1", at=MONDAY + timedelta(minutes=10))
    one = await world.complaint()
    assert one["owner"]["id"] == "agent-2"
    told = await world.note("earlier_response_known")
    assert told["by"] == "agent-1" and told["data"]["responded_at"] == "2026-03-02T09:10:00Z"
    told_of = await world.get(f"/v1/complaints/{one['id']}/ownership")
    assert [i["agent"]["id"] for i in told_of["items"]] == ["agent-2"]
    (before,) = told_of["earlier_responders"]
    assert (before["agent"]["id"], before["known_at"]) == ("agent-1", "2026-03-02T11:00:00Z")


async def test_what_was_claimed_stays_with_who_claimed_it(world: World) -> None:
    contact = await world.contact(conversation_id="conv-1")
    world.clock.advance(HOUR)
    await world.post(f"{(await world.complaint())['id']}/claim", {"agent_id": "agent-2"})
    await world.response(contact, "agent-1", at=MONDAY + timedelta(minutes=10))
    assert (await world.complaint())["owner"]["id"] == "agent-2"
    assert "earlier_response_known" in await world.told()


async def test_what_is_known_only_after_closing_is_told_and_changes_nothing(world: World) -> None:
    contact = await world.contact(conversation_id="conv-1")
    world.clock.advance(HOUR)
    await world.response(contact, "agent-2")
    path = (await world.complaint())["id"]
    await world.post(f"{path}/withdrawal", {"agent_id": "agent-2", "reason": "sorted itself out"})
    before = await world.complaint()
    await world.response(contact, "agent-1", at=MONDAY + timedelta(minutes=10))
    await world.response(contact, "agent-3")
    one = await world.complaint()
    assert (await world.told())[-2:] == ["closed", "earlier_response_known"]
    assert (one["owner"], one["status"], one["clocks"]) == (before["owner"], "closed", before["clocks"])
    assert await world.findings() == []


async def test_a_call_that_was_taken_earlier_and_is_imported_later_moves_no_owner(world: World) -> None:
    world.clock.advance(2 * HOUR)
    contact = await world.contact()
    await world.response(contact, "agent-2")
    await world.contact(at=MONDAY, channel="phone", responder_id="agent-1")
    assert (await world.complaint())["owner"]["id"] == "agent-2"
    assert "earlier_response_known" in await world.told()


async def test_the_owners_own_words_and_later_ones_are_nothing_to_be_told(world: World) -> None:
    contact = await world.contact(conversation_id="conv-1")
    world.clock.advance(HOUR)
    await world.response(contact, "agent-2")
    await world.response(contact, "agent-2", at=MONDAY + timedelta(minutes=10))
    await world.response(contact, "agent-1")
    taken = await world.contact("c-2", at=MONDAY, responder_id="agent-3")
    await world.response(taken, "agent-1", at=MONDAY + timedelta(minutes=1))
    assert "earlier_response_known" not in await world.told() + await world.told("c-2")


async def test_words_from_before_the_complaint_do_not_begin_its_ledger(world: World) -> None:
    """A tool whose clock is behind says that somebody answered before the customer spoke."""
    contact = await world.contact(conversation_id="conv-1")
    await world.response(contact, "agent-1", at=MONDAY - timedelta(minutes=5))
    one = await world.complaint()
    (item,) = (await world.get(f"/v1/complaints/{one['id']}/ownership"))["items"]
    assert item["from"] == one["first_contact_at"]


def test_everything_that_ownership_tells_is_shown_in_the_feed() -> None:
    assert {full_type(event) for event in EVENTS} <= set(REGISTRY)


# workload


async def test_who_holds_more_than_the_policy_wants_is_shown_and_keeps_it_all(world: World) -> None:
    for n in range(42):
        await world.contact(f"c-{n}", responder_id="agent-1")
    await world.contact("d-1", responder_id="agent-2", threat="certain")
    await world.contact("d-2")
    load = await world.get("/v1/owners/agent-1/workload")
    assert (load["open"], load["overdue"], load["limit"], load["over"]) == (42, 0, 40, True)
    listed = await world.get("/v1/owners", "supervisor")
    assert [(one["owner"]["id"], one["open"], one["over"]) for one in listed["items"]] == [
        ("agent-1", 42, True),
        ("agent-2", 1, False),
    ]
    over = await world.get("/v1/owners", "supervisor", over="true")
    assert [one["owner"]["id"] for one in over["items"]] == ["agent-1"]
    assert [one["owner"]["id"] for one in (await world.get("/v1/owners", over="false"))["items"]] == ["agent-2"]
    page = await world.get("/v1/owners", limit="1")
    rest = await world.get("/v1/owners", limit="1", cursor=page["next"])
    assert [one["owner"]["id"] for one in rest["items"]] == ["agent-2"] and rest["next"] is None
    await world.pass_time(timedelta(days=3))
    (agent_1, agent_2) = (await world.get("/v1/owners"))["items"]
    assert (agent_1["overdue"], agent_2["overdue"], agent_2["departure_threats"]) == (42, 1, 1)
    assert all(
        one["owner"]["id"] == "agent-1" for one in (await world.get("/v1/complaints", owner_id="agent-1"))["items"]
    )


async def test_standing_in_counts_for_who_does_it(world: World, owned: dict[str, Any]) -> None:
    await deputise(world, owned["id"])
    assert (await world.get("/v1/owners/agent-2/workload"))["deputy_for"] == 1
    load = await world.get("/v1/owners/agent-1/workload")
    assert (load["deputised"], load["deputy_for"], load["open"]) == (1, 0, 1)
