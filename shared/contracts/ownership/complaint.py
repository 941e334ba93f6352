"""What all events of a complaint have, and the clocks that each of them may move."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.envelope import Event

Basis = Literal["accepted", "silent", "withdrawn", "not_a_complaint", "merged"]
#: by which way a customer said no to what was closed
NoThrough = Literal["tool", "page", "follow_up"]
Outcome = Literal["upheld", "partly_upheld", "not_upheld"]


class ClockChange(BaseModel):
    """One clock started, met, moved (by a pause) or stopped (no longer owed)."""

    model_config = ConfigDict(frozen=True)
    change: Literal["started", "met", "moved", "stopped"]
    kind: str
    cycle: int
    at: AwareDatetime
    due_at: AwareDatetime | None = None
    hours: Literal["business", "calendar"] | None = None
    #: instants at which a warning is due, with the percentage used up by then
    warnings: tuple[tuple[int, AwareDatetime], ...] = ()
    paused_seconds: float = 0
    #: of a clock that comes from another complaint: it was missed there
    breached_at: AwareDatetime | None = None


class ComplaintEvent(Event):
    """What all events of a complaint have."""

    SUBJECT: ClassVar[str] = "complaint_id"

    complaint_id: str
    at: AwareDatetime
    clocks: tuple[ClockChange, ...] = ()
    #: the owner, where their deputy acted
    on_behalf_of: str | None = None

    @property
    def also_concerns(self) -> tuple[str, ...]:
        other = getattr(self, "contact_customer_id", None)
        return () if other is None else (other,)
