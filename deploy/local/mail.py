"""A mail catcher: takes every mail by SMTP, keeps each as a file and shows them in a browser. It delivers none but
replies to the mails that it has caught: those it hands to the service, as the mail server of a company would.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import html
import re
import secrets
import smtplib
import threading
import time
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from .ports import Ports

_NAME = re.compile(r"[0-9]+-[0-9a-f]+\.eml")
_SHOWN = 200
_STYLE = "body{font:16px system-ui;margin:2rem;max-width:60rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}"
_FRAME = (
    '<iframe sandbox title="{title}" style="width:100%;height:40rem;border:1px solid #888" srcdoc="{body}"></iframe>'
)


#: where mails of this machine are answered to, and what the catcher calls itself when it says who sent a reply
REPLY_ADDRESS, HOST_ID = "answer@localhost", "mail.localhost"
_REPLY = re.compile(r"answer(?:\+[a-z0-9]{1,60})?@localhost", re.IGNORECASE)


class _Keep:
    def __init__(self, folder: Path, reply_port: int) -> None:
        self._folder, self._reply_port = folder, reply_port

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # the name is aiosmtpd's
        for address in envelope.rcpt_tos:
            if _REPLY.fullmatch(address):
                refused = await asyncio.to_thread(
                    hand_over, self._reply_port, envelope.mail_from or "", address, envelope.content
                )
                if refused:
                    return refused
        name = f"{time.time_ns()}-{secrets.token_hex(3)}.eml"
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        try:
            fresh = self._folder / f"{name}.new"
            fresh.write_bytes(head.encode("utf-8", "surrogateescape") + envelope.content)
            fresh.replace(self._folder / name)
        except OSError as error:
            return f"452 cannot keep it: {error.strerror}"
        return "250 kept"


def hand_over(port: int, sender: str, address: str, content: bytes) -> str | None:
    """Hands a reply to the service by LMTP, with what this machine knows of its sender; None, or the refusal."""
    try:
        with smtplib.LMTP("127.0.0.1", port, local_hostname="localhost") as service:
            service.sendmail(sender, [address], vouched(sender, content))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return f"{code} {said.decode('ascii', 'replace')}"
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('ascii', 'replace') if isinstance(text, bytes) else text}"
    except (smtplib.SMTPException, OSError):
        return "451 4.3.0 The service does not take mail yet"
    return None


def vouched(sender: str, content: bytes) -> bytes:
    """The mail with this catcher's Authentication-Results, and nobody else's.

    There is no DNS to ask about a machine's own mail: the domain of the envelope stands for whoever really sent it.
    """
    head, rule, body = content.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    kept = [one for one in fields if one.partition(b":")[0].strip().lower() != b"authentication-results"]
    domain = re.sub(r"[^\w.-]", "", sender.rpartition("@")[2])
    result = f"spf=pass smtp.mailfrom={domain}" if domain else "none"
    return b"\r\n".join([f"Authentication-Results: {HOST_ID}; {result}".encode(), *kept]) + rule + body


def read_mail(path: Path) -> EmailMessage:
    """One kept mail."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _header(message: EmailMessage, name: str) -> str:
    try:
        return html.escape(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError):  # the parser of headers, on what is none
        return "(unreadable)"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>"
    )


def list_page(folder: Path) -> str:
    """The newest mails first."""
    names = sorted((path.name for path in folder.glob("*.eml")), reverse=True)
    rows = []
    for name in names[:_SHOWN]:
        message = read_mail(folder / name)
        cells = "".join(f"<td>{_header(message, header)}</td>" for header in ("Date", "To"))
        subject = _header(message, "Subject") or "(no subject)"
        rows.append(f'<tr>{cells}<td><a href="/mail/{name}">{subject}</a></td></tr>')
    table = f"<table><tr><th>Date<th>To<th>Subject</tr>{''.join(rows)}</table>" if rows else "<p>None yet.</p>"
    return _page("Mail", f"<h1>Mail caught here</h1><p>{len(names)} kept; none was delivered.</p>{table}")


def mail_page(folder: Path, name: str) -> str:
    """One mail: its headers, its text, and its HTML locked in a frame."""
    message = read_mail(folder / name)
    headers = "".join(
        f"<tr><th>{html.escape(key)}</th><td>{_header(message, key)}</td></tr>" for key in dict.fromkeys(message.keys())
    )
    parts = [f'<p><a href="/">All mail</a> · <a href="/mail/{name}/raw">as sent</a></p><table>{headers}</table>']
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        if part is not None:
            body = html.escape(str(part.get_content()), quote=True)
            parts.append(f"<pre>{body}</pre>" if kind == "plain" else _FRAME.format(title="the mail", body=body))
    return _page(str(message.get("Subject", "Mail")), "".join(parts))


class _Pages(BaseHTTPRequestHandler):
    folder: Path
    port: int

    def do_GET(self) -> None:
        """A list, a mail, or a mail as sent."""
        _, kind, name, *raw = [*self.path.split("?")[0].split("/"), "", ""]
        known = _NAME.fullmatch(name) and (self.folder / name).is_file()
        if self.headers.get("Host") not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            self._answer(403, "text/plain", b"not the mail catcher's own address")  # a foreign page reading our mail
        elif kind == "":
            self._answer(200, "text/html", list_page(self.folder).encode("utf-8", "replace"))
        elif kind == "mail" and known and raw[0] == "raw":
            self._answer(200, "text/plain", (self.folder / name).read_bytes())
        elif kind == "mail" and known:
            self._answer(200, "text/html", mail_page(self.folder, name).encode("utf-8", "replace"))
        else:
            self._answer(404, "text/plain", b"no such mail")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody wants to read who looked at which mail."""


class Mail:
    """The mail catcher of one folder, in threads of this process."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory.resolve() / "mail"
        self._ports = Ports(directory.resolve())
        self._smtp: Controller | None = None
        self._http: ThreadingHTTPServer | None = None
        self.smtp_url = self.url = ""
        #: where the service is to take replies to what was caught, by LMTP
        self.reply_port = self._ports.of("replies")

    def start(self) -> Mail:
        """Listens for mails and for people who want to read them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        smtp_port, port = self._ports.of("smtp"), self._ports.of("mail")
        self._smtp = Controller(_Keep(self.folder, self.reply_port), hostname="127.0.0.1", port=smtp_port)
        self._smtp.start()
        pages = type("Pages", (_Pages,), {"folder": self.folder, "port": port})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), pages)
        threading.Thread(target=self._http.serve_forever, daemon=True, name="mail-pages").start()
        self.smtp_url, self.url = f"smtp://127.0.0.1:{smtp_port}", f"http://127.0.0.1:{port}/"
        return self

    def stop(self) -> None:
        """Takes no more; what was kept stays."""
        if self._smtp:
            self._smtp.stop(no_assert=True)
        if self._http:
            self._http.shutdown()
            self._http.server_close()
        self._smtp = self._http = None

    def __enter__(self) -> Mail:
        return self if self._smtp else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
