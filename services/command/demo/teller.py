"""Tells what happens while it happens: the feed as the supervisor sees it, and every mail as its reader gets it."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import httpx

from deploy.local.trouble import Trouble
from services.command.feed import newest
from services.command.sse import items

T = TypeVar("T")
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 1.5
_LINK = re.compile(r"https?://\S+/[ec]/[^\s>)\"']+")
_CODE = re.compile(r"Code: ([A-Z0-9]{4}-[A-Z0-9]{2})")


def say(line: str = "") -> None:
    """One line, at once."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def scene(title: str) -> None:
    """The head of a scene, after a moment in which what the last one caused is told too."""
    time.sleep(_PAUSE_SECONDS)
    say(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}")


def until(fact: Callable[[], T | None], what: str, seconds: float = _PATIENCE_SECONDS) -> T:
    """Waits for a fact and answers it. Raises Trouble where it never becomes one."""
    end = time.monotonic() + seconds
    while True:
        found = fact()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f"The demo waited {seconds:.0f} s in vain for: {what}.")
        time.sleep(0.1)


class Teller:
    """Follows the feed and the mails of this demo's customers from now on."""

    def __init__(self, client: httpx.Client, mail_folder: Path | None) -> None:
        self._client, self._folder = client, mail_folder
        self.customers: dict[str, str] = {}
        self._items: list[dict[str, Any]] = []
        self._mails: list[EmailMessage] = []
        self._seen = {path.name for path in mail_folder.glob("*.eml")} if mail_folder else set()
        self._after = newest(client)
        for work in (self._follow_feed, self._follow_mail):
            threading.Thread(target=work, daemon=True).start()

    def happened(self, kind: str, customer_id: str, count: int = 1) -> dict[str, Any] | None:
        """The data of the latest such item about a customer, once there are `count`."""
        found = [
            item["data"]
            for item in list(self._items)
            if item["type"] == kind and item["data"].get("customer_id") == customer_id
        ]
        return found[-1] if len(found) >= count else None

    def mail(self, *, to: str = "", holding: str = "") -> EmailMessage | None:
        """The latest mail to an address with these words in its text; None where mails are not caught here."""
        found = [one for one in list(self._mails) if to in str(one["To"]) and holding in " ".join(text_of(one).split())]
        return found[-1] if found else None

    @property
    def catches_mail(self) -> bool:
        """Whether mails can be seen here."""
        return self._folder is not None

    def _follow_feed(self) -> None:
        with contextlib.suppress(httpx.HTTPError, RuntimeError, Trouble):
            for item in items(self._client, "/v1/feed/stream", {}, self._after):
                who = self.customers.get(str(item["data"].get("customer_id")))
                if who:
                    say(f"    {_clock(item['at'])}  {item['type']:<30} {who}{_particulars(item['data'])}")
                    self._items.append(item)

    def _follow_mail(self) -> None:
        while self._folder:
            for path in sorted(self._folder.glob("*.eml")):
                if path.name not in self._seen:
                    self._seen.add(path.name)
                    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    say(f"    {time.strftime('%H:%M:%S')}  ✉ to {message['To']}: {message['Subject']}")
                    self._mails.append(message)
            time.sleep(0.1)


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(preferencelist=("plain", "html"))
    return str(part.get_content()) if part else ""


def link_in(message: EmailMessage) -> str | None:
    """The link in a mail that its reader answers with."""
    found = _LINK.search(text_of(message))
    return found[0] if found else None


def code_in(message: EmailMessage) -> str | None:
    """The code that belongs to the link."""
    found = _CODE.search(text_of(message))
    return found[1] if found else None


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")


def _particulars(data: dict[str, Any]) -> str:
    names = ("kind", "percent", "level", "reason", "reasons", "owner_id", "agent_id", "executive_id", "cause", "basis")
    told = [f"{name} {', '.join(v) if isinstance(v := data[name], list) else v}" for name in names if data.get(name)]
    return f"  ({'; '.join(told)})" if told else ""
