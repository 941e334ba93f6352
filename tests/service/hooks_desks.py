"""The same conversations in the words of helpdesks that tell one message at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.service.hooks_conversations import Script, Sent, Turn


def _seconds(turn: Turn) -> int:
    return int(datetime.fromisoformat(turn.at).timestamp())


def zendesk(name: str, script: Script) -> list[Sent]:
    """Comments on a ticket; what is private is told as well."""
    found = []
    for number, turn in enumerate(script):
        author = {"customer": f"p{name}", "bot": "zd:answerBot", "note": "ben"}.get(turn.who, turn.who)
        comment = {
            "id": f"{name}-{number}", "body": turn.text, "is_public": turn.who != "note",
            "author": {"id": author, "is_staff": turn.who != "customer", "name": turn.who},
        }  # fmt: skip
        told = {
            "type": "zen:event-type:ticket.comment_added", "id": f"evt-{name}-{number}", "time": turn.at,
            "detail": {"id": name, "requester_id": f"p{name}", "assignee_id": "ben", "via": {"channel": "web"}},
            "event": {"comment": comment},
        }  # fmt: skip
        found.append(Sent("zendesk", told))
    return found


def chatwoot(name: str, script: Script) -> list[Sent]:
    """Messages; the conversation's assignee comes along with each."""
    found = []
    for number, turn in enumerate(script):
        sender: dict[str, Any] = {"id": turn.who, "name": turn.who, "type": "user"}
        sender |= {"customer": {"id": name, "type": "contact"}, "bot": {"type": "agent_bot"}}.get(turn.who, {})
        told = {
            "event": "message_created", "id": f"{name}{number}", "content": turn.text, "created_at": turn.at,
            "message_type": "incoming" if turn.who == "customer" else "outgoing", "private": turn.who == "note",
            "content_type": "text", "sender": sender, "account": {"id": 1},
            "conversation": {
                "id": name, "channel": "Channel::WebWidget",
                "meta": {"sender": {"id": name, "type": "contact"}, "assignee": {"id": "ben", "type": "user"}},
            },
        }  # fmt: skip
        found.append(Sent("chatwoot", told, {"x-chatwoot-delivery": f"d-{name}-{number}"}))
    return found


def intercom(name: str, script: Script) -> list[Sent]:
    """Notifications that hold the first message and the newest part."""
    authors = {"customer": ("user", f"p{name}"), "bot": ("bot", "operator"), "note": ("admin", "ben")}
    topics = {"customer": "conversation.user.replied", "note": "conversation.admin.noted"}
    first, found = script[0], []
    for number, turn in enumerate(script):
        kind, author = authors.get(turn.who, ("admin", turn.who))
        part = {
            "id": f"{name}{number}", "part_type": "note" if turn.who == "note" else "comment",
            "body": f"<p>{turn.text}</p>", "created_at": _seconds(turn), "author": {"type": kind, "id": author},
        }  # fmt: skip
        item = {
            "type": "conversation", "id": name, "created_at": _seconds(first), "admin_assignee_id": "ben",
            "contacts": {"contacts": [{"type": "contact", "id": f"p{name}", "external_id": None}]},
            "source": {
                "type": "conversation", "id": f"{name}0", "body": f"<p>{first.text}</p>", "subject": "",
                "author": {"type": "user", "id": f"p{name}"},
            },
            "conversation_parts": {"conversation_parts": [part] if number else []},
        }  # fmt: skip
        topic = topics.get(turn.who, "conversation.admin.replied") if number else "conversation.user.created"
        told = {"type": "notification_event", "id": f"notif_{name}_{number}", "topic": topic, "data": {"item": item}}
        found.append(Sent("intercom", told))
    return found


def front(name: str, script: Script) -> list[Sent]:
    """Events of an application; comments are events of their own."""
    card = {"_links": {"related": {"contact": f"https://api2.frontapp.com/contacts/crd_{name}"}}}
    recipient = {**card, "handle": "ola@example.org", "role": "from"}
    found = []
    for number, turn in enumerate(script):
        kind = {"customer": "inbound", "note": "comment"}.get(turn.who, "out_reply")
        message = {
            "id": f"msg_{name}_{number}", "type": "front_chat", "is_inbound": turn.who == "customer",
            "created_at": _seconds(turn) + 0.25, "text": turn.text, "body": turn.text,
            "author": {"id": turn.who, "username": turn.who} if turn.staff else None,
            "recipients": [recipient if turn.who == "customer" else {**recipient, "role": "to"}],
        }  # fmt: skip
        conversation = {"id": name, "subject": "Hello", "recipient": recipient, "assignee": {"id": "ben"}}
        payload = {
            "id": f"evt_{name}_{number}", "type": kind, "emitted_at": _seconds(turn), "conversation": conversation,
            "target": {"_meta": {"type": "message"}, "data": message},
        }  # fmt: skip
        found.append(Sent("front", {"type": kind, "authorization": {"id": "cmp_1"}, "payload": payload}))
    return found


def helpscout(name: str, script: Script) -> list[Sent]:
    """With every event the whole conversation as it is by then."""
    person = {"id": f"p{name}", "type": "customer", "first": "Ola", "email": "ola@example.org"}
    authors: dict[str, tuple[str, Any]] = {
        "customer": ("customer", person),
        "note": ("note", {"id": "ben", "type": "user"}),
        "bot": ("message", {"id": "1", "type": "system"}),
    }
    events = {"customer": "customer.reply", "note": "note"}
    threads: list[dict[str, Any]] = []
    found = []
    for number, turn in enumerate(script):
        kind, author = authors.get(turn.who, ("message", {"id": turn.who, "type": "user"}))
        thread = {"id": f"{name}{number}", "type": kind, "state": "published", "createdBy": author, "body": turn.text}
        threads.insert(0, {**thread, "createdAt": turn.at, "customer": person})
        told = {
            "id": name, "type": "chat", "subject": "Hello", "assignee": {"id": "ben", "type": "user"},
            "primaryCustomer": person, "_embedded": {"threads": [*threads]},
        }  # fmt: skip
        event = f"convo.{events.get(turn.who, 'agent.reply')}.created" if number else "convo.created"
        found.append(Sent("helpscout", told, {"x-helpscout-event": event}))
    return found


def standard_webhooks(name: str, script: Script) -> list[Sent]:
    """A system of one's own, which tells neither notes nor bots."""
    found = []
    for number, turn in enumerate(script):
        data: dict[str, Any] = {"conversation_id": name, "source_event_id": f"{name}-{number}", "text": turn.text}
        data["occurred_at"] = turn.at
        if turn.who == "customer":
            data |= {"channel": "app", "customer": {"id": f"p{name}"}}
        elif turn.staff:
            data["responder"] = {"id": turn.who}
        else:
            continue
        kind = "contact.reported" if turn.who == "customer" else "contact.responded"
        found.append(Sent("standard-webhooks", {"type": kind, "timestamp": turn.at, "data": data}))
    return found


#: tools that tell a conversation without being asked
WRITERS: Mapping[str, Callable[[str, Script], list[Sent]]] = {
    "zendesk": zendesk,
    "chatwoot": chatwoot,
    "intercom": intercom,
    "front": front,
    "helpscout": helpscout,
    "standard-webhooks": standard_webhooks,
}
