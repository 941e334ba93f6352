"""Days off: by a code of the `holidays` package (`GB`, `GB-ENG`, `CN`, `XLON`), by a file, or date by date.

Make-up working days (调休: a Saturday worked for a long holiday) come from the package's `weekend_workdays`, and in a
file from lines that begin with `+`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import holidays as package

#: the package knows no year after this one
_LAST_YEAR: Final = 2100


class HolidaysError(ValueError):
    """A holiday code or file that cannot be used: says what to write instead."""


@dataclass(frozen=True, slots=True)
class Year:
    """One year's days off by date, and its make-up working days."""

    off: Mapping[date, str]
    make_up: frozenset[date]


_NONE: Final = Year({}, frozenset())


@dataclass(frozen=True)
class DaysOff:
    """Where days off come from: a code, or dates one by one. Neither: there are none."""

    code: str | None = None
    dates: tuple[tuple[date, str], ...] = ()
    make_up: tuple[date, ...] = ()

    def year(self, year: int) -> Year:
        """That year's days, computed once."""
        if self.code is not None:
            return _year_of_code(self.code, year)
        if not self.dates and not self.make_up:
            return _NONE
        return Year(
            {day: name for day, name in self.dates if day.year == year},
            frozenset(day for day in self.make_up if day.year == year),
        )


@lru_cache(maxsize=512)
def _year_of_code(code: str, year: int) -> Year:
    if year > _LAST_YEAR:
        return _NONE
    found = _open(code, year)
    make_up = frozenset(day for day in getattr(found, "weekend_workdays", ()) if day.year == year)
    return Year({day: str(name) for day, name in sorted(found.items()) if day.year == year}, make_up)


def _open(code: str, year: int) -> package.HolidayBase:
    """Names are English where the package has them, so that `explain` does not depend on the machine's locale."""
    country, _, subdivision = code.partition("-")
    financial = country in package.list_supported_financial()
    make = package.financial_holidays if financial else package.country_holidays
    plain = make(country, subdivision or None, years=year, expand=False)
    for language in ("en_US", "en_GB", "en"):
        if language in plain.supported_languages:
            return make(country, subdivision or None, years=year, expand=False, language=language)
    return plain


def holidays_by_code(code: str) -> DaysOff:
    """Checks a code of the package. Raises HolidaysError."""
    country, dash, part = code.partition("-")
    countries, markets = package.list_supported_countries(include_aliases=True), package.list_supported_financial()
    if (country not in countries and country not in markets) or (dash and not part):
        raise HolidaysError(
            "is no code of the holidays package: write a country like GB, a part of it like GB-ENG, null for none, "
            "or the path of a file with one date a line"
        )
    if dash:
        known = package.list_supported_countries(include_aliases=False).get(country) or markets.get(country) or []
        try:
            _open(code, 2026)
        except NotImplementedError as error:
            some = ", ".join(f"{country}-{part}" for part in known[:8]) + (", …" if len(known) > 8 else "")
            raise HolidaysError(
                f"names no part of {country} that the holidays package has; "
                + (f"it has: {some}" if known else f"it has none: write {country}")
            ) from error
    return DaysOff(code=code)


def holidays_by_date(dates: Mapping[str, str | None]) -> DaysOff:
    """`{"2026-12-25": "Christmas Day", "+2026-02-14": "make-up"}`. Raises HolidaysError."""
    off: list[tuple[date, str]] = []
    make_up: list[date] = []
    for written, name in dates.items():
        day = _parse_date(written.removeprefix("+"))
        if written.startswith("+"):
            make_up.append(day)
        else:
            off.append((day, name or "day off"))
    return DaysOff(dates=tuple(sorted(off)), make_up=tuple(sorted(make_up)))


def read_holidays(text: str) -> dict[str, str]:
    """A holiday file: one ISO date a line, a text after it; `+` before a make-up working day; `#` begins a remark.

    Raises HolidaysError with every line that cannot be read.
    """
    dates: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (line := line.split("#")[0].strip()):
            continue
        written, _, name = line.partition(" ")
        try:
            _parse_date(written.removeprefix("+"))
        except HolidaysError as error:
            wrong.append(f"line {number} {error}")
            continue
        dates[written] = name.strip()
    if wrong:
        raise HolidaysError("; ".join(wrong[:20]))
    return dates


def _parse_date(text: str) -> date:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise HolidaysError("begins with no date: write it as 2026-12-25")
