"""How a due time came about, in data and in words: for `GET /v1/complaints/{id}/explain` and `policy explain`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from shared.calendars.calendar import MICRO, Calendar, from_micros, to_micros
from shared.calendars.due import Hours, business_seconds_between, due_at, shifted_due
from shared.calendars.durations import Duration
from shared.calendars.week import WEEKDAYS, write_span

#: days listed one by one; a term of years is not told day by day
MOST_DAYS: Final = 400


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DayCounted(_Part):
    """A local date that counted."""

    date: date
    weekday: str
    hours: tuple[str, ...]
    counted_seconds: float
    #: its number among the working days of a term in days; null for days that only a pause added
    working_day: int | None = None
    make_up: bool = False


class DaySkipped(_Part):
    """A local date that did not count: a holiday, or a weekday on which the region is closed."""

    date: date
    weekday: str
    because: Literal["holiday", "closed"]
    name: str | None = None


class ZoneChange(_Part):
    """A change of the region's clocks between start and due."""

    at: datetime
    local_before: str
    local_after: str
    seconds: int


class Pause(_Part):
    """A pause, and how far it moved the due time."""

    paused_from: datetime
    paused_to: datetime
    counted_seconds: float
    due_after: datetime


class Explanation(_Part):
    """Everything that was counted between start and due."""

    time_zone: str
    hours: Hours
    within: str
    week: dict[str, tuple[str, ...]]
    start: datetime
    start_local: str
    due: datetime
    due_local: str
    days: tuple[DayCounted, ...] = ()
    skipped: tuple[DaySkipped, ...] = ()
    zone_changes: tuple[ZoneChange, ...] = ()
    pauses: tuple[Pause, ...] = ()
    #: true where the days are too many to list
    shortened: bool = False
    words: tuple[str, ...] = ()


def explain(
    start: datetime,
    within: Duration,
    hours: Hours,
    calendar: Calendar,
    pauses: Sequence[tuple[datetime, datetime]] = (),
) -> Explanation:
    """Computes the due time again and tells what was counted, skipped and paused on the way."""
    start = start.astimezone(UTC)
    due = due_at(start, within, hours, calendar)
    told: list[Pause] = []
    for paused_from, paused_to in sorted(pauses):
        after = shifted_due(due, paused_from, paused_to, hours, calendar)
        counted = business_seconds_between(due, after, calendar) if after != due else 0.0
        told.append(Pause(paused_from=paused_from, paused_to=paused_to, counted_seconds=counted, due_after=after))
        due = after
    days, skipped, shortened = _days(start, due, within, calendar) if hours == "business" else ([], [], False)
    changes = zone_changes(start, due, calendar.zone)
    return Explanation(
        time_zone=calendar.time_zone,
        hours=hours,
        within=str(within),
        week={WEEKDAYS[n]: tuple(map(write_span, spans)) for n, spans in enumerate(calendar.week)},
        start=start,
        start_local=_local(start, calendar.zone),
        due=due,
        due_local=_local(due, calendar.zone),
        days=tuple(days),
        skipped=tuple(skipped),
        zone_changes=tuple(changes),
        pauses=tuple(told),
        shortened=shortened,
        words=tuple(_words(start, due, within, hours, calendar, days, skipped, changes, told)),
    )


def zone_changes(start: datetime, end: datetime, zone: ZoneInfo) -> list[ZoneChange]:
    """The changes of a zone's offset between two instants, to the second."""
    found: list[ZoneChange] = []
    low, last = start.astimezone(UTC), end.astimezone(UTC)
    while low < last and len(found) < MOST_DAYS:
        high = min(low + timedelta(days=7), last)
        before, after = low.astimezone(zone).utcoffset(), high.astimezone(zone).utcoffset()
        assert before is not None and after is not None
        if before != after:
            first, second = to_micros(low) // MICRO, -(-to_micros(high) // MICRO)
            while second - first > 1:
                middle = (first + second) // 2
                if from_micros(middle * MICRO).astimezone(zone).utcoffset() == before:
                    first = middle
                else:
                    second = middle
            at = from_micros(second * MICRO)
            found.append(
                ZoneChange(
                    at=at,
                    local_before=f"{(at + before).replace(tzinfo=None):%Y-%m-%d %H:%M}",
                    local_after=f"{(at + after).replace(tzinfo=None):%Y-%m-%d %H:%M}",
                    seconds=int((after - before).total_seconds()),
                )
            )
        low = high
    return found


