"""HubSpot: subscriptions of an app, always thin: an id and what happened; the words come from the API.

https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests, …/api-reference/webhooks,
…/conversations-inbox-and-messages, …/crm/objects/tickets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from shared.contracts.intake import Channel

from .pieces.body import any_json, at, moment, names_in, needed, word
from .pieces.people import by_address, full_name
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
    Refused,
    Request,
    Response,
    Staff,
    Thin,
    Unread,
    Verdict,
    each,
    understood,
)
from .pieces.signing import all_of, digest, in_base64, in_time, mac, milliseconds, signed

#: HubSpot undoes these escapes in the URL before it signs (validating requests, v3)
_UNDONE: Final = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_CHANNELS: Final[Mapping[str, Channel]] = {
    "1000": "chat", "1001": "social", "1002": "email", "1003": "web", "1007": "social",
}  # fmt: skip
_SOURCES: Final[Mapping[str, Channel]] = {"CHAT": "chat", "EMAIL": "email", "FORM": "web", "PHONE": "phone"}
_TICKETS: Final = frozenset({"ticket", "0-5"})
_TICKET_FIELDS: Final = "subject,content,createdate,source_type,hs_conversations_originating_thread_id"
_MESSAGES: Final = "/conversations/v3/conversations/threads"


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """X-HubSpot-Signature-v3 with its time, else version 2 or 1, which have none."""
    body = request.body
    given = request.header("x-hubspot-signature-v3")
    urls = [one + (f"?{request.query}" if request.query else "") for one in request.urls]
    if given:
        sent_at = request.header("x-hubspot-request-timestamp")
        told = [request.method.encode() + url.encode() + body + sent_at.encode() for url in _undone(urls)]
        return all_of(
            signed(given, [in_base64(mac(endpoint.secret, one)) for one in told]),
            in_time(milliseconds(sent_at), endpoint, now),
        )
    secret = endpoint.secret.encode()
    version = request.header("x-hubspot-signature-version").lower()
    if version == "v2":
        hashed = [secret + request.method.encode() + url.encode() + body for url in urls]
    elif version in ("", "v1"):
        hashed = [secret + body]
    else:
        return Refused("The version of the signature is not known.")
    return signed(request.header("x-hubspot-signature"), [hashlib.sha256(one).hexdigest() for one in hashed])


def _undone(urls: Sequence[str]) -> list[str]:
    found = list(urls)
    for url in urls:
        for escape, letter in _UNDONE.items():
            url = url.replace(escape, letter).replace(escape.lower(), letter)
        found.append(url)
    return found


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """Version 3, as HubSpot sends it."""
    sent_at = str(int(now.timestamp() * 1000))
    told = b"POST" + (endpoint.url or "").encode() + body + sent_at.encode()
    return {
        "X-HubSpot-Signature-v3": in_base64(mac(endpoint.secret, told)),
        "X-HubSpot-Request-Timestamp": sent_at,
    }


def identity(request: Request) -> str:
    """What is sent again counts its attempts in the body; everything else is the same, and its ids tell."""
    events = _events(request)
    names = ("portalId", "appId", "subscriptionId", "eventId", "occurredAt", "objectId", "messageId")
    return digest(*(f"{name}={at(event, name)}" for event in events for name in names))


def _events(request: Request) -> list[Any]:
    value = any_json(request.body)
    events = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in events):
        raise NotUnderstood("the body is no list of events")
    return sorted(events, key=lambda one: str(one.get("occurredAt", "")).zfill(16))


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """What each event would be about."""
    return each(_events(request), lambda event: [_kind(event)])


def _kind(event: Any) -> Heard:
    if at(event, "subscriptionType") is None and isinstance(at(event, "properties"), dict):
        # what a workflow sends is the record that it is about
        about = str(at(event, "objectTypeId") or at(event, "objectType") or "").lower()
        event = {**event, "subscriptionType": f"{about if about in _TICKETS else 'record'}.creation"}
    kind = needed(at(event, "subscriptionType") or at(event, "eventType"), "subscriptionType")
    thing, _, change = kind.partition(".")
    if kind == "conversation.newMessage":
        if (word(at(event, "messageType")) or "MESSAGE") != "MESSAGE":
            return Nothing("a comment among colleagues")
        needed(at(event, "objectId"), "objectId")
        return Thin("the message of a conversation")
    if change == "creation" and (thing in _TICKETS or str(at(event, "objectTypeId")) in _TICKETS):
        needed(at(event, "objectId"), "objectId")
        return Thin("the ticket")
    return Nothing(f"{thing}.{change}: nobody said anything")


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks for each message and ticket, and for who is who."""
    found: list[Heard] = []
    for event in _events(request):
        try:
            found.append(await _asked(event, asking))
        except NotUnderstood as fault:  # a message that is gone keeps no other event of the delivery back
            found.append(Unread(str(fault)))
    return understood(found)


