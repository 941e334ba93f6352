"""AWS Signature Version 4 of a request without a body: who asks, in headers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from .signing import mac

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; `session_token` belongs to those that are temporary."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def signed_headers(
    url: str, credentials: Credentials, region: str, service: str, now: datetime, method: str = "GET"
) -> Mapping[str, str]:
    """The headers with which AWS takes a request to `url`, which is as it is sent, for five minutes from `now`."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    headers = {"x-amz-date": stamp}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names, canonical = _canonical(method, url, headers)
    told = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = mac(key, part.encode())
    signature = mac(key, told.encode()).hex()
    credential = f"{credentials.key_id}/{scope}"
    authorization = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": authorization}


def _canonical(method: str, url: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """The names of the headers that are signed, and the request as it is signed."""
    parts = urlsplit(url)
    host = (parts.hostname or "") + (f":{parts.port}" if parts.port not in (None, _PORTS.get(parts.scheme)) else "")
    all_of_them = sorted({**headers, "host": host}.items())
    names = ";".join(name for name, _ in all_of_them)
    # all services but S3 sign the path encoded once more than it is sent
    path = quote(parts.path, safe="/-_.~") or "/"
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    lines = [method, path, query, *(f"{name}:{value.strip()}" for name, value in all_of_them), "", names, _NO_BODY]
    return names, "\n".join(lines)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
