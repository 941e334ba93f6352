"""What of a message is new: quoted history and the signature are cut off, in one pass over its lines.

Line by line and without patterns that can backtrack: a message is whatever a stranger sends (mail-parser-reply takes
seconds for nine kilobytes of blank lines or of the word On).
"""

from __future__ import annotations

import re
from typing import Final

from .plain import from_html, looks_like_html, tidy

#: code points that are kept of one message
MOST: Final = 100_000

_WROTE = (
    "wrote:", "writes:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "escreveu:", "ha scritto:", "schreef:",
    "het volgende geschreven:", "skrev:", "napisał:", "napisał(a):", "napisał/a:", "napsal:", "napsal(a):", "写道：",
    "写道:", "寫道：", "寫道:", "のメール:", "書きました：", "書きました:", "작성:", "yazdı:", "kirjoitti:",
)  # fmt: skip
#: the same where the name comes after the verb
_WROTE_WHO = (" schrieb ", " schreef ", " skrev ", " escribió ", " napsal ", " kirjoitti ")
_OPENS = re.compile(
    r"(?:on|am|le|el|em|il|op|den|dnia|dne|pe|op|在|于|於|2\d\d\d|mon|tue|wed|thu|fri|sat|sun)\b|[在于於]", re.I
)
_HEADER_NAMES = (
    "from sent to subject date cc reply-to von gesendet an betreff datum de envoyé à objet enviado para asunto fecha"
    " assunto da inviato a oggetto van verzonden aan onderwerp från skickat till ämne od wysłano do temat"
    " 发件人 发送时间 收件人 主题 日期 寄件者 寄件人 傳送時間 收件者 主旨 抄送 差出人 送信日時 宛先 件名"
)
_HEADERS: Final = frozenset(_HEADER_NAMES.split())
_SEPARATORS = (
    "original message", "forwarded message", "ursprüngliche nachricht", "message d'origine", "message transféré",
    "mensaje original", "mensagem original", "messaggio originale", "oorspronkelijk bericht", "原始邮件", "原始郵件",
    "转发邮件", "元のメッセージ", "begin forwarded message",
)  # fmt: skip
_SENT_FROM = (
    "sent from my ", "sent from outlook", "get outlook for ", "sent via ", "von meinem ", "gesendet von ",
    "envoyé de mon ", "envoyé depuis ", "enviado desde mi ", "enviado do meu ", "inviato da ", "发自我的", "从我的",
    "來自我的", "iphoneから送信",
)  # fmt: skip
_FAREWELL_WORDS = (
    "regards|best regards|kind regards|warm regards|warmest regards|best wishes|best|sincerely|yours sincerely"
    "|yours faithfully|yours truly|cheers|thanks|many thanks|thank you|thanks and regards|mit freundlichen grüßen"
    "|viele grüße|beste grüße|cordialement|bien cordialement|saludos|un saludo|atentamente|atenciosamente"
    "|cordiali saluti|met vriendelijke groet|此致|祝好|谢谢|此致敬礼"
)
_FAREWELLS: Final = frozenset(_FAREWELL_WORDS.split("|"))
#: the tools' own lines above which an answer is to be typed
_REPLY_ABOVE = ("please type your reply above this line", "reply above this line", "write above this line")


def new_words(text: str) -> str:
    """The new part of a plain message."""
    lines = tidy(text).split("\n")
    end = next((place for place in range(len(lines)) if _begins_history(lines, place)), len(lines))
    kept = [line for line in lines[:end] if not line.startswith(">")]
    while kept and (not kept[-1] or (len(kept[-1]) > 9 and not kept[-1].strip("_-=*"))):
        kept.pop()  # a rule above what was quoted
    return tidy("\n".join(kept[: _signature(kept)]))[:MOST]


def said(body: object, *, mail: bool = True) -> tuple[str, list[str]]:
    """The new words of a body, plain or HTML, and the names of pictures in it; empty for nothing. Only what comes by
    `mail` quotes and signs."""
    if not isinstance(body, str) or not body.strip():
        return "", []
    text, pictures = from_html(body) if looks_like_html(body) else (tidy(body), [])
    return (new_words(text) if mail else text)[:MOST], pictures


def said_plainly(body: object, *, mail: bool = True) -> str:
    """The same of a body that the tool says is plain: what looks like HTML in it was typed so."""
    if not isinstance(body, str):
        return ""
    return (new_words(body) if mail else tidy(body))[:MOST]


def _begins_history(lines: list[str], place: int) -> bool:
    line = lines[place]
    if not line or len(line) > 300:
        return False
    low = line.lower()
    if low.endswith(_WROTE) and (_OPENS.match(low) or "@" in low or _opened_before(lines, place)):
        return True
    if low.endswith(":") and any(verb in low for verb in _WROTE_WHO) and _dated(low):
        return True
    if _wrapped(lines, place):
        return True
    bare = low.strip("-_*—– =>#")
    if bare.startswith(_SEPARATORS) and bare != low and len(bare) < 60:
        return True
    if any(words in low for words in _REPLY_ABOVE):
        return place > 0
    return _header_block(lines, place)


def _opened_before(lines: list[str], place: int) -> bool:
    return place > 0 and _dated(lines[place - 1].lower())


def _dated(low: str) -> bool:
    return bool(_OPENS.match(low)) and any(map(str.isdigit, low))


def _wrapped(lines: list[str], place: int) -> bool:
    # "On Mon, 2 March 2026 at 09:00, Ana Ruiz <ana@…>" with its "wrote:" on the next line
    low = lines[place].lower()
    if not _dated(low):
        return False
    return place + 1 < len(lines) and len(lines[place + 1]) < 200 and lines[place + 1].lower().endswith(_WROTE)


def _header_block(lines: list[str], place: int) -> bool:
    # three lines such as From:, Sent:, To: one after the other (Outlook), of which one may be too long
    if not _header(lines[place]):
        return False
    return sum(_header(line) for line in lines[place + 1 : place + 5]) >= 2


def _header(line: str) -> bool:
    name, colon, _ = line.strip("* ").replace("：", ":").partition(":")
    return bool(colon) and name.strip("* ").lower() in _HEADERS


def _signature(lines: list[str]) -> int:
    """Where the signature begins; the end, if there is none."""
    for place, line in enumerate(lines):
        if line in ("--", "—", "---") and place > 0 and len(lines) - place <= 15:
            return place
        if place > 0 and len(line) < 80 and line.lower().lstrip("*_ ").startswith(_SENT_FROM):
            return place
    # a farewell with a few short lines after it, and nothing that could be a sentence
    for place in range(max(1, len(lines) - 8), len(lines)):
        if lines[place].lower().rstrip(",.!，。！ ") in _FAREWELLS and _no_sentences(lines[place + 1 :]):
            return place
    return len(lines)


def _no_sentences(lines: list[str]) -> bool:
    return all(len(line) <= 60 and not line.endswith(("?", "!", "？", "！", "。")) for line in lines)
