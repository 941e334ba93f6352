"""Durable deadlines: claimed once, postponed when they fail, never early, found after any sleep."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.timers import Due, customer_lock
from shared.transaction import by_hand, transaction
from shared.work import Input
from tests.tally import SCHEMA, Book, Tally, said, timers, when_due


async def _remind(tally: Tally, *customers: str) -> None:
    await tally.take(*[said(customer, 1, "remind") for customer in customers])


async def test_a_deadline_comes_once_and_not_before_its_time(tally: Tally) -> None:
    await _remind(tally, "a")
    tally.clock.advance(59.999)
    assert await tally.sweep() == 0
    tally.clock.advance(0.001)
    assert await tally.sweep() == 1
    assert await tally.sweep() == 0
    assert await tally.numbers() == {"a": [1, 0]}


async def test_a_process_that_slept_for_a_week_works_through_everything_once(tally: Tally) -> None:
    customers = [f"c-{n}" for n in range(1200)]
    await _remind(tally, *customers)
    tally.clock.advance(timedelta(days=7))
    swept = [await tally.sweep() for _ in range(4)]
    assert swept == [500, 500, 200, 0]
    assert set(map(tuple, (await tally.numbers()).values())) == {(1, 0)}


async def test_many_sweepers_share_what_is_due(tally: Tally) -> None:
    await _remind(tally, *[f"c-{n}" for n in range(300)])
    tally.clock.advance(60)

    async def sweep_all() -> int:
        done = 0
        while found := await tally.sweep(25):
            done += found
        return done

    shares = await asyncio.gather(*(sweep_all() for _ in range(4)))
    while rest := await tally.sweep():  # what a sweeper found locked it left for the next sweep
        shares.append(rest)
    assert sum(shares) == 300
    assert set(map(tuple, (await tally.numbers()).values())) == {(1, 0)}


async def test_a_deadline_set_anew_replaces_the_one_before(tally: Tally) -> None:
    await _remind(tally, "a")
    tally.clock.advance(30)
    await _remind(tally, "a")
    tally.clock.advance(30)
    assert await tally.sweep() == 0
    assert len(await tally.rows(timers)) == 1
    tally.clock.advance(30)
    assert await tally.sweep() == 1


async def test_a_cancelled_deadline_does_not_come(tally: Tally) -> None:
    await _remind(tally, "a", "b")
    async with tally.engine.begin() as conn:
        await tally.store.timers.save(conn, {("remind", "a"): ("a", None)})
    tally.clock.advance(60)
    assert await tally.sweep() == 1
    assert await tally.numbers() == {"a": [1], "b": [1, 0]}


async def test_the_deadline_of_a_customer_who_is_being_served_waits_and_holds_up_nobody(tally: Tally) -> None:
    await _remind(tally, "a", "b")
    tally.clock.advance(60)
    async with transaction(by_hand(tally.engine), [customer_lock(SCHEMA, "a")]):
        assert await tally.sweep() == 1
    assert await tally.numbers() == {"a": [1], "b": [1, 0]}
    assert await tally.sweep() == 1


async def test_a_deadline_whose_handler_fails_is_postponed_and_holds_up_nobody(tally: Tally) -> None:
    await _remind(tally, "a")
    tally.clock.advance(1)
    await _remind(tally, "b", "c")
    tally.clock.advance(60)

    def when(due: Due) -> Input[Book]:
        return when_due(due) if due.subject_id != "a" else Input("a", due, _broken)

    assert await tally.corridor.sweep(when) == 3
    assert await tally.numbers() == {"a": [1], "b": [1, 0], "c": [1, 0]}
    ((_, subject, _, _, due_at),) = await tally.rows(timers)
    assert (subject, due_at) == ("a", tally.clock.now() + timedelta(minutes=1))
    tally.clock.advance(60)
    assert await tally.sweep() == 1, "mended, it is done"


def _broken(*_: object) -> None:
    raise ValueError("a bug in a deadline's handler")


async def test_a_clock_that_jumps_back_makes_nothing_due_twice(tally: Tally) -> None:
    await _remind(tally, "a")
    at = tally.clock.advance(60)
    assert await tally.sweep() == 1
    tally.clock.move_to(at - timedelta(hours=1))
    assert await tally.sweep() == 0
    tally.clock.move_to(at)
    assert await tally.sweep() == 0
