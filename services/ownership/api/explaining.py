"""How a due time came about, in data and in words; and how it would have under another version of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from services.ownership.domain import Clock, Complaint
from services.ownership.domain.clocks import (
    CONFIRMATION,
    EXECUTIVE_ANSWER,
    FOLLOW_UP,
    NEXT_UPDATE,
    SUCCESSION,
    at_opening,
    facts_of,
    start_of,
)
from shared.calendars import Calendar, due_at, explain
from shared.http import Problem
from shared.policy import Choice, Facts, Policies, Policy, chosen

from . import explaining_executives as executives
from .explaining_visits import visit

#: what of a complaint's timeline is read for it
EXPLAIN_TYPES: Final = ("complaint.paused", "complaint.resumed", executives.ASKED)
_TOLD: Final = "The customer was told to hear again by then; that takes the place of the policy's term."
_MERGED: Final = "It was promised on a complaint that was merged into this one: of two clocks the stricter is owed."
_SUPPOSED: Final = ", had it been in force when the complaint was opened"


@dataclass(frozen=True, slots=True)
class _Pause:
    since: datetime
    until: datetime
    #: None while it lasts
    ended_at: datetime | None
    ended_by: str | None
    by: str | None
    why: str | None


def explained(state: Complaint, policies: Policies, told: Sequence[dict[str, Any]], kind: str | None) -> dict[str, Any]:
    """Every run of the clock `kind` (all, if None) with what was counted; raises 404 for a clock it has not."""
    clocks = [clock for clock in state.clocks if kind is None or clock.kind == kind]
    if not clocks:
        raise _no_such_clock(clock.kind for clock in state.clocks)
    policy, facts, pauses = policies.of(state.policy_version), facts_of(state), _pauses(told)
    frozen = _Frame(state, policy, policy, facts, policy.calendar(state.region), pauses, policies, told)
    return {**_head(state, policy, facts, state.region), "clocks": [_as_it_is(frozen, clock) for clock in clocks]}


def supposed(
    state: Complaint, policies: Policies, other: Policy, told: Sequence[dict[str, Any]], kind: str | None
) -> dict[str, Any]:
    """The same, had the complaint been opened under `other`; each clock says how far its due time would differ."""
    facts = _facts_under(state, other)
    assert facts.region is not None
    own = policies.of(state.policy_version)
    frame = _Frame(state, own, other, facts, other.calendar(facts.region), _pauses(told), policies, told)
    clocks = [_as_it_would_be(frame, clock) for clock in state.clocks if kind is None or clock.kind == kind]
    there = {clock.kind for clock in state.clocks}
    for term in other.terms(facts):
        new = term.kind not in there and at_opening(term.kind) and (term.kind != "claim" or state.owner_id is None)
        if new and kind in (None, term.kind):
            clocks.append(_that_is_new(frame, term.kind))
    if not clocks:
        raise _no_such_clock([*there, *(term.kind for term in other.terms(facts))])
    return {**_head(state, other, facts, facts.region), "what_if": other.version, "clocks": clocks}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every clock of one explanation is looked at with."""

    state: Complaint
    #: the policy under which the complaint was opened, and the one that is asked about
    own: Policy
    policy: Policy
    facts: Facts
    calendar: Calendar
    pauses: Sequence[_Pause]
    policies: Policies
    #: what of the timeline is read for it
    told: Sequence[dict[str, Any]]


def _no_such_clock(kinds: Any) -> Problem:
    detail = "The complaint has no clock of this kind."
    return Problem(404, "no-such-clock", "No such clock", detail, clocks=sorted(set(kinds)))


def _facts_under(state: Complaint, other: Policy) -> Facts:
    was = facts_of(state)
    return Facts(
        tier=other.tier(state.tier),
        region=other.region(state.region),
        product=was.product,
        cause=was.cause,
        need=was.need,
        channel=was.channel,
    )


def _head(state: Complaint, policy: Policy, facts: Facts, region: str) -> dict[str, Any]:
    calendar = policy.calendar(region)
    days = calendar.days_off
    return {
        "complaint_id": state.id,
        "reference": state.reference,
        "policy_version": policy.version,
        "tier": facts.tier,
        "region": region,
        "facts": {name: getattr(facts, name) for name in ("tier", "region", "product", "cause", "need", "channel")},
        "calendar": {
            "region": policy.region_of_hours(region),
            "time_zone": calendar.time_zone,
            "holidays": days.code or (f"{len(days.dates)} dates" if days.dates else None),
        },
    }


