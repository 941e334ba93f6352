"""Help Scout webhooks (v2): conversations with their threads.

Signed: base64(HMAC-SHA1(secret, raw body)), without a time and without an id of the delivery.
https://developer.helpscout.com/webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_mail, full_name
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

_SIGNATURE, _EVENT = "x-helpscout-signature", "x-helpscout-event"
_TELLING: Final = frozenset({"convo.created", "convo.customer.reply.created", "convo.agent.reply.created"})
#: threads that nobody outside sees
_PRIVATE: Final = frozenset({"note", "lineitem", "forwardparent", "forwardchild"})
_CHANNELS: Final[Mapping[str, Channel]] = {"email": "email", "chat": "chat", "phone": "phone"}


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The signature over the body."""
    return signed(request.header(_SIGNATURE), in_base64(mac(endpoint.secret, request.body, "sha1")))


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """The headers that Help Scout would send, to tell of a change of tags."""
    return {_SIGNATURE: in_base64(mac(endpoint.secret, body, "sha1")), _EVENT: "convo.tags"}


def identity(request: Request) -> str:
    """A hash over the event and the body: there is no id."""
    return digest(request.header(_EVENT), request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Every public thread that the conversation holds: what was told before is known by its id."""
    event = request.header(_EVENT)
    if not event:
        raise NotUnderstood("the header X-HelpScout-Event is missing")
    if event not in _TELLING:
        return [Nothing("no message of anybody")]
    conversation = json_of(request)
    if word(conversation.get("status")) == "spam":
        return [Nothing("spam")]
    threads = at(conversation, "_embedded", "threads")
    if threads is None and isinstance(conversation.get("threads"), list):
        threads = conversation["threads"]
    if not isinstance(threads, list):
        return [Thin("the threads of a conversation")]
    return _threads(conversation, threads)


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """The threads of a conversation."""
    conversation = json_of(request)
    where = needed(conversation.get("id"), "id")
    answer = await asking.get(f"/v2/conversations/{where}/threads")
    return _threads(conversation, listed(at(answer, "_embedded", "threads")))


def _threads(conversation: Any, threads: Sequence[Any]) -> list[Heard]:
    where = needed(at(conversation, "id"), "id")
    return each(threads, lambda one: [_thread(conversation, where, one)]) or [Nothing("it has no threads")]


def _thread(conversation: Any, where: str, thread: Any) -> Heard:
    kind = str(at(thread, "type") or "")
    if kind in _PRIVATE or at(thread, "state") in ("draft", "hidden", "review", "underreview"):
        return Nothing("a private note")
    channel = _CHANNELS.get(str(at(conversation, "type")), "other")
    text, pictures = said(at(thread, "body"), mail=channel == "email")
    author = at(thread, "createdBy")
    role = at(author, "type")
    event_id = needed(at(thread, "id"), "the thread's id")
    occurred_at = moment(at(thread, "createdAt"), "createdAt")
    # a thread of a call is what an agent wrote down of what the customer said
    if role == "user" and kind not in ("customer", "phone"):
        # the first version of payloads writes actionType
        told = at(thread, "action", "type") or at(thread, "actionType") or at(thread, "source", "type")
        if "workflow" in str(told or ""):
            return Nothing("a workflow")
        known = _customer(at(thread, "customer") or at(conversation, "primaryCustomer"))
        known_id = known.id if known else None
        return Response(event_id, occurred_at, where, _staff(author), text, known_id, event_id.zfill(20))
    if role not in ("customer", "user"):
        return Nothing("a bot")
    # an agent who writes down what a customer said has spoken to them
    wrote = _staff(author)
    customer = _customer(at(thread, "customer") or author) or _customer(at(conversation, "primaryCustomer"))
    files = names_in(at(thread, "_embedded", "attachments"), "filename")
    return Contact(
        event_id,
        occurred_at,
        channel,
        customer or Customer(needed(None, "the thread's customer")),
        where,
        word(at(conversation, "subject")),
        text,
        wrote if role == "user" else None,
        attachments=[*pictures, *files],
        order=event_id.zfill(20),
    )


def _staff(author: Any) -> Staff:
    return Staff(needed(at(author, "id"), "createdBy.id"), _name(author), word(at(author, "email")))


def _customer(one: Any) -> Customer | None:
    email = word(at(one, "email"))
    customer_id = word(at(one, "id")) or (by_mail(email) if email else None)
    if customer_id is None or at(one, "type") == "user":
        return None
    return Customer(customer_id, _name(one), email)


def _name(one: Any) -> str | None:
    return full_name(
        word(at(one, "first")) or word(at(one, "firstName")), word(at(one, "last")) or word(at(one, "lastName"))
    )


ADAPTER = Adapter(
    tool="helpscout",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api.helpscout.net",
    probe=b'{"id":0,"tags":[]}',
    paste="""Manage > Apps > Webhooks.
Callback URL: {url}
Secret key: {secret}
Events: Conversation created, Customer reply, Agent reply. Payload version: v2.
Where a delivery leaves the threads out, --option api_token=… (an OAuth access token) has them asked for.""",
)
