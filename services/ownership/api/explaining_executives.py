"""How it came about until when an executive owes an answer: escalation says it, by the ladder of its own policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ownership.domain import Clock
from shared.calendars import due_at, zone_calendar
from shared.policy import Policies, Policy, Rung

ASKED = "complaint.executive_asked"


def policies_of(told: Sequence[dict[str, Any]]) -> list[str]:
    """The versions of the policy whose ladders were climbed."""
    return [one["data"]["policy_version"] for one in told if one["type"] == ASKED and one["data"]["policy_version"]]


def executive(clock: Clock, told: Sequence[dict[str, Any]], policies: Policies) -> dict[str, Any]:
    """Whom one escalation has asked, when and until when, in data and in words."""
    asked = _asked(clock, told)
    words = [
        "An escalation asks somebody above; only their own answer meets it, and neither pause nor closing ends it."
    ]
    for n, one in enumerate(asked):
        version = one["policy_version"]
        rung = None if version is None else _rung(policies.of(version), one["level"])
        term = "" if rung is None else f" policy {version} gives that level {rung.answer_within.words}:"
        first = "" if n == 0 else "Before that was over, "
        who = f"{one['executive_id']} was asked on level {one['level']} on {_minute(one['at'])};"
        words.append(f"{first}{who}{term} until {_minute(one['due_at'])}.")
    return {"asked": asked, "words": words}


def supposed(clock: Clock, told: Sequence[dict[str, Any]], other: Policy) -> tuple[datetime | None, list[str]]:
    """Until when the answer would have been owed by the ladder of `other`, with the words for it."""
    asked = _asked(clock, told)
    rung = _rung(other, asked[-1]["level"]) if asked else None
    if rung is None:
        return None, [f"Policy {other.version} has no such level."]
    last = asked[-1]
    person = other.executive(last["executive_id"])
    calendar = zone_calendar("UTC" if person is None else person.time_zone)
    due = due_at(datetime.fromisoformat(last["at"]), rung.answer_within, "calendar", calendar)
    within = rung.answer_within.words
    return due, [f"Policy {other.version} gives level {last['level']} {within}: until {due:%Y-%m-%d %H:%M} UTC."]


def _asked(clock: Clock, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    events = [one["data"] for one in told if one["type"] == ASKED]
    started = next((one for one in events if _starts(one, clock)), None)
    names = ("escalation_id", "executive_id", "level", "at", "due_at", "policy_version")
    return [
        {name: one[name] for name in names}
        for one in events
        if started is not None and one["escalation_id"] == started["escalation_id"]
    ]


def _starts(event: dict[str, Any], clock: Clock) -> bool:
    return any(
        one["change"] == "started" and datetime.fromisoformat(one["at"]) == clock.started_at for one in event["clocks"]
    )


def _rung(policy: Policy, level: int) -> Rung | None:
    return next((one for one in policy.escalation.ladder if one.level == level), None)


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"
