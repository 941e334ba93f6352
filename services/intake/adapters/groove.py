"""Groove: tickets and messages of its REST API. It signs nothing: the secret comes as `?key=`.

https://www.groovehq.com/docs/webhooks, …/docs/messages. The event's name is in X-Groove-Event; customers and agents
are known by their mail addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_address
from .pieces.quoted import said, said_plainly
from .pieces.shape import (
    Adapter,
    Asking,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Request,
    Response,
    Staff,
    Thin,
    Verdict,
)
from .pieces.signing import carried, digest

_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email", "widget": "web", "web": "web", "chat": "chat", "phone": "phone", "call": "phone", "sms": "sms",
    "twitter": "social", "facebook": "social", "instagram": "social", "tweet": "social",
}  # fmt: skip
_MESSAGES: Final = frozenset({"customer_replied", "agent_replied", "note_added"})


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The secret itself: Groove lets nobody set a header, and signs nothing."""
    return carried(request, endpoint)


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The secret, in the URL."""
    return {"?": urlencode({"key": endpoint.secret})}


def identity(request: Request) -> str:
    """Groove numbers no deliveries; a repeat has the same event and bytes."""
    return digest(request.header("x-groove-event"), request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """The first message with its ticket, and every reply."""
    told = json_of(request)
    event = request.header("x-groove-event").lower()
    is_message = event in _MESSAGES or (not event and at(told, "agent_response") is not None)
    if is_message:
        return [_message(told)]
    if event not in ("ticket_started", ""):
        return [Nothing(f"{event}: nobody said anything")]
    if at(told, "number") is None:
        raise NotUnderstood("neither a ticket nor a message")
    if event == "" and word(at(told, "updated_at")) != word(at(told, "created_at")):
        return [Nothing("a change of a ticket")]
    return [_ticket(told)]


def _linked(told: Any, name: str) -> str | None:
    """The last part of a link's path: an address or a number."""
    href = word(at(told, "links", name, "href"))
    return unquote(urlsplit(href).path.rpartition("/")[2]) or None if href else None


def _customer(told: Any, name: str) -> Customer:
    """A message links its author by mail address alone, a ticket its customer also by id: so it is the address."""
    address = _linked(told, name)
    if address is None:
        raise NotUnderstood("the customer is missing")
    return by_address(address, word(at(told, "customer_name")))


def _files(told: Any) -> list[str]:
    found = listed(at(told, "attachments")) or listed(at(told, "links", "attachments"))
    names = names_in(found, "filename", "name", "href")
    return [urlsplit(name).path.rpartition("/")[2] or name for name in names]


def _message(told: Any) -> Heard:
    if at(told, "note") is True:
        return Nothing("a private note")
    ticket = needed(_linked(told, "ticket"), "the ticket")
    event_id = needed(at(told, "id") or (word(at(told, "href")) or "").rpartition("/")[2], "the message's id")
    written_at = moment(at(told, "created_at"), "created_at")
    text, pictures = said(at(told, "body"))
    text = text or said_plainly(at(told, "plain_text_body"))
    if at(told, "agent_response") is True:
        agent = _linked(told, "author")
        if agent is None or "/agents/" not in (word(at(told, "links", "author", "href")) or ""):
            return Nothing("an automatic message")
        return Response(event_id, written_at, ticket, Staff(agent, email=agent if "@" in agent else None), text)
    kind = (word(at(told, "type")) or "email").lower()
    return Contact(
        event_id=event_id,
        occurred_at=written_at,
        channel=_CHANNELS.get(kind, "email"),
        customer=_customer(told, "author"),
        conversation_id=ticket,
        text=text,
        attachments=[*_files(told), *pictures],
    )


def _ticket(told: Any) -> Heard:
    number = needed(at(told, "number"), "the ticket's number")
    if word(at(told, "last_message_type")) in ("agent", "note", "agent_response"):
        return Nothing("a ticket that an agent started")
    body = at(told, "last_message") or at(told, "last_message_plain_text") or at(told, "summary")
    if not body:
        return Thin("the first message of the ticket")
    return _first(told, number, body)


def _first(told: Any, number: str, body: Any) -> Contact:
    text, pictures = said(body)
    return Contact(
        event_id=f"ticket-{number}",
        occurred_at=moment(at(told, "created_at"), "created_at"),
        channel=_CHANNELS.get((word(at(told, "type")) or "email").lower(), "email"),
        customer=_customer(told, "customer"),
        conversation_id=number,
        subject=word(at(told, "title")),
        text=text,
        attachments=pictures,
    )


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks for the ticket's first message."""
    told = json_of(request)
    number = needed(at(told, "number"), "the ticket's number")
    if not number.isdecimal():
        raise NotUnderstood("the ticket's number is none")
    found = await asking.get(f"/v1/tickets/{number}/messages", {"page": "1", "per_page": "1"})
    first = at(found, "messages", 0)
    if at(first, "agent_response") is True or at(first, "note") is True:
        return [Nothing("a ticket that an agent started")]
    return [_first(told, number, at(first, "body") or at(first, "plain_text_body"))]


ADAPTER = Adapter(
    tool="groove",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api.groovehq.com",
    paste=(
        "Settings > API > Webhooks, one for each event, all with {url}?key={secret}\n"
        "Events: ticket_started, customer_replied, agent_replied"
    ),
    probe=b'{"number":1,"last_message_type":"agent"}',
    options={
        "api_token": "API token, to ask for words that an event leaves out",
    },
)
