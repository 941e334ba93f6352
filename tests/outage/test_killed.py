"""SIGKILL at every named fault point, under load, then a new start: the books are right."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence

import pytest

from deploy.local.ports import free_port
from deploy.local.process import Process
from shared.faults import POINTS
from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

#: points that lie on the way of a request
_OF_REQUESTS = ("corridor.before_commit", "corridor.after_commit")
#: which part of a service comes by a point
_PARTS = {"relay": "relay", "consumer": "consumer", "corridor": "consumer", "mail": "mail", "feed": "feed"}
_OTHERS = {*_PARTS.values(), "timers"}


def _part(point: str) -> str:
    return _PARTS[point.partition(".")[0]]


_ALONE = [(point,) for point in sorted(POINTS)]
# one dies after the other, each at its own point, and whoever is left takes over what they have begun; members of the
# consumer groups by themselves, because only after ten seconds the brokers take them for dead
_TOGETHER = [
    tuple(point for point in sorted(POINTS) if (_part(point) == "consumer") is together) for together in (False, True)
]


@pytest.mark.parametrize("points", _ALONE if LONG else _TOGETHER, ids=" ".join)
async def test_loops_are_killed_where_it_hurts(system: System, points: Sequence[str]) -> None:
    load = Load(system)
    first = system.running.pop("loops")
    first.ask_to_stop()
    await until(lambda: first.ended is not None, "the end of the first loops")
    async with load.running():
        rest = system.spawn("rest", *(_OTHERS - {_part(point) for point in points}))
        doomed = {
            point: system.spawn(point, _part(point), faults=f"{point}=kill@{number % 2}")
            for number, point in enumerate(points)
        }
        # without a relay nothing reaches the others: there the new loops start before those have died
        relays = [point for point in points if _part(point) == "relay"]
        await _killed(doomed[point] for point in relays or points)
        system.spawn("loops", "loops")
        await _killed(doomed.values())
        rest.ask_to_stop()
        for name in ("rest", *points):
            del system.running[name]
    await _mails_need_not_wait(system)
    await system.verified()
    await kept_once(system, load)


@pytest.mark.parametrize("skipped", [0, 7] if LONG else [3])
async def test_the_api_is_killed_where_it_hurts(system: System, skipped: int) -> None:
    load = Load(system)
    async with load.running():
        doomed = {}
        for point in _OF_REQUESTS:
            url = f"http://127.0.0.1:{free_port()}"
            doomed[url] = system.spawn(f"api.{point}", "api", faults=f"{point}=kill@{skipped}", url=url)
            del system.running[f"api.{point}"]
            load.urls.append(url)
        await _killed(doomed.values())
        for url in doomed:
            load.urls.remove(url)
        await load.count(20)
    assert load.broken
    assert set(load.answers) <= {200, 202}
    await system.verified()
    await kept_once(system, load)


async def _killed(doomed: Iterable[Process]) -> None:
    for process in doomed:
        await until(lambda one=process: one.ended is not None, f"the kill of {process.name}")  # type: ignore[misc]
        assert process.ended == -signal.SIGKILL, process.last_words()


async def _mails_need_not_wait(system: System) -> None:
    """Moves time for mails whose sender is dead: they would be taken over after two minutes."""
    await until(lambda: system.rows("select true from escalation.mails where state = 'accepted'"), "the new loops")
    await system.rows("update escalation.mails set next_at = now() where state = 'sending'")
