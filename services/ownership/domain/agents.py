"""The people who own, help and stand in: who of them can act at an instant, and who cannot, why and until when."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from shared.calendars import (
    Calendar,
    Week,
    add_business_seconds,
    business_seconds_between,
    closes_after,
    subtract_business_seconds,
)

Why = Literal["inactive", "absent", "off_shift"]
#: superiors of superiors that are asked, at most: a ring of them must come to an end
HIGHEST: Final = 10
#: spans that follow each other without a break, at most, where they are to end at all: a week of three a day
_NIGHTS = 21
_INSTANT = timedelta(microseconds=1)
_MICRO = 1e-6


@lru_cache(maxsize=4096)
def shifts(time_zone: str, week: Week) -> Calendar:
    """The calendar of somebody's working hours."""
    return Calendar(time_zone, week)


@dataclass(frozen=True, slots=True)
class Away:
    """Why somebody cannot act, and until when; None while nobody knows."""

    why: Why
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody by id. Of whom nothing was said but the id, nothing keeps them from acting."""

    id: str
    name: str | None = None
    active: bool = True
    superior: str | None = None
    languages: tuple[str, ...] = ()
    #: working hours; None: always
    hours: Calendar | None = None
    #: from (inclusive) until (exclusive)
    absences: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def always_there(self) -> bool:
        """Whether no time need be looked at."""
        return self.active and self.hours is None and not self.absences

    def away(self, at: datetime) -> Away | None:
        """What keeps them from acting at `at`; the weightiest, if several things do."""
        if not self.active:
            return Away("inactive", None)
        if (end := self._absent_until(at)) is not None:
            return Away("absent", end)
        if self.hours is not None and not self.on_shift(at):
            return Away("off_shift", add_business_seconds(at, _MICRO, self.hours) - _INSTANT)
        return None

    def on_shift(self, at: datetime) -> bool:
        """Whether their working hours include `at`."""
        return self.hours is None or business_seconds_between(at, at + _INSTANT, self.hours) > 0

    def shift_ended(self, at: datetime) -> datetime:
        """When the last shift before `at` was over; for somebody who is off shift then."""
        assert self.hours is not None
        return subtract_business_seconds(at, _MICRO, self.hours) + _INSTANT

    def shift_ends(self, after: datetime) -> datetime | None:
        """When the next shift that ends after an instant is over; None for somebody whose shifts have no end."""
        assert self.hours is not None
        for _ in range(_NIGHTS):  # a shift over midnight is several spans
            after = closes_after(after, self.hours)
            if not self.on_shift(after):
                return after
        return None

    def next_absence(self, after: datetime) -> datetime | None:
        """When the next absence begins, after an instant."""
        return min((begins for begins, _ in self.absences if begins > after), default=None)

    def _absent_until(self, at: datetime) -> datetime | None:
        end = None
        for begins, ends in sorted(self.absences):
            if begins <= (end or at) < ends:
                end = ends
        return end

    def speaks(self, locale: str | None) -> bool:
        """Whether they know the customer's language; also where either has not been told."""
        if locale is None or not self.languages:
            return True
        wanted = locale.replace("_", "-").partition("-")[0].lower()
        return any(one.partition("-")[0].lower() == wanted for one in self.languages)


@dataclass(slots=True)
class People:
    """Those whom a decision may be about, and those who might stand in."""

    known: Mapping[str, Agent] = field(default_factory=dict)
    colleagues: Sequence[Agent] = ()

    def of(self, agent_id: str) -> Agent:
        """Somebody by id; nothing is known of whom nobody has told anything."""
        return self.known.get(agent_id) or Agent(agent_id)

    def superiors(self, agent: Agent) -> Iterator[Agent]:
        """The superior, theirs, and so on; nobody twice."""
        seen = {agent.id}
        while agent.superior is not None and agent.superior not in seen and len(seen) <= HIGHEST:
            seen.add(agent.superior)
            agent = self.of(agent.superior)
            yield agent

    def stand_in(
        self, owner: Agent, choose: Sequence[str], at: datetime, *, locale: str | None, spread: str
    ) -> Agent | None:
        """Who stands in for `owner`: the nearest superior who can act, else a colleague who can.

        Of the colleagues those who speak the customer's language and have the same superior come first; `spread` (the
        complaint's id) decides between equals, so that what one person held is shared among all of them.
        """
        for how in choose:
            if how == "superior":
                found = next((one for one in self.superiors(owner) if one.away(at) is None), None)
            else:
                there = [one for one in self.colleagues if one.id != owner.id and one.away(at) is None]
                found = min(there, key=lambda one: _preference(one, owner, locale, spread), default=None)
            if found is not None:
                return found
        return None

    def sooner_or_later(self, owner: Agent, at: datetime) -> datetime | None:
        """When the first of those who might stand in is back."""
        might = (*self.superiors(owner), *(one for one in self.colleagues if one.id != owner.id))
        return min((away.until for one in might if (away := one.away(at)) and away.until), default=None)


def _preference(one: Agent, owner: Agent, locale: str | None, spread: str) -> tuple[bool, bool, bytes]:
    elsewhere = owner.superior is None or one.superior != owner.superior
    return (not one.speaks(locale), elsewhere, hashlib.blake2b(f"{spread} {one.id}".encode(), digest_size=8).digest())
