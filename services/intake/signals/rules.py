"""Cues and guards: read from the rule files, checked, compiled. A supervisor can read, switch off and add them.

English patterns are rows of words, not regular expressions:

    will|shall never [2] <patron>     a word of a choice, a word, up to two words of any kind, a word of a named list
    ^ back to RIVAL !economy|seat $   beginning, then the three names, the next word is none of these, end
    please? close                     an optional word

OWN, RIVAL and OTHER stand for the company heard here, its rivals and other accounts. Every pattern is compiled to an
expression whose only repeats are bounded gaps over single words, so that no text can make it backtrack without end.
Chinese patterns are written the same way over characters: [4] is a gap of up to four characters, <list> a choice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

LANGUAGES = ("en", "zh")
_COMMON_WORDS = """
    i im ill we were well my our you your the a an to of with for in on at it is was be been am are will would this that
    these there me us and or but if so not no do dont have has had can cant could should just from by as up out now get
    got going gonna go time next all any more what why how OWN RIVAL OTHER
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_GAP = re.compile(r"\[(\d{1,2})\]$")


class RuleError(ValueError):
    """A rule that cannot be used; says which and why."""


@dataclass(frozen=True, slots=True)
class Matcher:
    anchors: frozenset[str]  # one of these must stand in the sentence (en: a word, zh: characters)
    expression: re.Pattern[str]
    others: tuple[frozenset[str], ...] = ()  # and, in English, one of each of these
    # what stands in the row of all words of a text where the pattern stands in one of its sentences: the same without
    # ends of sentences, without what must not follow, and without names; None where it has nothing but names
    in_row: re.Pattern[str] | None = None

    def wanted(self, words: Set[str]) -> bool:
        """The same with the word that it is known by."""
        return not self.anchors.isdisjoint(words) and self.possible(words)

    def possible(self, words: Set[str]) -> bool:
        """Whether a text of these words can hold the pattern at all: sets are asked long before an expression is."""
        for choice in self.others:  # noqa: SIM110 - any() costs as much as ten of these questions
            if choice.isdisjoint(words):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Cue:
    name: str
    kind: str
    says: str
    points: float
    matchers: tuple[Matcher, ...]
    unless: frozenset[str]  # guards that take this cue away


@dataclass(frozen=True, slots=True)
class Guard:
    name: str
    says: str
    points: float
    stops: frozenset[str]  # names or kinds of cues; "all"
    matchers: tuple[Matcher, ...]
    anchors: frozenset[str]  # of all matchers


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one matter in one language."""

    language: str
    version: str
    cues: tuple[Cue, ...]
    guards: tuple[Guard, ...]
    digest: str

    def anchors(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Anchor -> (cue, matcher) to try, in the order of the file."""
        table: dict[str, list[tuple[int, int]]] = {}
        for number, cue in enumerate(self.cues):
            for place, matcher in enumerate(cue.matchers):
                for anchor in sorted(matcher.anchors):
                    table.setdefault(anchor, []).append((number, place))
        return {anchor: tuple(entries) for anchor, entries in table.items()}


def read(name: str) -> dict[str, Any]:
    """One rule file of the package, as written."""
    return dict(_read(name))


@cache
def _read(name: str) -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("rules", name).read_text(encoding="utf-8")
    content = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # texts only: no and on are words
    if not isinstance(content, dict):
        raise RuleError(f"{name}: a mapping is expected")
    return content


def rule_set(
    matter: str, language: str, *, off: Collection[str] = (), added: Iterable[Mapping[str, Any]] = ()
) -> RuleSet:
    """The shipped rules of a matter without those switched off, with those added (same shape as in the file)."""
    name = f"{matter}.{language}.yaml"
    content = read(name)
    lists = {key: tuple(str(word) for word in words) for key, words in content.get("lists", {}).items()}
    entries = list(content.get("cues", ())) + [one for one in added if one.get("language", "en") == language]
    more = [one for one in entries if one.get("stops")]  # of those added, the guards
    cues = tuple(_cue(one, lists, language, name) for one in entries if one not in more and one.get("name") not in off)
    guards = tuple(
        _guard(one, lists, language, name) for one in [*content.get("guards", ()), *more] if one.get("name") not in off
    )
    names = [cue.name for cue in cues] + [guard.name for guard in guards]
    if len(set(names)) != len(names):
        raise RuleError(f"{name}: a name is used twice: {sorted({one for one in names if names.count(one) > 1})}")
    digest = hashlib.sha256(repr((content, sorted(off), entries)).encode()).hexdigest()[:8]
    return RuleSet(language, str(content["version"]), cues, guards, digest)