def _pauses(told: Sequence[dict[str, Any]]) -> list[_Pause]:
    found: list[_Pause] = []
    begun: dict[str, Any] | None = None
    for event in told:
        if event["type"] == "complaint.paused":
            begun = event
        elif event["type"] == "complaint.resumed" and begun is not None:
            found.append(_pause(begun, event))
            begun = None
    return found if begun is None else [*found, _pause(begun, None)]


def _pause(begun: dict[str, Any], ended: dict[str, Any] | None) -> _Pause:
    since, until = (datetime.fromisoformat(begun["data"][name]) for name in ("at", "until"))
    ended_at = None if ended is None else datetime.fromisoformat(ended["data"]["at"])
    return _Pause(
        since,
        until,
        ended_at,
        None if ended is None else ended["data"]["because"],
        begun["by"],
        begun["why"],
    )


def _during(frame: _Frame, clock: Clock) -> list[_Pause]:
    """The pauses that ended while this run was owed: those after its end moved nothing any more."""
    if clock.kind == SUCCESSION:  # owed to us, and held by no pause
        return []
    end = clock.met_at or clock.stopped_at
    return [
        one
        for one in frame.pauses
        if one.ended_at is not None and one.ended_at > clock.started_at and (end is None or one.ended_at <= end)
    ]


def _run(clock: Clock) -> dict[str, Any]:
    return {
        "kind": clock.kind,
        "cycle": clock.cycle,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "hours": clock.hours,
        "paused_seconds": clock.paused_seconds,
        "warnings": [{"percent": percent, "at": at} for percent, at in clock.warnings],
        "met_at": clock.met_at,
        "breached_at": clock.breached_at,
        "stopped_at": clock.stopped_at,
    }


def _as_it_is(frame: _Frame, clock: Clock) -> dict[str, Any]:
    told: dict[str, Any] = _run(clock)
    if clock.kind == CONFIRMATION:
        silent = frame.policy.confirmation.silent_after
        asked = f"The customer is asked until {silent.words} after the answer; without a word it is closed as silent."
        return {**told, "words": [asked]}
    if clock.kind == EXECUTIVE_ANSWER:
        return {**told, **executives.executive(clock, frame.told, frame.policies)}
    if clock.kind == FOLLOW_UP:
        return {**told, "words": visit(frame.state, clock, frame.policy, frame.facts)[1]}
    choice = chosen(frame.policy, frame.facts, clock.kind)
    if choice.term is None:
        return {**told, "words": [*([_TOLD] if _was_told(frame, clock) else []), choice.words(frame.policy.version)]}
    counted = _counted(frame, choice, clock, clock.started_at)
    if counted["counted"]["due"] != clock.due_at:
        return {**told, "words": _otherwise(frame, clock, counted["counted"]["due"])}
    words = [
        choice.words(frame.policy.version, ", frozen when the complaint was opened"),
        *_started(frame, clock),
        *counted.pop("words"),
        *_lasting(frame, clock),
    ]
    return {**told, **counted, "words": words}


def _was_told(frame: _Frame, clock: Clock) -> bool:
    """Whether the customer was told when to hear again: then no policy's term counts."""
    if clock.kind != NEXT_UPDATE or clock.hours != "calendar":
        return False
    own = frame.own
    term = own.term(NEXT_UPDATE, facts_of(frame.state))
    if term is None or term.hours != "calendar":
        return True
    return due_at(clock.started_at, term.within, "calendar", own.calendar(frame.state.region)) != clock.due_at


def _otherwise(frame: _Frame, clock: Clock, counted_now: datetime) -> list[str]:
    if _was_told(frame, clock):
        return [_TOLD]
    if frame.state.took_in:
        return [_MERGED]
    # a calendar of holidays that a later release knows better: what was told to the customer stands
    return [f"Counted with the calendars of today it would be {counted_now.isoformat()}; what was promised stands."]


