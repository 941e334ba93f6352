"""Thin deliveries: answered at once, completed by the tool's API when there is one, kept until there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.hooks.asking import AskingLoop
from services.intake.hooks.switchboard import sealed_row
from services.intake.store import deliveries
from services.intake.store.reading import responder
from tests.hooks_soap import message
from tests.service.hooks_world import Tools, tools_at

Answer = Callable[[httpx.Request], httpx.Response]
THREADS = "/conversations/v3/conversations/threads"
XML = {"content-type": "text/xml"}


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        yield made


async def ask(tools: Tools, answer: Answer) -> None:
    """Lets the loop ask an API that answers so, and everything follow."""
    await tools.settle()
    loop = AskingLoop(tools.world.clock, tools.world.switchboard, transport=httpx.MockTransport(answer))
    async with tools.world.engine.connect() as conn:
        await loop.run_once(conn)
    await loop.stop()
    await tools.settle()


def news(number: int, **more: Any) -> list[dict[str, Any]]:
    """HubSpot says that there is a message."""
    told = {
        "eventId": number,
        "subscriptionType": "conversation.newMessage",
        "objectId": 55,
        "occurredAt": 1772442000000,
    }
    return [{**told, "portalId": 1, "attemptNumber": 0, "messageId": f"m{number}", "messageType": "MESSAGE", **more}]


def hubspot(request: httpx.Request) -> httpx.Response:
    """HubSpot's API: one customer's message and one agent's answer."""
    assert request.url.host == "api.hubapi.com" and request.headers["authorization"] == "Bearer t0ken"
    common = {"type": "MESSAGE", "channelId": "1000"}
    answers: dict[str, Any] = {
        f"{THREADS}/55": {"id": "55", "associatedContactId": "301"},
        f"{THREADS}/55/messages/m1": {
            **common, "id": "m1", "direction": "INCOMING", "createdAt": "2026-03-02T09:01:00Z", "text": "It broke",
            "senders": [{"actorId": "V-9", "name": "Ola"}],
        },
        f"{THREADS}/55/messages/m2": {
            **common, "id": "m2", "direction": "OUTGOING", "createdAt": "2026-03-02T09:02:00Z", "text": "On it",
            "senders": [{"actorId": "A-12"}],
        },
        "/conversations/v3/conversations/actors/A-12": {"id": "A-12", "name": "Ana", "email": "ana@care.example"},
    }  # fmt: skip
    return httpx.Response(200, json=answers[request.url.path])


async def test_hubspots_messages_are_asked_for_in_any_order_and_repeated(tools: Tools) -> None:
    await tools.add("hubspot", options={"api_token": "t0ken"})
    for body in (news(2), news(1), news(2, attemptNumber=1), news(1, attemptNumber=2)):
        assert (await tools.deliver("hubspot", body)).status_code == 200
    await ask(tools, hubspot)
    one = await tools.one(source="hubspot", conversation_id="55")
    assert (one["customer"]["id"], one["text"], one["responder"]["id"]) == ("301", "It broke", "12")
    assert [r["text"] for r in one["responses"]] == ["On it"]
    assert [state for state, _ in await tools.fates()] == ["taken", "taken"]
    assert await tools.world.findings() == []


async def test_without_an_api_it_stays_thin_says_so_and_is_asked_for_once_there_is_one(tools: Tools) -> None:
    await tools.add("hubspot")
    await tools.deliver("hubspot", news(1))
    await ask(tools, hubspot)
    assert await tools.fates() == [("thin", "thin: the message of a conversation; no API is configured to ask")]
    assert await tools.contacts() == []
    await tools.add("hubspot", options={"api_token": "t0ken"})
    async with tools.world.engine.begin() as conn:  # as `hooks add` does
        assert await deliveries.wake_thin(conn, "hubspot", "main", tools.world.clock.now()) == 1
    await ask(tools, hubspot)
    assert (await tools.one(source="hubspot"))["text"] == "It broke"


@pytest.mark.parametrize("status", [429, 503])
async def test_an_api_that_wants_to_be_left_alone_is_asked_later(tools: Tools, status: int) -> None:
    await tools.add("hubspot", options={"api_token": "t0ken"})
    await tools.deliver("hubspot", news(1))
    await ask(tools, lambda _: httpx.Response(status, headers={"retry-after": "120"}))
    assert [state for state, _ in await tools.fates()] == ["thin"]
    tools.world.clock.advance(timedelta(seconds=60))
    await ask(tools, lambda _: pytest.fail("asked too early"))
    tools.world.clock.advance(timedelta(seconds=120))
    await ask(tools, hubspot)
    assert (await tools.one(source="hubspot"))["text"] == "It broke"


async def test_salesforce_tells_whose_a_case_is(tools: Tools) -> None:
    await tools.add("salesforce", options={"api_token": "t0ken", "api_url": "https://acme.my.salesforce.com"})
    await tools.deliver("salesforce", message("Case", {"Id": "500A"}).encode(), headers=XML)

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url).startswith("https://acme.my.salesforce.com/services/data/v59.0/sobjects/Case/500A?")
        told = {"ContactId": "003B", "Subject": "Router", "Description": "It drops", "Origin": "Email"}
        return httpx.Response(200, json={**told, "CreatedDate": "2026-03-02T09:00:00.000+0000"})

    await ask(tools, answer)
    one = await tools.one(source="salesforce", conversation_id="500A")
    assert (one["customer"]["id"], one["text"], one["channel"]) == ("003B", "It drops", "email")


