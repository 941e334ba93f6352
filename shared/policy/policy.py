"""The policy as the services use it: read once, never changed, quick to ask."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path as File
from typing import Literal

import yaml
from pydantic import ValidationError

from shared.calendars import Calendar, DaysOff, Duration, HolidaysError
from shared.http.problem import described
from shared.policy.checks import days_off, doubts_in, mistakes_in
from shared.policy.form import (
    REASONS,
    Commitment,
    Deputies,
    Escalation,
    Executive,
    FollowUp,
    HearingRules,
    Helpers,
    PolicyFile,
    Region,
    Retention,
    Rung,
    When,
    Workload,
    names_at,
)
from shared.policy.reading import Lines, Path, PolicyError, read_yaml

_KEPT_TERMS = 10_000
#: what YAML calls lists and settings, for whoever wrote something else there
_FORMS = {
    "tuple_type": "must be a list, like [a, b]",
    "model_type": "must hold settings of its own, like {name: value}",
    "dict_type": "must hold settings of its own, like {name: value}",
    "string_type": "must be text: put it in quotes",
    "int_type": "must be a whole number",
}
_FIELDS = ("tier", "region", "product", "cause", "need", "channel")


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry's `when` is matched on."""

    tier: str | None = None
    region: str | None = None
    product: str | None = None
    cause: str | None = None
    need: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class Term:
    """The entry that applies for one kind of clock. `entry` is its place in the file's `clocks`, from 0."""

    kind: str
    within: Duration
    hours: Literal["business", "calendar"]
    warn_at: tuple[int, ...]
    entry: int
    when: Mapping[str, tuple[str, ...]]


#: how long a supervisor has to decide who follows an owner, where `clocks` has no entry for it
DECIDE_WITHIN = Term("succession", Duration(1, "d"), "business", (50, 75, 90), -1, {})


class Policy:
    """One version of the policy. Nothing in it changes, so it may be shared by everything in a process."""

    def __init__(self, file: PolicyFile, text: str, calendars: Mapping[str, Calendar], version: str | None = None):
        #: the file as it was read: for showing it; the services ask by the names below
        self.file = file
        self.version = version or file.version
        self.text = text
        #: (line, message) of what is more likely a slip than meant
        self.doubts: list[tuple[int, str]] = []
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        self.tiers, self.causes = file.tiers, file.causes
        self.confirmation, self.promises = file.confirmation, file.promises
        self.reopen_within, self.repeat_within, self.accept_late = (
            file.reopen_within,
            file.repeat_within,
            file.accept_late,
        )
        self.executives: tuple[Executive, ...] = file.executives
        #: addresses that are told by mail what the feed tells of executives who can't be reached
        self.supervisors: tuple[str, ...] = file.supervisors
        self.escalation: Escalation = _whole(file)
        self.follow_up: dict[str, FollowUp] = _visits(file)
        self.deputies: Deputies = file.deputies
        self.helpers: Helpers = file.helpers
        self.workload: Workload = file.workload
        self.commitments: tuple[Commitment, ...] = file.commitments
        self.retention: Retention = file.retention
        self.company_names, self.rival_names = file.company_names, file.rival_names
        self.hearing: HearingRules = file.hearing
        self._calendars = dict(calendars)
        #: the entries in order, each with what it asks for
        self.clocks = tuple((_when(clock.when), clock) for clock in file.clocks)
        named = {region for when, _ in self.clocks for region in when.get("region", ())}
        self._regions = named | set(calendars)
        self._terms: dict[Facts, tuple[Term, ...]] = {}
        self._people = {one.id: one for one in file.executives}

    def tier(self, given: str | None) -> str:
        """A tier of this policy: what is not one counts as the last."""
        return given if given in self.tiers else self.tiers[-1]

    def region(self, given: str | None) -> str:
        """A region that this policy knows, by hours of its own or in an entry's `when`; else `default`."""
        return given if given in self._regions else "default"

    def calendar(self, region: str) -> Calendar:
        """The hours of a region; those of `default` where it has none of its own."""
        return self._calendars[self.region_of_hours(region)]

    def region_of_hours(self, region: str) -> str:
        """The region whose hours and holidays count for a region."""
        return region if region in self._calendars else "default"

    def terms(self, facts: Facts) -> tuple[Term, ...]:
        """Of each kind of clock the first entry that fits."""
        found = self._terms.get(facts)
        if found is None:
            if len(self._terms) >= _KEPT_TERMS:
                self._terms.clear()
            found = self._terms[facts] = self._match(facts)
        return found

    def term(self, kind: str, facts: Facts) -> Term | None:
        """The entry that applies for one kind; of `succession` there is always one (a working day)."""
        found = next((term for term in self.terms(facts) if term.kind == kind), None)
        return DECIDE_WITHIN if found is None and kind == DECIDE_WITHIN.kind else found

    def executive(self, executive_id: str) -> Executive | None:
        """Somebody by id."""
        return self._people.get(executive_id)

    def at_level(self, level: int) -> Executive | None:
        """Who holds the role of a level; None where the ladder has no such level."""
        role = next((rung.role for rung in self.escalation.ladder if rung.level == level), None)
        return next((one for one in self.executives if one.role == role), None)

    def visit(self, tier: str) -> FollowUp | None:
        """The visit after a closing that a tier gets: its own, else that of the next tier below which has one."""
        below = self.tiers[self.tiers.index(tier) :] if tier in self.tiers else self.tiers[-1:]
        return next((self.follow_up[one] for one in below if one in self.follow_up), None)

    def renamed(self, version: str) -> Policy:
        """The same content under another name."""
        return parse_policy(self.text, version=version)

    def _match(self, facts: Facts) -> tuple[Term, ...]:
        found: dict[str, Term] = {}
        for entry, (when, clock) in enumerate(self.clocks):
            if clock.kind not in found and all(getattr(facts, name) in codes for name, codes in when.items()):
                found[clock.kind] = Term(clock.kind, clock.within, clock.hours, clock.warn_at, entry, when)
        return tuple(found.values())


