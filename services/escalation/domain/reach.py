"""Whose address refuses mails, or sends them back: known beyond one escalation, and tried again after a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.policy import Policy

#: a mail that was taken and has not come back for so long was delivered: what is refused later is another matter.
#: Reports of failures mostly come in minutes
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
    #: how often it was tried in vain
    times: int = 1
    escalation_id: str | None = None
    #: since then a mail to it was taken, and none has come back
    accepted_at: datetime | None = None
    trusted_at: datetime | None = None
    trusted_by: str | None = None

    def stands(self, policy: Policy, now: datetime) -> bool:
        """Whether the address is doubted: it is theirs still, nobody trusts it, no mail has proved it."""
        person = policy.executive(self.executive_id)
        if person is None or person.email.lower() != self.address or self.trusted_at is not None:
            return False
        return self.accepted_at is None or now < self.accepted_at + PROVEN_AFTER

    def tried_from(self, policy: Policy) -> datetime:
        """From when on the next who would be asked is asked again: the waits of `mail_retry_after`, one after the
        other, and then the last one for ever."""
        waits = policy.escalation.mail_retry_after
        return self.refused_at + waits[min(self.times, len(waits)) - 1].delta

    def bars(self, policy: Policy, now: datetime) -> bool:
        """Whether others are asked instead for now."""
        return self.stands(policy, now) and self.accepted_at is None and now < self.tried_from(policy)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose address is doubted, who of them is passed over for now (`marked`), and who could not be written to once
    and may be again (`trusted`)."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    doubted: frozenset[str] = frozenset()
    marked: frozenset[str] = frozenset()

    @property
    def trusted(self) -> frozenset[str]:
        return frozenset(self.marks) - self.marked

    def mark(self, executive_id: str) -> Mark | None:
        """The mark that stands."""
        return self.marks.get(executive_id) if executive_id in self.doubted else None

    def having(self, mark: Mark) -> Reach:
        """The same with one more mark that stands."""
        more = {mark.executive_id}
        return Reach({**self.marks, mark.executive_id: mark}, self.doubted | more, self.marked | more)


def reach_of(marks: Iterable[Mark], policy: Policy, now: datetime) -> Reach:
    """What is known of addresses, as it counts now."""
    kept = {one.executive_id: one for one in marks}
    return Reach(
        kept,
        frozenset(name for name, one in kept.items() if one.stands(policy, now)),
        frozenset(name for name, one in kept.items() if one.bars(policy, now)),
    )


def refused(before: Mark | None, mark: Mark, policy: Policy) -> Mark:
    """The mark after one more refusal: `before` is the one that stands. Mails that were on their way already when it
    was made are no further try."""
    if before is None:
        return mark
    on_their_way = before.bars(policy, mark.refused_at)
    return replace(mark, since=before.since, times=before.times + (0 if on_their_way else 1))
