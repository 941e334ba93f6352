"""What vendors document besides the usual message, signed and through the real door: attachments alone, bots and
automations, notes, edits and deletions, assignments, several events in one delivery, pings, nothing at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from services.intake.adapters import TOOLS
from services.intake.store.tables import parked
from tests.hooks_soap import message
from tests.samples import SAMPLES
from tests.service.hooks_world import Tools, tools_at

STANDARD = "whsec_c2VjcmV0LW9mLXRoZS10b29s"


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        yield made


def _zendesk(kind: str, event: Any, number: int = 1, **detail: Any) -> dict[str, Any]:
    told = {"id": "35", "requester_id": "7", "created_at": "2026-03-02T08:00:00Z", "via": {"channel": "web"}, **detail}
    head = {"id": f"z-{kind}-{number}", "type": f"zen:event-type:{kind}", "time": "2026-03-02T09:00:00Z"}
    return {**head, "detail": told, "event": event}


def _spoken(role: str, body: str | None, number: int = 1) -> dict[str, Any]:
    event = {"actor": {"id": f"{role}-1", "type": role, "name": "Ana"}, "message": {"id": f"m{number}", "body": body}}
    return _zendesk("messaging_ticket.message_added", event, number)


def _comment(author: Any, number: int = 1, **comment: Any) -> dict[str, Any]:
    told = {"id": f"c{number}", "author": author, "is_public": True, "body": "It drops", **comment}
    return _zendesk("ticket.comment_added", {"comment": told}, number)


def _chatwoot(kind: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    conversation = {"id": 5, "channel": "Channel::Whatsapp", "meta": {"sender": {"id": 9, "name": "Ola"}}}
    return {
        "event": "message_created", "id": number, "message_type": kind, "content": "It drops", "private": False,
        "created_at": "2026-03-02T09:00:00Z", "content_attributes": {}, "conversation": conversation,
        "sender": {"id": 9, "name": "Ola", "type": "contact"}, **fields,
    }  # fmt: skip


def _intercom(topic: str, *parts: dict[str, Any], **source: Any) -> dict[str, Any]:
    opening = {
        "id": "500", "type": "conversation", "body": "<p>It drops</p>", "delivered_as": "customer_initiated",
        "author": {"type": "user", "id": "u1"}, **source,
    }  # fmt: skip
    item = {
        "type": "conversation", "id": "21", "created_at": 1772442000, "source": opening,
        "contacts": {"contacts": [{"type": "contact", "id": "u1", "external_id": "crm-7"}]},
        "conversation_parts": {"conversation_parts": list(parts)},
    }  # fmt: skip
    number = f"{topic}-{'-'.join(one['id'] for one in parts)}"
    return {"type": "notification_event", "topic": topic, "id": number, "data": {"item": item}}


def _part(number: int, kind: str, author: dict[str, Any], body: str | None, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "part_type": kind, "author": author, "body": body, "created_at": 1772442060, **fields}


ANA = {"type": "admin", "id": "a1", "name": "Ana", "email": "ana@care.example"}
OLA = {"id": 31, "type": "customer", "first": "Ola", "email": "ola@example.org"}
USER = {"id": 4, "type": "user", "first": "Ana", "email": "ana@care.example"}


def _thread(number: int, kind: str, author: Any, **fields: Any) -> dict[str, Any]:
    common = {"state": "published", "body": "It drops", "customer": OLA, "createdAt": f"2026-03-02T08:{number:02}:00Z"}
    return {"id": number, "type": kind, "createdBy": author, **common, **fields}


def _convo(*threads: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {"id": 900, "number": 1, "type": "email", "status": "active", "subject": "Router", "primaryCustomer": OLA}
    return {**told, "_embedded": {"threads": list(threads)}, **fields}


def _front(kind: str, **data: Any) -> dict[str, Any]:
    told = {
        "id": "msg_1", "type": "email", "is_inbound": True, "created_at": 1772441000, "body": "<p>It drops</p>",
        "recipients": [{"handle": "ola@example.org", "role": "from"}], **data,
    }  # fmt: skip
    inner = {"id": f"evt_{kind}", "type": kind, "conversation": {"id": "cnv_1", "subject": "Router"}}
    return {"type": kind, "payload": {**inner, "target": {"_meta": {"type": "message"}, "data": told}}}


def _connect(channel: str, method: str, **detail: Any) -> dict[str, Any]:
    told = {
        "eventType": "INITIATED", "contactId": "k-1", "channel": channel, "initiationMethod": method,
        "initiationTimestamp": "2026-03-02T09:00:00Z", "customerEndpoint": {"address": "+442071838750"}, **detail,
    }  # fmt: skip
    return {"id": f"{channel}-{method}", "detail-type": "Amazon Connect Contact Event", "detail": told}


def _genesys(kind: str, **event: Any) -> dict[str, Any]:
    told = {"eventTime": 1772442000000, "conversationId": "g-1", "mediaType": "CHAT", "direction": "INBOUND", **event}
    topic = f"v2.detail.events.conversation.g-1.{kind}"
    return {"id": kind, "detail-type": topic, "detail": {"topicName": topic, "eventBody": told}}


def _form(**fields: str) -> bytes:
    return urlencode(fields).encode()


FORM = {"content-type": "application/x-www-form-urlencoded"}
SPOKEN = {"ConversationSid": "CH1", "MessageSid": "IM1", "DateCreated": "2026-03-02T09:00:00.000Z", "Body": "断线 📶"}
ADDED = {"EventType": "onMessageAdded", **SPOKEN}
REPLIED = {"x-helpscout-event": "convo.customer.reply.created"}

#: (tool, headers, body): the fate of the delivery, and (customer, text, responder, attachments) of each contact
Said = tuple[str | None, str | None, str | None, str | None]
VARIANTS: dict[str, tuple[str, dict[str, str], Any, str, list[Said]]] = {
    "zendesk, a trigger's message": ("zendesk", {}, _spoken("trigger", "We are closed"), "nothing", []),
    "zendesk, the answer bot": ("zendesk", {}, _spoken("system", "How can I help?"), "nothing", []),
    "zendesk, a message without words": (
        "zendesk", {}, _spoken("end_user", None), "taken", [("end_user-1", None, None, None)],
    ),
    "zendesk, a private note": (
        "zendesk", {}, _comment({"id": "9", "is_staff": True}, is_public=False), "nothing", [],
    ),
    "zendesk, attachments alone": (
        "zendesk", {}, _comment({"id": "7", "is_staff": False}, body="", attachments=[{"filename": "bill.pdf"}]),
        "taken", [("7", None, None, "bill.pdf")],
    ),
    "zendesk, a comment that was taken back": (
        "zendesk", {}, _zendesk("ticket.comment_redacted", {"comment": {"id": "c1"}}), "nothing", [],
    ),
    "zendesk, an assignment": (
        "zendesk", {}, _zendesk("ticket.agent_assignment_changed", {"current": "9"}, assignee_id="9"), "nothing", [],
    ),
    "chatwoot, attachments alone": (
        "chatwoot", {},
        _chatwoot("incoming", content=None, attachments=[{"file_type": "image", "data_url": "https://x/y/a.png?e=1"}]),
        "taken", [("9", None, None, "a.png")],
    ),
    "chatwoot, a bot": ("chatwoot", {}, _chatwoot("outgoing", sender={"id": 1, "type": "agent_bot"}), "nothing", []),
    "chatwoot, an automation": (
        "chatwoot", {},
        _chatwoot("outgoing", sender={"id": 1, "type": "user"}, content_attributes={"automation_rule_id": 3}),
        "nothing", [],
    ),
    "chatwoot, nobody's answer": ("chatwoot", {}, _chatwoot("outgoing", sender=None), "nothing", []),
    "chatwoot, an edit": ("chatwoot", {}, _chatwoot("incoming", event="message_updated"), "nothing", []),
    "chatwoot, an activity": ("chatwoot", {}, _chatwoot("activity", sender=None), "nothing", []),
    "intercom, an assignment with words": (
        "intercom", {}, _intercom("conversation.admin.replied", _part(7, "assignment", ANA, "<p>I have it</p>")),
        "taken", [("crm-7", "It drops", "a1", None)],
    ),
    "intercom, a note of a newer kind": (
        "intercom", {}, _intercom("conversation.admin.replied", _part(7, "note_and_unsnooze", ANA, "He is angry")),
        "taken", [("crm-7", "It drops", None, None)],
    ),
    "intercom, Fin answers": (
        "intercom", {},
        _intercom("conversation.admin.replied", _part(7, "comment", {**ANA, "from_ai_agent": True}, "<p>Restart</p>")),
        "taken", [("crm-7", "It drops", None, None)],
    ),
    "intercom, an answer that was taken back": (
        "intercom", {},
        _intercom("conversation.admin.replied", _part(7, "comment", ANA, "<i>Deleted</i>", redacted=True)),
        "taken", [("crm-7", "It drops", None, None)],
    ),
    "freshdesk, a private note": (
        "freshdesk", {}, {"freshdesk_webhook": {"ticket_id": 5, "triggered_event": "{note_type:private}"}},
        "nothing", [],
    ),
    "freshdesk, a ticket by phone": (
        "freshdesk", {},
        {"freshdesk_webhook": {
            "ticket_id": 5, "triggered_event": "{ticket_action:created}", "ticket_source": "Phone",
            "ticket_description": "<div>Zu teuer &amp; kaputt</div>", "ticket_requester_phone": "+442071838750",
        }},
        "taken", [(None, "Zu teuer & kaputt", None, None)],
    ),
    "front, a comment": ("front", {}, _front("comment"), "nothing", []),
    "front, an automatic answer": ("front", {}, _front("outbound", is_inbound=False, author=None), "nothing", []),
    "front, attachments alone": (
        "front", {}, _front("inbound", body="", attachments=[{"filename": "rechnung-März.pdf"}]),
        "taken", [(None, None, None, "rechnung-März.pdf")],
    ),
    "helpscout, spam": ("helpscout", REPLIED, _convo(_thread(1, "customer", OLA), status="spam"), "nothing", []),
    "helpscout, a workflow of the first version": (
        "helpscout", REPLIED,
        _convo(_thread(1, "customer", OLA), _thread(2, "message", USER, actionType="workflow", body="Closed")),
        "taken", [("31", "It drops", None, None)],
    ),
    "helpscout, one thread of nobody": (
        "helpscout", REPLIED, _convo(_thread(1, "customer", OLA), _thread(2, "customer", OLA, createdAt="soon")),
        "parked", [("31", "It drops", None, None)],
    ),
    "helpscout, a call written down": (
        "helpscout", REPLIED, _convo(_thread(1, "phone", USER), type="phone"),
        "taken", [("31", "It drops", "4", None)],
    ),
    "helpscout, a deletion": ("helpscout", {"x-helpscout-event": "convo.deleted"}, {"id": 900}, "nothing", []),
    "freescout, one thread of nobody": (
        "freescout", {"x-freescout-event": "convo.customer.reply.created"},
        _convo(_thread(1, "customer", OLA), _thread(2, "customer", OLA, createdAt=None)),
        "parked", [("31", "It drops", None, None)],
    ),
    "freescout, a note": (
        "freescout", {"x-freescout-event": "convo.note.created"}, _convo(_thread(1, "note", USER)), "nothing", [],
    ),
    "groove, a note": (
        "groove", {"x-groove-event": "note_added"}, {"note": True, "body": "He is angry"}, "nothing", [],
    ),
    "groove, an assignment": (
        "groove", {"x-groove-event": "ticket_assigned"}, {"number": 5, "assignee": "ana@care.example"}, "nothing", [],
    ),
    "hubspot, a comment": (
        "hubspot", {},
        [{"subscriptionType": "conversation.newMessage", "objectId": 1, "messageId": "m", "messageType": "COMMENT"}],
        "nothing", [],
    ),
    "hubspot, a deletion": (
        "hubspot", {}, [{"subscriptionType": "conversation.deletion", "objectId": 1, "eventId": 3}], "nothing", [],
    ),
    "twilio, a picture alone": (
        "twilio", FORM,
        _form(MessageSid="MM1", From="+442071838750", Body="", NumMedia="1", MediaUrl0="https://x/ME1",
              MediaContentType0="image/jpeg"),
        "taken", [(None, None, None, "ME1 (image/jpeg)")],
    ),
    "twilio, unicode": (
        "twilio", FORM, _form(**ADDED, Author="whatsapp:+442071838750"), "taken", [(None, "断线 📶", None, None)],
    ),
    "twilio, Studio": ("twilio", FORM, _form(**ADDED, Author="flow", Source="STUDIO"), "nothing", []),
    "twilio, an edit": (
        "twilio", FORM, _form(**SPOKEN, EventType="onMessageUpdated", Author="+442071838750"), "nothing", [],
    ),
    "connect, a call that a program made": ("amazon-connect", {}, _connect("VOICE", "API"), "nothing", []),
    "connect, a mail that a flow sent": ("amazon-connect", {}, _connect("EMAIL", "FLOW"), "nothing", []),
    "connect, a chat begun by the API": (
        "amazon-connect", {}, _connect("CHAT", "API"), "taken", [(None, None, None, None)],
    ),
    "genesys, a message to a customer": (
        "genesys-cloud", {}, _genesys("customer.start", direction="OUTBOUND"), "nothing", [],
    ),
    "genesys, a call handed over to nobody": (
        "genesys-cloud", {}, _genesys("acd.end", acdOutcome="TRANSFER"), "nothing", [],
    ),
    "standard, another type": (
        "standard-webhooks", {}, {"type": "contact.deleted", "timestamp": "2026-03-02T09:00:00Z", "data": {"id": 1}},
        "nothing", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
async def test_a_variant_is_known_for_what_it_is(tools: Tools, name: str) -> None:
    tool, headers, body, fate, contacts = VARIANTS[name]
    secret = STANDARD if tool == "standard-webhooks" else "s3cret"
    await tools.add(tool, secret=secret)
    for _ in range(2):  # whatever it is, sent again it is the same
        answer = await tools.deliver(tool, body, secret=secret, headers=headers)
        assert answer.is_success, answer.text
    await tools.settle()
    fates = await tools.fates()
    assert [state for state, _ in fates] == [fate], fates
    found = await tools.contacts()
    assert len(found) == len(contacts), found
    for one, (customer, text, responder, attachments) in zip(found, contacts, strict=True):
        assert customer is None or one["customer"]["id"] == customer
        assert (one.get("text"), (one.get("responder") or {}).get("id")) == (text, responder)
        assert one.get("attributes", {}).get("attachments") == attachments
    assert await tools.world.findings() == []


async def test_a_delivery_of_nothing_is_taken_and_kept(tools: Tools) -> None:
    for tool in TOOLS:
        secret = STANDARD if tool == "standard-webhooks" else "s3cret"
        await tools.add(tool, secret=secret)
        for body in (b"", b"{}", b"null", b'"\xe6\x96\xad"'):
            answer = await tools.deliver(tool, body, secret=secret)
            # what cannot even be signed as Twilio signs is not Twilio's
            assert answer.is_success or (tool == "twilio" and answer.status_code == 401), answer.text
    await tools.settle()
    assert {state for state, _ in await tools.fates()} <= {"parked", "nothing"}
    assert await tools.contacts() == []


async def test_one_bad_event_of_several_keeps_no_other_back(tools: Tools) -> None:
    """Each good one is taken at once, the delivery is parked, and a retry posts nothing twice."""
    await tools.add("twilio")
    good = {"messageSid": "SM1", "from": "+442071838750", "body": "It drops", "timestamp": "2026-03-02T09:00:00Z"}
    kind = "com.twilio.messaging.inbound-message.received"
    events = [{"type": kind, "data": {**good, "from": None, "messageSid": "SM2"}}, {"type": kind, "data": good}]
    await tools.send("twilio", json.dumps(events).encode(), headers={"content-type": "application/json"})
    assert await tools.fates() == [("parked", "From is missing")]
    assert (await tools.one(source="twilio"))["text"] == "It drops"
    (kept,) = await tools.parked()
    assert b"SM2" in kept.value
    async with tools.world.engine.begin() as conn:
        await conn.execute(update(parked).values(state="retry"))
    tools.world.clock.advance(2)
    await tools.settle()
    await tools.one(source="twilio")
    assert [row.state for row in await tools.parked()] == ["parked"]


async def test_a_record_that_cannot_be_read_keeps_no_other_back(tools: Tools) -> None:
    await tools.add("salesforce")
    told = {"SuppliedEmail": "ola@example.org", "Description": "It drops", "CreatedDate": "2026-03-02T09:00:00Z"}
    both = message("Case", {"Id": "500B", **told, "CreatedDate": "soon"}, {"Id": "500A", **told})
    await tools.send("salesforce", both.encode(), headers={"content-type": "text/xml"})
    assert [state for state, _ in await tools.fates()] == ["parked"]
    assert (await tools.one(source="salesforce"))["conversation_id"] == "500A"


async def test_a_tool_that_is_none_of_ours_is_told_so(tools: Tools) -> None:
    sample = SAMPLES / "eightxeight" / "queued.json"
    body = sample.read_bytes() if sample.is_file() else b'{"eventType":"QUEUED"}'
    for method in ("POST", "GET", "HEAD"):
        answer = await tools.world.client.request(method, "/v1/hooks/eightxeight/main", content=body)
        assert answer.status_code == 404
    answer = await tools.world.client.post("/v1/hooks/eightxeight/main", content=body)
    told = answer.json()
    assert told["type"] == "urn:complaint-loop:problem:not-found" and "amazon-connect, chatwoot" in told["detail"]
    assert await tools.fates() == []


async def test_who_answered_before_the_contact_keeps_their_name(tools: Tools) -> None:
    """An agent's message that is dated before the customer's opens the conversation, and says who the agent is."""
    await tools.add("chatwoot")
    agent = {"id": 4, "type": "user", "name": "Ana Ruiz", "email": "ana@care.example"}
    early = _chatwoot("outgoing", 1, sender=agent, created_at="2026-03-02T08:59:00Z")
    await tools.send("chatwoot", early, _chatwoot("incoming", 2))
    responder = (await tools.one(source="chatwoot"))["responder"]
    assert responder == {"id": "4", "name": "Ana Ruiz", "email": "ana@care.example"}
