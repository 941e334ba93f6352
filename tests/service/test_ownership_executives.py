"""What an executive owes is a clock of the complaint: escalation says until when, and only their answer meets it."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.contracts.envelope import new_id
from shared.contracts.escalation import (
    EscalationAnswered,
    EscalationClimbed,
    EscalationDelivered,
    EscalationEvent,
    EscalationForwarded,
    EscalationRaised,
    EscalationRepeated,
    ReasonJoined,
)
from shared.policy import parse_policy, propose
from tests.service.ownership_world import ANSWER, POLICY, World, clock_of, enveloped

pytest_plugins = ["tests.service.ownership_world"]
KIND = "executive_answer"
HOUR = timedelta(hours=1)


class Above:
    """An escalation of the complaint, as escalation tells of it."""

    def __init__(self, world: World, complaint: dict[str, Any]) -> None:
        self.world, self.complaint, self.id = world, complaint, new_id()

    def _of(self, contract: Any, at: datetime | None, **told: Any) -> Any:
        ids = {"customer_id": "c-1", "escalation_id": self.id, "complaint_id": self.complaint["id"]}
        return contract(**ids, at=at or self.world.now, **told)

    def raised(self, hours: float = 4, at: datetime | None = None) -> EscalationRaised:
        due = (at or self.world.now) + hours * HOUR
        told = {"level": 1, "reason": "asked", "executive_id": "head", "due_at": due, "policy_version": "test-1"}
        return self._of(EscalationRaised, at, **told)  # type: ignore[no-any-return]

    def climbed(self, because: str = "unanswered", hours: float = 8, at: datetime | None = None) -> EscalationClimbed:
        due = (at or self.world.now) + hours * HOUR
        told = {"from_level": 1, "level": 2, "executive_id": "vp", "due_at": due, "because": because}
        return self._of(EscalationClimbed, at, **told)  # type: ignore[no-any-return]

    def joined(self, due: datetime, *, lifted: bool) -> ReasonJoined:
        told = {"reason": "repeat", "level": 3 if lifted else 1, "lifted": lifted, "executive_id": "ceo"}
        return self._of(ReasonJoined, None, due_at=due, **told)  # type: ignore[no-any-return]

    def answered(self, at: datetime | None = None) -> EscalationAnswered:
        told = {"answer_id": "a-1", "executive_id": "head", "level": 1, "apology": True, "stay_asked": False}
        return self._of(EscalationAnswered, at, **told)  # type: ignore[no-any-return]

    def delivered(self, at: datetime | None = None) -> EscalationDelivered:
        return self._of(EscalationDelivered, at, answer_id="a-1", through="mail")  # type: ignore[no-any-return]


@pytest.fixture
def above(world: World, owned: dict[str, Any]) -> Above:
    return Above(world, owned)


async def runs(world: World) -> list[dict[str, Any]]:
    return [clock for clock in (await world.complaint())["clocks"] if clock["kind"] == KIND]


async def told_of_it(world: World) -> list[tuple[str, Any]]:
    """Warnings and breaches of this clock."""
    one = await world.complaint()
    items = (await world.get(f"/v1/complaints/{one['id']}/timeline", limit="200"))["items"]
    return [
        (item["type"].removeprefix("complaint.clock_"), item["data"].get("percent"))
        for item in items
        if item["data"].get("kind") == KIND
    ]


async def test_it_starts_with_the_escalation_and_is_met_by_the_executives_answer(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    clock = clock_of(await world.complaint(), KIND)
    assert (clock["started_at"], clock["due_at"], clock["hours"]) == (
        "2026-03-02T09:00:00Z",
        "2026-03-02T13:00:00Z",
        "calendar",
    )
    assert [one["percent"] for one in clock["warnings"]] == [50, 75, 90]
    await world.pass_time(2 * HOUR)
    await world.deliver(above.answered())
    await world.pass_time(5 * HOUR)
    await world.deliver(above.delivered())
    (clock,) = await runs(world)
    assert (clock["met_at"], clock["breached_at"]) == ("2026-03-02T11:00:00Z", None)
    assert await told_of_it(world) == [("warned", 50)]
    assert [name for name in await world.told() if name.startswith("executive")] == [
        "executive_asked",
        "executive_replied",
        "executive_answered",
    ]
    assert await world.findings() == []


async def test_each_warning_and_the_breach_come_once_however_often_it_climbs(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    await world.pass_time(30 * HOUR)  # nobody looked
    late = (await world.complaint())["id"]
    assert late in [one["id"] for one in (await world.get("/v1/complaints", overdue="true"))["items"]]
    await world.deliver(above.climbed())
    due = world.now + HOUR
    again = {"level": 2, "executive_id": "vp", "due_at": due, "times": 1}
    await world.deliver(above._of(EscalationRepeated, None, **again))
    await world.pass_time(timedelta(days=2))
    assert await told_of_it(world) == [("warned", 50), ("warned", 75), ("warned", 90), ("breached", 100)]
    await world.deliver(above.answered())
    (clock,) = await runs(world)
    assert clock["breached_at"] and clock["met_at"] and clock["due_at"] == "2026-03-02T13:00:00Z"


async def test_an_answer_that_is_late_tells_the_breach_first(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    world.clock.advance(5 * HOUR)  # no sweep
    await world.deliver(above.answered())
    assert (await told_of_it(world))[-1] == ("breached", 100)
    (clock,) = await runs(world)
    assert clock["breached_at"] and clock["met_at"]


async def test_whoever_is_asked_in_time_has_the_time_of_their_level(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    await world.pass_time(2 * HOUR)
    await world.deliver(above.joined(world.now + 2 * HOUR, lifted=False))
    assert clock_of(await world.complaint(), KIND)["due_at"] == "2026-03-02T13:00:00Z"
    await world.deliver(above.joined(world.now + 24 * HOUR, lifted=True))
    (clock,) = await runs(world)
    assert clock["due_at"] == "2026-03-03T11:00:00Z"
    forwarded = {"from_id": "ceo", "executive_id": "vp", "level": 3, "due_at": world.now + 24 * HOUR, "by_id": "ceo"}
    told = await world.told()
    await world.deliver(above._of(EscalationForwarded, None, **forwarded))
    assert await world.told() == told
    await world.pass_time(25 * HOUR)
    assert await told_of_it(world) == [("warned", 50), ("warned", 75), ("warned", 90), ("breached", 100)]


async def test_who_cannot_be_written_to_is_no_miss(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    await world.deliver(above.climbed("undeliverable"))
    assert clock_of(await world.complaint(), KIND)["due_at"] == "2026-03-02T17:00:00Z"


async def test_nothing_that_the_owner_does_meets_moves_or_ends_it(world: World, above: Above) -> None:
    path = above.complaint["id"]
    await world.deliver(above.raised(24 * 3))
    pause = {"agent_id": "agent-1", "reason": "parts", "until": (world.now + 9 * HOUR).isoformat()}
    assert (await world.post(f"{path}/pause", pause)).is_success
    await world.pass_time(HOUR)
    assert (await world.post(f"{path}/answer", ANSWER)).is_success
    assert (await world.post(f"{path}/confirmation", {"solved": False})).is_success
    assert (await world.post(f"{path}/withdrawal", {"agent_id": "agent-1", "reason": "Never mind."})).is_success
    (clock,) = await runs(world)
    due = "2026-03-05T09:00:00Z"
    assert (clock["due_at"], clock["met_at"], clock["stopped_at"], clock["cycle"]) == (due, None, None, 1)
    await world.pass_time(timedelta(days=3))
    assert (await told_of_it(world))[-1] == ("breached", 100)
    await world.deliver(above.delivered())  # the answer itself is heard of later
    assert clock_of(await world.complaint(), KIND)["met_at"]
    assert await world.findings() == []


async def test_the_next_escalation_is_another_run(world: World, above: Above) -> None:
    await world.deliver(above.raised(), above.answered(), above.delivered())
    world.clock.advance(HOUR)
    second = Above(world, above.complaint)
    await world.deliver(second.raised())
    first, now = await runs(world)
    assert first["met_at"] and not now["met_at"] and now["due_at"] == "2026-03-02T14:00:00Z"
    await world.deliver(above.climbed())  # of one that is over
    assert [clock["due_at"] for clock in await runs(world)] == [first["due_at"], now["due_at"]]


async def test_one_whose_answer_is_not_heard_of_is_over_when_the_next_is_raised(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    world.clock.advance(HOUR)
    second = Above(world, above.complaint)
    await world.deliver(second.raised())
    await world.deliver(above.answered(world.now - HOUR / 2))  # parked, and tried again
    first, now = await runs(world)
    assert first["met_at"] == "2026-03-02T10:00:00Z" and not now["met_at"]
    await world.deliver(second.answered())
    assert all(clock["met_at"] for clock in await runs(world))


async def test_in_any_order_and_again_it_comes_to_the_same(world: World) -> None:
    outcomes = []
    for n, order in enumerate(itertools.permutations(range(3))):
        customer = f"c-{n}"
        await world.contact(customer, responder_id="agent-1")
        above = Above(world, await world.complaint(customer))
        events: list[EscalationEvent] = [above.raised(), above.answered(), above.delivered()]
        arriving = [enveloped(one.model_copy(update={"customer_id": customer}), world.now) for one in events]
        for i in (*order, *order):
            await world.deliver(arriving[i])
        (clock,) = [one for one in (await world.complaint(customer))["clocks"] if one["kind"] == KIND]
        outcomes.append(tuple(clock[name] for name in ("started_at", "due_at", "met_at", "breached_at")))
        told = [name for name in await world.told(customer) if name.startswith("executive")]
        assert sorted(told) == ["executive_answered", "executive_asked", "executive_replied"]
    assert set(outcomes) == {("2026-03-02T09:00:00Z", "2026-03-02T13:00:00Z", "2026-03-02T09:00:00Z", None)}
    assert await world.findings() == []


async def test_of_a_complaint_that_is_merged_it_stays_where_it_is(world: World, above: Above) -> None:
    await world.pass_time(timedelta(minutes=1))
    await world.contact(cause="billing-error", responder_id="agent-2")
    _, later = await world.complaints()
    second = Above(world, later)
    await world.deliver(second.raised())
    body = {"agent_id": "agent-1", "into": above.complaint["id"], "reason": "the same"}
    assert (await world.post(f"{later['id']}/merge", body)).is_success
    first, merged = await world.complaints()
    assert KIND not in [clock["kind"] for clock in first["clocks"]]
    assert merged["status"] == "closed" and not clock_of(merged, KIND)["stopped_at"]
    await world.deliver(second.answered())
    assert clock_of((await world.complaints())[1], KIND)["met_at"]
    assert await world.findings() == []


async def test_it_is_explained_by_the_ladder(world: World, above: Above) -> None:
    await world.deliver(above.raised())
    await world.pass_time(HOUR)
    await world.deliver(above.joined(world.now + 24 * HOUR, lifted=True))
    path = f"/v1/complaints/{above.complaint['id']}/explain"
    (told,) = (await world.get(path, clock=KIND))["clocks"]
    assert [one["level"] for one in told["asked"]] == [1, 3] and told["due_at"] == "2026-03-03T10:00:00Z"
    assert "policy test-1 gives that level 4 hours" in told["words"][1] and "level 3" in told["words"][2]
    rungs = (f"{{level: {n}, role: chief_executive, answer_within: {n + 2}h}}" for n in (1, 2, 3))
    ladder = f"escalation: {{ladder: [{', '.join(rungs)}]}}\n"
    async with world.engine.begin() as conn:
        assert await propose(conn, parse_policy(POLICY.replace('"test-1"', '"next"') + ladder), world.now)
    (supposed,) = (await world.get(path, clock=KIND, what_if="next"))["clocks"]
    assert supposed["due_at"] == "2026-03-02T15:00:00Z" and "5 hours" in supposed["words"][0]
