"""What one field cannot know: ids that come twice, names that nothing answers to, a ladder with a hole in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File

from shared.calendars import DaysOff, HolidaysError, holidays_by_code, holidays_by_date, read_holidays
from shared.policy.form import PolicyFile, Region
from shared.policy.reading import Path

_CHANNELS = ("phone", "email", "chat", "sms", "social", "web", "app", "in_person", "letter", "other")
_NEEDS = ("must_have", "attractor", "nice_to_have")

Mistake = tuple[Path, str]


def mistakes_in(file: PolicyFile) -> Iterator[Mistake]:
    """Every contradiction of a file whose fields are well-formed, with where it stands."""
    yield from _twice([(("tiers", n), tier) for n, tier in enumerate(file.tiers)])
    yield from _twice([(("causes", n, "code"), cause.code) for n, cause in enumerate(file.causes)])
    yield from _twice([(("executives", n, "id"), one.id) for n, one in enumerate(file.executives)])
    yield from _conditions(file)
    yield from _ladder(file)
    for n, one in enumerate(file.executives):
        if one.id in one.delegates:
            yield ("executives", n, "delegates"), "names the person itself"
    for tier in file.follow_up:
        if tier not in file.tiers:
            yield ("follow_up", tier), _unknown("tier", file.tiers)


def _twice(named: list[tuple[Path, str]]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield path, f"{name} is given twice"
        seen.add(name)


def _unknown(what: str, known: tuple[str, ...]) -> str:
    return f"is no {what} of this policy; there are: {', '.join(known)}" if known else f"is no {what} of this policy"


def _conditions(file: PolicyFile) -> Iterator[Mistake]:
    # a region without hours of its own keeps those of `default`, so any code may stand in `when`
    known = {
        "tier": file.tiers,
        "cause": tuple(cause.code for cause in file.causes),
        "need": _NEEDS,
        "channel": _CHANNELS,
    }
    reached: dict[str, int] = {}
    for n, clock in enumerate(file.clocks):
        for field, choices in known.items():
            for code in getattr(clock.when, field) or ():
                if code not in choices:
                    yield ("clocks", n, "when", field), _unknown(field, choices)
        if clock.kind in reached:
            yield (
                ("clocks", n),
                f"never applies: the entry before it for {clock.kind} (clocks[{reached[clock.kind]}]) has no `when` "
                "and so takes everything",
            )
        if not clock.when.model_fields_set:
            reached.setdefault(clock.kind, n)


def _ladder(file: PolicyFile) -> Iterator[Mistake]:
    roles = {one.role for one in file.executives}
    last = 0
    for n, rung in enumerate(file.escalation.ladder):
        if rung.level != last + 1:
            yield ("escalation", "ladder", n, "level"), f"must be {last + 1}: levels count from 1 without a gap"
        last = rung.level
    if last and not any(rung.role in roles for rung in file.escalation.ladder):
        yield ("escalation", "ladder"), f"no executive has any of its roles; there are: {', '.join(sorted(roles))}"
    if last:
        for reason, level in file.escalation.reasons.items():
            if level > last:
                yield ("escalation", "reasons", reason), f"is above the ladder, which ends at level {last}"


def doubts_in(file: PolicyFile) -> Iterator[Mistake]:
    """What can be meant, and is more likely a slip: said by `policy check`, and no reason to refuse the file."""
    roles = {one.role for one in file.executives}
    for n, rung in enumerate(file.escalation.ladder):
        if rung.role not in roles:
            yield (
                ("escalation", "ladder", n, "role"),
                f"nobody has the role {rung.role}: the level is passed over",
            )
    people = {one.id for one in file.executives}
    for n, one in enumerate(file.executives):
        for delegate in one.delegates:
            if delegate not in people:
                yield (
                    ("executives", n, "delegates"),
                    f"{delegate} is no executive of this policy: may answer as a delegate, and gets no mail",
                )


def days_off(region: Region, beside: File | None) -> tuple[DaysOff, dict[str, str] | None]:
    """A region's holidays, and, where they came from a file, its dates. Raises HolidaysError with our own words."""
    given = region.holidays
    if given is None:
        return DaysOff(), None
    if isinstance(given, dict):
        return holidays_by_date(given), None
    if beside is not None and ("/" in given or "." in given):
        try:
            dates = read_holidays((beside / given).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise HolidaysError("is a file that cannot be read") from None
        return holidays_by_date(dates), dates
    return holidays_by_code(given), None
