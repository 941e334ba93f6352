"""CloudEvents 1.0.2 as they come over HTTP: binary, structured and batched mode, JSON event format.

Own code on purpose: the SDK invents ids and times that are missing, knows no batch, and lets much pass that is not an
event. What is missing here is refused by its name; what is optional and absent stays absent. Extension attributes are
let in and looked at for their form only.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import unquote_to_bytes

from shared.fields import Invalid, instant
from shared.http.problem import Problem, invalid, not_valid, unreadable
from shared.http.strict import strict_loads

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
SPECVERSION: Final = "1.0"

_REQUIRED = ("specversion", "id", "source", "type")
_TEXTS = frozenset({*_REQUIRED, "datacontenttype", "dataschema", "subject", "time"})
_NAME = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
# control characters and what Unicode never assigns: no attribute may hold them
_UNSAID = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# a URI reference or IRI reference has none of these (RFC 3986, 2; RFC 3987, 2.2)
_NO_URI = re.compile(r"""[\s<>"{}|\\^`]""")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"\\(.)")
_JSON = re.compile(r"[a-z0-9!#$&^_.+-]+/(?:json|[a-z0-9!#$&^_.+-]+\+json)", re.ASCII)
_UTF8 = re.compile(r"""charset\s*=\s*("?)utf-?8\1""", re.ASCII)

