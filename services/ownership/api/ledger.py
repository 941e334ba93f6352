"""The ledger of owners and deputies, read from what was announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.store import reading

LEDGER_TYPES: Final = (
    "complaint.owner_assigned",
    "complaint.owner_succeeded",
    "complaint.deputy_started",
    "complaint.deputy_ended",
    "complaint.merged",
    "complaint.took_in",
    "complaint.earlier_response_known",
)


def ledger(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every owner and deputy with from, until, why and by whom: owners without gap or overlap.

    Of a complaint that was merged the owner's time ends there: it goes on with the owner of the other one.
    """
    items: list[dict[str, Any]] = []
    for event in told:
        data, kind = event["data"], event["type"].removeprefix("complaint.")
        if kind in ("took_in", "earlier_response_known"):
            continue
        if kind in ("owner_succeeded", "deputy_ended", "merged"):
            role = "deputy" if kind == "deputy_ended" else "owner"
            last = next((item for item in reversed(items) if item["role"] == role and item["until"] is None), None)
            if last is not None:
                last["until"] = data["at"]
        if kind in ("deputy_ended", "merged"):
            continue
        agent_id = data.get("owner_id") or data.get("to_id") or data.get("deputy_id")
        why = data.get("because") or data.get("reason") or event["why"]
        items.append(
            {
                "role": "deputy" if kind == "deputy_started" else "owner",
                "agent": {"id": agent_id, "name": None},
                "from": data["at"],
                "until": None,
                "why": why,
                "by": event["by"],
            }
        )
    return items


async def whole_ledger(conn: AsyncConnection, complaint_id: str) -> dict[str, Any]:
    """The ledger of a complaint, and beside it those of all complaints that were merged into it."""
    waiting = [complaint_id]
    found: list[dict[str, Any]] = []
    for one in waiting:
        told = await reading.told(conn, one, LEDGER_TYPES)
        found.append({"complaint_id": one, "items": ledger(told), "earlier_responders": earlier(told)})
        waiting += [event["data"]["from_id"] for event in told if event["type"] == "complaint.took_in"]
    every = [item for one in found for name in ("items", "earlier_responders") for item in one[name]]
    names = await reading.names_of(conn, [str(item["agent"]["id"]) for item in every])
    for item in every:
        item["agent"]["name"] = names.get(str(item["agent"]["id"]))
    first = found[0]
    return {"items": first["items"], "earlier_responders": first["earlier_responders"], "merged": found[1:]}


def earlier(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who had answered before the owner, and was heard of too late to own it."""
    return [
        {
            "agent": {"id": data["responder_id"], "name": None},
            "responded_at": data["responded_at"],
            "known_at": data["at"],
            "contact_id": data["contact_id"],
            "response_id": data["response_id"],
        }
        for data in (event["data"] for event in told if event["type"] == "complaint.earlier_response_known")
    ]
