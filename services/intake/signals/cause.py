"""Which of the policy's causes a text is about: its words, and examples that corrections have left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.intake.signals import likeness
from services.intake.signals.door import Cause, CauseWords
from services.intake.signals.learning import Learned, learn, nearness
from services.intake.signals.rarity import rarity
from services.intake.signals.text import plain_words

DECIDES = 0.6  # below it three are offered and nothing is decided
_NOTHING = Learned({}, 0.0, {})


@dataclass(frozen=True, slots=True)
class _Keyword:
    cause: int
    parts: tuple[str, ...]

    @property
    def row(self) -> str:
        return _row(self.parts)


def _row(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


class CauseEar:
    """What is heard of causes in one language: by the words of each, and by what was learned from its examples."""

    def __init__(self, causes: Sequence[CauseWords], language: str) -> None:
        self.codes = tuple(cause.code for cause in causes)
        self._zh = language == "zh"
        self._keywords: dict[str, list[_Keyword]] = {}
        self._given = [0] * len(causes)
        documents: list[tuple[int, Mapping[str, int]]] = []
        for number, cause in enumerate(causes):
            for phrase in cause.words.get(language, ()):
                parts = (phrase.lower(),) if self._zh else tuple(stem(word) for word in plain_words(phrase))
                if parts and parts[0]:
                    self._keywords.setdefault(parts[0], []).append(_Keyword(number, parts))
                    self._given[number] += 1
            for example in cause.examples.get(language, ()):
                documents.append((number, self._features(example)))
        if not self._zh:  # a cause that is learned has a name, which says something too
            documents += [(number, self._features(self.codes[number])) for number in sorted({n for n, _ in documents})]
        self._learned = learn(documents, rarity(language)) if documents else _NOTHING

    def _features(self, text: str) -> Mapping[str, int]:
        return likeness.characters(text) if self._zh else likeness.worded(plain_words(text))

    def hear(self, text: str, words: Sequence[str]) -> Cause:
        """At most three candidates, best first; a value only where the best is good enough."""
        if not self._keywords and not self._learned.weights:
            return Cause(None, 0.0, ("the policy names no words for causes in this language",), ())
        by_word = self._by_keywords(text, words)
        by_example = self._by_examples(text, words) if self._learned.weights else {}
        scores = {number: by_word.get(number, 0.0) for number in {*by_word, *by_example}}
        for number, score in by_example.items():
            scores[number] = 1.0 - (1.0 - scores[number]) * (1.0 - score)
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
        candidates = tuple((self.codes[number], round(score, 3)) for number, score in ranked if score > 0.01)
        if not candidates:
            return Cause(None, 0.0, ("none of the causes' words stand in it",), ())
        best, score = ranked[0]
        tied = len(ranked) > 1 and ranked[1][1] > score - 0.1
        reasons = []
        if best in by_word:
            reasons.append("words of the cause stand in it")
        if best in by_example:
            reasons.append("it is like examples of the cause")
        if score >= DECIDES and not tied:
            return Cause(self.codes[best], round(score, 3), tuple(reasons), candidates)
        reasons.append("two causes are equally near" if tied else "not sure enough to decide")
        return Cause(None, round(score, 3), tuple(reasons), candidates)

    def _by_keywords(self, text: str, words: Sequence[str]) -> dict[int, float]:
        hits: dict[int, float] = {}
        if not self._keywords:
            return hits
        if self._zh:
            low = text.lower()
            for phrase, keywords in self._keywords.items():
                if phrase in low:
                    for keyword in keywords:
                        hits[keyword.cause] = hits.get(keyword.cause, 0.0) + 1.0
        else:
            stems = [stem(word) for word in words]
            present = self._keywords.keys() & set(stems)
            row = _row(stems) if present else ""
            for head in present:
                for keyword in self._keywords[head]:
                    if len(keyword.parts) == 1 or keyword.row in row:
                        hits[keyword.cause] = hits.get(keyword.cause, 0.0) + len(keyword.parts)
        return {number: min(0.95, 0.8 * count / min(2, self._given[number])) for number, count in hits.items()}

    def _by_examples(self, text: str, words: Sequence[str]) -> dict[int, float]:
        counts = likeness.characters(text) if self._zh else likeness.worded(words)
        vector = likeness.weigh(counts, self._learned.rarity, self._learned.unknown)
        near = nearness(vector, self._learned.weights)
        return _confidence(sorted(((value, number) for number, value in near.items()), reverse=True)[:6])


def _confidence(best: Sequence[tuple[float, int]]) -> dict[int, float]:
    """Likeness into something that behaves like a probability: near enough at all, and nearer than the next."""
    if not best:
        return {}
    raised = [math.exp(14.0 * score) for score, _ in best]
    total = sum(raised) + math.exp(14.0 * 0.12)
    return {number: value / total for value, (_, number) in zip(raised, best, strict=True)}


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Word ends that a policy's author would not list: drops, dropped, dropping -> drop."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            word = word[: -len(ending)]
            if ending in ("ing", "ed") and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
