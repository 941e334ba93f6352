"""Calls, of which tools tell by many events and without words: one contact each, of whoever accepted first."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.service.hooks_world import Tools, tools_at

ARN = "arn:aws:connect:eu-west-1:1:instance/i/agent"


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        for tool in ("amazon-connect", "genesys-cloud", "twilio"):
            await made.add(tool)
        yield made


def connect(call: str) -> list[Any]:
    """A call that ana accepts and hands on to ben."""
    start = {"initiationTimestamp": "2026-03-02T09:00:00Z", "channel": "VOICE", "initiationMethod": "INBOUND"}
    first = {**start, "contactId": call, "customerEndpoint": {"address": "+442071838750"}}
    ana = {"agentArn": f"{ARN}/ana", "connectedToAgentTimestamp": "2026-03-02T09:01:00Z"}
    ben = {"agentArn": f"{ARN}/ben", "connectedToAgentTimestamp": "2026-03-02T09:05:00Z"}
    moved = {**first, "contactId": f"{call}-2", "initialContactId": call, "previousContactId": call}
    details = [
        {**first, "eventType": "INITIATED"},
        {**first, "eventType": "QUEUED"},
        {**first, "eventType": "CONNECTED_TO_AGENT", "agentInfo": ana},
        {**moved, "eventType": "INITIATED", "initiationMethod": "TRANSFER"},
        {**moved, "eventType": "CONNECTED_TO_AGENT", "initiationMethod": "TRANSFER", "agentInfo": ben},
        {**first, "eventType": "DISCONNECTED", "agentInfo": ana},
    ]
    envelope = {"detail-type": "Amazon Connect Contact Event", "source": "aws.connect"}
    return [{**envelope, "id": f"{call}-{number}", "detail": detail} for number, detail in enumerate(details)]


def genesys(call: str) -> list[Any]:
    """The same in Genesys."""
    start, minute = 1772442000000, 60_000
    events = [
        ("customer.start", start, {"ani": "tel:+442071838750"}),
        ("acd.start", start + minute // 2, {}),
        ("acd.end", start + minute, {"acdOutcome": "ANSWERED", "answeredUserId": "ana"}),
        ("user.start", start + minute, {"userId": "ana"}),
        ("user.start", start + 5 * minute, {"userId": "ben"}),
        ("customer.end", start + 9 * minute, {}),
    ]
    common = {"conversationId": call, "mediaType": "VOICE", "direction": "INBOUND"}
    return [
        {
            "id": f"{call}-{number}",
            "detail": {
                "topicName": f"v2.detail.events.conversation.{call}.{kind}",
                "eventBody": {**common, "eventTime": at, **more},
            },
        }
        for number, (kind, at, more) in enumerate(events)
    ]


def twilio(call: str) -> list[Any]:
    """The same in Twilio: the call's own events have no time until it is over."""
    about = {"CallSid": call, "Direction": "inbound", "From": "+442071838750", "To": "+442071838751"}
    task = {"TaskSid": f"WT{call}", "TaskAttributes": json.dumps({"call_sid": call, "direction": "inbound"})}
    ana = {"ReservationSid": f"WR{call}1", "WorkerSid": "ana", "Timestamp": "1772442060"}
    ben = {"ReservationSid": f"WR{call}2", "WorkerSid": "ben", "Timestamp": "1772442300"}
    forms = [
        {**about, "CallStatus": "ringing"},
        {**about, "CallStatus": "in-progress"},
        {**task, **ana, "EventType": "reservation.created"},
        {**task, **ana, "EventType": "reservation.accepted"},
        {**task, **ben, "EventType": "reservation.accepted"},
        {**about, "CallStatus": "completed", "CallDuration": "540", "Timestamp": "Mon, 02 Mar 2026 09:09:00 +0000"},
    ]
    return [urlencode(one).encode() for one in forms]


async def test_a_call_is_one_contact_of_whoever_accepted_first(tools: Tools) -> None:
    chance = random.Random(7)
    writers = {"amazon-connect": connect, "genesys-cloud": genesys, "twilio": twilio}
    calls = [(tool, f"call-{number}") for tool in writers for number in range(6)]
    told = [(tool, body) for tool, call in calls for body in writers[tool](call) for _ in range(chance.randint(1, 3))]
    chance.shuffle(told)
    for tool, body in told:
        assert (await tools.deliver(tool, body)).status_code == 200
    await tools.settle()
    for tool, call in calls:
        one = await tools.one(source=tool, conversation_id=call)
        assert (one["responder"]["id"], one["channel"]) == ("ana", "phone")
        assert one["customer"]["phone"] == "+442071838750"
        assert one["signals"]["complaint"]["value"] is False and one["attributes"]["thin"] == "words"
        if tool != "twilio":
            assert one["occurred_at"] == "2026-03-02T09:00:00Z"
            assert [r["responder_id"] for r in one["responses"]] == ["ana", "ben"]
    assert len({one["customer"]["id"] for one in await tools.contacts()}) == 1  # one number, one person, in all tools
    assert await tools.parked() == []
    assert await tools.world.findings() == []


async def test_words_that_come_later_are_heard(tools: Tools) -> None:
    (ringing, *_) = twilio("CA9")
    words = {"CallSid": "CA9", "From": "+442071838750", "TranscriptionSid": "TR9", "Direction": "inbound"}
    text = "My router has been broken for three weeks, this is outrageous, I will cancel my contract."
    await tools.send("twilio", ringing)
    await tools.send("twilio", urlencode({**words, "TranscriptionText": text}).encode())
    found = await tools.contacts(source="twilio", conversation_id="CA9")
    assert {one["signals"]["complaint"]["value"] for one in found} == {False, True}
    assert any(one["signals"]["departure_threat"]["value"] for one in found)
