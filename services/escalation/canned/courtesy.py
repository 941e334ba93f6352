"""What an answer says besides courtesy.

Taken away are thanks, regrets, receipts ("your message has been received"), handing on ("forwarded to the department"),
looking into it, striving, reassurance ("it will not happen again" without a word of how), offers to get in touch, and
the frame around them. What is left must hold something of this customer's matter. A piece that names money, a time by
the clock or a deed that is done is no courtesy, whatever it begins with.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from services.escalation.canned.masks import MASK, level, numbered, own

#: what must be left, in letters (a Chinese sign counts for three), words of any form letter not counted
SPECIFIC: Final = 8
#: what one deed or sum counts for, and one number or date: "Sorry. Refunded." is an answer, a case number is none
_DEED: Final = 14
_NUMBER: Final = 4

#: deeds that are done, and sums
_EVIDENCE = re.compile(
    r"\b(?:refunded|reimbursed|credited|repaid|replaced|repaired|mended|fixed|reconnected|restored|reinstated|waived|"
    r"cancelled|canceled|resent|re-sent|delivered|collected|installed|corrected|removed|unlocked|unblocked|rebooked|"
    r"upgraded|paid back|taken off|switched off|sent (?:you|back|out)|compensat\w+ of|dismissed|suspended)\b|"
    r"(?:[$€£¥￥]|\b(?:usd|eur|gbp|cny|rmb)\s?)\d|\d[\d.,]*\s?(?:usd|eur|gbp|cny|rmb|euros?|dollars?|pounds?|yuan|元|块)|"
    r"\b\d{1,2}(?::\d\d|\s?[ap]m)\b|\bat (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon)\b|"
    r"退款|退[还回]|退了|退您|到账|赔[付偿给]|补发|补偿|补寄|返还|换[了新好]|更换|修[好复]|已修|疏通|恢复|修正|更正|拆除|扣罚|处罚|"
    r"罚款|辞退|停职|开除|已撤销|已解除|已开通|已安装|送到|上门|免除|减免|抵扣|列入|纳入|竣工|完工|整改到位|整改完毕|责令",
    re.IGNORECASE,
)

#: in a pattern `<40>` is the rest of a clause, up to 40 signs
_REST = {"en": r"[^.!?;。！？；\n]", "zh": r"[^。！？!?；;，,\n]"}
_SCRIPT = {"en": re.compile("[A-Za-z]{2}"), "zh": re.compile("[\u4e00-\u9fff]")}


def _read(language: str) -> re.Pattern[str]:
    """The patterns of a language: one a line; a longer one goes on in lines that begin with blanks."""
    text = (Path(__file__).parent / f"courtesy.{language}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\n  ", "").replace("\n", "|")
    return re.compile(re.sub(r"<(\d+)>", lambda n: f"{_REST[language]}{{0,{n[1]}}}", joined), re.IGNORECASE)


_PATTERNS = tuple((script, _read(language)) for language, script in _SCRIPT.items())


def _words(language: str) -> list[str]:
    text = (Path(__file__).parent / f"generic.{language}.txt").read_text(encoding="utf-8")
    return [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]


def _generic() -> re.Pattern[str]:
    """Words that fill an answer without saying anything."""
    english = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in _words("en"))
    chinese = "|".join(sorted(_words("zh"), key=len, reverse=True))
    return re.compile(rf"\b(?:{english})\b|{chinese}", re.IGNORECASE)


_GENERIC = _generic()
_NOTHING = re.compile(r"[\W_#]+")


def weight(text: str) -> int:
    """How much a text says, in letters; a Chinese sign counts for three."""
    plain = _NOTHING.sub("", text)
    return sum(3 if "\u4e00" <= letter <= "\u9fff" else 1 for letter in plain)


def without(text: str) -> str:
    """A text without what is courtesy."""

    def take(match: re.Match[str]) -> str:
        return match.group() if _EVIDENCE.search(match.group()) else " "

    for script, patterns in _PATTERNS:
        if script.search(text):
            text = patterns.sub(take, text)
    return text


def alone(text: str) -> bool:
    """Whether nothing but courtesy is in it."""
    left = without(own(text))
    said = _GENERIC.sub(" ", level(numbered(left)))
    deeds = len(_EVIDENCE.findall(left))
    return weight(said) + _DEED * deeds + _NUMBER * min(said.count(MASK), 2) < SPECIFIC
