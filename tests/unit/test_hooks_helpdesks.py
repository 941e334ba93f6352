"""FreeScout's and Groove's formats, with payloads of our own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.intake.adapters import freescout, groove
from services.intake.adapters.pieces.shape import GENUINE, Contact, Nothing, NotUnderstood, Refused, Response, Thin
from tests.hooked import NOW, Api, completed, delivery, endpoint, one, read, signed, verdict

CUSTOMER = {"id": 31, "type": "customer", "firstName": "Ola", "lastName": "Nor", "email": "ola@example.org"}
AGENT = {"id": 4, "type": "user", "firstName": "Ana", "lastName": "Ruiz", "email": "ana@care.example"}


def _thread(number: int, kind: str, author: Any, body: str = "hello", **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "type": kind, "state": "published", "body": body, "createdBy": author, "customer": CUSTOMER,
        "source": {"type": "email", "via": "customer"}, "createdAt": f"2026-03-02T08:{number:02}:00Z",
        "assignedTo": AGENT, "_embedded": {"attachments": []}, **fields,
    }  # fmt: skip


def _conversation(*threads: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": 900, "number": 77, "type": "email", "status": "active", "state": "published", "subject": "Router",
        "assignee": AGENT, "customer": CUSTOMER, "_embedded": {"threads": list(threads)}, **fields,
    }  # fmt: skip


def test_freescout_signs_the_body() -> None:
    request = signed("freescout", _conversation())
    assert verdict(request, "freescout") == GENUINE
    assert isinstance(verdict(request, "freescout", "other"), Refused)
    assert isinstance(verdict(delivery("freescout", _conversation()), "freescout"), Refused)


def test_freescout_tells_the_whole_conversation_in_order() -> None:
    attached = {"_embedded": {"attachments": [{"id": 1, "fileName": "log.txt", "mimeType": "text/plain"}]}}
    html = "<div>It drops <b>again</b></div><blockquote type='cite'>old</blockquote>"
    told = _conversation(
        _thread(5, "lineitem", AGENT),
        _thread(4, "message", AGENT, "Draft", state="draft"),
        _thread(3, "note", AGENT, "He is angry"),
        _thread(2, "message", AGENT, "<p>We are on it</p>"),
        _thread(1, "customer", CUSTOMER, html, **attached),
    )
    first, answer, note, draft, line = read("freescout", told, {"X-FreeScout-Event": "convo.agent.reply.created"})
    assert isinstance(first, Contact)
    assert (first.event_id, first.conversation_id, first.channel, first.text) == ("1", "900", "email", "It drops again")
    assert (first.customer.id, first.customer.name, first.customer.email) == ("31", "Ola Nor", "ola@example.org")
    assert list(first.attachments) == ["log.txt"] and first.occurred_at == NOW - timedelta(minutes=59)
    assert first.responder is None  # the assignee is not who answered
    assert isinstance(answer, Response) and (answer.responder.id, answer.text) == ("4", "We are on it")
    assert all(isinstance(other, Nothing) for other in (note, draft, line))


def test_freescout_an_agent_who_enters_a_call_took_it() -> None:
    said = one("freescout", _conversation(_thread(1, "customer", AGENT, "Wants his money back"), type="phone"))
    assert (said.channel, said.responder.id, said.customer.id) == ("phone", "4", "31")
    portal = one("freescout", _conversation(_thread(1, "customer", CUSTOMER, source={"type": "web"})))
    assert portal.channel == "web"


def test_freescout_other_events_spam_and_machines_are_nothing() -> None:
    threads = _thread(1, "customer", CUSTOMER)
    for event in ("convo.assigned", "convo.status", "convo.note.created", "convo.deleted", "customer.updated"):
        assert isinstance(one("freescout", _conversation(threads), {"X-FreeScout-Event": event}), Nothing)
    assert isinstance(one("freescout", _conversation(threads, status="spam")), Nothing)
    assert isinstance(one("freescout", _conversation(_thread(1, "message", {"id": 1, "type": "robot"}))), Nothing)
    workflow = _thread(1, "message", AGENT, action={"type": "automatic-workflow"})
    assert isinstance(one("freescout", _conversation(workflow)), Nothing)


async def test_freescout_threads_that_are_left_out_are_asked_for() -> None:
    assert isinstance(one("freescout", _conversation()), Thin)
    api = Api({"/api/conversations/900": _conversation(_thread(1, "customer", CUSTOMER))})
    (said,) = await completed("freescout", _conversation(), api)
    assert isinstance(said, Contact) and said.event_id == "1"


def _ticket(**fields: Any) -> dict[str, Any]:
    links = {
        "customer": {"id": "007", "href": "http://api.groovehq.com/v1/customers/ola%2Bhome@example.org"},
        "assignee": {"href": "http://api.groovehq.com/v1/agents/ana@care.example"},
    }
    return {
        "number": 9, "title": "Router", "state": "opened", "links": links, "customer_name": "Ola Nor", "type": None,
        "created_at": "2026-03-02 14:30:00 +0530", "updated_at": "2026-03-02 14:30:00 +0530", "message_count": 1,
        "last_message": "<p>It drops.</p>", "last_message_type": "enduser", "assignee": "ana@care.example", **fields,
    }  # fmt: skip


def _message(author: str, **fields: Any) -> dict[str, Any]:
    links = {
        "author": {"href": f"http://api.groovehq.com/v1/{author}"},
        "ticket": {"href": "http://api.groovehq.com/v1/tickets/9"},
    }
    return {
        "id": "480", "href": "http://api.groovehq.com/v1/messages/480", "created_at": "2026-03-02 09:00:00 UTC",
        "note": False, "agent_response": False, "body": "<p>It drops.</p>", "links": links, "attachments": [], **fields,
    }  # fmt: skip


def test_groove_carries_the_secret_in_the_url() -> None:
    key = delivery("groove", _ticket(), query="key=s3cret")
    assert verdict(key, "groove") == GENUINE and verdict(signed("groove", _ticket()), "groove") == GENUINE
    assert isinstance(verdict(key, "groove", "other"), Refused)
    assert isinstance(verdict(delivery("groove", _ticket()), "groove"), Refused)


def test_groove_a_ticket_and_its_replies_are_of_the_same_customer() -> None:
    first = one("groove", _ticket(), {"X-Groove-Event": "ticket_started"})
    reply = one("groove", _message("customers/ola+home@example.org"), {"X-Groove-Event": "customer_replied"})
    assert isinstance(first, Contact) and isinstance(reply, Contact)
    assert first.customer.id == reply.customer.id and first.customer.email == "ola+home@example.org"
    assert (first.conversation_id, first.text, first.occurred_at) == ("9", "It drops.", NOW)
    assert (reply.conversation_id, reply.event_id, reply.channel) == ("9", "480", "email")
    assert one("groove", _ticket(type="Widget")).channel == "web"


def test_groove_answers_notes_and_assignments() -> None:
    told = _message("agents/ana@care.example", agent_response=True, type="Comment")
    answer = one("groove", told, {"X-Groove-Event": "agent_replied"})
    assert isinstance(answer, Response)
    assert (answer.responder.email, answer.conversation_id) == ("ana@care.example", "9")
    assert isinstance(one("groove", {**told, "note": True}, {"X-Groove-Event": "note_added"}), Nothing)
    assert isinstance(one("groove", _ticket(), {"X-Groove-Event": "ticket_assigned"}), Nothing)
    assert isinstance(one("groove", _ticket(last_message_type="agent")), Nothing)
    assert isinstance(one("groove", _message("rules/4", agent_response=True)), Nothing)


async def test_groove_words_that_are_left_out_are_asked_for() -> None:
    bare = _ticket(last_message=None)
    assert isinstance(one("groove", bare), Thin)
    api = Api({"/v1/tickets/9/messages": {"messages": [_message("customers/ola@example.org", body="It drops.")]}})
    (said,) = await completed("groove", bare, api)
    assert isinstance(said, Contact) and (said.text, said.event_id) == ("It drops.", "ticket-9")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id":1,"_embedded":{"threads":[{"type":"customer"}]}}', b"\xff"])
def test_what_is_none_of_it_is_not_understood(body: bytes) -> None:
    for adapter in (freescout, groove):
        if adapter is groove or body != b'{"id":1}':
            with pytest.raises(NotUnderstood):
                adapter.read(delivery("groove", body), endpoint("groove"))
