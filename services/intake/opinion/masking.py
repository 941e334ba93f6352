"""What of a text may leave the house: everything by which somebody could be known is put behind a mask first.

What is known of customer and agents is looked for as it is known, and what looks like an address, a number, a code or a
name is masked whoever it belongs to. Rather too much than too little: what is asked is how somebody speaks. A masked
text is looked through once more, and what is known and still stands in it keeps it at home.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .shapes import HAN, SHAPES

#: what may stand within a word unseen: joiners, soft hyphens, accents
_UNSEEN = "[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufeff]*"
#: what may stand between the parts of a name, a number or an address
_BETWEEN = r"[\s.,'’_\-/()+]{0,3}" + _UNSEEN
#: names that are words as well: masked only where they are written as names
_WORDS = frozenset((
    "art", "bank", "best", "bill", "brown", "case", "chance", "chip", "christian", "cook", "dawn", "day",
    "drew", "early", "faith", "fast", "forest", "frank", "gay", "good", "grace", "grant", "guy", "hall",
    "hand", "harmony", "hill", "hope", "jack", "joy", "junior", "just", "king", "lane", "lee", "long", "love",
    "major", "mark", "mason", "may", "merry", "miles", "mills", "nick", "noble", "page", "park", "pat",
    "penny", "price", "rich", "rob", "rose", "rust", "sandy", "sky", "sue", "summer", "sunny", "trip", "van",
    "victor", "walker", "wall", "west", "white", "will", "winter", "wood", "woods", "young",
))  # fmt: skip
#: as a mask looks
MASK: Final = re.compile("<[a-z]+>")
_WORD = re.compile(r"[^\W\d_]+")
_TITLES = "先生|女士|小姐|太太|经理|老师|师傅|主管|总"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the people in a text: their names, and as `words` ids, addresses and whatever else is kept."""

    names: Sequence[str] = ()
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text; `pieces` says where its stretches come from: (start here, end here, start there, end there)."""

    text: str
    pieces: tuple[tuple[int, int, int, int, bool], ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original behind text[start:end]; of what is masked, all of it."""
        first = next(one for one in self.pieces if start < one[1])
        last = next(one for one in reversed(self.pieces) if end > one[0])
        begin = first[2] if first[4] else first[2] + max(0, start - first[0])
        return begin, last[3] if last[4] else last[2] + end - last[0]


def folded(text: str) -> str:
    """The same text, letter for letter, in plain form: no accents, no wide letters."""
    return "".join((unicodedata.normalize("NFKD", letter) or letter)[0] for letter in text)


def mask(text: str, known: Known) -> Masked:
    """The text with masks; every mask is a word between angle brackets."""
    plain = folded(text)
    spans = [(*one.span(), label) for label, pattern in _known_patterns(known) for one in pattern.finditer(plain)]
    for label, pattern, group in SHAPES:
        spans += [(*one.span(group), label) for one in pattern.finditer(plain)]
    out: list[str] = []
    pieces: list[tuple[int, int, int, int, bool]] = []
    at = length = 0
    for start, end, label in [*_joined(spans), (len(text), len(text), "")]:
        for stretch, begin, stop, hidden in ((text[at:start], at, start, False), (f"<{label}>", start, end, True)):
            if stop > begin:
                pieces.append((length, length + len(stretch), begin, stop, hidden))
                out.append(stretch)
                length += len(stretch)
        at = end
    return Masked("".join(out), tuple(pieces))


def leaks(masked: str, known: Known) -> bool:
    """Whether something that is known still stands in a masked text, however it is spaced."""
    bare = _bare(masked)
    whole = [_bare(one) for one in (*known.names, *known.words)]
    return any(len(one) >= (2 if HAN.search(one) else 5) and one in bare for one in whole)


def _bare(text: str) -> str:
    return "".join(letter for letter in folded(text).lower() if letter.isalnum())


def _joined(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans in order, those that touch or overlap as one, by the name of the longest."""
    joined: list[tuple[int, int, str, int]] = []
    for start, end, label in sorted(one for one in spans if one[1] > one[0]):
        if joined and start < joined[-1][1]:
            begin, stop, name, size = joined[-1]
            longer = end - start > size
            joined[-1] = (begin, max(stop, end), label if longer else name, max(size, end - start))
        else:
            joined.append((start, end, label, end - start))
    return [one[:3] for one in joined]


def _known_patterns(known: Known) -> list[tuple[str, re.Pattern[str]]]:
    found: dict[tuple[str, str, int], None] = {}
    for name in known.names:
        plain = folded(name).strip()
        if HAN.search(plain):
            for one in {plain, plain[1:]}:
                if len(one) > 1:
                    found["name", _spaced(one), 0] = None
            found["name", f"{re.escape(plain[0])}[\u3400-\u9fff]{{0,2}}(?:{_TITLES})", 0] = None
        parts = [one for one in _WORD.findall(plain) if one.isascii() or not HAN.search(one)]
        # all of it, and what has an apostrophe in it: O'Toole may be written OToole
        for several in (parts, *(_WORD.findall(one) for one in re.split(r"[\s-]+", plain) if not HAN.search(one))):
            if len(several) > 1:
                found["name", _bounded(_BETWEEN.join(_spaced(one) for one in several)), re.IGNORECASE] = None
        for part in parts:
            if len(part) > 1:
                flags = 0 if part.lower() in _WORDS else re.IGNORECASE
                found["name", _bounded(_spaced(part)), flags] = None
    for word in known.words:
        bits = re.findall(r"[^\W_]+", folded(word))
        if sum(map(len, bits)) > 1:
            found["known", _bounded(_BETWEEN.join(_spaced(one) for one in bits)), re.IGNORECASE] = None
    return [(label, re.compile(pattern, flags)) for label, pattern, flags in found]


def _spaced(word: str) -> str:
    return _UNSEEN.join(re.escape(letter) for letter in word)


def _bounded(pattern: str) -> str:
    # Chinese has no spaces between words: what is known may stand between its letters
    return rf"(?<![^\W_\u3400-\u9fff]){pattern}(?![^\W_\u3400-\u9fff])"
