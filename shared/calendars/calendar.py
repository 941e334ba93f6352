"""When a region is open: the instants of UTC at which its doors open and close, a year at a time.

A year of a calendar is computed once (about 2 ms) into sorted lists; every question afterwards is a bisection, so that
a consumer can ask for thousands of due times a second. Edges of hours are the first instant at which the wall clock
shows at least that time: an edge in a daylight-saving gap is the end of the gap, one that comes twice is the first.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shared.calendars.holidays import DaysOff
from shared.calendars.week import Span, Week

MICRO: Final = 1_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE: Final = timedelta(microseconds=1)
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2500
#: this many years in a row without one open minute: nobody will ever open
HOPELESS_YEARS: Final = 5
#: years kept per calendar; more only when somebody feeds us dates of every century
_KEPT_YEARS: Final = 64


class CalendarError(ValueError):
    """A question that this calendar cannot answer."""


class NoOpenTimeError(CalendarError):
    """The calendar never opens again: hours or holidays leave nothing."""


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; exact."""
    if at.tzinfo is None:
        raise CalendarError("a time without a zone cannot be counted")
    delta = at - EPOCH
    return (delta.days * 86400 + delta.seconds) * MICRO + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which clocks in `zone` show `wall` (naive) or later.

    That is `wall` itself where it exists, the first of two where it comes twice, the end of the gap where it doesn't.
    """
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    assert before is not None and after is not None
    if before >= after:
        return early.astimezone(UTC)
    # in the gap: the offset changes somewhere between these two instants, at a whole second
    low, high = (wall - after).replace(tzinfo=UTC), (wall - before).replace(tzinfo=UTC)
    low, high = low.replace(microsecond=0), high.replace(microsecond=0) + timedelta(seconds=1)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, slots=True)
class YearOfHours:
    """A local year of one calendar, in microseconds of UTC."""

    begins: int
    ends: int
    opens: list[int]
    closes: list[int]
    #: open time of the year until each closing
    until: list[int]
    #: local dates (ordinals) with open time, and when each closes for the day
    work_days: list[int]
    day_closes: list[int]

    @property
    def total(self) -> int:
        return self.until[-1] if self.until else 0

    def used(self, micros: int) -> int:
        """Open time of the year before an instant of it."""
        index = bisect_right(self.opens, micros) - 1
        if index < 0:
            return 0
        return self.until[index] - max(0, self.closes[index] - micros)


class Calendar:
    """A time zone, the hours of a week, and the days off."""

    __slots__ = ("_years", "days_off", "make_up_spans", "time_zone", "week", "zone")

    def __init__(self, time_zone: str, week: Week, days_off: DaysOff | None = None) -> None:
        self.time_zone = time_zone
        self.zone = ZoneInfo(time_zone)
        self.week = week
        self.days_off = days_off or DaysOff()
        #: hours of a make-up working day on a weekday that is closed: those of the first open weekday, mostly Monday
        self.make_up_spans: tuple[Span, ...] = next((spans for spans in week if spans), ())
        self._years: dict[int, YearOfHours] = {}

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """Hours of a local date by the wall clock; empty when closed.

        A make-up working day has the hours of its own weekday where the region has some, else those of Monday.
        """
        year = self.days_off.year(day.year)
        spans = self.week[day.weekday()]
        if day in year.make_up:
            return spans or self.make_up_spans
        return () if day in year.off else spans

    def holiday_on(self, day: date) -> str | None:
        """The name of the day off that falls on a date, unless it is worked as a make-up day."""
        year = self.days_off.year(day.year)
        return None if day in year.make_up else year.off.get(day)

    def is_make_up(self, day: date) -> bool:
        """True for a working day that makes up for a holiday and would be closed otherwise."""
        return day in self.days_off.year(day.year).make_up

    def edge(self, day: date, minute: int) -> datetime:
        """The instant (UTC) at which a minute of a local date's wall clock comes (first), 1440 being its end."""
        return first_instant(datetime(day.year, day.month, day.day) + timedelta(minutes=minute), self.zone)  # noqa: DTZ001

    def year(self, number: int) -> YearOfHours:
        """The hours of a local year."""
        found = self._years.get(number)
        if found is None:
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise CalendarError(f"the year {number} is outside {FIRST_YEAR} to {LAST_YEAR}")
            found = self._build(number)
            if len(self._years) >= _KEPT_YEARS:
                self._years.clear()
            self._years[number] = found
        return found

    def year_of(self, at: datetime, micros: int) -> int:
        """The number of the local year that an instant belongs to."""
        number = at.year
        hours = self.year(number)
        if micros < hours.begins:
            return number - 1
        return number + 1 if micros >= hours.ends else number

    def local_ordinal(self, at: datetime) -> int:
        """The local date (ordinal) that the wall clock shows at an instant."""
        return at.astimezone(self.zone).toordinal()

    def _build(self, number: int) -> YearOfHours:
        opens: list[int] = []
        closes: list[int] = []
        until: list[int] = []
        work_days: list[int] = []
        day_closes: list[int] = []
        total = 0
        first, last = date(number, 1, 1).toordinal(), date(number, 12, 31).toordinal()
        for ordinal in range(first, last + 1):
            day = date.fromordinal(ordinal)
            worked = False
            for opening, closing in self.spans_on(day):
                begin, end = to_micros(self.edge(day, opening)), to_micros(self.edge(day, closing))
                if end <= begin:  # the whole span lies in a gap
                    continue
                total += end - begin
                opens.append(begin)
                closes.append(end)
                until.append(total)
                worked = True
            if worked:
                work_days.append(ordinal)
                day_closes.append(closes[-1])
        begins = to_micros(self.edge(date(number, 1, 1), 0))
        ends = to_micros(self.edge(date(number + 1, 1, 1), 0))
        return YearOfHours(begins, ends, opens, closes, until, work_days, day_closes)


@lru_cache(maxsize=512)
def zone_calendar(time_zone: str) -> Calendar:
    """A calendar that is always open, for `hours: calendar` in somebody's own zone (an executive's)."""
    return Calendar(time_zone, (((0, 1440),),) * 7)
