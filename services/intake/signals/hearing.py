"""The door: built once per version of the policy, then pure. One text in, what it signals out."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from services.intake.signals import departure, repeat
from services.intake.signals import text as texts
from services.intake.signals.cause import CauseEar
from services.intake.signals.complaint import Lexicon, Reading
from services.intake.signals.cues import Finder, Finding
from services.intake.signals.door import Caller, Cause, CauseWords, Departure, Earlier, Heard, Repeat, Signals
from services.intake.signals.rules import LANGUAGES, read, rule_set

CALLER = "the caller says so"
UNKNOWN = "the language is not one we know"
_UNHEARD = Departure(None, None, 0.0, (UNKNOWN,), None)
_STATED = {value: Heard(value, 1.0, (CALLER,)) for value in (True, False)}
_STAYS = Departure(False, None, 1.0, (CALLER,), None)
_UNHEARD_TROUBLE = Heard(None, 0.5, (UNKNOWN,))
_UNHEARD_CAUSE = Cause(None, 0.0, (UNKNOWN,), ())


def weights() -> dict[str, Any]:
    """The tiers, and what is added to the points that stand in the rules."""
    content = resources.files(__package__).joinpath("rules", "weights.json").read_text(encoding="utf-8")
    table = json.loads(content)
    assert isinstance(table, dict)
    return table


def language_of(text: str, locale: str | None) -> str | None:
    """The language of a text, where it is one that is heard."""
    return texts.language(text, texts.plain_words(text), locale, _small_words())


@cache
def _small_words() -> Mapping[str, frozenset[str]]:
    words = read("languages.yaml")
    return {name: frozenset(words[name]) for name in ("english", "foreign")}


class Hearing:
    """Everything heard in a text. Safe to share: nothing changes after it is built."""

    def __init__(
        self,
        *,
        causes: Sequence[CauseWords],
        company_names: Iterable[str] = (),
        rival_names: Iterable[str] = (),
        switched_off: Collection[str] = (),
        added: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        own, rivals = tuple(company_names), tuple(rival_names)
        self._names = texts.name_table(own, rivals)
        self._zh_names = tuple(name for name in rivals if not name.isascii())
        table = weights()
        self._departure = {
            one: Finder(
                rule_set(
                    "departure",
                    one,
                    off=switched_off,
                    added=[a for a in added if a.get("matter", "departure") == "departure"],
                )
            )
            for one in LANGUAGES
        }
        self._repeat = {
            one: Finder(
                rule_set("repeat", one, off=switched_off, added=[a for a in added if a.get("matter") == "repeat"])
            )
            for one in LANGUAGES
        }
        self._scale = {one: departure.Scale.of(table["departure"][one]) for one in LANGUAGES}
        self._lexicon = {
            one: Lexicon(read(f"complaint.{one}.yaml"), table["complaint"][one].get("weights", {})) for one in LANGUAGES
        }
        self._edges = {one: table["complaint"][one]["edges"] for one in LANGUAGES}
        self._causes = {cause.code: cause for cause in causes}
        self._cause = {one: CauseEar(causes, one) for one in LANGUAGES}
        self._known = _small_words()
        digest = hashlib.sha256(
            repr(
                (own, rivals, [f.rules.digest for f in (*self._departure.values(), *self._repeat.values())], causes)
            ).encode()
        ).hexdigest()[:8]
        self.version = f"{table['version']}+{digest}"

    def hear(
        self,
        text: str,
        *,
        subject: str = "",
        locale: str | None = None,
        caller: Caller = Caller(),  # noqa: B008 - frozen
        earlier: Sequence[Earlier] = (),
    ) -> Signals:
        head = subject[:500] + "\n" if subject else ""
        whole = head + text[: texts.LIMIT]
        words = texts.plain_words(whole)
        language = texts.language(whole, words, locale, self._known)
        complaint, leaving, cause = _UNHEARD_TROUBLE, _UNHEARD, _UNHEARD_CAUSE
        said: list[Finding] = []
        if language is not None:
            # what the caller states is not heard again, but for the words of a threat to leave
            threats = caller.departure_threat is not False
            if threats or caller.complaint is None:
                reading = self._read(language, whole, words)
            found, said = self._found(language, whole, words, threats)
            if threats:
                leaving = departure.judge(found, self._scale[language], _context(reading), len(head))
            if caller.complaint is None:
                complaint = self._complaint(language, reading, leaving)
            if caller.cause is None:
                cause = self._cause[language].hear(whole, words)
        if caller.cause is not None:
            cause = Cause(caller.cause, 1.0, (CALLER,), cause.candidates)
        again = repeat.hear(whole, language, cause.value, earlier, said)
        again = _shift(again, len(head))
        return self._believe(caller, complaint, leaving, again, cause)

    def explain(self, text: str, *, subject: str = "", locale: str | None = None) -> dict[str, Any]:
        """Everything that spoke, for a person: sentences are given by their place, cues and guards by their names."""
        signals = self.hear(text, subject=subject, locale=locale)
        head = subject[:500] + "\n" if subject else ""
        whole = head + text[: texts.LIMIT]
        words = texts.plain_words(whole)
        language = texts.language(whole, words, locale, self._known)
        out: dict[str, Any] = {"language": language, "version": self.version, "signals": signals, "sentences": []}
        if language is None:
            return out
        reading = self._read(language, whole, words)
        lexicon = self._lexicon[language]
        out["complaint"] = {
            "points": round(reading.points, 2),
            "spoke": {lexicon.says.get(name, name): count for name, count in sorted(reading.groups.items())},
        }
        for matter, finders in (("departure", self._departure), ("repeat", self._repeat)):
            finder = finders[language]
            if language == "zh":
                found = finder.in_characters(whole, texts.zh_sentences(whole))
            else:
                found = finder.in_words(texts.sentences(whole, self._names))
            for one in found:
                out["sentences"].append({
                    "matter": matter,
                    "at": (one.quote[0] - len(head), one.quote[1] - len(head)),
                    "points": round(one.points, 2),
                    "cues": [{"name": cue.name, "says": cue.says, "points": cue.points} for cue in one.cues],
                    "taken away": [cue.name for cue in one.stopped],
                    "guards": [{"name": g.name, "says": g.says, "points": g.points} for g in one.guards],
                })  # fmt: skip
        return out

    def _found(
        self, language: str, whole: str, words: Sequence[str], threats: bool
    ) -> tuple[list[Finding], list[Finding]]:
        """What speaks of leaving, if that is wanted, and of trouble that is there again."""
        leaving, again = self._departure[language], self._repeat[language]
        if language == "zh":
            spans = texts.zh_sentences(whole)
            return leaving.in_characters(whole, spans) if threats else [], again.in_characters(whole, spans)
        seen = set(words)
        row = f" {' '.join(words)} " if texts.is_plain(whole) and self._names.keys().isdisjoint(seen) else None
        repeats = again.wanted(seen, row)
        threats_in = leaving.wanted(seen, row) if threats else frozenset()
        if not repeats and not threats_in:
            return [], []
        sentences = texts.sentences(whole, self._names, repeats | threats_in)
        if row is None:
            return leaving.in_words(sentences) if threats else [], again.in_words(sentences)
        return leaving.in_words(sentences, threats_in), again.in_words(sentences, repeats)

    def _read(self, language: str, whole: str, words: Sequence[str]) -> Reading:
        lexicon = self._lexicon[language]
        return lexicon.read_characters(whole) if language == "zh" else lexicon.read_words(whole, words)

    def _complaint(self, language: str, reading: Reading, leaving: Departure) -> Heard:
        points = reading.points
        lexicon = self._lexicon[language]
        reasons = [
            lexicon.says[name]
            for name, count in sorted(reading.groups.items(), key=lambda g: (-g[1], g[0]))
            if count > 0
        ]
        if leaving.tier in ("certain", "likely") and language == "zh":
            points += 2.0
            reasons.insert(0, "the customer means to leave")
        score = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, points))))
        edges = self._edges[language]
        value = True if score >= edges["complaint"] else False if score < edges["unknown"] else None
        if value is None:
            reasons.append("too close to call")
        return Heard(value, round(score, 3), tuple(reasons[:4]) or ("nothing in it speaks of trouble",))

    def _believe(self, caller: Caller, complaint: Heard, leaving: Departure, again: Repeat, cause: Cause) -> Signals:
        if caller.complaint is not None:
            complaint = _STATED[caller.complaint]
        if caller.departure_threat is True:
            leaving = Departure(True, "certain", 1.0, (CALLER,), leaving.quote)
        elif caller.departure_threat is False:
            leaving = _STAYS
        if caller.repeat is not None:
            again = Repeat(
                caller.repeat, 1.0, (CALLER,), caller.repeat_of or (again.of if caller.repeat else None), again.quote
            )
        elif caller.repeat_of is not None:
            again = Repeat(True, 1.0, (CALLER,), caller.repeat_of, again.quote)
        known = self._causes.get(cause.value or "")
        need = caller.need if caller.need is not None else known.need if known else None
        return Signals(complaint, leaving, again, cause, need, self.version)


def _context(reading: Reading) -> float:
    """An angry text makes leaving likelier, a grateful one less likely."""
    return max(-0.6, min(0.4, 0.1 * reading.points))


def _shift(again: Repeat, by: int) -> Repeat:
    if again.quote is None or not by:
        return again
    start, end = again.quote[0] - by, again.quote[1] - by
    return Repeat(again.value, again.score, again.because, again.of, (start, end) if start >= 0 else None)
