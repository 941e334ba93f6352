"""A refusal is an answer, not an accident: what the present state forbids, and what would be allowed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act was not done. `slug` names the kind of problem, `members` go into the answer as they are."""

    slug: str
    detail: str
    status: int = 409
    members: dict[str, Any] = field(default_factory=dict)

    def at(self, pointer: str, message: str) -> Refusal:
        """The same, saying which part of what was asked it is about (contract, section 2)."""
        return replace(self, members={**self.members, "errors": [{"pointer": pointer, "message": message}]})
