"""Genesys Cloud: detail events and conversations, by EventBridge, by a trigger's workflow, or as notifications; what
agents write in open messaging. EventBridge and workflows carry the secret, open messaging signs.

https://developer.genesys.cloud/notificationsalerts/notifications/available-topics, …/platform/integrations/
amazon-eventbridge, …/commdigital/digital/openmessaging. An event names nobody: names and words come from the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, listed, moment, names_in, needed, word
from .pieces.people import by_caller
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
from .pieces.signing import carried, digest, in_base64, mac, signed
from .pieces.wordless import OPTION, as_told

_CHANNELS: Final[Mapping[str, Channel]] = {
    "voice": "phone", "call": "phone", "calls": "phone", "callback": "phone", "callbacks": "phone", "email": "email",
    "emails": "email", "chat": "chat", "chats": "chat", "message": "chat", "messages": "chat", "social": "social",
    "socialexpressions": "social",
}  # fmt: skip
_MESSAGES: Final[Mapping[str, Channel]] = {
    "sms": "sms", "whatsapp": "social", "facebook": "social", "twitter": "social", "line": "social",
    "instagram": "social", "apple": "social", "webmessaging": "chat", "open": "chat",
}  # fmt: skip
_DETAIL: Final = "v2.detail.events.conversation."
_MEDIA: Final = ("calls", "emails", "messages", "chats", "callbacks", "socialExpressions")


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """X-Hub-Signature-256 of open messaging, else the secret itself."""
    given = request.header("x-hub-signature-256")
    if given:
        made = mac(endpoint.secret, request.body)
        return signed(given, [f"sha256={in_base64(made)}", f"sha256={made.hex()}"])
    return carried(request, endpoint)


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """What a connection of EventBridge sends."""
    return {"X-Api-Key": endpoint.secret}


def identity(request: Request) -> str:
    """Notifications and triggers have no id, and EventBridge's stands in the body: a repeat has the same bytes."""
    return digest(request.body)


def _told(request: Request) -> tuple[str, Any]:
    """The topic and the event, out of whichever envelope."""
    told: Any = json_of(request)
    if at(told, "detail") is not None:
        told = told["detail"]
    body = at(told, "eventBody") if at(told, "eventBody") is not None else told
    return word(at(told, "topicName")) or word(at(told, "topic")) or "", body


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """A conversation that a customer began, and who of ours took it."""
    topic, event = _told(request)
    if at(event, "originatingEntity") is not None and at(event, "channel") is not None:
        return [_open_message(event)]
    if isinstance(at(event, "participants"), list):
        return _conversation(event, endpoint)
    if not topic.startswith(_DETAIL):
        if at(event, "conversationId") is None:
            raise NotUnderstood("no event of a conversation")
        return [Nothing("an event of a conversation that tells of no message")]
    conversation = needed(at(event, "conversationId"), "conversationId")
    kind = topic.removeprefix(_DETAIL).partition(".")[2]
    if (word(at(event, "direction")) or "INBOUND").upper() == "OUTBOUND":
        return [Nothing("a conversation that we began")]
    if kind == "customer.start":
        heard = _begun(event, endpoint, conversation)
        # a call has no words that could be asked for
        missing = str(heard.attributes.get("thin", "words"))
        asked = endpoint.option("api_token") and (missing, heard.channel) != ("words", "phone")
        return [Thin(missing)] if asked else [heard]
    if kind == "user.start":
        return [_taken(event, conversation, at(event, "userId"))]
    if kind == "acd.end" and word(at(event, "acdOutcome")) == "ANSWERED":
        return [_taken(event, conversation, at(event, "answeredUserId") or at(event, "userId"))]
    return [Nothing(f"{kind}: nobody said anything")]


def _channel(media: Any, kind: Any) -> Channel:
    spoken = _CHANNELS.get((word(media) or "").lower(), "other")
    return _MESSAGES.get((word(kind) or "").lower(), spoken) if spoken == "chat" else spoken


def _begun(event: Any, endpoint: Endpoint, conversation: str) -> Contact:
    address = word(at(event, "addressFrom")) or word(at(event, "ani"))
    known = word(at(event, "externalContactId")) or word(at(event, "conversationExternalContactIds", 0))
    customer, missing = _customer(known, address, None, conversation)
    told = Contact(
        event_id=conversation,
        occurred_at=moment(at(event, "eventTime"), "eventTime"),
        channel=_channel(at(event, "mediaType"), at(event, "messageType")),
        customer=customer,
        conversation_id=conversation,
        subject=word(at(event, "subject")),
    )
    return as_told(told, endpoint, missing)


def _customer(
    known: str | None, address: str | None, name: str | None, conversation: str
) -> tuple[Customer, str | None]:
    reached = by_caller(address, name)
    if reached is None:
        missing = None if known else "who the customer is"
        return Customer(known or f"conversation-{conversation}", name), missing
    return replace(reached, id=known or reached.id), None


def _taken(event: Any, conversation: str, user: Any) -> Heard:
    agent = word(user)
    if agent is None:
        return Nothing("somebody took it, and it is not said who")
    return Response(
        f"{conversation}-{agent}"[:200], moment(at(event, "eventTime"), "eventTime"), conversation, Staff(agent)
    )


