"""Ownership's handlers over what they keep, without a database, and what must be true of all that they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from services.ownership import domain
from services.ownership.api.ledger import LEDGER_TYPES, ledger
from services.ownership.handlers import TIMER, when_due
from services.ownership.store import Book
from shared.contracts.envelope import Envelope
from shared.contracts.ownership import ClockBreached, ClockWarned, ComplaintEvent
from shared.contracts.registry import BY_TYPE
from shared.policy import Policies, Policy
from shared.timers import Due
from shared.work import Work

#: a Monday at midnight
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


class Desk:
    """Ownership's handlers, what they keep in its stored form, and the minutes."""

    def __init__(self, policy: Policy) -> None:
        self.policies = Policies.single(policy)
        self.book = Book(self.policies)
        self.minute = 9 * 60
        self.timers: dict[str, datetime] = {}
        self.said: list[Envelope] = []
        self._ids = 0

    def at(self, minute: int | None = None) -> datetime:
        return BEGIN + timedelta(minutes=self.minute if minute is None else minute)

    def new_id(self) -> str:
        self._ids += 1
        return f"00000000-0000-7000-8000-{self._ids:012}"

    def take(self, payload: Any, handle: Callable[[Book, Work, Any], Any]) -> Any:
        work = Work("ownership", self.at())
        self.book.fresh = [(self.new_id(), f"C-{self._ids:05}") for _ in range(2)]
        result = handle(self.book, work, payload)
        for (kind, subject), (_, due_at) in work.timers.items():
            assert kind == TIMER
            self.timers.pop(subject, None)
            if due_at is not None:
                self.timers[subject] = due_at
        self.said += [one.envelope for one in work.said]
        for kept in self.book.complaints.values():
            if kept.changed:
                stored = domain.from_json(orjson.loads(domain.to_json(kept.now)))
                assert stored == kept.state
                kept.state, kept.changed = stored, False
        return result

    def sweep(self) -> None:
        while due := sorted((at, subject) for subject, at in self.timers.items() if at <= self.at()):
            for at, subject in due:
                kept = self.book.complaints[subject]
                del self.timers[subject]
                self.take(Due(TIMER, subject, kept.customer_id, at), when_due)


def proved(desk: Desk) -> None:
    """Each complaint is the fold of what was said of it, in sequence; each breach once; owners without a gap."""
    stories: dict[str, list[Envelope]] = {}
    for envelope in desk.said:
        stories.setdefault(envelope.subject, []).append(envelope)
    assert set(stories) == set(desk.book.complaints)
    for name, told in stories.items():
        assert [one.sequence for one in told] == list(range(1, len(told) + 1))
        events = [BY_TYPE[one.type].model_validate_json(one.data) for one in told]
        state: domain.Complaint | None = None
        for event in events:
            state = domain.evolve(state, event)
        assert state == desk.book.complaints[name].state
        _each_once([event for event in events if isinstance(event, ComplaintEvent)])
        _no_gap(told)


def _each_once(events: list[ComplaintEvent]) -> None:
    """Warnings and the breach once for each run of a clock, in order."""
    runs: dict[tuple[str, int], list[int]] = {}
    for event in events:
        for change in event.clocks:
            if change.change == "started":
                runs[(change.kind, change.cycle)] = []
        if isinstance(event, (ClockWarned, ClockBreached)):
            percents = runs[(event.kind, event.cycle)]
            percents.append(event.percent)
            assert percents == sorted(set(percents))


def _no_gap(told: list[Envelope]) -> None:
    """Owners follow each other without a gap or an overlap, and deputies never own."""
    shown = [(one, one.type.removeprefix("complaintloop.").removesuffix(".v1")) for one in told]
    items = ledger(
        [
            {"type": kind, "data": orjson.loads(one.data), "why": None, "by": None}
            for one, kind in shown
            if kind in LEDGER_TYPES
        ]
    )
    owners = [item for item in items if item["role"] == "owner"]
    assert [item["until"] for item in owners[:-1]] == [item["from"] for item in owners[1:]]
    merged = any(kind == "complaint.merged" for _, kind in shown)  # then the other complaint has the owner
    assert not owners or (owners[-1]["until"] is not None) == merged
    assert all(item["from"] <= item["until"] for item in items if item["until"] is not None)
