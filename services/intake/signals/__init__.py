"""What a text says: complaint? leaving? again? which cause? Offline, pure, readable rules."""

from services.intake.signals.door import (
    Caller,
    Cause,
    CauseWords,
    Departure,
    Earlier,
    Heard,
    Repeat,
    Signals,
    Tier,
)
from services.intake.signals.hearing import Hearing

__all__ = ["Caller", "Cause", "CauseWords", "Departure", "Earlier", "Heard", "Hearing", "Repeat", "Signals", "Tier"]
