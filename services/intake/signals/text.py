"""Text into language, sentences and words. Offsets are code points of the original text, end exclusive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

LIMIT = 20_000  # code points heard; what stands behind is stored by intake but says nothing new
SENTENCE_WORDS = 60  # a sentence without an end is cut here, so that a pattern never looks further
WORD_LENGTH = 40

_PLAIN = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(r"[@#]?[^\W_]+(?:['’`][^\W_]+)*|<[a-z]{1,8}>", re.ASCII | re.IGNORECASE)
_ENDS = re.compile(r"([.!?;\n…]+)")
_TAG = re.compile(r"#([A-Za-z0-9]+)")
#: ASCII in lower case, without apostrophes, and a space for whatever is no letter or digit
_SEPARATED = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)} | {ord("'"): None}
_MARKED = _SEPARATED | {ord(mark): "\n" for mark in ".!?;\n"}
_MARKS = "".join(chr(code) for code in range(128) if not chr(code).isalnum())
_END = re.compile(r"[.!?;\n]")
_LONG = re.compile(r"([a-z])\1\1+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1cff\u3040-\u30ff\uac00-\ud7af]")
_ZH_END = re.compile(r"[。！？!?；;\n…～~]+|\.(?=[^0-9a-zA-Z]|$)")
_ZH_CLAUSE = re.compile(r"[，,、：:\s]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`line` holds the words, each followed by one space, with a space in front: what patterns are matched on.

    `part` is the stretch of text, which begins at `begin`. Where its words stand is looked up when somebody is quoted,
    unless it is in `places` already: (position in line, start, end in the text).
    """

    part: str
    begin: int
    line: str
    words: frozenset[str]
    places: tuple[tuple[int, int, int], ...] = ()

    def quote(self, begin: int, end: int) -> tuple[int, int]:
        """The stretch of text behind line[begin:end]; the whole sentence where it is short enough to read."""
        if not self.places and len(self.part) <= 240 and is_plain(self.part):
            start = len(self.part) - len(self.part.lstrip(_MARKS))
            return self.begin + start, self.begin + len(self.part.rstrip(_MARKS))
        places = self.places or _places(_worded(self.part, self.begin))
        first, last = places[0][1], places[-1][2]
        if last - first <= 240:
            return first, last
        inside = [(start, stop) for at, start, stop in places if begin <= at < end]
        return (inside[0][0], inside[-1][1]) if inside else (first, last)


def is_plain(text: str) -> bool:
    """Whether its words are just letters and digits, between other ASCII characters."""
    return text.isascii() and _is_unmarked(text)


def _is_unmarked(text: str) -> bool:
    return not ("@" in text or "#" in text or "<" in text or "`" in text or "''" in text)


def plain_words(text: str) -> list[str]:
    """Lower-case words without apostrophes: the cheap look before anything else is done."""
    if text.isascii():
        words = [_short[word] for word in text.translate(_SEPARATED).split()]
    else:
        low = text.lower().replace("'", "").replace("’", "")
        words = [_short[word] for word in _PLAIN.findall(low)]
    if "#" in text:  # #NeverAgain is two words as well
        words += [_plain(part) for tag in _TAG.findall(text) for part in _CAMEL.findall(tag)]
    return words


def sentences(
    text: str,
    names: Mapping[str, Sequence[tuple[tuple[str, ...], str]]],
    wanted: Set[str] | None = None,
) -> list[Sentence]:
    """English-like text into sentences of normal words; names become OWN, RIVAL or OTHER.

    With `wanted` those that certainly hold none of these words are left out.
    """
    if is_plain(text):
        easy = _plain_sentences(text, names, wanted)
        if easy is not None:
            return easy
    found: list[Sentence] = []
    handles = 0
    start = 0
    for number, part in enumerate(_ENDS.split(text)):
        begin, start = start, start + len(part)
        if number % 2 or not part:
            continue  # the marks between sentences
        if _is_unmarked(part):
            plain = plain_words(part)
            if not plain or (wanted is not None and wanted.isdisjoint(plain)):
                continue
            if len(plain) < SENTENCE_WORDS and (not names or names.keys().isdisjoint(plain)):
                found.append(Sentence(part, begin, f" {' '.join(plain)} ", frozenset(plain)))
                continue
        words: list[tuple[str, int, int]] = []
        for match in _TOKEN.finditer(part):
            raw = match.group()
            first = raw[0]
            at, end = begin + match.start(), begin + match.end()
            if first == "<":
                words.append(("_" + raw[1:-1] + "_", at, end))
            elif first == "@" and len(raw) > 1:
                handles += 1
                low = raw[1:].lower()
                known = names.get(low)
                if known:
                    words.append((low, at, end))
                else:
                    own = low == "company" or (handles == 1 and low not in ("user", "customer") and "" not in names)
                    words.append(("OWN" if own else "OTHER", at, end))
            elif first == "#":
                for piece in _CAMEL.finditer(raw, 1):
                    words.append((_plain(piece.group()), at, end))
            else:
                words.append((_plain(raw), at, end))
            if len(words) >= SENTENCE_WORDS:
                found.append(_sentence(part, begin, _named(words, names)))
                words = []
        if words:
            found.append(_sentence(part, begin, _named(words, names)))
    return found


