"""The decision on what a complaint is: its cause, a threat to leave, a repeat, or no complaint at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.contracts import ownership as said
from shared.policy import Policy
from shared.refusal import Refusal

from . import acts
from .due import close
from .repeating import judge_later, repeated
from .story import Around, Story, ids


def classify(story: Story, act: acts.Classify, now: datetime, policy: Policy, around: Around) -> Refusal | None:
    """Somebody said what it is. What it repeats is judged anew, and so is what repeats it."""
    state = story.state
    changed = {name: value for name, value in act.changes.items() if getattr(state, name) != value}
    if "departure_threat" in act.changes and state.departure_possible is not None:
        changed["departure_threat"] = act.changes["departure_threat"]  # confirmed or dismissed: both are news
    none_at_all = act.changes.get("complaint") is False and state.status != "closed"
    if not changed and not none_at_all:
        return None
    again = None
    if "cause" in changed:
        again = repeated(replace(state, cause=changed["cause"]), policy, around.others)
        if again is None and state.repeat_of is not None:
            changed["repeat_of"] = None
    event = said.Classified(
        **ids(state, now), by_id=act.agent_id, changed=tuple(changed), **changed, contact_ids=state.contacts
    )
    story.tell(event, by=act.agent_id, why=act.reason)
    if changed.get("departure_threat"):
        threat = said.DepartureThreatened(
            **ids(state, now), contact_id=state.departure_possible, tier="certain", because="agent"
        )
        story.tell(threat, by=act.agent_id)
    if again is not None and again.id != state.repeat_of:
        story.tell(said.Repeated(**ids(state, now), repeat_of=again.id, cause=again.cause), by=act.agent_id)
    if none_at_all:
        why = act.reason or "classified as no complaint"
        close(story, policy, "not_a_complaint", now, by=act.agent_id, why=why)
    if "cause" in changed or none_at_all:
        judge_later(story, around, now, by=act.agent_id)
    return None
