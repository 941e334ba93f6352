"""Replicas join and leave under load, in order and by SIGKILL: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from collections import Counter

from deploy.local.ports import free_port
from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

_ROUNDS = 3 if LONG else 1


async def test_replicas_join_and_leave_under_load(system: System) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    before = Counter(system.mail.taken)
    load = Load(system, [system.url])
    async with load.running():
        for _ in range(_ROUNDS):
            api, loops = system.spawn("api2", "api", url=url), system.spawn("loops2", "loops")
            await system.ready(url)
            load.urls.append(url)
            await load.count(60)
            await until(lambda: _members(system), "the replica to join the group")
            await load.count(60)
            # the first ones leave in order, the others carry on alone
            system.running["loops"].ask_to_stop()
            await until(lambda: system.running["loops"].ended is not None, "the first loops to end")
            assert system.running["loops"].ended == 0
            await load.count(60)
            system.spawn("loops", "loops")
            loops.ask_to_stop()
            api.ask_to_stop()
            await until(lambda loops=loops: loops.ended is not None, "the replica of the loops to end")
            await until(lambda api=api: api.ended is not None, "the replica of the API to end")
            load.urls.remove(url)
            assert (loops.ended, api.ended) == (0, 0)
            await load.count(60)
    assert set(load.answers) <= {200, 202}
    await system.verified()
    await kept_once(system, load)
    sent = Counter(system.mail.taken) - before
    assert sent and set(sent.values()) == {1}


async def _members(system: System) -> bool:
    """Whether the replica has taken a part of each group's work: it has handled something of its own."""
    names = "select distinct application_name from pg_stat_activity where application_name like 'complaint-loop%'"
    return bool(await system.rows(names))
