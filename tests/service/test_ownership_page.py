"""The customer's own page: it shows on GET, acts on POST, and speaks their language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.auth import sign
from tests.service.ownership_world import SECRET, World

pytest_plugins = ["tests.service.ownership_world"]
TEXT = "We laid a <b>new</b> line & tested it."


@pytest.fixture
async def asked(world: World) -> str:
    """The link of a customer who is asked whether it is solved."""
    await world.contact(responder_id="agent-1", locale="en-GB")
    return await answered(world)


async def answered(world: World) -> str:
    one: dict[str, Any] = await world.complaint()
    body = {"agent_id": "agent-1", "text": TEXT, "outcome": "upheld", "reasons": "fault"}
    return str((await world.post(f"{one['id']}/answer", body)).json()["confirmation_url"])


async def test_looking_changes_nothing(world: World, asked: str) -> None:
    told = await world.told()
    for _ in range(3):
        page = await world.client.get(asked)
        assert page.status_code == 200 and "We laid a &lt;b&gt;new&lt;/b&gt; line &amp; tested it." in page.text
        assert (
            page.headers["cache-control"] == "no-store"
            and "default-src 'none'" in page.headers["content-security-policy"]
        )
    assert (await world.client.head(asked)).status_code == 200
    assert await world.told() == told


async def test_yes_closes(world: World, asked: str) -> None:
    page = await world.client.post(asked, data={"solved": "yes"})
    assert page.status_code == 200 and "Thank you" in page.text
    one = await world.complaint()
    assert (one["status"], one["basis"]) == ("closed", "accepted")
    assert (await world.note("accepted"))["data"]["through"] == "page"
    assert "closed your complaint" in (await world.client.get(asked)).text
    assert (await world.client.post(asked, data={"solved": "no"})).status_code == 200  # changed their mind: it counts
    assert (await world.complaint())["status"] == "open"


async def test_no_reopens_and_the_old_link_is_over(world: World, asked: str) -> None:
    page = await world.client.post(asked, data={"solved": "no", "comment": "It still drops."})
    assert page.status_code == 200
    one = await world.complaint()
    assert (one["status"], one["cycle"]) == ("open", 2)
    assert (await world.note("reopened"))["note"] == {"comment": "It still drops."}
    assert (await world.client.post(asked, data={"solved": "yes"})).status_code == 409
    new = await answered(world)
    assert new != asked
    assert "newer answer" in (await world.client.get(asked)).text
    assert (await world.complaint())["status"] == "answered"
    assert (await world.client.post(new, data={"solved": "yes", "comment": ""})).status_code == 200


async def test_a_form_that_says_nothing(world: World, asked: str) -> None:
    for data in ({}, {"solved": "maybe"}, {"solved": "yes", "comment": "x" * 5001}):
        page = await world.client.post(asked, data=data, headers={"content-type": "application/x-www-form-urlencoded"})
        assert page.status_code == 422 and "<form" in page.text
    kept = await world.client.post(asked, data={"comment": "Please <call> me"})
    assert "Please &lt;call&gt; me" in kept.text
    assert (await world.client.post(asked, json={"solved": "yes"})).status_code == 415
    assert (await world.complaint())["status"] == "answered"


async def test_a_silent_customer_may_still_speak(world: World, asked: str) -> None:
    await world.pass_time(timedelta(days=15))
    assert (await world.complaint())["basis"] == "silent"
    assert "<form" in (await world.client.get(asked)).text
    assert (await world.client.post(asked, data={"solved": "yes"})).status_code == 200
    assert (await world.complaint())["basis"] == "accepted"
    assert await world.findings() == []


async def test_a_link_that_is_none(world: World, asked: str) -> None:
    for url in (asked + "x", asked[:-1], "http://test/c/x", asked.replace("/c/", "/c/a")):
        assert (await world.client.get(url)).status_code == 404
        assert (await world.client.post(url, data={"solved": "yes"})).status_code == 404
    world.clock.advance(timedelta(days=200))
    page = await world.client.get(asked, headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert page.status_code == 404 and "链接已失效" in page.text


async def test_in_chinese(world: World) -> None:
    await world.contact(responder_id="agent-1", locale="zh-CN")
    page = await world.client.get(await answered(world))
    assert 'lang="zh"' in page.text and "问题解决了吗" in page.text and "solved?" not in page.text


async def test_who_was_answered_by_an_executive_alone_is_asked_too_and_their_no_goes_back_up(world: World) -> None:
    await world.contact(responder_id="agent-1", locale="en-GB")
    one = await world.complaint()
    link = f"/c/{sign(SECRET, 'confirmation', [one['id'], '1'], world.now + timedelta(days=90))}"
    assert "Is it solved" in (shown := (await world.client.get(link)).text) or 'name="solved"' in shown
    assert (await world.client.post(link, data={"solved": "no", "comment": "It still drops."})).status_code == 200
    assert (await world.note("escalation_asked"))["data"]["by"] == "customer"
    assert (await world.complaint())["status"] == "open"
    assert (await world.client.post(link, data={"solved": "yes"})).status_code == 200
    assert (await world.complaint())["basis"] == "accepted"
