"""Real payloads of tools, where they are at hand, through the real door with their own signatures: each is taken with
a 2xx, none is lost, and all of them are known for what they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.intake.adapters import TOOLS
from tests.samples import SAMPLES
from tests.service.hooks_world import Tools, tools_at

pytestmark = pytest.mark.skipif(not (SAMPLES / "index.json").is_file(), reason="no samples at hand")


def _samples() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(SAMPLES.glob("*/*.meta.json")):
        meta = json.loads(path.read_text())
        tool = meta["vendor"].replace("_", "-")
        if meta["event"] != "signature vectors" and tool in TOOLS and (path.parent / meta["payload_file"]).is_file():
            yield f"{tool}/{meta['payload_file'].partition('.')[0]}", {**meta, "tool": tool, "folder": path.parent}


OF_TOOLS = dict(_samples())


#: what becomes of a sample: its delivery, and how many contacts it makes; the others mean nothing for us
_TAKEN: dict[str, tuple[str, int]] = {
    "amazon-connect/contact_event_connected_to_agent": ("taken", 1),
    "amazon-connect/contact_event_contact_data_updated": ("taken", 1),
    "chatwoot/message_created_docs_2020": ("taken", 1),
    "chatwoot/message_created_outgoing": ("taken", 0),
    "freescout/convo_created": ("taken", 1),
    "freshdesk/inline_images": ("taken", 1),
    "freshdesk/public_note": ("thin", 0),
    "freshdesk/ticket_created": ("taken", 1),
    "front/inbound_message": ("taken", 1),
    "front/outbound_message": ("taken", 0),
    "front/outbound_reply": ("taken", 0),
    "groove/agent_replied": ("taken", 0),
    "groove/customer_replied": ("taken", 1),
    "groove/ticket_started": ("taken", 1),
    "intercom/conversation_admin_replied": ("taken", 1),
    "intercom/conversation_admin_single_created": ("taken", 0),
    "intercom/conversation_user_created": ("taken", 1),
    "intercom/conversation_user_replied": ("taken", 2),
    "twilio/flex_wfm_worker_change": ("taken", 0),
    "twilio/incoming_voice": ("taken", 1),
    "twilio/taskrouter_reservationAccepted": ("taken", 0),
    "twilio/voice_status_callback": ("taken", 1),
    "zendesk/ticket_comment_added_public_customer": ("taken", 1),
    "zendesk/ticket_created": ("taken", 1),
}


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    # signatures of samples were made in other years
    async with tools_at(database_url, timedelta(days=36_500)) as made:
        yield made


def _ways(meta: dict[str, Any]) -> list[tuple[str, dict[str, str], str | None]]:
    """(secret, headers, signed address) of each way in which a sample was signed."""
    vector = meta["signature_test_vector"]
    if vector is None:
        return [("a secret that is carried", {"x-api-key": "a secret that is carried"}, None)]
    return [(one["secret"], one["headers"], vector.get("uri")) for one in vector.get("variants", [vector])]


async def _deliver(tools: Tools, meta: dict[str, Any]) -> None:
    body = (meta["folder"] / meta["payload_file"]).read_bytes()
    for number, (secret, headers, uri) in enumerate(_ways(meta)):
        url, _, query = (uri or "").partition("?")
        await tools.add(meta["tool"], f"way-{number}", secret, url=url or None)
        plain = {name: value for name, value in (meta.get("request_headers") or {}).items() if name.isascii()}
        plain = {name: value for name, value in plain.items() if name[0].isalpha() and name != "Authorization"}
        given = {"content-type": meta["content_type"], **plain, **headers}
        for _ in range(2):
            path = f"/v1/hooks/{meta['tool']}/way-{number}"
            answer = await tools.world.client.post(f"{path}?{query}" if query else path, content=body, headers=given)
            assert answer.is_success, answer.text
        broken = await tools.world.client.post(path, content=body + b" ", headers={**given, "x-api-key": "another"})
        assert broken.status_code == 401


@pytest.mark.parametrize("name", OF_TOOLS)
async def test_a_sample_is_taken_and_known_for_what_it_is(tools: Tools, name: str) -> None:
    await _deliver(tools, OF_TOOLS[name])
    await tools.settle()
    fates = await tools.fates()
    assert fates, "nothing was kept"
    known = {state for state, _ in fates}
    contacts = await tools.contacts()
    state, count = _TAKEN.get(name, ("nothing", 0))
    assert (known, len(contacts)) == ({state}, count), fates
    for one in contacts:
        assert one["source"] == OF_TOOLS[name]["tool"]
        assert one["conversation_id"]
    assert await tools.world.findings() == []


async def test_whole_conversations_of_samples(tools: Tools) -> None:
    for name in ("conversation_admin_replied", "conversation_user_replied", "conversation_user_created"):
        await _deliver(tools, OF_TOOLS[f"intercom/{name}"])
    for name in ("outbound_reply", "inbound_message"):
        await _deliver(tools, OF_TOOLS[f"front/{name}"])
    await tools.settle()
    first, second = await tools.contacts(source="intercom", conversation_id="21322009097")
    assert (first["text"], first["responder"]["id"], second["responder"]["id"]) == ("Hello", "1957471", "1957471")
    (inbound,) = await tools.contacts(source="front")
    assert (inbound["conversation_id"], inbound["responder"]) == ("cnv_keocka", {"id": "tea_40yq"})
    assert inbound["responses"][0]["text"] == "Emotions are dumb and should be hated."


async def test_whoever_accepted_a_sampled_call_has_it(tools: Tools) -> None:
    await _deliver(tools, OF_TOOLS["amazon-connect/contact_event_connected_to_agent"])
    await tools.settle()
    one = await tools.one(source="amazon-connect")
    assert (one["channel"], one["responder"]["id"]) == ("phone", "12345678-1234-1234-1234-123456789012")
    assert one["attributes"]["thin"] == "who the customer is and words"
