"""Decisions on the answer and on the customer's word about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from shared.contracts import ownership as said
from shared.policy import Policy
from shared.refusal import Refusal

from . import acts, clocks
from .contacts import BY_CUSTOMER, assign
from .due import close, resume
from .handling import not_while
from .linking import follow
from .refusing import refuse
from .state import VISITED, Complaint
from .story import Around, Story, ids


def answer(story: Story, act: acts.Answer, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """The final answer: everything owed is met, and the customer is asked whether it is solved."""
    state = story.state
    if refusal := not_while(state, "answered", "closed"):
        return refusal
    if state.pause is not None:
        resume(story, policy, now, "asked", by=act.agent_id)
    if state.owner_id is None:
        assign(story, act.agent_id, "first_response", now)
    changes = clocks.answered(story.state, policy, now)
    event = said.Answered(
        **ids(state, now), by_id=act.agent_id, outcome=act.outcome, cycle=state.cycle, clocks=tuple(changes)
    )
    note = {"text": act.text, "reasons": act.reasons, "redress": act.redress}
    story.tell(event, by=act.agent_id, note=note)
    return None


def confirm(story: Story, act: acts.Confirm, now: datetime, policy: Policy, around: Around) -> Refusal | None:
    """The customer says whether it is solved: yes closes, no reopens with the same owner and fresh clocks."""
    state = story.state
    if act.cycle is not None and act.cycle != state.cycle:
        return refuse(state, "confirmation-of-another-cycle", "This is about an answer that a later one has replaced.")
    if act.solved:
        return _accepted(story, act, now, policy)
    if state.status == "open":
        return _no_while_open(story, act, now)
    if _in_time(state, policy, now):
        reopen(story, act.through, now, policy, by=BY_CUSTOMER, why="not solved", note=_comment(act))
        return None
    if state.followed_by is not None:
        return refuse(state, "complaint-followed", "Another complaint goes on with it: say it of that one.")
    follow(story, act.through, now, policy, around, why="not solved", note=_comment(act))
    return None


def _no_while_open(story: Story, act: acts.Confirm, now: datetime) -> Refusal | None:
    """The owner's answer is still to come: a no to an executive's words goes back up, as the customer's own word."""
    state = story.state
    if state.executive_answered != state.cycle:
        return refuse(state, "not-answered", "The complaint is open: there is no answer yet to say no to.")
    why = act.comment or "not solved"
    story.tell(said.EscalationAsked(**ids(state, now), by=BY_CUSTOMER), by=BY_CUSTOMER, why=why, note=_comment(act))
    return None


def _accepted(story: Story, act: acts.Confirm, now: datetime, policy: Policy) -> Refusal | None:
    state = story.state
    if state.status == "closed" and state.basis != "silent":
        return refuse(state, "complaint-closed", "The complaint is closed.")
    event = said.Accepted(**ids(state, now), cycle=state.cycle, through=act.through)
    story.tell(event, by=BY_CUSTOMER, note=_comment(act))
    if state.status != "closed":
        close(story, policy, "accepted", now, by=BY_CUSTOMER)
    return None


def follow_up(story: Story, act: acts.FollowUp, now: datetime, policy: Policy, around: Around) -> Refusal | None:
    """Some time after the closing the customer was asked: satisfied? would you choose us again?

    Not satisfied is a no like any other: it reopens with the same owner, or opens another complaint if it is too late.
    """
    state = story.state
    if state.status != "closed":
        return refuse(state, "not-closed", "A follow-up comes after the closing.")
    if state.basis not in VISITED:
        return refuse(state, "no-follow-up", f"Nobody is visited after a closing as {state.basis}.")
    if state.visit.done_at is not None:
        return refuse(state, "already-followed-up", "The customer was asked after this closing.")
    if act.cycle is not None and act.cycle != state.cycle:
        return refuse(state, "follow-up-of-another-cycle", "This is about an earlier closing.")
    event = said.FollowedUp(
        **ids(state, now),
        by_id=act.agent_id,
        satisfied=act.satisfied,
        would_choose_again=act.would_choose_again,
        cycle=state.cycle,
        through=act.through,
        clocks=tuple(clocks.met(state, (clocks.FOLLOW_UP,), now)),
    )
    note = _comment(act)
    story.tell(event, by=act.agent_id, note=note)
    if act.satisfied:
        return None
    through: Literal["page", "follow_up"] = "page" if act.through == "page" else "follow_up"
    why = "not satisfied at the follow-up"
    if _in_time(state, policy, now):
        reopen(story, through, now, policy, by=act.agent_id, why=why, note=None)
    elif state.followed_by is None:
        follow(story, through, now, policy, around, why=why, note=None)
    return None


def _in_time(state: Complaint, policy: Policy, now: datetime) -> bool:
    """Whether the customer's no may still reopen it."""
    return state.closed_at is None or now <= state.closed_at + policy.reopen_within.delta


def reopen(
    story: Story,
    through: said.NoThrough,
    now: datetime,
    policy: Policy,
    *,
    by: str,
    why: str,
    note: dict[str, Any] | None,
) -> None:
    """Same owner, next cycle, fresh clocks; the age since the first contact goes on."""
    state = story.state
    changes = clocks.all_stopped(state, now)
    changes += clocks.fresh(
        policy, clocks.facts_of(state), state.region, state.cycle + 1, now, owned=state.owner_id is not None
    )
    event = said.Reopened(**ids(state, now), cycle=state.cycle + 1, through=through, clocks=tuple(changes))
    story.tell(event, by=by, why=why, note=note)


def _comment(act: acts.Confirm | acts.FollowUp) -> dict[str, str] | None:
    return None if act.comment is None else {"comment": act.comment}
