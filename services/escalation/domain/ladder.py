"""Who is asked, and for how long: the rungs of the policy's ladder that have a person on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared.calendars import Duration, due_at, zone_calendar
from shared.policy import Executive, Policy


@dataclass(frozen=True, slots=True)
class Post:
    """One rung with whom it reaches."""

    level: int
    executive: Executive
    within: Duration
    repeat_every: Duration

    def due(self, start: datetime, *, repeated: bool = False) -> datetime:
        """Until when somebody asked at `start` has time, by the clock of their own zone."""
        every = self.repeat_every if repeated else self.within
        return due_at(start, every, "calendar", zone_calendar(self.executive.time_zone))


class Ladder:
    """The rungs and times of the policy under which an escalation was raised, with the people of today.

    Times are frozen because they were told; people are not, because a mail must reach whoever holds the role now.
    Rungs without a person are left out. If no rung has one, the first executive of the policy stands for all.
    """

    def __init__(self, frozen: Policy, today: Policy) -> None:
        self.today = today
        self.posts: tuple[Post, ...] = tuple(
            Post(rung.level, person, rung.answer_within, rung.repeat_every or rung.answer_within)
            for rung in sorted(frozen.escalation.ladder, key=lambda rung: rung.level)
            if (person := _holder(today, rung.role)) is not None
        )
        if not self.posts:
            last = max(frozen.escalation.ladder, key=lambda rung: rung.level)
            self.posts = (
                Post(last.level, today.executives[0], last.answer_within, last.repeat_every or last.answer_within),
            )

    @property
    def top(self) -> Post:
        return self.posts[-1]

    def at(self, level: int) -> Post:
        """The rung of this level, else the next one above, else the top."""
        return next((post for post in self.posts if post.level >= level), self.top)

    def above(self, level: int, without: Collection[str] = ()) -> Post | None:
        """The next rung above, passing over people who can't be written to; None at the top."""
        return next((p for p in self.posts if p.level > level and p.executive.id not in without), None)

    def stand_in(self, post: Post, without: Collection[str]) -> Executive | None:
        """Who is written to when the top cannot be: a delegate, else the next person below."""
        people = [self.today.executive(one) for one in post.executive.delegates]
        people += [other.executive for other in reversed(self.posts)]
        return next((p for p in people if p is not None and p.id not in without), None)

    def level_of(self, executive_id: str) -> int | None:
        """The rung an executive stands on, or that of whoever they are the delegate of; None for neither."""
        own = next((p.level for p in self.posts if p.executive.id == executive_id), None)
        if own is not None:
            return own
        person = self.today.executive(executive_id)
        same = next((p.level for p in self.posts if person and p.executive.role == person.role), None)
        if same is not None:
            return same
        return next((p.level for p in self.posts if executive_id in p.executive.delegates), None)


def _holder(policy: Policy, role: str) -> Executive | None:
    return next((person for person in policy.executives if person.role == role), None)


def known(policy: Policy, executive_id: str) -> bool:
    """Whether the policy names this person, as an executive or as somebody's delegate."""
    return policy.executive(executive_id) is not None or any(executive_id in p.delegates for p in policy.executives)


def delegator(policy: Policy, executive_id: str, addressee: str) -> str | None:
    """For whom somebody answers: the addressee first, else nobody if they have a post of their own, else whoever
    named them."""
    asked = policy.executive(addressee)
    if executive_id == addressee or asked is None:
        return None
    if executive_id in asked.delegates:
        return addressee
    if policy.executive(executive_id) is not None:
        return None
    return next((p.id for p in policy.executives if executive_id in p.delegates), None)
