"""What hearing takes in and gives back: plain values, no behaviour.

Nobody changes them, but those made for each text are not frozen: that triples what making one costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Tier = Literal["certain", "likely", "possible"]
Quote = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Heard:
    """Is it a complaint? None = unknown, which still opens one downstream."""

    value: bool | None
    score: float
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Departure:
    """True when certain or likely; possible is None with its tier and quote, for a person to confirm."""

    value: bool | None
    tier: Tier | None
    score: float
    because: tuple[str, ...]
    quote: Quote | None


@dataclass(frozen=True, slots=True)
class Repeat:
    value: bool | None
    score: float
    because: tuple[str, ...]
    of: str | None
    quote: Quote | None


@dataclass(slots=True)
class Cause:
    value: str | None
    score: float
    because: tuple[str, ...]
    candidates: tuple[tuple[str, float], ...]


@dataclass(slots=True)
class Signals:
    complaint: Heard
    departure_threat: Departure
    repeat: Repeat
    cause: Cause
    need: str | None
    version: str


@dataclass(slots=True)
class Caller:
    """What the caller states is believed; None = the caller says nothing about it."""

    complaint: bool | None = None
    departure_threat: bool | None = None
    repeat: bool | None = None
    repeat_of: str | None = None
    cause: str | None = None
    need: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A recent contact of the same customer. Whoever calls keeps the window and the number small."""

    contact_id: str
    text: str
    cause: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class CauseWords:
    """A cause of the policy with what identifies it: words (from the policy) and examples (from corrections)."""

    code: str
    product: str | None = None
    need: str | None = None
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
