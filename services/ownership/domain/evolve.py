"""The only place where a complaint changes: `evolve(state, event)` folds one event into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from shared.contracts import ownership as said
from shared.contracts.envelope import Event
from shared.contracts.intake import Amount

from .applying import applied, marked
from .state import Complaint, Deputy, Escalated, FollowUp, Helper, Pause, Succession

#: why a complaint was opened, where somebody has said that it is one
_SURE: Final = ("complaint", "still_not_solved", "split")


def _opened(_: Complaint | None, event: said.ComplaintOpened) -> Complaint:
    value = event.value_at_stake
    return Complaint(
        id=event.complaint_id,
        reference=event.reference,
        customer_id=event.customer_id,
        status="open",
        tier=event.tier,
        region=event.region,
        channel=event.channel,
        opened_at=event.at,
        first_contact_at=event.first_contact_at,
        policy_version=event.policy_version,
        product=event.product,
        cause=event.cause,
        need=event.need,
        opened_as=(event.product, event.cause, event.need),
        locale=event.locale,
        value_at_stake=None if value is None else (value.amount, value.currency),
        complaint=True if event.because in _SURE else None,
        departure_threat=event.departure_threat,
        repeat_of=event.repeat_of,
        follows=event.follows,
        split_from=event.split_from,
        about=event.contact_id if event.follows else None,
        known_as=event.known_as,
        clocks=applied((), event.clocks),
        # the contact of one that follows stays where it is: each contact belongs to one complaint
        contacts=() if event.follows else (event.contact_id,),
        from_others=_from_other((), event),
        conversations=() if event.conversation_id is None else (event.conversation_id,),
    )


def _from_other(
    before: tuple[tuple[str, str], ...], event: said.ComplaintOpened | said.ContactJoined
) -> tuple[tuple[str, str], ...]:
    other = event.contact_customer_id
    return before if other is None else (*before, (event.contact_id, other))


def _at_stake(state: Complaint, value: Amount | None) -> tuple[str, str] | None:
    return state.value_at_stake if value is None else (value.amount, value.currency)


def _joined(state: Complaint, event: said.ContactJoined) -> Complaint:
    conversations = state.conversations
    if event.conversation_id is not None and event.conversation_id not in conversations:
        conversations = (*conversations, event.conversation_id)
    return replace(
        state,
        contacts=(*state.contacts, event.contact_id),
        from_others=_from_other(state.from_others, event),
        conversations=conversations,
        value_at_stake=_at_stake(state, event.value_at_stake),
        clocks=applied(state.clocks, event.clocks),
    )


def _with_clocks(state: Complaint, event: said.ComplaintEvent, **changes: Any) -> Complaint:
    if event.clocks:
        changes["clocks"] = applied(state.clocks, event.clocks)
    return replace(state, **changes) if changes else state


def _owner_assigned(state: Complaint, event: said.OwnerAssigned) -> Complaint:
    # who took the contact that opened it had it when the customer spoke, whenever it came to be known here
    took = event.because == "first_responder" and event.at == state.opened_at
    first = (event.owner_id, state.first_contact_at if took else event.at)
    return _with_clocks(state, event, owner_id=event.owner_id, first_owner=first)


def _acknowledged(state: Complaint, event: said.Acknowledged) -> Complaint:
    return _with_clocks(state, event, acknowledged_at=event.at)


def _helper_asked(state: Complaint, event: said.HelperAsked) -> Complaint:
    asked = Helper(
        event.n, event.helper_id, event.by_id, event.at, due_at=event.due_at, remind_at=tuple(event.remind_at)
    )
    return _with_clocks(state, event, helpers=(*state.helpers, asked))


def _helper(state: Complaint, n: int, **changes: Any) -> tuple[Helper, ...]:
    return tuple(replace(one, **changes) if one.n == n else one for one in state.helpers)


def _helper_reminded(state: Complaint, event: said.HelperReminded) -> Complaint:
    reminded = next(one.reminded for one in state.helpers if one.n == event.n)
    return _with_clocks(state, event, helpers=_helper(state, event.n, reminded=reminded + 1))


def _helper_timed_out(state: Complaint, event: said.HelperTimedOut) -> Complaint:
    return _with_clocks(state, event, helpers=_helper(state, event.n, timed_out_at=event.at))


def _helper_replied(state: Complaint, event: said.HelperReplied) -> Complaint:
    return _with_clocks(state, event, helpers=_helper(state, event.n, replied_at=event.at))


def _deputy_started(state: Complaint, event: said.DeputyStarted) -> Complaint:
    deputy = Deputy(event.deputy_id, event.at, event.until, event.because)
    return _with_clocks(state, event, deputy=deputy, no_deputy_until=None)


def _deputy_ended(state: Complaint, event: said.DeputyEnded) -> Complaint:
    return _with_clocks(state, event, deputy=None, no_deputy_until=event.none_until)


def _succession_asked(state: Complaint, event: said.SuccessionAsked) -> Complaint:
    return _with_clocks(state, event, succession=Succession(event.to_id, event.reason, event.by_id, event.at))


def _succession_withdrawn(state: Complaint, event: said.SuccessionWithdrawn) -> Complaint:
    return _with_clocks(state, event, succession=None)


def _owner_succeeded(state: Complaint, event: said.OwnerSucceeded) -> Complaint:
    return _with_clocks(state, event, owner_id=event.to_id, succession=None, no_deputy_until=None)


def _classified(state: Complaint, event: said.Classified) -> Complaint:
    changes: dict[str, Any] = {name: getattr(event, name) for name in event.changed}
    if "departure_threat" in changes:
        changes["departure_threat"] = bool(changes["departure_threat"])
        changes["departure_possible"] = None
    return _with_clocks(state, event, **changes)


def _paused(state: Complaint, event: said.Paused) -> Complaint:
    return _with_clocks(state, event, pause=Pause(event.at, event.until))


def _resumed(state: Complaint, event: said.Resumed) -> Complaint:
    return _with_clocks(state, event, pause=None)


def _clock_warned(state: Complaint, event: said.ClockWarned) -> Complaint:
    clock = state.running(event.kind)
    given = clock.warned + 1 if clock else 0
    clocks = marked(state.clocks, event.kind, event.cycle, warned=given, warned_at=event.at)
    return replace(state, clocks=clocks)


def _clock_breached(state: Complaint, event: said.ClockBreached) -> Complaint:
    return replace(state, clocks=marked(state.clocks, event.kind, event.cycle, breached_at=event.at))


def _departure_threatened(state: Complaint, event: said.DepartureThreatened) -> Complaint:
    if event.tier == "possible":
        return _with_clocks(state, event, departure_possible=event.contact_id)
    return _with_clocks(state, event, departure_threat=True, departure_possible=None)


def _repeated(state: Complaint, event: said.Repeated) -> Complaint:
    return _with_clocks(state, event, repeat_of=event.repeat_of)


def _answered(state: Complaint, event: said.Answered) -> Complaint:
    return _with_clocks(state, event, status="answered", answered_at=event.at)


def _accepted(state: Complaint, event: said.Accepted) -> Complaint:
    # a customer who speaks only after a silent closing has spoken all the same
    changes = {"basis": "accepted"} if state.status == "closed" else {}
    return _with_clocks(state, event, **changes)


def _reopened(state: Complaint, event: said.Reopened) -> Complaint:
    return _with_clocks(
        state,
        event,
        status="open",
        cycle=event.cycle,
        basis=None,
        answered_at=None,
        closed_at=None,
        acknowledged_at=None,
        reopened_at=event.at,
    )


def _continued(state: Complaint, event: said.Continued) -> Complaint:
    return _with_clocks(state, event, followed_by=event.to_id)


def _merged(state: Complaint, event: said.Merged) -> Complaint:
    # each contact belongs to one complaint: they join the other one, and the timeline says which they were
    return _with_clocks(
        state, event, merged_into=event.into_id, about=state.first_contact_id, contacts=(), conversations=()
    )


def _took_in(state: Complaint, event: said.TookIn) -> Complaint:
    found = [one for one in event.conversation_ids if one not in state.conversations]
    return _with_clocks(
        state,
        event,
        took_in=(*state.took_in, event.from_id),
        conversations=(*state.conversations, *found),
        known_as=(*state.known_as, *event.known_as),
        departure_threat=state.departure_threat or event.departure_threat,
        departure_possible=state.departure_possible or event.departure_possible,
        cause=event.cause or state.cause,
        product=event.product or state.product,
        need=event.need or state.need,
        value_at_stake=_at_stake(state, event.value_at_stake),
    )


def _split(state: Complaint, event: said.Split) -> Complaint:
    gone = frozenset(event.contact_ids)
    return _with_clocks(
        state,
        event,
        split_into=(*state.split_into, event.into_id),
        contacts=tuple(one for one in state.contacts if one not in gone),
        from_others=tuple(one for one in state.from_others if one[0] not in gone),
        conversations=tuple(one for one in state.conversations if one not in event.conversation_ids),
        departure_possible=None if state.departure_possible in gone else state.departure_possible,
    )


def _executive_asked(state: Complaint, event: said.ExecutiveAsked) -> Complaint:
    known = state.escalation(event.escalation_id) or Escalated(event.escalation_id)
    rest = tuple(one for one in state.escalations if one.id != event.escalation_id)
    now = replace(known, asked_at=event.at)
    return _with_clocks(state, event, escalations=(*rest, now) if event.clocks else (now, *rest))


def _executive_replied(state: Complaint, event: said.ExecutiveReplied) -> Complaint:
    told = tuple(
        replace(one, answered_at=event.at) if one.id == event.escalation_id else one for one in state.escalations
    )
    if state.escalation(event.escalation_id) is None:
        told = (Escalated(event.escalation_id, None, event.at), *told)
    return _with_clocks(state, event, escalations=told)


def _executive_answered(state: Complaint, event: said.ExecutiveAnswered) -> Complaint:
    return _with_clocks(state, event, executive_answered=event.cycle)


def _closed(state: Complaint, event: said.Closed) -> Complaint:
    return _with_clocks(state, event, status="closed", basis=event.basis, closed_at=event.at, pause=None)


def _follow_up_due(state: Complaint, event: said.FollowUpDue) -> Complaint:
    asked = FollowUp(event.cycle, event.by, event.agent_id, event.at)
    return _with_clocks(state, event, follow_up=asked)


def _followed_up(state: Complaint, event: said.FollowedUp) -> Complaint:
    told = state.follow_up if state.follow_up and state.follow_up.cycle == event.cycle else FollowUp(event.cycle)
    done = replace(
        told,
        done_at=event.at,
        done_by=event.by_id,
        satisfied=event.satisfied,
        would_choose_again=event.would_choose_again,
    )
    return _with_clocks(state, event, follow_up=done)


def evolve(state: Complaint | None, event: Event) -> Complaint:
    """The complaint after `event`. Raises KeyError for an event that is not a complaint's."""
    return _FOLDS[type(event)](state, event)


