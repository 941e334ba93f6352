"""How things of intake look from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.handlers import Responded, Taken
from services.intake.store import Customer
from shared.contracts.envelope import rfc3339
from shared.http import to_json


def taken(one: Taken) -> bytes:
    """The answer to a contact; what was heard is JSON already."""
    duplicate = b"true" if one.duplicate else b"false"
    return b'{"contact_id":"%s","duplicate":%s,"received_at":"%s","signals":%s}' % (
        one.contact_id.encode(),
        duplicate,
        rfc3339(one.received_at).encode(),
        one.signals,
    )


def responded(one: Responded) -> bytes:
    """The answer to a response."""
    return to_json(
        {
            "contact_id": one.contact_id,
            "response_id": one.response_id,
            "duplicate": one.duplicate,
            "received_at": one.received_at,
            "first": one.first,
        }
    )


def contact(row: Any, responses: Sequence[Any]) -> Mapping[str, Any]:
    """A contact: what was posted, what was heard, and who answered. `responder` is the first human who did."""
    shown = dict(row.posted)
    if row.responder_id is not None and "responder" not in shown:
        shown["responder"] = {"id": row.responder_id}
    return {
        **shown,
        "contact_id": row.id,
        "received_at": row.received_at,
        "signals": row.signals,
        "responses": [
            {
                "response_id": one.id,
                "responder_id": one.responder_id,
                "source_event_id": one.source_event_id,
                "occurred_at": one.occurred_at,
                "received_at": one.received_at,
                "first": one.first,
                "text": one.text,
            }
            for one in responses
        ],
    }


def customer(one: Customer) -> Mapping[str, Any]:
    """A customer's profile."""
    fields, standing = one.profile.fields, one.standing
    value = standing.lifetime_value
    said = list(one.profile.as_of.values())
    return {
        "id": one.kept.id,
        "name": fields.get("name"),
        "email": fields.get("email"),
        "phone": fields.get("phone"),
        "tier": standing.tier,
        "region": standing.region,
        "locale": standing.locale,
        "lifetime_value": None if value is None else value.model_dump(),
        "as_of": max(said) if said else None,
        "erased_at": standing.erased_at,
        "merged_into": one.merged_into,
    }
