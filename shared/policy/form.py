"""The form of the policy file, field by field, with what holds where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, ConfigDict, Field, SkipValidation

from shared.calendars import Duration, Week, parse_nights, parse_week
from shared.fields import Body, Ident, Invalid, Text, is_email


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


def _quiet(value: Any) -> Week:
    """Every day alike, spans of which may go over midnight; or by weekday, as regions give their hours."""
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
Lines = Annotated[tuple[Line, ...], BeforeValidator(_tuple)]
Need = Literal["must_have", "attractor", "nice_to_have"]


class Part(Body):
    """A part of the file: unknown names are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class Region(Part):
    """When doors are open. `holidays`: a code, the path of a file, dates one by one, or null for none."""

    time_zone: Zone = "UTC"
    hours: Annotated[Week, BeforeValidator(_hours)] = parse_week({"mon-fri": ["09:00-18:00"]})
    # its form is told by `days_off`, in words for people: a choice of types is told once for each
    holidays: Annotated[str | dict[str, str | None] | None, SkipValidation] = None


class CauseEntry(Part):
    """A cause of trouble, and the words by which it is heard: language -> words."""

    code: Code
    product: Code | None = None
    need: Need | None = None
    words: dict[Literal["en", "zh"], Lines] = Field(default_factory=dict)
    examples: dict[Literal["en", "zh"], Lines] = Field(default_factory=dict)


class Rule(Part):
    """A cue or guard of this company's own, as the shipped ones are written; a guard names what it `stops`."""

    name: Code
    matter: Literal["departure", "repeat"] = "departure"
    language: Literal["en", "zh"] = "en"
    kind: Code = "announced"
    says: Line | None = None
    points: Annotated[float, Field(ge=-5, le=5, allow_inf_nan=False, strict=False)] | None = None
    any: Annotated[Lines, Field(min_length=1)]
    unless: Codes = ()
    stops: Codes = ()


class HearingRules(Part):
    """What is heard otherwise than shipped: rules that are switched off by name, and rules that are added."""

    switched_off: Codes = ()
    added: Annotated[tuple[Rule, ...], BeforeValidator(_tuple)] = ()


class When(Part):
    """What a complaint must be for an entry to apply: each field one code or a list of them."""

    tier: Choice | None = None
    region: Choice | None = None
    product: Choice | None = None
    cause: Choice | None = None
    need: Choice | None = None
    channel: Choice | None = None


class Clock(Part):
    """One entry of `clocks`."""

    kind: Line
    within: Lasting
    hours: Literal["business", "calendar"] = "business"
    when: When = When()
    warn_at: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], BeforeValidator(_tuple)] = (50, 75, 90)


class Confirmation(Part):
    """When a customer who was answered is reminded, and when their silence closes."""

    remind_after: Annotated[tuple[Lasting, ...], BeforeValidator(_tuple)] = (Duration(3, "d"), Duration(7, "d"))
    silent_after: Lasting = Duration(14, "d")


class Worth(Part):
    """An amount of money."""

    amount: Annotated[Decimal, BeforeValidator(lambda v: _decimal(v))]
    currency: Annotated[str, BeforeValidator(_currency)]


def _decimal(value: Any) -> Decimal:
    text = str(value) if type(value) in (int, float, str) else ""
    if not re.fullmatch(r"\d{1,15}(\.\d{1,4})?", text, re.ASCII):
        raise Invalid('must be an amount like "100000"')
    return Decimal(text)


class Rung(Part):
    """One level of the ladder."""

    level: Annotated[int, Field(ge=1, le=20)]
    role: Code
    answer_within: Lasting
    repeat_every: Lasting | None = None


class MailBudget(Part):
    """How many mails one person gets at most, digests included."""

    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 1
    per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 10


REASONS = {
    "clock_breached": 1,
    "unowned": 1,
    "asked": 1,
    "repeat": 2,
    "departure_threat": 2,
    "promise_broken": 2,
    "value_at_stake": 3,
}


class Telling(Part):
    """How long an owner has to tell a customer in person what no mail could bring, and how often people are reminded
    after that, for ever."""

    within: Lasting = Duration(1, "d")
    remind_every: Lasting = Duration(1, "d")


class Escalation(Part):
    """Which reason begins at which level, the ladder, and how its mails are sent."""

    reasons: dict[str, Annotated[int, Field(ge=1, le=20)]] = Field(default_factory=dict)
    value_at_stake_over: Worth | None = None
    ladder: Annotated[tuple[Rung, ...], BeforeValidator(_tuple)] = ()
    mail_budget: MailBudget = MailBudget()
    mail_retry_after: Annotated[tuple[Lasting, ...], BeforeValidator(_tuple), Field(min_length=1)] = (
        Duration(1, "m"),
        Duration(5, "m"),
        Duration(15, "m"),
        Duration(30, "m"),
    )
    tell: Telling = Telling()


