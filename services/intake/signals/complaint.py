"""Is it a complaint? Words of displeasure and trouble against words of thanks and requests, added up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.intake.signals.valence import ill_words


@dataclass(frozen=True, slots=True)
class Reading:
    points: float
    groups: Mapping[str, int]  # what spoke, how often


class Lexicon:
    """One language's words with points. A word counts once; a denied word of praise counts as displeasure."""

    def __init__(self, content: Mapping[str, Any], weights: Mapping[str, float]) -> None:
        self.bias = float(content["bias"]) + weights.get("bias", 0.0)
        self.says: dict[str, str] = {}
        self._points: dict[str, float] = {}
        self._group: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        self._marks: list[tuple[str, str]] = []
        self._openings: list[tuple[str, str]] = []
        for part in ("words", "phrases", "marks", "openings"):
            for name, entry in content.get(part, {}).items():
                self.says[name] = entry["says"]
                self._points[name] = float(entry["points"]) * weights.get(name, 1.0)
                for word in (*entry.get("any", ()), *(ill_words(entry["listed"]) if "listed" in entry else ())):
                    if part == "words":
                        self._group.setdefault(word, name)
                    elif part == "phrases":
                        self._phrases.setdefault(f" {word} ", name)
                    else:
                        (self._marks if part == "marks" else self._openings).append((word, name))
        self._words = frozenset(self._group)
        self._by_head: dict[str, list[tuple[str, str]]] = {}
        for phrase, name in self._phrases.items():
            self._by_head.setdefault(phrase.split()[0], []).append((phrase, name))
        self._heads = frozenset(self._by_head)
        self._denied = frozenset(content.get("denied", ()))
        long = content.get("long", {})
        self._long, self._long_points = int(long.get("words", 10**9)), float(long.get("points", 0.0))
        self.says["long"] = str(long.get("says", "a long text"))
        self._deny_zh = tuple(sorted(self._denied, key=lambda word: -len(word)))

    @cached_property
    def _scan(self) -> re.Pattern[str]:
        longest_first = sorted(self._group, key=lambda word: (-len(word), word))
        return re.compile("|".join(re.escape(word) for word in longest_first))

    def read_words(self, text: str, words: Sequence[str]) -> Reading:
        seen = set(words)
        groups: dict[str, int] = {}
        for word in seen & self._words:
            name = self._group[word]
            groups[name] = groups.get(name, 0) + 1
        if "pleased" in groups and not seen.isdisjoint(self._denied):
            for place, word in enumerate(words):
                if self._group.get(word) == "pleased" and not self._denied.isdisjoint(words[max(0, place - 2) : place]):
                    groups["pleased"] -= 1
                    groups["displeasure"] = groups.get("displeasure", 0) + 1
                    if not groups["pleased"]:
                        break
        heads = seen & self._heads
        if heads:
            line = f" {' '.join(words)} "
            for head in heads:
                for phrase, name in self._by_head[head]:
                    if phrase in line:
                        groups[name] = groups.get(name, 0) + 1
        return self._sum(text, groups, len(words))

    def read_characters(self, text: str) -> Reading:
        groups: dict[str, int] = {}
        seen: set[str] = set()
        for match in self._scan.finditer(text):
            word = match.group()
            if word in seen:
                continue
            seen.add(word)
            name = self._group[word]
            if name == "满意":
                before = text[max(0, match.start() - 3) : match.start()]
                if before.endswith(self._deny_zh):
                    name = "不满"
            groups[name] = groups.get(name, 0) + 1
        return self._sum(text, groups, len(text))

    def _sum(self, text: str, groups: dict[str, int], length: int) -> Reading:
        for mark, name in self._marks:
            if mark in text:
                groups[name] = groups.get(name, 0) + 1
        if self._openings:
            opening = text[:40].lstrip()
            for word, name in self._openings:
                if opening.startswith(word):
                    groups[name] = 1
        points = self.bias
        for name, count in groups.items():
            if count > 0:  # the second word of a kind says half as much, the third a third
                points += self._points[name] * math.sqrt(count)
        if length >= self._long:
            groups["long"] = 1
            points += self._long_points
        return Reading(points, groups)
