"""A complaint as people and tools see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.ownership.domain import Clock, Complaint
from services.ownership.domain.clocks import owed_at
from services.ownership.domain.state import FollowUp
from services.ownership.store.reading import Found
from shared.auth import sign
from shared.policy import Policies

Names = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Pages:
    """Makes the links of the customer's own page."""

    base_url: str
    secret: str
    policies: Policies

    def confirmation_url(self, state: Complaint) -> str | None:
        """The page on which the customer says whether it is solved; only while they are asked."""
        if state.status != "answered":
            return None
        return self._link(state)

    def follow_up_url(self, state: Complaint) -> str | None:
        """The page on which the customer answers the two questions after a closing; only while a visit is due."""
        visit = state.visit
        due = state.status == "closed" and visit.asked_at is not None and visit.done_at is None
        return self._link(state) if due else None

    def _link(self, state: Complaint) -> str:
        token = sign(self.secret, "confirmation", [state.id, str(state.cycle)], self.expires_at(state))
        return f"{self.base_url}/c/{token}"

    def expires_at(self, state: Complaint) -> datetime:
        """As long as a no may still reopen it, and a while after the visit."""
        policy = self.policies.of(state.policy_version)
        visit = policy.visit(state.tier)
        later = policy.reopen_within.delta if visit is None else max(policy.reopen_within.delta, 2 * visit.after.delta)
        since = state.answered_at or state.closed_at or state.opened_at
        return since + policy.confirmation.silent_after.delta + later


def agents_of(state: Complaint) -> list[str]:
    """Everybody whose name the view shows."""
    ids = [state.owner_id, state.deputy and state.deputy.agent_id, *(one.helper_id for one in state.helpers)]
    if state.succession is not None:
        ids.append(state.succession.to_id)
    if state.follow_up is not None:
        ids.append(state.follow_up.agent_id)
    return [one for one in ids if one]


def agent(agent_id: str | None, names: Names) -> dict[str, str | None] | None:
    """`{"id", "name"}`; the name is null until it is known."""
    return None if agent_id is None else {"id": agent_id, "name": names.get(agent_id)}


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "kind": clock.kind,
        "cycle": clock.cycle,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "warned_at": clock.warned_at,
        "met_at": clock.met_at,
        "breached_at": clock.breached_at,
        "stopped_at": clock.stopped_at,
        "paused_seconds": clock.paused_seconds,
        "hours": clock.hours,
        "warnings": [{"percent": percent, "at": at} for percent, at in clock.warnings],
    }


#: what is shown of a clock as it is stored, besides its warnings
_CLOCK: Final = (
    "kind",
    "cycle",
    "started_at",
    "due_at",
    "warned_at",
    "met_at",
    "breached_at",
    "stopped_at",
    "paused_seconds",
    "hours",
)


def _follow_up(visit: FollowUp, names: Names) -> dict[str, Any]:
    return {
        "cycle": visit.cycle,
        "by": visit.by,
        "agent": agent(visit.agent_id, names),
        "asked_at": visit.asked_at,
        "done_at": visit.done_at,
        "done_by": visit.done_by,
        "satisfied": visit.satisfied,
        "would_choose_again": visit.would_choose_again,
    }


def _written(clock: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one as it is stored: times are written there as they are here."""
    shown = {name: clock[name] for name in _CLOCK}
    shown["warnings"] = [{"percent": percent, "at": at} for percent, at in clock["warnings"]]
    return shown


def listed(found: Found, names: Names, pages: Pages, now: datetime) -> dict[str, Any]:
    """The complaint of C 4, as lists read it."""
    clocks = None if found.clocks is None else [_written(one) for one in found.clocks]
    return complaint(found.state, found.version, names, pages, now, clocks=clocks, owed=found.owed_at)


def complaint(
    state: Complaint,
    version: int,
    names: Names,
    pages: Pages,
    now: datetime,
    *,
    clocks: list[dict[str, Any]] | None = None,
    owed: datetime | None = None,
) -> dict[str, Any]:
    """The complaint of C 4; its `clocks` and what is `owed` first are given where the state is read without them."""
    if clocks is None:
        clocks, owed = [_clock(clock) for clock in state.clocks], owed_at(state)
    deputy, pause, asked = state.deputy, state.pause, state.succession
    value = state.value_at_stake
    view = {
        "id": state.id,
        "reference": state.reference,
        "status": state.status,
        "basis": state.basis,
        "customer_id": state.customer_id,
        "owner": agent(state.owner_id, names),
        "deputy": None
        if deputy is None
        else {
            **(agent(deputy.agent_id, names) or {}),
            "since": deputy.since,
            "until": deputy.until,
            "because": deputy.because,
        },
        "helpers": [
            {
                "n": one.n,
                **(agent(one.helper_id, names) or {}),
                "asked_by": one.asked_by,
                "asked_at": one.asked_at,
                "state": one.state,
                "due_at": one.due_at,
                "timed_out_at": one.timed_out_at,
                "replied_at": one.replied_at,
            }
            for one in state.helpers
        ],
        "succession_asked": None
        if asked is None
        else {
            "to": agent(asked.to_id, names),
            "reason": asked.reason,
            "by": asked.asked_by,
            "at": asked.asked_at,
        },
        "tier": state.tier,
        "region": state.region,
        "channel": state.channel,
        "product": state.product,
        "cause": state.cause,
        "need": state.need,
        "complaint": state.complaint,
        "value_at_stake": None if value is None else {"amount": value[0], "currency": value[1]},
        "departure_threat": state.departure_threat,
        "departure_possible": state.departure_possible is not None,
        "repeat_of": state.repeat_of,
        "follows": state.follows,
        "followed_by": state.followed_by,
        "merged_into": state.merged_into,
        "took_in": list(state.took_in),
        "split_from": state.split_from,
        "split_into": list(state.split_into),
        "cycle": state.cycle,
        "opened_at": state.opened_at,
        "first_contact_at": state.first_contact_at,
        "acknowledged_at": state.acknowledged_at,
        "answered_at": state.answered_at,
        "closed_at": state.closed_at,
        "reopened_at": state.reopened_at,
        "age_seconds": _seconds(state.first_contact_at, state.closed_at or now),
        "age_since_reopening_seconds": None
        if state.reopened_at is None
        else _seconds(state.reopened_at, state.closed_at or now),
        "follow_up": None if state.follow_up is None else _follow_up(state.follow_up, names),
        "policy_version": state.policy_version,
        "paused": None if pause is None else {"since": pause.since, "until": pause.until},
        "overdue": owed is not None and owed <= now,
        "clocks": clocks,
        "contacts": list(state.contacts),
        "version": version,
    }
    if (url := pages.confirmation_url(state)) is not None:
        view["confirmation_url"] = url
    if (url := pages.follow_up_url(state)) is not None:
        view["follow_up_url"] = url
    return view


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))
