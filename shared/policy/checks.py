"""What one field cannot know: ids that come twice, names that nothing answers to, a ladder with a hole in it.

Mistakes are looked for in the file as it was read, before its form is known to be right: whoever mends a file wants to
hear all of it at once, so what has another form than expected is passed over here and told by the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path as File
from typing import Any, get_args

from shared.calendars import DaysOff, Duration, HolidaysError, holidays_by_code, holidays_by_date, read_holidays
from shared.calendars.week import WEEKDAYS, join_spans, parse_days, parse_span
from shared.fields import Invalid
from shared.policy.form import REASONS, PolicyFile
from shared.policy.reading import Path
from shared.policy.values import Need, moment, quiet_hours

_CHANNELS = ("phone", "email", "chat", "sms", "social", "web", "app", "in_person", "letter", "other")
_NEEDS: tuple[str, ...] = get_args(Need)

Mistake = tuple[Path, str]


def mistakes_in(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every contradiction of a file, with where it stands."""
    tiers = _tiers(data)
    yield from _twice([(("tiers", n), tier) for n, tier in enumerate(tiers or ())])
    for part, name in (("causes", "code"), ("executives", "id")):
        yield from _twice([((part, n, name), one.get(name)) for n, one in _entries(data, part)])
    for region, given in _named(data, "regions"):
        yield from _hours(given.get("hours"), ("regions", region, "hours"))
    yield from _clocks(data)
    yield from _conditions(data, tiers)
    yield from _ladder(data)
    yield from _helpers(data)
    yield from _people(data)
    for tier, _ in _named(data, "follow_up"):
        if tiers is not None and tier not in tiers:
            yield ("follow_up", tier), unknown("tier", tier, tiers)


def unknown(what: str, given: str, known: tuple[str, ...]) -> str:
    """What to say of a name that is none of the `known` ones: the one that was probably meant, or all."""
    if close := get_close_matches(given, known, 1):
        return f"is no {what} of this policy; did you mean {close[0]}?"
    return f"is no {what} of this policy" + (f"; there are: {', '.join(known)}" if known else "")


def _entries(data: Mapping[str, Any], *path: str) -> list[tuple[int, dict[str, Any]]]:
    given: Any = data
    for step in path:
        given = given.get(step) if isinstance(given, dict) else None
    return [(n, one) for n, one in enumerate(given) if isinstance(one, dict)] if isinstance(given, list) else []


