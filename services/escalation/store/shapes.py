"""Escalations and promises as the outside sees them (contract, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Answer, Escalation, Step
from services.escalation.domain.promise import Promise
from services.escalation.domain.reach import PROVEN_AFTER, Mark
from shared.policy import Policies


def person(executive_id: str, policies: Policies) -> dict[str, Any]:
    """`{"id", "name", "role"}`; name and role are null for somebody whom the policy does not name."""
    one = policies.current.executive(executive_id)
    return {"id": executive_id, "name": one.name if one else None, "role": one.role if one else None}


def _other(executive_id: str | None, policies: Policies) -> dict[str, Any] | None:
    return person(executive_id, policies) if executive_id else None


def escalation(
    state: Escalation,
    delivery: Mapping[str, Any],
    policies: Policies,
    *,
    complaint: Complaint | None = None,
    words: Mapping[str, Any] | None = None,
    carried: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One escalation. `words` are text, stay and redress of its answer; without them the answer's text is left out.
    `carried` is what has become of the mail that brings it."""
    mailed = delivery.get("mailed", {})
    return {
        "id": state.id,
        "complaint_id": state.complaint_id,
        "reference": complaint.reference if complaint else None,
        "customer_id": state.customer_id,
        "status": state.status,
        "standing_unanswered": state.standing_unanswered,
        "level": state.level,
        "reasons": list(state.reasons),
        "reasons_since_answer": [one.reason for one in state.later],
        "departure_threat": complaint.departure_threat if complaint else state.departure_threat,
        "addressee": person(state.executive_id, policies) | {"instead_of": _other(state.instead_of, policies)},
        "raised_at": state.raised_at,
        "due_at": state.due_at,
        "ended_at": state.ended_at,
        "times_repeated": state.times,
        "policy_version": state.policy_version,
        "steps": [_step(step, mailed) for step in state.steps],
        "answer": _answer(state, policies, words, carried),
    }


def _time(kept: str | datetime | None) -> datetime | None:
    # times inside JSON are text; as times they are answered in one form
    return datetime.fromisoformat(kept) if isinstance(kept, str) else kept


def _step(step: Step, mailed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "n": step.n,
        "level": step.level,
        "executive_id": step.executive_id,
        "instead_of": step.instead_of,
        "at": step.at,
        "mailed_at": _time(mailed.get(str(step.n))),
        "due_at": step.due_at,
        "repeat": step.repeat,
        "outcome": step.outcome,
    }


def _answer(
    state: Escalation, policies: Policies, words: Mapping[str, Any] | None, carried: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    given = state.answer
    if given is None:
        return None
    shown: dict[str, Any] = {
        "id": given.id,
        "executive": person(given.executive_id, policies),
        "executive_id": given.executive_id,
        "delegate_of": given.delegate_of,
        "delegate_of_name": (_other(given.delegate_of, policies) or {}).get("name"),
        "level": given.level,
        "apology": given.apology,
        "promise_id": given.promise_id,
        "given_at": given.at,
        "delivered_at": given.delivered_at,
        "delivered_through": given.through,
        "delivered_by": given.agent_id,
        "acknowledged": given.acknowledged,
        "owner_asked_to_tell": given.failed is not None and given.delivered_at is None,
        "delivery": {"mail": _by_mail(given, carried), "owner": _in_person(given)},
    }
    stay = words.get("stay") if words else None
    shown["stay_question"] = {"asked": True, "what_would_make_you_stay": stay} if given.stay_asked else None
    if words is not None:
        shown["text"], shown["redress"] = words.get("text"), words.get("redress")
    return shown


def _by_mail(given: Answer, carried: Mapping[str, Any] | None) -> dict[str, Any]:
    """The channel mail: `state` as of any mail of ours, or why it cannot bring the answer."""
    state = "accepted" if given.through == "mail" else (carried or {}).get("state", "queued")
    return {
        "state": given.failed or state,
        "attempts": (carried or {}).get("attempts", 0),
        "accepted_at": (carried or {}).get("accepted_at"),
        "failed_at": given.failed_at,
    }


def _in_person(given: Answer) -> dict[str, Any] | None:
    """The channel of the owner's own voice; null while nobody has to tell the customer anything, and nobody did."""
    if given.failed is None and given.through != "owner":
        return None
    told = given.through == "owner"
    return {
        "state": "told" if told else "asked",
        "asked_at": given.failed_at,
        "reminded": given.untold,
        "told_at": given.delivered_at if told else None,
        "by": given.agent_id,
        "acknowledged": given.acknowledged,
    }


def unreachable(mark: Mark, policies: Policies) -> dict[str, Any]:
    """Somebody whom mails do not reach: who, why, since when, and from when on they are asked again; `trusted_from`
    where a mail was taken and has not come back so far."""
    return {
        "executive_id": mark.executive_id,
        "executive": person(mark.executive_id, policies),
        "because": mark.because,
        "detail": mark.detail,
        "since": mark.since,
        "refused_at": mark.refused_at,
        "escalation_id": mark.escalation_id,
        "tried_from": None if mark.accepted_at else mark.tried_from(policies.current),
        "accepted_at": mark.accepted_at,
        "trusted_from": mark.accepted_at + PROVEN_AFTER if mark.accepted_at else None,
    }


def promise(
    state: Promise,
    text: str | None,
    words: Mapping[str, Mapping[str, Any]],
    breaches: Iterable[Mapping[str, Any]],
    *,
    spoken: bool = True,
) -> dict[str, Any]:
    """One promise; `spoken=False` leaves out what is in words."""
    shown: dict[str, Any] = {
        "id": state.id,
        "reference": state.reference,
        "made_by": state.made_by,
        "made_to": state.customer_id,
        "level": state.level,
        "complaint_id": state.complaint_id,
        "escalation_id": state.escalation_id,
        "cause": state.cause,
        "product": state.product,
        "scope": state.scope,
        "actions": [
            {
                "n": action.n,
                "owner": (words.get(str(action.n)) or {}).get("owner") or action.owner_id,
                "due_at": action.due_at,
                "done_at": action.done_at,
                "done_by": action.done_by,
                "missed_at": action.missed_at,
            }
            for action in state.actions
        ],
        "nothing_changes": not state.actions,
        "watch_until": state.watch_until,
        "status": state.status,
        "made_at": state.made_at,
        "kept_at": state.kept_at,
        "breaches": list(breaches),
    }
    if spoken:
        shown["text"] = text
        for action in shown["actions"]:
            told = words.get(str(action["n"])) or {}
            action["what"], action["evidence"] = told.get("what"), told.get("evidence")
    else:
        for action in shown["actions"]:
            action["owner"] = next(one.owner_id for one in state.actions if one.n == action["n"])
    return shown
