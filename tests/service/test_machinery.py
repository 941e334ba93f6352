"""The corridor and its deadlines on a real PostgreSQL: one input, one transaction, one effect."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import ManualClock
from shared.faults import FaultError, plan
from shared.idempotency import BUSY, REUSED, make_ticket
from shared.work import Failed, GroupCommit, Input, Repeated
from tests import toy


@pytest.fixture
async def bench(engine: AsyncEngine) -> AsyncEngine:
    await toy.install(engine)
    return engine


async def count(engine: AsyncEngine, table: object) -> int:
    async with engine.connect() as conn:
        return int(await conn.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


async def test_an_event_twice_in_a_set_and_again_later_has_one_effect(bench: AsyncEngine, clock: ManualClock) -> None:
    corridor = toy.corridor(bench, clock)
    one = toy.tick("c", 7, clock.now())
    assert await corridor.take([one, one]) == [7, Repeated()]
    assert await corridor.take([one]) == [Repeated()]
    assert await toy.numbers(bench) == {"c": [7]}
    assert await count(bench, toy.unsent) == 1


async def test_a_set_that_fails_is_taken_one_by_one_and_only_the_bad_one_fails(
    bench: AsyncEngine, clock: ManualClock
) -> None:
    corridor = toy.corridor(bench, clock)
    results = await corridor.take([toy.tick("a", 1), toy.tick("b", -1), toy.tick("a", 2)])
    assert [type(result) for result in results] == [int, Failed, int]
    assert await toy.numbers(bench) == {"a": [1, 2]}


async def test_what_breaks_before_the_commit_leaves_nothing_and_after_it_everything(
    bench: AsyncEngine, clock: ManualClock
) -> None:
    corridor = toy.corridor(bench, clock)
    plan("corridor.before_commit", "error")
    assert isinstance((await corridor.take([toy.tick("c", 1)]))[0], Failed)
    assert await toy.numbers(bench) == {}
    assert await count(bench, toy.events) == 0
    plan("corridor.after_commit", "error")
    with pytest.raises(FaultError):
        await corridor.take_one(toy.tick("c", 2))
    assert await toy.numbers(bench) == {"c": [2]}


async def test_crossed_sets_of_many_writers_neither_deadlock_nor_lose_order(
    bench: AsyncEngine, clock: ManualClock
) -> None:
    names = [f"c-{n}" for n in range(12)]

    async def writer(seed: int) -> None:
        corridor = toy.corridor(bench, clock)
        dice = random.Random(seed)
        for n in range(10):
            chosen = dice.sample(names, 6)
            await corridor.take([toy.tick(name, seed * 100 + n) for name in chosen])

    await asyncio.gather(*(writer(seed) for seed in range(8)))
    lists = await toy.numbers(bench)
    assert sum(len(numbers) for numbers in lists.values()) == 8 * 10 * 6
    async with bench.connect() as conn:
        rows = await conn.execute(select(toy.events).order_by(toy.events.c.position))
        told: dict[str, list[int]] = {}
        for row in rows:
            assert row.sequence == len(told.setdefault(row.customer_id, [])) + 1
            told[row.customer_id].append(toy.Listed.model_validate_json(row.data).n)
    assert told == lists


async def test_a_request_with_a_key_is_done_once_and_its_answer_kept(bench: AsyncEngine, clock: ManualClock) -> None:
    corridor = toy.corridor(bench, clock)

    def request(body: bytes) -> Input[toy.ToyBook]:
        one = toy.tick("c", 5)
        one.ticket = make_ticket("key", "POST", "/x", b"", "k-1", body)
        one.render = lambda result: (202, b"%d" % result)
        return one

    first, twin, other = await corridor.take([request(b"x"), request(b"x"), request(b"y")])
    assert (first, twin, other) == (5, BUSY, REUSED)
    again = await corridor.take_one(request(b"x"))
    assert again.stored is not None and (again.stored.status, again.stored.body) == (202, b"5")
    assert await corridor.take_one(request(b"y")) == REUSED
    assert await toy.numbers(bench) == {"c": [5]}


async def test_group_commit_answers_each_waiting_request_with_its_own_result(
    bench: AsyncEngine, clock: ManualClock
) -> None:
    group = GroupCommit(toy.corridor(bench, clock))
    results = await asyncio.gather(*(group.take_one(toy.tick("c", n)) for n in range(50)))
    assert results == list(range(50))
    assert sorted((await toy.numbers(bench))["c"]) == list(range(50))


async def test_group_commit_refuses_before_memory_grows(bench: AsyncEngine, clock: ManualClock) -> None:
    group = GroupCommit(toy.corridor(bench, clock), limit=3)
    results = await asyncio.gather(*(group.take_one(toy.tick("c", n)) for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [int, int, int, TimeoutError, TimeoutError]


async def set_timers(engine: AsyncEngine, *timers: tuple[str, str, object]) -> None:
    async with engine.begin() as conn:
        changes = {(kind, subject): (subject, at) for kind, subject, at in timers}
        await toy.ToyStore().timers.save(conn, changes)  # type: ignore[arg-type]


async def test_deadlines_come_in_order_once_also_to_a_process_that_slept(
    bench: AsyncEngine, clock: ManualClock
) -> None:
    corridor = toy.corridor(bench, clock)
    start = clock.now()
    await set_timers(bench, *(("x", f"c-{n}", start + timedelta(minutes=n)) for n in range(1, 6)))
    assert await corridor.sweep(toy.when) == 0
    clock.advance(timedelta(minutes=3))
    assert await corridor.sweep(toy.when, most=2) == 2
    assert sorted(await toy.numbers(bench)) == ["c-1", "c-2"]
    clock.advance(timedelta(days=30))
    assert await corridor.sweep(toy.when) == 3
    assert await corridor.sweep(toy.when) == 0
    assert all(numbers == [0] for numbers in (await toy.numbers(bench)).values())


async def test_a_deadline_that_fails_is_postponed_and_holds_nobody_up(bench: AsyncEngine, clock: ManualClock) -> None:
    corridor = toy.corridor(bench, clock)
    at = clock.now()
    await set_timers(bench, ("x", "c-1", at), ("broken", "c-2", at), ("x", "c-3", at))
    assert await corridor.sweep(toy.when) == 3
    assert sorted(await toy.numbers(bench)) == ["c-1", "c-3"]
    async with bench.connect() as conn:
        assert (await conn.execute(select(toy.timers.c.due_at))).scalars().all() == [at + timedelta(minutes=1)]


async def test_sweeps_side_by_side_take_each_deadline_once(bench: AsyncEngine, clock: ManualClock) -> None:
    at = clock.now()
    await set_timers(bench, *(("x", f"c-{n}", at) for n in range(60)))

    async def sweeper() -> None:
        corridor = toy.corridor(bench, clock)
        while await count(bench, toy.timers):
            await corridor.sweep(toy.when, most=7)

    await asyncio.gather(*(sweeper() for _ in range(4)))
    lists = await toy.numbers(bench)
    assert len(lists) == 60 and all(numbers == [0] for numbers in lists.values())
