"""Is this a person's own answer, or a form letter? Own words about this matter are taken, however short.

Refused is, in words:

* what is nearly the text of an answer to *another* complaint, once everything that a form leaves open is masked
  (`masks`): as a whole (at least 0.80 alike), or sentence by sentence (at least 0.80 of a longer text stands in one
  earlier answer, in whatever order). Courtesy is left out of the comparison: two people may say sorry alike, and a
  new frame around old words makes no new answer; texts close without it (0.70) are compared with it too.
* what says nothing but courtesy (`courtesy`), and a template in which a place is still to be filled in.

A short text is a copy only where it is the very same: "Refunded: 40 EUR." may be true of two customers, with another
sum each. The same words again in the same complaint are consistency, and are not compared at all.
The measurements are printed by `python -m services.escalation.canned.evaluate`; DECISIONS has them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from services.escalation.canned import courtesy
from services.escalation.canned.masks import body, level, masked, own, seen, unfilled, unnamed

#: a text this like an earlier one is a copy
COPY = 0.80
COURTESY_ALONE = "it is courtesy alone: nothing in it is about this customer's matter"
UNFILLED = "a place that was to be filled in is still open: it is a template"
NAMES_DO_NOT_COUNT = "names, dates and numbers do not count as own words"
#: from here on the whole texts are compared too, courtesy and all
_CLOSE = 0.70
#: less than this, and numbers, dates and names are what an answer consists of
_SHORT = 40
#: from here on the sentences of a text are looked for one by one
_LONG = 90
#: sentences this alike are the same
_SAME = 0.88
#: less than this is no answer at all
_A_WORD = 8
#: sentences, and what commas part in them
_SENTENCE = re.compile(r"[^.!?;,。！？；，\n]+")
_SPACES = re.compile(r"[\W_]+")
_CHINESE = re.compile("[\u4e00-\u9fff]")
#: how long the pieces of a sketch are, and how many it has
_SIGNS, _LETTERS, _PIECES = 4, 9, 24


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a text is like an earlier answer, from 0 to 1, and whether it may be sent; reasons in words."""

    value: float
    because: tuple[str, ...]
    acceptable: bool
    #: which of the earlier texts it is like, by its place; None where none is close
    like: int | None = None


@lru_cache(maxsize=20_000)
def core(text: str) -> str:
    """What answers are compared by: masked, and without courtesy. Nothing is left of what is courtesy alone."""
    return level(masked(courtesy.without(own(text))))


def likeness(text: str, earlier: Sequence[str], names: Iterable[str] = ()) -> Likeness:
    """Compares an answer with earlier ones to other complaints. `names` of people in it are masked too."""
    text = seen(text)
    if courtesy.weight(own(text)) < _A_WORD or courtesy.alone(text):
        return Likeness(1.0, (COURTESY_ALONE,), False)
    if unfilled(text):
        return Likeness(1.0, (UNFILLED,), False)
    nameless = unnamed(text, names)
    mine = core(nameless)
    found = process.extractOne(mine, [core(one) for one in earlier], scorer=fuzz.ratio, score_cutoff=30)
    if found is None:
        return Likeness(0.0, (), True)
    _, score, place = found
    value, least = score / 100, COPY
    if _CLOSE <= value < COPY:
        # with its courtesy it may be nearer: the same letter, a sentence of it taken for courtesy in one of the two
        value = max(value, fuzz.ratio(body(nameless), body(earlier[place])) / 100)
    if courtesy.weight(mine) >= _LONG and value < COPY:
        value, place = max((value, place), _sentences(mine, earlier))
    if courtesy.weight(mine) < _SHORT:
        plain = level(own(text))
        value, place = max((fuzz.ratio(plain, level(own(one))) / 100, -at) for at, one in enumerate(earlier))
        least, place = 1.0, -place
    value = round(value, 3)
    if value >= least:
        words = f"{round(100 * value)} % of it is word for word an earlier answer to another complaint"
        return Likeness(value, (words, NAMES_DO_NOT_COUNT), False, place)
    return Likeness(value, (), True, place)


def alike(text: str, earlier: Sequence[str]) -> Likeness:
    """Compares whole texts, courtesy and all: a promise that "it will not happen again" is one, said twice."""
    found = process.extractOne(body(text), [body(one) for one in earlier], scorer=fuzz.ratio, score_cutoff=30)
    if found is None:
        return Likeness(0.0, (), True)
    _, score, place = found
    value = round(score / 100, 3)
    if value < COPY:
        return Likeness(value, (), True, place)
    return Likeness(value, (f"{round(score)} % of it is word for word what was said before",), False, place)


def refused_for(found: Likeness, earlier: Sequence[str]) -> str:
    """The earlier text that a refused one is like, without the names, dates and numbers of another customer; empty
    where there is none."""
    return "" if found.acceptable or found.like is None else masked(own(earlier[found.like]))


def sketch(text: str, names: Iterable[str] = ()) -> list[str]:
    """The smallest hashes of the pieces a text is made of: by these an earlier answer of any age is found again.

    Two texts that are 0.80 alike share most of their pieces, and so at least one of the smallest but for a freak;
    texts that share none are not compared.
    """
    said = _SPACES.sub("", core(unnamed(seen(text), names))) or level(own(text))
    size = _SIGNS if _CHINESE.search(said) else _LETTERS
    pieces = {said[at : at + size] for at in range(max(len(said) - size + 1, 1))}
    return [f"{one:x}" for one in sorted({_mixed(piece) for piece in pieces})[:_PIECES]]


def _mixed(piece: str) -> int:
    # the order of checksums follows the text; multiplied it follows nothing, and the smallest are a fair sample
    return zlib.crc32(piece.encode()) * 0x9E3779B1 & 0xFFFFFFFF


def _sentences(mine: str, earlier: Sequence[str]) -> tuple[float, int]:
    """The share of a text whose sentences stand in one earlier answer, and which."""
    parts = [(part, courtesy.weight(part)) for part in _SENTENCE.findall(mine)]
    parts = [(part, heavy) for part, heavy in parts if heavy]
    whole = sum(heavy for _, heavy in parts)
    best = (0.0, 0)
    close = process.extract(mine, [core(one) for one in earlier], scorer=fuzz.ratio, score_cutoff=30, limit=20)
    for text, _, place in close:
        theirs = [part for part in _SENTENCE.findall(text) if courtesy.weight(part)]
        same = sum(
            heavy
            for part, heavy in parts
            if process.extractOne(part, theirs, scorer=fuzz.ratio, score_cutoff=100 * _SAME) is not None
        )
        best = max(best, (same / whole, place))
    return best