Mode = Literal["binary", "structured", "batched"]
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event: its context attributes as they were sent, `time` read, and its data, which `json()` reads."""

    attributes: Mapping[str, Any]
    time: datetime | None
    #: the data as bytes, where they came as such
    raw: bytes | None
    #: the data as JSON, where it came as such
    value: Any
    #: the member of the event that holds the data; empty in binary mode, where the body is the data
    member: str

    @property
    def id(self) -> str:
        """Unique within `source`."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """A URI reference: who says so."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """What kind of event it is."""
        return str(self.attributes["type"])

    @property
    def within(self) -> tuple[str, ...]:
        """Where its data begin, for pointers."""
        return (self.member,) if self.member else ()

    def mistake(self, attribute: str, message: str) -> Mapping[str, str]:
        """What is wrong with an attribute, as an answer lists it."""
        return _mistake(attribute, message, header=not self.member)

    def json(self) -> Any:
        """The data as JSON, read strictly. Raises 415 or 422 for what is declared as something else, 400 or 422 for
        what is none."""
        declared = self.attributes.get("datacontenttype")
        if declared is not None and not is_json(declared):
            if self.member:
                raise invalid(("/datacontenttype", "must be application/json, in UTF-8"))
            raise _unsupported("The data must be application/json, in UTF-8.")
        if self.raw is None:
            if self.value is None:
                raise invalid((f"/{self.member}", "is required"))
            return self.value
        if self.member:
            try:
                return strict_loads(self.raw)
            except Problem as problem:
                raise invalid((f"/{self.member}", f"is not JSON: {problem.detail}")) from None
        if not self.raw:
            raise unreadable("A body is required.")
        return strict_loads(self.raw)


def mode_of(declared: str | None) -> Mode:
    """The content mode, which the content type alone decides. Raises 415 for event formats that are not read here."""
    kind, _, parameters = (declared or "").lower().partition(";")
    kind = kind.strip()
    if not kind.startswith("application/cloudevents"):
        return "binary"
    if kind in (STRUCTURED, BATCHED) and _utf8(parameters):
        return "structured" if kind == STRUCTURED else "batched"
    raise _unsupported(f"Events are read as {STRUCTURED} or {BATCHED}, in UTF-8, or in binary mode.")


def is_json(declared: str) -> bool:
    """Whether this media type is that of JSON in UTF-8."""
    kind, _, parameters = declared.lower().partition(";")
    return _JSON.fullmatch(kind.strip()) is not None and _utf8(parameters)


def from_binary(headers: Headers, body: bytes) -> CloudEvent:
    """An event in binary mode: attributes in headers `ce-…`, the data is the body. Raises 400 or 422."""
    found: dict[str, Any] = {}
    mistakes: list[Mapping[str, str]] = []
    for name, value in headers:
        if name == b"content-type" or name.startswith(b"ce-"):
            attribute = "datacontenttype" if name == b"content-type" else name[3:].decode("latin-1")
            if attribute in found:
                raise unreadable("an attribute of the event comes twice")
            if name == b"content-type":
                found[attribute] = value.decode("latin-1")
            elif attribute in ("datacontenttype", "data"):
                mistakes.append(_mistake(attribute, "must not be a header of its own", header=True))
            else:
                found[attribute] = _plain(attribute, value)
    time = _check(found, mistakes, header=True)
    return CloudEvent(found, time, body, None, "")


def from_json(value: Any) -> CloudEvent:
    """An event in the JSON event format, from what was read strictly. Raises 422."""
    if not isinstance(value, dict):
        raise invalid(("", "must be an object"))
    # null is as good as absent (JSON event format, 2.2)
    found = {name: one for name, one in value.items() if one is not None and name not in ("data", "data_base64")}
    mistakes: list[Mapping[str, str]] = []
    raw: bytes | None = None
    encoded = value.get("data_base64")
    if encoded is not None:
        if "data" in value:
            mistakes.append(_mistake("data_base64", "excludes data"))
        raw = _decoded(encoded)
        if raw is None:
            mistakes.append(_mistake("data_base64", "must be Base64 (RFC 4648, 4)"))
    time = _check(found, mistakes)
    return CloudEvent(found, time, raw, value.get("data"), "data" if encoded is None else "data_base64")


def _decoded(encoded: Any) -> bytes | None:
    try:
        return b64decode(encoded, validate=True) if isinstance(encoded, str) else None
    except ValueError:
        return None


def _plain(attribute: str, value: bytes) -> str:
    # HTTP protocol binding, 3.1.3.2: quotes of old senders first, then one round of percent-decoding
    try:
        text = value.decode("ascii").strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = _ESCAPED.sub(r"\1", text[1:-1])
        if _PERCENT.search(text):
            raise ValueError
        return unquote_to_bytes(text).decode() if "%" in text else text
    except ValueError:
        name = f"header ce-{attribute}" if _NAME.fullmatch(attribute) else "a header of the event"
        raise unreadable(f"{name} is not percent-encoded UTF-8 (HTTP protocol binding, 3.1.3.2)") from None


def _check(found: Mapping[str, Any], mistakes: list[Mapping[str, str]], *, header: bool = False) -> datetime | None:
    for name in _REQUIRED:
        if name not in found:
            mistakes.append(_mistake(name, "is required", header=header))
    for name, value in found.items():
        if (message := _wrong(name, value)) is not None:
            mistakes.append(_mistake(name, message, header=header))
    time: datetime | None = None
    if isinstance(found.get("time"), str):
        try:
            time = instant(found["time"])
        except Invalid as error:
            mistakes.append(_mistake("time", str(error), header=header))
    if mistakes:
        raise not_valid(mistakes)
    return time


def _wrong(name: str, value: Any) -> str | None:
    """What is wrong with an attribute; None if nothing is."""
    if not _NAME.fullmatch(name):
        return "the name of an attribute has lower-case letters and digits only"
    if not isinstance(value, str):
        if name in _TEXTS:
            return "must be a string"
        whole = isinstance(value, int) and -(2**31) <= value < 2**31  # true and false are, too
        return None if whole else "must be a string, a boolean or an integer within 32 bits"
    if name in _TEXTS and not value:
        return "must not be empty"
    if _UNSAID.search(value):
        return "has characters that are not allowed"
    if name == "specversion" and value != SPECVERSION:
        return f"must be {SPECVERSION}"
    if name in ("source", "dataschema") and _NO_URI.search(value):
        return "must be a URI reference (RFC 3986)"
    return None


def _mistake(attribute: str, message: str, *, header: bool = False) -> Mapping[str, str]:
    known = _NAME.fullmatch(attribute) is not None or attribute == "data_base64"
    if not header:
        return {"pointer": f"/{attribute}" if known else "", "message": message}
    name = "content-type" if attribute == "datacontenttype" else f"ce-{attribute}"
    return {"pointer": f"/{name}" if known else "", "message": message, "in": "header"}


def _utf8(parameters: str) -> bool:
    stated: Sequence[str] = [one.strip() for one in parameters.split(";")]
    return all(_UTF8.fullmatch(one) for one in stated if one.startswith("charset"))


def _unsupported(detail: str) -> Problem:
    accepted = {"Accept": f"{STRUCTURED}, {BATCHED}, application/json"}
    return Problem(415, "unsupported-media-type", "The media type is not supported", detail, headers=accepted)