async def _asked(event: Any, asking: Asking) -> Heard:
    heard = _kind(event)
    if isinstance(heard, Thin):
        thing = quote(needed(at(event, "objectId"), "objectId"), safe="")
        about_message = at(event, "subscriptionType") == "conversation.newMessage"
        heard = await (_message(event, thing, asking) if about_message else _ticket(thing, asking))
    return heard


async def _message(event: Any, thread: str, asking: Asking) -> Heard:
    message_id = quote(needed(at(event, "messageId"), "messageId"), safe="")
    message = await asking.get(f"{_MESSAGES}/{thread}/messages/{message_id}")
    if word(at(message, "type")) not in (None, "MESSAGE"):
        return Nothing("no message that the customer sees")
    sender = at(message, "senders", 0)
    actor = word(at(sender, "actorId")) or word(at(message, "createdBy")) or ""
    written_at = moment(at(message, "createdAt") or at(event, "occurredAt"))
    channel = _CHANNELS.get(word(at(message, "channelId")) or "", "other")
    text, pictures = said(at(message, "richText"), mail=channel == "email")
    text = text or said_plainly(at(message, "text"), mail=channel == "email")
    if word(at(message, "direction")) == "OUTGOING":
        if not actor.startswith("A-"):
            return Nothing("an automatic message")
        who = await asking.get(f"/conversations/v3/conversations/actors/{quote(actor, safe='')}")
        name = word(at(who, "name")) or word(at(sender, "name"))
        staff = Staff(actor.removeprefix("A-"), name, word(at(who, "email")))
        return Response(needed(at(message, "id"), "id"), written_at, thread, staff, text)
    known = await asking.get(f"{_MESSAGES}/{thread}")
    address = word(at(sender, "deliveryIdentifier", "value"))
    customer = _customer(word(at(known, "associatedContactId")), address, word(at(sender, "name")), actor)
    files = names_in(at(message, "attachments"), "name", "fileId")
    return Contact(
        event_id=needed(at(message, "id"), "id"),
        occurred_at=written_at,
        channel=channel,
        customer=customer,
        conversation_id=thread,
        subject=word(at(message, "subject")),
        text=text,
        attachments=[*files, *pictures],
    )


def _customer(contact: str | None, address: str | None, name: str | None, otherwise: str) -> Customer:
    reached = by_address(address, name) if address else None
    known = contact or (reached.id if reached else None) or otherwise.removeprefix("V-")
    if not known:
        raise NotUnderstood("the customer is missing")
    return Customer(known, name, reached.email if reached else None, reached.phone if reached else None)


async def _ticket(thing: str, asking: Asking) -> Heard:
    wanted = {"properties": _TICKET_FIELDS, "associations": "contacts"}
    ticket = await asking.get(f"/crm/v3/objects/tickets/{thing}", wanted)
    contact = word(at(ticket, "associations", "contacts", "results", 0, "id"))
    if contact is None:
        return Nothing("a ticket without a customer")
    person = await asking.get(f"/crm/v3/objects/contacts/{contact}", {"properties": "firstname,lastname,email,phone"})
    first, last = (word(at(person, "properties", one)) for one in ("firstname", "lastname"))
    channel = _SOURCES.get((word(at(ticket, "properties", "source_type")) or "").upper(), "other")
    text, pictures = said(at(ticket, "properties", "content"), mail=channel == "email")
    return Contact(
        event_id=f"ticket-{thing}",
        occurred_at=moment(at(ticket, "properties", "createdate") or at(ticket, "createdAt")),
        channel=channel,
        customer=Customer(
            contact,
            full_name(first, last),
            word(at(person, "properties", "email")),
            word(at(person, "properties", "phone")),
        ),
        conversation_id=word(at(ticket, "properties", "hs_conversations_originating_thread_id")) or f"ticket-{thing}",
        subject=word(at(ticket, "properties", "subject")),
        text=text,
        attachments=pictures,
    )


ADAPTER = Adapter(
    tool="hubspot",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api.hubapi.com",
    paste=(
        "The secret is the app's client secret.\n"
        "App > Webhooks > Target URL: {url}\n"
        "Subscriptions: conversation.newMessage, ticket.creation\n"
        "Scopes of the token: conversations.read, tickets, crm.objects.contacts.read"
    ),
    probe=b'[{"eventId":1,"subscriptionType":"contact.creation","objectId":1,"occurredAt":1767225600000}]',
    options={
        "api_token": "access token of a private app, to ask for what was said",
    },
)
