"""What a decision tells: events in order, each folded at once, so that the next thing is decided on what is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts.envelope import Event
from shared.policy import Policy
from shared.refusal import Refusal

from .agents import People
from .evolve import evolve
from .state import Complaint

#: who acts when time does
BY_CLOCK = "clock"


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


def allowed(state: Complaint) -> list[str]:
    """The acts that the present state does not forbid, by the names of their routes."""
    if state.merged_into is not None:
        return []
    if state.status == "closed":
        visit = ["follow-up"] if state.basis in ("accepted", "silent") and state.visit.done_at is None else []
        return ["classification", *([] if state.followed_by else ["confirmation"]), "escalation", *visit]
    if state.status == "answered":
        return [
            "updates",
            "classification",
            "confirmation",
            "withdrawal",
            "escalation",
            "helpers",
            "deputy",
            "succession",
            *_standing_in(state),
            "merge",
            "split",
        ]
    acts = [
        "updates",
        "classification",
        "answer",
        "confirmation",
        "withdrawal",
        "escalation",
        "helpers",
        "merge",
        "split",
    ]
    if state.owner_id is None:
        acts.insert(0, "claim")
    else:
        acts += ["deputy", "succession"]
    if state.acknowledged_at is None:
        acts.append("acknowledgement")
    acts.append("resume" if state.pause else "pause")
    return acts + _standing_in(state)


def _standing_in(state: Complaint) -> list[str]:
    asked = ["succession/acceptance", "succession/withdrawal"] if state.succession else []
    return [*(["deputy/end"] if state.deputy else []), *asked]


def refuse(state: Complaint, slug: str, detail: str, **members: Any) -> Refusal:
    """409: what state forbids it, and what would be allowed. The owner's name is filled in by who answers."""
    now = {
        "status": state.status,
        "basis": state.basis,
        "cycle": state.cycle,
        "followed_by": state.followed_by,
        "merged_into": state.merged_into,
        "owner": None if state.owner_id is None else {"id": state.owner_id, "name": None},
    }
    return Refusal(slug, detail, 409, {"state": now, "allowed": allowed(state), **members})
