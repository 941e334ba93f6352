"""What the present state forbids, and what it allows instead."""

from __future__ import annotations

from typing import Any, Final

from shared.refusal import Refusal

from .state import VISITED, Complaint

#: of a time that was asked for
IN_FUTURE: Final = "must lie in the future"


def allowed(state: Complaint) -> list[str]:
    """The acts that the present state does not forbid, by the names of their routes."""
    if state.merged_into is not None:
        return []
    if state.status == "closed":
        confirmation = [] if state.followed_by else ["confirmation"]
        visit = ["follow-up"] if state.basis in VISITED and state.visit.done_at is None else []
        return [*confirmation, "classification", "escalation", *visit, *_replies(state)]
    acts = ["updates", "classification", "confirmation", "withdrawal", "escalation", "helpers", "merge"]
    if len(state.contacts) > (state.about is None):
        acts.append("split")
    if state.owner_id is not None:
        acts += ["deputy", "succession"]
    if state.status == "open":
        acts += ["answer", "resume" if state.pause else "pause"]
        acts += [
            *(["claim"] if state.owner_id is None else []),
            *([] if state.acknowledged_at else ["acknowledgement"]),
        ]
    if state.deputy:
        acts.append("deputy/end")
    if state.succession is not None and state.succession.to_id is not None:
        # where nobody is named, the owner is inactive: there is nothing to accept, and nothing to take back
        acts += ["succession/acceptance", "succession/withdrawal"]
    return acts + _replies(state)


def _replies(state: Complaint) -> list[str]:
    return [f"helpers/{one.n}/reply" for one in state.helpers if one.replied_at is None]


def invalid(*wrong: tuple[str, str]) -> Refusal:
    """422 from (pointer, message) pairs: what was asked for cannot be, whatever the state."""
    pointer, message = wrong[0]
    errors = [{"pointer": pointer, "message": message} for pointer, message in wrong]
    return Refusal("invalid", f"{pointer}: {message}", 422, {"errors": errors})


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
    acts = allowed(state)
    told = f"{detail} Allowed now: {', '.join(acts)}." if acts else detail
    return Refusal(slug, told, 409, {"state": now, "allowed": acts, **members})
