"""What a second opinion changes: it may lift what was heard by one step, and never takes anything away.

A text may talk whoever is asked into an answer. So an opinion alone puts a matter before a person and no more; where it
agrees with what was half heard here, the two together count. `certain` is nobody's but our own rules' and the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, cast

from services.intake.signals.hearing import CALLER
from shared.contracts.envelope import rfc3339
from shared.contracts.intake import ContactCaptured, ContactHeardAgain, DepartureVerdict, Verdict

from .commands import Opinion
from .contact import Contact

Signals = Mapping[str, Any]
Changed = tuple[Literal["complaint", "departure_threat"], ...]
#: why a verdict is other than what was heard here
SAYS_SO: Final = "a second opinion says so"


def lifted(signals: Signals, opinion: Opinion, now: datetime) -> tuple[Signals, Changed]:
    """The signals with the opinion beside them, and which verdicts are other than before."""
    changes: dict[str, Any] = {}
    trouble, leaving = signals["complaint"], signals["departure_threat"]
    if opinion.complaint and trouble["value"] is not True and not _stated(trouble):
        changes["complaint"] = _because(trouble, value=True if trouble["value"] is None else None)
    if opinion.departure_threat and not _stated(leaving) and leaving["tier"] in (None, "possible"):
        surer = {"value": True, "tier": "likely"} if leaving["tier"] else {"value": None, "tier": "possible"}
        changes["departure_threat"] = _because(leaving, **surer, quote=leaving["quote"] or opinion.quote)
    said = {
        "at": rfc3339(now),
        "model": opinion.model,
        "complaint": opinion.complaint,
        "departure_threat": opinion.departure_threat,
        "quote": opinion.quote,
        "cause": opinion.cause,
    }
    return {**signals, **changes, "second_opinion": said}, cast(Changed, tuple(changes))


def _stated(verdict: Mapping[str, Any]) -> bool:
    return list(verdict["because"]) == [CALLER]


def _because(verdict: Mapping[str, Any], **changes: Any) -> Mapping[str, Any]:
    return {**verdict, **changes, "because": [*verdict["because"], SAYS_SO]}


def heard_again(told: ContactCaptured, contact: Contact, signals: Signals, changed: Changed) -> ContactHeardAgain:
    """The event of a contact in which more is heard than was `told`; who answered meanwhile is its responder."""
    trouble, leaving = signals["complaint"], signals["departure_threat"]
    said = {name: getattr(told, name) for name in ContactCaptured.model_fields}
    said |= {
        "responder_id": contact.responder_id,
        "complaint": cast(Verdict, {name: trouble[name] for name in ("value", "score")}),
        "departure_threat": cast(DepartureVerdict, {name: leaving[name] for name in ("value", "score", "tier")}),
    }
    return ContactHeardAgain(**said, changed=changed)
