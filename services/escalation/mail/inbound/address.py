"""The address of one mail, to which it is answered and bounced: `answers+<mail><proof>@company.example`.

The mail's id can be read from it, and nobody who has not got the mail can make one: the proof is made with the
installation's secret. Mail servers may write addresses in small letters, so everything in it is one case.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from uuid import UUID

from services.escalation.settings import Settings

_DIGEST = "digest-"
_PROOF_BYTES = 10
_TAG = re.compile(r"[md][a-z2-7]{42}", re.ASCII)
_MESSAGE_ID = re.compile(r"<((?:digest-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^<>\s@]{1,255})>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Replies:
    """The address of this installation to which mails are answered."""

    secret: str
    local: str
    domain: str
    #: what our Message-IDs end with
    sender_domain: str

    def of(self, mail_id: str) -> str | None:
        """The address of one mail; None where its id is not one of ours."""
        digest = mail_id.startswith(_DIGEST)
        try:
            raw = UUID(mail_id.removeprefix(_DIGEST)).bytes
        except ValueError:
            return None
        tag = ("d" if digest else "m") + _text(raw) + _text(self._proof(mail_id))
        return f"{self.local}+{tag}@{self.domain}"

    def read(self, address: str) -> str | None:
        """The mail that an address is of: `""` for the address without one, None for anybody else's."""
        local, _, domain = address.lower().rpartition("@")
        base, plus, tag = local.partition("+")
        if domain != self.domain.lower() or base != self.local.lower():
            return None
        if not plus:
            return ""
        if not _TAG.fullmatch(tag):
            return None
        try:
            mail_id = (_DIGEST if tag[0] == "d" else "") + str(UUID(bytes=_bytes(tag[1:27])))
            proof = _bytes(tag[27:])
        except (ValueError, binascii.Error):
            return None
        return mail_id if hmac.compare_digest(proof, self._proof(mail_id)) else None

    def named_in(self, references: str) -> str | None:
        """The last of our Message-IDs in `In-Reply-To` or `References`."""
        found = [name for name, domain in _MESSAGE_ID.findall(references) if domain == self.sender_domain]
        return found[-1] if found else None

    def _proof(self, mail_id: str) -> bytes:
        proof = hmac.digest(self.secret.encode(), b"complaint-loop:reply-address:" + mail_id.encode(), "sha256")
        return proof[:_PROOF_BYTES]


def replies_of(settings: Settings) -> Replies | None:
    """None where no replies are taken."""
    if settings.inbound_address is None:
        return None
    local, _, domain = settings.inbound_address.rpartition("@")
    return Replies(settings.secret_key.get_secret_value(), local, domain, settings.mail_from.rpartition("@")[2])


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
