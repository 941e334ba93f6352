"""Delivery reports (RFC 3464): whether a mail of ours came back for good."""

from __future__ import annotations

import re
from email.message import Message

_ACTION = re.compile(rb"^action:[ \t]*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(rb"^status:[ \t]*([245])\.(\d{1,3})\.(\d{1,3})", re.IGNORECASE | re.MULTILINE)
_REPORTS = ("message/delivery-status", "message/global-delivery-status")
_MOST_PARTS = 50


def came_back(message: Message) -> str | None:
    """The status of a mail that will not be delivered (`5.1.1`, or `5.0.0` where none is told); None for anything else:
    a delay, a success, no report at all."""
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            break
        if part.get_content_type() in _REPORTS:
            return _failed(part.as_bytes()[:100_000])
    # Exim's reports are texts alone, but name whom they failed for
    return "5.0.0" if message["X-Failed-Recipients"] else None


def _failed(report: bytes) -> str | None:
    actions = {one.lower() for one in _ACTION.findall(report)}
    statuses = [b".".join(one).decode() for one in _STATUS.findall(report)]
    lasting = [one for one in statuses if one.startswith("5")]
    if b"failed" in actions:
        return lasting[0] if lasting else "5.0.0"
    return lasting[0] if lasting and not actions else None
