"""What escalation knows of a complaint: ownership's facts, folded from its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.contracts import ownership
from shared.contracts.envelope import Event
from shared.contracts.intake import Amount


class Complaint(BaseModel):
    """A complaint as ownership last told it."""

    model_config = ConfigDict(frozen=True)

    id: str
    customer_id: str
    reference: str | None = None
    region: str | None = None
    tier: str | None = None
    product: str | None = None
    cause: str | None = None
    need: str | None = None
    locale: str | None = None
    value: Amount | None = None
    policy_version: str = ""
    owner_id: str | None = None
    #: who held it first: a breach of a promise is told to them
    first_owner_id: str | None = None
    #: who stands in for the owner
    deputy_id: str | None = None
    departure_threat: bool = False
    status: str = "open"
    closed_at: datetime | None = None
    #: the complaint in which it goes on
    merged_into: str | None = None
    cycle: int = 1
    opened_at: datetime | None = None
    first_contact_id: str | None = None
    #: the complaint that the customer's no came too late to reopen
    follows: str | None = None


def evolve(complaint: Complaint, event: Event) -> Complaint:
    """The complaint after one of ownership's events; most change nothing that matters here."""
    changed = _changes(complaint, event)
    return complaint.model_copy(update=changed) if changed else complaint


def _changes(complaint: Complaint, event: Event) -> dict[str, Any]:
    match event:
        case ownership.ComplaintOpened():
            return {
                "reference": event.reference,
                "region": event.region,
                "tier": event.tier,
                "product": event.product,
                "cause": event.cause,
                "need": event.need,
                "locale": event.locale,
                "value": event.value_at_stake,
                "policy_version": event.policy_version,
                "departure_threat": event.departure_threat,
                "opened_at": event.at,
                "first_contact_id": event.contact_id,
                "follows": event.follows,
            }
        case ownership.ContactJoined():
            return {"value": event.value_at_stake} if event.value_at_stake else {}
        case ownership.OwnerAssigned():
            return {"owner_id": event.owner_id, "first_owner_id": complaint.first_owner_id or event.owner_id}
        case ownership.OwnerSucceeded():
            return {"owner_id": event.to_id, "first_owner_id": complaint.first_owner_id or event.from_id}
        case ownership.DeputyStarted():
            return {"deputy_id": event.deputy_id}
        case ownership.DeputyEnded():
            return {"deputy_id": None}
        case ownership.Classified():
            told = {"cause", "product", "need", "departure_threat"} & set(event.changed)
            return {name: getattr(event, name) or (False if name == "departure_threat" else None) for name in told}
        case ownership.DepartureThreatened():
            return {"departure_threat": True} if alarming(event) else {}
        case ownership.TookIn():
            return {
                "cause": event.cause or complaint.cause,
                "product": event.product or complaint.product,
                "need": event.need or complaint.need,
                "value": event.value_at_stake or complaint.value,
                "departure_threat": complaint.departure_threat or event.departure_threat,
            }
        case ownership.Merged():
            # whoever is asked about it still is; what is told in person is told by who owns the one that goes on
            return {"owner_id": event.owner_id or complaint.owner_id, "merged_into": event.into_id}
        case ownership.Answered():
            return {"status": "answered"}
        case ownership.Reopened():
            return {"status": "open", "cycle": event.cycle, "closed_at": None}
        case ownership.Closed():
            return {"status": "closed", "closed_at": event.at}
    return {}


def alarming(event: ownership.DepartureThreatened) -> bool:
    """A threat that escalates: certain or likely, or said by an agent. A possible one is put before people."""
    return event.tier in ("certain", "likely") or event.because == "agent"
