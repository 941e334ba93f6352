"""Ids for people whom a tool knows by an address alone: events carry ids, and no address may stand in one."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from .shape import Customer

#: what stands instead of a number that the caller keeps to themselves
_WITHHELD: Final = frozenset(
    {"anonymous", "restricted", "blocked", "private", "unknown", "unavailable", "withheld", "null"}
    # Twilio's: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, typed on a telephone
    | {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
)
_SCHEMES = re.compile(r"(?:tel|sms|mailto|email|whatsapp|rcs|sips?):", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d ().-]{5,25}")


def by_mail(address: str) -> str:
    """An id for whoever writes from a mail address, however it is capitalized."""
    return f"mail-{_pseudonym(address.strip().lower())}"


def by_phone(number: str) -> str:
    """An id for whoever calls or writes from a telephone number."""
    return f"phone-{_pseudonym(''.join(letter for letter in number if letter.isdigit() or letter == '+'))}"


def by_name(name: str) -> str:
    """An id for somebody of whom a tool tells the name alone."""
    return f"name-{_pseudonym(' '.join(name.split()).lower())}"


def by_address(address: str, name: str | None = None, locale: str | None = None) -> Customer:
    """The customer at a phone number or mail address, with or without `tel:`, `whatsapp:` and the like before it; an
    address of another kind is an id of the tool's."""
    bare = _SCHEMES.sub("", address.strip(), count=1)
    if "@" in bare:
        is_mail = ":" not in bare and not address.lower().startswith("sip")
        return Customer(by_mail(bare), name, bare if is_mail else None, None, locale)
    if _PHONE.fullmatch(bare):
        return Customer(by_phone(bare), name, None, bare, locale)
    return Customer(address.strip(), name, locale=locale)


def by_caller(address: str | None, name: str | None = None) -> Customer | None:
    """The same; None where the address is withheld, and so nobody's: then each call is of somebody else."""
    bare = _SCHEMES.sub("", (address or "").strip(), count=1).lower()
    if address is None or not bare or bare in _WITHHELD or bare.partition("@")[0] in _WITHHELD:
        return None
    return by_address(address, name)


def by_own_id(own: str | None) -> str | None:
    """An id that the company itself has given the tool; where that is a mail address, an id for the address."""
    return by_mail(own) if own and "@" in own else own


def _pseudonym(text: str) -> str:
    return hashlib.sha256(f"complaint-loop:{text}".encode()).hexdigest()[:24]


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name, as far as they are known."""
    return " ".join(part for part in (first, last) if part) or None
