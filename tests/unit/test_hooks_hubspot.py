"""HubSpot's formats: signatures of all versions, thin events, and what its API tells about them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from services.intake.adapters import hubspot
from services.intake.adapters.pieces.shape import (
    GENUINE,
    Contact,
    Endpoint,
    Nothing,
    NotUnderstood,
    Refused,
    Request,
    Response,
    Thin,
)
from tests.hooked import NOW, Api, completed, delivery, endpoint, read, signed, verdict

THREADS = "/conversations/v3/conversations/threads"


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "eventId": 71, "subscriptionId": 8, "portalId": 9, "appId": 10, "occurredAt": 1772442000000,
        "subscriptionType": kind, "attemptNumber": 0, "objectId": 55, **fields,
    }  # fmt: skip


def _message(**fields: Any) -> dict[str, Any]:
    return _event("conversation.newMessage", messageId="m1", messageType="MESSAGE", changeFlag="NEW_MESSAGE", **fields)


def test_version_3_holds_method_url_body_and_time() -> None:
    request = signed("hubspot", [_message()])
    assert verdict(request, "hubspot") == GENUINE
    assert isinstance(verdict(request, "hubspot", "other"), Refused)
    for drift in (timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)):
        assert isinstance(verdict(request, "hubspot", at=NOW + drift), Refused)
    patient = Endpoint("hubspot", "main", "s3cret", tolerance=timedelta(days=1))
    assert hubspot.verify(request, patient, NOW + timedelta(hours=3)) == GENUINE


def test_version_3_signs_the_url_with_some_escapes_undone() -> None:
    request = delivery("hubspot", [_message()], query="for=a%40b.example&x=%20")
    shown = f"{request.urls[0]}?for=a@b.example&x=%20"
    made = hubspot.sign(request.body, Endpoint("hubspot", "main", "s3cret", shown), NOW)
    escaped = delivery("hubspot", [_message()], made, query="for=a%40b.example&x=%20")
    assert verdict(escaped, "hubspot") == GENUINE


def test_versions_1_and_2() -> None:
    # the vendor's own example of version 2 (legacydocs.hubspot.com/docs/faq/v2-request-validation)
    headers = {
        "x-hubspot-signature": "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
        "x-hubspot-signature-version": "v2",
    }
    body, mine = b'{"example_field":"example_value"}', Endpoint("hubspot", "a", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")
    request = Request("POST", ("https://www.example.com/webhook_uri",), "", headers, body, NOW)
    assert hubspot.verify(request, mine, NOW) == GENUINE
    first = hashlib.sha256(mine.secret.encode() + body).hexdigest()
    headers = {"x-hubspot-signature": first, "x-hubspot-signature-version": "v1"}
    assert hubspot.verify(Request("POST", request.urls, "", headers, body, NOW), mine, NOW) == GENUINE
    headers["x-hubspot-signature-version"] = "v9"
    assert isinstance(hubspot.verify(Request("POST", request.urls, "", headers, body, NOW), mine, NOW), Refused)
    # a wrong version 3 is not made good by a right version 1
    headers = {"x-hubspot-signature": first, "x-hubspot-signature-v3": "AAAA", "x-hubspot-request-timestamp": "1"}
    assert isinstance(hubspot.verify(Request("POST", request.urls, "", headers, body, NOW), mine, NOW), Refused)


def test_events_are_thin_or_nothing() -> None:
    found = read(
        "hubspot",
        [
            _message(),
            _event("ticket.creation"),
            _event("object.creation", objectTypeId="0-5"),
            _event("conversation.newMessage", messageId="m2", messageType="COMMENT"),
            _event("ticket.propertyChange", propertyName="hubspot_owner_id", propertyValue="7"),
            _event("contact.creation"),
            _event("object.creation", objectTypeId="0-1"),
        ],
    )
    assert [type(one) for one in found] == [Thin] * 3 + [Nothing] * 4
    # records, as workflows send them
    assert isinstance(read("hubspot", {"vid": 3, "properties": {}})[0], Nothing)
    assert isinstance(read("hubspot", {"objectId": 55, "objectType": "TICKET", "properties": {}})[0], Thin)


async def test_a_customers_message_is_told_by_the_api() -> None:
    api = Api(
        {
            f"{THREADS}/55/messages/m1": {
                "id": "m1", "type": "MESSAGE", "direction": "INCOMING", "channelId": "1002",
                "createdAt": "2026-03-02T08:59:00Z", "subject": "Bill", "truncationStatus": "NOT_TRUNCATED",
                "text": "Too high.\n\nOn Mon, 1 March 2026 at 10:00, Care wrote:\n> your bill",
                "senders": [
                    {
                        "actorId": "V-77", "name": "Ola Nor",
                        "deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": "ola@example.org"},
                    }
                ],
                "attachments": [{"type": "FILE", "fileId": "f9", "name": "bill.pdf"}],
            },
            f"{THREADS}/55": {"id": "55", "associatedContactId": "301"},
        }
    )  # fmt: skip
    (said,) = await completed("hubspot", [_message()], api)
    assert isinstance(said, Contact)
    assert (said.event_id, said.conversation_id, said.channel, said.text) == ("m1", "55", "email", "Too high.")
    assert (said.customer.id, said.customer.email) == ("301", "ola@example.org")
    assert list(said.attachments) == ["bill.pdf"]


async def test_an_agents_message_is_an_answer_and_a_bots_is_nothing() -> None:
    written = {
        "id": "m1",
        "type": "MESSAGE",
        "direction": "OUTGOING",
        "createdAt": "2026-03-02T09:00:00Z",
        "text": "Hi",
    }
    actor = "/conversations/v3/conversations/actors/A-12"
    api = Api(
        {
            f"{THREADS}/55/messages/m1": {**written, "senders": [{"actorId": "A-12"}]},
            actor: {"id": "A-12", "name": "Ana Ruiz", "email": "ana@care.example", "type": "AGENT"},
        }
    )
    (answer,) = await completed("hubspot", [_message()], api)
    assert isinstance(answer, Response) and answer.conversation_id == "55"
    assert (answer.responder.id, answer.responder.email) == ("12", "ana@care.example")
    for actor in ("B-3", "S-hubspot", "I-9"):
        api = Api({f"{THREADS}/55/messages/m1": {**written, "senders": [{"actorId": actor}]}})
        (found,) = await completed("hubspot", [_message()], api)
        assert isinstance(found, Nothing)
    welcome = Api({f"{THREADS}/55/messages/m1": {**written, "type": "WELCOME_MESSAGE"}})
    assert isinstance((await completed("hubspot", [_message()], welcome))[0], Nothing)


async def test_a_ticket_is_told_by_the_api() -> None:
    api = Api(
        {
            "/crm/v3/objects/tickets/55": {
                "id": "55",
                "properties": {
                    "subject": "Router", "content": "It drops", "createdate": "2026-03-02T08:00:00.000Z",
                    "source_type": "PHONE", "hs_conversations_originating_thread_id": None,
                },
                "associations": {"contacts": {"results": [{"id": "301", "type": "ticket_to_contact"}]}},
            },
            "/crm/v3/objects/contacts/301": {"properties": {"firstname": "Ola", "lastname": "Nor", "phone": "+4720"}},
        }
    )  # fmt: skip
    (said,) = await completed("hubspot", [_event("ticket.creation")], api)
    assert isinstance(said, Contact)
    assert (said.event_id, said.channel, said.subject, said.text) == ("ticket-55", "phone", "Router", "It drops")
    assert (said.customer.id, said.customer.name) == ("301", "Ola Nor")
    lonely = Api({"/crm/v3/objects/tickets/55": {"properties": {}}})
    assert isinstance((await completed("hubspot", [_event("ticket.creation")], lonely))[0], Nothing)


def test_another_attempt_is_the_same_delivery() -> None:
    first, again = (delivery("hubspot", [_message(attemptNumber=number)]) for number in (0, 3))
    assert hubspot.identity(first) == hubspot.identity(again)
    assert hubspot.identity(first) != hubspot.identity(delivery("hubspot", [_message(eventId=72)]))


@pytest.mark.parametrize(
    "body", [b"[[]]", b'[{"objectId":1}]', b'["x"]', b"3", b'[{"subscriptionType":"ticket.creation"}]']
)
def test_what_is_none_of_it_is_not_understood(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        hubspot.read(delivery("hubspot", body), endpoint("hubspot"))
