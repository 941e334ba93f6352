"""One input, one transaction: what commits together, what fails alone, what is done once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from asyncpg import DataError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import faults
from shared.faults import FaultError
from shared.group import GroupCommit
from shared.idempotency import BUSY, REUSED, Stored, make_ticket
from shared.refusal import Refusal
from shared.work import Failed, Input, Repeated
from tests.tally import Tally, events, inbox, on_number_said, said, timers, unsent


async def test_state_events_and_deadlines_commit_together(tally: Tally) -> None:
    assert await tally.take(said("a", 1), said("b", 5, "remind"), said("a", 2)) == [1, 1, 2]
    assert await tally.numbers() == {"a": [1, 2], "b": [5]}
    assert await tally.said() == [("a", 1), ("b", 1), ("a", 2)]
    assert len(await tally.rows(unsent)) == 3
    assert [row.subject_id for row in await tally.rows(timers)] == ["b"]


async def test_what_breaks_before_the_commit_leaves_nothing(tally: Tally) -> None:
    faults.plan("corridor.before_commit", "error")
    (error,) = await tally.take(said("a", 1, "remind"))
    assert isinstance(error, FaultError)
    assert await tally.numbers() == {}
    assert not await tally.rows(events) and not await tally.rows(unsent) and not await tally.rows(timers)


async def test_a_reply_that_is_lost_after_the_commit_is_found_again_by_the_inbox(tally: Tally) -> None:
    one = tally.input(said("a", 1), envelope=tally.envelope(said("a", 1)))
    faults.plan("corridor.after_commit", "error")
    (lost,) = await tally.corridor.take([one])
    assert isinstance(lost, Failed)
    assert await tally.corridor.take([one, one]) == [Repeated(), Repeated()]
    assert await tally.numbers() == {"a": [1]}


async def test_the_same_event_twice_in_a_set_has_its_effect_once(tally: Tally) -> None:
    one = tally.input(said("a", 1), envelope=tally.envelope(said("a", 1)))
    assert await tally.corridor.take([one, one]) == [1, Repeated()]
    assert await tally.numbers() == {"a": [1]}


async def test_a_refusal_changes_nothing_and_spoils_nothing(tally: Tally) -> None:
    first, refused, last = await tally.take(said("a", 1), said("a", -1), said("a", 2))
    assert (first, last) == (1, 2)
    assert isinstance(refused, Refusal)
    assert await tally.numbers() == {"a": [1, 2]}


async def test_a_failing_input_fails_alone_and_the_others_keep_their_order(tally: Tally) -> None:
    results = await tally.take(said("a", 1), said("b", 1, "fail"), said("a", 2), said("b", 2))
    assert [type(result) for result in results] == [int, ValueError, int, int]
    assert await tally.numbers() == {"a": [1, 2], "b": [2]}


async def test_a_number_that_the_database_cannot_hold_is_a_failure_not_a_wait(tally: Tally) -> None:
    results = await tally.take(said("a", 1), said("a", 2**40), said("b", 3))
    assert isinstance(results[1], DataError)
    assert await tally.numbers() == {"a": [1], "b": [3]}


async def test_an_event_that_fails_is_not_remembered_as_received(tally: Tally) -> None:
    event = said("a", 1, "fail")
    one = tally.input(event, envelope=tally.envelope(event))
    assert isinstance((await tally.corridor.take([one]))[0], Failed)
    assert not await tally.rows(inbox)


async def test_many_writers_of_the_same_customers_lose_nothing_and_stay_in_order(tally: Tally) -> None:
    async def write(writer: int) -> None:
        for number in range(12):
            # every writer names the customers in another order: locks are sorted, so that nobody waits in a ring
            customers = ["a", "b", "c"][writer % 3 :] + ["a", "b", "c"][: writer % 3]
            await tally.take(*[said(customer, writer * 100 + number) for customer in customers])

    await asyncio.gather(*(write(writer) for writer in range(8)))
    kept = await tally.numbers()
    assert {customer: len(numbers) for customer, numbers in kept.items()} == {"a": 96, "b": 96, "c": 96}
    sequences: dict[str, list[int]] = defaultdict(list)
    for subject, sequence in await tally.said():
        sequences[subject].append(sequence)
    assert all(found == list(range(1, 97)) for found in sequences.values()), "positions follow each subject's sequence"


async def test_a_deadlock_is_tried_again(tally: Tally) -> None:
    await tally.take(said("a", 1))
    attempts = []

    async def deadlocked(*args: Any) -> Any:
        attempts.append(args)
        if len(attempts) == 1:
            # what PostgreSQL raises, raised by PostgreSQL
            await args[0].execute(text("do $$ begin raise exception 'ring' using errcode = '40P01'; end $$"))
        return await load(*args)

    load, tally.store.load = tally.store.load, deadlocked  # type: ignore[method-assign, assignment]
    assert await tally.take(said("a", 2)) == [2]
    assert len(attempts) == 2


async def test_a_lost_connection_is_told_as_transient_and_the_work_can_be_done_again(tally: Tally) -> None:
    async def lost(*args: Any) -> Any:
        tally.store.load = load  # type: ignore[method-assign]
        await args[0].execute(text("select pg_terminate_backend(pg_backend_pid())"))

    load, tally.store.load = tally.store.load, lost  # type: ignore[method-assign, assignment]
    with pytest.raises(DBAPIError):
        await tally.take(said("a", 1), said("b", 1))
    assert await tally.take(said("a", 1), said("b", 1)) == [1, 1]


def _keyed(tally: Tally, customer: str, number: int, key: str, body: bytes) -> Input[Any]:
    ticket = make_ticket("key-1", "POST", "/numbers", b"", key, body)
    return tally.input(said(customer, number), ticket=ticket, render=lambda result: (201, b"%d" % result))


async def test_a_request_repeated_with_its_key_gets_the_first_answer(tally: Tally) -> None:
    assert await tally.corridor.take_one(_keyed(tally, "a", 7, "k", b"7")) == 1
    repeated = await tally.corridor.take_one(_keyed(tally, "a", 7, "k", b"7"))
    assert repeated == Repeated(Stored(201, b"1"))
    assert await tally.corridor.take_one(_keyed(tally, "a", 8, "k", b"8")) == REUSED
    assert await tally.corridor.take([_keyed(tally, "b", 1, "l", b"1"), _keyed(tally, "b", 1, "l", b"1")]) == [1, BUSY]
    assert await tally.numbers() == {"a": [7], "b": [1]}


async def test_requests_that_wait_together_commit_together_and_fail_alone(tally: Tally) -> None:
    group = GroupCommit(tally.corridor)
    wanted = [said("a", n) for n in range(20)] + [said("b", 1, "fail")] + [said("c", n) for n in range(20)]
    told = [group.take_one(Input(one.customer_id, one, on_number_said)) for one in wanted]
    results = await asyncio.gather(*told, return_exceptions=True)
    assert [result for result in results if isinstance(result, Exception)] == [results[20]]
    assert await tally.numbers() == {"a": list(range(20)), "c": list(range(20))}


async def test_two_lanes_keep_the_order_of_each_customer(tally: Tally) -> None:
    group = GroupCommit(tally.corridor, few=2)
    told = [group.take_one(tally.input(said("abc"[n % 3] if n % 2 else f"d{n}", n))) for n in range(120)]
    await asyncio.gather(*told)
    kept = await tally.numbers()
    assert all(numbers == sorted(numbers) for numbers in kept.values())
    assert sum(len(numbers) for numbers in kept.values()) == 120


async def test_more_waiting_requests_than_memory_is_meant_for_are_turned_away(tally: Tally) -> None:
    group = GroupCommit(tally.corridor, most=1, limit=3)
    told = [group.take_one(tally.input(said("a", n))) for n in range(6)]
    results = await asyncio.gather(*told, return_exceptions=True)
    assert [type(result) for result in results] == [int, int, int, TimeoutError, TimeoutError, TimeoutError]
