"""Replicas join and leave under load, in order and by SIGKILL: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from collections import Counter

from deploy.local.ports import free_port
from deploy.local.process import Process
from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

_ROUNDS = 3 if LONG else 1


async def test_replicas_join_and_leave_under_load(system: System) -> None:
    before = Counter(system.mail.taken)
    load = Load(system)
    async with load.running():
        for _ in range(_ROUNDS):
            await _round(system, load)
    assert set(load.answers) <= {200, 202}
    await system.verified()
    await kept_once(system, load)
    sent = Counter(system.mail.taken) - before
    assert sent and set(sent.values()) == {1}


async def _round(system: System, load: Load) -> None:
    """Seconds of both join; the first loops leave and come back; the seconds leave."""
    url = f"http://127.0.0.1:{free_port()}"
    api, loops = system.spawn("api2", "api", url=url), system.spawn("loops2", "loops")
    await system.ready(url)
    load.urls.append(url)
    await _share(system, 2)
    await load.count(50)
    await _leaves(system.running["loops"])
    await _share(system, 1)
    await load.count(50)
    system.spawn("loops", "loops")
    await _share(system, 2)
    await _leaves(loops)
    await _leaves(api)
    load.urls.remove(url)
    del system.running["api2"], system.running["loops2"]
    await load.count(50)


async def _share(system: System, members: int) -> None:
    for service in ("ownership", "escalation"):

        async def shared(group: str = f"complaint-loop.{service}") -> bool:
            return await system.members(group) == members

        await until(shared, f"{members} to share the work of {service}")


async def _leaves(process: Process) -> None:
    """It is asked to end, finishes what it has begun, and goes."""
    process.ask_to_stop()
    await until(lambda: process.ended is not None, f"the end of {process.name}", 20)
    assert process.ended == 0
