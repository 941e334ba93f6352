"""Intercom webhooks, of all versions of its API: conversations, their parts, and tickets.

Signed: sha1=hex(HMAC-SHA1(client secret, raw body)), without a time. Intercom looks with HEAD whether anybody is there.
https://developers.intercom.com/docs/webhooks/setting-up-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_own_id
from .pieces.quoted import said
from .pieces.shape import (
    Adapter,
    Asking,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    Reply,
    Request,
    Response,
    Staff,
    Thin,
    Verdict,
    each,
)
from .pieces.signing import digest, mac, signed

#: topics whose item opens with a message, and those whose parts hold what is new
_OPENING: Final = frozenset({"conversation.user.created", "conversation.admin.single.created", "conversation.created"})
_REPLYING: Final = frozenset({"conversation.user.replied", "conversation.admin.replied"})
_TICKETS: Final = frozenset({"ticket.contact.replied", "ticket.admin.replied"})
_CUSTOMERS: Final = frozenset({"user", "lead", "contact"})
#: how messages come that nobody writes, though they are signed with a name
_AUTOMATIC: Final = frozenset({"automated", "campaigns_initiated", "operator_initiated"})
_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email",
    "sms": "sms",
    "phone_call": "phone",
    "phone_switch": "phone",
    "conversation": "chat",
    "push": "app",
    "facebook": "social",
    "instagram": "social",
    "twitter": "social",
    "whatsapp": "social",
}


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The signature over the body."""
    return signed(request.header("x-hub-signature"), f"sha1={mac(endpoint.secret, request.body, 'sha1').hex()}")


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The header that Intercom would send."""
    return {"x-hub-signature": f"sha1={mac(endpoint.secret, body, 'sha1').hex()}"}


def identity(request: Request) -> str:
    """The notification's id, which stays the same when it is delivered again."""
    return word(json_of(request).get("id")) or digest(request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """What customers and admins say; not what bots, operators and notes say."""
    body = json_of(request)
    topic = needed(body.get("topic"), "topic")
    item = at(body, "data", "item")
    if topic in _OPENING:
        return [_opening(item)]
    if topic in _REPLYING:
        # the message that opened the conversation comes along each time; it is known by its id
        first = _opening(item)
        parts = _parts(item, at(item, "conversation_parts", "conversation_parts"))
        return parts if isinstance(first, Thin) else [first, *parts]
    if topic == "ticket.created":
        return [_ticket(item)]
    if topic in _TICKETS:
        ticket = at(item, "ticket") or item
        own = [item["ticket_part"]] if isinstance(at(item, "ticket_part"), Mapping) else None
        return _parts(ticket, own or at(ticket, "ticket_parts", "ticket_parts"))
    return [Nothing("no message of anybody")]


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """The whole conversation, where a notification came without its parts."""
    item = at(json_of(request), "data", "item")
    where = needed(at(item, "id"), "data.item.id")
    whole = await asking.get(f"/conversations/{where}")
    return [_opening(whole), *_parts(whole, at(whole, "conversation_parts", "conversation_parts"))]


def _opening(item: Any) -> Heard:
    # `source` from version 2.0 on, `conversation_message` before
    message = at(item, "source") or at(item, "conversation_message")
    where = needed(at(item, "id"), "data.item.id")
    if message is None:
        return Thin("the first message of a conversation")
    return _said(item, where, message, at(item, "created_at"), at(message, "subject"))


def _parts(item: Any, parts: Any) -> list[Heard]:
    where = needed(at(item, "id"), "data.item.id")
    found = [part for part in listed(parts) if isinstance(part, Mapping)]
    if not found:
        return [Thin("the reply in a conversation")]
    return each(found, lambda part: [_said(item, where, part, at(part, "created_at"), None)])


def _said(item: Any, where: str, message: Any, at_time: Any, subject: Any) -> Heard:
    # note, note_and_reopen, and whatever else will be a note
    if str(at(message, "part_type") or "comment").startswith("note"):
        return Nothing("a private note")
    if at(message, "redacted") is True:
        return Nothing("what was said has been taken back")
    author = at(message, "author")
    role = str(at(author, "type"))
    files = names_in(at(message, "attachments"), "name")
    channel = _CHANNELS.get(str(at(item, "source", "type") or "conversation"), "other")
    text, pictures = said(at(message, "body"), mail=channel == "email")
    if not text and not pictures and not files:
        return Nothing("nothing was said")
    event_id = needed(at(message, "id"), "the message's id")
    occurred_at = moment(at_time, "created_at")
    automatic = role == "admin" and at(message, "delivered_as") in _AUTOMATIC
    if automatic or at(author, "from_ai_agent") is True or at(author, "is_ai_answer") is True:
        return Nothing("a bot")
    if role == "admin":
        staff = Staff(needed(at(author, "id"), "author.id"), word(at(author, "name")), word(at(author, "email")))
        return Response(event_id, occurred_at, where, staff, text, _person(item)[0], order=event_id.zfill(20))
    if role not in _CUSTOMERS:
        return Nothing("a bot")
    return Contact(
        event_id,
        occurred_at,
        channel,
        _customer(item, author),
        where,
        said(subject, mail=False)[0].partition("\n")[0] or None,
        text,
        attachments=[*pictures, *files],
        order=event_id.zfill(20),
    )


def _person(item: Any) -> tuple[str | None, Any]:
    """The customer of a conversation: their id, and what is told of them."""
    contacts = at(item, "contacts", "contacts") or at(item, "contacts", "data")
    one = at(item, "user") or at(contacts, 0) or at(item, "contact")
    # the company's own id for a customer who has signed in; Intercom invents one for a lead
    own = word(at(one, "external_id")) or (word(at(one, "user_id")) if at(one, "type") == "user" else None)
    return by_own_id(own) or word(at(one, "id")), one


def _customer(item: Any, author: Any) -> Customer:
    customer_id, one = _person(item)
    same = word(at(one, "id")) == word(at(author, "id")) or one is None
    mine = customer_id if same and customer_id else needed(at(author, "id"), "author.id")
    told = [source for source in (author, one if same else None) if source is not None]

    def first(name: str) -> str | None:
        return next((value for source in told if (value := word(at(source, name)))), None)

    return Customer(mine, first("name"), first("email"), first("phone"))


def _ticket(item: Any) -> Heard:
    where = needed(at(item, "id"), "data.item.id")
    customer_id, one = _person(item)
    text, pictures = said(at(item, "ticket_attributes", "_default_description_"), mail=False)
    return Contact(
        f"ticket-{where}-first",
        moment(at(item, "created_at"), "created_at"),
        "web",
        Customer(needed(customer_id, "contacts"), word(at(one, "name")), word(at(one, "email"))),
        where,
        word(at(item, "ticket_attributes", "_default_title_")),
        text,
        attachments=pictures,
    )


def greet(request: Request, endpoint: Endpoint, now: datetime) -> Reply:
    """Intercom asks with HEAD before it accepts a URL."""
    return Reply()


ADAPTER = Adapter(
    tool="intercom",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api.intercom.io",
    greet=greet,
    probe=b'{"type":"notification_event","topic":"ping","id":null,"data":{"item":{"type":"ping"}}}',
    paste="""Developer Hub > your app > Webhooks.
Endpoint URL: {url}
Topics: conversation.user.created, conversation.user.replied, conversation.admin.replied,
conversation.admin.single.created, ticket.created, ticket.contact.replied, ticket.admin.replied.
The app's client secret (Basic information) is what is given here as --secret.""",
)
