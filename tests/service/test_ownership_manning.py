"""An owner who cannot act: somebody stands in, nothing moves the owner, and a supervisor is asked who follows."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from services.ownership.store.tables import agents, timers_rows
from shared.policy import parse_policy
from shared.timers import customer_lock
from tests.service.ownership_world import MONDAY, POLICY, World, clock_of, world_at

pytest_plugins = ["tests.service.ownership_world"]
TUESDAY = MONDAY + timedelta(days=1)
WEEK = timedelta(days=7)
NIGHT = {"hours": {"mon-fri": ["09:00-12:00"]}, "time_zone": "UTC"}


def absence(begins: datetime, ends: datetime) -> list[dict[str, str]]:
    return [{"from": begins.isoformat(), "until": ends.isoformat()}]


@pytest.fixture
async def owned(world: World) -> dict[str, Any]:
    """A complaint of agent-1, told by mail; lead-1 is their superior."""
    await world.put_agent("agent-1", name="Chen Yu", superior="lead-1")
    await world.put_agent("lead-1", name="Ana Lead", superior="lead-2")
    await world.contact(responder_id="agent-1")
    return await world.complaint()


async def ledger(world: World, complaint_id: str) -> list[tuple[str, str, str, str | None, str]]:
    items = (await world.get(f"/v1/complaints/{complaint_id}/ownership"))["items"]
    return [(one["role"], one["agent"]["id"], one["from"], one["until"], one["by"]) for one in items]


# absent


async def test_an_absent_owners_superior_stands_in_until_the_owner_is_back(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", absences=absence(TUESDAY, TUESDAY + WEEK))
    assert (await world.complaint())["deputy"] is None
    await world.pass_time(timedelta(days=1))
    one = await world.complaint()
    assert one["owner"] == {"id": "agent-1", "name": "Chen Yu"}
    assert one["deputy"] == {
        "id": "lead-1",
        "name": "Ana Lead",
        "since": "2026-03-03T09:00:00Z",
        "until": "2026-03-10T09:00:00Z",
        "because": "absent",
    }
    told = await world.note("deputy_started")
    assert (told["by"], told["why"]) == ("policy", "the owner is absent")
    await world.pass_time(WEEK)
    one = await world.complaint()
    assert one["deputy"] is None and one["owner"]["id"] == "agent-1"
    assert (await world.note("deputy_ended"))["data"]["because"] == "until"
    assert await ledger(world, owned["id"]) == [
        ("owner", "agent-1", "2026-03-02T09:00:00Z", None, "agent-1"),
        ("deputy", "lead-1", "2026-03-03T09:00:00Z", "2026-03-10T09:00:00Z", "policy"),
    ]
    assert await world.findings() == []


async def test_what_is_opened_while_its_owner_is_absent_has_a_deputy_at_once(world: World) -> None:
    await world.put_agent("agent-1", superior="lead-1", absences=absence(MONDAY, TUESDAY))
    contact = await world.contact(channel="email")
    await world.response(contact, "agent-1")
    one = await world.complaint()
    assert (one["owner"]["id"], one["deputy"]["id"]) == ("agent-1", "lead-1")


async def test_an_owner_who_comes_back_early_needs_no_deputy(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", absences=absence(MONDAY, MONDAY + WEEK))
    assert (await world.complaint())["deputy"]["id"] == "lead-1"
    await world.put_agent("agent-1", absences=[])
    assert (await world.complaint())["deputy"] is None
    assert (await world.note("deputy_ended"))["data"]["because"] == "owner_back"


async def test_absences_that_follow_each_other_are_one(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", absences=[*absence(TUESDAY, TUESDAY + WEEK), *absence(MONDAY, TUESDAY)])
    assert (await world.complaint())["deputy"]["until"] == "2026-03-10T09:00:00Z"


async def test_a_superior_who_is_absent_too_is_passed_over(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("lead-1", absences=absence(MONDAY, MONDAY + timedelta(hours=2)))
    await world.put_agent("lead-2", name="Top")
    await world.put_agent("agent-1", absences=absence(MONDAY, MONDAY + WEEK))
    assert (await world.complaint())["deputy"]["id"] == "lead-2"


async def test_a_ring_of_superiors_comes_to_an_end_and_a_colleague_stands_in(world: World) -> None:
    await world.put_agent("agent-1", superior="lead-1", active=True)
    await world.put_agent("lead-1", superior="agent-1", active=False)
    await world.put_agent("agent-2", languages=["en"])
    await world.put_agent("agent-3", languages=["zh"])
    await world.contact(responder_id="agent-1", locale="zh-CN")
    await world.put_agent("agent-1", absences=absence(MONDAY, TUESDAY))
    assert (await world.complaint())["deputy"]["id"] == "agent-3"  # who speaks the customer's language


async def test_what_one_person_held_is_shared_among_their_colleagues(world: World) -> None:
    for agent_id in ("agent-1", "agent-2", "agent-3", "agent-4"):
        await world.put_agent(agent_id, superior="lead-1")
    await world.put_agent("lead-1", active=False)
    await world.put_agent("elsewhere", superior="lead-9")
    for n in range(24):
        await world.contact(f"c-{n}", responder_id="agent-1")
    await world.put_agent("agent-1", active=False)
    items = (await world.get("/v1/complaints", owner_id="agent-1"))["items"]
    shares = [one["deputy"]["id"] for one in items]
    assert len(shares) == 24 and {"agent-2", "agent-3", "agent-4"} == set(shares)


async def test_where_nobody_is_there_the_first_who_comes_back_stands_in(world: World, owned: dict[str, Any]) -> None:
    for lead, hours in (("lead-1", 3), ("lead-2", 2)):
        await world.put_agent(lead, absences=absence(MONDAY, MONDAY + timedelta(hours=hours)))
    await world.put_agent("agent-1", absences=absence(MONDAY, MONDAY + WEEK))
    assert (await world.complaint())["deputy"] is None
    await world.pass_time(timedelta(hours=2))
    assert (await world.complaint())["deputy"]["id"] == "lead-2"


# off shift


async def test_off_shift_matters_only_while_something_falls_due(world: World) -> None:
    await world.put_agent("agent-1", superior="lead-1", **NIGHT)
    await world.put_agent("lead-1")
    await world.contact(responder_id="agent-1", channel="phone")  # first response and acknowledgement are met
    world.clock.advance(timedelta(hours=4))  # 13:00; the next update is due tomorrow at 18:00, after tomorrow's shift
    await world.sweep()
    assert (await world.complaint())["deputy"] is None
    await world.pass_time(timedelta(hours=22))
    assert (await world.complaint())["deputy"] is None  # 11:00 on the next day: on shift
    await world.pass_time(timedelta(hours=1))
    deputy = (await world.complaint())["deputy"]
    assert (deputy["id"], deputy["because"]) == ("lead-1", "off_shift")
    assert (deputy["since"], deputy["until"]) == ("2026-03-03T12:00:00Z", "2026-03-04T09:00:00Z")
    await world.pass_time(timedelta(hours=21))
    assert (await world.complaint())["deputy"] is None


async def test_what_is_due_today_and_taken_after_the_shift_has_a_deputy(world: World) -> None:
    await world.put_agent("agent-1", superior="lead-1", **NIGHT)
    world.clock.advance(timedelta(hours=4))
    await world.contact(responder_id="agent-1")  # by mail: to be acknowledged within the hour
    assert (await world.complaint())["deputy"]["because"] == "off_shift"


# inactive


async def test_deactivating_orphans_nothing_and_asks_a_supervisor(world: World, owned: dict[str, Any]) -> None:
    other = await world.contact("c-2", responder_id="agent-1")
    closed = await world.contact("c-3", responder_id="agent-1")
    (third,) = await world.complaints("c-3")
    await world.post(f"{third['id']}/withdrawal", {"agent_id": "agent-1", "reason": "sorted itself out"})
    assert other and closed
    await world.put_agent("agent-1", active=False)
    for customer in ("c-1", "c-2"):
        one = await world.complaint(customer)
        assert one["owner"]["id"] == "agent-1" and one["status"] == "open"
        assert (one["deputy"]["id"], one["deputy"]["because"]) == ("lead-1", "inactive")
        assert one["succession_asked"] == {"to": None, "reason": "role_ended", "by": "policy", "at": one["opened_at"]}
        due = clock_of(one, "succession")
        assert (due["due_at"], due["hours"]) == ("2026-03-03T18:00:00Z", "business")
    assert (await world.told("c-3"))[-1] == "closed"
    assert await world.findings() == []
    listed = await world.get("/v1/complaints", succession_asked="true")
    assert {one["customer_id"] for one in listed["items"]} == {"c-1", "c-2"}
    others = await world.get("/v1/complaints", succession_asked="false")
    assert {one["customer_id"] for one in others["items"]} == {"c-3"}


async def test_when_nobody_decides_the_clock_is_breached_and_everything_goes_on(
    world: World, owned: dict[str, Any]
) -> None:
    await world.put_agent("agent-1", active=False)
    await world.pass_time(timedelta(days=1, hours=9))
    one = await world.complaint()
    assert clock_of(one, "succession")["breached_at"] == "2026-03-03T18:00:00Z"
    assert one["owner"]["id"] == "agent-1" and one["deputy"]["id"] == "lead-1"
    told = await world.note("clock_breached")
    assert {"kind": "succession", "owner_id": "agent-1"}.items() <= told["data"].items()
    # an answer is no decision, and neither hides that it came too late
    await world.post(
        f"{owned['id']}/succession", {"to": "agent-2", "reason": "left_company", "note": "asked her"}, "supervisor"
    )
    await world.pass_time(timedelta(hours=20))
    done = (await world.post(f"{owned['id']}/succession/acceptance", {"agent_id": "agent-2"})).json()
    assert (done["owner"]["id"], done["deputy"], done["succession_asked"]) == ("agent-2", None, None)
    runs = [c for c in done["clocks"] if c["kind"] == "succession"]
    assert [bool(c["breached_at"]) for c in runs] == [True, False] and all(c["met_at"] for c in runs)
    assert [(role, who) for role, who, *_ in await ledger(world, owned["id"])] == [
        ("owner", "agent-1"),
        ("deputy", "lead-1"),
        ("owner", "agent-2"),
    ]


async def test_a_deputys_turn_ends_and_the_next_is_chosen_for_as_long_as_nobody_decides(
    world: World, owned: dict[str, Any]
) -> None:
    await world.put_agent("agent-1", active=False)
    until = (await world.complaint())["deputy"]["until"]
    assert until == "2026-03-16T09:00:00Z"
    await world.pass_time(timedelta(days=14))
    one = await world.complaint()
    assert one["deputy"]["since"] == until and one["owner"]["id"] == "agent-1"


async def test_who_is_active_again_keeps_what_they_own_and_nothing_is_asked_any_more(
    world: World, owned: dict[str, Any]
) -> None:
    await world.put_agent("agent-1", active=False)
    await world.put_agent("agent-1", active=True)
    one = await world.complaint()
    assert (one["owner"]["id"], one["deputy"], one["succession_asked"]) == ("agent-1", None, None)
    assert clock_of(one, "succession")["stopped_at"] and (await world.told())[-2:] == [
        "deputy_ended",
        "succession_withdrawn",
    ]
    assert await world.findings() == []


async def test_a_deputy_who_is_deactivated_gives_way_to_another(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", active=False)
    await world.put_agent("lead-2")
    await world.put_agent("lead-1", active=False)
    assert (await world.complaint())["deputy"]["id"] == "lead-2"
    assert (await world.note("deputy_ended"))["data"]["because"] == "unavailable"


async def test_a_reopened_complaint_of_an_inactive_owner_asks_anew(world: World, owned: dict[str, Any]) -> None:
    answer = {"agent_id": "agent-1", "text": "Done.", "outcome": "upheld", "reasons": "fault found"}
    await world.post(f"{owned['id']}/answer", answer)
    await world.post(f"{owned['id']}/confirmation", {"solved": True})
    await world.put_agent("agent-1", active=False)
    assert (await world.complaint())["succession_asked"] is None
    one = (await world.post(f"{owned['id']}/confirmation", {"solved": False})).json()
    assert (one["cycle"], one["owner"]["id"], one["deputy"]["id"]) == (2, "agent-1", "lead-1")
    assert one["succession_asked"]["to"] is None and clock_of(one, "succession", 2)["stopped_at"] is None


async def test_neither_an_answer_nor_a_pause_is_a_decision_on_who_follows(world: World, owned: dict[str, Any]) -> None:
    await world.put_agent("agent-1", active=False)
    until = (world.now + WEEK).isoformat()
    await world.post(f"{owned['id']}/pause", {"agent_id": "lead-1", "reason": "waiting for parts", "until": until})
    await world.pass_time(timedelta(days=1, hours=9))
    assert clock_of(await world.complaint(), "succession")["breached_at"]
    answer = {"agent_id": "lead-1", "text": "Done.", "outcome": "upheld", "reasons": "fault found"}
    one = (await world.post(f"{owned['id']}/answer", answer)).json()
    assert clock_of(one, "succession")["met_at"] is None and clock_of(one, "final_answer")["met_at"]


async def test_what_many_complaints_need_is_done_for_each_under_its_own_customers_lock(world: World) -> None:
    for n in range(30):
        await world.contact(f"c-{n}", responder_id="agent-1")
    answer = await world.say_of("agent-1", {"active": False})
    assert answer.status_code == 200
    async with world.engine.connect() as conn:
        rows = (await conn.execute(timers_rows.select().where(timers_rows.c.kind == "agent"))).all()
    assert len(rows) == 1  # saying it touches no complaint
    async with world.engine.begin() as held:  # somebody works for one customer meanwhile
        await held.execute(_lock("c-7"))
        await world.sweep()
        asked = [one for one in await _all(world) if one["succession_asked"]]
        assert len(asked) == 29 and "c-7" not in {one["customer_id"] for one in asked}
    await world.sweep()
    assert all(one["succession_asked"] for one in await _all(world))


async def _all(world: World) -> list[dict[str, Any]]:
    return list((await world.get("/v1/complaints", limit="200"))["items"])


def _lock(customer_id: str) -> Any:
    return select(func.pg_advisory_xact_lock(customer_lock("ownership", customer_id)))


async def test_what_is_opened_while_its_owner_is_being_deactivated_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opening has read the agent before, and commits only after the complaints of the agent were listed."""
    store: Any = world.corridor.store
    save, saved, go_on = store.save, asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any) -> None:
        await save(*args)
        saved.set()
        await go_on.wait()

    await world.put_agent("agent-1", active=True)
    monkeypatch.setattr(store, "save", slowly)
    opening = asyncio.create_task(world.contact(responder_id="agent-1"))
    await saved.wait()
    monkeypatch.setattr(store, "save", save)
    await world.put_agent("agent-1", active=False)
    go_on.set()
    await opening
    assert (await world.complaint())["succession_asked"] is None
    await world.pass_time(timedelta(minutes=1))
    assert (await world.complaint())["succession_asked"]


