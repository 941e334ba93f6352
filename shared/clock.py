"""The only reader of the wall clock: everything else is told what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that tests move; it never moves by itself."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta | float) -> datetime:
        """Moves by a timedelta or by seconds; answers the new time."""
        self._now += step if isinstance(step, timedelta) else timedelta(seconds=step)
        return self._now

    def move_to(self, at: datetime) -> datetime:
        """Moves to an instant, also backwards: wall clocks jump."""
        self._now = at
        return self._now
