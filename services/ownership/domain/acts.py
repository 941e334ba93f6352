"""What people ask for on a complaint, as data. `agent_id` is who acts; texts stay home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from shared.contracts.ownership import Outcome


@dataclass(frozen=True, slots=True)
class Act:
    """Something asked for on one complaint."""

    complaint_id: str


@dataclass(frozen=True, slots=True)
class PutAgent:
    """What is said of somebody who acts: the fields that were given, in the form in which they are kept."""

    agent_id: str
    given: Mapping[str, Any]

    @property
    def matters(self) -> bool:
        """Whether it may change if they can act, or who stands in for them."""
        return not self.given.keys() <= {"name", "email"}


@dataclass(frozen=True, slots=True)
class Claim(Act):
    agent_id: str


@dataclass(frozen=True, slots=True)
class Acknowledge(Act):
    agent_id: str


@dataclass(frozen=True, slots=True)
class Update(Act):
    agent_id: str
    text: str
    next_update_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Classify(Act):
    """`changes` holds what was given: cause, need, product, complaint, departure_threat."""

    agent_id: str
    changes: dict[str, Any]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer(Act):
    agent_id: str
    text: str
    outcome: Outcome
    reasons: str
    redress: str | None = None


@dataclass(frozen=True, slots=True)
class Confirm(Act):
    """The customer's word. `cycle` is the one that a page was made for; None means whichever is asked about now."""

    solved: bool
    through: Literal["tool", "page"]
    comment: str | None = None
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class FollowUp(Act):
    """What the customer said some time after the closing; `cycle` as in Confirm."""

    agent_id: str
    satisfied: bool
    would_choose_again: bool
    through: Literal["tool", "page"] = "tool"
    comment: str | None = None
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class Withdraw(Act):
    agent_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Merge(Act):
    """It is the same as `into`, which goes on."""

    into: str
    agent_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Split(Act):
    """These contacts are about something else."""

    contacts: tuple[str, ...]
    agent_id: str
    reason: str
    cause: str | None = None
    product: str | None = None
    need: str | None = None


@dataclass(frozen=True, slots=True)
class Escalate(Act):
    by: Literal["customer", "agent", "supervisor"]
    by_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PauseClocks(Act):
    agent_id: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Resume(Act):
    agent_id: str


@dataclass(frozen=True, slots=True)
class AskHelper(Act):
    agent_id: str
    helper: str
    question: str


@dataclass(frozen=True, slots=True)
class HelperReply(Act):
    n: int
    agent_id: str
    text: str


@dataclass(frozen=True, slots=True)
class StartDeputy(Act):
    agent: str
    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class EndDeputy(Act):
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Succeed(Act):
    to: str
    reason: Literal["left_company", "role_ended", "conflict_of_interest", "customer_asked"]
    note: str
    by: str
    accepted_by: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawSuccession(Act):
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class AcceptSuccession(Act):
    agent_id: str


#: acts that may open another complaint
MAY_OPEN: Final = (Confirm, FollowUp, Split)