def _cue(entry: Mapping[str, Any], lists: Mapping[str, Sequence[str]], language: str, where: str) -> Cue:
    name = _text(entry, "name", where)
    return Cue(
        name=name,
        kind=str(entry.get("kind", "announced")),
        says=str(entry.get("says") or name),
        points=float(entry.get("points", 2.0)),
        matchers=_matchers(entry, lists, language, f"{where}: {name}"),
        unless=frozenset(entry.get("unless", ())),
    )


def _guard(entry: Mapping[str, Any], lists: Mapping[str, Sequence[str]], language: str, where: str) -> Guard:
    name = _text(entry, "name", where)
    matchers = _matchers(entry, lists, language, f"{where}: {name}")
    return Guard(
        name=name,
        says=str(entry.get("says") or name),
        points=float(entry.get("points", 0.0)),
        stops=frozenset(entry.get("stops", ())),
        matchers=matchers,
        anchors=frozenset().union(*(one.anchors for one in matchers)),
    )


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise RuleError(f"{where}: a rule without a {key}")
    return value


def _matchers(
    entry: Mapping[str, Any], lists: Mapping[str, Sequence[str]], language: str, where: str
) -> tuple[Matcher, ...]:
    patterns = entry.get("any")
    if not isinstance(patterns, list) or not patterns:
        raise RuleError(f"{where}: needs a list of patterns under any")
    return tuple(compile_pattern(str(pattern), lists, language, where) for pattern in patterns)


def compile_pattern(pattern: str, lists: Mapping[str, Sequence[str]], language: str, where: str = "") -> Matcher:
    words = language != "zh"
    parts: list[str] = []
    loose: list[str] = []
    needed: list[tuple[str, ...]] = []
    for element in pattern.split():
        gap = _GAP.match(element)
        if gap:
            if int(gap[1]) > (16 if words else 30):
                raise RuleError(f"{where}: a gap is at most 16 words or 30 characters: {element}")
            parts.append(rf"(?:[^ ]+ ){{0,{gap[1]}}}?" if words else rf"[^。！？!?；;\n]{{0,{gap[1]}}}?")
            loose.append(parts[-1])
        elif element in ("^", "$"):
            parts.append(element)
        else:
            negated, optional = element.startswith("!"), element.endswith("?") and len(element) > 1
            choice = _choice(element[negated : len(element) - optional], lists, where)
            body = _either(choice) + " " * words
            plain = _either([word for word in choice if not _is_symbol(word)]) + " "
            if negated:
                parts.append(f"(?!{body})")
            elif optional:
                parts.append(f"(?:{body})?")
                loose.append(f"(?:{plain})?")
            else:
                parts.append(body)
                loose.append(plain)
                needed.append(choice)
    if not needed:
        raise RuleError(f"{where}: a pattern needs at least one word that must be there: {pattern}")
    source = "".join(parts)
    if words:
        source = source.replace("^", "^ ", 1) if source.startswith("^") else "(?<= )" + source
    anchors = min(needed, key=_cost)
    if not words:
        return Matcher(frozenset(anchors), re.compile(source))
    others = [frozenset(choice) for choice in needed if choice is not anchors and not any(map(_is_symbol, choice))]
    named = any(all(map(_is_symbol, choice)) for choice in needed)
    in_row = None if named else re.compile("(?<= )" + "".join(loose))
    return Matcher(frozenset(anchors), re.compile(source), tuple(others), in_row)


def _either(choice: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(choice, key=lambda word: (-len(word), word)))})"


def _is_symbol(word: str) -> bool:
    # OWN, RIVAL, OTHER and _tags_ stand for words that a text spells in its own way
    return word.isupper() or word.startswith("_")


def _choice(body: str, lists: Mapping[str, Sequence[str]], where: str) -> tuple[str, ...]:
    out: list[str] = []
    for word in body.split("|"):
        if word.startswith("<") and word.endswith(">"):
            if word[1:-1] not in lists:
                raise RuleError(f"{where}: no list is called {word}")
            out.extend(lists[word[1:-1]])
        elif word:
            out.append(word)
    if not out:
        raise RuleError(f"{where}: an empty choice")
    return tuple(dict.fromkeys(out))


def _cost(choice: Iterable[str]) -> tuple[int, int]:
    """The rarest element makes the best anchor: no common word in it, then few words."""
    words = tuple(choice)
    return sum(word in _COMMON or (len(word) == 1 and not word.isascii()) for word in words), len(words)
