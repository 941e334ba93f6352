"""Decisions on what agents do with a complaint: claim, tell the customer, pause, ask a helper."""

from __future__ import annotations

from datetime import datetime

from shared.calendars import due_at
from shared.contracts import ownership as said
from shared.policy import Policy
from shared.refusal import Refusal

from . import acts, clocks
from .contacts import assign
from .due import close, resume
from .refusing import IN_FUTURE, invalid, refuse
from .state import Complaint
from .story import Around, Story, ids


def not_while(state: Complaint, *statuses: str) -> Refusal | None:
    """The refusal of an act that needs another status."""
    if state.status not in statuses:
        return None
    return refuse(state, f"complaint-{state.status}", f"The complaint is {state.status}; this cannot be done now.")


def claim(story: Story, act: acts.Claim, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """The first agent to claim an unowned complaint owns it."""
    state = story.state
    if state.owner_id is not None:
        return refuse(state, "already-owned", "The complaint has an owner; the owner changes only by succession.")
    if refusal := not_while(state, "closed"):
        return refusal
    assign(story, act.agent_id, "claimed", now)
    return None


def acknowledge(story: Story, act: acts.Acknowledge, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """A human told the customer that the complaint has arrived: it meets no other clock than its own."""
    state = story.state
    if refusal := not_while(state, "answered", "closed"):
        return refusal
    if state.acknowledged_at is not None:
        return refuse(state, "already-acknowledged", "The complaint was acknowledged in this cycle.")
    changes = clocks.met(state, ("acknowledgement",), now)
    story.tell(said.Acknowledged(**ids(state, now), by_id=act.agent_id, clocks=tuple(changes)), by=act.agent_id)
    return None


def update(story: Story, act: acts.Update, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """The customer was told where things stand. Whoever says the first words on an unowned complaint owns it."""
    if refusal := not_while(story.state, "closed"):
        return refusal
    if act.next_update_by is not None and act.next_update_by <= now:
        return invalid(("/next_update_by", IN_FUTURE))
    if story.state.owner_id is None:
        assign(story, act.agent_id, "first_response", now)
    changes = clocks.spoken(story.state, policy, now, act.next_update_by)
    event = said.CustomerUpdated(**ids(story.state, now), by_id=act.agent_id, how="update", clocks=tuple(changes))
    story.tell(event, by=act.agent_id, note={"text": act.text})
    return None


def withdraw(story: Story, act: acts.Withdraw, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """The customer takes the complaint back, as an agent reports."""
    if refusal := not_while(story.state, "closed"):
        return refusal
    close(story, policy, "withdrawn", now, by=act.agent_id, why=act.reason)
    return None


def escalate(story: Story, act: acts.Escalate, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """Somebody asks for an executive: possible at any time."""
    story.tell(said.EscalationAsked(**ids(story.state, now), by=act.by), by=act.by_id, why=act.reason)
    return None


def pause(story: Story, act: acts.PauseClocks, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """Business clocks stand still until a given time, the customer's next contact, or a word."""
    state = story.state
    if refusal := not_while(state, "answered", "closed"):
        return refusal
    if state.pause is not None:
        return refuse(state, "already-paused", "The complaint is paused.", until=state.pause.until)
    if act.until <= now:
        return invalid(("/until", IN_FUTURE))
    event = said.Paused(**ids(state, now), until=act.until, by_id=act.agent_id, owner_id=state.owner_id)
    story.tell(event, by=act.agent_id, why=act.reason)
    return None


def end_pause(story: Story, act: acts.Resume, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """The clocks go on."""
    if story.state.pause is None:
        return refuse(story.state, "not-paused", "The complaint is not paused.")
    resume(story, policy, now, "asked", by=act.agent_id)
    return None


def ask_helper(story: Story, act: acts.AskHelper, now: datetime, policy: Policy, _: Around) -> Refusal | None:
    """Somebody else is asked something; the complaint stays where it is."""
    state = story.state
    if refusal := not_while(state, "closed"):
        return refusal
    terms, calendar = policy.helpers, policy.calendar(state.region)
    due = due_at(now, terms.answer_within, terms.hours, calendar)
    reminders = sorted(due_at(now, after, terms.hours, calendar) for after in terms.remind_after)
    event = said.HelperAsked(
        **ids(state, now),
        n=len(state.helpers) + 1,
        helper_id=act.helper,
        by_id=act.agent_id,
        due_at=due,
        remind_at=tuple(at for at in reminders if at < due),
    )
    story.tell(event, by=act.agent_id, note={"question": act.question})
    return None


def helper_reply(story: Story, act: acts.HelperReply, now: datetime, _policy: Policy, _: Around) -> Refusal | None:
    """The helper answers whoever holds the complaint; nothing is met by it, for the customer heard nothing."""
    state = story.state
    asked = next((one for one in state.helpers if one.n == act.n), None)
    if asked is None:
        return Refusal("not-found", "Nobody was asked under this number.", 404)
    if asked.replied_at is not None:
        return refuse(state, "already-replied", "This question was answered.")
    event = said.HelperReplied(**ids(state, now), n=act.n, helper_id=asked.helper_id)
    story.tell(event, by=act.agent_id, note={"text": act.text})
    return None