_FOLDS: Final[dict[type[Event], Callable[[Any, Any], Complaint]]] = {
    said.ComplaintOpened: _opened,
    said.ContactJoined: _joined,
    said.OwnerAssigned: _owner_assigned,
    said.EarlierResponseKnown: _with_clocks,
    said.Acknowledged: _acknowledged,
    said.CustomerUpdated: _with_clocks,
    said.HelperAsked: _helper_asked,
    said.HelperReminded: _helper_reminded,
    said.HelperTimedOut: _helper_timed_out,
    said.HelperReplied: _helper_replied,
    said.DeputyStarted: _deputy_started,
    said.DeputyEnded: _deputy_ended,
    said.SuccessionAsked: _succession_asked,
    said.SuccessionWithdrawn: _succession_withdrawn,
    said.OwnerSucceeded: _owner_succeeded,
    said.Classified: _classified,
    said.Paused: _paused,
    said.Resumed: _resumed,
    said.ClockWarned: _clock_warned,
    said.ClockBreached: _clock_breached,
    said.DepartureThreatened: _departure_threatened,
    said.Repeated: _repeated,
    said.EscalationAsked: _with_clocks,
    said.Answered: _answered,
    said.ExecutiveAsked: _executive_asked,
    said.ExecutiveReplied: _executive_replied,
    said.ExecutiveAnswered: _executive_answered,
    said.Accepted: _accepted,
    said.Reopened: _reopened,
    said.Continued: _continued,
    said.Merged: _merged,
    said.TookIn: _took_in,
    said.Split: _split,
    said.Closed: _closed,
    said.FollowUpDue: _follow_up_due,
    said.FollowedUp: _followed_up,
}
