"""Is this a person's own answer, or a form letter? Own words about this matter are taken, however short.

Refused is what is nearly the text of an answer to *another* complaint, once everything that a template leaves open is
masked: numbers, dates, names, departments, greetings and signatures; and what says nothing but courtesy. A short text
is a copy only where it is the very same: "Refunded: 40 EUR." may be true of two customers, with another sum each.
The start was measured on official replies: of pairs with a ratio of 0.90 or above all were copies, of those between
0.70 and 0.80 five of six, below 0.65 half; 0.80 refuses copies and lets people who answer alike be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

#: a text this like an earlier one is a copy
COPY = 0.80
COURTESY_ALONE = "it is courtesy alone: nothing in it is about this customer's matter"
NAMES_DO_NOT_COUNT = "names, dates and numbers do not count as own words"
#: what is left of an answer without courtesy must be at least so long, in characters (a Chinese one counts for three)
_SPECIFIC = 24
#: less than this, and numbers, dates and names are what an answer consists of
_SHORT = 40
#: less than this is no answer at all
_A_WORD = 8

_GREETING = re.compile(
    r"^\s*(?:dear|hello|hi|good (?:morning|afternoon|evening))\b[^\n,.:;!，。：]{0,60}[,.:;!\n，]|"
    r"^\s*(?:尊敬的|亲爱的)?[^\n，。：,:]{0,30}(?:您好|你好|网友)[^\n，。：,:!！]{0,20}[，。：,:!！\s]",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"\n(?:--\n.*|(?:kind |best |warm )?regards\b.*|yours (?:sincerely|faithfully|truly)\b.*|sincerely\b.*)\Z|"
    r"(?:此致[\s\S]{0,4}敬礼|特此(?:回复|答复)|祝您?[^\n。]{0,20}[。！!]?)[\s\S]{0,60}\Z",
    re.IGNORECASE | re.DOTALL,
)
#: where a signature is looked for, from the end
_MOST_SIGNATURE = 300
_MASKED = (
    (re.compile(r"\b[CP]-[0-9A-Z]{4,10}\b"), " # "),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]+|https?://\S+"), " # "),
    (re.compile(r"\d{1,4}\s*[年月日号时点分]"), "#"),
    (
        re.compile(
            r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:january|february|march|april|june|july|august|"
            r"september|october|november|december)\b|\b(?:today|tomorrow|yesterday|tonight)\b",
            re.IGNORECASE,
        ),
        "#",
    ),
    (re.compile(r"[\d０-９][\d０-９.,:/%-]*"), "#"),
    (re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr)\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?"), " # "),
    (re.compile(r"[\u4e00-\u9fff]{2,4}(?:局|委员会|办公室|部门|分公司|街道办|中心)"), "#"),
)
_COURTESY = re.compile(
    "|".join(
        (
            r"thank(?:s| you)[^.!?;\n]{0,80}(?:feedback|patience|understanding|contacting|reaching out|letting us know|"
            r"bringing|message|comments?|time|loyalty|business)[^.!?;\n]{0,60}",
            r"(?:we|i) (?:really |truly |greatly |deeply |sincerely )*(?:value|appreciate)[^.!?;\n]{0,80}",
            r"(?:your|customer) (?:feedback|satisfaction|opinion|experience|concerns?|complaint|case)[^.!?;\n]{0,40}"
            r"(?:important|valued?|matters?|priority|noted|seriously|received|reviewed)[^.!?;\n]{0,40}",
            # sorry for something that has a name is not courtesy: what comes after it counts
            r"(?:we|i)?(?:'m| am| are|'re)? ?(?:very |so |truly |deeply |sincerely |really )*(?:sorry|apologi[sz]e)"
            r"(?: sincerely)?(?:[^.!?;,\n]{0,40}\b(?:inconvenience|experience|trouble|frustration|disappointment|"
            r"issues?)\b[^.!?;,\n]{0,40})?",
            r"(?:please )?accept (?:our|my) [^.!?;\n]{0,40}apolog[^.!?;\n]{0,60}",
            r"(?:we|i)(?:'ll| will| shall|'re| are)? (?:always )?(?:be )?look(?:ing)? into (?:it|this|the matter|your)"
            r"[^.!?;\n]{0,40}",
            r"(?:we|i) (?:always )?(?:strive|aim|endeavou?r|work hard|are committed)[^.!?;\n]{0,100}",
            r"(?:we|i) take[^.!?;\n]{0,40}seriously[^.!?;\n]{0,30}",
            r"(?:has|have|will be) (?:been )?(?:forwarded|passed on|escalated|shared|noted)[^.!?;\n]{0,80}",
            r"(?:someone|somebody|a member of [^.!?;,\n]{0,20}|our team|we) will (?:be in touch|contact you|"
            r"get back to you)[^.!?;\n]{0,40}",
            r"(?:please )?(?:do not hesitate|don't hesitate|feel free|let us know)[^.!?;\n]{0,80}",
            r"(?:we|i) (?:hope|look forward)[^.!?;\n]{0,80}",
            r"(?:感谢|谢谢)[^。！？\n]{0,40}(?:反馈|支持|理解|关注|监督|来信|留言|意见|建议)[^。！？\n]{0,20}",
            r"(?:非常|十分|深表|对此)?(?:抱歉|歉意)[^。！？\n]{0,30}",
            r"(?:给|为)?您?(?:带来|造成)[^。！？\n]{0,10}(?:不便|困扰)[^。！？\n]{0,20}",
            r"(?:我们|我司|公司)?(?:会|将|已)?(?:高度|非常)?重视[^。！？\n]{0,30}",
            r"(?:您|你|留言|来信|问题|意见|诉求)[^。！？\n]{0,20}(?:收悉|已阅|已收到|已记录|已知悉)[^。！？，,\n]{0,30}",
            # handed on, and nothing else (money that is sent back is another thing)
            r"(?:(?:您|你)[^。！？，\n]{0,16}，?)?(?:已|将)[^。！？，\n]{0,12}(?:移交|反馈[至给]|交由|转(?![入账款到院诊正]|给[您你]))"
            r"[^。！？\n]{0,40}",
            r"(?:我们|我司|我办|我局)?(?:将|会)[^。！？，\n]{0,6}(?:尽快|及时|积极|认真|迅速)[^。！？\n]{0,30}",
            r"(?:欢迎|如有)[^。！？\n]{0,40}(?:联系|来电|监督|疑问)[^。！？\n]{0,20}",
        )
    ),
    re.IGNORECASE,
)
_NOTHING = re.compile(r"[\W_#]+")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a text is like an earlier answer, from 0 to 1, and whether it may be sent; reasons in words."""

    value: float
    because: tuple[str, ...]
    acceptable: bool
    #: which of the earlier texts it is like, by its place; None where none is close
    like: int | None = None


