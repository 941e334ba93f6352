"""Business hours, regions, holidays, daylight saving: due times in both directions, and how they came about.

Pure: nothing here reads the wall clock or a database. Everything is counted in whole microseconds of UTC, so that no
direction loses what the other gave.
"""

from shared.calendars.calendar import Calendar, CalendarError, NoOpenTimeError, first_instant, zone_calendar
from shared.calendars.due import (
    Hours,
    add_business_seconds,
    business_seconds_between,
    closes_after,
    due_at,
    point_at,
    shifted_due,
    subtract_business_seconds,
)
from shared.calendars.durations import Duration
from shared.calendars.explain import Explanation, explain
from shared.calendars.holidays import DaysOff, HolidaysError, holidays_by_code, holidays_by_date, read_holidays
from shared.calendars.week import WEEKDAYS, Span, Week, parse_nights, parse_week

__all__ = [
    "WEEKDAYS",
    "Calendar",
    "CalendarError",
    "DaysOff",
    "Duration",
    "Explanation",
    "HolidaysError",
    "Hours",
    "NoOpenTimeError",
    "Span",
    "Week",
    "add_business_seconds",
    "business_seconds_between",
    "closes_after",
    "due_at",
    "explain",
    "first_instant",
    "holidays_by_code",
    "holidays_by_date",
    "parse_nights",
    "parse_week",
    "point_at",
    "read_holidays",
    "shifted_due",
    "subtract_business_seconds",
    "zone_calendar",
]
