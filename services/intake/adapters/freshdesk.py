"""Freshdesk automations that trigger a webhook: whatever the operator ticked, as far as it tells who said what.

They cannot sign, and tell neither the author of a reply nor its time: with the API configured both are asked for;
without, a reply counts by the name that stands before the latest public comment. The assignee is never taken for it.
https://support.freshdesk.com/en/support/solutions/articles/132589-using-webhooks-in-automation-rules
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_mail, by_name, by_phone
from .pieces.quoted import said
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
)
from .pieces.signing import carried as verify
from .pieces.signing import digest, in_base64

_CHANNELS: Final[Mapping[str, Channel]] = {
    "1": "email",
    "email": "email",
    "2": "web",
    "portal": "web",
    "3": "phone",
    "phone": "phone",
    "7": "chat",
    "chat": "chat",
    "9": "web",
    "feedback widget": "web",
    "10": "email",
    "outbound email": "email",
    "5": "social",
    "twitter": "social",
    "6": "social",
    "facebook": "social",
    "whatsapp": "social",
}
#: pages of a ticket's conversation that are asked for, of a hundred messages each
_MOST_PAGES = 10


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The header that an automation with authentication would send."""
    return {"authorization": f"Basic {in_base64(f'webhook:{endpoint.secret}'.encode())}"}


def identity(request: Request) -> str:
    """A hash of all that came. What tells neither a text nor a time is new each time: two replies may look alike."""
    ticket = _ticket(request)
    if _created(ticket) or _comment(ticket) or word(_of(ticket, "updated_at", "ticket_updated_at")):
        return digest(request.body)
    return digest(request.body, request.received_at.isoformat())


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """A ticket that was opened, or a public comment."""
    ticket = _ticket(request)
    event = str(_of(ticket, "triggered_event", "event") or "").lower()
    if "private" in event:
        return [Nothing("a private note")]
    if _created(ticket):
        return [_opening(request, ticket)]
    if not any(mark in event for mark in ("note", "reply", "comment")):
        return [Nothing("no message of anybody")]
    if endpoint.option("api_token"):
        return [Thin("who said it, and when")]
    comment = _comment(ticket)
    if comment is None:
        return [Thin("who said it, and what")]
    return [_said(request, ticket, *comment)]


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """The whole ticket: each public message with its author and time."""
    number = needed(_of(_ticket(request), "ticket_id", "id"), "ticket_id")
    whole = await asking.get(f"/api/v2/tickets/{number}", {"include": "requester"})
    found: list[Heard] = [_described(whole)]
    names: dict[str, Any] = {}
    for page in range(1, _MOST_PAGES + 1):
        params = {"page": str(page), "per_page": "100"}
        messages = listed(await asking.get(f"/api/v2/tickets/{number}/conversations", params))
        for one in messages:
            author = word(at(one, "user_id"))
            if author and at(one, "incoming") is False and at(one, "private") is False and author not in names:
                names[author] = await asking.get(f"/api/v2/agents/{author}")
            found.append(_message(whole, one, names))
        if len(messages) < 100:
            break
    return found


def _ticket(request: Request) -> Mapping[str, Any]:
    body = json_of(request)
    inner = body.get("freshdesk_webhook", body)
    if not isinstance(inner, Mapping):
        raise NotUnderstood("freshdesk_webhook is no object")
    return inner


def _of(ticket: Mapping[str, Any], *names: str) -> Any:
    return next((ticket[name] for name in names if ticket.get(name) not in (None, "")), None)


def _created(ticket: Mapping[str, Any]) -> bool:
    event = str(_of(ticket, "triggered_event", "event") or "").lower()
    return "ticket_action:created" in event.replace(" ", "") or event in ("ticket_created", "ticket.created", "created")


def _channel(ticket: Any) -> Channel:
    source = _of(ticket, "ticket_source", "source")
    return "email" if source is None else _CHANNELS.get(str(source).lower(), "other")


def _requester(ticket: Mapping[str, Any]) -> Customer:
    name = word(_of(ticket, "ticket_requester_name", "requester_name", "ticket_contact_name"))
    email = word(_of(ticket, "ticket_requester_email", "requester_email", "ticket_contact_email"))
    phone = word(_of(ticket, "ticket_requester_phone", "requester_phone", "ticket_contact_phone"))
    own = word(_of(ticket, "requester_id", "ticket_requester_id", "ticket_contact_id"))
    known = own or (by_mail(email) if email else by_phone(phone) if phone else by_name(name) if name else None)
    return Customer(needed(known, "the requester"), name, email, phone)


def _time(request: Request, ticket: Mapping[str, Any], *names: str) -> datetime:
    # a template may write a time as people read it: then the receipt has to do
    try:
        return moment(_of(ticket, *names))
    except NotUnderstood:
        return request.received_at


