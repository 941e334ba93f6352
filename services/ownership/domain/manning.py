"""Whether a complaint has somebody who can act: what the policy does by itself when its owner cannot.

Nothing here moves the owner. A deputy stands in until a given time, and who is to follow an inactive owner is asked of
a supervisor, with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.contracts import ownership as said
from shared.policy import Policy

from . import clocks
from .agents import Agent, People, Why
from .due import end_deputy
from .state import Clock, Complaint
from .story import Story, ids

#: who acts when the policy does
BY_POLICY: Final = "policy"
#: how far ahead it is looked for what falls due outside working hours
_HORIZON: Final = timedelta(days=400)
#: what no deputy can do in the owner's place
_OF_OTHERS: Final = (clocks.CONFIRMATION, clocks.SUCCESSION, clocks.EXECUTIVE_ANSWER)
_WORDS: Final[dict[Why, str]] = {
    "inactive": "the owner is inactive",
    "absent": "the owner is absent",
    "off_shift": "the owner is off shift",
}


def keep_manned(story: Story, people: People, policy: Policy, current: Policy, now: datetime) -> None:
    """Lets go of a deputy who is not needed or cannot act, asks who follows an inactive owner, finds a deputy.

    Terms are those of `policy`, under which the complaint was opened; who stands in is decided by the `current` one.
    """
    state = story.state
    if state.owner_id is None or state.status == "closed":
        return
    owner = people.of(state.owner_id)
    _let_go(story, people, owner, now)
    _ask_who_follows(story, owner, policy, now)
    spoke = any(isinstance(told.event, said.ContactJoined) for told in story.told)
    wanted = _wanted(story.state, owner, current, now, spoke=spoke)
    if story.state.deputy is not None or wanted is None:
        return
    why, until = wanted
    found = people.stand_in(owner, current.deputies.choose, now, locale=state.locale, spread=state.id)
    if found is not None:
        event = said.DeputyStarted(**ids(state, now), deputy_id=found.id, until=until, by_id=BY_POLICY, because=why)
        story.tell(event, by=BY_POLICY, why=_WORDS[why])


def next_look(state: Complaint, people: People, current: Policy, now: datetime) -> datetime | None:
    """When time alone may make a deputy necessary next, as far as is known now."""
    if state.owner_id is None or state.status == "closed" or state.deputy is not None:
        return None
    owner = people.of(state.owner_id)
    if owner.always_there:
        return None
    moments = [owner.next_absence(now), state.no_deputy_until]
    if _wanted(state, owner, current, now) is not None:  # and nobody was there
        moments.append(people.sooner_or_later(owner, now))
    if owner.hours is not None and current.deputies.off_shift == "always":
        moments.append(owner.shift_ends(now))
    elif owner.hours is not None:
        late = [c.due_at for c in _owed(state, now) if c.due_at < now + _HORIZON and not owner.on_shift(c.due_at)]
        moments += [owner.shift_ended(at) for at in late]
    return min((at for at in moments if at is not None and at > now), default=None)


def ask_who_follows(
    story: Story, to_id: str | None, reason: str, policy: Policy, now: datetime, *, by: str, why: str | None
) -> None:
    """Asks for another owner: of a supervisor, or, where `to_id` is named, of that agent."""
    state = story.state
    event = said.SuccessionAsked(
        **ids(state, now),
        from_id=state.owner_id,
        to_id=to_id,
        reason=reason,
        by_id=by,
        clocks=tuple(clocks.decision(state, policy, now)),
    )
    story.tell(event, by=by, why=why)


def withdraw_succession(
    story: Story, because: Literal["owner_active", "asked"], now: datetime, *, by: str, why: str | None
) -> None:
    """What was asked is asked no more."""
    state = story.state
    assert state.succession is not None
    event = said.SuccessionWithdrawn(
        **ids(state, now),
        from_id=state.owner_id,
        to_id=state.succession.to_id,
        because=because,
        by_id=by,
        clocks=tuple(
            clocks.change(c, "stopped", now) for c in state.clocks if c.kind == clocks.SUCCESSION and c.running
        ),
    )
    story.tell(event, by=by, why=why)


def _let_go(story: Story, people: People, owner: Agent, now: datetime) -> None:
    deputy = story.state.deputy
    if deputy is None:
        return
    away = people.of(deputy.agent_id).away(now)
    if deputy.because != "asked" and owner.away(now) is None:
        end_deputy(story, now, "owner_back", by=BY_POLICY, why="the owner is back")
    elif away is not None and (away.why == "inactive" or (away.why == "absent" and deputy.because != "asked")):
        end_deputy(story, now, "unavailable", by=BY_POLICY, why=f"the deputy is {away.why}")


def _ask_who_follows(story: Story, owner: Agent, policy: Policy, now: datetime) -> None:
    state = story.state
    asked = state.succession
    if asked is None:
        if not owner.active:
            ask_who_follows(story, None, "role_ended", policy, now, by=BY_POLICY, why=_WORDS["inactive"])
    elif owner.active and asked.to_id is None:
        withdraw_succession(story, "owner_active", now, by=BY_POLICY, why="the owner is active again")
    elif not any(c.kind == clocks.SUCCESSION and c.cycle == state.cycle and not c.stopped_at for c in state.clocks):
        # reopened meanwhile: what was asked is asked still, and its clock runs anew
        ask_who_follows(story, asked.to_id, asked.reason, policy, now, by=asked.asked_by, why="asked still")


def _wanted(
    state: Complaint, owner: Agent, current: Policy, now: datetime, *, spoke: bool = False
) -> tuple[Why, datetime] | None:
    """Why somebody should stand in now, and until when; `spoke`: the customer just has."""
    away = owner.away(now)
    if away is None or away.why not in current.deputies.when:
        return None
    if state.no_deputy_until is not None and now < state.no_deputy_until:
        return None
    if away.why == "off_shift" and current.deputies.off_shift == "needed" and not spoke:
        assert away.until is not None
        if not any(clock.due_at <= away.until for clock in _owed(state, now)):
            return None
    latest = now + current.deputies.at_most.delta
    return away.why, min(away.until or latest, latest)


def _owed(state: Complaint, now: datetime) -> Iterator[Clock]:
    """What the customer is still owed and is not late yet, and no pause holds."""
    for clock in state.clocks:
        if not clock.running or clock.breached_at is not None or clock.due_at <= now:
            continue
        if clock.kind in _OF_OTHERS or (state.pause and clocks.pauses(clock)):
            continue
        yield clock
