"""What the customer was promised, as clocks: when each starts, is met, moves and stops.

Rules: README.md of this service has them in a table. Every function answers changes; only `evolve` applies them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.calendars import Calendar, add_business_seconds, business_seconds_between, due_at, shifted_due
from shared.contracts.ownership import ClockChange
from shared.policy import Facts, Policy, Term

from .state import Clock, Complaint

#: where a human speaks with the customer at once
LIVE_CHANNELS: Final = frozenset({"phone", "chat", "in_person"})
#: the wait for the customer's word after an answer: its warnings are the reminders, its end is a silent closing
CONFIRMATION: Final = "confirmation"
#: the wait for who is to follow the owner: owed to us, so no answer meets it, and no pause holds it
SUCCESSION: Final = "succession"
#: when the customer is to hear from us again, owed anew at each of a human's words
NEXT_UPDATE: Final = "next_update"
#: the visit after a closing: first its due time is when it is to be made, then until when at the latest
FOLLOW_UP: Final = "follow_up"
#: an executive's own words, owed since an escalation was raised: until when is escalation's to say, and nothing but
#: their answer ends it
EXECUTIVE_ANSWER: Final = "executive_answer"
#: the ladder has no `warn_at`: what clocks have that say nothing of it
_WARN_AT: Final = (50, 75, 90)
#: what is owed by others than the owner, and goes on whatever they do
_NOT_THE_OWNERS: Final = (SUCCESSION, EXECUTIVE_ANSWER)
#: what any human's words to the customer meet
WORDS_MEET: Final = ("acknowledgement", "first_response")
#: kinds in the policy that are kept elsewhere or start at another time
_NOT_AT_OPENING: Final = frozenset({EXECUTIVE_ANSWER, FOLLOW_UP, CONFIRMATION, SUCCESSION})


def at_opening(kind: str) -> bool:
    """Whether a clock of this kind starts as the complaint opens or is reopened."""
    return kind not in _NOT_AT_OPENING


def start_of(occurred_at: datetime, received_at: datetime, accept_late: timedelta) -> datetime:
    """When the clocks of a contact start: when the customer spoke, never later than receipt; what arrives later than
    the policy accepts starts at receipt."""
    spoke_at = min(occurred_at, received_at)
    return received_at if received_at - spoke_at > accept_late else spoke_at


def started(term: Term, cycle: int, at: datetime, calendar: Calendar, *, warned: bool = True) -> ClockChange:
    """A clock of `term` that starts at `at`; without warnings where it is met as it starts."""
    due = due_at(at, term.within, term.hours, calendar)
    return ClockChange(
        change="started",
        kind=term.kind,
        cycle=cycle,
        at=at,
        due_at=due,
        hours=term.hours,
        warnings=_warnings(at, due, term, calendar) if warned else (),
    )


def _warnings(start: datetime, due: datetime, term: Term, calendar: Calendar) -> tuple[tuple[int, datetime], ...]:
    """When each part of the term is used up, counted as the clock counts."""
    if due <= start:
        return tuple((percent, due) for percent in term.warn_at)
    if term.hours == "calendar":
        return tuple((percent, start + (due - start) * percent / 100) for percent in term.warn_at)
    # counted once for all warnings: this is most of what opening a complaint costs
    whole = business_seconds_between(start, due, calendar)
    if not whole:
        return tuple((percent, due) for percent in term.warn_at)
    return tuple((percent, add_business_seconds(start, whole * percent / 100, calendar)) for percent in term.warn_at)


def facts_of(state: Complaint) -> Facts:
    """What the terms of a complaint were chosen by, frozen at its opening."""
    product, cause, need = state.opened_as
    return Facts(tier=state.tier, region=state.region, product=product, cause=cause, need=need, channel=state.channel)


def fresh(
    policy: Policy, facts: Facts, region: str, cycle: int, at: datetime, *, owned: bool, live: bool = False
) -> list[ClockChange]:
    """The clocks that start when a complaint opens or is reopened; `live`: a human is speaking with the customer."""
    calendar = policy.calendar(region)
    changes = [
        started(term, cycle, at, calendar, warned=not (live and term.kind in WORDS_MEET))
        for term in policy.terms(facts)
        if at_opening(term.kind) and not (owned and term.kind == "claim")
    ]
    if live:
        changes += [
            ClockChange(change="met", kind=one.kind, cycle=cycle, at=at) for one in changes if one.kind in WORDS_MEET
        ]
    return changes


def change(clock: Clock, what: Literal["met", "stopped"], at: datetime) -> ClockChange:
    """`met` or `stopped`, never before it started."""
    return ClockChange(change=what, kind=clock.kind, cycle=clock.cycle, at=max(at, clock.started_at))


def met(state: Complaint, kinds: Iterable[str], at: datetime) -> list[ClockChange]:
    """The running clocks of these kinds, met."""
    wanted = frozenset(kinds)
    return [change(clock, "met", at) for clock in state.clocks if clock.kind in wanted and clock.running]


def all_stopped(state: Complaint, at: datetime) -> list[ClockChange]:
    """Whatever still runs is no longer owed, but for what an executive was asked: only they end that."""
    return [change(clock, "stopped", at) for clock in state.clocks if clock.running and clock.kind != EXECUTIVE_ANSWER]


def spoken(
    state: Complaint,
    policy: Policy,
    at: datetime,
    promised_by: datetime | None = None,
    *,
    heard_at: datetime | None = None,
) -> list[ClockChange]:
    """A human spoke to the customer: acknowledgement and first response are met, and the next update is owed anew.

    `promised_by` is when the customer was told to hear again; it takes the place of the policy's term. `heard_at` is
    when we learnt of words that were said elsewhere: where that is later than the policy accepts, the next update is
    owed from then on, as with contacts.
    """
    if state.status != "open":
        return []
    if state.reopened_at is not None and at < state.reopened_at:
        return []  # what was said before the customer's no is no answer to it
    changes = met(state, WORDS_MEET, at)
    running = state.running(NEXT_UPDATE)
    if running is not None and at < running.started_at:
        return changes  # words from before what is owed now
    if running is not None:
        changes.append(change(running, "met", at))
    term = policy.term(NEXT_UPDATE, facts_of(state))
    if promised_by is not None:
        changes.append(_promised(promised_by, state.cycle, at, term))
    elif term is not None:
        start = start_of(at, heard_at or at, policy.accept_late.delta)
        changes.append(started(term, state.cycle, start, policy.calendar(state.region)))
    return changes


def _promised(by: datetime, cycle: int, at: datetime, term: Term | None) -> ClockChange:
    percents = term.warn_at if term else ()
    return ClockChange(
        change="started",
        kind=NEXT_UPDATE,
        cycle=cycle,
        at=at,
        due_at=by,
        hours="calendar",
        warnings=tuple((percent, at + (by - at) * percent / 100) for percent in percents),
    )


def answered(state: Complaint, policy: Policy, at: datetime) -> list[ClockChange]:
    """An answer meets everything that was owed, named rules too; then the customer's word is waited for."""
    changes = [
        change(clock, "met", at) for clock in state.clocks if clock.running and clock.kind not in _NOT_THE_OWNERS
    ]
    calendar = policy.calendar(state.region)
    silent_at = due_at(at, policy.confirmation.silent_after, "calendar", calendar)
    reminders = sorted(due_at(at, after, "calendar", calendar) for after in policy.confirmation.remind_after)
    whole = (silent_at - at).total_seconds() or 1.0
    changes.append(
        ClockChange(
            change="started",
            kind=CONFIRMATION,
            cycle=state.cycle,
            at=at,
            due_at=silent_at,
            hours="calendar",
            warnings=tuple(
                (int((reminder - at).total_seconds() * 100 / whole), reminder)
                for reminder in reminders
                if reminder < silent_at
            ),
        )
    )
    return changes


