"""Whatever a stranger sends: adapters answer or say that they do not understand, and nothing else comes of it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Endpoint, NotUnderstood, Request
from tests.hooked import NOW, URL
from tests.hooks_soap import message
from tests.service.hooks_conversations import WRITERS, Turn, Who

SPEAKERS: tuple[Who, ...] = ("customer", "ana", "note", "bot")
SCRIPT = [Turn(number, who, "<p>It broke</p>") for number, who in enumerate(SPEAKERS)]
#: one delivery of tools that have no script
EXAMPLES: dict[str, Any] = {
    "hubspot": [{"subscriptionType": "conversation.newMessage", "objectId": 1, "messageId": "m", "occurredAt": 1}],
    "genesys-cloud": {
        "detail": {
            "topicName": "v2.detail.events.conversation.k.customer.start",
            "eventBody": {"conversationId": "k", "eventTime": 1772442000000, "ani": "tel:+442071838750"},
        }
    },
    "zendesk": {"type": "zen:event-type:ticket.created", "detail": {"id": "9", "requester_id": "7", "via": {}}},
    "chatwoot": {
        "event": "message_created",
        "message_type": "incoming",
        "conversation": {"id": 1},
        "sender": {"id": 2},
    },
    "salesforce": {"payload": {"Id": "1", "ChangeEventHeader": {"entityName": "Case", "changeType": "CREATE"}}},
}
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63 - 1,
    1e300,
    "",
    "\x00",
    "a" * 5_000,
    [],
    {},
    [[]],
    [None],
    {"": {}},
    "٣",
)


def _bodies(tool: str) -> Iterator[Any]:
    if tool in WRITERS:
        yield from (one.body for one in WRITERS[tool]("9", SCRIPT))
    if tool in EXAMPLES:
        yield EXAMPLES[tool]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in [(value, key), *_places(one)]]


def _spoilt(body: Any, chance: random.Random) -> bytes:
    """The same with some of its values replaced by odd ones, or some of its bytes."""
    if isinstance(body, bytes):
        raw = bytearray(body)
        for _ in range(chance.randint(1, 8)):
            raw[chance.randrange(len(raw))] = chance.choice(b"<>&;%=+\x00\xff[]{}\"'0")
        return bytes(raw)
    spoilt = copy.deepcopy(body)
    for holder, key in chance.sample(places := _places(spoilt), min(len(places), chance.randint(1, 3))):
        holder[key] = chance.choice(ODD)
    return json.dumps(spoilt).encode()


def _look(tool: str, raw: bytes, headers: dict[str, str]) -> None:
    adapter, endpoint = TOOLS[tool], Endpoint(tool, "main", "c2VjcmV0", f"{URL}/{tool}/main")
    request = Request("POST", (f"{URL}/{tool}/main",), "key=x", headers, raw, NOW)
    adapter.verify(request, endpoint, NOW)
    for act in (lambda: adapter.read(request, endpoint), lambda: adapter.identity(request)):
        try:
            act()
        except NotUnderstood as error:
            assert str(error)


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_spoilt_deliveries(tool: str) -> None:
    chance = random.Random(tool)
    bodies = list(_bodies(tool)) or [json.loads(TOOLS[tool].probe)]
    kind = "application/x-www-form-urlencoded" if tool == "twilio" else "application/json"
    for _ in range(300):
        _look(tool, _spoilt(chance.choice(bodies), chance), {"content-type": kind})


@pytest.mark.parametrize("tool", sorted(TOOLS))
@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/xml", "text/plain", ""]))
def test_any_bytes(tool: str, raw: bytes, kind: str) -> None:
    _look(tool, raw, {"content-type": kind})


_NAMES = [
    "EventType", "MessageSid", "SmsStatus", "From", "Body", "NumMedia", "MediaUrl0", "CallSid", "Direction",
    "Timestamp", "CallDuration", "TranscriptionSid", "TranscriptionText", "ConversationSid", "Author", "DateCreated",
    "Index", "Media", "TaskAttributes", "TaskSid", "WorkerSid", "WorkerAttributes", "ReservationSid", "TimestampMs",
    "Source",
]  # fmt: skip
_VALUES = [
    "onMessageAdded", "reservation.accepted", "task.created", "inbound", "received", "[", "{}", "null", "+1", "99",
    "2026-03-02T09:00:00Z", "Mon, 02 Mar 2026 09:02:00", "99999999999999999999", ":", "FX",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(_NAMES), st.one_of(st.text(max_size=20), st.sampled_from(_VALUES))))
def test_forms_of_twilio(fields: dict[str, str]) -> None:
    raw = urlencode({name: value.encode("utf-8", "replace") for name, value in fields.items()}).encode()
    _look("twilio", raw, {"content-type": "application/x-www-form-urlencoded"})


def test_long_texts_take_no_long_time() -> None:
    for text in ("<div>" * 20_000, "&lt;" * 20_000, "On \n" * 20_000, "> " * 40_000, "-" * 80_000):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        told = message("Case", {"Id": "500A", "ContactId": "003B", "Description": escaped, "Origin": "Email"})
        _look("salesforce", told.encode(), {"content-type": "text/xml"})
