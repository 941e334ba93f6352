"""Opening hours of a week as the policy writes them: `{mon-fri: ["09:00-12:00", "13:30-18:00"], sat: […]}`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: minutes since midnight of opening and closing; 1440 is 24:00
Span = tuple[int, int]
#: the spans of Monday to Sunday, in order
Week = tuple[tuple[Span, ...], ...]

_SPAN: Final = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])", re.ASCII)


def parse_days(key: str) -> list[int]:
    """`mon-fri`, `sat`, also `sat-mon`: the numbers of the weekdays, Monday is 0. Raises ValueError."""
    first, dash, last = key.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise ValueError("is no weekday: write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri")
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last) - start) % 7 + 1 if dash else 1
    return [(start + n) % 7 for n in range(length)]


def parse_span(text: str) -> Span:
    """`09:00-18:00` as minutes since midnight. Raises ValueError."""
    opens, closes = _minutes(text)
    if opens >= 1440 or closes > 1440:
        raise ValueError("is outside the day: hours go from 00:00 to 24:00")
    if closes <= opens:
        raise ValueError(
            'closes before it opens: hours over midnight are two spans, like "22:00-24:00" and, on the next day, '
            '"00:00-06:00"'
        )
    return opens, closes


def _minutes(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError('is no span of hours: write it as "09:00-18:00"')
    return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])


def join_spans(spans: Sequence[Span]) -> tuple[Span, ...]:
    """One day's spans in order, those that touch made one. Raises ValueError where two overlap."""
    joined: list[Span] = []
    for opens, closes in sorted(spans):
        if joined and opens < joined[-1][1]:
            raise ValueError(f"{write_span((opens, closes))} overlaps {write_span(joined[-1])}")
        if joined and opens == joined[-1][1]:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return tuple(joined)


def parse_week(hours: Mapping[str, Sequence[str]]) -> Week:
    """The whole week; days that are not named are closed. Raises ValueError at the first mistake."""
    week: list[tuple[Span, ...] | None] = [None] * 7
    for key, texts in hours.items():
        spans = join_spans([parse_span(text) for text in texts])
        for day in parse_days(key):
            if week[day] is not None:
                raise ValueError(f"{WEEKDAYS[day]} is given twice")
            week[day] = spans
    return tuple(spans or () for spans in week)


def parse_nights(texts: Sequence[str]) -> Week:
    """Spans of every day, which may go over midnight: `22:00-07:00`. Raises ValueError."""
    spans: list[Span] = []
    for text in texts:
        begins, ends = _minutes(text)
        if ends < begins < 1440:
            spans += [(begins, 1440), *([(0, ends)] if ends else [])]
        else:
            spans.append(parse_span(text))
    return (join_spans(spans),) * 7


def write_span(span: Span) -> str:
    """`09:00-18:00`."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)
