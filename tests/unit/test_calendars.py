"""Business time against a count minute by minute: 2,750 generated cases, both directions, over twelve zones whose
clocks do what clocks can do. The hard days by name are in test_calendars_hard.py."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.calendars import (
    Calendar,
    Duration,
    Week,
    add_business_seconds,
    business_seconds_between,
    closes_after,
    due_at,
    explain,
    holidays_by_date,
    point_at,
    shifted_due,
    subtract_business_seconds,
)
from shared.calendars.week import Span, join_spans, parse_week

DAYS = 13
MINUTES = DAYS * 1440
MICRO = timedelta(microseconds=1)
#: where each zone is looked at besides its changes: over a new year
NEW_YEAR = date(2025, 12, 26)
ZONES = {
    "UTC": (),
    "Asia/Shanghai": (),
    "Asia/Kathmandu": (),  # 5:45 ahead
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Santiago": (date(2026, 4, 4), date(2026, 9, 6)),  # at midnight
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 29)),  # at midnight
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),  # winter time for Ramadan
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),  # by half an hour
    "Pacific/Chatham": (date(2026, 4, 5), date(2026, 9, 27)),  # 12:45 ahead, changes at 2:45
    "Pacific/Apia": (date(2011, 12, 30),),  # a day that never was
}
WINDOWS = [
    (zone, start)
    for zone, changes in ZONES.items()
    for start in (NEW_YEAR, *(change - timedelta(days=6) for change in changes))
]


def minutes_of(wall: datetime) -> int:
    return wall.toordinal() * 1440 + wall.hour * 60 + wall.minute


@lru_cache
def walls(zone: str, start: date) -> tuple[list[int], list[int]]:
    """What clocks on the wall show in every minute of the window, and the latest they have shown until then."""
    shown: list[int] = []
    latest: list[int] = []
    begin, info = datetime(start.year, start.month, start.day, tzinfo=UTC), ZoneInfo(zone)
    for n in range(MINUTES):
        shown.append(minutes_of((begin + timedelta(minutes=n)).astimezone(info)))
        latest.append(max([shown[-1], *latest[-1:]]))
    return shown, latest


class Counted:
    """A calendar, and the same by counting: for every minute of a window whether doors are open."""

    def __init__(self, zone: str, start: date, week: Week, off: set[date], made_up: set[date]) -> None:
        dates: dict[str, str | None] = {day.isoformat(): "closed" for day in off}
        dates |= {f"+{day.isoformat()}": "worked" for day in made_up}
        self.told = f"{zone} from {start}: {week}, {dates}"
        self.calendar = Calendar(zone, week, holidays_by_date(dates))
        self.begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
        self.shown, self.latest = walls(zone, start)
        self.is_open = [False] * MINUTES
        #: minutes of the window at which the doors close for the day, by local date
        self.closes: dict[int, int] = {}
        for ordinal in range(self.shown[0] // 1440 - 1, self.latest[-1] // 1440 + 1):
            for opening, closing in spans_on(date.fromordinal(ordinal), week, off, made_up):
                begin, end = self.first(ordinal * 1440 + opening), self.first(ordinal * 1440 + closing)
                if begin < end:
                    self.is_open[begin:end] = [True] * (end - begin)
                    self.closes[ordinal] = end

    def __repr__(self) -> str:
        return self.told

    def at(self, minute: int) -> datetime:
        return self.begin + timedelta(minutes=minute)

    def first(self, wall: int) -> int:
        """The first minute at which the wall shows that much or more."""
        return bisect_left(self.latest, wall)

    def open_minutes(self, start: int, end: int) -> int:
        return sum(self.is_open[start:end])


def spans_on(day: date, week: Week, off: set[date], made_up: set[date]) -> tuple[Span, ...]:
    own = week[day.weekday()]
    if day in made_up:
        return own or next((spans for spans in week if spans), ())
    return () if day in off else own


edges = st.integers(0, 1440) | st.sampled_from([0, 60, 90, 120, 150, 165, 180, 1380, 1440])
day_spans = st.lists(
    st.tuples(edges, edges).map(sorted).filter(lambda span: span[0] < span[1]).map(lambda span: (span[0], span[1])),
    max_size=2,
)


@st.composite
def counted(draw: st.DrawFn) -> Counted:
    zone, start = draw(st.sampled_from(WINDOWS))
    week: list[tuple[Span, ...]] = []
    for spans in draw(st.lists(day_spans, min_size=7, max_size=7)):
        if len(spans) == 2 and min(spans[0][1], spans[1][1]) > max(spans[0][0], spans[1][0]):
            spans = spans[:1]
        week.append(join_spans(spans))
    assume(any(week))
    some_days = st.sets(st.integers(-1, DAYS).map(lambda n: start + timedelta(days=n)), max_size=4)
    off, made_up = draw(some_days), draw(some_days)
    return Counted(zone, start, tuple(week), off, made_up)


minutes = st.integers(0, MINUTES - 1)


@settings(max_examples=450, deadline=None)
@given(counted(), minutes, minutes)
def test_open_time_between_two_instants_is_the_open_minutes_counted(case: Counted, a: int, b: int) -> None:
    a, b = sorted((a, b))
    expected = case.open_minutes(a, b) * 60
    assert business_seconds_between(case.at(a), case.at(b), case.calendar) == expected
    assert business_seconds_between(case.at(b), case.at(a), case.calendar) == -expected


@settings(max_examples=450, deadline=None)
@given(counted(), minutes, st.integers(0, MINUTES))
def test_forward_it_is_the_first_minute_by_which_that_much_was_open(case: Counted, start: int, amount: int) -> None:
    available = case.open_minutes(start, MINUTES)
    assume(available)
    amount = 1 + amount % available
    end, left = start, amount
    while left:
        left -= case.is_open[end]
        end += 1
    assert add_business_seconds(case.at(start), amount * 60, case.calendar) == case.at(end)
    assert due_at(case.at(start), Duration(amount, "m"), "business", case.calendar) == case.at(end)
    assert subtract_business_seconds(case.at(start), -amount * 60, case.calendar) == case.at(end)


@settings(max_examples=450, deadline=None)
@given(counted(), minutes, st.integers(0, MINUTES))
def test_backward_it_is_the_last_minute_from_which_that_much_is_open(case: Counted, end: int, amount: int) -> None:
    available = case.open_minutes(0, end)
    assume(available)
    amount = 1 + amount % available
    start, left = end, amount
    while left:
        start -= 1
        left -= case.is_open[start]
    assert subtract_business_seconds(case.at(end), amount * 60, case.calendar) == case.at(start)
    assert add_business_seconds(case.at(end), -amount * 60, case.calendar) == case.at(start)


@settings(max_examples=450, deadline=None)
@given(counted(), minutes, st.integers(0, DAYS))
def test_working_days_end_at_the_close_of_the_last(case: Counted, start: int, days: int) -> None:
    today = case.shown[start] // 1440
    later = sorted(ordinal for ordinal in case.closes if today < ordinal < case.latest[-1] // 1440)
    assume(later)
    days = 1 + days % len(later)
    due = due_at(case.at(start), Duration(days, "d"), "business", case.calendar)
    assert due == case.at(case.closes[later[days - 1]])
    told = explain(case.at(start), Duration(days, "d"), "business", case.calendar)
    assert told.due == due and [day.working_day for day in told.days] == list(range(1, days + 1))
    assert all(day.date.toordinal() < later[days - 1] for day in told.skipped)


@settings(max_examples=450, deadline=None)
@given(counted(), minutes, st.integers(1, 9))
def test_days_of_the_calendar_keep_the_time_on_the_wall(case: Counted, start: int, days: int) -> None:
    due = case.first(case.shown[start] + days * 1440)
    assume(due < MINUTES)
    assert due_at(case.at(start), Duration(days, "d"), "calendar", case.calendar) == case.at(due)


@settings(max_examples=250, deadline=None)
@given(counted(), minutes, st.integers(1, 10**11), st.integers(1, 99))
def test_nothing_is_lost_there_and_back(case: Counted, start: int, micros: int, percent: int) -> None:
    at, amount = case.at(start) + 7 * MICRO, micros / 1e6
    there = add_business_seconds(at, amount, case.calendar)
    assert business_seconds_between(at, there, case.calendar) == amount
    back = subtract_business_seconds(there, amount, case.calendar)
    assert back >= at and business_seconds_between(at, back, case.calendar) == 0
    point = point_at(at, there, percent, "business", case.calendar)
    assert at <= point <= there
    assert abs(business_seconds_between(at, point, case.calendar) - amount * percent / 100) <= 1e-6


@settings(max_examples=250, deadline=None)
@given(counted(), st.lists(minutes, min_size=3, max_size=3))
def test_a_pause_in_two_halves_moves_as_far_as_one(case: Counted, cuts: list[int]) -> None:
    first, middle, last = sorted(cuts)
    due = case.at(MINUTES)
    whole = shifted_due(due, case.at(first), case.at(last), "business", case.calendar)
    half = shifted_due(due, case.at(first), case.at(middle), "business", case.calendar)
    assert shifted_due(half, case.at(middle), case.at(last), "business", case.calendar) == whole
    assert business_seconds_between(due, whole, case.calendar) == case.open_minutes(first, last) * 60
    assert shifted_due(due, case.at(first), case.at(last), "calendar", case.calendar) == due


def test_the_next_closing_is_that_of_now_or_of_the_next_hours() -> None:
    office = Calendar("UTC", parse_week({"mon-fri": ["09:00-12:00", "13:00-18:00"]}))
    for at, closes in (
        ("2026-03-02T08:00", "2026-03-02T12:00"),
        ("2026-03-02T11:59", "2026-03-02T12:00"),
        ("2026-03-02T12:00", "2026-03-02T18:00"),
        ("2026-03-06T18:00", "2026-03-09T12:00"),
        ("2026-12-31T18:00", "2027-01-01T12:00"),
    ):
        found = closes_after(datetime.fromisoformat(at + "+00:00"), office)
        assert found == datetime.fromisoformat(closes + "+00:00")
