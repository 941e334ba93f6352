"""Amazon Connect's and Genesys Cloud's formats, with payloads of our own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from services.intake.adapters import amazon_connect, genesys_cloud
from services.intake.adapters.pieces.shape import GENUINE, Contact, Nothing, NotUnderstood, Refused, Response, Thin
from services.intake.adapters.pieces.signing import in_base64, mac
from tests.hooked import NOW, Api, completed, delivery, endpoint, one, read, verdict

CONNECT, GENESYS = "amazon-connect", "genesys-cloud"
ARN = "arn:aws:connect:eu-west-1:111122223333:instance/i-1"


def test_the_secret_comes_with_the_request() -> None:
    for tool in (CONNECT, GENESYS):
        for headers in (
            {"X-Api-Key": "s3cret"},
            {"Authorization": "Bearer s3cret"},
            {"Authorization": f"Basic {in_base64(b'events:s3cret')}"},
        ):
            assert verdict(delivery(tool, {}, headers), tool) == GENUINE
        assert verdict(delivery(tool, {}, query="key=s3cret"), tool) == GENUINE
        for headers in ({}, {"X-Api-Key": "s3cre"}, {"Authorization": "Basic ???"}):
            assert isinstance(verdict(delivery(tool, {}, headers), tool), Refused)


def _event(kind: str = "INITIATED", **detail: Any) -> dict[str, Any]:
    return {
        "version": "0", "id": f"e-{kind}", "detail-type": "Amazon Connect Contact Event", "source": "aws.connect",
        "time": "2026-03-02T09:05:00Z",
        "detail": {
            "eventType": kind, "contactId": "c-1", "channel": "VOICE", "initiationMethod": "INBOUND",
            "initiationTimestamp": "2026-03-02T09:00:00.000Z", "instanceArn": ARN,
            "customerEndpoint": {"type": "TELEPHONE_NUMBER", "address": "+442071838750"}, **detail,
        },
    }  # fmt: skip


AGENT = {"agentArn": f"{ARN}/agent/a-9", "connectedToAgentTimestamp": "2026-03-02T09:02:00.000Z"}


def test_connect_a_call_is_one_contact_by_whichever_event() -> None:
    begun = one(CONNECT, _event())
    assert isinstance(begun, Contact)
    assert (begun.event_id, begun.channel, begun.occurred_at) == ("c-1", "phone", NOW)
    assert begun.customer.phone == "+442071838750" and "2071838750" not in begun.customer.id
    for kind in ("CONNECTED_TO_AGENT", "DISCONNECTED", "COMPLETED"):
        again, taken = read(CONNECT, _event(kind, agentInfo=AGENT))
        assert again == begun
        assert isinstance(taken, Response)
        assert (taken.responder.id, taken.occurred_at) == ("a-9", NOW + timedelta(minutes=2))
        assert taken.event_id == "c-1-a-9"


def test_connect_1970_stands_for_not_yet_and_tasks_and_calls_of_ours_are_nothing() -> None:
    early = {"agentArn": f"{ARN}/agent/a-9", "connectedToAgentTimestamp": "1970-01-01T00:00:00.001Z"}
    assert isinstance(one(CONNECT, _event("CONTACT_DATA_UPDATED", agentInfo=early)), Contact)
    for other in ({"initiationMethod": "OUTBOUND"}, {"channel": "TASK"}, {"initiationMethod": "MONITOR"}):
        assert isinstance(one(CONNECT, _event("CONNECTED_TO_AGENT", agentInfo=AGENT, **other)), Nothing)
    assert isinstance(one(CONNECT, {**_event(), "detail-type": "Contact Lens Post Call Rules Matched"}), Nothing)


@pytest.mark.parametrize("withheld", ["anonymous", "tel:Anonymous", "sip:anonymous@anonymous.invalid", "unknown", ""])
def test_callers_who_withhold_their_number_are_a_customer_each(withheld: str) -> None:
    calls = (_event(contactId=call, customerEndpoint={"address": withheld}) for call in ("c-1", "c-2"))
    first, second = (one(CONNECT, told) for told in calls)
    assert first.customer.id != second.customer.id and first.customer.phone is None
    told = _detail("customer.start", ani=withheld)
    assert one(GENESYS, told).customer.id == "conversation-k-1"


def test_connect_whoever_a_call_is_handed_to_answers_the_first_contact() -> None:
    moved = _event(
        "CONNECTED_TO_AGENT", contactId="c-2", initialContactId="c-1", previousContactId="c-1", agentInfo=AGENT
    )
    taken = one(CONNECT, moved)
    assert isinstance(taken, Response) and taken.conversation_id == "c-1"


def test_connect_a_contact_of_somebody_unknown_says_so() -> None:
    told = _event("CONNECTED_TO_AGENT", agentInfo=AGENT)
    del told["detail"]["customerEndpoint"]
    begun, taken = read(CONNECT, told)
    assert isinstance(begun, Contact) and begun.attributes["thin"] == "who the customer is and words"
    assert isinstance(taken, Response) and begun.conversation_id == taken.conversation_id
    known = {**told, "detail": {**told["detail"], "customerId": "crm-7"}}
    assert read(CONNECT, known)[0].customer.id == "crm-7"  # type: ignore[union-attr]


def test_calls_without_words_open_no_complaint_unless_that_is_wanted() -> None:
    for tool, told in ((CONNECT, _event()), (GENESYS, _detail("customer.start"))):
        said = one(tool, told)
        assert (said.attributes, said.more) == ({"thin": "words"}, {"complaint": False})
        wanted = one(tool, told, calls_may_be_complaints="yes")
        assert (wanted.attributes, wanted.more) == ({"thin": "words"}, {})
    mail = one(GENESYS, _detail("customer.start", mediaType="EMAIL", addressFrom="ola@example.org", subject="Cancel"))
    assert (mail.attributes, mail.more) == ({}, {})


def test_connect_records_write_their_names_large() -> None:
    record = {
        "ContactId": "c-1", "Channel": "VOICE", "InitiationMethod": "INBOUND",
        "InitiationTimestamp": "2026-03-02T09:00:00Z",
        "CustomerEndpoint": {"Address": "+442071838750"},
        "Agent": {"ARN": AGENT["agentArn"], "Username": "ana", "ConnectedToAgentTimestamp": "2026-03-02T09:02:00Z"},
    }  # fmt: skip
    begun, taken = read(CONNECT, record)
    assert isinstance(taken, Response) and (taken.responder.id, taken.responder.name) == ("a-9", "ana")
    assert begun == one(CONNECT, _event())


def test_connect_flows_and_agents_tell_of_contacts_too() -> None:
    inside = {
        "Channel": "VOICE", "ContactId": "c-1", "InitialContactId": "c-1", "PreviousContactId": "c-1", "Queue": None,
        "InitiationMethod": "INBOUND", "CustomerEndpoint": {"Address": "+442071838750", "Type": "TELEPHONE_NUMBER"},
    }  # fmt: skip
    told = one(CONNECT, {"Name": "ContactFlowEvent", "Details": {"ContactData": inside, "Parameters": {}}})
    assert told == one(CONNECT, _event())
    held = {"ContactId": "c-1", "Channel": "VOICE", "InitiationMethod": "INBOUND", "State": "CONNECTED"}
    busy = {
        "AgentARN": AGENT["agentArn"], "EventType": "STATE_CHANGE",
        "CurrentAgentSnapshot": {
            "Configuration": {"FirstName": "Ana", "LastName": "Ruiz", "Username": "ana"},
            "Contacts": [{**held, "ConnectedToAgentTimestamp": "2026-03-02T09:02:00Z"}, {**held, "ContactId": "c-2"}],
        },
    }  # fmt: skip
    taken = one(CONNECT, busy)
    assert (taken.responder.id, taken.responder.name, taken.conversation_id) == ("a-9", "Ana Ruiz", "c-1")
    assert taken.event_id == read(CONNECT, _event("CONNECTED_TO_AGENT", agentInfo=AGENT))[1].event_id  # type: ignore[union-attr]
    busy["CurrentAgentSnapshot"] = {"Contacts": []}
    assert isinstance(one(CONNECT, busy), Nothing)


@pytest.mark.parametrize(
    ("subtype", "channel"), [("connect:SMS", "sms"), ("connect:WhatsApp", "social"), ("connect:Chat", "chat")]
)
def test_connect_channels_of_chats(subtype: str, channel: str) -> None:
    told = _event(channel="CHAT", segmentAttributes={"connect:Subtype": {"ValueString": subtype}})
    assert one(CONNECT, told).channel == channel


def _notified(message: Any, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:eu-west-1:1:chat",
        "Message": json.dumps(message), "Timestamp": "2026-03-02T09:00:01.000Z", **fields,
    }  # fmt: skip


def _chat(role: str, **fields: Any) -> dict[str, Any]:
    return {
        "AbsoluteTime": "2026-03-02T09:00:00.000Z", "Content": "It broke", "ContentType": "text/plain", "Id": "m-1",
        "Type": "MESSAGE", "ParticipantId": "p-1", "DisplayName": "Ana", "ParticipantRole": role,
        "InitialContactId": "c-1", "ContactId": "c-2", **fields,
    }  # fmt: skip


def test_connect_messages_of_chats_come_by_sns() -> None:
    said = one(CONNECT, _notified(_chat("CUSTOMER", DisplayName="Ola")))
    assert isinstance(said, Contact)
    assert (said.event_id, said.conversation_id, said.text, said.channel) == ("m-1", "c-1", "It broke", "chat")
    answer = one(CONNECT, _notified(_chat("AGENT")))
    assert isinstance(answer, Response) and (answer.responder.name, answer.conversation_id) == ("Ana", "c-1")
    assert "Ana" not in answer.responder.id
    again = one(CONNECT, _notified(_chat("AGENT", ParticipantId="p-2")))
    assert again.responder.id == answer.responder.id
    attached = _chat("CUSTOMER", Type="ATTACHMENT", Content=None, Attachments=[{"AttachmentName": "bill.pdf"}])
    assert list(one(CONNECT, _notified(attached)).attachments) == ["bill.pdf"]
    hidden = {"MessageVisibility": {"Type": "String", "Value": "AGENT"}}
    assert isinstance(one(CONNECT, _notified(_chat("AGENT"), MessageAttributes=hidden)), Nothing)
    for other in (_chat("SYSTEM"), _chat("CUSTOM_BOT"), _chat("CUSTOMER", Type="EVENT")):
        assert isinstance(one(CONNECT, _notified(other)), Nothing)
    assert one(CONNECT, _notified(_event())) == one(CONNECT, _event())  # an event by a topic


async def test_connect_a_subscription_is_confirmed_at_sns_alone() -> None:
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=2336"
    told = {"Type": "SubscriptionConfirmation", "MessageId": "n-0", "TopicArn": "arn", "SubscribeURL": url}
    assert isinstance(one(CONNECT, told), Thin)
    api = Api({url: ""})
    assert isinstance((await completed(CONNECT, told, api))[0], Nothing)
    assert api.asked == [url]
    for other in (
        "https://evil.example/?x=1",
        "http://169.254.169.254/",
        "https://sns.x.amazonaws.com.evil.example/?a=1",
    ):
        with pytest.raises(NotUnderstood):
            await completed(CONNECT, {**told, "SubscribeURL": other}, Api({}))


def _detail(kind: str, **event: Any) -> dict[str, Any]:
    return {
        "id": f"e-{kind}", "source": "aws.partner/genesys.com/cloud/o/b", "time": "2026-03-02T09:00:01Z",
        "detail-type": f"v2.detail.events.conversation.{{id}}.{kind}",
        "detail": {
            "topicName": f"v2.detail.events.conversation.k-1.{kind}", "version": "2", "metadata": {},
            "eventBody": {
                "eventTime": 1772442000000, "conversationId": "k-1", "participantId": "p-1", "mediaType": "VOICE",
                "direction": "INBOUND", "ani": "tel:+442071838750", "dnis": "tel:+442071838751", **event,
            },
        },
    }  # fmt: skip


def test_genesys_a_conversation_begins_with_the_customer_and_is_taken_by_a_user() -> None:
    begun = one(GENESYS, _detail("customer.start"))
    assert isinstance(begun, Contact)
    assert (begun.event_id, begun.channel, begun.occurred_at) == ("k-1", "phone", NOW)
    assert begun.customer.phone == "+442071838750" and "2071838750" not in begun.customer.id
    known = one(GENESYS, _detail("customer.start", externalContactId="x-3"))
    assert (known.customer.id, known.customer.phone) == ("x-3", "+442071838750")
    taken = one(GENESYS, _detail("user.start", userId="u-4"))
    answered = one(GENESYS, _detail("acd.end", acdOutcome="ANSWERED", answeredUserId="u-4"))
    assert isinstance(taken, Response) and taken == answered
    assert (taken.responder.id, taken.conversation_id) == ("u-4", "k-1")


def test_genesys_other_events_and_conversations_of_ours_are_nothing() -> None:
    for told in (
        _detail("acd.end", acdOutcome="ABANDON"),
        _detail("flow.outcome"),
        _detail("customer.end"),
        _detail("customer.start", direction="OUTBOUND"),
        _detail("user.start", userId="u-4", direction="OUTBOUND"),
    ):
        assert isinstance(one(GENESYS, told), Nothing)


def test_genesys_notifications_and_triggers_have_other_envelopes() -> None:
    inner = _detail("customer.start")["detail"]
    assert one(GENESYS, inner) == one(GENESYS, _detail("customer.start"))
    flat = {**inner["eventBody"], "topicName": inner["topicName"]}
    assert one(GENESYS, flat) == one(GENESYS, _detail("customer.start"))


@pytest.mark.parametrize(
    ("media", "kind", "channel"),
    [
        ("MESSAGE", "WHATSAPP", "social"),
        ("MESSAGE", "SMS", "sms"),
        ("EMAIL", None, "email"),
        ("CALLBACK", None, "phone"),
    ],
)
def test_genesys_channels(media: str, kind: str | None, channel: str) -> None:
    assert one(GENESYS, _detail("customer.start", mediaType=media, messageType=kind)).channel == channel


CONVERSATION = {
    "id": "k-1",
    "startTime": "2026-03-02T09:00:00.000Z",
    "participants": [
        {"purpose": "customer", "name": "Ola", "address": "tel:+442071838750",
         "connectedTime": "2026-03-02T09:00:00.000Z", "calls": [{"state": "connected", "direction": "inbound"}]},
        {"purpose": "acd", "name": "Care", "queueId": "q"},
        {"purpose": "agent", "userId": "u-1", "name": "Ann", "calls": [{"state": "alerting"}]},
        {"purpose": "agent", "userId": "u-4", "name": "Ana", "connectedTime": "2026-03-02T09:01:00.000Z",
         "calls": [{"state": "connected"}]},
    ],
}  # fmt: skip


def test_genesys_a_whole_conversation_names_who_is_connected() -> None:
    begun, taken = read(GENESYS, {"topicName": "v2.users.u-4.conversations", "eventBody": CONVERSATION})
    assert isinstance(begun, Contact) and (begun.customer.name, begun.channel) == ("Ola", "phone")
    assert isinstance(taken, Response) and (taken.responder.id, taken.responder.name) == ("u-4", "Ana")


async def test_genesys_words_of_a_mail_are_asked_for_where_there_is_a_token() -> None:
    told = _detail("customer.start", mediaType="EMAIL", ani=None, addressFrom="ola@example.org", subject="Bill")
    assert isinstance(one(GENESYS, told), Contact)
    assert isinstance(one(GENESYS, told, api_token="t"), Thin)
    theirs = {"purpose": "customer", "name": "Ola", "address": "ola@example.org", "emails": [{"direction": "inbound"}]}
    mail = "/api/v2/conversations/emails/k-1/messages"
    api = Api(
        {
            "/api/v2/conversations/k-1": {"id": "k-1", "startTime": "2026-03-02T09:00:00Z", "participants": [theirs]},
            mail: {"entities": [{"id": "m1"}]},
            f"{mail}/m1": {"subject": "Bill", "textBody": "Too high", "attachments": [{"name": "bill.pdf"}]},
        }
    )
    (said,) = await completed(GENESYS, told, api)
    assert isinstance(said, Contact)
    assert (said.text, said.subject, said.channel, said.customer.email) == (
        "Too high",
        "Bill",
        "email",
        "ola@example.org",
    )
    assert list(said.attachments) == ["bill.pdf"]


async def test_genesys_open_messaging_signs_and_tells_humans_from_bots() -> None:
    told = {
        "id": "m-7", "type": "Text", "text": "We are on it", "direction": "Outbound", "originatingEntity": "Human",
        "conversationId": "k-1", "channel": {"platform": "Open", "time": "2026-03-02T09:03:00Z", "messageId": "m-7"},
    }  # fmt: skip
    raw = json.dumps(told).encode()
    made = {"X-Hub-Signature-256": f"sha256={in_base64(mac('s3cret', raw))}"}
    assert verdict(delivery(GENESYS, raw, made), GENESYS) == GENUINE
    assert isinstance(verdict(delivery(GENESYS, raw + b" ", made), GENESYS), Refused)
    assert isinstance(one(GENESYS, {**told, "originatingEntity": "Bot"}), Nothing)
    assert isinstance(one(GENESYS, told), Thin)
    (answer,) = await completed(GENESYS, told, Api({"/api/v2/conversations/k-1": CONVERSATION}))
    assert isinstance(answer, Response) and (answer.responder.id, answer.text) == ("u-4", "We are on it")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"detail":1}', b'{"detail":{"eventBody":[]}}', b"\xff"])
def test_what_is_none_of_it_is_not_understood(body: bytes) -> None:
    for adapter in (amazon_connect, genesys_cloud):
        with pytest.raises(NotUnderstood):
            adapter.read(delivery("x", body), endpoint("x"))
