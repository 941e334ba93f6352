"""Whose address refuses mails, or sends them back: known beyond one escalation, until it is trusted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.policy import Policy

#: a mail that was taken and has not come back for so long was delivered; reports of failures mostly come in minutes
PROVEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """That mails to an executive's address do not arrive, since when and why."""

    executive_id: str
    #: the address that it is about: another one in the policy is trusted
    address: str
    because: Literal["refused", "came_back"]
    #: the server's code, never its words
    detail: str
    since: datetime
    refused_at: datetime
    escalation_id: str | None = None
    #: since then a mail to it was taken, and none has come back
    accepted_at: datetime | None = None
    trusted_at: datetime | None = None
    trusted_by: str | None = None

    def stands(self, policy: Policy, now: datetime) -> bool:
        """Whether the address is not to be relied on: it is theirs still, nobody trusts it, no mail has proved it."""
        person = policy.executive(self.executive_id)
        if person is None or person.email.lower() != self.address or self.trusted_at is not None:
            return False
        return self.accepted_at is None or now < self.accepted_at + PROVEN_AFTER


@dataclass(frozen=True, slots=True)
class Reach:
    """Who cannot be written to now (`marked`), and who could not be once and can be again (`trusted`)."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    marked: frozenset[str] = frozenset()

    @property
    def trusted(self) -> frozenset[str]:
        return frozenset(self.marks) - self.marked

    def mark(self, executive_id: str) -> Mark | None:
        """The mark that stands."""
        return self.marks.get(executive_id) if executive_id in self.marked else None

    def having(self, mark: Mark) -> Reach:
        """The same with one more mark that stands."""
        return Reach({**self.marks, mark.executive_id: mark}, self.marked | {mark.executive_id})


def reach_of(marks: Iterable[Mark], policy: Policy, now: datetime) -> Reach:
    """What is known of addresses, as it counts now."""
    kept = {one.executive_id: one for one in marks}
    return Reach(kept, frozenset(name for name, one in kept.items() if one.stands(policy, now)))


def refused(before: Mark | None, mark: Mark) -> Mark:
    """The mark after one more refusal: `before` is the one that stands."""
    return mark if before is None else replace(mark, since=before.since)
