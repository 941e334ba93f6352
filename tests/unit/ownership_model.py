"""A small second telling of what ownership does, in whole minutes: owners, words, pauses, clocks, and what is refused.

Time is minutes since a Monday 00:00 UTC; doors are open on weekdays from nine to six. Open time is counted minute by
minute. Nothing of the service is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 24 * 60
REOPEN_WITHIN = 30 * DAY
SILENT_AFTER = 10 * DAY
#: kind: (minutes, business), working days where the minutes are negative
TERMS = {
    "claim": (30, True),
    "acknowledgement": (60, True),
    "first_response": (120, False),
    "next_update": (-1, True),
    "final_answer": (-3, True),
    "Rule 7": (10 * DAY, False),
}
POLICY = """
version: model
regions:
  default: {time_zone: UTC, hours: {mon-fri: ["09:00-18:00"]}, holidays: null}
clocks:
  - {kind: claim, within: 30m}
  - {kind: acknowledgement, within: 1h}
  - {kind: first_response, within: 2h, hours: calendar}
  - {kind: next_update, within: 1d}
  - {kind: final_answer, within: 3d}
  - {kind: Rule 7, within: 10d, hours: calendar}
confirmation: {remind_after: [3d], silent_after: 10d}
reopen_within: 30d
executives: [{id: ceo, name: Ana, email: ceo@example.com, role: chief}]
"""


def is_open(minute: int) -> bool:
    return minute // DAY % 7 < 5 and 9 * 60 <= minute % DAY < 18 * 60


def open_between(start: int, end: int) -> int:
    return sum(is_open(minute) for minute in range(start, end))


def add_open(start: int, amount: int) -> int:
    while amount:
        amount -= is_open(start)
        start += 1
    return start


def close_of_working_day(start: int, days: int) -> int:
    day = start // DAY
    while days:
        day += 1
        days -= day % 7 < 5
    return day * DAY + 18 * 60


def due_of(kind: str, start: int) -> int:
    amount, business = TERMS[kind]
    if not business:
        return start + amount
    return add_open(start, amount) if amount > 0 else close_of_working_day(start, -amount)


@dataclass
class Run:
    """One run of a clock."""

    kind: str
    cycle: int
    start: int
    due: int
    business: bool
    breached: bool = False
    over: str | None = None

    @property
    def owed(self) -> bool:
        return self.over is None


@dataclass
class Case:
    """One complaint, as the model sees it."""

    customer: str
    cause: str | None
    number: int
    first_contact: int
    owner: str | None = None
    status: str = "open"
    basis: str | None = None
    is_complaint: bool | None = None
    cycle: int = 1
    acknowledged: bool = False
    deputy: tuple[str, int] | None = None
    asked_to: str | None = None
    pause: tuple[int, int] | None = None
    closed_at: int = 0
    reopened_at: int = 0
    followed: bool = False
    contacts: list[str] = field(default_factory=list)
    conversations: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)

    def owed(self, *kinds: str) -> list[Run]:
        return [run for run in self.runs if run.owed and (not kinds or run.kind in kinds)]

    def end(self, runs: list[Run], how: str) -> None:
        for run in runs:
            run.over = how

    def start(self, kind: str, at: int, due: int | None = None) -> Run:
        promised = due is not None
        run = Run(kind, self.cycle, at, due if due is not None else due_of(kind, at), TERMS[kind][1] and not promised)
        self.runs.append(run)
        return run

    def fresh(self, at: int) -> None:
        for kind in TERMS:
            if kind != "claim" or self.owner is None:
                self.start(kind, at)

    # time

    def work(self, until: int, now: int) -> None:
        """What has come by `until`, told `now`."""
        while True:
            moments: list[tuple[int, int, object]] = [
                (run.due, 0, run) for run in self.owed() if not run.breached and not (self.pause and run.business)
            ]
            if self.pause:
                moments.append((self.pause[1], 1, "pause"))
            if self.deputy:
                moments.append((self.deputy[1], 2, "deputy"))
            at, _, what = min(moments, key=lambda one: one[:2], default=(until + 1, 0, None))
            if at > until:
                return
            if what == "pause":
                self.unpause(at)
            elif what == "deputy":
                self.deputy = None
            elif isinstance(what, Run) and what.kind == "confirmation":
                self.close("silent", now)
            elif isinstance(what, Run):
                what.breached = True

    def unpause(self, at: int) -> None:
        assert self.pause
        for run in self.owed():
            since = max(self.pause[0], run.start)
            if run.business and not run.breached and since < at:
                run.due = add_open(run.due, open_between(since, at)) if run.due > since else run.due
        self.pause = None

    # what happens to it

    def assign(self, agent: str) -> None:
        self.owner = agent
        self.end(self.owed("claim"), "met")

    def spoken(self, at: int, promised: int | None = None) -> None:
        if self.status != "open" or at < self.reopened_at:
            return
        self.end(self.owed("acknowledgement", "first_response"), "met")
        running = self.owed("next_update")
        if running and at < running[0].start:
            return
        self.end(running, "met")
        self.start("next_update", at, promised)

    def close(self, basis: str, now: int) -> None:
        self.end(self.owed(), "stopped")
        self.status, self.basis, self.closed_at, self.pause, self.deputy = "closed", basis, now, None, None

    def reopen(self, now: int) -> None:
        self.end(self.owed(), "stopped")
        self.cycle += 1
        self.status, self.basis, self.acknowledged, self.reopened_at = "open", None, False, now
        self.fresh(now)

    # what people ask for: whether it is done

    def claim(self, agent: str) -> bool:
        if self.owner is not None or self.status == "closed":
            return False
        self.assign(agent)
        return True

    def acknowledge(self) -> bool:
        if self.status != "open" or self.acknowledged:
            return False
        self.acknowledged = True
        self.end(self.owed("acknowledgement"), "met")
        return True

    def update(self, agent: str, now: int, promised: int | None) -> bool:
        if self.status == "closed":
            return False
        if self.owner is None:
            self.assign(agent)
        self.spoken(now, promised)
        return True

    def answer(self, agent: str, now: int) -> bool:
        if self.status != "open":
            return False
        if self.pause:
            self.unpause(now)
        if self.owner is None:
            self.assign(agent)
        self.end(self.owed(), "met")
        self.runs.append(Run("confirmation", self.cycle, now, now + SILENT_AFTER, False))
        self.status = "answered"
        return True

    def yes(self, now: int) -> bool:
        if self.status == "closed":
            if self.basis != "silent":
                return False
            self.basis = "accepted"
        else:
            self.close("accepted", now)
        return True

    def withdraw(self, now: int) -> bool:
        if self.status == "closed":
            return False
        self.close("withdrawn", now)
        return True

    def no_complaint(self, now: int) -> None:
        self.is_complaint = False
        if self.status != "closed":  # also where it was said before, and the customer said no to it
            self.close("not_a_complaint", now)

    def halt(self, now: int, until: int) -> bool:
        if self.status != "open" or self.pause:
            return False
        self.pause = (now, until)
        return True

    def stand_in(self, agent: str, until: int) -> bool:
        if self.status == "closed" or self.owner in (None, agent) or self.deputy == (agent, until):
            return False
        self.deputy = (agent, until)
        return True

    def succeed(self, to: str, accepted: bool) -> bool:
        if self.status == "closed" or self.owner in (None, to):
            return False
        if accepted:
            self.owner, self.deputy, self.asked_to = to, None, None
        else:
            self.asked_to = to
        return True

    def accept(self, agent: str) -> bool:
        if self.status == "closed" or self.asked_to != agent:
            return False
        self.owner, self.deputy, self.asked_to = agent, None, None
        return True
