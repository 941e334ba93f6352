"""The form of the policy file, field by field, with what holds where nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, SkipValidation

from shared.calendars import Duration, parse_week
from shared.fields import Body
from shared.policy.values import (
    Amount,
    Choice,
    Code,
    Codes,
    Currency,
    Email,
    Hours,
    Lasting,
    Line,
    Lines,
    Listed,
    Moment,
    Need,
    QuietHours,
    Span,
    Version,
    Zone,
)


class Part(Body):
    """A part of the file: unknown names are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class Region(Part):
    """When doors are open. `holidays`: a code, the path of a file, dates one by one, or null for none."""

    time_zone: Zone = "UTC"
    hours: Hours = parse_week({"mon-fri": ["09:00-18:00"]})
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
    added: Annotated[tuple[Rule, ...], Listed] = ()
    #: where a second opinion is asked for, if there is an endpoint to ask
    second_opinion: Annotated[
        tuple[Literal["possible_threat", "unsure_complaint", "unknown_language"], ...], Listed
    ] = ("possible_threat", "unsure_complaint", "unknown_language")


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
    warn_at: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Listed] = (50, 75, 90)


class Confirmation(Part):
    """When a customer who was answered is reminded, and when their silence closes."""

    remind_after: Annotated[tuple[Lasting, ...], Listed] = (Duration(3, "d"), Duration(7, "d"))
    silent_after: Lasting = Duration(14, "d")


class Worth(Part):
    """An amount of money."""

    amount: Amount
    currency: Currency


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
    ladder: Annotated[tuple[Rung, ...], Listed] = ()
    mail_budget: MailBudget = MailBudget()
    mail_retry_after: Annotated[tuple[Lasting, ...], Listed, Field(min_length=1)] = (
        Duration(1, "m"),
        Duration(5, "m"),
        Duration(15, "m"),
        Duration(30, "m"),
    )
    tell: Telling = Telling()


class Absence(Part):
    """When somebody is away, by the wall clock of their zone. A day without a time is away as a whole: the last too."""

    start: Annotated[Moment, Field(alias="from")]
    until: Moment


class Executive(Part):
    """Somebody who answers for the company. While they are absent their delegates are written to; mails wait out their
    quiet hours where that leaves time to answer, and clocks never do."""

    id: Code
    name: Line
    email: Email
    role: Code
    time_zone: Zone = "UTC"
    locale: Code | None = None
    delegates: Codes = ()
    absences: Annotated[tuple[Absence, ...], Listed] = ()
    quiet_hours: QuietHours = ((),) * 7


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

    choose: Annotated[tuple[Literal["superior", "colleague"], ...], Listed] = ("superior", "colleague")
    when: Annotated[tuple[Literal["inactive", "absent", "off_shift"], ...], Listed] = (
        "inactive",
        "absent",
        "off_shift",
    )
    off_shift: Literal["needed", "always"] = "needed"
    at_most: Lasting = Duration(14, "d")


class Helpers(Part):
    """When a helper is reminded of a question, and when it goes back unanswered to whoever asked."""

    remind_after: Annotated[tuple[Lasting, ...], Listed] = (Duration(4, "h"),)
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

    version: Version = "1"
    regions: dict[Code, Region] = Field(default_factory=dict)
    tiers: Annotated[tuple[Code, ...], Listed, Field(min_length=1)] = ("gold", "silver", "standard")
    causes: Annotated[tuple[CauseEntry, ...], Listed] = ()
    clocks: Annotated[tuple[Clock, ...], Listed] = Field(default_factory=_default_clocks)
    confirmation: Confirmation = Confirmation()
    reopen_within: Span = Duration(90, "d")
    repeat_within: Span = Duration(90, "d")
    accept_late: Span = Duration(1, "d")
    escalation: Escalation = Escalation()
    executives: Annotated[tuple[Executive, ...], Listed, Field(min_length=1)]
    supervisors: Annotated[tuple[Email, ...], Listed] = ()
    promises: Promises = Promises()
    follow_up: dict[Code, FollowUp] = Field(default_factory=dict)
    deputies: Deputies = Deputies()
    helpers: Helpers = Helpers()
    workload: Workload = Workload()
    commitments: Annotated[tuple[Commitment, ...], Listed] = ()
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
