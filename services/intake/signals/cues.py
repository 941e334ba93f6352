"""Finding cues and guards in sentences: a set of words first, patterns only where one of their words stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from services.intake.signals.rules import Cue, Guard, RuleSet
from services.intake.signals.text import Sentence

SENTENCES = 120  # sentences with a cue word that are looked into; what comes after them says nothing new


@dataclass(slots=True)
class Finding:
    """What one sentence says. Never changed; `at` is a place in the sentence's line, or in the text where there is no
    sentence."""

    at: tuple[int, int]
    cues: tuple[Cue, ...]  # those that stand
    guards: tuple[Guard, ...]  # those that spoke, whether they took a cue away or only weighed it down
    stopped: tuple[Cue, ...]
    points: float
    sentence: Sentence | None = None

    @property
    def quote(self) -> tuple[int, int]:
        """Its place in the text. Looked up for the one finding of many that is quoted."""
        return self.at if self.sentence is None else self.sentence.quote(*self.at)


class Finder:
    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._table = rules.anchors()
        self._matchers = {
            anchor: tuple(rules.cues[number].matchers[place] for number, place in entries)
            for anchor, entries in self._table.items()
        }
        self.anchors = frozenset(self._table)
        self._guards_of = {
            cue.name: tuple(g for g in rules.guards if not g.stops or cue.name in g.stops) for cue in rules.cues
        }

    def wanted(self, words: Set[str], row: str | None) -> Set[str]:
        """The words of a text for whose sake it has to be looked into, sentence by sentence; mostly none.

        `row` has all words of the text between spaces, where nothing else and no name is in it.
        """
        return {word for word in self.anchors & words if self._promising(word, words, row)}

    def _promising(self, anchor: str, words: Set[str], row: str | None) -> bool:
        for one in self._matchers[anchor]:
            if one.possible(words) and (row is None or (one.in_row is not None and one.in_row.search(row))):
                return True
        return False

    def _entries(self, hits: Set[str], words: Set[str]) -> list[tuple[int, int]]:
        found = set()
        for anchor in hits:
            for entry, matcher in zip(self._table[anchor], self._matchers[anchor], strict=True):
                if matcher.possible(words):
                    found.add(entry)
        return sorted(found)

    def in_words(self, sentences: Sequence[Sentence], wanted: Set[str] | None = None) -> list[Finding]:
        """What sentences of words say; of a text without names only the `wanted` words can be what it hangs on."""
        anchors = self.anchors if wanted is None else wanted
        found: list[Finding] = []
        looked = 0
        for sentence in sentences:
            hits = anchors & sentence.words
            if not hits:
                continue
            looked += 1
            if looked > SENTENCES:
                break
            entries = self._entries(hits, sentence.words)
            finding = self._look(sentence.line, entries, sentence.words) if entries else None
            if finding is not None:
                cues, guards, stopped, points, begin, end = finding
                found.append(Finding((begin, end), cues, guards, stopped, points, sentence))
        return found

    def in_characters(self, text: str, spans: Sequence[tuple[int, int]]) -> list[Finding]:
        present = [anchor for anchor in self._table if anchor in text]
        found: list[Finding] = []
        looked = 0
        for start, end in spans if present else ():
            line = text[start:end]
            hits = [anchor for anchor in present if anchor in line]
            if not hits:
                continue
            looked += 1
            if looked > SENTENCES:
                break
            finding = self._look(line, sorted({entry for anchor in hits for entry in self._table[anchor]}))
            if finding is not None:
                cues, guards, stopped, points, _, _ = finding
                found.append(Finding((start, end), cues, guards, stopped, points))
        return found

    def _look(
        self, line: str, entries: Iterable[tuple[int, int]], words: Set[str] | None = None
    ) -> tuple[tuple[Cue, ...], tuple[Guard, ...], tuple[Cue, ...], float, int, int] | None:
        spots: dict[int, tuple[int, int]] = {}
        rules = self.rules.cues
        for number, place in entries:
            if number not in spots:
                match = rules[number].matchers[place].expression.search(line)
                if match:
                    spots[number] = match.span()
        if not spots:
            return None
        cues = [rules[number] for number in spots]
        spoke: list[Guard] = []
        stopped: list[Cue] = []
        for guard in self._wanted(cues):
            if words is not None and guard.anchors.isdisjoint(words):
                continue
            for matcher in guard.matchers:
                if (words is None or matcher.wanted(words)) and matcher.expression.search(line):
                    spoke.append(guard)
                    break
        stops = frozenset(name for guard in spoke for name in guard.stops)
        stopped = [cue for cue in cues if cue.name in stops]
        standing = [cue for cue in cues if cue.name not in stops]
        if not standing:
            return (), tuple(spoke), tuple(stopped), 0.0, 0, 0
        best = max(standing, key=lambda cue: cue.points)
        others = {cue.kind: cue.points for cue in standing if cue is not best}
        points = best.points + 0.2 * sum(others.values()) + 0.1 * (len(standing) - 1 - len(others))
        points += sum(guard.points for guard in spoke)
        number = next(number for number in spots if rules[number] is best)
        return tuple(standing), tuple(spoke), tuple(stopped), points, *spots[number]

    def _wanted(self, cues: Sequence[Cue]) -> list[Guard]:
        wanted: dict[str, Guard] = {}
        for cue in cues:
            for guard in self._guards_of[cue.name]:
                wanted.setdefault(guard.name, guard)
        return list(wanted.values())
