"""The executive's own words in a reply: what stands above the quoted mail, without the program's own lines."""

from __future__ import annotations

import re
from email.message import Message
from html.parser import HTMLParser

from mailparser_reply import EmailReplyParser

from services.escalation.mail.phrases import PHRASES
from services.escalation.mail.plain import clean

#: what of a text is looked at: an answer has at most 20,000 characters
MOST_TEXT = 60_000
_MOST_PARTS = 100
_MOST_HEADER = 400
#: stands for a line that the parser does not get to see
_MARK = re.compile("\ue000\\d+\ue001")
_PARSER = EmailReplyParser(languages=["en", "zh", "de", "cs", "da", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv"])
_SIGNED_OFF = re.compile(r"\n-- ?\n.*\Z", re.DOTALL)
_SENT_FROM = re.compile(
    r"\n[^\S\n]*(?:sent from (?:my|outlook|yahoo|mail|proton|samsung)|get outlook for|gesendet von (?:mein|mail)|"
    r"gesendet von outlook|envoyé (?:de|depuis) mon|enviado desde mi|inviato da|"
    r"odesláno z|verzonden vanaf|skickat från|sendt fra|"
    r"wysłane z|发自我的|从我的[^\n]{1,20}发送|我的[^\n]{1,20}发送)[^\n]{0,120}\s*\Z",
    re.IGNORECASE,
)
#: the line above a quotation in languages that the parser does not know: it ends in a colon, and has a date or address
_INTRODUCED = re.compile(r"\n[^\n]*(?:\d{1,4}[./年-]\d{1,2}|@|\d{4})[^\n]*(?:\n[^\n]+)?[:：]\s*\Z")
#: what mail programs draw between a reply and what it quotes
_RULED_OFF = re.compile(r"\n[ \t]*(?:_{10,}|-{3,}[^\n]{1,60}-{3,})\s*\Z")
#: the line at the top of our mails, however a program has wrapped it
_MARKER = re.compile(
    "|".join(r"(?:\s|>)+".join(map(re.escape, said["reply_above"].split())) for said in PHRASES.values())
)
_QUOTED = re.compile(r"^[ \t]*>", re.MULTILINE)
_SPACE = re.compile(r"[ \t\u00a0\u200b]+")


def own_words(message: Message) -> str:
    """The text that is the sender's own; empty where there is none."""
    text = _text_of(message)[:MOST_TEXT]
    text = "\n" + clean(text).strip("\n")
    # the marker is ours: whatever is below it was written by us
    text = _MARKER.split(text, maxsplit=1)[0]
    # a program may have put its own quotation sign before the marker
    text = re.sub(r"\n[>\s|*#·—-]*\Z", "", text)
    quoted = _QUOTED.search(text)
    latest = _latest(text[: quoted.start()] if quoted else text)
    text = "\n" + _RULED_OFF.sub("", "\n" + latest.strip("\n")).strip("\n")
    if quoted:
        text = _INTRODUCED.sub("", text)
    return _SENT_FROM.sub("", _SIGNED_OFF.sub("", text).rstrip()).strip()


def _latest(text: str) -> str:
    """What stands above the headers of quoted mails.

    The parser's patterns take minutes on one line of 60,000 letters: a line too long for a header is kept from it.
    """
    lines = text.split("\n")
    long = {f"\ue000{n}\ue001": line for n, line in enumerate(lines) if len(line) > _MOST_HEADER}
    for mark in long:
        lines[int(mark[1:-1])] = mark
    first = _PARSER.read("\n".join(lines)).replies[0]
    if first.headers:
        return ""  # what comes first is a mail that is quoted
    return _MARK.sub(lambda found: long.get(found[0], ""), first.content)


def _text_of(message: Message) -> str:
    html = ""
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            break
        kind = part.get_content_type()
        if part.is_multipart() or kind not in ("text/plain", "text/html"):
            continue
        if part.get_content_disposition() == "attachment":
            continue
        text = _decoded(part)
        if kind == "text/plain" and text.strip():
            flowed = str(part.get_param("format") or "").lower() == "flowed"
            return _unflowed(text) if flowed else text
        html = html or (text if kind == "text/html" else "")
    return _Words.of(html) if html else ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    charset = str(part.get_param("charset") or "utf-8").strip("'\" ").lower()
    # what calls itself GB2312 is GBK nearly always
    for name in ({"gb2312": "gb18030", "gbk": "gb18030"}.get(charset, charset), "utf-8"):
        try:
            return raw.decode(name)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return raw.decode("utf-8", "replace")


def _unflowed(text: str) -> str:
    """RFC 3676: a line that ends with a space goes on in the next."""
    lines: list[str] = []
    going_on = False
    for line in text.replace("\r\n", "\n").split("\n"):
        here = line.removeprefix(" ") if not line.startswith(">") else line
        if going_on and not here.startswith(">") and here != "-- ":
            lines[-1] += here
        else:
            lines.append(here)
        going_on = here.endswith(" ") and here != "-- "
    return "\n".join(lines)


class _Words(HTMLParser):
    """HTML as text, up to where a mail program quotes."""

    _BREAKS = frozenset(("p", "div", "br", "li", "tr", "h1", "h2", "h3", "ul", "ol", "table"))
    _UNSEEN = frozenset(("style", "script", "head", "title"))
    _QUOTES = re.compile(
        r"gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|divrplyfwdmsg|appendonsend|mailcontainer_quote|"
        r"outlookmessageheader|x_divrplyfwdmsg|qmbox",
        re.IGNORECASE,
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._said: list[str] = []
        self._hidden = 0
        self._over = False

    @classmethod
    def of(cls, html: str) -> str:
        """The words of a page, in lines."""
        reading = cls()
        reading.feed(html[: MOST_TEXT * 4])
        reading.close()
        lines = [_SPACE.sub(" ", one).strip() for one in "".join(reading._said).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A break, something unseen, or the beginning of a quotation."""
        named = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
        if tag == "blockquote" or self._QUOTES.search(named):
            self._over = True
        if tag in self._UNSEEN:
            self._hidden += 1
        if tag in self._BREAKS:
            self._say("\n")

    def handle_endtag(self, tag: str) -> None:
        """The end of something unseen, or of a paragraph."""
        if tag in self._UNSEEN and self._hidden:
            self._hidden -= 1
        if tag in ("p", "div", "li", "tr"):
            self._say("\n")

    def handle_data(self, data: str) -> None:
        """Words."""
        self._say(data.replace("\n", " ").replace("\r", " "))

    def _say(self, text: str) -> None:
        if not self._over and not self._hidden:
            self._said.append(text)
