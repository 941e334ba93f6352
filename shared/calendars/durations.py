"""How long something may take, as people write it: `90s 15m 4h 5d 8w`, and `6y` where years make sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, Self, cast

Unit = Literal["s", "m", "h", "d", "w", "y"]

_SECONDS: Final[dict[str, int]] = {"s": 1, "m": 60, "h": 3600}
#: what a unit is when only its rough length matters; a day of the calendar may have 23 or 25 hours
_ROUGH: Final[dict[str, int]] = {**_SECONDS, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_WORDS: Final[dict[str, str]] = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "y": "year"}
_LONGEST_SECONDS: Final = 100 * 365 * 86400
_WRITTEN: Final = re.compile(r"([0-9]{1,10})([smhdwy])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of one unit. What `5d` means depends on the calendar: see `due_at`."""

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `90s 15m 4h 5d 8w 6y`; raises ValueError with what to write instead."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError("is no duration: write a whole number and one of s m h d w, like 90s 15m 4h 5d 8w")
        duration = cls(int(match[1]), cast(Unit, match[2]))
        if duration.rough_seconds > _LONGEST_SECONDS:
            raise ValueError("is longer than 100 years")
        return duration

    @property
    def is_elapsed(self) -> bool:
        """True for s, m and h, which are time by the stopwatch; d, w and y are dates."""
        return self.unit in _SECONDS

    @property
    def seconds(self) -> int:
        """Seconds of an s, m or h duration; the others have none until a calendar counts them."""
        if self.unit not in _SECONDS:
            raise ValueError(f"{self} has no fixed number of seconds: a calendar has to count it")
        return self.amount * _SECONDS[self.unit]

    @property
    def days(self) -> int:
        """Days of a d or w duration."""
        if self.unit == "d":
            return self.amount
        if self.unit == "w":
            return self.amount * 7
        raise ValueError(f"{self} has no fixed number of days")

    @property
    def rough_seconds(self) -> int:
        """Seconds with days of 24 hours and years of 365 days: for comparing and for windows, not for due times."""
        return self.amount * _ROUGH[self.unit]

    @property
    def delta(self) -> timedelta:
        """`rough_seconds` as a timedelta: for windows such as `repeat_within`."""
        return timedelta(seconds=self.rough_seconds)

    @property
    def words(self) -> str:
        """`5 days`."""
        return f"{self.amount} {_WORDS[self.unit]}{'' if self.amount == 1 else 's'}"

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"