def executive_asked(
    state: Complaint, at: datetime, due: datetime, answered_at: datetime | None = None
) -> list[ClockChange]:
    """The clock of an escalation raised at `at`, in the place of one that must be over; `answered_at`: heard of before,
    so that nothing is left to be told."""
    late = answered_at is not None and answered_at > due
    start = ClockChange(
        change="started",
        kind=EXECUTIVE_ANSWER,
        cycle=state.cycle,
        at=at,
        due_at=due,
        hours="calendar",
        warnings=_percents(at, due) if answered_at is None else (),
        breached_at=due if late else None,
    )
    changes = [*met(state, (EXECUTIVE_ANSWER,), at), start]
    if answered_at is not None:
        over = max(answered_at, at)
        changes.append(ClockChange(change="met", kind=EXECUTIVE_ANSWER, cycle=state.cycle, at=over))
    return changes


def executive_moved(clock: Clock, at: datetime, due: datetime) -> ClockChange:
    """Somebody else is asked before the answer was late, and has until `due`."""
    warnings = _percents(clock.started_at, due)
    return ClockChange(
        change="moved", kind=clock.kind, cycle=clock.cycle, at=at, due_at=due, hours="calendar", warnings=warnings
    )


def _percents(start: datetime, due: datetime) -> tuple[tuple[int, datetime], ...]:
    return tuple((percent, start + max(due - start, timedelta()) * percent / 100) for percent in _WARN_AT)


def decision(state: Complaint, policy: Policy, at: datetime) -> list[ClockChange]:
    """Who is to follow the owner is asked: of a supervisor, or of the successor whom one has named."""
    term = policy.term(SUCCESSION, facts_of(state))
    assert term is not None
    return [*met(state, (SUCCESSION,), at), started(term, state.cycle, at, policy.calendar(state.region))]


def pauses(clock: Clock) -> bool:
    """Whether a pause holds it: what the customer is waited for, and nothing else."""
    return clock.hours == "business" and clock.kind != SUCCESSION


def resumed(state: Complaint, policy: Policy, at: datetime) -> list[ClockChange]:
    """The business clocks after a pause that ends at `at`: due times and warnings to come move by what was paused."""
    assert state.pause is not None
    calendar = policy.calendar(state.region)
    changes = []
    for clock in state.clocks:
        since = max(state.pause.since, clock.started_at)
        if not clock.running or not pauses(clock) or clock.breached_at is not None or at <= since:
            continue
        due = shifted_due(clock.due_at, since, at, "business", calendar)
        if due == clock.due_at:
            continue
        changes.append(
            ClockChange(
                change="moved",
                kind=clock.kind,
                cycle=clock.cycle,
                at=at,
                due_at=due,
                hours="business",
                warnings=tuple(
                    (percent, shifted_due(when, since, at, "business", calendar)) for percent, when in clock.warnings
                ),
                paused_seconds=business_seconds_between(since, at, calendar),
            )
        )
    return changes


def deadline(clock: Clock) -> datetime | None:
    """When a clock wants attention next: its next warning, else its due time; None once breached or ended."""
    if not clock.running or clock.breached_at is not None:
        return None
    return clock.warnings[clock.warned][1] if clock.warned < len(clock.warnings) else clock.due_at


def owed_at(state: Complaint) -> datetime | None:
    """The earliest due time of what is still owed: in the past, the complaint is overdue."""
    return min((c.due_at for c in state.clocks if c.running and c.kind != CONFIRMATION), default=None)


def late(state: Complaint) -> bool:
    """Whether something is still owed whose breach has been told."""
    return any(c.running and c.breached_at is not None and c.kind != CONFIRMATION for c in state.clocks)
