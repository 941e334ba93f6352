"""SIGKILL at every named fault point, under load, then a new start: the books are right."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

from deploy.local.ports import free_port
from shared.faults import POINTS
from tests.outage.load import Load, kept_once
from tests.outage.system import LONG, System, until

#: points that lie on the way of a request
_OF_REQUESTS = ("corridor.before_commit", "corridor.after_commit")
_ALONE = [(point,) for point in sorted(POINTS)]
# one dies after the other, each at its own point, and whoever is left takes over what they have begun
_TOGETHER = [
    (
        "relay.before_send",
        "relay.before_commit",
        "consumer.before_handle",
        "corridor.before_commit",
        "mail.after_claim",
        "mail.before_record",
    ),
    ("relay.after_send", "consumer.after_commit", "corridor.after_commit", "feed.before_commit", "mail.after_send"),
]


def test_no_point_is_forgotten() -> None:
    assert sorted(point for points in _TOGETHER for point in points) == sorted(POINTS)


@pytest.mark.parametrize("points", _ALONE if LONG else _TOGETHER, ids=" ".join)
async def test_loops_are_killed_where_it_hurts(system: System, points: Sequence[str]) -> None:
    load = Load(system)
    first = system.running.pop("loops")
    first.ask_to_stop()
    await until(lambda: first.ended is not None, "the end of the first loops")
    async with load.running():
        doomed = [system.spawn(point, "loops", faults=f"{point}=kill@{n % 2}") for n, point in enumerate(points)]
        for process in doomed:
            del system.running[process.name]
        await until(lambda: all(process.ended is not None for process in doomed), f"a kill at each of {points}", 120)
        assert [process.ended for process in doomed] == [-signal.SIGKILL] * len(doomed)
        system.spawn("loops", "loops")
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
        await until(lambda: all(process.ended is not None for process in doomed.values()), "a kill at each point", 60)
        assert [process.ended for process in doomed.values()] == [-signal.SIGKILL] * len(doomed)
        for url in doomed:
            load.urls.remove(url)
        await load.count(20)
    assert load.broken
    assert set(load.answers) <= {200, 202}
    await system.verified()
    await kept_once(system, load)


async def _mails_need_not_wait(system: System) -> None:
    """Moves time for mails whose sender is dead: they would be taken over after two minutes."""
    await until(lambda: system.rows("select true from escalation.mails where state = 'accepted'"), "the new loops")
    await system.rows("update escalation.mails set next_at = now() where state = 'sending'")
