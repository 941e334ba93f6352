"""DKIM (RFC 6376): a mail says who answers for it, so that servers on its way believe where it comes from."""

from __future__ import annotations

import re

import dkim
from dkim.crypto import UnparsableKeyError, parse_pem_private_key

#: what a signature covers, where it is there: everything that a reader sees or that steers an answer
_COVERED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"in-reply-to",
    b"references",
    b"auto-submitted",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
#: a header that is signed once more than it is there cannot be added on the way (RFC 6376, 8.15)
_NOT_TO_BE_ADDED = (b"from", b"to", b"subject", b"reply-to")
_ENDS = re.compile(rb"\r\n|\r|\n")


class NotSigned(Exception):
    """A signature was asked for and cannot be made: the mail waits, and the log says why."""


class Signer:
    """Signs with one key. `key` is an RSA key in PEM, whose public half stands at `selector`._domainkey.`domain`."""

    def __init__(self, key: str, selector: str, domain: str) -> None:
        self._key, self._selector, self._domain = key.encode(), selector.encode(), domain.encode()

    def signed(self, content: bytes) -> bytes:
        """The mail with its signature on top. Raises NotSigned."""
        content = _ENDS.sub(b"\r\n", content)
        head = content.partition(b"\r\n\r\n")[0].lower()
        there = [name for name in _COVERED if re.search(rb"(?m)^" + re.escape(name) + rb":", head)]
        covered = [*there, *(name for name in _NOT_TO_BE_ADDED if name in there)]
        try:
            signature: bytes = dkim.sign(
                content,
                self._selector,
                self._domain,
                self._key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=covered,
            )
        except dkim.DKIMException as error:
            raise NotSigned(type(error).__name__) from error
        return signature + content


def is_key(text: str) -> bool:
    """Whether `text` is a key that can sign."""
    try:
        parse_pem_private_key(text.encode())
    except (UnparsableKeyError, ValueError, KeyError, IndexError, TypeError):
        return False
    return True
