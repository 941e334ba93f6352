"""What a contact says about a cause: heard by intake, corrected by agents, whichever is known first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.contracts.intake import ContactCaptured
from shared.contracts.ownership import Classified


class Contact(BaseModel):
    """One contact. `heard_at` is null until intake told of it, `complaint_id` until ownership did."""

    model_config = ConfigDict(frozen=True)

    id: str
    customer_id: str
    complaint_id: str | None = None
    heard_at: datetime | None = None
    #: is it a complaint? null: it may be
    heard_complaint: bool | None = None
    heard_cause: str | None = None
    heard_product: str | None = None
    #: what agents said of it since, by field: it counts for more than what was heard
    said: dict[str, Any] = {}
    said_by: str | None = None
    #: promises whose breach by this contact has reached an escalation
    raised: tuple[str, ...] = ()

    @property
    def complaint(self) -> bool | None:
        value: bool | None = self.said.get("complaint", self.heard_complaint)
        return value

    @property
    def cause(self) -> str | None:
        value: str | None = self.said.get("cause", self.heard_cause)
        return value

    @property
    def product(self) -> str | None:
        value: str | None = self.said.get("product", self.heard_product)
        return value


def captured(contact: Contact, event: ContactCaptured) -> Contact:
    """The contact with what intake heard."""
    return contact.model_copy(
        update={
            # a complaint may be another id's of the same person: whose the contact is, intake says
            "customer_id": event.customer_id,
            "heard_at": heard_at(event.occurred_at, event.received_at),
            "heard_complaint": event.complaint.value,
            "heard_cause": event.cause,
            "heard_product": event.product,
        }
    )


def heard_at(occurred_at: datetime, received_at: datetime) -> datetime:
    """When the customer spoke, for "after the promise was made".

    Never later than we received it: another system's clock may be ahead. A time told in whole seconds stands for the
    end of that second, else what is said right after a promise would seem to come before it.
    """
    if occurred_at.microsecond == 0:
        occurred_at += timedelta(seconds=1, microseconds=-1)
    return min(occurred_at, received_at)


def classified(contact: Contact, event: Classified) -> Contact:
    """The contact with what an agent said of its complaint."""
    told = {name: getattr(event, name) for name in ("cause", "product", "complaint") if name in event.changed}
    if not told:
        return contact
    return contact.model_copy(
        update={"complaint_id": event.complaint_id, "said": {**contact.said, **told}, "said_by": event.by_id}
    )


def dismissed(contact: Contact, by: str | None) -> Contact:
    """The contact of a complaint that was closed as not being one."""
    return contact.model_copy(update={"said": {**contact.said, "complaint": False}, "said_by": by or "ownership"})
