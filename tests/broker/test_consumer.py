"""The nine duties of the consumer (design, 3.5), each on the real broker."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from shared.consumer import HANDLED
from shared.contracts.envelope import full_type, topic_of
from shared.faults import FaultError
from shared.kafka import TopicPartition, group_lag
from tests.broker.conftest import Broker, until
from tests.tally import NumberSaid, inbox, parked, said


async def _kept(broker: Broker) -> int:
    return sum(len(numbers) for numbers in (await broker.tally.numbers()).values())


async def _lag(broker: Broker) -> int:
    return await group_lag(broker.connection, broker.group, [topic_of("intake")])


def _has(broker: Broker, number: int) -> Any:
    async def fact() -> bool:
        return await _kept(broker) >= number

    return fact


async def test_1_offsets_are_committed_by_us_alone_and_name_the_next_record(broker: Broker) -> None:
    await broker.tell(*[said(f"c-{n}", n) for n in range(30)])
    consumer, committed = broker.consumer(), dict[TopicPartition, int]()
    commit = consumer._reader.commit

    async def noted(offsets: dict[TopicPartition, int]) -> bool:
        committed.update(offsets)
        return await commit(offsets)

    consumer._reader.commit = noted  # type: ignore[method-assign]
    await until(_has(broker, 30), consumer.run_once)
    ends = Counter(record.partition for record in await broker.topic("intake"))
    assert {tp.partition: offset for tp, offset in committed.items()} == dict(ends)
    assert await _lag(broker) == 0


async def test_2_effects_come_before_the_offset(broker: Broker) -> None:
    await broker.tell(said("a", 1), said("a", 2))
    consumer = broker.consumer()

    async def never(_: Any) -> bool:
        raise FaultError("the process ends here")

    consumer._reader.commit = never  # type: ignore[method-assign, assignment]
    with pytest.raises(FaultError):
        await until(_has(broker, 9), consumer.run_once)
    assert await broker.tally.numbers() == {"a": [1, 2]}
    assert await _lag(broker) == 2, "read again by whoever comes next"
    await consumer.stop()
    again = broker.consumer()
    await until(lambda: _no_lag(broker), again.run_once)
    assert await broker.tally.numbers() == {"a": [1, 2]}, "and its effect is there once"


async def _no_lag(broker: Broker) -> bool:
    return await _lag(broker) == 0


async def test_3_a_partition_keeps_its_order(broker: Broker) -> None:
    await broker.tell(*[said(f"c-{n % 7}", n) for n in range(700)])
    await until(_has(broker, 700), broker.consumer(most=50).run_once)
    assert await broker.tally.numbers() == {f"c-{c}": list(range(c, 700, 7)) for c in range(7)}


async def test_4_a_partition_that_waits_holds_up_no_other(broker: Broker) -> None:
    customers = [f"c-{n}" for n in range(12)]
    await broker.tell(*[said(customer, 1) for customer in customers])
    records = await broker.topic("intake")
    slow = {record.key.decode() for record in records if record.partition == records[0].partition and record.key}
    assert 0 < len(slow) < 12
    consumer, take = broker.consumer(), broker.tally.corridor.take

    async def refusing(inputs: Any) -> Any:
        if any(one.customer_id in slow for one in inputs):
            raise ConnectionError("this one's database is away")
        return await take(inputs)

    broker.tally.corridor.take = refusing  # type: ignore[method-assign]
    await until(_has(broker, 12 - len(slow)), consumer.run_once)
    assert set(await broker.tally.numbers()) == set(customers) - slow
    broker.tally.corridor.take = take  # type: ignore[method-assign]
    await until(_has(broker, 12), consumer.run_once)


async def test_5_what_is_transient_pauses_backs_off_and_is_read_again(broker: Broker) -> None:
    await broker.tell(*[said("a", n) for n in range(5)])
    consumer, take, failed = broker.consumer(), broker.tally.corridor.take, list[int]()

    async def away(inputs: Any) -> Any:
        if inputs and len(failed) < 3:
            failed.append(len(inputs))
            raise ConnectionError("the database is away")
        return await take(inputs)

    broker.tally.corridor.take = away  # type: ignore[method-assign]
    waits = []

    async def work() -> None:
        before = len(failed)
        await consumer.run_once()
        if len(failed) > before:
            (state,) = [one for one in consumer._partitions.values() if one.failures]
            assert consumer._reader._consumer is not None
            assert consumer._reader._consumer.paused(), "not read while it waits"
            waits.append(state.resume_at - asyncio.get_running_loop().time())

    await until(_has(broker, 5), work)
    assert await broker.tally.numbers() == {"a": [0, 1, 2, 3, 4]}
    assert failed == [5, 5, 5]
    assert (waits[0] <= 0.4 and 0.4 <= waits[2] <= 1.6) or waits[0] < waits[2]
    assert not await broker.tally.rows(parked), "a database that is away is no record's fault"


async def test_6_what_is_permanent_is_parked_and_the_next_ones_go_on(broker: Broker) -> None:
    await broker.tell(said("a", 1), said("a", 2, "fail"), said("a", 3))
    consumer = broker.consumer()
    await until(_has(broker, 2), consumer.run_once)
    assert await broker.tally.numbers() == {"a": [1, 3]}
    (row,) = await broker.tally.rows(parked)
    assert (row.reason, row.state, row.origin) == ("the handler failed: ValueError", "parked", topic_of("intake"))
    (told,) = await broker.topic("tally.parked")
    assert dict(told.headers)["parked-because"] == b"the handler failed: ValueError"
    assert told.value == row.value


async def test_6_what_was_parked_is_taken_once_more_when_somebody_asks(broker: Broker) -> None:
    await broker.tell(said("a", 2, "fail"))
    consumer = broker.consumer()

    async def is_parked() -> bool:
        return bool(await broker.tally.rows(parked))

    await until(is_parked, consumer.run_once)
    async with broker.tally.engine.begin() as conn:
        await conn.execute(text("update tally.parked set state = 'retry'"))
    assert await consumer.retry_parked() == 1
    (row,) = await broker.tally.rows(parked)
    assert (row.state, row.attempts) == ("parked", 2), "still a bug"
    mended = broker.tally.envelope(said("a", 2))
    async with broker.tally.engine.begin() as conn:
        await conn.execute(text("update tally.parked set state = 'retry', value = :v"), {"v": mended.data})
    assert await consumer.retry_parked() == 1
    assert [row.state for row in await broker.tally.rows(parked)] == ["retried"]
    assert await broker.tally.numbers() == {"a": [2]}


async def test_7_unknown_types_are_counted_and_skipped_and_unknown_fields_ignored(broker: Broker) -> None:
    skipped = HANDLED.labels("tally", "skipped")._value.get()
    future = broker.tally.envelope(said("a", 1), type="complaintloop.number.sung.v1")
    more = broker.tally.envelope(said("a", 2), data=b'{"customer_id":"a","number":2,"act":"keep","mood":{"x":[1]}}')
    assert full_type(NumberSaid) == more.type
    await broker.tell(future, more)
    await until(_has(broker, 1), broker.consumer().run_once)
    assert await broker.tally.numbers() == {"a": [2]}
    assert HANDLED.labels("tally", "skipped")._value.get() == skipped + 1
    assert not await broker.tally.rows(parked)
    assert len(await broker.tally.rows(inbox)) == 1


async def test_8_members_that_join_and_leave_lose_nothing_and_do_nothing_twice(broker: Broker) -> None:
    await broker.tell(*[said(f"c-{n % 40}", n) for n in range(2000)])
    first, second = broker.consumer(most=60), broker.consumer(most=60)
    await until(_has(broker, 200), first.run_once)

    async def both() -> None:
        await asyncio.gather(first.run_once(), second.run_once())

    await until(_has(broker, 1000), both)
    await second.stop()  # leaves; what it had goes back to the first
    await broker.tell(*[said(f"c-{n % 40}", n) for n in range(2000, 2400)])
    await until(_has(broker, 2400), first.run_once)
    assert await broker.tally.numbers() == {f"c-{c}": list(range(c, 2400, 40)) for c in range(40)}


async def test_8_a_commit_that_comes_too_late_is_normal(broker: Broker) -> None:
    await broker.tell(*[said(f"c-{n}", n) for n in range(20)])
    late, reader = broker.consumer(), broker.consumer()
    batches: dict[TopicPartition, Any] = {}

    async def polled() -> bool:
        batches.update(await late._reader.poll(wait=0.2, most=100))
        return len(batches) == 3

    await until(polled)
    await late._reader.commit({tp: records[0].offset for tp, records in batches.items()})

    async def shared() -> bool:
        await asyncio.gather(late._reader.poll(wait=0.2, most=1), reader.run_once())
        return bool(reader._reader.assigned())

    await until(shared)
    lost = [tp for tp in batches if tp not in late._reader.assigned()]
    assert lost, "the second member took a partition over"
    assert await late._reader.commit({tp: batches[tp][-1].offset + 1 for tp in lost}) is False
    assert late._reader.assigned(), "and goes on with what it has"
    await late.stop()
    await until(_has(broker, 20), reader.run_once)


async def test_9_stopping_finishes_commits_and_leaves_in_time(broker: Broker) -> None:
    await broker.tell(*[said("a", n) for n in range(10)])
    consumer = broker.consumer()
    await until(_has(broker, 10), consumer.run_once)
    async with asyncio.timeout(8):
        await consumer.stop()
    assert await _lag(broker) == 0
    # it has left: whoever comes next has the partitions at once, not when a session has run out
    after = broker.consumer()
    await broker.tell(said("a", 10))
    await until(_has(broker, 11), after.run_once, seconds=8)
    assert len(after._reader.assigned()) == 3