def _opening(request: Request, ticket: Mapping[str, Any]) -> Heard:
    number = needed(_of(ticket, "ticket_id", "id"), "ticket_id")
    text, pictures = said(_of(ticket, "ticket_description", "description"), mail=_channel(ticket) == "email")
    return Contact(
        f"ticket-{number}-first",
        _time(request, ticket, "ticket_created_at", "created_at"),
        _channel(ticket),
        _requester(ticket),
        number,
        word(_of(ticket, "ticket_subject", "subject")),
        text,
        attachments=pictures,
    )


def _comment(ticket: Mapping[str, Any]) -> tuple[str, str] | None:
    """(author, words) of the latest public comment, which begins with its author's name."""
    latest = _of(ticket, "ticket_latest_public_comment", "latest_public_comment")
    name, colon, words = str(latest or "").partition(" : ")
    named = word(name)
    return (named, words) if colon and named and len(named) <= 100 and "<" not in named else None


def _said(request: Request, ticket: Mapping[str, Any], author: str, words: str) -> Heard:
    number = needed(_of(ticket, "ticket_id", "id"), "ticket_id")
    customer = _requester(ticket)
    channel = _channel(ticket)
    text, pictures = said(words, mail=channel == "email")
    occurred_at = _time(request, ticket, "updated_at", "ticket_updated_at")
    when = word(_of(ticket, "updated_at", "ticket_updated_at")) or ""
    event_id = f"ticket-{number}-{digest(author, text, when)[:32]}"
    if author != customer.name:
        mine = word(_of(ticket, "ticket_agent_name")) == author
        email = word(_of(ticket, "ticket_agent_email")) if mine else None
        return Response(event_id, occurred_at, number, Staff(by_name(author), author, email), text, customer.id)
    subject = word(_of(ticket, "ticket_subject", "subject"))
    return Contact(event_id, occurred_at, channel, customer, number, subject, text, attachments=pictures)


def _whose(whole: Any) -> Customer:
    requester = at(whole, "requester")
    email, phone = word(at(requester, "email")), word(at(requester, "phone")) or word(at(requester, "mobile"))
    number = needed(at(whole, "requester_id"), "requester_id")
    known = by_mail(email) if email else by_phone(phone) if phone else number
    return Customer(known, word(at(requester, "name")), email, phone)


def _described(whole: Any) -> Heard:
    number = needed(at(whole, "id"), "id")
    text, pictures = said(at(whole, "description") or at(whole, "description_text"), mail=_channel(whole) == "email")
    return Contact(
        f"ticket-{number}-first",
        moment(at(whole, "created_at"), "created_at"),
        _channel(whole),
        _whose(whole),
        number,
        word(at(whole, "subject")),
        text,
        attachments=[*pictures, *names_in(at(whole, "attachments"), "name")],
    )


def _message(whole: Any, one: Any, names: Mapping[str, Any]) -> Heard:
    if at(one, "private") is not False:
        return Nothing("a private note")
    number, event_id = needed(at(whole, "id"), "id"), needed(at(one, "id"), "the message's id")
    author, customer = word(at(one, "user_id")), _whose(whole)
    occurred_at = moment(at(one, "created_at"), "created_at")
    text, pictures = said(at(one, "body") or at(one, "body_text"), mail=_channel(whole) == "email")
    if at(one, "incoming") is False:
        if author is None:
            return Nothing("a bot")
        told = at(names.get(author), "contact")
        staff = Staff(author, word(at(told, "name")), word(at(told, "email")))
        return Response(event_id, occurred_at, number, staff, text, customer.id, event_id.zfill(20))
    if author is not None and author != word(at(whole, "requester_id")):
        customer = Customer(author)
    return Contact(
        event_id,
        occurred_at,
        _channel(whole),
        customer,
        number,
        word(at(whole, "subject")),
        text,
        attachments=[*pictures, *names_in(at(one, "attachments"), "name")],
        order=event_id.zfill(20),
    )


def authorize(endpoint: Endpoint, url: str, now: datetime) -> Mapping[str, str]:
    """Freshdesk wants its API key as the user of Basic."""
    user = f"{endpoint.option('api_token')}:X"
    return {"authorization": f"Basic {in_base64(user.encode())}"}


ADAPTER = Adapter(
    tool="freshdesk",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    authorize=authorize,
    probe=b'{"freshdesk_webhook":{"ticket_id":"0","triggered_event":"{priority:{from:3,to:1}}"}}',
    paste="""Admin > Workflows > Automations, a rule each for: ticket is created; reply is sent; public note is added.
Action: Trigger webhook, POST, {url}
Requires authentication: yes, any user name, password: {secret} (or the custom header X-Api-Key: {secret})
Encoding: JSON, content: Simple; tick Triggered event, Ticket ID, Subject, Description, Latest public comment,
Requester name, Requester email, Requester phone.
Freshdesk tells neither who wrote a reply nor when: give
--option api_url=https://YOURS.freshdesk.com --option api_token=API-KEY to have both asked for.""",
)
