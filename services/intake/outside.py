"""Asking others over HTTP: what is worth asking again, how long they want to be left alone, and how much is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

#: nobody is left alone for longer than this
LONGEST: Final = timedelta(hours=3)


class NotNow(Exception):
    """There was no answer, or one that asks for patience. `after` is how long it wants to be left alone."""

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.why, self.after = why, after


class TooMuch(Exception):
    """The answer is longer than anybody should have to read."""


def may_pass(status: int) -> bool:
    """Whether an answer with this status may be another one later."""
    return status in (408, 429) or status >= 500


def retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """What the answer says of when to ask again: seconds or a date (RFC 9110, 10.2.3); at least one second."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        wait = timedelta(seconds=int(text)) if text.isdigit() else parsedate_to_datetime(text) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(seconds=1), min(wait, LONGEST))


async def body_of(answer: httpx.Response, most: int, *, raw: bool = False) -> bytes:
    """The body, of at most `most` bytes; raises TooMuch. `raw` leaves it packed as it came."""
    body = bytearray()
    async for chunk in answer.aiter_raw() if raw else answer.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise TooMuch
    return bytes(body)
