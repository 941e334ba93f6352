"""A mail before it has a form: paragraphs, quotes, facts, lists, a link, a code.

The subject holds references, times and names of the company's own people: never a word of the customer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.escalation.mail.phrases import PHRASES
from services.escalation.mail.plain import sentence


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a letter. `lines` of facts are (name, value) pairs, of a link (label, address)."""

    kind: Literal["text", "head", "quote", "facts", "list", "link", "code", "marker"]
    text: str = ""
    lines: tuple[Any, ...] = ()


@dataclass(slots=True)
class Letter:
    """A mail before it has a form."""

    language: str
    subject: str
    blocks: list[Block] = field(default_factory=list)
    footer: str = ""
    #: what a list of mails shows of it besides the subject
    preview: str = ""

    def say(self, name: str, /, **values: Any) -> str:
        """A sentence in the letter's language. Values are of one line, whoever wrote them."""
        return sentence(PHRASES, self.language, name, **values)

    def add(self, kind: Any, text: str = "", lines: Sequence[Any] = ()) -> None:
        """One more part."""
        self.blocks.append(Block(kind, text, tuple(lines)))
