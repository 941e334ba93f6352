"""How the due time of a follow-up visit came about: it is two times, one after the other."""

from __future__ import annotations

from datetime import datetime

from services.ownership.domain import Clock, Complaint
from services.ownership.domain.visiting import term_of, visit_at
from shared.calendars import due_at
from shared.policy import Facts, Policy


def visit(state: Complaint, clock: Clock, policy: Policy, facts: Facts) -> tuple[datetime | None, list[str]]:
    """The due time of the visit's clock under `policy`, and the words for it; None where no visit is wanted."""
    assert facts.tier is not None and facts.region is not None
    made_at = visit_at(policy, facts.tier, facts.region, clock.started_at)
    wanted = policy.visit(facts.tier)
    if made_at is None or wanted is None:
        return None, [f"Policy {policy.version} wants no visit after closing for tier {facts.tier}."]
    words = [
        f"Policy {policy.version} wants customers of tier {facts.tier} visited {wanted.after.words} after the closing, "
        f"by the {'owner' if wanted.by == 'owner' else 'superior of the owner'}: on {made_at:%Y-%m-%d %H:%M} UTC."
    ]
    asked = state.follow_up
    if asked is None or asked.cycle != clock.cycle or asked.asked_at is None:
        return made_at, [*words, "Then it is told who makes the visit, and until when."]
    term = term_of(policy, facts)
    where = "nothing else is said" if term.entry < 0 else f"entry {term.entry + 1} of its clocks says so"
    counted = "working time" if term.hours == "business" else "calendar time"
    until = due_at(made_at, term.within, term.hours, policy.calendar(facts.region))
    return until, [*words, f"From then on it may take {term.within.words} of {counted}, because {where}."]
