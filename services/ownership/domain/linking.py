"""Decisions that tie complaints of one customer together: one that follows another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.contracts import ownership as said
from shared.policy import Facts, Policy

from . import clocks
from .contacts import BY_CUSTOMER, assign
from .repeating import repeat_of
from .state import Complaint
from .story import Around, Story, at_stake, ids, opening


def follow(
    story: Story,
    through: said.NoThrough,
    now: datetime,
    policy: Policy,
    around: Around,
    *,
    why: str,
    note: dict[str, Any] | None,
) -> None:
    """The customer's no comes too late to reopen: a new complaint goes on, with the same owner and clocks of its own.

    It is opened under the policy in force, and both complaints name each other.
    """
    state = story.state
    complaint_id, reference = around.fresh()
    again = repeat_of(state.cause, now, around.current, [*around.others, state])
    why = f"{why}, and closed more than {policy.reopen_within.words} ago"
    opened = opening(
        _opened(state, complaint_id, reference, now, around.current, again),
        by=BY_CUSTOMER,
        why=f"{why}, as {state.reference}",
    )
    if state.owner_id is not None:
        assign(opened, state.owner_id, "same_owner", now)
    if again is not None:
        opened.tell(said.Repeated(**ids(opened.state, now), repeat_of=again.id, cause=state.cause), by=BY_CUSTOMER)
    event = said.Continued(**ids(state, now), to_id=complaint_id, cycle=state.cycle, through=through)
    story.tell(event, by=BY_CUSTOMER, why=f"{why}: {reference} goes on with it", note=note)
    story.also.append(opened)
    story.answer = opened


def _opened(
    state: Complaint, complaint_id: str, reference: str, now: datetime, policy: Policy, again: Complaint | None
) -> said.ComplaintOpened:
    tier, region = policy.tier(state.tier), policy.region(state.region)
    facts = Facts(
        tier=tier,
        region=region,
        product=state.product,
        cause=state.cause,
        need=state.need,
        channel=state.channel,
    )
    changes = clocks.fresh(policy, facts, region, 1, now, owned=state.owner_id is not None)
    return said.ComplaintOpened.model_validate(
        {
            **ids(state, now),
            "complaint_id": complaint_id,
            "clocks": changes,
            "reference": reference,
            "contact_id": state.first_contact_id,
            "conversation_id": next(reversed(state.conversations), None),
            "because": "still_not_solved",
            "channel": state.channel,
            "tier": tier,
            "region": region,
            "product": state.product,
            "cause": state.cause,
            "need": state.need,
            "locale": state.locale,
            "value_at_stake": at_stake(state),
            "repeat_of": again.id if again else None,
            "follows": state.id,
            "known_as": (*state.known_as, state.reference),
            "first_contact_at": now,
            "policy_version": policy.version,
        }
    )