INSTANCE = "12345678-1234-1234-1234-123456789012"
KEY = {"api_key_id": "AKIDEXAMPLE", "api_secret": "very/secret", "api_token": "for an hour"}
CONNECT_API = {"api_url": "https://connect.eu-west-2.amazonaws.com", **KEY}


def connected(contact: str, kind: str = "INITIATED", **detail: Any) -> dict[str, Any]:
    """An event of a call, as EventBridge hands it on: it says neither who calls nor what the agent is called."""
    arn = f"arn:aws:connect:eu-west-2:111122223333:instance/{INSTANCE}"
    if kind == "CONNECTED_TO_AGENT":
        at = "2026-03-02T09:02:00.000Z"
        detail["agentInfo"] = {"agentArn": f"{arn}/agent/a-9", "connectedToAgentTimestamp": at}
    common = {"eventType": kind, "contactId": contact, "channel": "VOICE", "instanceArn": arn, **detail}
    told = {"initiationMethod": "INBOUND", "initiationTimestamp": "2026-03-02T09:00:00.000Z", **common}
    head = {"version": "0", "id": f"{contact}-{kind}", "source": "aws.connect", "region": "eu-west-2"}
    return {**head, "detail-type": "Amazon Connect Contact Event", "time": "2026-03-02T09:00:01Z", "detail": told}


def connect_api(asked: list[str], users: int = 200) -> Answer:
    """Amazon Connect's API: one caller, and one agent where the key may ask for users."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        signed = request.headers["authorization"]
        assert request.url.host == "connect.eu-west-2.amazonaws.com"
        assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2")
        assert "/eu-west-2/connect/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token," in signed
        assert request.headers["x-amz-security-token"] == "for an hour" and "very/secret" not in str(request.headers)
        if request.url.path == f"/users/{INSTANCE}/a-9":
            info = {"FirstName": "Ana", "LastName": "Ruiz", "Email": "ana@care.example"}
            return httpx.Response(users, json={"User": {"Id": "a-9", "Username": "ana", "IdentityInfo": info}})
        caller = {"Type": "TELEPHONE_NUMBER", "Address": "+442071838750"}
        told = {"Id": "c-1", "Channel": "VOICE", "CustomerEndpoint": caller, "InitiationTimestamp": 1772442000.0}
        return httpx.Response(200, json={"Contact": told})

    return answer


async def test_connect_tells_who_calls_and_who_took_the_call(tools: Tools) -> None:
    await tools.add("amazon-connect", options=CONNECT_API)
    asked: list[str] = []
    for body in (connected("c-1", "CONNECTED_TO_AGENT"), connected("c-1"), connected("c-1", "DISCONNECTED")):
        assert (await tools.deliver("amazon-connect", body)).status_code == 200
    await ask(tools, connect_api(asked))
    one = await tools.one(source="amazon-connect")
    assert one["customer"]["phone"] == "+442071838750" and one["customer"]["id"].startswith("phone-")
    assert one["responder"] == {"id": "a-9"}
    async with tools.world.engine.connect() as conn:
        agent = await responder(conn, "a-9")
    assert (agent.name, agent.email) == ("Ana Ruiz", "ana@care.example")
    assert one["attributes"] == {"thin": "words"}
    # three events, one caller and one agent: each was asked for once
    assert sorted(asked) == [f"/contacts/{INSTANCE}/c-1", f"/users/{INSTANCE}/a-9"]
    assert await tools.world.findings() == []


async def test_an_agent_whom_the_key_may_not_ask_for_is_known_by_id(tools: Tools) -> None:
    await tools.add("amazon-connect", options=CONNECT_API)
    await tools.deliver("amazon-connect", connected("c-1", "CONNECTED_TO_AGENT"))
    await ask(tools, connect_api([], users=403))
    assert (await tools.one(source="amazon-connect"))["responder"] == {"id": "a-9"}


async def test_without_a_key_a_call_is_nobodys_and_says_so(tools: Tools) -> None:
    await tools.add("amazon-connect")
    await tools.deliver("amazon-connect", connected("c-1"))
    await ask(tools, lambda _: pytest.fail("there is nothing to ask with"))
    one = await tools.one(source="amazon-connect")
    assert (one["customer"]["id"], one["attributes"]["thin"]) == ("contact-c-1", "who the customer is and words")


async def test_a_key_of_awss_is_kept_encrypted(tools: Tools) -> None:
    endpoint = await tools.add("amazon-connect", options=CONNECT_API)
    row = sealed_row(endpoint, "a secret key of thirty-two letters")
    assert row["options"] == {"api_url": "https://connect.eu-west-2.amazonaws.com"}
    assert not any(word.encode() in row["secret"] for word in KEY.values())


async def test_a_subscription_of_sns_is_confirmed_without_a_credential_and_nowhere_else(tools: Tools) -> None:
    await tools.add("amazon-connect")
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=2336"
    told = {"Type": "SubscriptionConfirmation", "MessageId": "n-0", "TopicArn": "arn:aws:sns:x", "SubscribeURL": url}
    visited: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        visited.append(request)
        return httpx.Response(200, text="<ConfirmSubscriptionResponse/>")

    await tools.deliver("amazon-connect", told)
    await tools.deliver("amazon-connect", {**told, "SubscribeURL": "https://169.254.169.254/?a=1"})
    await ask(tools, answer)
    assert [str(one.url) for one in visited] == [url]
    assert "authorization" not in visited[0].headers and "x-api-key" not in visited[0].headers
    assert [state for state, _ in await tools.fates()] == ["nothing", "parked"]
