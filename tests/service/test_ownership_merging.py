"""Two complaints of one customer that are one, and one that is two: every contact, clock and owner is accounted for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from tests.service.ownership_world import ANSWER, World, clock_of

pytest_plugins = ["tests.service.ownership_world"]
DEPUTY = {"agent": "agent-3", "until": "2026-03-05T09:00:00Z", "reason": "on leave"}
WHO = {"agent_id": "agent-9", "reason": "the same line"}


async def two(world: World, **second: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two complaints of one customer: of agent-1, and an hour later of agent-2."""
    await world.contact(responder_id="agent-1", conversation_id="v-1", cause="router-drops")
    world.clock.advance(timedelta(hours=1))
    fields = {"responder_id": "agent-2", "conversation_id": "v-2", "cause": "billing-error"} | second
    await world.contact(**fields)
    first, later = await world.complaints()
    return first, later


async def test_two_that_are_one(world: World) -> None:
    first, later = await two(world, threat="certain")
    await world.contact(conversation_id="v-2", cause=None)
    await world.post(f"{later['id']}/deputy", DEPUTY, "supervisor")
    later = await world.get(f"/v1/complaints/{later['id']}")
    world.clock.advance(60)
    one = (await world.post(f"{later['id']}/merge", WHO | {"into": first["reference"]})).json()
    assert (one["id"], one["owner"]["id"], one["took_in"]) == (first["id"], "agent-1", [later["id"]])
    assert one["contacts"] == [*first["contacts"], *later["contacts"]] and one["departure_threat"]
    gone = await world.get(f"/v1/complaints/{later['id']}")
    assert (gone["status"], gone["basis"], gone["merged_into"]) == ("closed", "merged", first["id"])
    assert gone["contacts"] == [] and gone["deputy"] is None
    assert all(clock["stopped_at"] or clock["met_at"] for clock in gone["clocks"])
    # the ledger: nobody's time overlaps, and the other owner stays on the record
    ledger = await world.get(f"/v1/complaints/{first['id']}/ownership")
    assert [(i["agent"]["id"], i["until"]) for i in ledger["items"]] == [("agent-1", None)]
    (merged,) = ledger["merged"]
    assert merged["complaint_id"] == later["id"]
    assert [(i["role"], i["agent"]["id"], i["until"]) for i in merged["items"]] == [
        ("owner", "agent-2", gone["closed_at"]),
        ("deputy", "agent-3", gone["closed_at"]),
    ]
    # both timelines say why
    there = [i for i in await timeline(world, later["id"]) if i["type"] == "complaint.merged"]
    here = [i for i in await timeline(world, first["id"]) if i["type"] == "complaint.took_in"]
    assert [(i["by"], i["why"]) for i in (*there, *here)] == [("agent-9", "the same line")] * 2
    # nothing is done on the one that is gone, and it says where to
    refused = await world.post(f"{later['id']}/updates", {"agent_id": "agent-2", "text": "Soon."})
    assert refused.status_code == 409 and refused.json()["state"]["merged_into"] == first["id"]
    # whatever the customer says in its conversation, or by its reference, and whatever is answered there
    for fields in ({"conversation_id": "v-2", "cause": None}, {"references": (later["reference"],), "cause": None}):
        contact = await world.contact(**fields)
        assert contact.contact_id in (await world.get(f"/v1/complaints/{first['id']}"))["contacts"]
    await world.response(contact, "agent-2")
    assert (await world.get(f"/v1/complaints/{first['id']}"))["owner"]["id"] == "agent-1"
    assert clock_of(await world.get(f"/v1/complaints/{first['id']}"), "first_response")["met_at"]
    assert await world.findings() == []


async def timeline(world: World, name: str) -> list[dict[str, Any]]:
    """Everything that happened to a complaint."""
    return list((await world.get(f"/v1/complaints/{name}/timeline", limit="200"))["items"])


