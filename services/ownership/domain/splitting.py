"""One complaint that is two: some contacts go on as a complaint of their own, with the same owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.contracts import ownership as said
from shared.contracts.ownership import ClockChange
from shared.policy import Facts, Policy
from shared.refusal import Refusal

from . import acts, clocks
from .contacts import apart, assign
from .handling import not_while
from .refusing import invalid, refuse
from .repeating import repeat_of
from .state import Complaint
from .story import Around, Story, at_stake, ids, opening


def split(story: Story, act: acts.Split, now: datetime, policy: Policy, around: Around) -> Refusal | None:
    """Takes contacts out of this complaint. The owner, the terms and the first contact stay; the new complaint has the
    same owner, and clocks that start when the customer made the first of its contacts."""
    state = story.state
    if refusal := not_while(state, "closed"):
        return refusal
    if refusal := _misplaced(state, act.contacts):
        return refusal
    moved = sorted(set(act.contacts), key=lambda one: (around.heard_of(one, now).at, one))
    rest = [around.heard[one].conversation_id for one in state.contacts if one not in moved and one in around.heard]
    conversations = list(
        dict.fromkeys(
            found
            for one in moved
            if (found := around.heard_of(one, now).conversation_id) in state.conversations and found not in rest
        )
    )
    complaint_id, reference = around.fresh()
    opened = opening(
        _opened(state, act, moved[0], complaint_id, reference, now, policy, around),
        by=act.agent_id,
        why=act.reason,
    )
    if state.owner_id is not None:
        assign(opened, state.owner_id, "same_owner", now)
    for contact_id in moved[1:]:
        heard = around.heard_of(contact_id, now)
        joined = said.ContactJoined(
            **ids(opened.state, heard.at),
            contact_id=contact_id,
            contact_customer_id=apart(state.came_under(contact_id), state.customer_id),
            conversation_id=heard.conversation_id if heard.conversation_id in conversations else None,
            because="split",
        )
        opened.tell(joined, by=act.agent_id, why=f"split from {state.reference}")
    if state.departure_possible in moved:
        threat = said.DepartureThreatened(
            **ids(opened.state, now), contact_id=state.departure_possible, tier="possible", because="heard"
        )
        opened.tell(threat, by=act.agent_id, why="to be confirmed or dismissed")
    if opened.state.repeat_of is not None:
        again = said.Repeated(**ids(opened.state, now), repeat_of=opened.state.repeat_of, cause=opened.state.cause)
        opened.tell(again, by=act.agent_id)
    event = said.Split(
        **ids(state, now),
        into_id=complaint_id,
        by_id=act.agent_id,
        contact_ids=tuple(moved),
        conversation_ids=tuple(conversations),
    )
    story.tell(event, by=act.agent_id, why=act.reason)
    story.also.append(opened)
    story.answer = opened
    return None


def _misplaced(state: Complaint, contacts: Sequence[str]) -> Refusal | None:
    strangers = [n for n, one in enumerate(contacts) if one not in state.contacts]
    if strangers:
        return invalid(*((f"/contacts/{n}", "is no contact of this complaint") for n in strangers))
    if state.about is None and state.contacts[0] in contacts:
        detail = "The first contact stays, because owner and clocks come from it: split off the others."
        return refuse(state, "first-contact-stays", detail, first_contact=state.contacts[0])
    return None


def _opened(
    state: Complaint,
    act: acts.Split,
    contact_id: str,
    complaint_id: str,
    reference: str,
    now: datetime,
    policy: Policy,
    around: Around,
) -> said.ComplaintOpened:
    first = around.heard_of(contact_id, now)
    product = act.product if act.product is not None else state.product
    facts = Facts(
        tier=state.tier,
        region=state.region,
        product=product,
        cause=act.cause,
        need=act.need,
        channel=state.channel,
    )
    start = clocks.start_of(first.at, now, policy.accept_late.delta)
    changes = clocks.fresh(policy, facts, state.region, 1, start, owned=state.owner_id is not None)
    again = repeat_of(act.cause, start, policy, around.others)
    return said.ComplaintOpened.model_validate(
        {
            **ids(state, now),
            "complaint_id": complaint_id,
            "clocks": _heard_since(state, policy, facts, changes, start),
            "reference": reference,
            "contact_id": contact_id,
            "contact_customer_id": apart(state.came_under(contact_id), state.customer_id),
            "conversation_id": first.conversation_id,
            "because": "split",
            "channel": state.channel,
            "tier": state.tier,
            "region": state.region,
            "product": product,
            "cause": act.cause,
            "need": act.need,
            "locale": state.locale,
            "value_at_stake": at_stake(state),
            "repeat_of": again.id if again else None,
            "split_from": state.id,
            "first_contact_at": first.at,
            # what the customer was promised when they made these contacts
            "policy_version": state.policy_version,
        }
    )


def _heard_since(
    state: Complaint, policy: Policy, facts: Facts, changes: list[ClockChange], start: datetime
) -> list[ClockChange]:
    """A human's words to the customer since then answered these contacts too: they count for the new complaint."""
    words = [c.met_at for c in state.clocks if c.kind in ("first_response", clocks.NEXT_UPDATE) and c.met_at]
    spoken = max(words, default=None)
    if spoken is None or spoken < start:
        return changes
    met = [
        ClockChange(change="met", kind=one.kind, cycle=1, at=spoken)
        for one in changes
        if one.kind in (*clocks.WORDS_MEET, clocks.NEXT_UPDATE)
    ]
    term = policy.term(clocks.NEXT_UPDATE, facts)
    again = [] if term is None else [clocks.started(term, 1, spoken, policy.calendar(state.region))]
    return [*changes, *met, *again]
