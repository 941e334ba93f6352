"""The formats of Zendesk, Chatwoot, Intercom, Front, Help Scout, Freshdesk and Standard Webhooks, with payloads of our
own; what is asked of an API where a delivery is thin."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from services.intake.adapters.pieces.shape import (
    GENUINE,
    Contact,
    Endpoint,
    Genuine,
    Nothing,
    NotUnderstood,
    Refused,
    Reply,
    Response,
    Thin,
)
from tests.hooked import NOW, Api, completed, delivery, endpoint, one, read, signed, verdict

STANDARD = "whsec_" + base64.b64encode(b"a key of our own").decode()
#: tools that sign with a time, and the header that carries it
TIMED = ["zendesk", "chatwoot", "front", "standard-webhooks"]


def _secret(tool: str) -> str:
    return STANDARD if tool == "standard-webhooks" else "s3cret"


@pytest.mark.parametrize("tool", [*TIMED, "intercom", "helpscout", "freshdesk"])
def test_only_who_knows_the_secret_is_let_in(tool: str) -> None:
    request = signed(tool, {"any": "thing"}, _secret(tool))
    assert verdict(request, tool, _secret(tool)) == GENUINE
    other = STANDARD[:-4] + "AAA=" if tool == "standard-webhooks" else "s3cre7"
    assert isinstance(verdict(request, tool, other), Refused)
    assert isinstance(verdict(delivery(tool, {"any": "thing"}), tool, _secret(tool)), Refused)
    if tool != "freshdesk":  # which carries its secret, whatever the body
        changed = delivery(tool, {"any": "thing!"}, request.headers)
        assert isinstance(verdict(changed, tool, _secret(tool)), Refused)


@pytest.mark.parametrize("tool", TIMED)
def test_a_signed_time_is_good_for_five_minutes(tool: str) -> None:
    request = signed(tool, {"any": "thing"}, _secret(tool))
    for away in (timedelta(minutes=4, seconds=59), -timedelta(minutes=4, seconds=59)):
        assert verdict(request, tool, _secret(tool), NOW + away) == GENUINE
        assert isinstance(verdict(request, tool, _secret(tool), NOW + away * 1.02), Refused)


def test_the_tolerance_can_be_set() -> None:
    from services.intake.adapters import TOOLS

    request = signed("zendesk", {})
    wide = Endpoint("zendesk", "main", "s3cret", tolerance=timedelta(hours=1))
    assert TOOLS["zendesk"].verify(request, wide, NOW + timedelta(minutes=59)) == GENUINE
    narrow = Endpoint("zendesk", "main", "s3cret", tolerance=timedelta(seconds=1))
    assert isinstance(TOOLS["zendesk"].verify(request, narrow, NOW + timedelta(seconds=2)), Refused)


@pytest.mark.parametrize("header", ["v1", "v1,a,b", "v1,AAAA  v1,AAAA", "", "v2,x", "é", "v1," + "A" * 4000])
def test_malformed_standard_signatures_are_refused(header: str) -> None:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": header}
    assert isinstance(verdict(delivery("standard-webhooks", {}, headers), "standard-webhooks", STANDARD), Refused)


def test_an_independent_sender_of_standard_webhooks_is_understood() -> None:
    body = b'{"type":"contact.reported","timestamp":"2026-03-02T09:00:00Z","data":{}}'
    sent = datetime.now(UTC)
    signature = Webhook(STANDARD).sign("msg_2", sent, body.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature}
    old = "v1," + base64.b64encode(b"of a key that was rotated away").decode()
    for given in (signature, f"{old} {signature}"):
        request = delivery("standard-webhooks", body, {**headers, "webhook-signature": given})
        assert verdict(request, "standard-webhooks", STANDARD, sent) == GENUINE
        assert verdict(request, "standard-webhooks", STANDARD.removeprefix("whsec_"), sent) == GENUINE


def test_standard_webhooks_hand_on_every_field_of_a_contact() -> None:
    data = {
        "channel": "phone", "customer": {"id": "c-1", "tier": "gold", "name": "Ola"}, "text": "  It drops.",
        "cause": "router-drops", "complaint": True, "responder": {"id": "ana"},
    }  # fmt: skip
    told = {"type": "contact.reported", "timestamp": "2026-03-02T08:59:00Z", "data": data}
    found = one("standard-webhooks", told, {"webhook-id": "msg_3"})
    assert (found.event_id, found.occurred_at, found.text) == ("msg_3", NOW - timedelta(minutes=1), "  It drops.")
    assert found.more == {"cause": "router-drops", "complaint": True, "customer": {"tier": "gold"}}
    assert found.responder.id == "ana"
    assert isinstance(one("standard-webhooks", {"type": "invoice.paid", "data": {}}), Nothing)
    for strange in ({"test": 1}, {"type": "contact.responded", "data": {}}, {"type": "contact.reported", "data": []}):
        with pytest.raises(NotUnderstood):
            read("standard-webhooks", strange, {"webhook-id": "msg_4"})


def _zendesk(kind: str, detail: dict[str, Any], event: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": f"zen:event-type:{kind}", "id": "evt", "time": "2026-03-02T09:00:00.999999999Z",
            "detail": {"id": "9", **detail}, "event": event or {}}  # fmt: skip


def test_zendesk_tells_a_new_ticket() -> None:
    detail = {
        "requester_id": "77", "submitter_id": "77", "assignee_id": "5", "subject": "Router", "is_public": True,
        "description": "It drops.\n\nOn Mon, 2 March 2026 at 08:00, Care wrote:\n> old", "via": {"channel": "email"},
        "created_at": "2026-03-02T08:58:00Z",
    }  # fmt: skip
    found = one("zendesk", _zendesk("ticket.created", detail))
    assert isinstance(found, Contact)
    assert (found.conversation_id, found.customer.id, found.channel, found.text) == ("9", "77", "email", "It drops.")
    assert (found.subject, found.occurred_at, found.responder) == ("Router", NOW - timedelta(minutes=2), None)
    # the description comes as a comment too: the same message
    comment = {"id": "c1", "body": "It drops.", "is_public": True, "author": {"id": "77", "is_staff": False},
               "created_at": "2026-03-02T08:58:01Z"}  # fmt: skip
    again = one("zendesk", _zendesk("ticket.comment_added", detail, {"comment": comment}))
    assert again.event_id == found.event_id
    # somebody of ours who writes down a call has taken it
    call = {**detail, "submitter_id": "5", "via": {"channel": "voice"}}
    assert one("zendesk", _zendesk("ticket.created", call)).responder.id == "5"
    assert isinstance(one("zendesk", _zendesk("ticket.created", {**detail, "is_public": False})), Nothing)
    assert isinstance(one("zendesk", _zendesk("ticket.status_changed", detail)), Nothing)


def test_zendesk_messaging_knows_agents_from_bots() -> None:
    def said(role: str) -> Any:
        event = {"actor": {"id": "a-1", "type": role}, "message": {"id": "m-1", "body": "Hello"}}
        return one("zendesk", _zendesk("messaging_ticket.message_added", {}, event))

    assert isinstance(said("agent"), Response) and isinstance(said("end_user"), Contact)
    assert isinstance(said("bot"), Nothing) and isinstance(said("system"), Nothing)
    with pytest.raises(NotUnderstood):
        said("somebody new")


def test_chatwoot_tells_mail_without_its_history_and_names_files() -> None:
    told = {
        "event": "message_created", "id": 7, "message_type": "incoming", "content": "<p>New</p><p>old</p>",
        "created_at": "2026-03-02T09:00:00.000Z", "private": False,
        "content_attributes": {"email": {"text_content": {"reply": "New"}}},
        "attachments": [{"file_type": "image", "data_url": "https://desk.example/files/router.png?x=1"}],
        "sender": {"id": 3, "name": "Ola", "type": "contact", "identifier": "c-3", "phone_number": "+4712345"},
        "conversation": {"id": 5, "channel": "Channel::Email", "additional_attributes": {"mail_subject": "Router"}},
    }  # fmt: skip
    found = one("chatwoot", told)
    assert (found.text, found.subject, list(found.attachments)) == ("New", "Router", ["router.png"])
    assert (found.customer.id, found.customer.phone, found.channel) == ("c-3", "+4712345", "email")
    mailed = {**told, "sender": {"id": 3, "type": "contact", "identifier": "ola@example.org"}}
    assert "ola" not in one("chatwoot", mailed).customer.id  # an address is in no id


@pytest.mark.parametrize(
    "changes",
    [
        {"private": True},
        {"message_type": "activity"},
        {"message_type": "template"},
        {"sender": {"id": 1, "type": "agent_bot"}},
        {"sender": None},
        {"content_attributes": {"automation_rule_id": 4}},
        {"additional_attributes": {"campaign_id": 4}},
        {"event": "conversation_status_changed"},
    ],
)
def test_chatwoot_takes_no_machine_for_a_human(changes: dict[str, Any]) -> None:
    told = {
        "event": "message_created", "id": 7, "message_type": "outgoing", "content": "Hello", "private": False,
        "created_at": 1772442000, "sender": {"id": 1, "name": "Ana", "type": "user"}, "conversation": {"id": 5},
    }  # fmt: skip
    assert isinstance(one("chatwoot", told), Response)
    assert isinstance(one("chatwoot", told | changes), Nothing)


def test_chatwoot_before_it_could_sign_carries_the_secret() -> None:
    assert verdict(delivery("chatwoot", {}, query="a=1&key=s3cret"), "chatwoot") == GENUINE
    assert isinstance(verdict(delivery("chatwoot", {}, query="key=other"), "chatwoot"), Refused)
    # a signature that is wrong is not made good by it
    wrong = delivery("chatwoot", {}, {"x-chatwoot-signature": "sha256=00"}, "key=s3cret")
    assert isinstance(verdict(wrong, "chatwoot"), Refused)


def _intercom(topic: str, part: dict[str, Any] | None, **item: Any) -> dict[str, Any]:
    source = {"type": "email", "id": "100", "subject": "<p>Router</p>", "body": "<p>It drops</p>",
              "author": {"type": "user", "id": "u1", "name": "Ola", "email": "ola@example.org"}}  # fmt: skip
    whole = {
        "id": "c1", "created_at": 1772441940, "source": source, "admin_assignee_id": 9,
        "contacts": {"contacts": [{"type": "contact", "id": "u1", "external_id": "c-7"}]},
        "conversation_parts": {"conversation_parts": [part] if part else []}, **item,
    }  # fmt: skip
    return {"type": "notification_event", "topic": topic, "id": "notif_1", "data": {"item": whole}}


def test_intercom_tells_who_opened_a_conversation_and_who_answered() -> None:
    (opened,) = read("intercom", _intercom("conversation.user.created", None))
    assert (opened.customer.id, opened.customer.email, opened.channel) == ("c-7", "ola@example.org", "email")
    assert (opened.subject, opened.text, opened.occurred_at) == ("Router", "It drops", NOW - timedelta(minutes=1))
    part = {"id": "101", "part_type": "comment", "body": "<p>We look</p>", "created_at": 1772442000,
            "author": {"type": "admin", "id": 5, "name": "Ana"}}  # fmt: skip
    again, answer = read("intercom", _intercom("conversation.admin.replied", part))
    assert again == opened
    assert isinstance(answer, Response) and (answer.responder.id, answer.text, answer.customer_id) == (
        "5",
        "We look",
        "c-7",
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"part_type": "note"}, "a private note"),
        ({"author": {"type": "bot", "id": "operator"}}, "a bot"),
        ({"author": {"type": "team", "id": "t"}}, "a bot"),
        ({"author": {"type": "admin", "id": 5, "from_ai_agent": True}}, "a bot"),
        ({"author": {"type": "admin", "id": 5, "from_ai_agent": True, "is_ai_answer": True}}, "a bot"),
        ({"body": None}, "nothing was said"),
    ],
)
def test_intercom_takes_no_machine_and_no_note_for_an_answer(changes: dict[str, Any], why: str) -> None:
    part = {"id": "101", "part_type": "comment", "body": "<p>Hi</p>", "created_at": 1772442000,
            "author": {"type": "admin", "id": 5}}  # fmt: skip
    _, found = read("intercom", _intercom("conversation.admin.replied", part | changes))
    assert found == Nothing(why)


def test_intercom_campaigns_are_sent_by_nobody() -> None:
    sent = {"id": "100", "body": "Hello!", "author": {"type": "admin", "id": 5}}
    by_hand = read("intercom", _intercom("conversation.admin.single.created", None, source=sent))
    assert isinstance(by_hand[0], Response)
    campaign = {**sent, "delivered_as": "campaigns_initiated"}
    assert read("intercom", _intercom("conversation.admin.single.created", None, source=campaign)) == [Nothing("a bot")]


async def test_intercom_is_asked_for_parts_that_are_missing() -> None:
    thin = _intercom("conversation.user.replied", None, source=None)
    assert any(isinstance(found, Thin) for found in read("intercom", thin))
    part = {"id": "101", "part_type": "comment", "body": "Still", "created_at": 1772442000,
            "author": {"type": "user", "id": "u1"}}  # fmt: skip
    api = Api({"/conversations/c1": _intercom("", part)["data"]["item"]})
    assert [found.text for found in await completed("intercom", thin, api)] == ["It drops", "Still"]  # type: ignore[union-attr]


def _front(kind: str, message: dict[str, Any] | None) -> dict[str, Any]:
    recipient = {"handle": "ola@example.org", "role": "from", "_links": {"related": {"contact": None}}}
    target = {"id": "msg_1", "_links": {"self": "https://api2.frontapp.com/messages/msg_1"}} | (message or {})
    return {
        "type": f"{kind}_received",
        "payload": {"id": "evt_1", "type": kind, "emitted_at": 1772442000.5, "target": {"data": target},
                    "conversation": {"id": "cnv_1", "subject": "Router", "recipient": recipient}},
    }  # fmt: skip


MESSAGE = {
    "type": "email", "is_inbound": True, "created_at": 1772442000.25, "body": "<p>It drops</p>",
    "recipients": [{"handle": "Ola@Example.org", "name": "Ola", "role": "from"}],
    "attachments": [{"filename": "log.txt"}],
}  # fmt: skip


def test_front_knows_people_by_their_address_without_saying_it() -> None:
    found = one("front", _front("inbound", MESSAGE))
    assert (found.customer.email, found.customer.name, found.text) == ("Ola@Example.org", "Ola", "It drops")
    assert found.customer.id.startswith("mail-") and "example" not in found.customer.id
    assert list(found.attachments) == ["log.txt"]
    author = {"id": "tea_1", "first_name": "Ana", "last_name": "Ruiz"}
    answer = one("front", _front("outbound", {**MESSAGE, "is_inbound": False, "author": author}))
    assert (answer.responder.id, answer.responder.name, answer.customer_id) == ("tea_1", "Ana Ruiz", found.customer.id)
    assert isinstance(one("front", _front("outbound", {**MESSAGE, "is_inbound": False, "author": None})), Nothing)
    assert isinstance(one("front", _front("comment", {"body": "psst"})), Nothing)


async def test_front_is_asked_for_what_a_preview_leaves_out() -> None:
    preview = _front("inbound", None)
    assert one("front", preview) == Thin("the message")
    api = Api({"/messages/msg_1": {"id": "msg_1", **MESSAGE}})
    (found,) = await completed("front", preview, api)
    assert isinstance(found, Contact) and found.text == "It drops"


def test_front_wants_its_challenge_back_and_only_front_gets_it() -> None:
    request = signed("front", {"type": "sync"})
    asked = delivery("front", {"type": "sync"}, {**request.headers, "x-front-challenge": "abc"})
    found = verdict(asked, "front")
    assert isinstance(found, Reply) and found.body == b'{"challenge":"abc"}'
    assert isinstance(verdict(asked, "front", "other"), Refused)
    # a rule's webhook signs without a time
    from services.intake.adapters.pieces.signing import in_base64, mac

    by_rule = delivery("front", {"a": 1}, {"x-front-signature": in_base64(mac("s3cret", b'{"a": 1}', "sha1"))})
    assert isinstance(verdict(by_rule, "front"), Genuine)


def _helpscout(*threads: dict[str, Any], **fields: Any) -> dict[str, Any]:
    customer = {"id": 3, "type": "customer", "first": "Ola", "email": "ola@example.org"}
    return {
        "id": 12, "type": "email", "subject": "Router", "assignee": {"id": 9, "type": "user"},
        "primaryCustomer": customer, "_embedded": {"threads": list(threads)}, **fields,
    }  # fmt: skip


def _thread(number: int, kind: str, author: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "state": "published", "createdBy": author, "body": f"<p>Words {number}</p>",
            "createdAt": "2026-03-02T09:00:00Z", **fields}  # fmt: skip


async def test_helpscout_tells_threads_and_is_asked_for_them() -> None:
    threads = [
        _thread(4, "message", {"id": 1, "type": "user"}, action={"type": "automatic-workflow"}),
        _thread(3, "note", {"id": 5, "type": "user"}),
        _thread(2, "message", {"id": 5, "type": "user", "first": "Ana"}),
        _thread(1, "customer", {"id": 3, "type": "customer"}),
    ]
    event = {"X-HelpScout-Event": "convo.agent.reply.created"}
    robot, note, answer, opened = read("helpscout", _helpscout(*threads), event)
    assert isinstance(robot, Nothing) and isinstance(note, Nothing)
    assert isinstance(answer, Response) and (answer.responder.id, answer.customer_id) == ("5", "3")
    assert isinstance(opened, Contact) and (opened.customer.id, opened.text) == ("3", "Words 1")
    # whoever writes down a call has taken it
    call = _thread(5, "phone", {"id": 5, "type": "user"}, customer={"id": 3, "email": "ola@example.org"})
    taken = one("helpscout", _helpscout(call, type="phone"), {"X-HelpScout-Event": "convo.created"})
    assert isinstance(taken, Contact) and taken.channel == "phone" and taken.responder is not None
    assert (taken.responder.id, taken.customer.id) == ("5", "3")
    assert one("helpscout", _helpscout(), {"X-HelpScout-Event": "convo.assigned"}) == Nothing("no message of anybody")
    bare = _helpscout(_embedded={}, threads=4)
    assert isinstance(one("helpscout", bare, event), Thin)
    api = Api({"/v2/conversations/12/threads": {"_embedded": {"threads": threads}}})
    assert len(await completed("helpscout", bare, api)) == 4
    call = one("helpscout", _helpscout(_thread(1, "phone", {"id": 5, "type": "user"}), type="phone"), event)
    assert isinstance(call, Contact) and call.responder and (call.responder.id, call.channel) == ("5", "phone")
    with pytest.raises(NotUnderstood):
        read("helpscout", bare)


def _freshdesk(event: str, **fields: Any) -> dict[str, Any]:
    return {
        "freshdesk_webhook": {
            "triggered_event": event, "ticket_id": 11, "ticket_subject": "Router", "ticket_agent_name": "Ben",
            "requester_name": "Ola", "requester_email": "ola@example.org", **fields,
        }
    }  # fmt: skip


def test_freshdesk_takes_the_name_before_a_comment_and_never_the_assignee() -> None:
    answer = one("freshdesk", _freshdesk("{reply_sent:sent}", ticket_latest_public_comment="Ana : <div>We look</div>"))
    assert isinstance(answer, Response) and (answer.responder.name, answer.text) == ("Ana", "We look")
    assert answer.responder.id.startswith("name-")
    said = one("freshdesk", _freshdesk("{note_type:public}", ticket_latest_public_comment="Ola : <div>Still</div>"))
    assert isinstance(said, Contact) and said.customer.email == "ola@example.org"
    assert isinstance(one("freshdesk", _freshdesk("{note_type:private}")), Nothing)
    assert isinstance(one("freshdesk", _freshdesk("{note_type:public}")), Thin)
    assert isinstance(one("freshdesk", _freshdesk("{reply_sent:sent}"), api_token="key"), Thin)


async def test_freshdesk_is_asked_for_authors_and_times() -> None:
    ticket = {
        "id": 11, "source": 1, "subject": "Router", "description": "<div>It drops</div>", "requester_id": 3,
        "responder_id": 9, "created_at": "2026-03-02T08:00:00Z", "requester": {"email": "Ola@example.org"},
    }  # fmt: skip
    messages = [
        {"id": 1, "private": True, "incoming": False, "user_id": 9, "created_at": "2026-03-02T08:01:00Z"},
        {"id": 2, "private": False, "incoming": False, "user_id": 5, "body": "<p>We look</p>",
         "created_at": "2026-03-02T08:02:00Z"},
        {"id": 3, "private": False, "incoming": True, "user_id": 3, "body": "<p>Still</p>",
         "created_at": "2026-03-02T08:03:00Z", "attachments": [{"name": "log.txt"}]},
    ]  # fmt: skip
    api = Api(
        {
            "/api/v2/tickets/11": ticket,
            "/api/v2/tickets/11/conversations": messages,
            "/api/v2/agents/5": {"contact": {"name": "Ana", "email": "ana@care.example"}},
        }
    )
    opened, note, answer, again = await completed("freshdesk", _freshdesk("{reply_sent:sent}"), api)
    assert isinstance(opened, Contact) and isinstance(note, Nothing) and isinstance(answer, Response)
    assert opened.event_id == one("freshdesk", _freshdesk("{ticket_action:created}", ticket_description="x")).event_id
    assert (answer.responder.id, answer.responder.name, answer.occurred_at) == ("5", "Ana", NOW - timedelta(minutes=58))
    assert isinstance(again, Contact) and again.customer == opened.customer and list(again.attachments) == ["log.txt"]


def test_freshdesk_carries_its_secret_in_any_way_that_it_can() -> None:
    basic = base64.b64encode(b"anybody:s3cret").decode()
    for headers, query in (
        ({"Authorization": f"Basic {basic}"}, ""),
        ({"Authorization": "Bearer s3cret"}, ""),
        ({"X-Api-Key": "s3cret"}, ""),
        ({}, "key=s3cret"),
    ):
        assert verdict(delivery("freshdesk", {}, headers, query), "freshdesk") == GENUINE
    for headers in (
        {"Authorization": "Basic !"},
        {"Authorization": "Basic"},
        {"X-Api-Key": ""},
        {"X-Api-Key": "s3cre"},
    ):
        assert isinstance(verdict(delivery("freshdesk", {}, headers), "freshdesk"), Refused)


def test_an_endpoint_without_a_secret_lets_nobody_in() -> None:
    from services.intake.adapters import TOOLS

    empty = Endpoint("freshdesk", "main", "")
    assert isinstance(TOOLS["freshdesk"].verify(delivery("freshdesk", {}, {"X-Api-Key": ""}), empty, NOW), Refused)
    assert endpoint("freshdesk").secret
