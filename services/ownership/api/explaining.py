"""How a due time came about, in data and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ownership.domain import Clock, Complaint
from services.ownership.domain.clocks import CONFIRMATION, facts_of
from shared.calendars import explain
from shared.http import Problem
from shared.policy import Policies, Term


def explained(state: Complaint, policies: Policies, told: Sequence[dict[str, Any]], kind: str | None) -> dict[str, Any]:
    """Every run of the clock `kind` (all, if None) with what was counted; raises 404 for a clock it has not."""
    clocks = [clock for clock in state.clocks if kind is None or clock.kind == kind]
    if not clocks:
        raise Problem(
            404,
            "no-such-clock",
            "No such clock",
            "The complaint has no clock of this kind.",
            clocks=sorted({clock.kind for clock in state.clocks}),
        )
    policy = policies.of(state.policy_version)
    pauses = _pauses(told)
    terms = {term.kind: term for term in policy.terms(facts_of(state))}
    return {
        "complaint_id": state.id,
        "reference": state.reference,
        "policy_version": state.policy_version,
        "tier": state.tier,
        "region": state.region,
        "clocks": [_one(state, clock, terms.get(clock.kind), policies, pauses) for clock in clocks],
    }


def _pauses(told: Sequence[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for event in told:
        at = datetime.fromisoformat(event["data"]["at"])
        if event["type"] == "complaint.paused":
            since = at
        elif since is not None:
            found.append((since, at))
            since = None
    return found


def _one(
    state: Complaint,
    clock: Clock,
    term: Term | None,
    policies: Policies,
    pauses: Sequence[tuple[datetime, datetime]],
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": clock.kind,
        "cycle": clock.cycle,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "hours": clock.hours,
        "paused_seconds": clock.paused_seconds,
    }
    calendar = policies.of(state.policy_version).calendar(state.region)
    if clock.kind == CONFIRMATION:
        return {**told, "words": ["The customer is asked until then; without a word it is closed as silent."]}
    during = [(max(begin, clock.started_at), end) for begin, end in pauses if end > clock.started_at]
    if term is not None:
        counted = explain(clock.started_at, term.within, term.hours, calendar, during)
        if counted.due == clock.due_at:
            words = [*_why(state, clock, term), *counted.words]
            return {
                **told,
                "term": {"entry": term.entry, "when": dict(term.when), "within": str(term.within)},
                "counted": counted.model_dump(mode="json"),
                "words": words,
            }
    return {**told, "words": ["The customer was told to hear again by then."]}


def _why(state: Complaint, clock: Clock, term: Term) -> list[str]:
    fits = ", ".join(f"{name} is {value}" for name, value in term.when.items())
    words = [
        f"Policy {state.policy_version}, frozen when the complaint was opened: entry {term.entry + 1} of its clocks, "
        + (f"because {fits}." if fits else "which fits every complaint."),
    ]
    if clock.cycle == 1 and clock.started_at > state.first_contact_at and clock.kind != "next_update":
        words.append("The contact arrived later than the policy accepts, so the clock started at its receipt.")
    return words
