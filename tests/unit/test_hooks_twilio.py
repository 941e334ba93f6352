"""Twilio's formats, with payloads of our own and its published signatures."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from services.intake.adapters import twilio
from services.intake.adapters.pieces.shape import (
    GENUINE,
    Contact,
    Endpoint,
    Nothing,
    NotUnderstood,
    Refused,
    Request,
    Response,
)
from tests.hooked import NOW, delivery, one, read, signed, verdict

CALL = "CA00000000000000000000000000000042"
TASK = "WT00000000000000000000000000000007"

#: twilio-python, tests/unit/test_request_validator.py (MIT): the vendor's own examples
_FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
_TWICE = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")]
_PUBLISHED = [
    ("https://mycompany.com/myapp.php", "foo=1&bar=2", _FIELDS, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com/myapp.php", "foo=1&bar=2", _TWICE, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    ("http://mycompany.com:1234/myapp.php", "foo=1&bar=2", _FIELDS, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ("https://mycompany.com/myapp.php", "foo=1&bar=2", _FIELDS, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com/myapp.php", "foo=1&bar=2", _FIELDS, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
]


@pytest.mark.parametrize(("url", "query", "fields", "signature"), _PUBLISHED)
def test_published_signatures_of_forms(url: str, query: str, fields: list[tuple[str, str]], signature: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    request = Request("POST", (url,), query, headers, urlencode(fields).encode(), NOW)
    assert twilio.verify(request, Endpoint("twilio", "a", "12345"), NOW) == GENUINE
    assert isinstance(twilio.verify(request, Endpoint("twilio", "a", "12346"), NOW), Refused)


def test_published_signature_of_json() -> None:
    digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    headers = {"content-type": "application/json", "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4="}
    body = b'{"property": "value", "boolean": true}'
    url, query = "https://mycompany.com/myapp.php", f"foo=1&bar=2&bodySHA256={digest}"
    mine = Endpoint("twilio", "a", "12345")
    assert twilio.verify(Request("POST", (url,), query, headers, body, NOW), mine, NOW) == GENUINE
    # the signature holds the URL alone: the body is held by its hash in there
    assert isinstance(twilio.verify(Request("POST", (url,), query, headers, body + b" ", NOW), mine, NOW), Refused)
    assert isinstance(twilio.verify(Request("POST", (url,), "foo=1&bar=2", headers, body, NOW), mine, NOW), Refused)


def test_what_is_signed_here_is_genuine_and_what_is_changed_is_not() -> None:
    for body in ({"MessageSid": "SM1", "From": "+442071838750", "Body": "naïve & +1"}, {"data": {}, "type": "x"}):
        request = signed("twilio", body)
        assert verdict(request, "twilio") == GENUINE
        assert isinstance(verdict(request, "twilio", "other"), Refused)


def test_a_text_message() -> None:
    said = one(
        "twilio",
        {
            "MessageSid": "SM0a", "SmsStatus": "received", "From": "+442071838750", "To": "+442071838751",
            "Body": "My router drops again", "NumMedia": "1", "MediaContentType0": "image/jpeg",
            "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/SM0a/Media/ME77",
        },
    )  # fmt: skip
    assert isinstance(said, Contact)
    assert (said.event_id, said.channel, said.text, said.occurred_at) == ("SM0a", "sms", "My router drops again", NOW)
    assert said.customer.phone == "+442071838750" and "442071838750" not in said.customer.id
    assert list(said.attachments) == ["ME77 (image/jpeg)"]


def test_whatsapp_is_the_same_person_as_the_number_and_another_channel() -> None:
    plain = one("twilio", {"MessageSid": "SM1", "From": "+442071838750", "Body": "a"})
    app = one("twilio", {"MessageSid": "SM2", "From": "whatsapp:+442071838750", "Body": "b", "ProfileName": "Ola"})
    assert plain.customer.id == app.customer.id
    assert (app.channel, app.customer.name) == ("social", "Ola")


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "read", "undelivered", "failed"])
def test_what_became_of_our_own_messages_is_nothing(status: str) -> None:
    told = {"MessageSid": "SM1", "MessageStatus": status, "SmsStatus": status, "From": "+442071838751", "To": "+4420"}
    assert isinstance(one("twilio", told), Nothing)


def test_a_call_is_one_contact_by_whichever_of_its_events() -> None:
    ringing = one("twilio", {"CallSid": CALL, "CallStatus": "ringing", "Direction": "inbound", "From": "+442071838750"})
    over = one(
        "twilio",
        {
            "CallSid": CALL, "CallStatus": "completed", "Direction": "inbound", "From": "+442071838750",
            "CallDuration": "90", "Timestamp": "Mon, 02 Mar 2026 09:02:00 +0000", "SequenceNumber": "3",
        },
    )  # fmt: skip
    assert ringing.event_id == over.event_id == ringing.conversation_id == CALL
    assert ringing.channel == "phone"
    assert over.occurred_at == NOW + timedelta(seconds=30)  # it ended at 09:02 after 90 seconds
    assert ringing.customer == over.customer


def test_callers_who_withhold_their_number_are_not_one_person() -> None:
    told = {"CallStatus": "ringing", "Direction": "inbound", "From": "+266696687"}
    first, second = (one("twilio", {**told, "CallSid": sid}) for sid in ("CA1", "CA2"))
    assert first.customer.id != second.customer.id and first.customer.phone is None


def test_addresses_of_other_kinds_are_ids() -> None:
    told = {"CallSid": CALL, "CallStatus": "ringing", "Direction": "inbound"}
    browser = one("twilio", {**told, "From": "client:ola@example.org"}).customer
    sip = one("twilio", {**told, "From": "sip:ola@pbx.example.org"}).customer
    assert (browser.email, browser.phone, sip.email) == (None, None, None)
    assert "ola" not in browser.id and "ola" not in sip.id
    assert one("twilio", {**told, "From": "client:web-77"}).customer.id == "client:web-77"


def test_calls_that_we_make_are_nothing() -> None:
    told = {
        "CallSid": CALL,
        "CallStatus": "completed",
        "Direction": "outbound-api",
        "From": "+44",
        "To": "+442071838750",
    }
    assert isinstance(one("twilio", told), Nothing)


def test_a_voicemail_written_down() -> None:
    said = one(
        "twilio",
        {"CallSid": CALL, "TranscriptionSid": "TR1", "TranscriptionText": "I will cancel", "From": "+442071838750"},
    )
    assert (said.event_id, said.conversation_id, said.text) == ("TR1", CALL, "I will cancel")


def _added(**fields: str) -> dict[str, str]:
    return {
        "EventType": "onMessageAdded", "ConversationSid": "CH1", "MessageSid": "IM1", "Index": "4",
        "DateCreated": "2026-03-02T08:59:30.123Z", "Source": "SDK", "Body": "hello", **fields,
    }  # fmt: skip


def test_conversations_tell_customers_from_staff_and_machines() -> None:
    sms = one("twilio", _added(Author="+442071838750", Source="SMS"))
    assert isinstance(sms, Contact) and (sms.channel, sms.conversation_id) == ("sms", "CH1")
    assert sms.occurred_at == NOW - timedelta(seconds=29.877)
    visitor = one("twilio", _added(Author="FX" + "0" * 32))
    assert isinstance(visitor, Contact) and visitor.channel == "chat"
    mail = one("twilio", _added(Author="email:ola@example.org", Source="EMAIL"))
    assert isinstance(mail, Contact) and (mail.channel, mail.customer.email) == ("email", "ola@example.org")
    agent = one("twilio", _added(Author="ana_40care_2Eexample"))
    assert isinstance(agent, Response)
    assert (agent.responder.id, agent.responder.email) == ("ana_40care_2Eexample", "ana@care.example")
    for machine in ({"Author": "system"}, {"Author": "Bot", "Source": "STUDIO"}, {"Author": "CH1", "Source": "API"}):
        assert isinstance(one("twilio", _added(**machine)), Nothing)
    prefixed = one("twilio", _added(Author="web-17"), customer_prefix="web-")
    assert isinstance(prefixed, Contact) and prefixed.customer.id == "web-17"


def test_messages_of_one_moment_are_in_their_own_order() -> None:
    second, tenth = (one("twilio", _added(Author="+44207183875", Index=index)) for index in ("2", "10"))
    assert second.order < tenth.order


def test_other_events_of_conversations_are_nothing_and_files_are_named() -> None:
    assert isinstance(one("twilio", {"EventType": "onConversationUpdated", "ConversationSid": "CH1"}), Nothing)
    media = json.dumps([{"Sid": "ME1", "Filename": "bill.pdf", "ContentType": "application/pdf"}])
    assert list(one("twilio", _added(Author="+442071838750", Media=media)).attachments) == ["bill.pdf"]


def _accepted(**fields: str) -> dict[str, str]:
    return {
        "EventType": "reservation.accepted", "Sid": "EV1", "Timestamp": "1772441970", "TimestampMs": "1772441970500",
        "TaskSid": TASK, "ReservationSid": "WR1", "WorkerSid": "WK1", "WorkerName": "Ana",
        "WorkerAttributes": '{"email":"ana@care.example","full_name":"Ana Ruiz"}',
        "TaskAttributes": json.dumps({"call_sid": CALL, "from": "+442071838750", "direction": "inbound"}), **fields,
    }  # fmt: skip


def test_the_worker_who_accepted_took_the_call() -> None:
    told = _accepted(TaskAge="30", TaskChannelUniqueName="voice")
    call, taken = read("twilio", told)
    assert isinstance(call, Contact) and isinstance(taken, Response)
    # the same contact as by the call's own events, and as by task.created
    assert (call.event_id, call.customer.phone, call.channel) == (CALL, "+442071838750", "phone")
    assert call.occurred_at == NOW - timedelta(seconds=59.5)
    assert (taken.conversation_id, taken.event_id, taken.text) == (CALL, "WR1", None)
    assert (taken.responder.id, taken.responder.name, taken.responder.email) == ("WK1", "Ana Ruiz", "ana@care.example")
    assert taken.occurred_at == NOW - timedelta(seconds=29.5)
    chat = one("twilio", _accepted(TaskAttributes='{"conversationSid":"CH1"}'))
    assert chat.conversation_id == "CH1"
    assert one("twilio", _accepted(TaskAttributes="{}")).conversation_id == TASK


@pytest.mark.parametrize("kind", ["reservation.created", "reservation.rejected", "reservation.timeout", "task.updated"])
def test_offers_and_refusals_make_nobody_the_responder(kind: str) -> None:
    assert isinstance(one("twilio", _accepted(EventType=kind)), Nothing)


def test_a_task_is_the_contact_of_its_call() -> None:
    told = _accepted(EventType="task.created", TaskChannelUniqueName="voice")
    said = one("twilio", told)
    assert isinstance(said, Contact) and (said.event_id, said.channel) == (CALL, "phone")
    attributes = json.dumps({"direction": "outbound", "call_sid": CALL, "from": "+442071838750"})
    assert isinstance(one("twilio", {**told, "TaskAttributes": attributes}), Nothing)


def test_a_batch_of_event_streams() -> None:
    payload = {
        "eventtype": "reservation.accepted", "task_sid": TASK, "reservation_sid": "WR2", "worker_sid": "WK2",
        "worker_name": "Ben", "task_attributes": '{"conversationSid":"CH1"}', "timestamp": "2026-03-02T09:00:05.000Z",
    }  # fmt: skip
    written = {
        "ConversationSid": "CH1", "MessageSid": "IM1", "Author": "+442071838750", "Index": 0, "MessageBody": "It broke",
        "DateCreated": "2026-03-02T09:00:00.000Z", "Media": [{"MediaSid": "ME1", "Filename": "a.png"}],
    }  # fmt: skip
    inbound = {"messageSid": "SM9", "from": "+442071838750", "body": "hi", "timestamp": "2026-03-02T08:59:00.000Z"}
    call = {"request": {"parameters": {"CallSid": CALL, "Direction": "inbound", "From": "+442071838750"}}}
    prefix = "com.twilio."
    found = read(
        "twilio",
        [
            {
                "type": f"{prefix}conversations.message.added",
                "id": "EZ1",
                "time": "2026-03-02T09:00:00Z",
                "data": written,
            },
            {"type": f"{prefix}taskrouter.reservation.accepted", "id": "EZ2", "data": {"payload": payload}},
            {"type": f"{prefix}messaging.inbound-message.received", "id": "EZ3", "data": inbound},
            {"type": f"{prefix}voice.status-callback.call.ringing", "time": "2026-03-02T09:00:00Z", "data": call},
            {"type": f"{prefix}messaging.message.delivered", "data": {}},
        ],
    )
    chat, taken, sms, rings, other = found
    assert isinstance(chat, Contact) and (chat.text, list(chat.attachments)) == ("It broke", ["a.png"])
    assert isinstance(taken, Response) and (taken.conversation_id, taken.responder.id) == ("CH1", "WK2")
    assert isinstance(sms, Contact) and sms.occurred_at == NOW - timedelta(minutes=1)
    assert isinstance(rings, Contact) and rings.event_id == CALL
    assert isinstance(other, Nothing)


def test_a_reservation_as_the_sdk_hands_it_on() -> None:
    told = {
        "sid": "WR3", "reservation_status": "accepted", "worker_sid": "WK3", "date_updated": 1772442000,
        "task": {"sid": TASK, "attributes": "{}"},
    }  # fmt: skip
    taken = one("twilio", told)
    assert (taken.responder.id, taken.conversation_id, taken.occurred_at) == ("WK3", TASK, NOW)
    assert isinstance(one("twilio", {**told, "reservation_status": "rejected"}), Nothing)


@pytest.mark.parametrize("body", [b"[1]", b"{}", b"x=1", b"[" * 40, b"%00=%00", b'{"type":"com.twilio.taskrouter.x"}'])
def test_what_is_none_of_it_is_not_understood(body: bytes) -> None:
    kind = "application/json" if body[:1] in (b"[", b"{") else "application/x-www-form-urlencoded"
    with pytest.raises(NotUnderstood):
        twilio.read(delivery("twilio", body, {"content-type": kind}), Endpoint("twilio", "main", ""))


def test_older_chats_offers_and_errors() -> None:
    told = {
        "EventType": "onMessageSent", "ChannelSid": "CH1", "MessageSid": "IM1", "Index": "0", "From": "ana",
        "Body": "hi", "DateCreated": "2026-03-02T09:00:00Z", "Source": "SDK",
    }  # fmt: skip
    answer = one("twilio", told)
    assert isinstance(answer, Response) and (answer.conversation_id, answer.responder.id) == ("CH1", "ana")
    assert isinstance(one("twilio", {"ReservationSid": "WR1", "TaskSid": TASK, "WorkerSid": "WK1"}), Nothing)
    assert isinstance(one("twilio", {"Sid": "NO1", "Level": "ERROR", "PayloadType": "application/json"}), Nothing)


def test_workers_may_be_named_as_they_are_in_conversations() -> None:
    told = _accepted(WorkerAttributes='{"contact_uri":"client:ana_40care_2Eexample"}')
    assert read("twilio", told)[-1].responder.id == "WK1"  # type: ignore[union-attr]
    assert read("twilio", told, staff="identity")[-1].responder.id == "ana_40care_2Eexample"  # type: ignore[union-attr]


def test_a_repeat_is_the_same_delivery_and_another_event_of_the_call_is_not() -> None:
    token = {"I-Twilio-Idempotency-Token": "t-1"}
    first, again = (delivery("twilio", {"CallSid": CALL, "CallStatus": "ringing"}, token) for _ in range(2))
    other = delivery("twilio", {"CallSid": CALL, "CallStatus": "completed"}, token)
    assert twilio.identity(first) == twilio.identity(again) != twilio.identity(other)
