"""What a complaint is at one instant, and how it is written down. Ids, codes and times: nobody's words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

import orjson

Status = Literal["open", "answered", "closed"]
#: closings after which the customer is visited: a matter taken back, or none at all, is left in peace
VISITED: Final = ("accepted", "silent")


@dataclass(frozen=True, slots=True)
class Clock:
    """One run of a clock: it runs until it is met (owed and done) or stopped (no longer owed)."""

    kind: str
    cycle: int
    started_at: datetime
    due_at: datetime
    hours: Literal["business", "calendar"]
    #: (percent, instant) of every warning; the first `warned` of them have been given
    warnings: tuple[tuple[int, datetime], ...] = ()
    warned: int = 0
    warned_at: datetime | None = None
    met_at: datetime | None = None
    breached_at: datetime | None = None
    stopped_at: datetime | None = None
    paused_seconds: float = 0.0

    @property
    def running(self) -> bool:
        """Still owed, breached or not."""
        return self.met_at is None and self.stopped_at is None


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody who was asked something by whoever holds the complaint; `n` counts from 1."""

    n: int
    helper_id: str
    asked_by: str
    asked_at: datetime
    replied_at: datetime | None = None
    due_at: datetime | None = None
    #: when they are reminded; the first `reminded` have been
    remind_at: tuple[datetime, ...] = ()
    reminded: int = 0
    timed_out_at: datetime | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still waited for."""
        return self.replied_at is None and self.timed_out_at is None

    @property
    def state(self) -> Literal["asked", "reminded", "timed_out", "replied"]:
        """What became of the question; a late answer is an answer."""
        if self.replied_at is not None:
            return "replied"
        return "timed_out" if self.timed_out_at is not None else "reminded" if self.reminded else "asked"


@dataclass(frozen=True, slots=True)
class Deputy:
    """Who stands in for the owner, and until when."""

    agent_id: str
    since: datetime
    until: datetime
    #: `asked` for by a supervisor, or why the policy chose them
    because: str = "asked"


@dataclass(frozen=True, slots=True)
class Pause:
    """Business clocks stand still from `since`; at the latest until `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The visit after a closing: who was to make it and since when, and what the customer said."""

    cycle: int
    by: Literal["superior", "owner"] = "owner"
    agent_id: str | None = None
    asked_at: datetime | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    satisfied: bool | None = None
    would_choose_again: bool | None = None


@dataclass(frozen=True, slots=True)
class Succession:
    """A change of owner that waits for the successor's word (or, without `to_id`, for a supervisor's)."""

    to_id: str | None
    reason: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Escalated:
    """What is known of one escalation: since when somebody is asked (as of the last time that it was heard of), and
    when an executive answered."""

    id: str
    asked_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """The fold of a complaint's events."""

    id: str
    reference: str
    customer_id: str
    status: Status
    tier: str
    region: str
    channel: str
    opened_at: datetime
    first_contact_at: datetime
    policy_version: str
    product: str | None = None
    cause: str | None = None
    need: str | None = None
    #: product, cause and need at opening: terms are frozen by them
    opened_as: tuple[str | None, str | None, str | None] = (None, None, None)
    locale: str | None = None
    #: amount and ISO 4217 code
    value_at_stake: tuple[str, str] | None = None
    basis: str | None = None
    #: whether it is one: null while nobody has said so
    complaint: bool | None = None
    owner_id: str | None = None
    #: who owned it first, and when they took or answered it: what was earlier, and is heard of later, moves nobody
    first_owner: tuple[str, datetime] | None = None
    deputy: Deputy | None = None
    #: a supervisor wants nobody to stand in by policy until then
    no_deputy_until: datetime | None = None
    succession: Succession | None = None
    helpers: tuple[Helper, ...] = ()
    #: the cycle in which an executive's own words last reached the customer
    executive_answered: int | None = None
    #: whose clock runs or ran last comes last; those without one first
    escalations: tuple[Escalated, ...] = ()
    departure_threat: bool = False
    #: a contact that may threaten to leave, put before the owner until somebody confirms or dismisses it
    departure_possible: str | None = None
    repeat_of: str | None = None
    #: the one that was closed too long ago to be reopened, and the one that goes on with this one
    follows: str | None = None
    followed_by: str | None = None
    #: the contact that one without contacts of its own is about: it belongs to another
    about: str | None = None
    #: where it goes on, if it was merged; and whose contacts it has taken in
    merged_into: str | None = None
    took_in: tuple[str, ...] = ()
    #: where its contacts came from, and where some of them went
    split_from: str | None = None
    split_into: tuple[str, ...] = ()
    #: references of other complaints by which it may be called
    known_as: tuple[str, ...] = ()
    cycle: int = 1
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    pause: Pause | None = None
    #: the latest one
    follow_up: FollowUp | None = None
    clocks: tuple[Clock, ...] = ()
    contacts: tuple[str, ...] = ()
    #: contacts that came under another id of the same person, with that id
    from_others: tuple[tuple[str, str], ...] = ()
    conversations: tuple[str, ...] = ()

    def came_under(self, contact_id: str) -> str:
        """The customer id under which a contact of this complaint came."""
        return dict(self.from_others).get(contact_id, self.customer_id)

    @property
    def first_contact_id(self) -> str:
        """The contact in which the trouble was first told."""
        return self.about or self.contacts[0]

    @property
    def visit(self) -> FollowUp:
        """The follow-up of the present cycle, asked for or not."""
        told = self.follow_up
        return told if told is not None and told.cycle == self.cycle else FollowUp(self.cycle)

    def escalation(self, escalation_id: str) -> Escalated | None:
        """What is known of one."""
        return next((one for one in self.escalations if one.id == escalation_id), None)

    @property
    def asking(self) -> Escalated | None:
        """The one that an executive was asked about last."""
        last = self.escalations[-1] if self.escalations else None
        return last if last is not None and last.asked_at is not None else None

    def running(self, kind: str) -> Clock | None:
        """The run of this kind that is still owed."""
        return next((clock for clock in self.clocks if clock.kind == kind and clock.running), None)


def to_json(complaint: Complaint) -> bytes:
    """The row's `state`."""
    return orjson.dumps(complaint, option=orjson.OPT_UTC_Z)


def _at(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _clock(raw: dict[str, Any]) -> Clock:
    at = datetime.fromisoformat
    return Clock(
        raw["kind"],
        raw["cycle"],
        at(raw["started_at"]),
        at(raw["due_at"]),
        raw["hours"],
        tuple((percent, at(when)) for percent, when in raw["warnings"]),
        raw["warned"],
        _at(raw["warned_at"]),
        _at(raw["met_at"]),
        _at(raw["breached_at"]),
        _at(raw["stopped_at"]),
        raw["paused_seconds"],
    )


_TIMES = (
    "opened_at",
    "first_contact_at",
    "acknowledged_at",
    "answered_at",
    "closed_at",
    "reopened_at",
    "no_deputy_until",
)


#: Python's own strings: given those of a JSON reader as keywords, it compares each of them with each of ours
_NAMES: Final = tuple(field.name for field in fields(Complaint))


def _helper(raw: dict[str, Any]) -> Helper:
    at = datetime.fromisoformat
    return Helper(
        raw["n"],
        raw["helper_id"],
        raw["asked_by"],
        at(raw["asked_at"]),
        _at(raw["replied_at"]),
        _at(raw.get("due_at")),
        tuple(at(one) for one in raw.get("remind_at", ())),
        raw.get("reminded", 0),
        _at(raw.get("timed_out_at")),
    )


def from_json(raw: dict[str, Any], *, clocks: bool = True) -> Complaint:
    """Reads what `to_json` wrote; without its clocks for whoever shows them as they were written: they are most of what
    reading costs."""
    at = datetime.fromisoformat
    state = dict(raw)
    for name in _TIMES:
        if (value := state.get(name)) is not None:
            state[name] = at(value)
    state["clocks"] = tuple([_clock(clock) for clock in raw["clocks"]]) if clocks else ()
    state["contacts"] = tuple(raw["contacts"])
    state["from_others"] = tuple((one, whose) for one, whose in raw.get("from_others", ()))
    state["conversations"] = tuple(raw["conversations"])
    for name in ("known_as", "took_in", "split_into"):
        state[name] = tuple(raw.get(name, ()))
    state["opened_as"] = tuple(raw["opened_as"])
    if (value := raw["value_at_stake"]) is not None:
        state["value_at_stake"] = (value[0], value[1])
    state["helpers"] = tuple([_helper(one) for one in raw["helpers"]])
    state["escalations"] = tuple(
        [Escalated(one["id"], _at(one["asked_at"]), _at(one["answered_at"])) for one in raw.get("escalations", ())]
    )
    if (first := raw.get("first_owner")) is not None:
        state["first_owner"] = (first[0], at(first[1]))
    if (deputy := raw["deputy"]) is not None:
        because = deputy.get("because", "asked")
        state["deputy"] = Deputy(deputy["agent_id"], at(deputy["since"]), at(deputy["until"]), because)
    if (asked := raw["succession"]) is not None:
        state["succession"] = Succession(asked["to_id"], asked["reason"], asked["asked_by"], at(asked["asked_at"]))
    if (pause := raw["pause"]) is not None:
        state["pause"] = Pause(at(pause["since"]), at(pause["until"]))
    if (visit := raw.get("follow_up")) is not None:
        state["follow_up"] = FollowUp(**visit | {"asked_at": _at(visit["asked_at"]), "done_at": _at(visit["done_at"])})
    return Complaint(**{name: state[name] for name in _NAMES if name in state})