async def test_verify_finds_what_was_orphaned_behind_our_back(world: World, owned: dict[str, Any]) -> None:
    async with world.engine.begin() as conn:
        await conn.execute(delete(timers_rows).where(timers_rows.c.kind != "clock"))
        await conn.execute(update(agents).where(agents.c.id == "agent-1").values(active=False))
    assert f"{owned['id']}: its owner is inactive, and nobody was asked who follows" in await world.findings()


async def test_a_customer_who_speaks_while_the_owner_is_off_shift_finds_somebody(world: World) -> None:
    await world.put_agent("agent-1", superior="lead-1", **NIGHT)
    await world.put_agent("lead-1")
    await world.contact(responder_id="agent-1", channel="phone")
    await world.pass_time(timedelta(hours=5))
    assert (await world.complaint())["deputy"] is None
    await world.contact(channel="phone", responder_id="agent-2")
    one = await world.complaint()
    assert (one["owner"]["id"], one["deputy"]["id"]) == ("agent-1", "lead-1")
    assert (one["deputy"]["because"], one["deputy"]["until"]) == ("off_shift", "2026-03-03T09:00:00Z")


async def test_where_the_policy_wants_somebody_on_every_shift(database: str) -> None:
    text = POLICY + "deputies: {off_shift: always, choose: [superior]}\n"
    async with world_at(database, parse_policy(text), MONDAY) as world:
        await world.put_agent("agent-1", superior="lead-1", **NIGHT)
        await world.put_agent("lead-1")
        await world.contact(responder_id="agent-1", channel="phone")
        for day in range(3):
            assert (await world.complaint())["deputy"] is None
            await world.pass_time(timedelta(hours=3))  # noon
            deputy = (await world.complaint())["deputy"]
            assert deputy["id"] == "lead-1" and deputy["until"].startswith(f"2026-03-0{day + 3}T09:00")
            await world.pass_time(timedelta(hours=21))
        assert (await world.told()).count("deputy_started") == 3
        assert await world.findings() == []
