"""Texts as weighted features, and how alike two are. Words and their pieces for English, characters for Chinese."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

Vector = dict[str, float]
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[a-z0-9]+")


def pieces(word: str) -> list[str]:
    """A word, and the three and four letters of it: "charged" and "charges" share most of theirs."""
    out = [word]
    if len(word) > 2:
        padded = f" {word} "
        out += [padded[at : at + 3] for at in range(len(padded) - 2)]
        out += [padded[at : at + 4] for at in range(len(padded) - 3)]
    return out


def worded(words: Sequence[str]) -> Counter[str]:
    """The words of a text, their pieces, and each with the next."""
    counts = Counter(piece for word in words for piece in pieces(word))
    counts.update(f"{one} {other}" for one, other in pairwise(words))
    return counts


def characters(text: str) -> Counter[str]:
    """Single characters and pairs, within a run of Chinese; other words as they are."""
    counts: Counter[str] = Counter()
    for run in _HAN_RUN.findall(text.lower()):
        if run[0] < "\u3400":
            counts[run] += 1
        else:
            counts.update(run)
            counts.update(run[at : at + 2] for at in range(len(run) - 1))
    return counts


def weigh(counts: Mapping[str, int], rarity: Mapping[str, float], unknown: float) -> Vector:
    vector = {feature: (1.0 + math.log(count)) * rarity.get(feature, unknown) for feature, count in counts.items()}
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {feature: value / length for feature, value in vector.items()} if length else {}


def alike(one: Vector, other: Vector) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other[feature] for feature, value in one.items() if feature in other)
