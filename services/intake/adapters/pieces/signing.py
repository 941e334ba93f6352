"""Signatures and secrets: made, compared in constant time, and too old ones refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from .shape import GENUINE, TOLERANCE, Endpoint, Genuine, Refused, Request, Verdict

_WRONG = Refused("The signature is missing or wrong.")
_OLD = Refused("The signed time is too far from ours.")
_NO_SECRET = Refused("The secret is missing or wrong.")


def mac(secret: str | bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    """HMAC of a message."""
    return hmac.digest(secret if isinstance(secret, bytes) else secret.encode(), message, algorithm)


def in_base64(raw: bytes) -> str:
    """Base 64 with padding."""
    return base64.b64encode(raw).decode()


def same(given: str, expected: str) -> bool:
    """Compares in constant time; what is empty is never the same."""
    return bool(given) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def signed(given: str | Iterable[str], expected: str | Iterable[str]) -> Verdict:
    """Genuine where one of the signatures given is one of those expected."""
    theirs = [given] if isinstance(given, str) else list(given)
    ours = [expected] if isinstance(expected, str) else list(expected)
    found = [same(one, other) for one in theirs for other in ours]
    return GENUINE if any(found) else _WRONG


def in_time(sent_at: datetime | None, endpoint: Endpoint, now: datetime, most: timedelta = TOLERANCE) -> Verdict:
    """Genuine where a signed time is at most `most` (or the endpoint's tolerance) from now, into either direction."""
    if sent_at is None:
        return Refused("The signed time is missing or unreadable.")
    return GENUINE if abs(now - sent_at) <= (most if endpoint.tolerance is None else endpoint.tolerance) else _OLD


def seconds(text: str) -> datetime | None:
    """An instant from seconds since 1970, as text; None if it is none."""
    return _since_1970(text, 1)


def milliseconds(text: str) -> datetime | None:
    """An instant from milliseconds since 1970, as text; None if it is none."""
    return _since_1970(text, 1000)


def _since_1970(text: str, per_second: int) -> datetime | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return None
    try:
        return datetime.fromtimestamp(int(text) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def all_of(*verdicts: Verdict) -> Verdict:
    """The first that is not genuine, else genuine."""
    return next((one for one in verdicts if not isinstance(one, Genuine)), GENUINE)


def carried(request: Request, endpoint: Endpoint, now: datetime | None = None) -> Verdict:
    """The `verify` of tools that cannot sign: the secret itself, as X-Api-Key, Bearer, Basic password, or ?key=."""
    given = [request.header("x-api-key"), request.parameter("key")]
    scheme, _, credentials = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer":
        given.append(credentials.strip())
    elif scheme.lower() == "basic":
        given.append(_password(credentials.strip()))
    found = [same(one, endpoint.secret) for one in given]
    return GENUINE if any(found) else _NO_SECRET


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def digest(*parts: str | bytes) -> str:
    """An identity for deliveries that have none: a hash of what was sent."""
    found = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
        found.update(len(raw).to_bytes(8, "big") + raw)
    return found.hexdigest()