def body(text: str) -> str:
    """What a person said, without what a form leaves open: no greeting, signature, numbers, dates, names."""
    text = _own(text)
    for pattern, mask in _MASKED:
        text = pattern.sub(mask, text)
    return _level(text)


def _own(text: str) -> str:
    lines = "\n".join(filter(None, (one.strip() for one in text.splitlines())))
    said = _GREETING.sub("", lines, count=1).strip()
    return said[:-_MOST_SIGNATURE] + _SIGNATURE.sub("", said[-_MOST_SIGNATURE:])


def _own_words(text: str) -> str:
    return _level(_own(text))


def _level(text: str) -> str:
    return " ".join(text.lower().split())


@lru_cache(maxsize=20_000)
def _masked(text: str) -> str:
    return body(text)


def _weight(text: str) -> int:
    plain = _NOTHING.sub("", text)
    return sum(3 if "\u4e00" <= letter <= "\u9fff" else 1 for letter in plain)


def _courtesy_alone(text: str, mine: str) -> bool:
    if _weight(mine) < _A_WORD:
        return True
    left, found = _COURTESY.subn(" ", _own(text))
    return found > 0 and _weight(left) < _SPECIFIC


def likeness(text: str, earlier: Sequence[str], names: Iterable[str] = ()) -> Likeness:
    """Compares an answer with earlier ones to other complaints. `names` of people in it are masked too."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "#")
    mine = body(text)
    if _courtesy_alone(text, mine):
        return Likeness(1.0, (COURTESY_ALONE,), False)
    found = process.extractOne(mine, [_masked(one) for one in earlier], scorer=fuzz.ratio, score_cutoff=50)
    if found is None:
        return Likeness(0.0, (), True)
    _, score, place = found
    value = round(score / 100, 3)
    short = _weight(mine) < _SHORT
    if value >= COPY and (not short or _own_words(text) in map(_own_words, earlier)):
        words = f"{round(score)} % of it is word for word an earlier answer to another complaint"
        return Likeness(value, (words, NAMES_DO_NOT_COUNT), False, place)
    return Likeness(value, (), True, place)
