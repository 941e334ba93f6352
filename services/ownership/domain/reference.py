"""References that people read to each other: Crockford's base 32 has no I, L, O or U."""

from __future__ import annotations

import hashlib
import re

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WRITTEN = re.compile(rf"C-[{_LETTERS}]{{5,12}}", re.ASCII)

#: characters of each attempt: short while few are taken, longer where a short one is
LENGTHS = (5, 6, 8)


def candidates(complaint_id: str) -> tuple[str, ...]:
    """The references that a complaint may have, in order of preference; the first that is free is its own."""
    digest = hashlib.blake2b(complaint_id.encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "big")
    found = []
    for length in LENGTHS:
        letters = []
        for _ in range(length):
            number, digit = divmod(number, 32)
            letters.append(_LETTERS[digit])
        found.append("C-" + "".join(letters))
    return tuple(found)


def as_reference(text: str) -> str | None:
    """A reference as it is stored, from what somebody typed; None if it cannot be one."""
    upper = text.upper()
    return upper if _WRITTEN.fullmatch(upper) else None
