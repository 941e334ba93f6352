"""What is known of a complaint when a letter or a page about it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a letter about a complaint is made of; None is what nobody knows."""

    reference: str
    zone: str = "UTC"
    cause: str | None = None
    first_id: str | None = None
    customer: dict[str, Any] | None = None
    complaint: dict[str, Any] | None = None
    #: the contact that opened the complaint, and the one that this is about
    first: dict[str, Any] | None = None
    latest: dict[str, Any] | None = None
    timeline: Sequence[dict[str, Any]] = ()
    escalation: dict[str, Any] | None = None
    promises: Sequence[dict[str, Any]] = ()
    asked_before: Sequence[str] = ()
    #: executives' answers to this complaint that were given before, the oldest first, with names
    answers: Sequence[dict[str, Any]] = ()

    @property
    def waiting(self) -> bool:
        """Whether an answer is still asked for."""
        return (self.escalation or {}).get("status") == "waiting"

    @property
    def owner(self) -> str | None:
        """What the owner is called; None where nobody owns the complaint."""
        owner = (self.complaint or {}).get("owner") or {}
        name: str | None = owner.get("name") or owner.get("id")
        return name

    def at(self, when: Any) -> str:
        """A time on the reader's wall clock, with its zone."""
        found = time_of(when)
        return local(found, self.zone) if found else "?"

    def on(self, when: Any) -> str:
        """A time on the reader's wall clock, among others: the zone is told once."""
        return self.at(when).partition(" (")[0]


def reopened_by_customer(item: dict[str, Any]) -> bool:
    """Whether an item of a timeline is a reopening that is the customer's word: what a merge brings is nobody's no."""
    return item.get("type") == "complaint.reopened" and (item.get("data") or {}).get("through") != "merge"


def local(at: datetime, zone: str) -> str:
    """`2026-03-02 09:00 (Europe/Madrid)`."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def time_of(value: Any) -> datetime | None:
    """A time as our services write it; None for anything else."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