def _days(
    start: datetime, due: datetime, within: Duration, calendar: Calendar
) -> tuple[list[DayCounted], list[DaySkipped], bool]:
    first, last = calendar.local_ordinal(start), calendar.local_ordinal(due)
    in_days = not within.is_elapsed
    days: list[DayCounted] = []
    skipped: list[DaySkipped] = []
    for ordinal in range(first, min(last, first + MOST_DAYS - 1) + 1):
        day = date.fromordinal(ordinal)
        if ordinal > first and calendar.edge(day, 0) >= due:
            break  # hours until 24:00 end on the date after theirs, of which nothing counts
        weekday = WEEKDAYS[day.weekday()]
        spans = calendar.spans_on(day)
        begin, end = max(start, calendar.edge(day, 0)), min(due, calendar.edge(day, 1440))
        counted = business_seconds_between(begin, end, calendar) if end > begin else 0.0
        if not spans:
            name = calendar.holiday_on(day)
            if name is not None and not calendar.week[day.weekday()]:
                name = None  # it would have been closed anyway
            skipped.append(DaySkipped(date=day, weekday=weekday, because="holiday" if name else "closed", name=name))
            continue
        if in_days and ordinal == first:
            continue  # the day it started is never counted
        if counted == 0:
            continue  # before the start, or hours that a change of the clocks left out
        days.append(
            DayCounted(
                date=day,
                weekday=weekday,
                hours=tuple(map(write_span, spans)),
                counted_seconds=counted,
                working_day=len(days) + 1 if in_days and len(days) < within.amount else None,
                make_up=calendar.is_make_up(day),
            )
        )
    return days, skipped, last - first >= MOST_DAYS


def _words(
    start: datetime,
    due: datetime,
    within: Duration,
    hours: Hours,
    calendar: Calendar,
    days: Sequence[DayCounted],
    skipped: Sequence[DaySkipped],
    changes: Sequence[ZoneChange],
    pauses: Sequence[Pause],
) -> list[str]:
    kind = "open hours" if hours == "business" and within.is_elapsed else "calendar time"
    if hours == "business" and not within.is_elapsed:
        kind = "working days after the day it started, to the close of the last"
    words = [
        f"It started at {_local(start, calendar.zone)} ({calendar.time_zone}).",
        f"{within.words}, counted in {kind}.",
    ]
    term = [day for day in days if within.is_elapsed or day.working_day]
    if term:
        part = "day with open hours" if within.is_elapsed else "working day"
        part = part.replace("day", "days", 1) if len(term) > 1 else part
        words.append(f"{len(term)} {part}: {term[0].date} to {term[-1].date}.")
    words += [f"{day.date} was worked to make up for a holiday." for day in days if day.make_up]
    words += [f"{day.date} was skipped: {day.name}." for day in skipped if day.because == "holiday"]
    closed = sum(day.because == "closed" for day in skipped)
    if closed:
        words.append(f"{closed} closed day{'s' if closed > 1 else ''} (the week's hours) skipped.")
    words += [f"Clocks changed from {change.local_before} to {change.local_after}." for change in changes]
    if hours == "calendar" and pauses:
        words.append(f"Calendar clocks never pause: {len(pauses)} pause{'s' if len(pauses) > 1 else ''} moved nothing.")
        pauses = ()
    words += [
        f"A pause from {_local(pause.paused_from, calendar.zone)} to {_local(pause.paused_to, calendar.zone)} "
        f"moved it by {pause.counted_seconds / 3600:.2f} open hours."
        for pause in pauses
    ]
    words.append(f"It is due at {_local(due, calendar.zone)}.")
    return words


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone).isoformat(sep=' ', timespec='seconds')}"
