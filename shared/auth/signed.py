"""Signed things: tokens between services, links for people, browser sessions.

All are HMAC-SHA256 under a key derived from the installation's secret and the purpose, so that a token made for one
purpose means nothing to another.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

SERVICE_TOKEN_SECONDS = 300
SESSION_SECONDS = 12 * 3600
SESSION_COOKIE = "cl_session"

_SERVICE_TOKEN = re.compile(r"cls_([a-z][a-z-]{0,30})_([0-9]{10,11})_([0-9a-f]{64})", re.ASCII)
#: how far apart the clocks of two services may be
_SKEW_SECONDS = 30


def _mac(secret: str, purpose: str, message: bytes) -> bytes:
    if not secret:
        raise ValueError("no secret key is set")
    derived = hmac.digest(secret.encode(), b"complaint-loop:" + purpose.encode(), "sha256")
    return hmac.digest(derived, message, "sha256")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unbase64url(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)


def sign(secret: str, purpose: str, payload: Sequence[str], expires_at: datetime) -> str:
    """A token for links: `payload` is readable, cannot be changed, and counts for `purpose` until `expires_at`."""
    body = orjson.dumps([int(expires_at.timestamp()), *payload])
    return f"{_base64url(body)}.{_base64url(_mac(secret, purpose, body)[:18])}"


def verify(secret: str, purpose: str, token: str, now: datetime) -> list[str] | None:
    """The payload of a token made by `sign` for the same purpose; None if it is forged, damaged or expired."""
    if not secret or len(token) > 4096:
        return None
    head, _, tail = token.partition(".")
    try:
        body = _unbase64url(head)
        genuine = hmac.compare_digest(_base64url(_mac(secret, purpose, body)[:18]).encode(), tail.encode())
    except ValueError:
        return None
    # the text too must be ours to the letter: base64 has spare bits, and one token has one spelling
    if not genuine or _base64url(body) != head:
        return None
    expires, *payload = orjson.loads(body)
    return payload if now.timestamp() < expires else None


def service_token(secret_key: str, service: str, now: datetime) -> str:
    """A token with which one service asks another (scope `service`), good for five minutes."""
    expiry = int(now.timestamp()) + SERVICE_TOKEN_SECONDS
    return f"cls_{service}_{expiry}_{_mac(secret_key, 'service', f'{service} {expiry}'.encode()).hex()}"


def verify_service_token(secret_key: str, token: str, now: datetime) -> str | None:
    """The service that a token speaks for; None if it is forged, expired or made to last longer than allowed."""
    match = _SERVICE_TOKEN.fullmatch(token)
    if match is None or not secret_key:
        return None
    service, expiry, signature = match[1], int(match[2]), match[3]
    expected = _mac(secret_key, "service", f"{service} {expiry}".encode()).hex()
    left = expiry - now.timestamp()
    genuine = hmac.compare_digest(expected, signature)
    return service if genuine and 0 < left <= SERVICE_TOKEN_SECONDS + _SKEW_SECONDS else None


def sign_in_token(secret_key: str, name: str, now: datetime, seconds: int = SESSION_SECONDS) -> str:
    """What a sign-in link carries; opening the link starts a session as supervisor `name`."""
    return sign(secret_key, "sign-in", [name], now + timedelta(seconds=seconds))


def verify_sign_in(secret_key: str, token: str, now: datetime) -> str | None:
    """The name in a sign-in token; None if it is not good."""
    payload = verify(secret_key, "sign-in", token, now)
    return payload[0] if payload else None


def session_cookie(
    secret_key: str, name: str, now: datetime, *, secure: bool, seconds: int = SESSION_SECONDS
) -> dict[str, Any]:
    """Arguments for `response.set_cookie(**…)`: a signed session of supervisor `name`; `secure` behind https."""
    return {
        "key": SESSION_COOKIE,
        "value": sign(secret_key, "session", [name], now + timedelta(seconds=seconds)),
        "max_age": seconds,
        "path": "/",
        "httponly": True,
        "samesite": "lax",
        "secure": secure,
    }


def verify_session(secret_key: str, token: str, now: datetime) -> str | None:
    """The supervisor's name in a session cookie; None if it is not good."""
    payload = verify(secret_key, "session", token, now)
    return payload[0] if payload else None
