"""Decisions of supervisors on who stands in for the owner, and who follows them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from shared.contracts import ownership as said
from shared.policy import Policy
from shared.refusal import Refusal

from . import acts, clocks
from .due import end_deputy
from .handling import not_while
from .manning import ask_who_follows, withdraw_succession
from .refusing import IN_FUTURE, invalid, refuse
from .story import Around, Story, ids


def acted_as(act: acts.Act, story: Story) -> Literal["owner", "deputy", "helper", "agent", "supervisor"] | None:
    """What somebody who acted is to the complaint; None where the customer spoke."""
    agent_id, state = getattr(act, "agent_id", None), story.state
    if agent_id is None:
        return "supervisor" if isinstance(act, _SUPERVISED) else None
    if agent_id == state.owner_id:
        return "owner"
    if any(told.event.on_behalf_of for told in story.told if isinstance(told.event, said.ComplaintEvent)):
        return "deputy"
    return "helper" if any(one.helper_id == agent_id for one in state.helpers) else "agent"


_SUPERVISED: Final = (acts.StartDeputy, acts.EndDeputy, acts.Succeed, acts.WithdrawSuccession)


def refused_for(story: Story, act: acts.Act, around: Around) -> Refusal | None:
    """The refusal of what would give an inactive agent something to do."""
    match act:
        case acts.Claim() | acts.AcceptSuccession():
            agent_id = act.agent_id
        case acts.AskHelper():
            agent_id = act.helper
        case acts.StartDeputy():
            agent_id = act.agent
        case acts.Succeed():
            agent_id = act.to
        case _:
            return None
    if around.people.of(agent_id).active:
        return None
    return refuse(story.state, "agent-inactive", "The agent is inactive: choose somebody who is active.")


def start_deputy(story: Story, act: acts.StartDeputy, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """Somebody stands in for the owner until a given time; the owner stays the owner."""
    state = story.state
    if refusal := not_while(state, "closed"):
        return refusal
    if state.owner_id is None:
        return refuse(state, "unowned", "Nobody owns the complaint: there is no one to stand in for.")
    if act.agent == state.owner_id:
        return refuse(state, "owner-is-no-deputy", "The owner cannot stand in for themselves.")
    if act.until <= now:
        return invalid(("/until", IN_FUTURE))
    if state.deputy is not None:
        if state.deputy.agent_id == act.agent and state.deputy.until == act.until:
            return refuse(state, "already-deputy", "They stand in already, until then.")
        end_deputy(story, now, "ended", by=act.by, why=act.reason)
    event = said.DeputyStarted(**ids(state, now), deputy_id=act.agent, until=act.until, by_id=act.by)
    story.tell(event, by=act.by, why=act.reason)
    return None


def stop_deputy(story: Story, act: acts.EndDeputy, now: datetime, _policy: Policy, around: Around) -> Refusal | None:
    """The deputy leaves before the time. If the owner is away, the policy does not put another one in their place."""
    state = story.state
    if state.deputy is None:
        return refuse(state, "no-deputy", "Nobody stands in for the owner.")
    assert state.owner_id is not None
    away = around.people.of(state.owner_id).away(now)
    none_until = None if away is None else min(state.deputy.until, away.until or state.deputy.until)
    end_deputy(story, now, "ended", by=act.by, why=act.reason, none_until=none_until)
    return None


def succeed(story: Story, act: acts.Succeed, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """The only way to another owner: asked by a supervisor, in effect once the successor has accepted."""
    state = story.state
    if refusal := not_while(state, "closed"):
        return refusal
    if state.owner_id is None:
        return refuse(state, "unowned", "Nobody owns the complaint: it can be claimed.")
    if act.to == state.owner_id:
        return refuse(state, "already-owner", "They own the complaint already.")
    if act.accepted_by is not None and act.accepted_by != act.to:
        return invalid(("/accepted_by", "must be the successor: nobody accepts for somebody else"))
    if act.accepted_by is None:
        ask_who_follows(story, act.to, act.reason, policy, now, by=act.by, why=act.note)
        return None
    _take_effect(story, act.to, act.reason, now, by=act.by, why=act.note)
    return None


def accept(story: Story, act: acts.AcceptSuccession, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """The successor takes over, with their own word."""
    if refusal := not_while(story.state, "closed"):
        return refusal
    asked = story.state.succession
    if asked is None:
        return refuse(story.state, "no-succession-asked", "No succession waits for an acceptance.")
    if asked.to_id is None:
        return refuse(story.state, "no-successor-named", "A supervisor has yet to say who follows the owner.")
    if asked.to_id != act.agent_id:
        return refuse(story.state, "not-the-successor", "Somebody else was asked to succeed the owner.")
    _take_effect(story, act.agent_id, asked.reason, now, by=act.agent_id, why="accepted")
    return None


def withdraw(
    story: Story, act: acts.WithdrawSuccession, now: datetime, _policy: Policy, around: Around
) -> Refusal | None:
    """The supervisor asks no more: the owner stays. An inactive owner cannot."""
    state = story.state
    if state.succession is None or state.owner_id is None:
        return refuse(state, "no-succession-asked", "No succession is asked for.")
    if not around.people.of(state.owner_id).active:
        return refuse(state, "owner-inactive", "The owner is inactive: name another successor instead.")
    withdraw_succession(story, "asked", now, by=act.by, why=act.reason)
    return None


def _take_effect(story: Story, to_id: str, reason: str, now: datetime, *, by: str, why: str) -> None:
    if story.state.deputy is not None:
        end_deputy(story, now, "succession", by=by)
    state = story.state
    assert state.owner_id is not None
    event = said.OwnerSucceeded.model_validate(
        {
            **ids(state, now),
            "from_id": state.owner_id,
            "to_id": to_id,
            "reason": reason,
            "by_id": by,
            "clocks": clocks.met(state, (clocks.SUCCESSION,), now),
        }
    )
    story.tell(event, by=by, why=why)