def _named(data: Mapping[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    given = data.get(name)
    return [(key, one) for key, one in given.items() if isinstance(one, dict)] if isinstance(given, dict) else []


def _codes(given: Any) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return tuple(one for one in listed if isinstance(one, str))


def _tiers(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The tiers; None where the file gives something else, so that nothing can be held against them."""
    if "tiers" not in data:
        default: tuple[str, ...] = PolicyFile.model_fields["tiers"].default
        return default
    return _codes(data["tiers"]) if isinstance(data["tiers"], list) else None


def _twice(named: list[tuple[Path, Any]]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, name in named:
        if not isinstance(name, str):
            continue
        if name in seen:
            yield path, f"{name} is given twice"
        seen.add(name)


def _hours(given: Any, path: Path, *, may_be_empty: bool = False) -> Iterator[Mistake]:
    if not isinstance(given, dict):
        return
    whose: dict[int, str] = {}
    wrong = False
    open_days = 0
    for key, spans in given.items():
        if not isinstance(spans, list) or not all(isinstance(span, str) for span in spans):
            return
        here: list[Mistake] = []
        parsed = []
        for n, span in enumerate(spans):
            try:
                parsed.append(parse_span(span))
            except ValueError as error:
                here.append(((*path, key, n), str(error)))
        try:
            join_spans(parsed)
        except ValueError as error:
            here.append(((*path, key), f"has hours of which {error}"))
        try:
            for day in parse_days(key):
                if day in whose:
                    here.append(((*path, key), f"gives {WEEKDAYS[day]} again, which {whose[day]} gives already"))
                whose[day] = key
        except ValueError as error:
            here.append(((*path, key), str(error)))
        yield from here
        wrong = wrong or bool(here)
        open_days += len(parsed)
    if not open_days and not wrong and not may_be_empty:
        yield path, "is never open: nothing would ever become due; write at least one day with hours"


def _clocks(data: Mapping[str, Any]) -> Iterator[Mistake]:
    for n, clock in _entries(data, "clocks"):
        warn_at = clock.get("warn_at")
        yield from _by_the_week(clock, clock.get("within"), ("clocks", n, "within"))
        percents = [one for one in warn_at if type(one) is int] if isinstance(warn_at, list) else []
        if sorted(set(percents)) != percents:
            yield ("clocks", n, "warn_at"), "must be in ascending order, each once"


def _by_the_week(part: Mapping[str, Any], given: Any, path: Path) -> Iterator[Mistake]:
    if part.get("hours", "business") != "business" or not isinstance(given, str):
        return
    try:
        weeks = Duration.parse(given).unit in ("w", "y")
    except ValueError:
        return
    if weeks:
        yield path, "cannot be counted in business hours by the week: write it in d or h"


def _helpers(data: Mapping[str, Any]) -> Iterator[Mistake]:
    helpers = data.get("helpers")
    if not isinstance(helpers, dict):
        return
    yield from _by_the_week(helpers, helpers.get("answer_within"), ("helpers", "answer_within"))
    reminders = helpers.get("remind_after")
    for n, after in enumerate(reminders if isinstance(reminders, list) else ()):
        yield from _by_the_week(helpers, after, ("helpers", "remind_after", n))


def _conditions(data: Mapping[str, Any], tiers: tuple[str, ...] | None) -> Iterator[Mistake]:
    # a region without hours of its own keeps those of `default`, so any code may stand in `when`
    known = {
        "cause": tuple(one["code"] for _, one in _entries(data, "causes") if isinstance(one.get("code"), str)),
        "need": _NEEDS,
        "channel": _CHANNELS,
    }
    if tiers is not None:
        known["tier"] = tiers
    reached: dict[str, int] = {}
    for n, clock in _entries(data, "clocks"):
        kind, when = clock.get("kind"), clock.get("when", {})
        if not isinstance(kind, str) or not isinstance(when, dict):
            continue
        for field, choices in known.items():
            for code in _codes(when.get(field)):
                if code not in choices:
                    yield ("clocks", n, "when", field), unknown(field, code, choices)
        if kind in reached:
            yield (
                ("clocks", n),
                f"never applies: the entry before it for {kind} (clocks[{reached[kind]}]) has no `when` "
                "and so takes everything",
            )
        elif all(choice is None for choice in when.values()):
            reached[kind] = n


def _ladder(data: Mapping[str, Any]) -> Iterator[Mistake]:
    roles = {one["role"] for _, one in _entries(data, "executives") if isinstance(one.get("role"), str)}
    ladder = _entries(data, "escalation", "ladder")
    for n, rung in ladder:
        if type(rung.get("level")) is int and rung["level"] != n + 1:
            yield ("escalation", "ladder", n, "level"), f"must be {n + 1}: levels count from 1 without a gap"
    if ladder and roles and not any(rung.get("role") in roles for _, rung in ladder):
        yield ("escalation", "ladder"), f"no executive has any of its roles; there are: {', '.join(sorted(roles))}"
    escalation = data.get("escalation")
    reasons = escalation.get("reasons") if isinstance(escalation, dict) else None
    for reason, level in reasons.items() if isinstance(reasons, dict) else ():
        if reason not in REASONS:
            yield ("escalation", "reasons", reason), unknown("reason", reason, tuple(REASONS))
        elif ladder and type(level) is int and level > len(ladder):
            yield ("escalation", "reasons", reason), f"is above the ladder, which ends at level {len(ladder)}"


def _people(data: Mapping[str, Any]) -> Iterator[Mistake]:
    for n, one in _entries(data, "executives"):
        if isinstance(one.get("id"), str) and one["id"] in _codes(one.get("delegates")):
            yield ("executives", n, "delegates"), "names the person itself"
        for m, absence in _entries(one, "absences"):
            try:
                start, until = (moment(absence.get(name)) for name in ("from", "until"))
            except Invalid:
                continue  # told by the form
            if _at_night(until) < _at_night(start):
                yield ("executives", n, "absences", m), "ends before it begins"
        quiet = one.get("quiet_hours")
        if isinstance(quiet, dict):
            yield from _hours(quiet, ("executives", n, "quiet_hours"), may_be_empty=True)
        if _always(quiet):
            yield ("executives", n, "quiet_hours"), "never end: no mail could be handed over"


def _at_night(given: date | datetime) -> datetime:
    wall = given if isinstance(given, datetime) else datetime.combine(given, time())
    return wall.replace(tzinfo=None)


def _always(quiet: Any) -> bool:
    try:
        week = quiet_hours(quiet)
    except Invalid:
        return False  # told by the form
    return all(spans == ((0, 1440),) for spans in week)


#: kinds that other parts of the file speak of
_KEPT_ELSEWHERE = {
    "executive_answer": "answer_within of each level of escalation.ladder",
    "confirmation": "confirmation.silent_after",
}


def doubts_in(file: PolicyFile) -> Iterator[Mistake]:
    """What can be meant, and is more likely a slip: no reason to refuse the file (`Policy.doubts`)."""
    roles = {one.role for one in file.executives}
    for n, rung in enumerate(file.escalation.ladder):
        if rung.role not in roles:
            yield ("escalation", "ladder", n, "role"), f"nobody has the role {rung.role}: the level is passed over"
    people = {one.id for one in file.executives}
    for n, one in enumerate(file.executives):
        if one.absences and not people & set(one.delegates):
            yield ("executives", n, "absences"), "nobody stands in: the next person is asked while they are away"
        for delegate in one.delegates:
            if delegate not in people:
                yield (
                    ("executives", n, "delegates"),
                    f"{delegate} is no executive of this policy: may answer as a delegate, and gets no mail",
                )
    for n, clock in enumerate(file.clocks):
        for region in clock.when.region or ():
            if region != "default" and region not in file.regions:
                yield ("clocks", n, "when", "region"), f"{region} has no hours of its own: those of default apply"
        if (instead := _KEPT_ELSEWHERE.get(clock.kind)) is not None:
            yield ("clocks", n, "kind"), f"{clock.kind} starts no clock here: {instead} says how long it may take"
    silent = file.confirmation.silent_after
    for n, after in enumerate(file.confirmation.remind_after):
        if after.rough_seconds >= silent.rough_seconds:
            yield ("confirmation", "remind_after", n), f"never comes: silence closes after {silent}"


def days_off(given: Any, beside: File | None) -> tuple[DaysOff, dict[str, str] | None]:
    """A region's holidays, and, where they came from a file, its dates. Raises HolidaysError with our own words."""
    if given is None:
        return DaysOff(), None
    if isinstance(given, dict) and all(name is None or isinstance(name, str) for name in given.values()):
        return holidays_by_date(given), None
    if not isinstance(given, str):  # NO without quotes is YAML for false
        raise HolidaysError('must be a code or a file in quotes like "GB", dates one by one, or null for none')
    if beside is not None and ("/" in given or "." in given):
        try:
            dates = read_holidays((beside / given).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            if isinstance(error, HolidaysError):
                raise
            raise HolidaysError("is a file that cannot be read") from None
        return holidays_by_date(dates), dates
    return holidays_by_code(given), None
