"""The ledger of owners and deputies, read from what was announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

LEDGER_TYPES: Final = (
    "complaint.owner_assigned",
    "complaint.owner_succeeded",
    "complaint.deputy_started",
    "complaint.deputy_ended",
)


def ledger(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every owner and deputy with from, until, why and by whom: owners without gap or overlap."""
    items: list[dict[str, Any]] = []
    for event in told:
        data, kind = event["data"], event["type"].removeprefix("complaint.")
        if kind in ("owner_succeeded", "deputy_ended"):
            role = "owner" if kind == "owner_succeeded" else "deputy"
            last = next((item for item in reversed(items) if item["role"] == role and item["until"] is None), None)
            if last is not None:
                last["until"] = data["at"]
        if kind == "deputy_ended":
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
