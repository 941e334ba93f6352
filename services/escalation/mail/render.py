"""A letter as a mail: text and HTML, headers that nothing of a customer's can reach."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.escalation.mail.letter import Letter
from services.escalation.mail.plain import clean, line
from shared.fields import is_email

_TEMPLATES = Path(__file__).parents[1] / "templates"
_HTML = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_TEXT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
for _environment in (_HTML, _TEXT):
    _environment.filters |= {"clean": clean, "line": line}
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)

_HEADERS = {
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
}


class UnsafeMail(Exception):
    """What was built does not read back as what was meant: it must not be sent."""


def render(
    letter: Letter,
    *,
    message_id: str,
    sender: str,
    recipient: str,
    at: datetime,
    reply_to: str | None = None,
    replied: bool = False,
) -> EmailMessage:
    """The mail. Raises UnsafeMail where the recipient or the result is not what it should be.

    `replied`: it answers a mail that came in, so that no vacation program answers it in turn (RFC 3834).
    """
    if not is_email(recipient):
        raise UnsafeMail("the recipient's address")
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = message_id
    message["Date"] = format_datetime(at)
    name, _, domain = sender.rpartition("@")
    message["From"] = Address("Complaint Loop", name, domain)
    message["To"] = Address("", *recipient.rsplit("@", 1))
    # what looks like an encoded word would be decoded, and may hold line breaks
    message["Subject"] = line(letter.subject).replace("=?", "= ?")
    if reply_to:
        message["Reply-To"] = Address("", *reply_to.rsplit("@", 1))
    message["Auto-Submitted"] = "auto-replied" if replied else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text_of(letter), cte="quoted-printable")
    message.add_alternative(html_of(letter), subtype="html", cte="quoted-printable")
    _read_back(message, recipient, reply_to)
    return message


def text_of(letter: Letter) -> str:
    """The plain text."""
    return _TEXT.get_template("letter.txt").render(letter=letter).strip() + "\n"


def html_of(letter: Letter) -> str:
    """The HTML, its style on the elements; what only a style sheet can say (dark mode) stays in one."""
    return _INLINER.inline(_HTML.get_template("letter.html").render(letter=letter))


def _read_back(message: EmailMessage, recipient: str, reply_to: str | None) -> None:
    # Python 3.11 turns an encoded line break in a header into a real one: what counts is how it reads on arrival
    read = BytesParser(policy=SMTP).parsebytes(message.as_bytes(), headersonly=True)
    names = [name for name, _ in read.items()]
    meant = _HEADERS | {"Reply-To"} if reply_to else _HEADERS
    if set(names) != meant or len(names) != len(meant):
        raise UnsafeMail("the headers")
    if reply_to and [address.addr_spec for address in read["Reply-To"].addresses] != [reply_to]:
        raise UnsafeMail("where replies go")
    if [address.addr_spec for address in read["To"].addresses] != [recipient]:
        raise UnsafeMail("the recipients")
