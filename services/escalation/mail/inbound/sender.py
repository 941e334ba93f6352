"""Who sent it, as far as the mail server in front of us has checked: its Authentication-Results (RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.utils import getaddresses

from shared.fields import is_email

_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_RESULT = re.compile(r"([a-z0-9-]+)(?:/\d+)?=([a-z]+)", re.ASCII)
_PROPERTY = re.compile(r"(header|smtp|body|policy)\.([a-z0-9-]+)=(\"[^\"]*\"|[^\s;]+)", re.ASCII)
#: headers of a stranger that are looked at, and how much of each
_MOST_HEADERS, _MOST_TEXT = 20, 4_000
_MOST_DEPTH = 8


def author(headers: Sequence[str]) -> str | None:
    """The one address in the one From header; None for anything else."""
    if len(headers) != 1 or len(headers[0]) > _MOST_TEXT:
        return None
    found = getaddresses([headers[0]])
    if len(found) != 1 or not is_email(found[0][1]):
        return None
    return found[0][1].lower()


def is_aligned(address: str, results: Sequence[str], host: str) -> bool:
    """Whether the mail server `host` says that a mail from `address` comes from its domain.

    DMARC decides where the host tells of it; else a DKIM signature or SPF whose domain is aligned. What the host says
    twice, and not the same, is not believed.
    """
    domain = address.rpartition("@")[2].lower()
    verdicts: dict[str, list[bool]] = {"dmarc": [], "dkim": [], "spf": []}
    for method, result, properties in _told_by(results, host):
        if method == "dmarc":
            if result != "none":
                verdicts["dmarc"].append(result == "pass" and properties.get("header.from", "").lower() == domain)
        elif method == "dkim" and result == "pass":
            signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
            verdicts["dkim"].append(_same_house(signer, domain))
        elif method == "spf":
            envelope = properties.get("smtp.mailfrom", "").rpartition("@")[2]
            verdicts["spf"].append(result == "pass" and _same_house(envelope, domain))
    if verdicts["dmarc"]:
        return all(verdicts["dmarc"])
    return any(verdicts["dkim"]) or (bool(verdicts["spf"]) and all(verdicts["spf"]))


def _told_by(results: Sequence[str], host: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for header in results[:_MOST_HEADERS]:
        text = _without_comments(header)
        name, *parts = text.split(";")
        # an authserv-id may be followed by a version
        if (name.split() or [""])[0].strip('"').lower() != host.lower():
            continue
        for part in parts:
            found = _RESULT.match(part.strip().lower())
            if found is None:
                continue
            properties = {
                f"{kind}.{what}": value.strip('"').lower() for kind, what, value in _PROPERTY.findall(part.lower())
            }
            yield found[1], found[2], properties


def _without_comments(text: str) -> str:
    """Comments may stand in comments, but nobody sensible goes deep: what is left then names no host."""
    text = text[:_MOST_TEXT]
    for _ in range(_MOST_DEPTH):
        if (less := _COMMENT.sub(" ", text)) == text:
            return text
        text = less
    return ""


def _same_house(one: str, other: str) -> bool:
    """Relaxed alignment: the same domain, or one below the other."""
    one, other = one.lower().strip("."), other.lower()
    if "." not in one and one != other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
