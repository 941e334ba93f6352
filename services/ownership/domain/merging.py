"""Two complaints that are one: the one whose contact came first goes on, with everything that was promised of both."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.contracts import ownership as said
from shared.contracts.ownership import ClockChange
from shared.policy import Policy
from shared.refusal import Refusal

from . import acts, clocks
from .contacts import apart, assign
from .due import close, resume, work_through
from .handling import not_while
from .refusing import refuse
from .repeating import repeated
from .state import Clock, Complaint
from .story import Around, Story, at_stake, ids

#: clocks that do not go on with another complaint: who succeeds the owner, what the customer is asked, and what an
#: executive was asked of the one that is merged
ENDS: Final = frozenset({clocks.CONFIRMATION, clocks.SUCCESSION, clocks.FOLLOW_UP, clocks.EXECUTIVE_ANSWER})


def merge(story: Story, act: acts.Merge, now: datetime, policy: Policy, around: Around) -> Refusal | None:
    """This complaint goes on as another one of the same customer.

    No owner moves: who took the first contact of the two stays the owner, so the later one is merged into the earlier.
    What is owed to the customer by the stricter of two clocks is what is owed now.
    """
    target = around.other(act.into)
    if refusal := _forbidden(story.state, target):
        return refusal
    assert target is not None
    kept = around.version(target.policy_version)
    survivor = Story(target, people=story.people)
    work_through(survivor, kept, now, now)
    if survivor.state.status == "closed":
        return _ended(story.state, survivor.state)
    for one, terms in ((story, policy), (survivor, kept)):
        if one.state.pause is not None:  # what is owed is compared as it stands without pauses
            resume(one, terms, now, "asked", by=act.agent_id, why="merged")
    gone = story.state
    _take_in(survivor, gone, act, now)
    again = repeated(survivor.state, kept, [one for one in around.others if one.id != target.id])
    if target.cause is None and again is not None and again.id != target.repeat_of:
        told = said.Repeated(**ids(survivor.state, now), repeat_of=again.id, cause=again.cause)
        survivor.tell(told, by=act.agent_id, why=f"it has the cause of {gone.reference}")
    if survivor.state.owner_id is None and gone.owner_id is not None:
        assign(survivor, gone.owner_id, "same_owner", now)
    for contact_id in gone.contacts:
        heard = around.heard_of(contact_id, now)
        joined = said.ContactJoined(
            **ids(survivor.state, heard.at),
            contact_id=contact_id,
            contact_customer_id=apart(gone.came_under(contact_id), target.customer_id),
            conversation_id=heard.conversation_id,
            because="merged",
        )
        survivor.tell(joined, by=act.agent_id, why=f"{gone.reference} is merged into it")
    _ask_on(survivor, gone, now)
    into = survivor.state
    event = said.Merged(**ids(gone, now), into_id=into.id, by_id=act.agent_id, owner_id=into.owner_id)
    story.tell(event, by=act.agent_id, why=act.reason)
    close(story, policy, "merged", now, by=act.agent_id, why=f"it goes on as {into.reference}")
    story.also.append(survivor)
    story.answer = survivor
    return None


def _forbidden(state: Complaint, target: Complaint | None) -> Refusal | None:
    if target is None:
        detail = "It is another customer's: only complaints of one customer can be one."
        return refuse(state, "another-customer", detail)
    if refusal := not_while(state, "closed"):
        return refusal
    if target.status == "closed":
        return _ended(state, target)
    if (state.first_contact_at, state.id) < (target.first_contact_at, target.id):
        detail = (
            f"{state.reference} began first and goes on, so that its owner stays: merge {target.reference} into it."
        )
        return refuse(state, "merge-the-later", detail, merge=target.id, into=state.id)
    return None


def _ended(state: Complaint, target: Complaint) -> Refusal:
    detail = f"{target.reference} is closed: nothing can be merged into it, unless the customer's no reopens it."
    closed = {"id": target.id, "status": target.status, "basis": target.basis}
    return refuse(state, "other-complaint-closed", detail, into=closed)


def _take_in(survivor: Story, gone: Complaint, act: acts.Merge, now: datetime) -> None:
    state = survivor.state
    changes = _stricter(state, gone, now)
    if state.status == "answered" and gone.status == "open":
        # the customer has complained again of what was answered: something is owed, so it is open again
        cycle = state.cycle + 1
        changes = [
            *clocks.all_stopped(state, now),
            *(_carried(clock, cycle) for clock in _owed(gone, owned=True)),
        ]
        reopened = said.Reopened(**ids(state, now), cycle=cycle, through="merge", clocks=tuple(changes))
        survivor.tell(reopened, by=act.agent_id, why=f"{gone.reference}, which is merged into it, is not answered")
        state, changes = survivor.state, []
    event = said.TookIn.model_validate(
        {
            **ids(state, now),
            "clocks": changes,
            "from_id": gone.id,
            "by_id": act.agent_id,
            "conversation_ids": gone.conversations,
            "known_as": (gone.reference, *gone.known_as),
            "departure_threat": gone.departure_threat,
            "departure_possible": gone.departure_possible,
            "cause": gone.cause if state.cause is None else None,
            "product": gone.product if state.product is None else None,
            "need": gone.need if state.need is None else None,
            "value_at_stake": at_stake(gone) if state.value_at_stake is None else None,
        }
    )
    survivor.tell(event, by=act.agent_id, why=act.reason)


def _ask_on(survivor: Story, gone: Complaint, now: datetime) -> None:
    """Questions that wait for a helper's answer wait for it on the complaint that goes on."""
    for one in gone.helpers:
        if not one.waiting:
            continue
        asked = said.HelperAsked(
            **ids(survivor.state, now),
            n=len(survivor.state.helpers) + 1,
            helper_id=one.helper_id,
            by_id=one.asked_by,
            due_at=one.due_at,
            remind_at=one.remind_at[one.reminded :],
        )
        survivor.tell(asked, by=one.asked_by, why=f"question {one.n} of {gone.reference}, which is merged into it")


def _owed(gone: Complaint, *, owned: bool) -> list[Clock]:
    """What is still owed of a complaint that ends by merging."""
    return [c for c in gone.clocks if c.running and c.kind not in ENDS and not (owned and c.kind == "claim")]


def _stricter(state: Complaint, gone: Complaint, now: datetime) -> list[ClockChange]:
    """The clocks of `gone` that are due before those of `state`, or whose kind runs no more: they take their place."""
    changes: list[ClockChange] = []
    if state.status != "open":
        return changes
    for clock in _owed(gone, owned=state.owner_id is not None or gone.owner_id is not None):
        own = state.running(clock.kind)
        if own is not None and own.due_at <= clock.due_at:
            continue
        if own is not None:
            changes.append(clocks.change(own, "stopped", now))
        changes.append(_carried(clock, state.cycle))
    return changes


def _carried(clock: Clock, cycle: int) -> ClockChange:
    """The same run on another complaint: a warning that was given is not given again, and what was missed stays so."""
    return ClockChange(
        change="started",
        kind=clock.kind,
        cycle=cycle,
        at=clock.started_at,
        due_at=clock.due_at,
        hours=clock.hours,
        warnings=clock.warnings[clock.warned :],
        paused_seconds=clock.paused_seconds,
        breached_at=clock.breached_at,
    )