def _visits(file: PolicyFile) -> dict[str, FollowUp]:
    """Where the file says nothing of visits: the best customers by the owner's superior, all others by the owner."""
    if "follow_up" in file.model_fields_set:
        return dict(file.follow_up)
    every = {file.tiers[-1]: FollowUp(after=Duration(14, "d"))}
    return every if len(file.tiers) == 1 else {file.tiers[0]: FollowUp(after=Duration(7, "d"), by="superior"), **every}


def _when(when: When) -> dict[str, tuple[str, ...]]:
    return {name: codes for name in _FIELDS if (codes := getattr(when, name)) is not None}


def _whole(file: PolicyFile) -> Escalation:
    """Without a ladder every role is a level, in the order in which the file names the people."""
    said = file.escalation
    ladder = said.ladder
    if not ladder:
        roles = list(dict.fromkeys(one.role for one in file.executives))
        within = ("4h", "8h", "1d")
        ladder = tuple(
            Rung(level=n, role=role, answer_within=Duration.parse(within[min(n, 3) - 1]))
            for n, role in enumerate(roles, 1)
        )
    top = ladder[-1].level
    levels = REASONS | {str(reason): level for reason, level in said.reasons.items()}
    reasons = {reason: min(level, top) for reason, level in levels.items()}
    return said.model_copy(update={"ladder": ladder, "reasons": reasons})


def parse_policy(text: str, *, beside: File | None = None, version: str | None = None) -> Policy:
    """Reads a policy; files of holidays are looked for `beside` it. Raises PolicyError with every mistake.

    `text` of the result holds everything, files of holidays included: a version that is kept needs nothing else.
    """
    data, lines, unread = read_yaml(text)
    mistakes = [(path, line, message) for path, line, message in unread]
    mistakes += [(path, lines.of(path), f"{_spoken(path)} {message}") for path, message in mistakes_in(data)]
    days = {"default": DaysOff()}
    expanded = False
    regions = data.get("regions")
    for name, given in regions.items() if isinstance(regions, dict) else ():
        path = ("regions", name, "holidays")
        try:
            days[name], dates = days_off(given.get("holidays") if isinstance(given, dict) else None, beside)
        except HolidaysError as error:
            mistakes.append((path, lines.of(path), f"{_spoken(path)} {error}"))
            continue
        if dates is not None:
            given["holidays"] = dates
            expanded = True
    try:
        file = PolicyFile.model_validate(data)
    except ValidationError as error:
        # what was told more closely, or could not be read at all, is not told again in general words
        told = {path[:n] for path, _, _ in mistakes for n in range(1, len(path) + 1)}
        mistakes += [one for one in _told(error, lines) if one[0] not in told]
    if mistakes:
        raise PolicyError(sorted({(line, message) for _, line, message in mistakes}))
    calendars = {name: Calendar(one.time_zone, one.hours, days[name]) for name, one in file.regions.items()}
    calendars.setdefault("default", Calendar(Region().time_zone, Region().hours))
    if expanded:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    policy = Policy(file, text, calendars, version)
    policy.doubts = sorted((lines.of(path), f"{_spoken(path)}: {message}") for path, message in doubts_in(file))
    return policy


def load_policy(path: File) -> Policy:
    """The policy in a file. Raises PolicyError with every mistake and its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError([(1, f"there is no file {path}")]) from None
    except UnicodeDecodeError as error:
        raise PolicyError([(error.object.count(b"\n", 0, error.start) + 1, "the file is not UTF-8")]) from None
    except OSError as error:
        raise PolicyError([(1, f"the file cannot be read: {error.strerror}")]) from None
    try:
        return parse_policy(text, beside=path.parent)
    except PolicyError as error:
        error.file = path
        raise


def _told(error: ValidationError, lines: Lines) -> list[tuple[Path, int, str]]:
    found = []
    for one in error.errors(include_url=False, include_input=False):
        path: Path = tuple(step for step in one["loc"] if step != "[key]")
        message = _FORMS.get(one["type"]) or described([one])[0]["message"]
        if one["type"] == "extra_forbidden":
            message = _not_known(str(path[-1]), names_at(path[:-1]))
        found.append((path, lines.of(path), f"{_spoken(path)} {message}"))
    return found


def _not_known(given: str, names: tuple[str, ...]) -> str:
    close = get_close_matches(given, names, 1)
    return "is not known here; " + (f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}")


def _spoken(path: Path) -> str:
    spoken = ""
    for step in path:
        spoken += f"[{step}]" if isinstance(step, int) else f".{step}" if spoken else str(step)
    return spoken or "the file"
