"""Where mail comes in, by LMTP or SMTP from the mail server in front of us: kept in the database before it is taken."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.mail.inbound.address import Replies
from services.escalation.mail.inbound.arrived import references
from services.escalation.store import arrivals
from shared.clock import Clock

log = structlog.get_logger()

#: a reply with the pictures of its signature, and what was quoted; more is refused
MOST_BYTES = 10_000_000
_MOST_LINE = 100_000
_MOST_CONNECTIONS = 20
_IDLE_SECONDS = 60
_AGAIN_SECONDS = 2.0
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


class _Smtp(SMTP):
    line_length_limit = _MOST_LINE

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.gone()
        super().connection_lost(error)


class _Lmtp(_Smtp, LMTP):
    """The same in the other protocol."""


class Door:
    """Listens at `url` (lmtp://host:port or smtp://host:port) until it is stopped."""

    def __init__(self, url: str, replies: Replies, engine: AsyncEngine, clock: Clock) -> None:
        self._url, self._replies, self._engine, self._clock = urlsplit(url), replies, engine, clock
        self._open = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Listens; where the port is taken (an older process, about to end), tries again."""
        running = asyncio.get_running_loop()
        server: asyncio.Server | None = None
        while not stopping.is_set():
            try:
                server = await running.create_server(self._met, self._url.hostname, self._url.port or 0)
            except OSError as error:
                log.warning("inbound_mail_waits", error=type(error).__name__, errno=error.errno)
            try:
                async with asyncio.timeout(None if server else _AGAIN_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                continue
        if server is not None:
            server.close()

    def _met(self) -> asyncio.Protocol:
        if self._open >= _MOST_CONNECTIONS:
            return _Busy()
        self._open += 1
        kind = _Lmtp if self._url.scheme == "lmtp" else _Smtp
        return kind(
            self,
            data_size_limit=MOST_BYTES,
            hostname=self._replies.domain,
            ident="Complaint Loop",
            timeout=_IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
        )

    def gone(self) -> None:
        """A conversation is over."""
        self._open -= 1

    # the names are aiosmtpd's

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Takes addresses of mails that were sent from here, one at a time: LMTP answers for each of them."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        if self._replies.read(address) is None:
            return "550 5.1.1 No mail was sent from this address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keeps the mail; only then is it taken."""
        sender = _UNPRINTABLE.sub("", envelope.mail_from or "")[:256]
        content: bytes = envelope.content
        own, named = await asyncio.to_thread(references, content)
        mail_id = self._replies.read(envelope.rcpt_tos[0]) or self._replies.named_in(named)
        if not mail_id:
            return "550 5.1.1 This is no answer to a mail that was sent from here"
        # what is delivered twice has the same Message-ID, though other headers of its way
        name = hashlib.sha256(f"{mail_id}\n".encode() + (own.encode("utf-8", "replace") or content)).hexdigest()
        raw = f"Return-Path: <{sender}>\r\n".encode() + content
        try:
            async with self._engine.begin() as conn:
                await arrivals.keep(conn, name, mail_id, raw, self._clock.now())
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("inbound_mail_not_kept", error=type(error).__name__)
            return "451 4.3.0 It cannot be kept for the moment"
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever else goes wrong with a conversation is told as something to be tried again."""
        log.error("inbound_mail_failed", error=type(error).__name__)
        return "451 4.3.0 It cannot be taken for the moment"


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.7.0 Too many conversations at once\r\n")
        transport.close()