def _plain_sentences(
    text: str, names: Mapping[str, Sequence[tuple[tuple[str, ...], str]]], wanted: Set[str] | None
) -> list[Sentence] | None:
    """The same for a text of nothing but words and marks, a few times as fast; None where it has names, or a sentence
    that must be cut."""
    found: list[Sentence] = []
    edges: list[int] = []
    for number, part in enumerate(text.translate(_MARKED).split("\n")):
        words = [_short[word] for word in part.split()]
        if not words or (wanted is not None and wanted.isdisjoint(words)):
            continue
        if len(words) >= SENTENCE_WORDS or (names and not names.keys().isdisjoint(words)):
            return None
        if not edges:
            edges = [-1, *(mark.start() for mark in _END.finditer(text)), len(text)]
        begin = edges[number] + 1
        found.append(Sentence(text[begin : edges[number + 1]], begin, f" {' '.join(words)} ", frozenset(words)))
    return found


def _worded(part: str, begin: int) -> list[tuple[str, int, int]]:
    """The words of a part without handles, tags and names, with their places."""
    return [(_plain(one.group()), begin + one.start(), begin + one.end()) for one in _TOKEN.finditer(part)]


class _Shortened(dict[str, str]):
    """Words without letters drawn out; looked up for every word that is heard, so a plain dictionary, kept small."""

    def __missing__(self, word: str) -> str:
        if len(self) >= 50_000:
            self.clear()
        short = self[word] = _LONG.sub(r"\1", word[:WORD_LENGTH])
        return short


_short = _Shortened()


@lru_cache(maxsize=20_000)
def _plain(raw: str) -> str:
    low = raw.lower().replace("'", "").replace("’", "").replace("`", "")[:WORD_LENGTH]
    return _LONG.sub(r"\1", low)


def _named(
    words: list[tuple[str, int, int]], names: Mapping[str, Sequence[tuple[tuple[str, ...], str]]]
) -> list[tuple[str, int, int]]:
    if not names:
        return words
    out: list[tuple[str, int, int]] = []
    at = 0
    while at < len(words):
        for parts, symbol in names.get(words[at][0], ()):
            if parts == tuple(word for word, _, _ in words[at : at + len(parts)]):
                out.append((symbol, words[at][1], words[at + len(parts) - 1][2]))
                at += len(parts)
                break
        else:
            out.append(words[at])
            at += 1
    return out


def _sentence(part: str, begin: int, words: list[tuple[str, int, int]]) -> Sentence:
    line = " " + " ".join(word for word, _, _ in words) + " "
    return Sentence(part, begin, line, frozenset(word for word, _, _ in words), _places(words))


def _places(words: list[tuple[str, int, int]]) -> tuple[tuple[int, int, int], ...]:
    places: list[tuple[int, int, int]] = []
    at = 1
    for word, start, end in words:
        places.append((at, start, end))
        at += len(word) + 1
    return tuple(places)


def name_table(own: Iterable[str], rivals: Iterable[str]) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First word -> the names that begin with it, longest first. The empty key says that own names are known."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for symbol, group in (("RIVAL", rivals), ("OWN", own)):
        for name in group:
            parts = tuple(_PLAIN.findall(name.lower().replace("'", "").replace("’", "")))
            if parts:
                table.setdefault(parts[0], []).append((parts, symbol))
            if parts and symbol == "OWN":
                table[""] = []
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


def zh_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of Chinese sentences, without the marks that end them; a long one is cut at its commas."""
    spans: list[tuple[int, int]] = []
    at = 0
    for match in (*_ZH_END.finditer(text), None):
        end = match.start() if match else len(text)
        while end - at > 120:
            comma = _ZH_CLAUSE.search(text, at + 60, at + 120)
            cut = comma.start() if comma else at + 120
            spans.append((at, cut))
            at = comma.end() if comma else cut
        if end > at:
            spans.append((at, end))
        if match:
            at = match.end()
    return [trimmed for span in spans if (trimmed := _trim(text, *span))[0] < trimmed[1]]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] in "，,、：:"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "，,、：:"):
        end -= 1
    return start, end


def language(text: str, words: Sequence[str], locale: str | None, known: Mapping[str, frozenset[str]]) -> str | None:
    """ "en", "zh", or None for everything we were not made for: unknown is an answer, a guess is not.

    `known` holds the commonest small words of English and of its neighbours, from the rule files.
    """
    if not text.isascii():
        han = len(_HAN.findall(text))
        other = len(_OTHER_SCRIPT.findall(text))
        if other > 3 and other * 4 > han + len(words):
            return None
        if han and han * 2 >= len(words):
            return "zh"
    seen = set(words)
    english = len(seen & known["english"])
    foreign = len(seen & known["foreign"])
    if foreign > english:
        return None
    if english or not words:
        return "en" if words else None
    hint = (locale or "en").replace("_", "-").split("-")[0].lower()
    if hint != "en":
        return None
    return "en" if text.isascii() or not foreign else None
