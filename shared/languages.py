"""Which of the languages that we write in somebody reads."""

from __future__ import annotations

import re

_CHINESE = re.compile(r"\s*zh(?![a-z])", re.IGNORECASE)


def language_of(locale: str | None) -> str:
    """`zh` for any Chinese locale, or an Accept-Language that begins with one; else `en`."""
    return "zh" if locale and _CHINESE.match(locale) else "en"
