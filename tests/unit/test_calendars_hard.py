"""The hard days by name: when clocks change, holidays that are worked, years that end, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.calendars import (
    Calendar,
    CalendarError,
    DaysOff,
    Duration,
    HolidaysError,
    NoOpenTimeError,
    add_business_seconds,
    business_seconds_between,
    due_at,
    explain,
    first_instant,
    holidays_by_code,
    holidays_by_date,
    parse_week,
    point_at,
    read_holidays,
    shifted_due,
    subtract_business_seconds,
    zone_calendar,
)

OFFICE = parse_week({"mon-fri": ["09:00-18:00"]})
UTC_OFFICE = Calendar("UTC", OFFICE)
LONDON = ZoneInfo("Europe/London")
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZHEJIANG = Calendar("Asia/Shanghai", parse_week({"mon-fri": ["09:00-12:00", "13:30-18:00"]}), holidays_by_code("CN"))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def due(start: datetime, within: str, calendar: Calendar, hours: str = "business") -> datetime:
    return due_at(start, Duration.parse(within), hours, calendar)  # type: ignore[arg-type]


# working time


@pytest.mark.parametrize(
    ("start", "within", "expected"),
    [
        (utc(2026, 3, 2, 14), "4h", utc(2026, 3, 2, 18)),  # ends as the doors close: not at the next opening
        (utc(2026, 3, 2, 14), "14401s", utc(2026, 3, 3, 9, 0, 1)),
        (utc(2026, 3, 2, 18), "1s", utc(2026, 3, 3, 9, 0, 1)),  # came as they closed
        (utc(2026, 3, 6, 17), "2h", utc(2026, 3, 9, 10)),  # over a week-end
        (utc(2026, 3, 7, 12), "15m", utc(2026, 3, 9, 9, 15)),  # on Saturday
        (utc(2026, 3, 2, 3), "1h", utc(2026, 3, 2, 10)),  # before opening
        (utc(2026, 3, 2, 10), "0s", utc(2026, 3, 2, 10)),
        (utc(2026, 3, 2, 10), "1d", utc(2026, 3, 3, 18)),  # a day is a working day after the day it started
        (utc(2026, 3, 2, 3), "1d", utc(2026, 3, 3, 18)),
        (utc(2026, 3, 2, 23), "1d", utc(2026, 3, 3, 18)),
        (utc(2026, 3, 6, 10), "1d", utc(2026, 3, 9, 18)),
        (utc(2026, 3, 7, 10), "1d", utc(2026, 3, 9, 18)),
        (utc(2026, 3, 2, 10), "5d", utc(2026, 3, 9, 18)),
        (utc(2026, 12, 31, 17), "2h", utc(2027, 1, 1, 10)),
        (utc(2026, 12, 31, 17), "300d", utc(2028, 2, 24, 18)),
    ],
)
def test_working_time(start: datetime, within: str, expected: datetime) -> None:
    assert due(start, within, UTC_OFFICE) == expected


def test_the_day_it_started_is_the_regions() -> None:
    # Monday 23:30 in UTC is Tuesday in Shanghai: Wednesday is the first day after it
    assert due(utc(2026, 3, 2, 23, 30), "1d", ZHEJIANG) == datetime(2026, 3, 4, 18, tzinfo=SHANGHAI)


def test_weeks_of_working_time_do_not_exist() -> None:
    with pytest.raises(CalendarError, match="days"):
        due(utc(2026, 3, 2), "8w", UTC_OFFICE)


def test_lunch_is_closed() -> None:
    assert due(datetime(2026, 3, 2, 11, 30, tzinfo=SHANGHAI), "1h", ZHEJIANG) == datetime(
        2026, 3, 2, 14, tzinfo=SHANGHAI
    )


# clocks that change


@pytest.mark.parametrize(
    ("zone", "day", "hours", "opens", "closes"),
    [
        ("Europe/London", date(2026, 3, 29), "01:30-03:00", utc(2026, 3, 29, 1), utc(2026, 3, 29, 2)),
        ("Europe/London", date(2026, 10, 25), "01:30-03:00", utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 3)),
        ("Europe/London", date(2026, 10, 25), "00:30-01:30", utc(2026, 10, 24, 23, 30), utc(2026, 10, 25, 0, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:10-03:00", utc(2026, 10, 3, 15, 30), utc(2026, 10, 3, 16)),
        ("Australia/Lord_Howe", date(2026, 4, 5), "01:00-03:00", utc(2026, 4, 4, 14), utc(2026, 4, 4, 16, 30)),
        ("America/Santiago", date(2026, 9, 6), "00:00-02:00", utc(2026, 9, 6, 4), utc(2026, 9, 6, 5)),
    ],
)
def test_an_edge_in_a_gap_is_its_end_and_one_that_comes_twice_the_first(
    zone: str, day: date, hours: str, opens: datetime, closes: datetime
) -> None:
    calendar = Calendar(zone, parse_week({"sun": [hours]}))
    length = (closes - opens).total_seconds()
    assert add_business_seconds(subtract_business_seconds(closes, 1, calendar), 1, calendar) == closes
    assert subtract_business_seconds(closes, length, calendar) == opens
    assert business_seconds_between(calendar.edge(day, 0), calendar.edge(day, 1440), calendar) == length


def test_hours_that_lie_in_a_gap_are_no_working_day() -> None:
    calendar = Calendar("Europe/London", parse_week({"sun": ["01:10-01:50"]}))
    assert due(utc(2026, 3, 28, 12), "1d", calendar) == datetime(2026, 4, 5, 1, 50, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("start", "within", "expected"),
    [
        (datetime(2026, 3, 28, 9, tzinfo=LONDON), "1d", utc(2026, 3, 29, 8)),  # the wall shows nine again
        (datetime(2026, 3, 28, 9, tzinfo=LONDON), "24h", utc(2026, 3, 29, 9)),  # a stopwatch does not look at walls
        (datetime(2026, 3, 28, 1, 30, tzinfo=LONDON), "1d", utc(2026, 3, 29, 1)),  # there is no half past one
        (datetime(2026, 10, 24, 1, 30, tzinfo=LONDON), "1d", utc(2026, 10, 25, 0, 30)),  # there are two
        (datetime(2026, 2, 2, 9, tzinfo=LONDON), "8w", utc(2026, 3, 30, 8)),
        (datetime(2024, 2, 29, 9, tzinfo=LONDON), "1y", utc(2025, 2, 28, 9)),
        (datetime(2024, 2, 29, 9, tzinfo=LONDON), "4y", utc(2028, 2, 29, 9)),
    ],
)
def test_calendar_time(start: datetime, within: str, expected: datetime) -> None:
    assert due(start, within, zone_calendar("Europe/London"), "calendar") == expected


def test_a_date_that_a_zone_left_out_ends_as_it_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert first_instant(datetime(2011, 12, 30, 12), apia) == utc(2011, 12, 30, 10)  # noqa: DTZ001
    assert due(utc(2011, 12, 30, 1), "1d", Calendar("Pacific/Apia", OFFICE)) == utc(2012, 1, 2, 4)


# holidays


def test_a_saturday_that_makes_up_for_a_holiday_is_worked_with_mondays_hours() -> None:
    # National Day 2025: closed from 1 to 8 October, worked on Saturday the 11th
    start = datetime(2025, 9, 30, 17, 30, tzinfo=SHANGHAI)
    assert due(start, "1h", ZHEJIANG) == datetime(2025, 10, 9, 9, 30, tzinfo=SHANGHAI)
    assert due(start, "3d", ZHEJIANG) == datetime(2025, 10, 11, 18, tzinfo=SHANGHAI)
    told = explain(start, Duration(3, "d"), "business", ZHEJIANG)
    assert [day.date.day for day in told.days if day.make_up] == [11]
    assert sum(day.because == "holiday" for day in told.skipped) == 6  # two of the eight are a week-end anyway


def test_a_make_up_day_with_hours_of_its_own_keeps_them() -> None:
    week = parse_week({"mon-fri": ["09:00-18:00"], "sat": ["10:00-16:00"]})
    calendar = Calendar("Asia/Shanghai", week, holidays_by_code("CN"))
    assert due(datetime(2025, 10, 10, 12, tzinfo=SHANGHAI), "1d", calendar) == datetime(
        2025, 10, 11, 16, tzinfo=SHANGHAI
    )


def test_parts_of_a_country_have_their_own() -> None:
    start = utc(2026, 8, 28, 12)  # the Friday before England's summer bank holiday
    assert due(start, "1d", Calendar("Europe/London", OFFICE, holidays_by_code("GB-ENG"))).day == 1
    assert due(start, "1d", Calendar("Europe/London", OFFICE, holidays_by_code("GB-SCT"))).day == 31


@pytest.mark.parametrize("code", ["", "XX", "gb", "GB-", "GB-XXX", "Germany!", "../x", "GB-ENG-X"])
def test_codes_that_do_not_exist_are_refused(code: str) -> None:
    with pytest.raises(HolidaysError):
        holidays_by_code(code)


def test_a_file_of_holidays() -> None:
    dates = read_holidays("# ours\n2026-03-03 Founders' day\n\n+2026-03-07 worked  # Saturday\n")
    assert dates == {"2026-03-03": "Founders' day", "+2026-03-07": "worked"}
    calendar = Calendar("UTC", OFFICE, holidays_by_date(dates))
    assert due(utc(2026, 3, 2, 12), "4d", calendar) == utc(2026, 3, 7, 18)
    with pytest.raises(HolidaysError, match=r"line 1 .*; line 3 "):
        read_holidays("3 March\n2026-03-04\n2026-02-30\n")


# pauses and warnings


def test_a_pause_moves_by_what_was_open_meanwhile() -> None:
    friday, monday, last = utc(2026, 3, 6, 17), utc(2026, 3, 9, 10), utc(2026, 3, 9, 12)
    assert shifted_due(last, friday, monday, "business", UTC_OFFICE) == utc(2026, 3, 9, 14)
    assert shifted_due(last, utc(2026, 3, 6, 18), utc(2026, 3, 9, 9), "business", UTC_OFFICE) == last
    assert shifted_due(last, friday, monday, "calendar", UTC_OFFICE) == last
    assert shifted_due(last, last, utc(2026, 3, 9, 15), "business", UTC_OFFICE) == last  # it was missed already


def test_warnings_are_counted_as_the_clock_counts() -> None:
    start, end = utc(2026, 3, 6, 16), utc(2026, 3, 9, 11)  # two hours of Friday, two of Monday
    assert point_at(start, end, 50, "business", UTC_OFFICE) == utc(2026, 3, 6, 18)
    assert point_at(start, end, 75, "business", UTC_OFFICE) == utc(2026, 3, 9, 10)
    assert point_at(start, end, 50, "calendar", UTC_OFFICE) == utc(2026, 3, 8, 1, 30)


# what cannot be answered


def test_doors_that_never_open_say_so() -> None:
    closed = Calendar("UTC", parse_week({}))
    for ask in ("1h", "1d"):
        with pytest.raises(NoOpenTimeError):
            due(utc(2026, 3, 2), ask, closed)
    with pytest.raises(NoOpenTimeError):
        subtract_business_seconds(utc(2026, 3, 2), 1, closed)
    assert business_seconds_between(utc(2026, 3, 2), utc(2027, 3, 2), closed) == 0


def test_times_without_a_zone_and_far_years_are_refused() -> None:
    with pytest.raises(CalendarError):
        due(datetime(2026, 3, 2), "1h", UTC_OFFICE)  # noqa: DTZ001
    with pytest.raises(CalendarError):
        due(datetime(2026, 3, 2), "1d", UTC_OFFICE, "calendar")  # noqa: DTZ001
    with pytest.raises(CalendarError):
        due(utc(9000, 1, 1), "1h", UTC_OFFICE)
    with pytest.raises(CalendarError):
        due(utc(9998, 1, 1), "99y", UTC_OFFICE, "calendar")


@pytest.mark.parametrize("text", ["", "5", "d", "1.5h", "-1h", "1H", "1h30m", " 1h", "1mo", "101y", "١h"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        Duration.parse(text)


def test_days_off_know_no_day_by_themselves() -> None:
    assert DaysOff().year(2026).off == {}
