"""Twilio: calls, messages, Conversations, TaskRouter and Event Streams, by form or JSON.

https://www.twilio.com/docs/usage/webhooks/webhooks-security, …/conversations/conversations-webhooks,
…/taskrouter/api/event/reference, …/events/event-types. The signature has no time, so there is no replay window.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from shared.contracts.intake import Channel

from .pieces.body import any_json, at, form_of, listed, moment, needed, word
from .pieces.people import by_caller
from .pieces.shape import (
    Adapter,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Refused,
    Reply,
    Request,
    Response,
    Staff,
    Verdict,
    each,
)
from .pieces.signing import digest, in_base64, mac, signed
from .pieces.taskrouter import Task, accepted, began, in_json, in_snake_case, inner, task_of
from .pieces.wordless import OPTION, as_told

_SOCIAL: Final = ("whatsapp", "messenger", "instagram", "fb", "rcs", "viber", "line", "telegram", "wechat")
_VISITOR: Final = re.compile(r"FX[0-9a-fA-F]{32}")
_ESCAPED: Final = re.compile(r"_([0-9A-F]{2})")
_AUTOMATED: Final = frozenset({"system", "bot", "studio", "autopilot"})
#: in a conversation, which kinds of senders are machines: Studio, and whatever calls the REST API
_MACHINES: Final = frozenset({"API", "STUDIO"})
_STREAM: Final = "com.twilio."


def _variants(url: str) -> Iterator[str]:
    # Twilio signs with or without the default port, and not always the one that is shown
    yield url
    parts = urlsplit(url)
    port = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is None and port is not None and parts.hostname:
        yield url.replace(parts.netloc, f"{parts.netloc}:{port}", 1)
    elif parts.port == port:
        yield url.replace(parts.netloc, parts.netloc.rpartition(":")[0], 1)


def _signature(secret: str, url: str, pairs: Sequence[tuple[str, str]]) -> str:
    told = url + "".join(name + value for name, value in sorted(set(pairs)))
    return in_base64(mac(secret, told.encode(), "sha1"))


def _is_json(request: Request) -> bool:
    return "json" in request.header("content-type") or request.body.lstrip()[:1] in (b"[", b"{")


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted form, or the URL that holds the body's SHA-256."""
    given = request.header("x-twilio-signature")
    query = f"?{request.query}" if request.query else ""
    pairs: list[tuple[str, str]] = []
    if _is_json(request):
        if request.parameter("bodySHA256").lower() != hashlib.sha256(request.body).hexdigest():
            return Refused("The URL does not hold the SHA-256 of the body.")
    elif request.body:
        try:
            pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, max_num_fields=1_000)
        except ValueError:
            return Refused("The body is no form.")
    return signed(
        given, [_signature(endpoint.secret, one + query, pairs) for url in request.urls for one in _variants(url)]
    )


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """What Twilio would send with a form, or with JSON."""
    url = endpoint.url or ""
    if body[:1] in (b"[", b"{"):
        query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
        return {"X-Twilio-Signature": _signature(endpoint.secret, f"{url}?{query}", []), "?": query}
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return {"X-Twilio-Signature": _signature(endpoint.secret, url, pairs)}


