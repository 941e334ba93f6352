"""What may stand for a value in the policy file, and how a mistake in it is told."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field

from shared.calendars import Duration, Week, parse_nights, parse_week
from shared.fields import Ident, Invalid, Text, is_email


def _duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise Invalid("is no duration: write a whole number and one of s m h d w, like 90s 15m 4h 5d 8w")
    try:
        return Duration.parse(value)
    except ValueError as error:  # our own words, which hold nothing of the file
        raise Invalid(str(error)) from None


def _lasting(value: Duration) -> Duration:
    if value.amount == 0:
        raise Invalid("must be longer than nothing")
    return value


def _version(value: Any) -> Any:
    if isinstance(value, float):  # 1.10 would become 1.1, which is another version
        raise Invalid("must be text: put it in quotes")
    return value.isoformat() if isinstance(value, date) else str(value) if type(value) is int else value


def _zone(value: Any) -> Any:
    try:
        if value == "localtime":  # whatever zone the machine happens to be in
            raise ValueError
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise Invalid("is no time zone: write a name of the IANA database, like Europe/Madrid") from None
    return value


def _hours(value: Any) -> Week:
    if not isinstance(value, dict):
        raise Invalid('must be days with their hours, like mon-fri: ["09:00-18:00"]')
    for spans in value.values():
        if not isinstance(spans, list) or not all(isinstance(span, str) for span in spans):
            raise Invalid('must give each day a list of hours, like ["09:00-12:00", "13:30-18:00"]')
    try:
        return parse_week(value)
    except ValueError as error:  # `checks` says which day and span; this one stands where it could not
        raise Invalid(f"holds hours where something {error}") from None


def quiet_hours(value: Any) -> Week:
    """Every day alike, spans of which may go over midnight; or by weekday, as regions give their hours.

    Raises Invalid.
    """
    if isinstance(value, dict):
        return _hours(value)
    if not isinstance(value, list) or not all(isinstance(span, str) for span in value):
        raise Invalid('must be hours of every day, like ["22:00-07:00"], or of days, like sat: ["00:00-24:00"]')
    try:
        return parse_nights(value)
    except ValueError as error:  # our own words, which hold nothing of the file
        raise Invalid(f"holds hours where something {error}") from None


def moment(value: Any) -> date | datetime:
    """A day or a time of an absence, as YAML or text gives it. Raises Invalid."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, date) or not 2000 <= value.year <= 2200:
        raise Invalid("is no day or time: write it like 2026-12-24 or 2026-12-24T18:00")
    return value


def _email(value: Any) -> Any:
    if not isinstance(value, str) or not is_email(value):
        raise Invalid("is no e-mail address")
    return value


def _currency(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value, re.ASCII):
        raise Invalid("is no currency: write its three capital letters, like USD")
    return value


def _decimal(value: Any) -> Decimal:
    text = str(value) if type(value) in (int, float, str) else ""
    if not re.fullmatch(r"\d{1,15}(\.\d{1,4})?", text, re.ASCII):
        raise Invalid('must be an amount like "100000"')
    return Decimal(text)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Code = Annotated[str, Ident(100)]
Line = Annotated[str, Text(500, line=True)]
#: may be nothing at all: `accept_late: 0s` accepts nothing late
Span = Annotated[Duration, BeforeValidator(_duration)]
#: what is due after nothing would be missed as it begins, and what repeats after nothing would never end
Lasting = Annotated[Duration, BeforeValidator(lambda v: _lasting(_duration(v)))]
Zone = Annotated[str, BeforeValidator(_zone)]
Codes = Annotated[tuple[Code, ...], BeforeValidator(lambda v: _tuple(_one_or_more(v)))]
Choice = Annotated[Codes, Field(min_length=1)]
#: a list of the file, as a tuple
Listed = BeforeValidator(_tuple)
Lines = Annotated[tuple[Line, ...], Listed]
Need = Literal["must_have", "attractor", "nice_to_have"]
Version = Annotated[Line, BeforeValidator(_version)]
Hours = Annotated[Week, BeforeValidator(_hours)]
QuietHours = Annotated[Week, BeforeValidator(quiet_hours)]
Moment = Annotated[date | datetime, BeforeValidator(moment)]
Email = Annotated[str, BeforeValidator(_email)]
Currency = Annotated[str, BeforeValidator(_currency)]
Amount = Annotated[Decimal, BeforeValidator(_decimal)]
