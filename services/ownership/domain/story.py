"""What a decision tells: events in order, each folded at once, so that the next thing is decided on what is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts.envelope import Event
from shared.contracts.intake import Amount
from shared.policy import Policy

from .agents import People
from .evolve import evolve
from .state import Complaint

#: who acts when time does
BY_CLOCK = "clock"


def ids(state: Complaint, at: datetime) -> dict[str, Any]:
    """What every event of this complaint carries."""
    return {"complaint_id": state.id, "customer_id": state.customer_id, "at": at}


def at_stake(state: Complaint) -> Amount | None:
    """The value at stake, as events carry it."""
    value = state.value_at_stake
    return None if value is None else Amount(amount=value[0], currency=value[1])


@dataclass(frozen=True, slots=True)
class Told:
    """One event with who acted, why, and the words that stay home; `after` is the complaint after it."""

    event: Event
    after: Complaint
    by: str | None
    why: str | None
    note: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Heard:
    """When the customer made a contact, and in which conversation."""

    at: datetime
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision on one complaint may look at besides it."""

    #: the customer's other complaints
    others: Sequence[Complaint]
    #: the policy in force: what is opened now is opened under it
    current: Policy
    #: any version of the policy: each complaint keeps its own
    version: Callable[[str], Policy]
    #: a new id with its reference, for a complaint to be opened
    fresh: Callable[[], tuple[str, str]]
    people: People = field(default_factory=People)
    #: of the contacts of a complaint that is merged or split: when each was made, and in which conversation
    heard: Mapping[str, Heard] = field(default_factory=dict)

    def other(self, complaint_id: str) -> Complaint | None:
        """Another complaint of the same customer."""
        return next((one for one in self.others if one.id == complaint_id), None)

    def heard_of(self, contact_id: str, now: datetime) -> Heard:
        """When a contact was made; now, where that is not known."""
        return self.heard.get(contact_id) or Heard(now, None)


@dataclass(slots=True)
class Story:
    """The complaint as decided so far, and what has been told."""

    state: Complaint
    told: list[Told] = field(default_factory=list)
    #: those who may be asked for something
    people: People = field(default_factory=People)
    #: what the same decision tells of other complaints of the customer
    also: list[Story] = field(default_factory=list)
    #: the one of `also` that whoever asked wants to see; None: this one
    answer: Story | None = None

    def tell(
        self,
        event: Event,
        *,
        by: str | None = None,
        why: str | None = None,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Adds an event and folds it; what a deputy does says so."""
        deputy = self.state.deputy
        if deputy is not None and by == deputy.agent_id:
            event = event.model_copy(update={"on_behalf_of": self.state.owner_id})
        self.state = evolve(self.state, event)
        self.told.append(Told(event, self.state, by, why, note))


def opening(event: Event, *, by: str | None, why: str | None) -> Story:
    """The story of a complaint that begins with `event`."""
    state = evolve(None, event)
    return Story(state, [Told(event, state, by, why, None)])
