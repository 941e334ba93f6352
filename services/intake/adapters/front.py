"""Front: webhooks of rules and of applications.

A rule signs base64(HMAC-SHA1(API secret, raw body)), an application base64(HMAC-SHA256(signing key, time in
milliseconds + ":" + raw body)) and wants its challenge back before it sends anything.
https://dev.frontapp.com/docs/application-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_address, full_name
from .pieces.quoted import said
from .pieces.shape import (
    Adapter,
    Asking,
    Contact,
    Customer,
    Endpoint,
    Genuine,
    Heard,
    Nothing,
    Reply,
    Request,
    Response,
    Staff,
    Thin,
    Verdict,
)
from .pieces.signing import all_of, digest, in_base64, in_time, mac, milliseconds, signed

_SIGNATURE, _TIME = "x-front-signature", "x-front-request-timestamp"
_IN: Final = frozenset({"inbound", "inbound_received"})
_OUT: Final = frozenset({"outbound", "out_reply", "outbound_sent"})
_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email",
    "sms": "sms",
    "truly-sms": "sms",
    "call": "phone",
    "phone-call": "phone",
    "truly-call": "phone",
    "voicemail": "phone",
    "front_chat": "chat",
    "smooch": "chat",
    "intercom": "chat",
    "whatsapp": "social",
    "facebook": "social",
    "messenger": "social",
    "tweet": "social",
    "tweet_dm": "social",
    "instagram": "social",
    "custom": "other",
}


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The signature of an application where there is a time, else that of a rule."""
    sent, given = request.header(_TIME), request.header(_SIGNATURE)
    if not sent:
        return signed(given, in_base64(mac(endpoint.secret, request.body, "sha1")))
    expected = in_base64(mac(endpoint.secret, f"{sent}:".encode() + request.body))
    verdict = all_of(signed(given, expected), in_time(milliseconds(sent), endpoint, now))
    challenge = request.header("x-front-challenge")
    if challenge and isinstance(verdict, Genuine):
        return Reply(body=orjson.dumps({"challenge": challenge}))
    return verdict


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The headers that an application would send."""
    sent = str(int(now.timestamp() * 1000))
    return {_TIME: sent, _SIGNATURE: in_base64(mac(endpoint.secret, f"{sent}:".encode() + body))}


def identity(request: Request) -> str:
    """The event's id."""
    body = json_of(request)
    return word(at(body, "payload", "id")) or word(body.get("id")) or digest(request.body)


def _event(request: Request) -> Any:
    body = json_of(request)
    inner = body.get("payload")
    return inner if isinstance(inner, Mapping) else body


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Messages that came in, and those that a teammate sent."""
    event = _event(request)
    kind = needed(at(event, "type") or json_of(request).get("type"), "type")
    if kind == "sync" or kind not in _IN | _OUT:
        return [Nothing("no message of anybody")]
    message = at(event, "target", "data")
    if not isinstance(message, Mapping) or ("body" not in message and "text" not in message):
        return [Thin("the message")]
    return [_message(event, message)]


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """The message of an event that came as a preview."""
    event = _event(request)
    link = str(at(event, "target", "data", "_links", "self") or "")
    message_id = word(at(event, "target", "data", "id")) or word(link.rpartition("/")[2])
    message = await asking.get(f"/messages/{needed(message_id, 'target.data.id')}")
    return [_message(event, message)]


def _message(event: Any, message: Any) -> Heard:
    conversation = at(event, "conversation")
    where = needed(at(conversation, "id"), "conversation.id")
    event_id = needed(at(message, "id"), "target.data.id")
    occurred_at = moment(at(message, "created_at") or at(event, "emitted_at"), "created_at")
    channel = _CHANNELS.get(str(at(message, "type")), "other")
    text, pictures = said(at(message, "body") or at(message, "text"), mail=channel == "email")
    if at(message, "is_inbound") is not True:
        author = at(message, "author")
        teammate = word(at(author, "id"))
        if teammate is None or at(message, "is_draft") is True:
            return Nothing("no teammate wrote it")
        name = full_name(word(at(author, "first_name")), word(at(author, "last_name"))) or word(at(author, "username"))
        known = _customer(at(conversation, "recipient"))
        staff = Staff(teammate, name, word(at(author, "email")))
        return Response(event_id, occurred_at, where, staff, text, known.id if known else None)
    sender = next((one for one in listed(at(message, "recipients")) if at(one, "role") == "from"), None)
    customer = _customer(sender) or _customer(at(conversation, "recipient"))
    files = names_in(at(message, "attachments"), "filename")
    return Contact(
        event_id,
        occurred_at,
        channel,
        customer or Customer(needed(None, "who wrote it")),
        where,
        word(at(message, "subject")) or word(at(conversation, "subject")),
        text,
        attachments=[*pictures, *(name for name in files if name not in pictures)],
    )


def _customer(recipient: Any) -> Customer | None:
    """A customer by the card that Front keeps of them, else by their address."""
    handle = word(at(recipient, "handle"))
    card = word(str(at(recipient, "_links", "related", "contact") or "").rpartition("/")[2])
    if handle is None:
        return Customer(card, word(at(recipient, "name"))) if card else None
    known = by_address(handle, word(at(recipient, "name")))
    return replace(known, id=card) if card else known


ADAPTER = Adapter(
    tool="front",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api2.frontapp.com",
    probe=b'{"type":"tag_added","authorization":{"id":"cmp_probe"},"payload":{"id":"evt_probe","type":"tag"}}',
    paste="""As an application: Settings > Developers > your app > Features > Webhooks.
Webhook URL: {url}
Events: Inbound received, Outbound sent. The app's signing key (Basic information) is what is given here as --secret.
As a rule: Then > Send to a webhook > {url}, full event payload; the API secret of the Webhooks app is the --secret.
Front may send previews without the text: give --option api_token=… (Settings > Developers > API tokens) to have it.""",
)
