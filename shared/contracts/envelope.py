"""The envelope of every event: CloudEvents 1.0.2 in the Kafka protocol binding's binary mode.

Own code on purpose: the SDK invents ids that are missing, where a missing id must be refused. What a mirror or a
connector has turned into structured mode is read as well.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict
from uuid_utils import uuid7

PREFIX: Final = "complaintloop."
TOPIC_PREFIX: Final = "complaint-loop."
CONTENT_TYPE: Final = "application/json"


def new_id() -> str:
    """A UUIDv7 (RFC 9562): unique, and ordered by time to the millisecond."""
    return str(uuid7())


def topic_of(service: str) -> str:
    """The topic that `service` publishes on."""
    return TOPIC_PREFIX + service


class Event(BaseModel):
    """Data of one event. The publisher owns the class; consumers ignore fields they don't know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    #: name without prefix and version, as in `contact.captured`
    TYPE: ClassVar[str]
    #: the field that holds the id of what the event is about
    SUBJECT: ClassVar[str]

    customer_id: str

    @property
    def subject_id(self) -> str:
        return str(getattr(self, self.SUBJECT))

    @property
    def also_concerns(self) -> tuple[str, ...]:
        """Customers besides the one under whose key it travels."""
        return ()


def full_type(event: type[Event]) -> str:
    """`complaintloop.contact.captured.v1` of a class whose TYPE is `contact.captured`."""
    return f"{PREFIX}{event.TYPE}.v1"


class MalformedError(ValueError):
    """A message that is not one of our events: says what is missing or unreadable."""


# not frozen: that would cost as much as its data
@dataclass(slots=True)
class Envelope:
    """One event as it travels: CloudEvents attributes, our three extensions, and the data as bytes; never changed."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    customer_id: str
    sequence: int
    correlation_id: str
    causation_id: str | None
    data: bytes

    def headers(self) -> list[tuple[str, bytes]]:
        """Kafka headers of binary mode."""
        return kafka_headers(
            self.id,
            self.source,
            self.type,
            self.time,
            self.subject,
            self.sequence,
            self.correlation_id,
            self.causation_id,
        )

    @classmethod
    def from_kafka(cls, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Self:
        """Reads one Kafka record. Raises MalformedError with the reason; never invents what is missing."""
        try:
            found = {name.lower(): raw.decode() for name, raw in headers if raw is not None}
            customer_id = (key or b"").decode()
        except UnicodeDecodeError as error:
            raise MalformedError("a header or the key is not UTF-8") from error
        if found.get("content-type", "").lower().startswith(_STRUCTURED):
            found, value = _taken_apart(value or b"")
        if found.get("ce_specversion") != "1.0":
            raise MalformedError("ce_specversion is not 1.0: not a CloudEvent")
        for name in ("ce_id", "ce_source", "ce_type"):
            if not found.get(name):
                raise MalformedError(f"header {name} is missing or empty")
        if value is None:
            raise MalformedError("the record has no value")
        if not customer_id:
            raise MalformedError("the record has no key: it is nobody's")
        try:
            time = datetime.fromisoformat(found["ce_time"])
            sequence = int(found.get("ce_sequence", "0"))
            utc = time.astimezone(UTC)
        except KeyError:
            raise MalformedError("ce_time is missing") from None
        except (ValueError, OverflowError) as error:  # of years that no datetime can hold
            raise MalformedError("ce_time or ce_sequence cannot be read") from error
        if time.tzinfo is None:
            raise MalformedError("ce_time has no offset")
        return cls(
            id=found["ce_id"],
            source=found["ce_source"],
            type=found["ce_type"],
            time=utc,
            subject=found.get("ce_subject", ""),
            customer_id=customer_id,
            sequence=sequence,
            correlation_id=found.get("ce_correlationid") or found["ce_id"],
            causation_id=found.get("ce_causationid"),
            data=value,
        )


_STRUCTURED: Final = "application/cloudevents+json"


def _taken_apart(value: bytes) -> tuple[dict[str, str], bytes | None]:
    """A record in structured mode as one in binary mode: headers and data."""
    try:
        whole = json.loads(value)
        attributes = {f"ce_{name}": str(one) for name, one in whole.items() if one is not None}
    except (ValueError, AttributeError, RecursionError) as error:
        raise MalformedError("the value is not a CloudEvent in structured mode") from error
    encoded = attributes.pop("ce_data_base64", None)
    if attributes.pop("ce_data", None) is not None:
        return attributes, json.dumps(whole["data"]).encode()
    try:
        return attributes, None if encoded is None else b64decode(encoded, validate=True)
    except ValueError as error:
        raise MalformedError("data_base64 cannot be read") from error


_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", CONTENT_TYPE.encode())


@lru_cache(maxsize=512)
def _fixed(source: str, kind: str) -> tuple[tuple[str, bytes], ...]:
    return _SPECVERSION, _CONTENT_TYPE, ("ce_source", source.encode()), ("ce_type", kind.encode())


def kafka_headers(
    event_id: str,
    source: str,
    kind: str,
    time: datetime,
    subject: str,
    sequence: int,
    correlation_id: str,
    causation_id: str | None,
) -> list[tuple[str, bytes]]:
    """The headers of one event; the relay calls it for each, so it does nothing twice."""
    headers = [
        *_fixed(source, kind),
        ("ce_id", event_id.encode()),
        ("ce_time", rfc3339(time).encode()),
        ("ce_subject", subject.encode()),
        ("ce_correlationid", correlation_id.encode()),
        ("ce_sequence", b"%d" % sequence),
    ]
    if causation_id:
        headers.append(("ce_causationid", causation_id.encode()))
    return headers


def rfc3339(at: datetime) -> str:
    """UTC with `Z`, to the microsecond where there are any."""
    text = at.isoformat()
    if not text.endswith("+00:00"):
        text = at.astimezone(UTC).isoformat()
    return text[:-6] + "Z"


def dump(event: Event) -> bytes:
    """The data of an event as canonical JSON: what is stored is what is sent."""
    return event.__pydantic_serializer__.to_json(event)
