"""The same trouble again? The cause's code says so; Chinese texts can be compared; English gets a suggestion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from services.intake.signals import likeness
from services.intake.signals.cues import Finding
from services.intake.signals.door import Earlier, Repeat
from services.intake.signals.rarity import rarity
from services.intake.signals.text import LIMIT, plain_words

ZH_SAME = 0.24
ZH_OTHER = 0.10
#: what letters have in common that are about different things
_COURTESIES = re.compile(
    "尊敬的[^，。！：:,!\\n]{0,8}|[您你]好|大家好|[领导书记市长局长经理]{2,3}|我是|业主|居民|住户|市民|客服|谢谢您?|感谢|辛苦了?"
    "|(?:恳请|希望|请求?|盼望?|望)[^，。！,!\\n]{0,8}?(?:处理|解决|重视|回复|答复|关注|核实|查处)"
)
_FIRST = Repeat(False, 0.05, ("no earlier contact and nothing said of one",), None, None)
COMPARED = 20  # earlier contacts looked at, the latest first


def hear(
    text: str,
    language: str | None,
    cause: str | None,
    earlier: Sequence[Earlier],
    said: Sequence[Finding],
) -> Repeat:
    hint = max((one for one in said if one.cues), key=lambda one: one.points, default=None) if said else None
    quote = hint.quote if hint else None
    says = [f"{cue.says} (cue {cue.name})" for cue in hint.cues[:2]] if hint else []
    recent = sorted(earlier, key=lambda one: one.occurred_at, reverse=True)[:COMPARED] if earlier else ()
    for contact in recent:
        if cause is not None and contact.cause == cause:
            return Repeat(True, 0.95, ("the same cause as an earlier contact", *says), contact.contact_id, quote)
    if language is None:
        return Repeat(None, 0.5 if recent else 0.1, ("the language is not one we know",), None, quote)
    if not recent:
        if hint is None:
            return _FIRST
        return Repeat(None, 0.5, (*says, "but no earlier contact is known"), None, quote)
    mine = vector(text, language)
    compared = [(likeness.alike(mine, vector(one.text[:LIMIT], language)), one) for one in recent]
    score, nearest = max(compared, key=lambda pair: pair[0])
    if language == "zh":
        sure = min(0.97, 0.5 + (score - ZH_SAME) * 1.5) if score >= ZH_SAME else 0.5 * score / ZH_SAME
        if score >= ZH_SAME:
            return Repeat(
                True, round(sure, 3), ("its words are those of an earlier contact", *says), nearest.contact_id, quote
            )
        return Repeat(
            None if hint and score >= ZH_OTHER else False,
            round(sure, 3),
            ("earlier contacts are about something else", *says),
            None,
            quote,
        )
    # English: likeness of texts hardly tells the same trouble from another one, so nothing is decided by it
    sure = min(0.8, 0.35 + score + (0.2 if hint else 0.0))
    if hint is None and score < 0.05:
        return Repeat(None, round(min(sure, 0.35), 3), ("an earlier contact is there, with other words",), None, None)
    return Repeat(
        None,
        round(sure, 3),
        ("perhaps the same as an earlier contact: to be confirmed", *says),
        nearest.contact_id,
        quote,
    )


def vector(text: str, language: str) -> likeness.Vector:
    if language == "zh":
        return rarity(language).weigh(likeness.characters(_COURTESIES.sub(" ", text)))
    return rarity(language).weigh(Counter(plain_words(text)))