class Absence(Part):
    """When somebody is away, by the wall clock of their zone. A day without a time is away as a whole: the last too."""

    start: Annotated[date | datetime, BeforeValidator(moment), Field(alias="from")]
    until: Annotated[date | datetime, BeforeValidator(moment)]


class Executive(Part):
    """Somebody who answers for the company. While they are absent their delegates are written to; mails wait out their
    quiet hours where that leaves time to answer, and clocks never do."""

    id: Code
    name: Line
    email: Annotated[str, BeforeValidator(_email)]
    role: Code
    time_zone: Zone = "UTC"
    locale: Code | None = None
    delegates: Codes = ()
    absences: Annotated[tuple[Absence, ...], BeforeValidator(_tuple)] = ()
    quiet_hours: Annotated[Week, BeforeValidator(_quiet)] = ((),) * 7


class Promises(Part):
    """How long a promise is watched, and how long before its due time an action is chased."""

    watch_for: Lasting = Duration(180, "d")
    chase_before: Span = Duration(3, "d")


class FollowUp(Part):
    """A visit after closing."""

    after: Span
    by: Literal["superior", "owner"] = "owner"


class Deputies(Part):
    """Who stands in, unasked, for an owner who cannot act: looked for in the order of `choose`, none if it is empty.

    `when` says which absences count; off shift counts where somebody is `needed`: something falls due before the owner
    is back, or the customer speaks. A turn ends after `at_most` at the latest, and then the next is chosen.
    """

    choose: Annotated[tuple[Literal["superior", "colleague"], ...], BeforeValidator(_tuple)] = ("superior", "colleague")
    when: Annotated[tuple[Literal["inactive", "absent", "off_shift"], ...], BeforeValidator(_tuple)] = (
        "inactive",
        "absent",
        "off_shift",
    )
    off_shift: Literal["needed", "always"] = "needed"
    at_most: Lasting = Duration(14, "d")


class Helpers(Part):
    """When a helper is reminded of a question, and when it goes back unanswered to whoever asked."""

    remind_after: Annotated[tuple[Lasting, ...], BeforeValidator(_tuple)] = (Duration(4, "h"),)
    answer_within: Lasting = Duration(1, "d")
    hours: Literal["business", "calendar"] = "business"


class Workload(Part):
    """More open complaints than this are shown to the supervisor; nothing is taken from the owner."""

    open_at_most: Annotated[int, Field(ge=1, le=1_000_000)] = 40


class Commitment(Part):
    """A promise published to all customers."""

    condition: Line
    expect: Line
    redress: Line | None = None


class Retention(Part):
    """How long things are kept."""

    closed: Lasting = Duration(6, "y")
    texts: Lasting = Duration(2, "y")


def _default_clocks() -> tuple[Clock, ...]:
    terms = {"claim": "15m", "acknowledgement": "1h", "first_response": "4h", "next_update": "1d", "final_answer": "5d"}
    return tuple(Clock(kind=kind, within=Duration.parse(within)) for kind, within in terms.items())


class PolicyFile(Part):
    """The whole file."""

    version: Annotated[Line, BeforeValidator(_version)] = "1"
    regions: dict[Code, Region] = Field(default_factory=dict)
    tiers: Annotated[tuple[Code, ...], BeforeValidator(_tuple), Field(min_length=1)] = ("gold", "silver", "standard")
    causes: Annotated[tuple[CauseEntry, ...], BeforeValidator(_tuple)] = ()
    clocks: Annotated[tuple[Clock, ...], BeforeValidator(_tuple)] = Field(default_factory=_default_clocks)
    confirmation: Confirmation = Confirmation()
    reopen_within: Span = Duration(90, "d")
    repeat_within: Span = Duration(90, "d")
    accept_late: Span = Duration(1, "d")
    escalation: Escalation = Escalation()
    executives: Annotated[tuple[Executive, ...], BeforeValidator(_tuple), Field(min_length=1)]
    supervisors: Annotated[tuple[Annotated[str, BeforeValidator(_email)], ...], BeforeValidator(_tuple)] = ()
    promises: Promises = Promises()
    follow_up: dict[Code, FollowUp] = Field(default_factory=dict)
    deputies: Deputies = Deputies()
    helpers: Helpers = Helpers()
    workload: Workload = Workload()
    commitments: Annotated[tuple[Commitment, ...], BeforeValidator(_tuple)] = ()
    retention: Retention = Retention()
    company_names: Lines = ()
    rival_names: Lines = ()
    hearing: HearingRules = HearingRules()


def names_at(path: Sequence[str | int]) -> tuple[str, ...]:
    """The names that may stand in the part of the file at `path`."""
    part: type[Part] = PolicyFile
    for step in path:
        field = part.model_fields.get(step) if isinstance(step, str) else None
        part = (_part_in(field.annotation) if field else None) or part
    return tuple(field.alias or name for name, field in part.model_fields.items())


def _part_in(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for one in get_args(annotation) if (found := _part_in(one))), None)
