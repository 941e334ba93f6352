"""What people ask of escalations and promises, besides answering."""

from __future__ import annotations

from dataclasses import dataclass

from services.escalation.domain.answering import Alike
from services.escalation.domain.promising import PromiseWanted


@dataclass(frozen=True, slots=True)
class Checked:
    """Words were looked at beforehand: nothing changes."""

    alike: Alike


@dataclass(frozen=True, slots=True)
class Delivered:
    """The owner told the customer in person; `how` is in their words."""

    escalation_id: str
    agent_id: str
    how: str
    #: what the customer said to it
    acknowledgement: str | None = None
    #: a supervisor says so, for whoever told the customer
    by_supervisor: bool = False


@dataclass(frozen=True, slots=True)
class LinksRevoked:
    """Links by which executives answer are to work no longer: those of one person, or everybody's."""

    escalation_id: str
    executive_id: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """The address of an executive works again."""

    executive_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Another executive is to be asked."""

    escalation_id: str
    to: str
    by: str


@dataclass(frozen=True, slots=True)
class PromiseGiven:
    """A promise without an escalation."""

    made_by: str
    customer_id: str
    complaint_id: str | None
    wanted: PromiseWanted


@dataclass(frozen=True, slots=True)
class ActionDone:
    """A promised action was done; `evidence` is in words."""

    promise_id: str
    n: int
    by: str
    evidence: str
