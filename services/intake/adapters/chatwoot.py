"""Chatwoot account webhooks: messages as they are created.

Signed from version 4.8 on: sha256=hex(HMAC-SHA256(secret, timestamp + "." + raw body)); older ones carry ?key=.
https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, needed, word
from .pieces.people import by_own_id
from .pieces.quoted import said
from .pieces.shape import Adapter, Contact, Customer, Endpoint, Heard, Nothing, Request, Response, Staff, Verdict
from .pieces.signing import all_of, carried, digest, in_time, mac, seconds, signed

_SIGNATURE, _TIME = "x-chatwoot-signature", "x-chatwoot-timestamp"
_CHANNELS: Final[Mapping[str, Channel]] = {
    "Channel::Email": "email",
    "Channel::WebWidget": "chat",
    "Channel::Sms": "sms",
    "Channel::TwilioSms": "sms",
    "Channel::Voice": "phone",
    "Channel::Whatsapp": "social",
    "Channel::FacebookPage": "social",
    "Channel::Instagram": "social",
    "Channel::TwitterProfile": "social",
    "Channel::Telegram": "social",
    "Channel::Tiktok": "social",
    "Channel::Line": "social",
}


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The signature over time and body; from a version that cannot sign, the secret itself."""
    sent = request.header(_TIME)
    if not request.header(_SIGNATURE):
        return carried(request, endpoint)
    expected = f"sha256={mac(endpoint.secret, f'{sent}.'.encode() + request.body).hex()}"
    return all_of(signed(request.header(_SIGNATURE), expected), in_time(seconds(sent), endpoint, now))


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The headers that Chatwoot would send."""
    sent = str(int(now.timestamp()))
    return {_TIME: sent, _SIGNATURE: f"sha256={mac(endpoint.secret, f'{sent}.'.encode() + body).hex()}"}


def identity(request: Request) -> str:
    """The delivery's id; before there was one, the event with its object and when that was last changed."""
    delivery = word(request.header("x-chatwoot-delivery"))
    if delivery:
        return delivery
    body = json_of(request)
    parts = [word(body.get(name)) for name in ("event", "id", "updated_at")]
    return "/".join(part or "" for part in parts) if parts[0] and parts[1] else digest(request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Messages of customers and of agents."""
    message = json_of(request)
    event = needed(message.get("event"), "event")
    if event != "message_created":
        return [Nothing("no new message")]
    kind = str(message.get("message_type"))
    if message.get("private") is True:
        return [Nothing("a private note")]
    if kind in ("incoming", "0"):
        return [_incoming(message)]
    if kind in ("outgoing", "1"):
        return [_outgoing(message)]
    return [Nothing("neither a customer nor a human wrote it")]


def _common(message: Mapping[str, Any]) -> tuple[str, str, datetime]:
    conversation = message.get("conversation")
    where = needed(at(conversation, "id") or at(conversation, "display_id"), "conversation.id")
    # some versions leave the message's own id to the conversation's last message
    event_id = needed(message.get("id") or at(conversation, "messages", -1, "id"), "id")
    return where, event_id, moment(message.get("created_at"), "created_at")


def _incoming(message: Mapping[str, Any]) -> Heard:
    where, event_id, occurred_at = _common(message)
    channel = _channel(message)
    text, pictures = _words(message, channel)
    return Contact(
        event_id,
        occurred_at,
        channel,
        _customer(message),
        where,
        word(at(message, "conversation", "additional_attributes", "mail_subject")),
        text,
        attachments=[*pictures, *_files(message)],
        order=event_id.zfill(20),
    )


def _outgoing(message: Mapping[str, Any]) -> Heard:
    where, event_id, occurred_at = _common(message)
    sender = message.get("sender")
    role = str(at(sender, "type") or "user").lower()
    automatic = at(message, "content_attributes", "automation_rule_id") or at(
        message, "additional_attributes", "campaign_id"
    )
    if role != "user" or sender is None or automatic:
        return Nothing("a bot")
    staff = Staff(needed(at(sender, "id"), "sender.id"), word(at(sender, "name")), word(at(sender, "email")))
    text, _ = _words(message, _channel(message))
    known = _known(at(message, "conversation", "meta", "sender"))
    return Response(event_id, occurred_at, where, staff, text, known, order=event_id.zfill(20))


def _channel(message: Mapping[str, Any]) -> Channel:
    named = at(message, "conversation", "channel") or at(message, "inbox", "channel_type")
    if named is None:
        return "chat"  # the messages of old versions name no channel; their widget was the only one
    return _CHANNELS.get(str(named), "other")


def _customer(message: Mapping[str, Any]) -> Customer:
    sender = message.get("sender")
    told = message.get("contact") or (sender if at(sender, "type") in (None, "contact") else None)
    one = told or at(message, "conversation", "meta", "sender")
    customer_id = needed(_known(one), "sender.id")
    return Customer(customer_id, word(at(one, "name")), word(at(one, "email")), word(at(one, "phone_number")))


def _known(contact: Any) -> str | None:
    # `identifier` is the company's own id for them; many sites give the mail address
    return by_own_id(word(at(contact, "identifier"))) or word(at(contact, "id"))


def _words(message: Mapping[str, Any], channel: str) -> tuple[str, list[str]]:
    mail = at(message, "content_attributes", "email")
    reply = at(mail, "text_content", "reply") or at(mail, "html_content", "reply")
    return said(reply or message.get("content"), mail=channel == "email")


def _files(message: Mapping[str, Any]) -> list[str]:
    names = []
    for one in listed(message.get("attachments")):
        path = str(at(one, "data_url") or "").partition("?")[0]
        name = word(at(one, "file_name")) or word(path.rpartition("/")[2]) or word(at(one, "file_type"))
        if name:
            names.append(name)
    return names


ADAPTER = Adapter(
    tool="chatwoot",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    probe=b'{"event":"webwidget_triggered","id":"probe"}',
    paste="""Settings > Integrations > Webhooks > Add new webhook.
Webhook URL: {url}
Events: Message created.
From version 4.8 on Chatwoot shows the webhook's secret: it is what is given here as --secret.
Older versions cannot sign: choose a secret of your own and enter the URL with it: {url}?key={secret}""",
)
