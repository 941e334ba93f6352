"""Handing a mail to the mail server, and knowing what became of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from services.escalation.mail.signing import NotSigned, Signer
from services.escalation.settings import Settings
from shared.faults import fault

_STEP_SECONDS = 15.0
_IDLE_MOST = 4
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
_NEVER_SENT = "no mail server is configured (COMPLAINT_LOOP_SMTP_URL)"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt; `detail` is the server's code or our own words, never an address or a text.

    `said`: the server spoke about this mail or its recipient, so that asking again for ever makes no sense.
    """

    state: Literal["accepted", "temporary", "permanent", "unknown", "withdrawn"]
    detail: str
    said: bool = False


class Post:
    """One mail server, by its URL: smtp://[user:password@]host[:port] (STARTTLS as `starttls` says) or smtps://…

    `auto` is whatever the server offers, but never a password in plain text to another machine; `required` refuses to
    go on in plain text; `never` does not ask. `ca_file` is whom certificates are believed to be signed by, instead of
    the system's list.
    """

    def __init__(
        self,
        url: str | None,
        *,
        step_seconds: float = _STEP_SECONDS,
        starttls: Literal["auto", "required", "never"] = "auto",
        ca_file: str | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._url, self._seconds = url, step_seconds
        self._starttls, self._ca_file, self._signer = starttls, ca_file, signer
        self._idle: list[aiosmtplib.SMTP] = []
        # what we call ourselves: looked up once, a name server may take seconds for it
        self._own_name: str | None = None

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> Sent:
        """Sends one mail to one address. Never raises for what the server or the network did."""
        if not self._url:
            return Sent("temporary", _NEVER_SENT)
        content = bytes(message)
        if self._signer:
            try:
                content = await asyncio.to_thread(self._signer.signed, content)
            except NotSigned as error:
                return Sent("temporary", f"not signed: {error}")
        try:
            client = await self._connected()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            return Sent("temporary", f"not connected: {_named(error)}")
        sent = await self._hand_over(client, content, sender, recipient)
        if sent.detail.startswith("lost") or not client.is_connected:
            await _drop(client)
        elif len(self._idle) < _IDLE_MOST:
            self._idle.append(client)
        else:
            await _drop(client)
        return sent

    async def close(self) -> None:
        """Says goodbye to the server."""
        idle, self._idle = self._idle, []
        for client in idle:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=2)
            await _drop(client)

    async def _hand_over(self, client: aiosmtplib.SMTP, content: bytes, sender: str, recipient: str) -> Sent:
        try:
            await client.mail(sender, timeout=self._seconds)
            await client.rcpt(recipient, timeout=self._seconds)
        except aiosmtplib.SMTPRecipientRefused as error:
            await self._reset(client)
            return _refused("recipient", error.code)
        except aiosmtplib.SMTPResponseException as error:
            # about us or the server, not about the recipient: worth trying again
            await self._reset(client)
            return Sent("temporary", f"refused: {error.code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Sent("temporary", f"lost before the text: {_named(error)}")
        try:
            await client.data(content, timeout=self._seconds)
            await fault("mail.after_send")
        except aiosmtplib.SMTPResponseException as error:
            if error.code < 400:
                return Sent("unknown", "lost after the text: an answer that is none", said=True)
            return _refused("text", error.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Sent("unknown", f"lost after the text: {_named(error)}", said=True)
        return Sent("accepted", "250", said=True)

    async def _connected(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            try:
                await client.noop(timeout=2)
                return client
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                await _drop(client)
        parts = urlsplit(self._url or "")
        secure = parts.scheme == "smtps" or bool(parts.username) or self._starttls == "required"
        client = aiosmtplib.SMTP(
            hostname=parts.hostname or "",
            port=parts.port or (465 if parts.scheme == "smtps" else 25),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=self._start_tls(parts),
            local_hostname=self._own_name,
            # without a password STARTTLS is whatever the server offers, down to nothing: a certificate that nobody
            # signed (as relays come with) is still better than plain text
            validate_certs=secure,
            cert_bundle=self._ca_file if secure else None,
            timeout=self._seconds,
        )
        async with asyncio.timeout(self._seconds * 2):
            await client.connect()
        self._own_name = client.local_hostname
        return client

    def _start_tls(self, parts: SplitResult) -> bool | None:
        """Whether STARTTLS must be (True), may be (None) or is not to be (False)."""
        if parts.scheme == "smtps" or self._starttls == "never":
            return False
        if self._starttls == "required":
            return True
        # whoever stands between could leave the offer out, and read the password
        return True if parts.username and parts.hostname not in _OWN_MACHINE else None

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.rset(timeout=self._seconds)


def post_of(settings: Settings) -> Post:
    """The mail server of this installation."""
    key, selector = settings.dkim_key, settings.dkim_selector
    domain = settings.dkim_domain or settings.mail_from.rpartition("@")[2]
    return Post(
        settings.smtp_url,
        starttls=settings.smtp_starttls,
        ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
        signer=Signer(key.get_secret_value(), selector, domain) if key and selector else None,
    )


def _refused(what: str, code: int) -> Sent:
    return Sent("permanent" if code >= 500 else "temporary", f"{what} refused: {code}", said=True)


async def _drop(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()


def _named(error: BaseException) -> str:
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
