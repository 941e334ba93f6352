"""Who somebody is that a tool knows by an address alone.

Ids travel in events, which hold no addresses: such a customer's id is a digest of the address, the same in every tool,
and the address is kept with the profile. Phone numbers are told apart by their digits, mail addresses by their letters.
"""

from __future__ import annotations

import hashlib
import re

from .shape import Customer

_SCHEMES = re.compile(r"(?:tel|sms|mailto|email|whatsapp|rcs|sips?):", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d ().-]{5,25}")


def by_address(address: str, name: str | None = None, locale: str | None = None) -> Customer:
    """The customer at a phone number or mail address, with or without `tel:`, `whatsapp:` and the like before it; an
    address of another kind is an id of the tool's."""
    bare = _SCHEMES.sub("", address.strip(), count=1)
    if "@" in bare:
        is_mail = not address.lower().startswith("sip")
        return Customer(_digest(bare.lower()), name, bare if is_mail else None, None, locale)
    if _PHONE.fullmatch(bare):
        digits = "".join(filter(str.isdigit, bare))
        return Customer(_digest(f"+{digits}"), name, None, bare, locale)
    return Customer(address.strip(), name, locale=locale)


def _digest(address: str) -> str:
    return f"addr-{hashlib.sha256(address.encode()).hexdigest()[:32]}"
