"""HTML made plain: what a reader would have seen of the new message, with its lines, without what it quotes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urlsplit

import nh3

#: more of one message is not read: it could not be stored either
MOST: Final = 200_000

_BLOCK_NAMES = (
    "address article aside blockquote dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav"
    " ol p pre section table tbody tfoot thead tr ul"
)
_BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_SPACED = frozenset({"p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "ul", "ol"})
_KEPT = _BLOCKS | frozenset({"br", "img", "td", "th", "span", "a"})
_ATTRIBUTES = {"*": {"class", "id", "type"}, "img": {"alt", "src"}}
#: how mail programs and tools mark what was there before, and signatures
_QUOTES = (
    "gmail_quote",
    "gmail_signature",
    "gmail_attr",
    "yahoo_quoted",
    "moz-cite-prefix",
    "moz-signature",
    "protonmail_quote",
    "protonmail_signature_block",
    "freshdesk_quote",
    "front-blockquote",
    "front-signature",
    "zendesk_quote",
    "zd-liquid-quote",
    "helpscout-quote",
    "tutanota_quote",
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
    "ms-outlook-mobile-signature",
    "applemailsignature",
)
#: what comes after these is history too: they stand before it and do not hold it
_FROM_HERE = ("divrplyfwdmsg", "appendonsend")
_VOID = frozenset({"br", "img", "hr"})
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
#: elements that hold nothing, or that the next of their kind ends
_SHALLOW_NAMES = "area base br col dd dt embed hr img input li link meta option p source td th tr wbr"
_SHALLOW = frozenset(_SHALLOW_NAMES.split())
#: what is nested deeper than any mail is cut off: reading it would take the square of its depth
_DEEPEST = 500


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.pictures: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.quoting = 0
        self.over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        marks = f"{given.get('class', '')} {given.get('id', '')}".lower()
        quotes = (tag == "blockquote" and given.get("type", "").lower() == "cite") or any(
            mark in marks for mark in _QUOTES
        )
        if any(mark in marks for mark in _FROM_HERE):
            self.over = True
        if tag == "img" and not self.silent and (name := _named(given)):
            self.pictures.append(name)
        if tag not in _VOID:
            self.open.append((tag, quotes))
            self.quoting += quotes
        if self.silent:
            return
        if tag == "br":
            self.parts.append("\n")
        elif tag in _SPACED:
            self.parts.append("\n\n")
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            opened, quotes = self.open.pop()
            self.quoting -= quotes
            if opened == tag:
                break
        if tag in _BLOCKS and not self.silent:
            self.parts.append("\n\n" if tag in _SPACED else "\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(" ".join(f".{data}.".split())[1:-1])

    @property
    def silent(self) -> bool:
        return self.over or self.quoting > 0


def _named(picture: dict[str, str]) -> str:
    """The name of a picture's file; empty for one without, such as a pixel that counts readers."""
    name = unquote(urlsplit(picture.get("src", "")).path.rpartition("/")[2]) if picture.get("src") else ""
    return name if "." in name else ""


def from_html(html: str) -> tuple[str, list[str]]:
    """The words of an HTML message, and the names of the pictures in it."""
    html = html[:MOST]
    try:
        clean = nh3.clean(
            html[: _depth_reached(html)],
            tags=set(_KEPT),
            attributes=_ATTRIBUTES,
            link_rel=None,
            generic_attribute_prefixes=None,
            url_schemes={"http", "https", "cid"},
        )
        reader = _Reader()
        reader.feed(clean)
        reader.close()
    except (ValueError, RecursionError):
        return html, []
    return tidy("".join(reader.parts)), reader.pictures


def _depth_reached(html: str) -> int:
    """Where the HTML is nested deeper than `_DEEPEST`; its length, if it nowhere is."""
    depth = 0
    opened: dict[str, int] = {}
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _SHALLOW or (tag[1] and not opened.get(name)):
            continue
        step = -1 if tag[1] else 1
        opened[name] = opened.get(name, 0) + step
        depth += step
        if depth > _DEEPEST:
            return tag.start()
    return len(html)


def tidy(text: str) -> str:
    """Lines without spaces at their ends, and at most one empty line in a row."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n"):
        line = line.strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()


def looks_like_html(text: str) -> bool:
    """Whether a text that may be either is HTML."""
    return nh3.is_html(text) if "<" in text and ">" in text else False
