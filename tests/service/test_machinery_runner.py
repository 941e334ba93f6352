"""Loops, leaders and bells, and a process that starts together and stops in order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.testing import capture_logs

from shared.db import is_transient
from shared.kafka import StalledError
from shared.outbox import Bell, ring_on_commit
from shared.runner import LedLoop, Listener, Loop
from tests.tally import Tally, said


async def test_a_loop_works_until_there_is_nothing_then_waits_for_its_bell() -> None:
    bell, stopping, left = Bell(), asyncio.Event(), [3, 2, 1, 0]
    empty, worked = asyncio.Event(), asyncio.Event()

    async def run_once() -> int:
        if not left:
            worked.set()
            return 0
        if len(left) == 1:
            empty.set()
        return left.pop(0)

    loop = Loop("counting", run_once, tick=3600, bell=bell)
    running = asyncio.create_task(loop.run(stopping))
    await asyncio.wait_for(empty.wait(), 5)
    assert not worked.is_set(), "the last one found nothing, so it waits"
    bell.ring()
    await asyncio.wait_for(worked.wait(), 5)
    stopping.set()
    loop.wake()
    await asyncio.wait_for(running, 5)


async def test_a_failure_is_named_without_anybodys_words_and_tried_again(tally: Tally) -> None:
    stopping, attempts = asyncio.Event(), list[int]()

    async def run_once() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            async with tally.engine.begin() as conn:
                await conn.execute(text("select cast(:words as integer)"), {"words": "my words"})
        stopping.set()
        return 1

    with capture_logs() as logs:
        await asyncio.wait_for(Loop("trying", run_once, tick=1).run(stopping), 10)
    (line,) = [entry for entry in logs if entry["event"] == "loop_failed"]
    assert (line["loop"], line["error"], line["failures"]) == ("trying", "DBAPIError", 1)
    assert len(attempts) == 2


async def test_a_stalled_consumer_is_no_failure_to_try_again() -> None:
    async def run_once() -> int:
        raise StalledError("makes no progress")

    with pytest.raises(StalledError):
        await Loop("stalled", run_once, tick=1).run(asyncio.Event())


async def test_only_the_leader_works_and_a_lost_connection_ends_its_lead(engine: AsyncEngine) -> None:
    worked: list[str] = []

    def led(name: str) -> LedLoop:
        async def work(conn: AsyncConnection) -> int:
            worked.append(name)
            return len((await conn.execute(text("select 1"))).all())

        return LedLoop(engine, 4711, work)

    first, second = led("first"), led("second")
    assert await first.run_once() == 1
    assert await second.run_once() == 0
    async with engine.connect() as conn:
        await conn.execute(text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"))
    with pytest.raises(DBAPIError) as lost:
        await first.run_once()
    assert is_transient(lost.value)
    assert await second.run_once() == 1
    assert await first.run_once() == 0
    await second.resign()
    assert await first.run_once() == 1
    await first.resign()
    assert worked == ["first", "first", "second", "first"]


async def test_a_commit_rings_the_bells_of_other_processes_and_a_rollback_none(
    engine: AsyncEngine, database_url: str
) -> None:
    bell, stopping = Bell(), asyncio.Event()
    listening = asyncio.create_task(Listener(database_url, {"tally_unsent": [bell]}).run(stopping))

    async def rings() -> bool:
        async with engine.begin() as conn:
            await ring_on_commit(conn, ["tally_unsent"])
        return await _rung(bell, 0.2)

    async with asyncio.timeout(20):
        while not await rings():
            pass
        async with engine.connect() as conn:
            await ring_on_commit(conn, ["tally_unsent"])
            await conn.rollback()
        assert not await _rung(bell, 0.2)
        # the connection that listens is lost, and made again
        async with engine.connect() as conn:
            query = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%'"
            await conn.execute(text(query))
        while not await rings():
            pass
    stopping.set()
    await asyncio.wait_for(listening, 5)


async def _rung(bell: Bell, seconds: float) -> bool:
    began = asyncio.get_running_loop().time()
    await bell.wait(seconds)
    return asyncio.get_running_loop().time() - began < seconds


async def test_what_a_set_says_rings_the_relays_bell(tally: Tally, database_url: str) -> None:
    bell, stopping = Bell(), asyncio.Event()
    listening = asyncio.create_task(Listener(database_url, {"tally_unsent": [bell]}).run(stopping))
    async with asyncio.timeout(20):
        rung = False
        while not rung:
            await tally.take(said("a", 1))
            rung = await _rung(bell, 0.2)
    stopping.set()
    await listening


PROCESS = """
import asyncio, sys
from shared.kafka import StalledError
from shared.runner import Loop, run

async def main() -> None:
    order = []
    began = asyncio.Event()

    async def work() -> int:
        began.set()
        print("began", flush=True)
        await asyncio.sleep(0.3)  # a piece of work that a signal must not cut
        order.append("finished")
        if "stall" in sys.argv:
            raise StalledError("makes no progress")
        return 0

    async def slow(stopping: asyncio.Event) -> None:
        await (asyncio.Event() if "deaf" in sys.argv else stopping).wait()
        order.append("background")

    async def stop(name: str, fails: bool = False) -> None:
        order.append(name)
        if fails:
            raise ValueError("a stop that fails must not keep the next from stopping")

    try:
        await run(app=None, host="", port=0, loops=[Loop("work", work, tick=60)], background=[slow],
                  on_stop=[lambda: stop("relay", True), lambda: stop("engine")], grace=1)
    finally:
        print(",".join(order), flush=True)

asyncio.run(main())
"""


def _process(*words: str) -> tuple[int, list[str], str]:
    command = [sys.executable, "-c", PROCESS, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        began = child.stdout.readline()
        if "stall" not in words:
            os.kill(child.pid, signal.SIGTERM)
        out, err = child.communicate(timeout=20)
    assert began == "began\n"
    return child.returncode, out.split(), err


def test_a_process_that_is_told_to_stop_finishes_its_work_and_stops_in_order() -> None:
    code, out, _ = _process()
    assert code == 0
    assert sorted(out[-1].split(",")[:2]) == ["background", "finished"]
    assert out[-1].split(",")[2:] == ["relay", "engine"]


def test_what_does_not_stop_in_time_is_ended_and_the_rest_still_stops() -> None:
    code, out, _ = _process("deaf")
    assert code == 0
    assert out[-1] == "finished,relay,engine"


def test_a_stalled_consumer_ends_the_process_with_its_reason() -> None:
    code, out, err = _process("stall")
    assert code == 1
    assert out[-1].endswith("relay,engine")
    assert "StalledError: makes no progress" in err


def test_a_fault_point_that_nobody_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import faults

    with pytest.raises(ValueError, match="no fault point is named"):
        faults.plan("relay.afterwards", "error")
    monkeypatch.setenv("COMPLAINT_LOOP_FAULTS", "relay.after_send=explode")
    with pytest.raises(ValueError, match="no kind of fault"):
        faults.plan_from_environment()


async def test_faults_come_when_they_are_due_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import faults

    monkeypatch.setenv("COMPLAINT_LOOP_FAULTS", "relay.after_send=error@2,relay.before_send=hang")
    faults.plan_from_environment()
    await faults.fault("relay.after_send")
    await faults.fault("relay.after_send")
    with pytest.raises(faults.FaultError):
        await faults.fault("relay.after_send")
    await faults.fault("relay.after_send")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await faults.fault("relay.before_send")
