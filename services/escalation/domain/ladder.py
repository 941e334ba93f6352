"""Who is asked, and for how long: the rungs of the policy's ladder that have a person on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.escalation.domain.escalation import Escalation
from services.escalation.domain.presence import present
from services.escalation.domain.reach import Reach
from shared.calendars import Duration, due_at, zone_calendar
from shared.policy import Executive, Policy


@dataclass(frozen=True, slots=True)
class Post:
    """One rung, and those who hold its role, in the policy's order: the first is whom it is meant for."""

    level: int
    holders: tuple[Executive, ...]
    within: Duration
    repeat_every: Duration

    @property
    def executive(self) -> Executive:
        return self.holders[0]

    def due(self, start: datetime, asked: Executive, *, repeated: bool = False) -> datetime:
        """Until when somebody asked at `start` has time, by the clock of their own zone."""
        every = self.repeat_every if repeated else self.within
        return due_at(start, every, "calendar", zone_calendar(asked.time_zone))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is written to, in whose place where that is somebody else's, and who was passed over as away."""

    post: Post
    person: Executive
    instead_of: str | None = None
    passed_over: tuple[str, ...] = ()


class Ladder:
    """The rungs and times of the policy under which an escalation was raised, with the people of today.

    Times are frozen because they were told; people are not, because a mail must reach whoever holds the role now.
    Rungs without a person are left out. If no rung has one, the first executive of the policy stands for all.

    Whoever is away is stood in for by the first of their delegates who is there; a rung on which nobody is there is
    passed over, and from the top the search goes down. Where nobody is there at all, the mail waits for who is meant:
    it is never left unwritten. Whoever is in `without` can't be written to.
    """

    def __init__(self, frozen: Policy, today: Policy, reach: Reach | None = None) -> None:
        self.today = today
        self.reach = reach or Reach()
        self.posts: tuple[Post, ...] = tuple(
            Post(rung.level, holders, rung.answer_within, rung.repeat_every or rung.answer_within)
            for rung in sorted(frozen.escalation.ladder, key=lambda rung: rung.level)
            if (holders := tuple(one for one in today.executives if one.role == rung.role))
        )
        if not self.posts:
            last = max(frozen.escalation.ladder, key=lambda rung: rung.level)
            within, every = last.answer_within, last.repeat_every or last.answer_within
            self.posts = (Post(last.level, today.executives[:1], within, every),)

    @property
    def top(self) -> Post:
        return self.posts[-1]

    def at(self, level: int) -> Post:
        """The rung of this level, else the next one above, else the top."""
        return next((post for post in self.posts if post.level >= level), self.top)

    def barred(self, state: Escalation) -> frozenset[str]:
        """Whom the mails of an escalation did not reach, but for those whose address is trusted again."""
        return state.unreachable - self.reach.trusted

    def ask(self, level: int, at: datetime, named: str | None = None) -> Asked:
        """Who is asked where a reason begins on a level: whom the reason names, if they or a delegate are there."""
        post = self.at(level)
        person = self.today.executive(named) if named else None
        return (
            (self.of(person, post, at) if person else None)
            or self._from(post.level, at, ())
            or self._in_place_of(post.executive, post, at, ())
            or Asked(post, post.executive)
        )

    def above(self, level: int, at: datetime, without: Collection[str] = ()) -> Asked | None:
        """Who is asked next, above a level; None where nobody is there above."""
        return self._from(level + 1, at, without)

    def again(self, meant: str, level: int, at: datetime, without: Collection[str]) -> Asked:
        """Who is asked again at the top: who is meant, if there; else somebody in their place."""
        person, post = self.today.executive(meant) or self.top.executive, self.at(level)
        return self.of(person, post, at, without) or self._in_place_of(person, post, at, without) or Asked(post, person)

    def stand_in(self, meant: str, level: int, at: datetime, without: Collection[str]) -> Asked | None:
        """Who is written to when nobody above can be: a delegate, else the next person below, if need be one who is
        away; None where no address is left."""
        person, post = self.today.executive(meant) or self.top.executive, self.at(level)
        found = self.of(person, post, at, without) or self._in_place_of(person, post, at, without)
        if found is not None:
            return found
        people = [*self._delegates(person), *(one for other in reversed(self.posts) for one in other.holders)]
        left = next((one for one in people if one.id not in without), None)
        return Asked(post, left, person.id) if left else None

    def of(self, meant: Executive, post: Post, at: datetime, without: Collection[str] = ()) -> Asked | None:
        """Who is written to where one person is meant: they, or a delegate who is there."""
        if meant.id not in without and present(meant, at):
            return Asked(post, meant)
        there = (one for one in self._delegates(meant) if one.id not in without and present(one, at))
        return next((Asked(post, one, meant.id) for one in there), None)

    def level_of(self, executive_id: str) -> int | None:
        """The rung an executive stands on, or that of whoever they are the delegate of; None for neither."""
        own = (post.level for post in self.posts if any(one.id == executive_id for one in post.holders))
        theirs = (post.level for post in self.posts if any(executive_id in one.delegates for one in post.holders))
        return next(own, None) or next(theirs, None)

    def _from(self, level: int, at: datetime, without: Collection[str]) -> Asked | None:
        away: list[str] = []
        for post in self.posts:
            if post.level < level:
                continue
            for holder in post.holders:
                if (found := self.of(holder, post, at, without)) is not None:
                    return Asked(post, found.person, found.instead_of, tuple(away))
                away.append(holder.id)
        return None

    def _in_place_of(self, meant: Executive, post: Post, at: datetime, without: Collection[str]) -> Asked | None:
        for other in reversed(self.posts):
            for holder in other.holders:
                if (found := self.of(holder, post, at, without)) is not None:
                    place = None if found.person.id == meant.id else meant.id
                    return Asked(post, found.person, place)
        return None

    def _delegates(self, person: Executive) -> Iterator[Executive]:
        found = (self.today.executive(one) for one in person.delegates)
        return (one for one in found if one is not None)


def known(policy: Policy, executive_id: str) -> bool:
    """Whether the policy names this person, as an executive or as somebody's delegate."""
    return policy.executive(executive_id) is not None or any(executive_id in p.delegates for p in policy.executives)


def written_to(policy: Policy, executive_id: str) -> str:
    """Where mails for somebody go: to them, or, for a delegate without an address here, to who named them."""
    if policy.executive(executive_id) is not None:
        return executive_id
    return next((p.id for p in policy.executives if executive_id in p.delegates), executive_id)


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
