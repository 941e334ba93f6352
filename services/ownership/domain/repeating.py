"""The same trouble again: the same customer and cause within the policy's window, through whichever channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from shared.contracts import ownership as said
from shared.policy import Policy

from .state import Complaint
from .story import BY_CLOCK, Around, Story, ids

#: closings of what does not count: it was no complaint, or it goes on as another one, which counts
_NOT_COUNTED: Final = ("not_a_complaint", "merged")


def repeat_of(cause: str | None, at: datetime, policy: Policy, earlier: Sequence[Complaint]) -> Complaint | None:
    """The latest earlier complaint with this cause that ended less than `repeat_within` ago, or has not ended."""
    if cause is None:
        return None
    since = at - policy.repeat_within.delta
    found = [
        one
        for one in earlier
        if one.cause == cause and one.basis not in _NOT_COUNTED and (one.closed_at is None or one.closed_at >= since)
    ]
    return max(found, key=lambda one: (one.opened_at, one.id), default=None)


def repeated(state: Complaint, policy: Policy, others: Sequence[Complaint]) -> Complaint | None:
    """What a complaint repeats, as things are known now."""
    before = [one for one in others if (one.opened_at, one.id) < (state.opened_at, state.id)]
    return repeat_of(state.cause, state.first_contact_at, policy, before)


def judge_later(story: Story, around: Around, now: datetime, *, by: str) -> None:
    """What was said of this complaint may make a later one its repeat, or show that it is none. What has ended in the
    meantime is left as it was told."""
    state = story.state
    for one in around.others:
        if one.status == "closed" or (one.opened_at, one.id) < (state.opened_at, state.id):
            continue
        everything = [state, *(other for other in around.others if other.id != one.id)]
        again = repeated(one, around.version(one.policy_version), everything)
        found = None if again is None else again.id
        if found == one.repeat_of or state.id not in (found, one.repeat_of):
            continue
        later = Story(one, people=story.people)
        if again is None:
            event = said.Classified(**ids(one, now), by_id=by, changed=("repeat_of",))
            later.tell(event, by=by, why=f"{state.reference} turned out to be something else")
        else:
            told = said.Repeated(**ids(one, now), repeat_of=again.id, cause=again.cause)
            later.tell(told, by=by, why=f"{state.reference} was classified later")
        story.also.append(later)


def judge_person(states: Sequence[Complaint], version: Callable[[str], Policy], now: datetime) -> list[Story]:
    """What is open and turns out to repeat what came under another id of the same person, once the two are known to be
    one's. That two ids were taken apart takes nothing back: what was told is on record."""
    stories: list[Story] = []
    for one in states:
        if one.status == "closed" or one.repeat_of is not None:
            continue
        again = repeated(one, version(one.policy_version), [other for other in states if other.id != one.id])
        if again is not None and again.customer_id != one.customer_id:
            story = Story(one)
            told = said.Repeated(**ids(one, now), repeat_of=again.id, cause=again.cause)
            story.tell(told, by=BY_CLOCK, why=f"{again.reference} is the same customer's, as it turned out")
            stories.append(story)
    return stories
