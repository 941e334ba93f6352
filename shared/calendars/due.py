"""Due-time arithmetic, both directions.

Business time is open time. An amount of it that ends exactly when the doors close ends there, not at the next opening;
what starts while they are closed starts counting at the next opening.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import Literal

from shared.calendars.calendar import (
    HOPELESS_YEARS,
    MICRO,
    Calendar,
    CalendarError,
    NoOpenTimeError,
    first_instant,
    from_micros,
    to_micros,
)
from shared.calendars.durations import Duration

Hours = Literal["business", "calendar"]


def due_at(start: datetime, within: Duration, hours: Hours, calendar: Calendar) -> datetime:
    """When something that starts at `start` is due (UTC).

    business: s m h are open time; d is that many working days after the local date of the start, at the close of the
    last. calendar: s m h are elapsed time; d w y keep the wall time of the zone.
    """
    if hours == "calendar":
        return _calendar_due(start, within, calendar)
    if within.is_elapsed:
        return from_micros(_add(start, within.seconds * MICRO, calendar))
    if within.unit != "d":
        raise CalendarError(f"{within} cannot be counted in business hours: write it in days (d) or hours (h)")
    return _close_of_working_day(start, within.amount, calendar)


def business_seconds_between(start: datetime, end: datetime, calendar: Calendar) -> float:
    """Open time from `start` to `end`, in seconds; negative when `end` is the earlier one."""
    return _between(start, end, calendar) / MICRO


def add_business_seconds(start: datetime, seconds: float, calendar: Calendar) -> datetime:
    """The first instant (UTC) by which that much open time has passed since `start`."""
    return from_micros(_add(start, round(seconds * MICRO), calendar))


def subtract_business_seconds(end: datetime, seconds: float, calendar: Calendar) -> datetime:
    """The last instant (UTC) from which that much open time is left until `end`."""
    return from_micros(_subtract(end, round(seconds * MICRO), calendar))


def closes_after(at: datetime, calendar: Calendar) -> datetime:
    """The first closing (UTC) after an instant: the end of the hours of `at`, or of the next ones."""
    micros = to_micros(at)
    number = calendar.year_of(at, micros)
    for hopeless in range(HOPELESS_YEARS + 1):
        closes = calendar.year(number + hopeless).closes
        if (index := bisect_right(closes, micros)) < len(closes):
            return from_micros(closes[index])
    raise NoOpenTimeError(f"{calendar.time_zone}: nothing closes after this for {HOPELESS_YEARS} years")


def point_at(start: datetime, due: datetime, percent: float, hours: Hours, calendar: Calendar) -> datetime:
    """The instant at which `percent` of the time from start to due, counted as the clock counts, is used up."""
    if due <= start:
        return due
    if hours == "calendar":
        return start + (due - start) * percent / 100
    open_time = _between(start, due, calendar)
    if open_time == 0:
        return due
    return from_micros(_add(start, round(open_time * percent / 100), calendar))


def shifted_due(
    due: datetime, paused_from: datetime, paused_to: datetime, hours: Hours, calendar: Calendar
) -> datetime:
    """The due time after a pause.

    It moves by the open time that was paused, also for terms in days: two half pauses move it as far as one whole one,
    and a pause over a week-end moves nothing. A pause that begins after the due time moves nothing (it must not hide a
    breach), and calendar clocks never pause.
    """
    if hours == "calendar" or paused_from >= due or paused_to <= paused_from:
        return due
    paused = _between(paused_from, paused_to, calendar)
    return from_micros(_add(due, paused, calendar)) if paused else due


def _calendar_due(start: datetime, within: Duration, calendar: Calendar) -> datetime:
    if within.is_elapsed:
        return from_micros(to_micros(start) + within.seconds * MICRO)
    if start.tzinfo is None:
        raise CalendarError("a time without a zone cannot be counted")
    wall = start.astimezone(calendar.zone).replace(tzinfo=None)
    try:
        if within.unit == "y":
            return first_instant(_years_later(wall, within.amount), calendar.zone)
        return first_instant(wall + timedelta(days=within.days), calendar.zone)
    except (OverflowError, ValueError) as error:
        raise CalendarError(f"{within} after {start.isoformat()} is outside the calendar") from error


def _years_later(wall: datetime, years: int) -> datetime:
    """The same date of another year; 29 February becomes 28 February where there is none."""
    try:
        return wall.replace(year=wall.year + years)
    except ValueError:
        if wall.month == 2 and wall.day == 29:
            return wall.replace(year=wall.year + years, day=28)
        raise


def _close_of_working_day(start: datetime, days: int, calendar: Calendar) -> datetime:
    if days == 0:
        return start
    micros = to_micros(start)
    ordinal = calendar.local_ordinal(start)
    number = calendar.year_of(start, micros)
    hopeless = 0
    while True:
        year = calendar.year(number)
        index = bisect_right(year.work_days, ordinal) + days - 1
        if index < len(year.work_days):
            return from_micros(year.day_closes[index])
        days -= len(year.work_days) - bisect_right(year.work_days, ordinal)
        hopeless = 0 if year.work_days else hopeless + 1
        _give_up(hopeless, calendar)
        number += 1


def _add(start: datetime, amount: int, calendar: Calendar) -> int:
    micros = to_micros(start)
    if amount <= 0:
        return _subtract(start, -amount, calendar) if amount else micros
    number = calendar.year_of(start, micros)
    year = calendar.year(number)
    target = year.used(micros) + amount
    hopeless = 0
    while target > year.total:
        target -= year.total
        hopeless = 0 if year.total else hopeless + 1
        _give_up(hopeless, calendar)
        number += 1
        year = calendar.year(number)
    index = bisect_left(year.until, target)
    return year.closes[index] - (year.until[index] - target)


def _subtract(end: datetime, amount: int, calendar: Calendar) -> int:
    micros = to_micros(end)
    if amount <= 0:
        return _add(end, -amount, calendar) if amount else micros
    number = calendar.year_of(end, micros)
    year = calendar.year(number)
    target = year.used(micros) - amount
    hopeless = 0
    while target < 0:
        number -= 1
        year = calendar.year(number)
        target += year.total
        hopeless = 0 if year.total else hopeless + 1
        _give_up(hopeless, calendar)
    index = bisect_right(year.until, target)
    return year.closes[index] - (year.until[index] - target)


def _between(start: datetime, end: datetime, calendar: Calendar) -> int:
    if end < start:
        return -_between(end, start, calendar)
    first, last = to_micros(start), to_micros(end)
    number, end_number = calendar.year_of(start, first), calendar.year_of(end, last)
    total = calendar.year(end_number).used(last) - calendar.year(number).used(first)
    for between in range(number, end_number):
        total += calendar.year(between).total
    return total


def _give_up(hopeless: int, calendar: Calendar) -> None:
    if hopeless >= HOPELESS_YEARS:
        raise NoOpenTimeError(
            f"{calendar.time_zone}: {HOPELESS_YEARS} years in a row have no open hour; check hours and holidays"
        )
