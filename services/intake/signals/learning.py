"""From examples to what features say of causes: centroids first, then each example that is nearer to another cause
moves the two apart. A hundred causes with twenty examples each take about a second."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.intake.signals import likeness
from services.intake.signals.rarity import Rarity

BACKGROUND = 0.3  # what a text of the background table counts, against an example
MARGIN = 0.2  # how much nearer an example should be to its own cause than to the next
STEP = 0.3
ROUNDS = 4
VISITS = 10_000  # of examples, in all rounds: more examples are gone through fewer times


@dataclass(frozen=True, slots=True)
class Learned:
    """`weights`: feature -> cause -> what it says for it; `rarity` and `unknown` weigh the features of a text."""

    rarity: Mapping[str, float]
    unknown: float
    weights: Mapping[str, Mapping[int, float]]


def learn(documents: Sequence[tuple[int, Mapping[str, int]]], background: Rarity) -> Learned:
    """(cause, counts of features) of every example -> what is looked up for a text. The same examples give the same."""
    seen: Counter[str] = Counter()
    for _, counts in documents:
        seen.update(counts.keys())
    texts = 1 + len(documents) + BACKGROUND * background.texts
    rarity = {
        feature: math.log(texts / (1 + count + BACKGROUND * background.background.get(feature, 0.0))) + 1.0
        for feature, count in seen.items()
    }
    unknown = math.log(texts) + 1.0
    vectors = [(number, likeness.weigh(counts, rarity, unknown)) for number, counts in documents]
    weights = _centroids(vectors)
    _part(vectors, weights)
    return Learned(rarity, unknown, weights)


def nearness(vector: Mapping[str, float], weights: Mapping[str, Mapping[int, float]]) -> dict[int, float]:
    """How near a text is to each cause that shares a feature with it."""
    sums: dict[int, float] = {}
    for feature, value in vector.items():
        for number, weight in weights.get(feature, {}).items():
            sums[number] = sums.get(number, 0.0) + value * weight
    return sums


def _centroids(vectors: Sequence[tuple[int, likeness.Vector]]) -> dict[str, dict[int, float]]:
    sums: dict[int, dict[str, float]] = {}
    for number, vector in vectors:
        total = sums.setdefault(number, {})
        for feature, value in vector.items():
            total[feature] = total.get(feature, 0.0) + value
    weights: dict[str, dict[int, float]] = {}
    for number, total in sums.items():
        length = math.sqrt(sum(value * value for value in total.values()))
        for feature, value in total.items():
            weights.setdefault(feature, {})[number] = value / length
    return weights


def _part(vectors: Sequence[tuple[int, likeness.Vector]], weights: dict[str, dict[int, float]]) -> None:
    """Passive-aggressive steps (Crammer and others, 2006), for a few rounds."""
    chance, order = random.Random(0), list(range(len(vectors)))
    for _ in range(max(1, min(ROUNDS, VISITS // max(1, len(vectors))))):
        chance.shuffle(order)
        moved = False
        for place in order:
            number, vector = vectors[place]
            near = nearness(vector, weights)
            others = [(value, other) for other, value in near.items() if other != number]
            if not others:
                continue
            best, other = max(others)
            lacking = MARGIN - near.get(number, 0.0) + best
            if lacking <= 0:
                continue
            moved, step = True, min(STEP, lacking / 2)
            for feature, value in vector.items():
                says = weights[feature]
                says[number] = says.get(number, 0.0) + step * value
                says[other] = says.get(other, 0.0) - step * value
        if not moved:
            break
