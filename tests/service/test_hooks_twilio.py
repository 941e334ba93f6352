"""Twilio through the door: calls, chats and the workers who accepted them, signed as Twilio signs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import pytest

from tests.service.hooks_world import Tools, tools_at

CALL, CHAT = "CA00000000000000000000000000000042", "CH00000000000000000000000000000001"


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        await made.add("twilio")
        yield made


def form(**fields: str) -> bytes:
    """A form as Twilio posts it."""
    return urlencode(fields).encode()


def accepted(attributes: Mapping[str, str], at: int = 1772442030) -> bytes:
    """TaskRouter says that Ana accepted."""
    return form(
        EventType="reservation.accepted", Timestamp=str(at), TaskSid="WT1", ReservationSid="WR1", WorkerSid="WK1",
        WorkerName="Ana", TaskAttributes=json.dumps(attributes),
    )  # fmt: skip


def written(number: int, author: str, text: str) -> bytes:
    """A message of a conversation, minutes after nine."""
    return form(
        EventType="onMessageAdded", ConversationSid=CHAT, MessageSid=f"IM{number}", Index=str(number), Author=author,
        Body=text, Source="SMS" if author.startswith("+") else "SDK", DateCreated=f"2026-03-02T09:{number:02}:00.000Z",
    )  # fmt: skip


async def test_a_call_belongs_to_the_worker_who_accepted_it(tools: Tools) -> None:
    ringing = form(CallSid=CALL, CallStatus="ringing", Direction="inbound", From="+442071838750", To="+442071838751")
    answer = await tools.deliver("twilio", ringing)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    await tools.send("twilio", accepted({"call_sid": CALL, "from": "+442071838750"}), ringing)
    one = await tools.one(source="twilio", conversation_id=CALL)
    assert (one["channel"], one["customer"]["phone"]) == ("phone", "+442071838750")
    assert one["responder"] == {"id": "WK1", "name": "Ana"} or one["responses"][0]["responder_id"] == "WK1"


async def test_a_worker_who_accepts_before_the_message_arrives_has_it_all_the_same(tools: Tools) -> None:
    await tools.send("twilio", accepted({"conversationSid": CHAT}))
    await tools.send("twilio", written(1, "+442071838750", "My line is dead"))
    one = await tools.one(source="twilio", conversation_id=CHAT)
    assert one["responder"]["id"] == "WK1"


async def test_a_chat_in_its_own_order(tools: Tools) -> None:
    parts = [
        written(1, "+442071838750", "My line is dead"),
        written(2, "system", "We will be with you shortly"),
        written(3, "ana", "Hello, I am on it"),
        written(4, "+442071838750", "Thank you"),
        written(5, "ben", "Solved"),
    ]
    await tools.send("twilio", *reversed(parts), *parts)
    first, second = await tools.contacts(source="twilio", conversation_id=CHAT)
    assert [first["text"], second["text"]] == ["My line is dead", "Thank you"]
    assert first["responder"]["id"] == "ana"
    assert [r["text"] for one in (first, second) for r in one["responses"]] == ["Hello, I am on it", "Solved"]
    assert await tools.world.findings() == []


async def test_json_is_held_by_its_hash_in_the_url(tools: Tools) -> None:
    data = {
        "ConversationSid": CHAT, "MessageSid": "IM9", "Author": "+442071838750", "Index": 1, "MessageBody": "It broke",
        "DateCreated": "2026-03-02T09:01:00Z",
    }  # fmt: skip
    batch = [{"specversion": "1.0", "type": "com.twilio.conversations.message.added", "id": "EZ1", "data": data}]
    kind = {"content-type": "application/json"}
    await tools.send("twilio", batch, headers=kind)
    assert (await tools.one(source="twilio"))["text"] == "It broke"
    refused = await tools.deliver("twilio", batch, headers=kind, query="bodySHA256=00", signed=False)
    assert refused.status_code == 401


async def test_numbers_are_in_no_event(tools: Tools) -> None:
    await tools.send("twilio", form(MessageSid="SM1", From="whatsapp:+442071838750", Body="I leave you"))
    one = await tools.one(source="twilio")
    assert [name for name, _ in await tools.world.told(one["customer"]["id"])] == ["contact.captured"]
    assert "442071838750" not in json.dumps(await tools.world.told(one["customer"]["id"]), default=str)
