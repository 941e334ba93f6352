"""What time brings about: warnings, breaches, the end of a pause or of a deputy's turn, a silent closing.

A process that slept through deadlines works through all of them, in order, each once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from shared.contracts import ownership as said
from shared.policy import Policy

from . import clocks, visiting
from .state import VISITED, Clock, Complaint, Helper
from .story import BY_CLOCK, Story, ids


def _moments(state: Complaint) -> Iterator[tuple[datetime, str, Clock | Helper | None]]:
    for clock in state.clocks:
        if state.pause is not None and clocks.pauses(clock):
            continue
        if (at := clocks.deadline(clock)) is not None:
            yield at, "clock", clock
    if state.pause is not None:
        yield state.pause.until, "pause", None
    if state.deputy is not None:
        yield state.deputy.until, "deputy", None
    for one in state.helpers if state.status != "closed" else ():
        if one.waiting and one.due_at is not None:
            left = one.remind_at[one.reminded :]
            yield min(left[0], one.due_at) if left else one.due_at, "helper", one


def next_moment(state: Complaint) -> datetime | None:
    """When this complaint wants attention next."""
    return min((at for at, _, _ in _moments(state)), default=None)


def work_through(story: Story, policy: Policy, until: datetime, now: datetime) -> None:
    """Tells everything that has come by `until`, in order of time; `now` is when it is told."""
    while True:
        moments = [moment for moment in _moments(story.state) if moment[0] <= until]
        if not moments:
            return
        at, what, about = min(moments, key=lambda moment: moment[0])
        if what == "pause":
            resume(story, policy, at, "until", by=BY_CLOCK)
        elif what == "deputy":
            end_deputy(story, at, "until", by=BY_CLOCK)
        elif isinstance(about, Helper):
            _tell_helper(story, about, now)
        else:
            assert about is not None
            _tell_clock(story, policy, about, now)


def _tell_helper(story: Story, helper: Helper, now: datetime) -> None:
    state = story.state
    assert helper.due_at is not None
    about = {**ids(state, now), "n": helper.n, "helper_id": helper.helper_id}
    left = helper.remind_at[helper.reminded :]
    if left and left[0] < helper.due_at:
        event = said.HelperReminded(**about, due_at=helper.due_at)
        story.tell(event, by=BY_CLOCK)
    else:
        gone = said.HelperTimedOut(**about, owner_id=state.owner_id)
        story.tell(gone, by=BY_CLOCK, why="no answer in time: the question goes back to whoever holds the complaint")


def _tell_clock(story: Story, policy: Policy, clock: Clock, now: datetime) -> None:
    state = story.state
    about = {
        **ids(state, now),
        "kind": clock.kind,
        "cycle": clock.cycle,
        "due_at": clock.due_at,
        "owner_id": state.owner_id,
    }
    if clock.warned < len(clock.warnings):
        percent, _ = clock.warnings[clock.warned]
        story.tell(said.ClockWarned(**about, percent=percent), by=BY_CLOCK)
    elif clock.kind == clocks.CONFIRMATION:
        close(story, policy, "silent", now, by=BY_CLOCK)
    elif clock.kind == clocks.FOLLOW_UP and state.visit.asked_at is None:
        visiting.ask(story, policy, clock, now)
    else:
        story.tell(said.ClockBreached(**about), by=BY_CLOCK)


def resume(
    story: Story,
    policy: Policy,
    at: datetime,
    because: Literal["asked", "until", "customer_contact"],
    *,
    by: str,
    why: str | None = None,
) -> None:
    """Ends the pause at `at`."""
    state = story.state
    event = said.Resumed(**ids(state, at), because=because, clocks=tuple(clocks.resumed(state, policy, at)))
    story.tell(event, by=by, why=why)


def end_deputy(
    story: Story,
    at: datetime,
    because: Literal["until", "ended", "succession", "closed", "owner_back", "unavailable"],
    *,
    by: str,
    why: str | None = None,
    none_until: datetime | None = None,
) -> None:
    """The deputy leaves; the owner was the owner all the time."""
    state = story.state
    assert state.deputy is not None
    event = said.DeputyEnded(
        **ids(state, at), deputy_id=state.deputy.agent_id, because=because, by_id=by, none_until=none_until
    )
    story.tell(event, by=by, why=why)


def close(story: Story, policy: Policy, basis: said.Basis, at: datetime, *, by: str, why: str | None = None) -> None:
    """Closes a complaint: what stood in for the owner leaves, and no clock runs on; a visit may be owed later."""
    if story.state.deputy is not None:
        end_deputy(story, at, "closed", by=by)
    state = story.state
    changes = clocks.all_stopped(state, at)
    if basis in VISITED:
        changes += visiting.promised(state, policy, at)
    event = said.Closed(**ids(state, at), basis=basis, by_id=by, clocks=tuple(changes))
    story.tell(event, by=by, why=why)
