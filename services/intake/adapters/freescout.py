"""FreeScout (module API & Webhooks): the whole conversation with every event, its threads and all.

https://freescout.net/module/api-webhooks, https://api-docs.freescout.net. The signature has no time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

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
    Heard,
    Nothing,
    NotUnderstood,
    Request,
    Response,
    Staff,
    Thin,
    Verdict,
    each,
)
from .pieces.signing import digest, in_base64, mac, signed

_CHANNELS: Final[Mapping[str, Channel]] = {"email": "email", "phone": "phone", "chat": "chat"}
_WEB: Final = frozenset({"web", "portal", "form"})
#: a conversation as it was when somebody spoke; other events tell of no message
_SPOKEN: Final = frozenset({"", "convo.created", "convo.customer.reply.created", "convo.agent.reply.created"})


def _signature(body: bytes, secret: str) -> str:
    return in_base64(mac(secret, body, "sha1"))


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """X-FreeScout-Signature: HMAC-SHA1 over the body, in base 64."""
    return signed(request.header("x-freescout-signature"), _signature(request.body, endpoint.secret))


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The signature that FreeScout sends; the event's name is beside it."""
    return {"X-FreeScout-Signature": _signature(body, endpoint.secret)}


def identity(request: Request) -> str:
    """FreeScout numbers no deliveries; a repeat has the same event and bytes."""
    return digest(request.header("x-freescout-event"), request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Every thread that the customer can see."""
    event = request.header("x-freescout-event").lower()
    if event not in _SPOKEN:
        return [Nothing(f"{event}: nobody said anything")]
    return _conversation(json_of(request))


def _conversation(told: Any) -> list[Heard]:
    needed(at(told, "id"), "the conversation's id")
    if word(at(told, "status")) == "spam":
        return [Nothing("spam")]
    threads = listed(at(told, "_embedded", "threads"))
    if not threads:
        return [Thin("the threads of the conversation")]
    # FreeScout lists the newest first
    in_order = sorted(threads, key=lambda one: (word(at(one, "id")) or "").zfill(16))
    return each(in_order, lambda one: [_thread(told, one)])


def _thread(told: Any, thread: Any) -> Heard:
    kind, state = word(at(thread, "type")), word(at(thread, "state"))
    if state not in (None, "published"):
        return Nothing(f"a thread that is {state}")
    if kind not in ("customer", "message", "phone"):
        return Nothing(f"a {kind}")
    conversation = needed(at(told, "id"), "the conversation's id")
    thread_id = needed(at(thread, "id"), "the thread's id")
    written_at = moment(at(thread, "createdAt"), "createdAt")
    channel = _CHANNELS.get(word(at(told, "type")) or "", "other")
    if channel == "email" and word(at(thread, "source", "type")) in _WEB:
        channel = "web"
    text, pictures = said(at(thread, "body") or at(thread, "text"), mail=channel == "email")
    staff = _staff(at(thread, "createdBy"))
    if kind == "message":
        if staff is None or "workflow" in str(at(thread, "action", "type") or at(thread, "source", "type")):
            return Nothing("an automatic message")
        return Response(thread_id, written_at, conversation, staff, text, order=thread_id.zfill(16))
    files = names_in(at(thread, "_embedded", "attachments"), "fileName", "filename", "name")
    return Contact(
        event_id=thread_id,
        occurred_at=written_at,
        channel=channel,
        customer=_customer(at(thread, "customer") or at(told, "customer"), at(thread, "createdBy")),
        conversation_id=conversation,
        subject=word(at(told, "subject")),
        text=text,
        # an agent who enters what a customer says has taken the contact
        responder=staff,
        attachments=[*files, *pictures],
        order=thread_id.zfill(16),
    )


def _staff(author: Any) -> Staff | None:
    if word(at(author, "type")) != "user":
        return None
    return Staff(needed(at(author, "id"), "the author's id"), _name(author), word(at(author, "email")))


def _customer(person: Any, author: Any) -> Customer:
    if person is None and word(at(author, "type")) == "customer":
        person = author
    known, address = word(at(person, "id")), word(at(person, "email"))
    phone = word(at(person, "phone")) or word(at(person, "phones", 0, "value"))
    if known is not None:
        return Customer(known, _name(person), address, phone)
    if address is None:
        raise NotUnderstood("the customer is missing")
    return by_address(address, _name(person))


def _name(person: Any) -> str | None:
    # Help Scout's old names of the same fields are in older versions of the module
    first = word(at(person, "firstName")) or word(at(person, "first"))
    return full_name(first, word(at(person, "lastName")) or word(at(person, "last")))


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks for the conversation with its threads."""
    conversation = needed(at(json_of(request), "id"), "the conversation's id")
    if not conversation.isdecimal():
        raise NotUnderstood("the conversation's id is no number")
    return _conversation(await asking.get(f"/api/conversations/{conversation}", {"embed": "threads"}))


def authorize(endpoint: Endpoint, url: str, now: datetime) -> Mapping[str, str]:
    """The key from Manage > Settings > API & Webhooks."""
    return {"X-FreeScout-API-Key": endpoint.option("api_token") or ""}


ADAPTER = Adapter(
    tool="freescout",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    authorize=authorize,
    paste=(
        "Manage > Settings > API & Webhooks: the secret key there is the secret.\n"
        "Webhook URL: {url}\n"
        "Events: convo.created, convo.customer.reply.created, convo.agent.reply.created"
    ),
    probe=b'{"id":1,"status":"spam"}',
    options={
        "api_url": "address of your FreeScout",
        "api_token": "API key, to ask for threads that an event leaves out",
    },
)
