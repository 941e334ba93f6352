"""Does the customer mean to leave? Cues with guards, added up per sentence; only the upper two of three tiers alert."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.intake.signals.cues import Finding
from services.intake.signals.door import Departure, Tier

TIERS: tuple[Tier, ...] = ("certain", "likely", "possible")


@dataclass(frozen=True, slots=True)
class Scale:
    """How points become a score and a tier; from weights.json."""

    certain: float
    likely: float
    possible: float
    slope: float
    weights: Mapping[str, float]  # what training adds to the points of a cue

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> Scale:
        tiers = entry["tiers"]
        weights = entry.get("weights", {})
        assert isinstance(tiers, Mapping) and isinstance(weights, Mapping)
        return cls(
            certain=float(tiers["certain"]),
            likely=float(tiers["likely"]),
            possible=float(tiers["possible"]),
            slope=float(str(entry.get("slope", 1.8))),
            weights={str(name): float(value) for name, value in weights.items()},
        )


def add_up(findings: Sequence[Finding], scale: Scale) -> tuple[float, Finding | None]:
    """Points of the whole text and the sentence that speaks loudest."""
    spoken = [
        (one.points + sum(scale.weights.get(cue.name, 0.0) for cue in one.cues), one) for one in findings if one.cues
    ]
    if not spoken:
        return 0.0, None
    spoken.sort(key=lambda pair: -pair[0])
    rest = sum(max(0.0, points) for points, _ in spoken[1:4])
    return spoken[0][0] + min(0.8, 0.15 * rest), spoken[0][1]


def judge(findings: Sequence[Finding], scale: Scale, context: float, quotable: int) -> Departure:
    """`context` weighs the rest of the text; sentences that begin before `quotable` are the subject's: no quote."""
    points, best = add_up(findings, scale)
    if best is None:
        guards = {guard.says for one in findings for guard in one.guards if guard.stops}
        because = tuple(f"not counted: {says}" for says in sorted(guards)[:2]) or ("no sign of leaving",)
        return Departure(False, None, 0.02, because, None)
    points += context
    tier: Tier | None = None
    for name in TIERS:
        if points >= getattr(scale, name):
            tier = name
            break
    score = 1.0 / (1.0 + math.exp(-scale.slope * (points - scale.likely)))
    reasons = [f"{cue.says} (cue {cue.name})" for cue in sorted(best.cues, key=lambda cue: -cue.points)[:3]]
    reasons += [f"but {guard.says} (guard {guard.name})" for guard in best.guards if guard.points or guard.stops][:2]
    quote = (best.quote[0] - quotable, best.quote[1] - quotable) if best.quote[0] >= quotable else None
    if tier is None:
        return Departure(False, None, round(score, 3), ("too weak to count", *reasons), None)
    return Departure(True if tier != "possible" else None, tier, round(score, 3), tuple(reasons), quote)