def _counted(frame: _Frame, choice: Choice, clock: Clock, start: datetime) -> dict[str, Any]:
    term, pauses = choice.term, _during(frame, clock)
    assert term is not None
    spans = [(max(one.since, start), one.ended_at) for one in pauses if one.ended_at is not None]
    told = explain(start, term.within, term.hours, frame.calendar, spans)
    moved = dict(zip(sorted(spans), told.pauses, strict=True))
    return {
        "term": {
            "entry": term.entry,
            "when": dict(term.when),
            "within": str(term.within),
            "hours": term.hours,
            "warn_at": list(term.warn_at),
            "because": list(choice.because),
            "passed_over": [
                {"entry": one.entry, "within": one.within, "hours": one.hours, "because": list(one.because)}
                for one in choice.passed_over
            ],
        },
        "counted": told.model_dump() | {"words": list(told.words)},
        "pauses": [
            {**asdict(one), "counted_seconds": moved[span].counted_seconds, "due_after": moved[span].due_after}
            for one, span in zip(pauses, spans, strict=True)
        ],
        "words": list(told.words),
    }


def _started(frame: _Frame, clock: Clock) -> list[str]:
    if clock.kind == NEXT_UPDATE or clock.cycle > 1 or not at_opening(clock.kind):
        return []
    if clock.started_at > frame.state.first_contact_at:
        late = frame.policy.accept_late.words
        if frame.state.took_in:
            return [_MERGED]
        if frame.state.split_from is not None:
            return [f"Its contacts were made longer ago than the policy accepts ({late}): it started as it was split."]
        return [f"The contact arrived later than the policy accepts ({late}), so the clock started at its receipt."]
    return ["The clock started when the customer spoke."]


def _lasting(frame: _Frame, clock: Clock) -> list[str]:
    lasting = next((one for one in frame.pauses if one.ended_at is None), None)
    if lasting is None or not clock.running or clock.breached_at is not None or clock.hours == "calendar":
        return []
    since, until = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (lasting.since, lasting.until))
    return [f"It is paused since {since}, at the latest until {until}: the due time will move by what is paused."]


def _as_it_would_be(frame: _Frame, clock: Clock) -> dict[str, Any]:
    told, policy = _run(clock), frame.policy
    if clock.kind == CONFIRMATION:
        silent = policy.confirmation.silent_after
        due = due_at(clock.started_at, silent, "calendar", frame.calendar)
        return _compared(
            told, clock, due, [f"Policy {policy.version}: the customer would be asked for {silent.words}."]
        )
    if clock.kind == FOLLOW_UP:
        return _compared(told, clock, *visit(frame.state, clock, policy, frame.facts))
    if clock.kind == EXECUTIVE_ANSWER:
        return _compared(told, clock, *executives.supposed(clock, frame.told, policy))
    if _was_told(frame, clock):
        return _compared(told, clock, clock.due_at, ["What the customer was told stands under any policy."])
    choice = chosen(policy, frame.facts, clock.kind)
    if choice.term is None:
        return _compared(told, clock, None, [choice.words(policy.version)])
    start = clock.started_at
    if clock.cycle == 1 and at_opening(clock.kind) and clock.kind != NEXT_UPDATE:
        start = _start_under(frame, clock)
    counted = _counted(frame, choice, clock, start)
    words = [
        choice.words(policy.version, _SUPPOSED),
        *counted.pop("words"),
    ]
    told |= {"started_at": start, "hours": choice.term.hours, **counted}
    return _compared(told, clock, counted["counted"]["due"], words)


def _compared(told: dict[str, Any], clock: Clock, due: datetime | None, words: list[str]) -> dict[str, Any]:
    differs = None if due is None else (due - clock.due_at).total_seconds()
    return {**told, "due_at": due, "promised_due_at": clock.due_at, "differs_by_seconds": differs, "words": words}


def _start_under(frame: _Frame, clock: Clock) -> datetime:
    state = frame.state
    received = clock.started_at if clock.started_at > state.first_contact_at else state.opened_at
    return start_of(state.first_contact_at, received, frame.policy.accept_late.delta)


def _that_is_new(frame: _Frame, kind: str) -> dict[str, Any]:
    state, choice = frame.state, chosen(frame.policy, frame.facts, kind)
    assert choice.term is not None
    first = next((one for one in state.clocks if one.cycle == 1 and one.kind != NEXT_UPDATE), None)
    start = state.first_contact_at if first is None else _start_under(frame, first)
    never = Clock(kind, 1, start, start, choice.term.hours)
    counted = _counted(frame, choice, never, start)
    words = [choice.words(frame.policy.version, _SUPPOSED), *counted.pop("words")]
    told = _run(never) | counted | {"due_at": counted["counted"]["due"], "words": words}
    return {**told, "promised_due_at": None, "differs_by_seconds": None}