async def test_what_is_owed_by_the_stricter_clock_is_owed(world: World) -> None:
    await world.contact(responder_id="agent-1", tier="standard", conversation_id="v-1")
    world.clock.advance(timedelta(minutes=30))
    await world.contact(responder_id="agent-2", tier="gold", cause="billing-error")  # within an hour, by the calendar
    first, later = await world.complaints()
    await world.pass_time(timedelta(minutes=45))
    await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})
    one = await world.get(f"/v1/complaints/{first['id']}")
    assert clock_of(one, "first_response")["due_at"] == "2026-03-02T10:30:00Z"
    assert clock_of(one, "final_answer")["due_at"] == clock_of(first, "final_answer")["due_at"]
    why = (await world.get(f"/v1/complaints/{first['id']}/explain", clock="first_response"))["clocks"][-1]["words"]
    assert any("merged into this one" in words for words in why)
    told = len(await world.told())
    await world.pass_time(timedelta(hours=1))
    after = (await world.told())[told:]
    # of the three warnings of this clock two had been given
    assert [kind for kind in after if kind.startswith("clock")].count("clock_breached") == 1
    runs = [i for i in await timeline(world, first["id"]) if i["data"].get("kind") == "first_response"]
    assert [i["data"]["percent"] for i in runs if i["type"] == "complaint.clock_warned"] == [90]
    assert [i["data"]["due_at"] for i in runs if i["type"] == "complaint.clock_breached"] == ["2026-03-02T10:30:00Z"]
    assert await world.findings() == []


async def test_what_was_missed_stays_missed(world: World) -> None:
    first, later = await two(world, tier="standard")
    await world.post(f"{first['id']}/updates", {"agent_id": "agent-1", "text": "Soon."})
    await world.pass_time(timedelta(hours=6))
    missed = clock_of(await world.get(f"/v1/complaints/{later['id']}"), "first_response")
    assert missed["breached_at"]
    told = len(await world.told())
    one = (await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})).json()
    carried = clock_of(one, "first_response")
    assert (carried["breached_at"], carried["due_at"], carried["met_at"]) == (
        missed["breached_at"],
        missed["due_at"],
        None,
    )
    assert one["overdue"]
    await world.pass_time(timedelta(minutes=5))
    assert "clock_breached" not in (await world.told())[told:]
    assert await world.findings() == []


async def test_an_answered_one_is_open_again_where_the_other_is_not_answered(world: World) -> None:
    first, later = await two(world)
    await world.post(f"{first['id']}/answer", ANSWER)
    one = (await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})).json()
    assert (one["status"], one["cycle"], one["owner"]["id"]) == ("open", 2, "agent-1")
    owed = {clock["kind"]: clock["due_at"] for clock in one["clocks"] if clock["cycle"] == 2}
    assert owed == {c["kind"]: c["due_at"] for c in later["clocks"] if not c["met_at"]}
    assert await world.findings() == []


async def test_a_question_that_waits_is_answered_on_the_one_that_goes_on(world: World) -> None:
    first, later = await two(world)
    for helper in ("agent-5", "agent-6"):
        asked = {"agent_id": "agent-2", "helper": helper, "question": "Is the splitter old?"}
        await world.post(f"{later['id']}/helpers", asked)
    await world.post(f"{later['id']}/helpers/1/reply", {"agent_id": "agent-5", "text": "It is."})
    due = (await world.get(f"/v1/complaints/{later['id']}"))["helpers"][1].get("due_at")
    one = (await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})).json()
    (helper,) = one["helpers"]
    assert (helper["id"], helper["asked_by"], helper.get("due_at")) == ("agent-6", "agent-2", due)
    reply = {"agent_id": "agent-6", "text": "It is not."}
    there = await world.post(f"{later['id']}/helpers/2/reply", reply)
    assert there.status_code == 409 and there.json()["state"]["merged_into"] == first["id"]
    assert (await world.post(f"{first['id']}/helpers/1/reply", reply)).status_code == 200
    assert await world.findings() == []


async def test_what_cannot_be_merged(world: World) -> None:
    first, later = await two(world)
    await world.contact("c-2")
    other = await world.complaint("c-2")
    wrong = await world.post(f"{first['id']}/merge", WHO | {"into": later["id"]})
    assert wrong.status_code == 409 and wrong.json()["merge"] == later["id"] and first["reference"] in wrong.text
    stranger = await world.post(f"{later['id']}/merge", WHO | {"into": other["id"]})
    assert stranger.status_code == 409 and "one customer" in stranger.json()["detail"]
    for into in ("C-00000", later["id"], "nothing"):
        answer = await world.post(f"{later['id']}/merge", WHO | {"into": into})
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/into"
    await world.post(f"{first['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"})
    closed = await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})
    assert closed.status_code == 409 and closed.json()["into"]["basis"] == "withdrawn"
    again = await world.post(f"{first['id']}/merge", WHO | {"into": later["id"]})
    assert again.status_code == 409 and again.json()["state"]["status"] == "closed"


