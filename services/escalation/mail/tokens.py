"""The link and the code of one mail: made from the installation's secret, so that the same mail sent again has the
same ones; only their hashes are stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

#: Crockford's base 32: nothing in it is read for something else
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True, slots=True)
class Link:
    """`token` goes into the address, `code` is typed by the person: XXXX-XX, 30 bits, guarded by a limit."""

    token: str
    code: str

    @property
    def token_hash(self) -> bytes:
        return hash_of(self.token)

    @property
    def code_hash(self) -> bytes:
        return hash_of(read_code(self.code))


def link_of(secret: str, mail_id: str) -> Link:
    """The link of a mail."""
    token = hmac.digest(secret.encode(), b"complaint-loop:answer-token:" + mail_id.encode(), "sha256")
    code = hmac.digest(secret.encode(), b"complaint-loop:answer-code:" + mail_id.encode(), "sha256")
    letters = "".join(_ALPHABET[byte % 32] for byte in code[:6])
    return Link(base64.urlsafe_b64encode(token[:24]).decode(), f"{letters[:4]}-{letters[4:]}")


def read_code(typed: str) -> str:
    """A code as somebody types it: small letters, spaces, O for 0 are meant well."""
    return "".join(typed.upper().translate(_READ_AS).replace("-", "").split())


def hash_of(text: str) -> bytes:
    """What is stored of a token or a code."""
    return hashlib.sha256(text.encode()).digest()
