"""Whole conversations as tools tell them: the same script in the form of each tool, delivery by delivery."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from tests.hooks_soap import message

Who = Literal["customer", "ana", "ben", "note", "bot"]


@dataclass(frozen=True)
class Turn:
    """Somebody says something, `minute` minutes after nine."""

    minute: int
    who: Who
    text: str

    @property
    def at(self) -> str:
        """The time, in UTC."""
        return f"2026-03-02T09:{self.minute:02}:00Z"

    @property
    def staff(self) -> bool:
        """Whether a human of ours says it to the customer."""
        return self.who in ("ana", "ben")


@dataclass(frozen=True)
class Sent:
    """A delivery."""

    tool: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


Script = Sequence[Turn]


def freescout(name: str, script: Script) -> list[Sent]:
    """With every event the whole conversation as it is by then, the newest first."""
    person = {"id": f"p{name}", "type": "customer", "firstName": "Ola"}
    authors = {
        "customer": ("customer", person), "ana": ("message", {"id": "ana", "type": "user"}),
        "ben": ("message", {"id": "ben", "type": "user"}), "note": ("note", {"id": "ben", "type": "user"}),
        "bot": ("message", {"id": "1", "type": "robot"}),
    }  # fmt: skip
    events = {"customer": "customer.reply", "note": "note", "bot": "agent.reply"}
    threads: list[dict[str, Any]] = []
    found = []
    for turn in script:
        kind, author = authors[turn.who]
        thread_id = f"{len(threads) + 1:04}{name}"
        one = {"id": thread_id, "type": kind, "state": "published", "createdBy": author, "createdAt": turn.at}
        threads.insert(0, {**one, "body": turn.text, "customer": person})
        told = {
            "id": name,
            "type": "chat",
            "status": "active",
            "customer": person,
            "_embedded": {"threads": [*threads]},
        }
        event = "convo.created" if len(threads) == 1 else f"convo.{events.get(turn.who, 'agent.reply')}.created"
        found.append(Sent("freescout", told, {"x-freescout-event": event}))
    return found


def groove(name: str, script: Script) -> list[Sent]:
    """The ticket, then reply by reply."""
    root = "https://api.groovehq.com/v1"
    customer = {"href": f"{root}/customers/{name}@example.org"}
    found = []
    for number, turn in enumerate(script):
        if number == 0:
            told: dict[str, Any] = {
                "number": name, "title": "Hello", "type": "chat", "links": {"customer": customer},
                "created_at": turn.at, "last_message": turn.text, "last_message_type": "enduser", "message_count": 1,
            }  # fmt: skip
            found.append(Sent("groove", told, {"x-groove-event": "ticket_started"}))
            continue
        author = {"customer": customer, "bot": {"href": f"{root}/rules/1"}, "note": {"href": f"{root}/agents/ben"}}
        links = {"author": author.get(turn.who, {"href": f"{root}/agents/{turn.who}"})}
        told = {
            "id": f"{name}-{number}", "created_at": turn.at, "note": turn.who == "note", "body": turn.text,
            "agent_response": turn.who != "customer", "links": {**links, "ticket": {"href": f"{root}/tickets/{name}"}},
        }  # fmt: skip
        event = {"customer": "customer_replied", "note": "note_added"}.get(turn.who, "agent_replied")
        found.append(Sent("groove", told, {"x-groove-event": event}))
    return found


def twilio(name: str, script: Script) -> list[Sent]:
    """Message by message; what is written in private is no message there."""
    authors = {"customer": "+442071838750", "bot": "system"}
    return [
        Sent(
            "twilio",
            urlencode(
                {
                    "EventType": "onMessageAdded", "ConversationSid": name, "MessageSid": f"IM{name}-{number}",
                    "Index": number, "Author": authors.get(turn.who, turn.who), "Body": turn.text, "Source": "SDK",
                    "DateCreated": turn.at,
                }
            ).encode(),
        )
        for number, turn in enumerate(script)
        if turn.who != "note"
    ]  # fmt: skip


def amazon_connect(name: str, script: Script) -> list[Sent]:
    """Chat messages by SNS; colleagues see what is for them alone."""
    roles = {"customer": "CUSTOMER", "bot": "CUSTOM_BOT"}
    found = []
    for number, turn in enumerate(script):
        said = {
            "AbsoluteTime": turn.at, "Content": turn.text, "ContentType": "text/plain", "Id": f"{name}-{number}",
            "Type": "MESSAGE", "ParticipantId": turn.who, "ParticipantRole": roles.get(turn.who, "AGENT"),
            "InitialContactId": name, "ContactId": f"{name}-now",
        }  # fmt: skip
        seen = {"MessageVisibility": {"Type": "String", "Value": "AGENT" if turn.who == "note" else "ALL"}}
        note = {"Type": "Notification", "MessageId": f"n{name}-{number}", "TopicArn": "arn", "MessageAttributes": seen}
        found.append(Sent("amazon-connect", {**note, "Message": json.dumps(said)}))
    return found


def salesforce(name: str, script: Script) -> list[Sent]:
    """A mail of the case each; colleagues comment in private."""
    found = []
    for number, turn in enumerate(script):
        record = f"02s{name}{number}"
        if turn.who in ("note", "bot"):
            told = message("CaseComment", {"Id": record, "IsPublished": "false"})
        else:
            told = message(
                "EmailMessage",
                {
                    "Id": record, "ParentId": name, "TextBody": turn.text, "MessageDate": turn.at,
                    "Incoming": "true" if turn.who == "customer" else "false", "CreatedById": turn.who,
                    "FromAddress": "ola@example.org" if turn.who == "customer" else "care@care.example",
                },
            )  # fmt: skip
        found.append(Sent("salesforce", told.encode(), {"content-type": "text/xml"}))
    return found


#: tools that tell a conversation without being asked
WRITERS: Mapping[str, Callable[[str, Script], list[Sent]]] = {
    "freescout": freescout,
    "groove": groove,
    "twilio": twilio,
    "amazon-connect": amazon_connect,
    "salesforce": salesforce,
}
