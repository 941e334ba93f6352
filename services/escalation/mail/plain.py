"""What customers and others wrote, made fit to stand in a mail or on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping

# control characters but line breaks and tabs, and marks that turn the reading direction of what follows around
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_BREAK = re.compile("\r\n|[\r\x85\u2028\u2029]")


def clean(text: str) -> str:
    """Text for people: no control characters, no direction overrides, line breaks as one kind."""
    return _UNSEEN.sub("", _BREAK.sub("\n", text))


def line(text: object) -> str:
    """The same in one line: nobody's name or cause can begin a line of its own, and so look like one of ours."""
    return " ".join(clean(str(text)).split())


def shortened(text: str, most: int) -> str:
    """At most so many code points of it, and a sign where something is left out."""
    return text if len(text) <= most else text[:most] + " […]"


def sentence(phrases: Mapping[str, Mapping[str, str]], language: str, name: str, /, **values: object) -> str:
    """A sentence in a language. Values are of one line, whoever wrote them."""
    return phrases[language][name].format(**{key: line(value) for key, value in values.items()})
