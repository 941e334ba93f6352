"""FreeScout, Groove and Salesforce through the door, as they send."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.hooks_soap import message
from tests.service.hooks_conversations import Turn, freescout, groove, salesforce
from tests.service.hooks_world import HOOK_SECRET, Tools, tools_at

SCRIPT = [Turn(1, "customer", "It drops"), Turn(2, "bot", "Thanks for writing"), Turn(3, "note", "He is angry")]
ANSWERED = [*SCRIPT, Turn(4, "ana", "We are on it"), Turn(5, "customer", "Thank you")]


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        for tool in ("freescout", "groove", "salesforce"):
            await made.add(tool)
        yield made


@pytest.mark.parametrize("writer", [freescout, groove, salesforce])
async def test_a_conversation_belongs_to_the_first_human_who_answered(tools: Tools, writer: object) -> None:
    for one in writer("900", ANSWERED):  # type: ignore[operator]
        answer = await tools.deliver(one.tool, one.body, headers=one.headers)
        assert answer.status_code == 200
    await tools.settle()
    first, second = await tools.contacts()
    assert [first["text"], second["text"]] == ["It drops", "Thank you"]
    assert (first["responder"]["id"], second["responder"]["id"]) == ("ana", "ana")
    assert [one["text"] for one in first["responses"]] == ["We are on it"]
    assert first["customer"]["id"] == second["customer"]["id"]
    assert await tools.world.findings() == []


async def test_groove_without_the_key_is_refused_and_the_key_is_kept_nowhere(tools: Tools) -> None:
    (ticket,) = groove("9", SCRIPT[:1])
    assert (await tools.deliver("groove", ticket.body, headers=ticket.headers, signed=False)).status_code == 401
    key = f"key={HOOK_SECRET}"
    answer = await tools.deliver("groove", ticket.body, headers=ticket.headers, signed=False, query=key)
    assert answer.status_code == 200
    await tools.deliver("groove", b"{", signed=False, query=key)
    await tools.settle()
    (parked,) = await tools.parked()
    assert HOOK_SECRET.encode().hex() not in str(parked.headers)


async def test_salesforce_gets_its_acknowledgement_also_for_what_is_not_understood(tools: Tools) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    xml = {"content-type": "text/xml; charset=utf-8"}
    for body in (message("Case", {"Id": "500A", "ContactId": "003B", "Subject": "Router"}), bomb):
        answer = await tools.deliver("salesforce", body.encode(), headers=xml)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/xml")
        assert "<Ack>true</Ack>" in answer.text
    await tools.settle()
    assert (await tools.one(source="salesforce"))["customer"]["id"] == "003B"
    assert len(await tools.parked()) == 1
    refused = await tools.deliver("salesforce", bomb.encode(), headers=xml, signed=False)
    assert refused.status_code == 401 and "<Ack>" not in refused.text
