"""Amazon Connect: contact events by EventBridge, chat messages and events by SNS, contact records by whatever carries
them. None of these signs what it sends so that a key of ours could check it: the secret comes with the request.

https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html, …/chat-message-streaming.html,
…/ctr-data-model.html, https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html

Events name neither customers nor agents: the API does, where the endpoint has a key for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Channel

from .pieces.body import any_json, at, json_of, listed, moment, names_in, needed, word
from .pieces.connect_api import OPTIONS, Described, authorize, fault, lower, may_ask
from .pieces.people import by_caller, by_name, full_name
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
from .pieces.wordless import OPTION, as_told

_CHANNELS: Final[Mapping[str, Channel]] = {"voice": "phone", "chat": "chat", "email": "email"}
_SUBTYPES: Final[Mapping[str, Channel]] = {
    "connect:sms": "sms", "connect:whatsapp": "social", "connect:apple": "social", "connect:telephony": "phone",
    "connect:webrtc": "phone", "connect:email": "email",
}  # fmt: skip
#: ways to begin that are not the customer's
_OURS: Final = frozenset({"outbound", "external_outbound", "monitor", "agent_reply"})
_CONFIRMS: Final = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/\?[!-~]{1,2000}", re.ASCII)
#: what an event says of a time that has not come
_NOT_YET: Final = 1971
#: how the id begins of whoever is on the other side of one contact, where nothing tells who that is
_NOBODY: Final = "contact-"


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The secret itself: API key or password of an EventBridge connection, or ?key= of an SNS subscription."""
    return carried(request, endpoint)


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """What a connection of EventBridge sends."""
    return {"X-Api-Key": endpoint.secret}


