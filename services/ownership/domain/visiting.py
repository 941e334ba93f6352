"""The visit after a closing: whether one is owed, when it is to be made and by whom, and until when at the latest.

One clock runs for it. Its due time is first when the visit is to be made; when that has come, whoever is to make it is
named, and the due time is until when.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from shared.calendars import Duration, due_at
from shared.contracts import ownership as said
from shared.contracts.ownership import ClockChange
from shared.policy import Facts, Policy, Term

from . import clocks
from .state import Clock, Complaint
from .story import BY_CLOCK, Story, ids

#: how long a visit may take once it is due, where the policy's clocks have no entry for it
_WITHIN: Final = Term(clocks.FOLLOW_UP, Duration(2, "d"), "business", (50, 75, 90), -1, {})


def term_of(policy: Policy, facts: Facts) -> Term:
    """How long a visit may take once it is due."""
    return policy.term(clocks.FOLLOW_UP, facts) or _WITHIN


def visit_at(policy: Policy, tier: str, region: str, closed_at: datetime) -> datetime | None:
    """When the visit is to be made; None where the policy wants none for this tier."""
    visit = policy.visit(tier)
    return None if visit is None else due_at(closed_at, visit.after, "calendar", policy.calendar(region))


def promised(state: Complaint, policy: Policy, at: datetime) -> list[ClockChange]:
    """The clock that starts with a closing at `at`."""
    due = visit_at(policy, state.tier, state.region, at)
    if due is None:
        return []
    return [
        ClockChange(change="started", kind=clocks.FOLLOW_UP, cycle=state.cycle, at=at, due_at=due, hours="calendar")
    ]


def ask(story: Story, policy: Policy, clock: Clock, now: datetime) -> None:
    """The visit is to be made: who makes it, and until when, counted from when it came due."""
    state = story.state
    visit = policy.visit(state.tier)
    by = visit.by if visit is not None else "owner"
    agent_id, why = _visitor(story, by)
    term = term_of(policy, clocks.facts_of(state))
    until = clocks.started(term, clock.cycle, clock.due_at, policy.calendar(state.region))
    event = said.FollowUpDue(
        **ids(state, now),
        agent_id=agent_id,
        by=by,
        cycle=clock.cycle,
        due_at=until.due_at,
        clocks=(until.model_copy(update={"change": "moved"}),),
    )
    story.tell(event, by=BY_CLOCK, why=why)


def _visitor(story: Story, by: Literal["superior", "owner"]) -> tuple[str | None, str]:
    """Who is to make the visit, and why they: the owner in person, or the nearest of their superiors who is active."""
    owner_id = story.state.owner_id
    if owner_id is None:
        return None, "nobody owned it: a supervisor decides who visits the customer"
    owner = story.people.of(owner_id)
    if by == "owner" and owner.active:
        return owner_id, "the owner visits the customer"
    superior = next((one for one in story.people.superiors(owner) if one.active), None)
    if superior is not None:
        return superior.id, "the owner's superior visits the customer"
    return owner_id, "the owner visits the customer: nobody is known as their superior"
