"""Who is there, and when a mail may reach them: by the wall clock of each person's own zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.calendars import first_instant
from shared.policy import Executive

_DAY = timedelta(days=1)


def present(person: Executive, at: datetime) -> bool:
    """Whether somebody is not on one of their absences. A day without a time is away as a whole, the last one too."""
    zone = ZoneInfo(person.time_zone)
    return not any(_instant(one.start, zone) <= at < _instant(one.until, zone, last=True) for one in person.absences)


def _instant(given: date | datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    if not isinstance(given, datetime):
        return first_instant(datetime.combine(given, time()) + (_DAY if last else timedelta()), zone)
    return given if given.tzinfo else first_instant(given, zone)


def loud_at(person: Executive, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours that it falls into."""
    zone = ZoneInfo(person.time_zone)
    wall = at.astimezone(zone)
    day, minute = wall.date(), wall.hour * 60 + wall.minute
    for _ in range(8):  # no week is quiet as a whole
        end = next((ends for begins, ends in person.quiet_hours[day.weekday()] if begins <= minute < ends), None)
        if end is None:
            found = first_instant(datetime.combine(day, time()) + timedelta(minutes=minute), zone)
            return max(at, found)
        day, minute = (day + _DAY, 0) if end == 1440 else (day, end)
    return at