async def test_an_unowned_one_gets_the_owner_of_the_other(world: World) -> None:
    await world.contact(conversation_id="v-1")
    await world.contact(responder_id="agent-2", cause="billing-error")
    first, later = await world.complaints()
    one = (await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})).json()
    assert one["owner"]["id"] == "agent-2" and clock_of(one, "claim")["met_at"]
    assert await world.findings() == []


async def test_merged_and_merged_again(world: World) -> None:
    first, later = await two(world)
    await world.contact(responder_id="agent-3", cause="late-delivery", conversation_id="v-3")
    third = (await world.complaints())[2]
    answers = await asyncio.gather(
        world.post(f"{third['id']}/merge", WHO | {"into": later["id"]}),
        world.post(f"{later['id']}/merge", WHO | {"into": first["id"]}),
    )
    assert 200 in {answer.status_code for answer in answers}
    if (await world.get(f"/v1/complaints/{third['id']}"))["merged_into"] is None:
        await world.post(f"{third['id']}/merge", WHO | {"into": first["id"]})
    one = await world.get(f"/v1/complaints/{first['id']}")
    assert sorted(one["contacts"]) == sorted(first["contacts"] + later["contacts"] + third["contacts"])
    assert {one["complaint_id"] for one in (await world.get(f"/v1/complaints/{first['id']}/ownership"))["merged"]} == {
        later["id"],
        third["id"],
    }
    contact = await world.contact(conversation_id="v-3", cause=None)
    assert contact.contact_id in (await world.get(f"/v1/complaints/{first['id']}"))["contacts"]
    assert await world.findings() == []


async def test_everything_at_once_and_each_contact_belongs_to_one(world: World) -> None:
    first, later = await two(world)
    more = [await world.contact(conversation_id="v-2", cause=None) for _ in range(3)]
    acts: list[tuple[str, dict[str, Any]]] = [
        *[(f"{later['id']}/merge", WHO | {"into": first["id"]})] * 4,
        *[(f"{later['id']}/split", WHO | {"contacts": [one.contact_id]}) for one in more],
        *[(f"{first['id']}/split", WHO | {"contacts": [one.contact_id]}) for one in more],
        *[(f"{later['id']}/answer", ANSWER)] * 2,
        (f"{first['id']}/withdrawal", {"agent_id": "agent-1", "reason": "moved away"}),
    ]
    answers = await asyncio.gather(
        *(world.post(path, body) for path, body in acts),
        *(world.contact(conversation_id="v-2", cause=None) for _ in range(4)),
    )
    codes = {answer.status_code for answer in answers if isinstance(answer, httpx.Response)}
    assert codes <= {200, 409, 422} and 200 in codes
    every = [contact for one in await world.complaints() for contact in one["contacts"]]
    assert len(every) == len(set(every)) == 2 + 3 + 4
    assert {(await world.get(f"/v1/complaints/{one['id']}"))["owner"]["id"] for one in (first, later)} == {
        "agent-1",
        "agent-2",
    }
    assert await world.findings() == []


async def test_one_that_is_two(world: World, owned: dict[str, Any]) -> None:
    name = owned["id"]
    world.clock.advance(timedelta(hours=2))
    second = await world.contact(conversation_id="v-2", cause="router-drops")
    third = await world.contact(conversation_id="v-1", threat="possible")
    world.clock.advance(timedelta(hours=1))
    body = WHO | {"contacts": [third.contact_id, second.contact_id], "cause": "billing-error", "product": None}
    new = (await world.post(f"{name}/split", body)).json()
    assert (new["split_from"], new["owner"]["id"], new["cause"]) == (name, "agent-1", "billing-error")
    assert new["contacts"] == [second.contact_id, third.contact_id] and new["departure_possible"]
    assert clock_of(new, "first_response")["started_at"] == "2026-03-02T11:00:00Z"  # when the customer spoke
    assert new["policy_version"] == owned["policy_version"]
    old = await world.get(f"/v1/complaints/{name}")
    assert (old["contacts"], old["split_into"]) == (owned["contacts"], [new["id"]])
    assert not old["departure_possible"]
    assert [(c["kind"], c["due_at"]) for c in old["clocks"]] == [(c["kind"], c["due_at"]) for c in owned["clocks"]]
    ledger = (await world.get(f"/v1/complaints/{new['id']}/ownership"))["items"]
    assert [(item["agent"]["id"], item["why"]) for item in ledger] == [("agent-1", "same_owner")]
    assert (await timeline(world, name))[-1]["why"] == (await timeline(world, new["id"]))[0]["why"] == "the same line"
    # the conversation that went along joins the new one, the one that both have stays
    fourth = await world.contact(conversation_id="v-2", cause=None)
    fifth = await world.contact(conversation_id="v-1", cause=None)
    assert fourth.contact_id in (await world.get(f"/v1/complaints/{new['id']}"))["contacts"]
    assert fifth.contact_id in (await world.get(f"/v1/complaints/{name}"))["contacts"]
    assert await world.findings() == []