def identity(request: Request) -> str:
    """A repeat carries the same token and the same body; a token alone may stand for several calls of a call."""
    return digest(request.header("i-twilio-idempotency-token"), request.query, request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Messages, calls, and workers who accepted."""
    if _is_json(request):
        value = any_json(request.body)
        return each(value if isinstance(value, list) else [value], lambda event: _event(event, endpoint))
    fields = form_of(request if request.body else replace(request, body=request.query.encode()))
    kind = word(fields.get("EventType")) or ""
    if kind and not kind.startswith("on"):
        return _task(kind, in_snake_case(fields), endpoint)
    return [_form(kind, fields, endpoint, request.received_at)]


def _form(kind: str, fields: Mapping[str, Any], endpoint: Endpoint, now: datetime) -> Heard:
    if kind == "onMessageAdded":
        return _said(fields, endpoint, fields.get("Body"))
    if kind == "onMessageSent":  # Programmable Chat, before there were Conversations
        older = {"ConversationSid": fields.get("ChannelSid"), "Author": fields.get("From")}
        return _said({**fields, **older}, endpoint, fields.get("Body"))
    if kind:
        return Nothing(f"{kind}: no message")
    if fields.get("TranscriptionText") and fields.get("CallSid"):
        return _transcribed(fields, now)
    if fields.get("MessageSid") or fields.get("SmsSid"):
        return _text_message(fields, now)
    if fields.get("CallSid"):
        return _call(fields, endpoint, now)
    if fields.get("ReservationSid") or fields.get("PayloadType"):
        return Nothing("work that is offered, or an error of Twilio's")
    raise NotUnderstood("neither a call, a message, nor an event that is known")


def _customer(address: str | None, other: str, name: str | None = None) -> Customer:
    """Who calls or writes; somebody who withholds the number is one person a call."""
    return by_caller(address, name) or Customer(other, name)


def _channel(address: str | None, otherwise: Channel) -> Channel:
    scheme = (address or "").partition(":")[0].lower()
    if scheme in _SOCIAL:
        return "social"
    return "email" if "@" in (address or "") else otherwise


def _text_message(fields: Mapping[str, Any], now: datetime) -> Heard:
    status = (word(fields.get("MessageStatus")) or word(fields.get("SmsStatus")) or "received").lower()
    sender = word(fields.get("From"))
    if status not in ("received", "receiving"):
        return Nothing(f"status of a message that was sent: {status}")
    if sender is None:
        raise NotUnderstood("From is missing")
    sid = needed(fields.get("MessageSid") or fields.get("SmsSid"), "MessageSid")
    count = word(fields.get("NumMedia")) or "0"
    media = range(min(int(count) if count.isdecimal() else 0, 20))
    return Contact(
        event_id=sid,
        occurred_at=_time(fields.get("Timestamp"), now),
        channel=_channel(sender, "sms"),
        customer=_customer(sender, sid, word(fields.get("ProfileName"))),
        conversation_id=word(fields.get("ConversationSid")),
        text=fields.get("Body") or None,
        attachments=[_file(fields, number) for number in media],
    )


def _file(fields: Mapping[str, Any], number: int) -> str:
    name = urlsplit(word(fields.get(f"MediaUrl{number}")) or "").path.rpartition("/")[2] or f"media {number + 1}"
    kind = word(fields.get(f"MediaContentType{number}"))
    return f"{name} ({kind})" if kind else name


def _call(fields: Mapping[str, Any], endpoint: Endpoint, now: datetime) -> Heard:
    direction = (word(fields.get("Direction")) or "").lower()
    if direction != "inbound":
        return Nothing(f"a call that we made: {direction}" if direction else "no call of a customer's")
    sid = needed(fields.get("CallSid"), "CallSid")
    began = _time(fields.get("Timestamp"), now)
    lasted = word(fields.get("CallDuration")) or ""
    if lasted.isdecimal() and len(lasted) < 7:
        began -= timedelta(seconds=int(lasted))
    return as_told(
        Contact(
            event_id=sid,
            occurred_at=began,
            channel="phone",
            customer=_customer(word(fields.get("From")), sid, word(fields.get("CallerName"))),
            conversation_id=sid,
            text=word(fields.get("SpeechResult")),
        ),
        endpoint,
    )


def _transcribed(fields: Mapping[str, Any], now: datetime) -> Heard:
    call = needed(fields.get("CallSid"), "CallSid")
    return Contact(
        event_id=needed(fields.get("TranscriptionSid"), "TranscriptionSid"),
        occurred_at=_time(fields.get("Timestamp"), now),
        channel="phone",
        customer=_customer(word(fields.get("From") or fields.get("Caller")), call),
        conversation_id=call,
        text=str(fields["TranscriptionText"]),
    )


def _said(fields: Mapping[str, Any], endpoint: Endpoint, words: Any) -> Heard:
    text = words if isinstance(words, str) and words else None
    conversation = needed(fields.get("ConversationSid"), "ConversationSid")
    sid = needed(fields.get("MessageSid"), "MessageSid")
    author = needed(fields.get("Author"), "Author")
    written_at = moment(fields.get("DateCreated"), "DateCreated")
    index = (word(fields.get("Index")) or "").zfill(12)
    prefix = endpoint.option("customer_prefix")
    visits = bool(_VISITOR.fullmatch(author) or (prefix and author.startswith(prefix)))
    if visits or author.startswith("+") or ":" in author:
        media = listed(inner(fields.get("Media")))
        return Contact(
            event_id=sid,
            occurred_at=written_at,
            channel="chat" if visits else _channel(author, "sms"),
            customer=Customer(author) if visits else _customer(author, conversation),
            conversation_id=conversation,
            subject=word(fields.get("MessageSubject")),
            text=text,
            attachments=[word(at(one, "Filename") or at(one, "MediaSid") or at(one, "Sid")) or "?" for one in media],
            order=index,
        )
    if author.lower() in _AUTOMATED or (word(fields.get("Source")) or "").upper() in _MACHINES:
        return Nothing("an automatic message")
    return Response(sid, written_at, conversation, _staff(author), text, order=index)


def _staff(author: str, name: str | None = None) -> Staff:
    # Flex writes an identity's special characters as _40
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), author)
    return Staff(author, name=name, email=plain if "@" in plain else None)


def _task(kind: str, told: Mapping[str, Any], endpoint: Endpoint) -> list[Heard]:
    """TaskRouter's events by their fields in snake case: from callbacks, streams and the Flex socket alike."""
    if kind not in ("reservation.accepted", "task.created"):
        return [Nothing(f"{kind}: nobody accepted")]
    task = task_of(told)
    contact = _called(told, task, endpoint)
    if kind == "reservation.accepted":
        taken = accepted(told, task, endpoint)
        return [contact, taken] if contact else [taken]
    return [contact or Nothing("task.created: its conversation tells the rest, or it is of nobody who is known")]


def _called(told: Mapping[str, Any], task: Task, endpoint: Endpoint) -> Contact | None:
    """The call that a task is about, as the call's own events would tell it; None of a chat, which tells itself."""
    sender, known = task.attribute("from", "caller", "customerAddress"), task.customer_id
    if task.chat is not None or task.outbound or (sender is None and known is None):
        return None
    customer = _customer(sender, task.sid, task.attribute("customerName", "name"))
    spoken = word(told.get("task_channel_unique_name")) == "voice" or task.call is not None
    contact = Contact(
        event_id=task.conversation_id,
        occurred_at=began(told),
        channel="phone" if spoken else _channel(sender, "other"),
        customer=replace(customer, id=known or customer.id),
        conversation_id=task.conversation_id,
    )
    return as_told(contact, endpoint)


def _event(event: Any, endpoint: Endpoint) -> list[Heard]:
    """One JSON event: of a stream, of Flex's report on its workers, or as TaskRouter's SDK hands it on."""
    streamed = word(at(event, "type")) or ""
    if streamed.startswith(_STREAM):
        return _streamed(streamed.removeprefix(_STREAM), at(event, "data"), event, endpoint)
    told = [one for kind, fields in in_json(event) for one in _task(kind, fields, endpoint)]
    if told or at(event, "workspace_sid") or at(event, "object"):
        return told or [Nothing("nobody accepted anything")]
    raise NotUnderstood("JSON that is no event of Twilio's that is known")


def _streamed(kind: str, data: Any, event: Any, endpoint: Endpoint) -> list[Heard]:
    if kind.startswith("taskrouter."):
        told = at(data, "payload")
        if not isinstance(told, Mapping):
            raise NotUnderstood("the payload of the event is missing")
        return _task(kind.removeprefix("taskrouter."), {"timestamp": at(event, "time"), **told}, endpoint)
    if kind == "conversations.message.added" and isinstance(data, Mapping):
        return [_said(data, endpoint, data.get("MessageBody"))]
    if kind == "messaging.inbound-message.received":
        told = {"MessageSid": at(data, "messageSid"), "From": at(data, "from"), "Body": at(data, "body")}
        return [_text_message(told, moment(at(data, "timestamp") or at(event, "time")))]
    if kind.startswith("voice.status-callback."):
        told = at(data, "request", "parameters")
        if not isinstance(told, Mapping):
            raise NotUnderstood("the parameters of the call are missing")
        return [_call(told, endpoint, moment(at(event, "time")))]
    return [Nothing(f"{kind}: no message")]


def _time(given: Any, now: datetime) -> datetime:
    """The tool's time where it gives one; most of Twilio's requests have none."""
    if not given:
        return now
    try:
        return parsedate_to_datetime(str(given)).astimezone(UTC)
    except ValueError:
        return moment(given)


ADAPTER = Adapter(
    tool="twilio",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    paste=(
        "The secret is the account's Auth Token.\n"
        "Messaging service > Integration > Send a webhook: {url}\n"
        "Phone number > Call status changes: {url} (not `A call comes in`: the answer is an empty <Response/>)\n"
        "Conversations > Webhooks > Post-event URL, onMessageAdded: {url}\n"
        "TaskRouter workspace > Event callback URL, reservation.accepted: {url}"
    ),
    probe=b"MessageSid=SM0&MessageStatus=delivered&From=%2B15005550006&To=%2B15005550001",
    probe_type="application/x-www-form-urlencoded",
    accepted=Reply(body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', media_type="text/xml"),
    options={
        "customer_prefix": "identities in Conversations that begin so are customers, not staff",
        "staff": "identity: workers are named by their contact_uri, as they are in Conversations, not by their sid",
        **OPTION,
    },
)
