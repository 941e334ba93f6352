"""All events by their full type: the one list that schemas, AsyncAPI and consumers are made from."""

from __future__ import annotations

from typing import Final

from shared.contracts import escalation, intake, ownership
from shared.contracts.envelope import Event, full_type

SERVICES: Final = ("intake", "ownership", "escalation")

PUBLISHED: Final[dict[str, tuple[type[Event], ...]]] = {
    "intake": intake.EVENTS,
    "ownership": ownership.EVENTS,
    "escalation": escalation.EVENTS,
}

#: `complaintloop.contact.captured.v1` -> ContactCaptured
BY_TYPE: Final[dict[str, type[Event]]] = {full_type(event): event for events in PUBLISHED.values() for event in events}
