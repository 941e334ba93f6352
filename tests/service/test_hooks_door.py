"""The door of tools: genuine or not, kept before it is understood, once, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from services.intake.adapters import TOOLS
from services.intake.store.tables import parked
from shared.faults import plan
from tests.service.hooks_world import Tools, tools_at


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        await made.add("zendesk")
        yield made


def comment(number: int, author: str = "77", *, staff: bool = False, at: str = "09:00", **more: Any) -> dict[str, Any]:
    """A public comment on ticket 9."""
    return {
        "type": "zen:event-type:ticket.comment_added",
        "id": f"evt-{number}",
        "time": f"2026-03-02T{at}:00.123456789Z",
        "detail": {"id": "9", "requester_id": "77", "subject": "No signal", "via": {"channel": "email"}},
        "event": {
            "comment": {
                "id": f"c{number}",
                "body": f"Words number {number}.",
                "is_public": True,
                "author": {"id": author, "is_staff": staff, "name": f"Person {author}"},
                **more,
            }
        },
    }


async def test_a_message_becomes_a_contact_and_an_answer_its_response(tools: Tools) -> None:
    await tools.send("zendesk", comment(1), comment(2, "5", staff=True, at="09:20"))
    one = await tools.one(source="zendesk", conversation_id="9")
    assert one["customer"] == {"id": "77", "name": "Person 77"}
    assert (one["channel"], one["subject"], one["text"]) == ("email", "No signal", "Words number 1.")
    assert one["occurred_at"] == "2026-03-02T09:00:00.123456Z"
    assert one["responder"] == {"id": "5"}
    assert [(r["responder_id"], r["text"], r["first"]) for r in one["responses"]] == [("5", "Words number 2.", True)]
    assert await tools.world.findings() == []


async def test_a_repeat_is_answered_alike_and_changes_nothing(tools: Tools) -> None:
    first = await tools.deliver("zendesk", comment(1))
    await tools.settle()
    again = await tools.deliver("zendesk", comment(1))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (200, b"{}")
    # and the same message in another delivery is the same message
    await tools.send("zendesk", comment(1) | {"id": "evt-other"})
    await tools.one(source="zendesk")
    assert [name for name, _ in await tools.world.told("77")] == ["contact.captured"]


@pytest.mark.parametrize("headers", [{}, {"x-zendesk-webhook-signature": "AAAA"}, {"x-zendesk-webhook-signature": "é"}])
async def test_who_cannot_sign_is_refused(tools: Tools, headers: dict[str, str]) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    answer = await tools.deliver("zendesk", comment(1), headers=raw, signed=False)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:complaint-loop:problem:unauthorized")
    wrong = await tools.deliver("zendesk", comment(1), secret="another secret")
    assert wrong.status_code == 401
    assert await tools.fates() == []


async def test_unknown_tools_and_endpoints_are_not_found(tools: Tools) -> None:
    assert (await tools.world.client.post("/v1/hooks/pigeon/main", content=b"{}")).status_code == 404
    assert (await tools.deliver("zendesk", comment(1), endpoint="other")).status_code == 404
    await tools.add("zendesk", "other")
    assert (await tools.deliver("zendesk", comment(1), endpoint="other")).status_code == 200
    assert (await tools.world.client.get("/v1/hooks/zendesk/main")).status_code == 405


async def test_what_is_not_understood_is_kept_and_retried(tools: Tools) -> None:
    await tools.send("zendesk", b"{no json", comment(1, author={"name": "nobody"}))
    assert [state for state, _ in await tools.fates()] == ["parked", "parked"]
    first, second = await tools.parked()
    assert (first.origin, first.value) == ("hook:zendesk/main", b"{no json")
    assert "event.comment.author.id" in second.reason
    async with tools.world.engine.begin() as conn:
        await conn.execute(update(parked).values(state="retry"))
    await tools.settle()
    assert [(row.state, row.attempts) for row in await tools.parked()] == [("parked", 2), ("parked", 2)]
    # after an upgrade it is understood
    async with tools.world.engine.begin() as conn:
        repaired = (await tools.parked())[1].value.replace(b'"id":{"name":"nobody"}', b'"id":"77"')
        change = update(parked).where(parked.c.id == second.id)
        await conn.execute(change.values(state="retry", value=repaired.replace(b'{"name":"nobody"}', b'{"id":"77"}')))
    await tools.settle()
    assert [row.state for row in await tools.parked()] == ["parked", "retried"]
    assert (await tools.one(source="zendesk"))["text"] == "Words number 1."


@pytest.mark.parametrize("tool", TOOLS)
async def test_what_hooks_test_sends_is_taken_and_means_nothing(tools: Tools, tool: str) -> None:
    endpoint = await tools.add(tool)
    adapter = TOOLS[tool]
    told = adapter.paste.format(url="https://care.example/hook", secret=endpoint.secret)
    assert "https://care.example/hook" in told
    answer = await tools.deliver(tool, adapter.probe)
    assert (answer.status_code, answer.content) == (adapter.accepted.status, adapter.accepted.body)
    await tools.settle()
    assert [state for state, _ in await tools.fates()] == ["nothing"]
    assert (await tools.deliver(tool, adapter.probe, secret="b3RoZXI=")).status_code == 401


async def test_intercom_finds_somebody_there_before_it_accepts_a_url(tools: Tools) -> None:
    await tools.add("intercom")
    assert (await tools.world.client.head("/v1/hooks/intercom/main")).status_code == 200
    assert (await tools.world.client.head("/v1/hooks/intercom/other")).status_code == 404


async def test_two_tools_that_number_alike_are_told_apart_by_a_prefix(tools: Tools) -> None:
    await tools.add("zendesk", "second", options={"prefix": "b-"})
    await tools.send("zendesk", comment(1), comment(2, "5", staff=True, at="09:20"))
    await tools.send("zendesk", comment(1), comment(2, "5", staff=True, at="09:20"), endpoint="second")
    first, second = await tools.contacts()
    assert [one["customer"]["id"] for one in (first, second)] == ["77", "b-77"]
    assert (second["conversation_id"], second["responder"]["id"]) == ("b-9", "b-5")


@pytest.mark.parametrize("point", ["corridor.before_commit", "corridor.after_commit"])
async def test_what_breaks_off_while_it_is_posted_is_posted_once(tools: Tools, point: str) -> None:
    for one in (comment(1), comment(2, "5", staff=True, at="09:20"), comment(3, at="09:30")):
        await tools.deliver("zendesk", one)
    plan(point, "error")
    await tools.settle()
    first, second = await tools.contacts(source="zendesk")
    assert [one["text"] for one in (first, second)] == ["Words number 1.", "Words number 3."]
    assert [one["text"] for one in first["responses"]] == ["Words number 2."]
    assert [name for name, _ in await tools.world.told("77")] == [
        "contact.captured",
        "contact.responded",
        "contact.captured",
    ]
    assert await tools.world.findings() == []


async def test_many_deliveries_at_once_are_each_kept_once(tools: Tools) -> None:
    """A crowd at the door, everybody twice: answered with 2xx, and everything is there afterwards."""
    crowd = [comment(number, at=f"09:{number % 60:02}") for number in range(150)] * 2
    answers = await asyncio.gather(*(tools.deliver("zendesk", one) for one in crowd))
    assert {answer.status_code for answer in answers} == {200}
    await tools.settle()
    assert len(await tools.fates()) == 150
    texts = [one["text"] for one in await tools.contacts(source="zendesk", limit="200")]
    assert sorted(texts) == sorted(f"Words number {number}." for number in range(150))