def identity(request: Request) -> str:
    """The event's or the notification's id and its bytes, which a repeat shares."""
    told = json_of(request)
    return digest(word(at(told, "MessageId")) or word(at(told, "id")) or "", request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Contacts, the agents who took them, and the messages of chats."""
    told: Any = json_of(request)
    attributes = None
    if at(told, "TopicArn") is not None and at(told, "Type") is not None:
        if told["Type"] == "SubscriptionConfirmation":
            return [Thin("that the subscription is confirmed: open the SubscribeURL")]
        if told["Type"] != "Notification" or not isinstance(told.get("Message"), str):
            return [Nothing("a notice about the subscription")]
    detail, attributes = _event(request)
    if detail is None:
        return [Nothing("an event about something else than a contact")]
    said = _said(detail, attributes, endpoint)
    lacking = " and ".join(filter(None, dict.fromkeys(_lacks(one) for one in said)))
    if lacking and "currentagentsnapshot" not in detail and may_ask(detail, attributes, endpoint):
        return [Thin(lacking)]
    return said


def _event(request: Request) -> tuple[dict[str, Any] | None, Any]:
    """What the event tells, and the attributes of the notification that it came in; None of what is no contact's."""
    told: Any = json_of(request)
    attributes = None
    if at(told, "TopicArn") is not None:
        attributes = lower(told.get("MessageAttributes"))
        told = any_json(str(told.get("Message")).encode())
    if at(told, "detail-type") not in (None, "Amazon Connect Contact Event"):
        return None, attributes
    inside = (at(told, "detail"), at(told, "Details", "ContactData"))  # an event; what a flow hands to a function
    detail = lower(next((one for one in inside if one is not None), told))
    if not isinstance(detail, dict):
        raise NotUnderstood("the event's detail is no object")
    if at(detail, "initiationtimestamp") is None:
        detail["initiationtimestamp"] = at(told, "time") or request.received_at.isoformat()
    return detail, attributes


def _said(detail: Any, attributes: Any, endpoint: Endpoint) -> Sequence[Heard]:
    if at(detail, "currentagentsnapshot") is not None:
        return _snapshot(detail) or [Nothing("an agent without a contact")]
    if at(detail, "participantrole") is not None and at(detail, "absolutetime") is not None:
        return [_chat(detail, attributes)]
    if at(detail, "contactid") is None:
        raise NotUnderstood("neither an event of a contact nor a message of a chat")
    return _contact(detail, endpoint)


def _lacks(heard: Heard) -> str | None:
    if isinstance(heard, Contact) and heard.customer.id.startswith(_NOBODY):
        return "who the customer is"
    if isinstance(heard, Response) and heard.responder.email is None:
        return "who the agent is"
    return None


def _root(detail: Any) -> str:
    """The contact that a chain of transfers began with."""
    return needed(at(detail, "initialcontactid") or at(detail, "contactid"), "contactId")


def _contact(detail: Any, endpoint: Endpoint) -> list[Heard]:
    contact, root = needed(at(detail, "contactid"), "contactId"), _root(detail)
    began = (word(at(detail, "initiationmethod")) or "").lower()
    spoken = (word(at(detail, "channel")) or "").lower()
    if spoken == "task":
        return [Nothing("a task among colleagues")]
    if began == "agent_reply":
        return [_mailed(detail, contact, root)]
    # StartOutboundVoiceContact is the API's only call; chats are begun by customers through it
    if began in _OURS or (began == "api" and spoken == "voice") or (began == "flow" and spoken == "email"):
        return [Nothing(f"a contact that we began: {began}")]
    found: list[Heard] = []
    if contact == root and at(detail, "previouscontactid") in (None, "", contact):
        customer, missing = _customer(detail, root)
        told = Contact(
            event_id=contact,
            occurred_at=moment(at(detail, "initiationtimestamp"), "initiationTimestamp"),
            channel=_channel(detail, spoken),
            customer=customer,
            conversation_id=root,
        )
        found.append(as_told(told, endpoint, missing))
    taken = _taken(detail, contact, root)
    return [*found, taken] if taken else found or [Nothing("a contact handed on, and nobody has it yet")]


def _channel(detail: Any, spoken: str) -> Channel:
    subtype = at(detail, "segmentattributes", "connect:subtype")
    named = word(at(subtype, "valuestring")) or word(subtype) or ""
    return _SUBTYPES.get(named.lower(), _CHANNELS.get(spoken, "other"))


def _customer(detail: Any, root: str) -> tuple[Customer, str | None]:
    address = word(at(detail, "customerendpoint", "address"))
    name = word(at(detail, "customerendpoint", "displayname"))
    if (caller := by_caller(address, name)) is not None:
        return caller, None
    known = word(at(detail, "customerid"))
    if known is not None:
        return Customer(known, name), None
    return Customer(_anonymous(root), name), "who the customer is"


def _anonymous(root: str) -> str:
    return f"{_NOBODY}{root}"


def _agent(info: Any) -> Staff | None:
    # the id is the last part of the ARN, as the agent's page and the API name it
    found = (word(at(info, "agentarn") or at(info, "arn") or at(info, "id")) or "").rpartition("/")[2]
    name = word(at(info, "username"))
    address = word(at(info, "email")) or (name if "@" in (name or "") else None)
    return Staff(found, name, address) if found else None


def _taken(detail: Any, contact: str, root: str) -> Response | None:
    """The agent who accepted, where the event says when: 1970 stands for not yet."""
    info = at(detail, "agentinfo") or at(detail, "agent")
    agent = _agent(info)
    given = at(info, "connectedtoagenttimestamp")
    if agent is None or not given or (taken_at := moment(given)).year < _NOT_YET:
        return None
    return Response(f"{contact}-{agent.id}"[:200], taken_at, root, agent)


def _snapshot(detail: Any) -> list[Heard]:
    """An agent and the contacts that they have right now (agent event streams)."""
    now = at(detail, "currentagentsnapshot")
    first, last = (word(at(now, "configuration", part)) for part in ("firstname", "lastname"))
    name = full_name(first, last) or word(at(now, "configuration", "username"))
    found: list[Heard] = []
    for one in listed(at(now, "contacts")):
        began = (word(at(one, "initiationmethod")) or "").lower()
        info = {"arn": at(detail, "agentarn"), "username": name, **(one if isinstance(one, dict) else {})}
        taken = _taken({"agent": info}, needed(at(one, "contactid"), "ContactId"), _root(one))
        if taken and began not in _OURS and (word(at(one, "channel")) or "").lower() != "task":
            found.append(taken)
    return found


def _mailed(detail: Any, contact: str, root: str) -> Heard:
    agent = _agent(at(detail, "agentinfo"))
    answered = word(at(detail, "relatedcontactid")) or root
    if agent is None or answered == contact:
        return Nothing("an answer by mail of which the agent is not known yet")
    return Response(contact, moment(at(detail, "initiationtimestamp"), "initiationTimestamp"), answered, agent)


def _chat(detail: Any, attributes: Any) -> Heard:
    role = (word(at(detail, "participantrole")) or "").upper()
    seen_by = (word(at(attributes, "messagevisibility", "value")) or "ALL").upper()
    if word(at(detail, "type")) not in ("MESSAGE", "ATTACHMENT"):
        return Nothing("nothing that was written")
    if role not in ("CUSTOMER", "AGENT"):
        return Nothing("an automatic message")
    if role == "AGENT" and seen_by == "AGENT":
        return Nothing("a message among colleagues")
    root = _root(detail)
    event_id, written_at = needed(at(detail, "id"), "Id"), moment(at(detail, "absolutetime"), "AbsoluteTime")
    name = word(at(detail, "displayname"))
    content = at(detail, "content")
    text = content if isinstance(content, str) else None
    if role == "AGENT":
        agent = _agent(at(detail, "agentinfo")) or _shown(name, detail)
        return Response(event_id, written_at, root, agent, text)
    return Contact(
        event_id=event_id,
        occurred_at=written_at,
        channel="chat",
        customer=replace(_customer(detail, root)[0], name=name),
        conversation_id=root,
        text=text,
        attachments=names_in(at(detail, "attachments"), "attachmentname"),
    )


def _shown(name: str | None, detail: Any) -> Staff:
    """A chat names its agents by what customers see, and numbers them anew each time: the name stays the same."""
    if name is None:
        return Staff(needed(at(detail, "participantid"), "ParticipantId"))
    return Staff(by_name(name), name)


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks who the customer and the agent are; confirms a subscription of SNS, at an address of SNS alone."""
    told = json_of(request)
    if at(told, "Type") == "SubscriptionConfirmation":
        address = word(at(told, "SubscribeURL")) or ""
        if not _CONFIRMS.fullmatch(address):
            raise NotUnderstood("the SubscribeURL is none of SNS's")
        await asking.visit(address)
        return [Nothing("the subscription is confirmed")]
    detail, attributes = _event(request)
    if detail is None:
        return [Nothing("an event about something else than a contact")]
    if may_ask(detail, attributes, endpoint):
        await _ask(detail, _said(detail, attributes, endpoint), Described(asking, detail, attributes, endpoint))
    return _said(detail, attributes, endpoint)


async def _ask(detail: dict[str, Any], said: Sequence[Heard], described: Described) -> None:
    """Puts into the event what it leaves out."""
    for one in said:
        if isinstance(one, Contact) and _lacks(one):
            known = await described.contact(_root(detail))
            names = ("customerendpoint", "customerid", "segmentattributes")
            for name in names if "participantrole" in detail else (*names, "agentinfo"):
                # what the event says itself goes before: it tells how things were then
                detail[name] = detail.get(name) or known.get(name)
        elif isinstance(one, Response) and at(detail, "agentinfo") is None:
            known = await described.contact(needed(at(detail, "contactid"), "contactId"), with_agent=True)
            detail["agentinfo"] = known.get("agentinfo")
    agent = _agent(detail.get("agentinfo"))
    if agent is not None and agent.email is None:
        detail["agentinfo"] = {**detail["agentinfo"], **await described.agent(agent.id)}


ADAPTER = Adapter(
    tool="amazon-connect",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    authorize=authorize,
    paste=(
        "EventBridge > Connections: API key, name X-Api-Key, value {secret}\n"
        "EventBridge > API destinations: POST {url}\n"
        'EventBridge > Rules: {{"source": ["aws.connect"], "detail-type": ["Amazon Connect Contact Event"]}}\n'
        "Chat messages: SNS topic > HTTPS subscription {url}?key={secret}\n"
        "Events name neither customers nor agents. To have them asked for:\n"
        "--option api_url=https://connect.REGION.amazonaws.com --option api_key_id=… --option api_secret=…"
    ),
    probe=b'{"version":"0","id":"probe","detail-type":"Amazon Connect Contact Event","source":"aws.connect",'
    b'"detail":{"eventType":"INITIATED","contactId":"probe","channel":"TASK","initiationMethod":"API"}}',
    asks_without_token=True,
    options={**OPTION, **OPTIONS},
    options_fault=fault,
)
