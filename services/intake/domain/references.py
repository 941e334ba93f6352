"""Which complaints a text names: references as ownership writes them, C- and Crockford's base 32."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMED = re.compile(r"(?<![0-9A-Z-])C-[0-9A-HJKMNP-TV-Z]{5,12}(?![0-9A-Z-])", re.ASCII)
#: who names more than these names none in particular
_MOST = 10


def references_in(texts: Iterable[str | None]) -> tuple[str, ...]:
    """References in order of mention, each once, in upper case however they were typed."""
    found: dict[str, None] = {}
    for text in texts:
        if text and ("C-" in text or "c-" in text):
            found.update(dict.fromkeys(_NAMED.findall(text.upper())))
    return tuple(found)[:_MOST]