async def test_words_that_the_customer_has_heard_count_for_what_is_split_off(
    world: World, owned: dict[str, Any]
) -> None:
    second = await world.contact(conversation_id="v-1")
    world.clock.advance(timedelta(minutes=30))
    await world.post(f"{owned['id']}/updates", {"agent_id": "agent-1", "text": "Soon."})
    world.clock.advance(timedelta(hours=3))
    new = (await world.post(f"{owned['id']}/split", WHO | {"contacts": [second.contact_id]})).json()
    assert clock_of(new, "first_response")["met_at"] == "2026-03-02T09:30:00Z"
    assert clock_of(new, "next_update")["started_at"] == "2026-03-02T09:30:00Z"
    assert clock_of(new, "final_answer")["started_at"] == "2026-03-02T09:00:00Z"


async def test_what_cannot_be_split(world: World, owned: dict[str, Any]) -> None:
    second = await world.contact(conversation_id="v-1")
    first = await world.post(f"{owned['id']}/split", WHO | {"contacts": [*owned["contacts"], second.contact_id]})
    assert first.status_code == 409 and first.json()["first_contact"] == owned["contacts"][0]
    odd = await world.post(f"{owned['id']}/split", WHO | {"contacts": [second.contact_id, "x-1"]})
    assert odd.status_code == 422 and odd.json()["errors"][0]["pointer"] == "/contacts/1" and "x-1" not in odd.text
    assert (await world.post(f"{owned['id']}/split", WHO | {"contacts": []})).status_code == 422
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    late = await world.post(f"{owned['id']}/split", WHO | {"contacts": [second.contact_id]})
    assert late.status_code == 409 and late.json()["state"]["status"] == "closed"


async def test_verify_sees_contacts_and_complaints_that_were_lost(world: World) -> None:
    first, later = await two(world)
    await world.post(f"{later['id']}/merge", WHO | {"into": first["id"]})
    await world.contact("c-2", conversation_id="v-9")
    assert await world.findings() == []
    stolen = later["contacts"][0]
    async with world.engine.begin() as conn:
        await conn.execute(
            text("update ownership.complaints set state = jsonb_set(state, '{took_in}', '[]') where id = :id"),
            {"id": first["id"]},
        )
        await conn.execute(
            text(
                "update ownership.complaints set state = jsonb_set(state, '{contacts}', cast(:contacts as jsonb)) "
                "where customer_id = 'c-2'"
            ),
            {"contacts": f'["{stolen}"]'},
        )
    found = await world.findings()
    assert [one for one in found if "knows nothing of it" in one and later["id"] in one]
    assert [one for one in found if stolen in one and "2 complaints" in one]


async def test_split_and_merged_back(world: World, owned: dict[str, Any]) -> None:
    second = await world.contact(conversation_id="v-2")
    new = (await world.post(f"{owned['id']}/split", WHO | {"contacts": [second.contact_id]})).json()
    one = (await world.post(f"{new['id']}/merge", WHO | {"into": owned["id"]})).json()
    assert one["contacts"] == [*owned["contacts"], second.contact_id]
    assert one["owner"]["id"] == "agent-1" and not one["overdue"]
    again = (await world.post(f"{owned['id']}/split", WHO | {"contacts": [second.contact_id]})).json()
    assert again["contacts"] == [second.contact_id] and again["first_contact_at"] == new["first_contact_at"]
    assert await world.findings() == []
