"""Standard Webhooks: contacts and responses from a system of one's own, in the words of this API.

Signed: webhook-signature has v1,base64(HMAC-SHA256(key, id + "." + time + "." + raw body)), any of several.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from .pieces.body import at, json_of, moment, needed, word
from .pieces.shape import (
    Adapter,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Refused,
    Request,
    Response,
    Staff,
    Verdict,
)
from .pieces.signing import all_of, in_base64, in_time, mac, seconds, signed

_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_REPORTED: Final = ("contact.reported", "complaintloop.contact.reported.v1")
_RESPONDED: Final = ("contact.responded", "complaintloop.contact.responded.v1")
_CUSTOMER: Final = ("id", "name", "email", "phone", "locale")
#: fields of a contact that stand in the shape of every tool; the rest is handed on as it is
_OWN: Final = frozenset(
    {
        "source",
        "source_event_id",
        "occurred_at",
        "channel",
        "customer",
        "responder",
        "conversation_id",
        "subject",
        "text",
    }
)


def _key(secret: str) -> bytes | None:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return None


def _signature(key: bytes, message_id: str, sent: str, body: bytes) -> str:
    return in_base64(mac(key, f"{message_id}.{sent}.".encode("utf-8", "replace") + body))


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """Any of the signatures over id, time and body."""
    message_id, sent, key = request.header(_ID), request.header(_TIME), _key(endpoint.secret)
    if not key:
        return Refused("The endpoint's secret is not whsec_ and base 64.")
    if not message_id:
        return Refused("The header webhook-id is missing.")
    entries = [one.partition(",") for one in request.header(_SIGNATURE).split(" ")]
    given = [value for version, _, value in entries if version == "v1"]
    expected = _signature(key, message_id, sent, request.body)
    return all_of(signed(given, expected), in_time(seconds(sent), endpoint, now))


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The headers that a sender would send."""
    message_id, sent = f"msg_{mac(endpoint.secret, body).hex()[:24]}", str(int(now.timestamp()))
    signature = _signature(_key(endpoint.secret) or b"", message_id, sent, body)
    return {_ID: message_id, _TIME: sent, _SIGNATURE: f"v1,{signature}"}


def identity(request: Request) -> str:
    """The message's id, which stays the same when it is sent again."""
    return request.header(_ID)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """`{"type", "timestamp", "data"}`: data is a contact as `POST /v1/contacts` has it, or a response with its
    conversation."""
    body = json_of(request)
    kind, data = word(body.get("type")), body.get("data")
    if kind is None or not isinstance(data, Mapping):
        raise NotUnderstood("it has no type, or no data")
    if kind in _REPORTED:
        return [_contact(request, body, data)]
    if kind in _RESPONDED:
        return [_response(request, body, data)]
    return [Nothing("of a type that tells no contact and no response")]


def _contact(request: Request, body: Mapping[str, Any], data: Mapping[str, Any]) -> Heard:
    customer = data.get("customer")
    more: dict[str, Any] = {name: value for name, value in data.items() if name not in _OWN}
    if isinstance(customer, Mapping):
        more["customer"] = {name: value for name, value in customer.items() if name not in _CUSTOMER}
    told = {name: word(at(customer, name)) for name in _CUSTOMER}
    told["id"] = needed(told["id"], "data.customer.id")
    return Contact(
        event_id=_event_id(request, data),
        occurred_at=_occurred_at(body, data),
        channel=needed(data.get("channel"), "data.channel"),  # type: ignore[arg-type]
        customer=Customer(**told),  # type: ignore[arg-type]
        conversation_id=word(data.get("conversation_id")),
        subject=word(data.get("subject")),
        text=data.get("text") if isinstance(data.get("text"), str) else None,
        responder=_staff(data.get("responder")),
        more=more,
    )


def _response(request: Request, body: Mapping[str, Any], data: Mapping[str, Any]) -> Heard:
    staff = _staff(data.get("responder"))
    if staff is None:
        raise NotUnderstood("data.responder is missing")
    where = needed(data.get("conversation_id"), "data.conversation_id")
    text = data.get("text") if isinstance(data.get("text"), str) else None
    customer = word(at(data, "customer", "id"))
    return Response(_event_id(request, data), _occurred_at(body, data), where, staff, text, customer)


def _event_id(request: Request, data: Mapping[str, Any]) -> str:
    return word(data.get("source_event_id")) or needed(request.header(_ID), "webhook-id")


def _occurred_at(body: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    return moment(data.get("occurred_at") or body.get("timestamp"), "timestamp")


def _staff(value: Any) -> Staff | None:
    staff_id = word(at(value, "id"))
    return Staff(staff_id, word(at(value, "name")), word(at(value, "email"))) if staff_id else None


ADAPTER = Adapter(
    tool="standard-webhooks",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    secret_fault=lambda secret: None if _key(secret) else "is whsec_ and base 64",
    probe=b'{"type":"probe","timestamp":"2026-01-01T00:00:00Z","data":{}}',
    paste="""Any sender of Standard Webhooks.
URL: {url}
Signing secret (whsec_…): what is given here as --secret.
Types: contact.reported with `data` as POST /v1/contacts has it; contact.responded with `conversation_id`, `responder`,
`occurred_at`, `source_event_id`, `text`.""",
)
