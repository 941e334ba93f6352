"""Zendesk event webhooks: tickets and their comments, messaging conversations.

Signed: base64(HMAC-SHA256(secret as given, timestamp header + raw body)); the timestamp header is RFC 3339.
https://developer.zendesk.com/documentation/webhooks/verifying/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.envelope import rfc3339
from shared.contracts.intake import Channel

from .pieces.body import at, json_of, moment, names_in, needed, word
from .pieces.quoted import said
from .pieces.shape import (
    Adapter,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Request,
    Response,
    Staff,
    Verdict,
)
from .pieces.signing import all_of, digest, in_base64, in_time, mac, signed

_SIGNATURE, _TIME = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The signature over time and body."""
    sent = request.header(_TIME)
    expected = in_base64(mac(endpoint.secret, sent.encode("latin-1", "replace") + request.body))
    return all_of(signed(request.header(_SIGNATURE), expected), in_time(_instant(sent), endpoint, now))


def _instant(text: str) -> datetime | None:
    try:
        return moment(text)
    except NotUnderstood:
        return None


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The headers that Zendesk would send."""
    sent = rfc3339(now)
    return {_SIGNATURE: in_base64(mac(endpoint.secret, sent.encode() + body)), _TIME: sent}


def identity(request: Request) -> str:
    """The event's id, which stays the same when the invocation is repeated."""
    return word(json_of(request).get("id")) or digest(request.body)


_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email",
    "voice": "phone",
    "phone": "phone",
    "sms": "sms",
    "chat": "chat",
    "messaging": "chat",
    "native_messaging": "chat",
    "web_widget": "web",
    "web": "web",
    "web_form": "web",
    "help_center": "web",
    "closed_ticket": "web",
    "mobile": "app",
    "mobile_sdk": "app",
    "facebook": "social",
    "twitter": "social",
    "instagram_dm": "social",
    "whatsapp": "social",
    "line": "social",
    "wechat": "social",
    "any_channel": "social",
}
_MAIL = ("email", "closed_ticket")


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Tickets that customers open, public comments, messages in messaging."""
    event = json_of(request)
    kind = word(event.get("type")) or ""
    if not kind.startswith("zen:event-type:"):
        raise NotUnderstood("it has no type of a Zendesk event")
    if kind == "zen:event-type:ticket.created":
        return [_created(event)]
    if kind == "zen:event-type:ticket.comment_added":
        return [_comment(event)]
    if kind == "zen:event-type:messaging_ticket.message_added":
        return [_messaging(event)]
    return [Nothing("no message of anybody")]


def _channel(detail: Any) -> Channel:
    return _CHANNELS.get(str(at(detail, "via", "channel") or "").lower(), "other")


def _first(ticket: str) -> str:
    return f"ticket-{ticket}-first"


def _created(event: Mapping[str, Any]) -> Heard:
    detail = event.get("detail")
    ticket = needed(at(detail, "id"), "detail.id")
    requester = needed(at(detail, "requester_id"), "detail.requester_id")
    submitter = word(at(detail, "submitter_id"))
    if at(detail, "is_public") is False:
        return Nothing("a ticket that the customer does not see")
    text, pictures = said(at(detail, "description"), mail=at(detail, "via", "channel") in _MAIL)
    return Contact(
        event_id=_first(ticket),
        occurred_at=moment(at(detail, "created_at") or event.get("time")),
        channel=_channel(detail),
        customer=Customer(requester),
        conversation_id=ticket,
        subject=word(at(detail, "subject")),
        text=text,
        # whoever writes a ticket down for somebody else has spoken to them
        responder=Staff(submitter) if submitter and submitter != requester and not _bot(submitter) else None,
        attachments=pictures,
    )


def _comment(event: Mapping[str, Any]) -> Heard:
    detail, comment = event.get("detail"), at(event, "event", "comment")
    ticket = needed(at(detail, "id"), "detail.id")
    if at(comment, "is_public") is not True:
        return Nothing("a private note")
    author = needed(at(comment, "author", "id"), "event.comment.author.id")
    if _bot(author):
        return Nothing("a bot")
    occurred_at = moment(at(comment, "created_at") or event.get("time"))
    event_id = needed(at(comment, "id"), "event.comment.id")
    name = word(at(comment, "author", "name"))
    body = at(comment, "html_body") or at(comment, "body")
    text, pictures = said(body, mail=at(detail, "via", "channel") in _MAIL)
    files = names_in(at(comment, "attachments"), "file_name", "filename")
    requester = word(at(detail, "requester_id"))
    if at(comment, "author", "is_staff") is True and author != requester:
        return Response(event_id, occurred_at, ticket, Staff(author, name), text, requester)
    return Contact(
        event_id=_first(ticket) if _opens(detail, occurred_at, author == requester) else event_id,
        occurred_at=occurred_at,
        channel=_channel(detail),
        customer=Customer(author, name),
        conversation_id=ticket,
        subject=word(at(detail, "subject")),
        text=text,
        attachments=[*pictures, *files],
    )


def _opens(detail: Any, occurred_at: datetime, by_requester: bool) -> bool:
    """Whether a comment is the ticket's description, which ticket.created tells as well."""
    if not by_requester or at(detail, "created_at") is None:
        return False
    return abs((occurred_at - moment(at(detail, "created_at"))).total_seconds()) <= 2


def _messaging(event: Mapping[str, Any]) -> Heard:
    ticket = needed(at(event, "detail", "id"), "detail.id")
    actor = at(event, "event", "actor")
    actor_id = needed(at(actor, "id"), "event.actor.id")
    role = at(actor, "type")
    message = at(event, "event", "message")
    if role in ("system", "trigger", "bot") or _bot(actor_id):
        return Nothing("a bot")
    event_id = needed(at(message, "id"), "event.message.id")
    occurred_at = moment(event.get("time"))
    text, _ = said(at(message, "body"), mail=False)
    name = word(at(actor, "name"))
    if role == "agent":
        return Response(event_id, occurred_at, ticket, Staff(actor_id, name), text)
    if role != "end_user":
        raise NotUnderstood("event.actor.type is not known")
    return Contact(event_id, occurred_at, "chat", Customer(actor_id, name), ticket, text=text)


def _bot(author: str) -> bool:
    return author.startswith("zd:") or author == "-1"


ADAPTER = Adapter(
    tool="zendesk",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    probe=b'{"type":"zen:event-type:ticket.tags_changed","id":"probe","detail":{"id":"0"},"event":{}}',
    paste="""Admin Center > Apps and integrations > Webhooks > Create webhook > Zendesk events.
Endpoint URL: {url}
Request method: POST, request format: JSON.
Subscribe to: Ticket created, Comment added to ticket, Message added to messaging conversation.
Its signing secret ("Reveal secret") is what is given here as --secret.""",
)