def _conversation(told: Any, endpoint: Endpoint) -> list[Heard]:
    """A conversation as it stands: who began it, and which users have been connected."""
    conversation = needed(at(told, "id") or at(told, "conversationId"), "the conversation's id")
    people = listed(at(told, "participants"))
    theirs = _theirs(told)
    if theirs is None:
        return [Nothing("a conversation without a customer")]
    media, session = _session(theirs)
    if (word(at(session, "direction")) or word(at(theirs, "direction")) or "inbound").lower() == "outbound":
        return [Nothing("a conversation that we began")]
    address = (
        word(at(theirs, "address")) or word(at(theirs, "ani")) or word(at(session, "fromAddress", "addressNormalized"))
    )
    name = word(at(theirs, "name"))
    customer, missing = _customer(word(at(theirs, "externalContactId")), address, name, conversation)
    began = at(theirs, "connectedTime") or at(theirs, "startTime") or at(told, "startTime")
    contact = Contact(
        event_id=conversation,
        occurred_at=moment(began, "the time at which it began"),
        channel=_channel(media, at(session, "type") or at(session, "messageType")),
        customer=customer,
        conversation_id=conversation,
        subject=word(at(session, "subject")),
    )
    found: list[Heard] = [as_told(contact, endpoint, missing)]
    for one in people:
        agent = word(at(one, "userId")) or word(at(one, "user", "id"))
        connected = at(one, "connectedTime") or at(_session(one)[1], "connectedTime")
        if word(at(one, "purpose")) in ("agent", "user") and agent and connected:
            staff = Staff(agent, word(at(one, "name")))
            found.append(Response(f"{conversation}-{agent}"[:200], moment(connected), conversation, staff))
    return found


def _theirs(told: Any) -> Any:
    people = listed(at(told, "participants"))
    return next((one for one in people if at(one, "purpose") in ("customer", "external")), None)


def _session(participant: Any) -> tuple[str | None, Any]:
    for media in _MEDIA:
        for session in listed(at(participant, media)):
            return media, session
    return word(at(participant, "mediaType")), None


def _open_message(event: Any) -> Heard:
    if word(at(event, "originatingEntity")) != "Human" or word(at(event, "direction")) != "Outbound":
        return Nothing("an automatic message")
    needed(at(event, "id"), "the message's id")
    return Thin("which agent wrote the message")


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks for the conversation, and for the words of mails and messages."""
    _, event = _told(request)
    conversation = needed(at(event, "conversationId") or at(event, "channel", "conversationId"), "conversationId")
    told = await asking.get(f"/api/v2/conversations/{quote(conversation, safe='')}")
    found = _conversation(told, endpoint)
    if at(event, "originatingEntity") is not None:
        taken = [one for one in found if isinstance(one, Response)]
        if not taken:
            return [Nothing("no agent has the conversation")]
        sent_at = moment(at(event, "channel", "time"), "the message's time")
        written = needed(at(event, "id"), "the message's id")
        return [Response(written, sent_at, conversation, taken[-1].responder, word(at(event, "text")))]
    return [*await _first_words(told, found, conversation, asking), *found[1:]]


async def _first_words(told: Any, found: list[Heard], conversation: str, asking: Asking) -> list[Heard]:
    first = found[0]
    if not isinstance(first, Contact) or first.channel == "phone":
        return found[:1]
    place = quote(conversation, safe="")
    if first.channel == "email":
        messages = await asking.get(f"/api/v2/conversations/emails/{place}/messages")
        one = word(at(messages, "entities", 0, "id"))
        path = f"/api/v2/conversations/emails/{place}/messages/{quote(one or '', safe='')}"
    else:
        one = word(at(_session(_theirs(told))[1], "messages", 0, "messageId"))
        path = f"/api/v2/conversations/messages/{place}/messages/{quote(one or '', safe='')}"
    if one is None:
        return [first]
    message = await asking.get(path)
    text, pictures = said(at(message, "htmlBody"))
    text = text or said_plainly(at(message, "textBody"), mail=first.channel == "email")
    files = names_in(at(message, "attachments"), "name")
    subject = word(at(message, "subject")) or first.subject
    # heard like any other message, now that there is something to hear
    attributes, more = ({}, {}) if text or subject else (first.attributes, first.more)
    whole = replace(first, subject=subject, text=text, attributes=attributes, more=more)
    return [replace(whole, attachments=[*files, *pictures])]


ADAPTER = Adapter(
    tool="genesys-cloud",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    api_url="https://api.mypurecloud.com",
    paste=(
        "EventBridge > Connections: API key, name X-Api-Key, value {secret}\n"
        "EventBridge > API destinations: POST {url}\n"
        "Genesys > Integrations > Amazon EventBridge Source, topics:\n"
        "  v2.detail.events.conversation.{{id}}.customer.start, .user.start and .acd.end\n"
        "Open messaging: outbound notification webhook {url}, its secret token is the secret"
    ),
    probe=b'{"detail":{"topicName":"v2.detail.events.conversation.0.flow.start","eventBody":{"conversationId":"0"}}}',
    options={
        "api_url": "your region's, where that is not https://api.mypurecloud.com",
        "api_token": "access token, to ask for names and words that an event leaves out",
        **OPTION,
    },
)
