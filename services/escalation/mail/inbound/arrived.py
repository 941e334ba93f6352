"""A mail as it came: its bytes read once, whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from functools import partial

from services.escalation.mail.inbound.bounces import came_back
from services.escalation.mail.inbound.robots import is_robot, sounds_absent
from services.escalation.mail.inbound.sender import author, is_aligned
from services.escalation.mail.inbound.words import own_words

#: what Python's parser of mails raises on bytes that are none
UNREADABLE = (
    MessageError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    AssertionError,
)
_MOST_HEADER = 4_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was read of one mail. `bounced` is the status of a mail of ours that came back."""

    author: str | None
    aligned: bool
    robot: bool
    bounced: str | None
    text: str
    absent: bool


def read(raw: bytes, host: str) -> Arrived:
    """Reads a mail, its envelope's sender in the Return-Path on top; raises one of UNREADABLE.

    `host` is the mail server whose word on senders counts.
    """
    message = BytesParser(policy=compat32).parsebytes(raw)
    header = partial(_header, message)
    written_by = author([str(one) for one in message.get_all("From") or ()])
    if is_robot(header, written_by):
        return Arrived(written_by, False, True, came_back(message), "", False)
    results = [str(one) for one in message.get_all("Authentication-Results") or ()]
    aligned = written_by is not None and is_aligned(written_by, results, host)
    # nobody else's text is worth the reading
    text = own_words(message) if aligned else ""
    return Arrived(written_by, aligned, False, None, text, sounds_absent(text))


def _header(message: Message, name: str) -> str | None:
    """A header as text, decoded; None where it is not there."""
    given = message.get(name)
    if given is None:
        return None
    text = str(given)[:_MOST_HEADER]
    try:
        return str(make_header(decode_header(text)))
    except UNREADABLE:
        return text


def references(raw: bytes) -> tuple[str, str]:
    """(Message-ID, the mails that it answers or reports on), read from the head alone, and from a report's own copy."""
    try:
        message = BytesParser(policy=compat32).parsebytes(raw, headersonly=True)
        own = str(message.get("Message-ID") or "")[:_MOST_HEADER].strip()
        named = " ".join(str(message.get(name) or "")[-_MOST_HEADER:] for name in ("References", "In-Reply-To"))
        if str(message.get("Content-Type") or "").strip().lower().startswith("multipart/report"):
            named = f"{named} {_original(raw)}"
    except UNREADABLE:
        return "", ""
    return own, named


def _original(raw: bytes) -> str:
    """The Message-ID that a delivery report's copy of the mail has."""
    message = BytesParser(policy=compat32).parsebytes(raw)
    for part in message.walk():
        if part.get_content_type() == "text/rfc822-headers":
            copy = BytesParser(policy=compat32).parsebytes(part.get_payload(decode=True) or b"", headersonly=True)  # type: ignore[arg-type]
            return str(copy.get("Message-ID") or "")
        if part is not message and part.get("Message-ID"):
            return str(part.get("Message-ID"))
    return ""
