"""Which contacts are worth a second opinion: where what is heard here is half heard, and the policy says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.intake.domain import NewContact
from services.intake.signals import Signals
from services.intake.signals.hearing import UNKNOWN
from shared.policy import Policies

#: a complaint that scores less is none
_NEAR: Final = 0.25
#: what was said longer ago is history
_FRESH: Final = timedelta(days=2)


class HalfHeard:
    """`Ears.doubts` where there is an endpoint to ask."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def __call__(self, new: NewContact, signals: Signals, now: datetime) -> bool:
        """Whether somebody else is to be asked about this contact. What its caller states is not asked about."""
        where = self._policies.current.hearing.second_opinion
        if not where or not new.text or new.occurred_at < now - _FRESH:
            return False
        trouble, caller = signals.complaint, new.caller
        possible = caller.departure_threat is None and signals.departure_threat.tier == "possible"
        if possible and "possible_threat" in where:
            return True
        if caller.complaint is not None:
            return False
        if trouble.because == (UNKNOWN,):
            return "unknown_language" in where and any(letter.isalpha() for letter in new.text)
        unsure = trouble.value is None or (trouble.value is False and trouble.score >= _NEAR)
        return unsure and "unsure_complaint" in where
