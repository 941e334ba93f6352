"""What an event does to the clocks of a complaint: part of folding it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.contracts.ownership import ClockChange

from .state import Clock


def applied(clocks: tuple[Clock, ...], changes: Sequence[ClockChange]) -> tuple[Clock, ...]:
    """The clocks after an event's changes."""
    listed = list(clocks)
    for change in changes:
        if change.change == "started":
            _start(listed, change)
            continue
        for index, clock in enumerate(listed):
            if clock.kind == change.kind and clock.cycle == change.cycle and clock.running:
                listed[index] = _changed(clock, change)
                break
    return tuple(listed)


def _start(listed: list[Clock], change: ClockChange) -> None:
    assert change.due_at is not None and change.hours is not None
    # a clock that starts again and again (next_update) leaves its breached runs and its last one; the timeline has all
    ended = [c for c in listed if c.kind == change.kind and c.cycle == change.cycle and c.breached_at is None]
    for clock in ended[:-1]:
        listed.remove(clock)
    listed.append(
        Clock(
            kind=change.kind,
            cycle=change.cycle,
            started_at=change.at,
            due_at=change.due_at,
            hours=change.hours,
            warnings=change.warnings,
            breached_at=change.breached_at,
            paused_seconds=change.paused_seconds,
        )
    )


def _changed(clock: Clock, change: ClockChange) -> Clock:
    if change.change == "met":
        return replace(clock, met_at=change.at)
    if change.change == "stopped":
        return replace(clock, stopped_at=change.at)
    assert change.due_at is not None
    paused = clock.paused_seconds + change.paused_seconds
    hours = change.hours or clock.hours
    return replace(clock, due_at=change.due_at, hours=hours, warnings=change.warnings, paused_seconds=paused)


def marked(clocks: tuple[Clock, ...], kind: str, cycle: int, **changes: Any) -> tuple[Clock, ...]:
    """The clocks after something was told of the running one of a kind."""
    return tuple(
        replace(clock, **changes) if clock.kind == kind and clock.cycle == cycle and clock.running else clock
        for clock in clocks
    )
