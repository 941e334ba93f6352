"""The customer's own page: it shows on GET, acts on POST, and speaks their language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.auth import sign
from tests.service.ownership_world import SECRET, World, clock_of

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
    page = await world.client.get(asked + "x", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert page.status_code == 404 and "链接无效" in page.text


async def test_a_link_that_was_good_once(world: World) -> None:
    await world.contact(responder_id="agent-1", locale="zh-CN")
    link, one = await answered(world), await world.complaint()
    world.clock.advance(timedelta(days=200))
    told = await world.told()
    for page in (await world.client.get(link), await world.client.post(link, data={"solved": "no"})):
        assert page.status_code == 410 and "链接已过期" in page.text and one["reference"] in page.text
        assert "<form" not in page.text
    assert await world.told() == told


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


async def test_a_no_long_after_goes_on_under_another_reference(world: World, asked: str) -> None:
    await world.client.post(asked, data={"solved": "yes"})
    world.clock.advance(timedelta(days=92))
    assert "Something is still wrong" in (await world.client.get(asked)).text
    page = await world.client.post(asked, data={"solved": "no", "comment": "It drops again."})
    old, new = await world.complaints()
    assert page.status_code == 200 and new["reference"] in page.text and new["follows"] == old["id"]
    later = (await world.client.get(asked)).text
    assert "goes on with this matter" in later and new["reference"] in later
    assert (await world.client.post(asked, data={"solved": "no"})).status_code == 409
    assert len(await world.complaints()) == 2


async def test_after_a_while_the_page_asks_both_questions(world: World, asked: str) -> None:
    await world.client.post(asked, data={"solved": "yes"})
    await world.pass_time(timedelta(days=8))
    one = await world.complaint()
    assert one["follow_up_url"].startswith("http://test/c/")
    for link in (asked, one["follow_up_url"]):
        page = (await world.client.get(link)).text
        assert "Are you satisfied" in page and "Would you choose us again?" in page
    half = await world.client.post(asked, data={"satisfied": "yes", "comment": "All is <well>"})
    assert half.status_code == 422 and "Please answer both questions." in half.text
    assert "All is &lt;well&gt;" in half.text and "checked" in half.text
    assert (await world.complaint())["follow_up"]["done_at"] is None
    done = await world.client.post(asked, data={"satisfied": "yes", "again": "no", "comment": "Thanks."})
    assert done.status_code == 200 and "We have noted your answers" in done.text
    told = await world.note("followed_up")
    assert (told["by"], told["data"]["through"], told["note"]) == ("customer", "page", {"comment": "Thanks."})
    one = await world.complaint()
    assert (one["follow_up"]["satisfied"], one["follow_up"]["would_choose_again"]) == (True, False)
    assert clock_of(one, "follow_up")["met_at"] and "follow_up_url" not in one and one["status"] == "closed"
    assert (await world.client.post(asked, data={"satisfied": "no", "again": "no"})).status_code == 409
    assert await world.findings() == []


async def test_who_is_not_satisfied_on_the_page_has_their_complaint_open_again(world: World, asked: str) -> None:
    await world.client.post(asked, data={"solved": "yes"})
    await world.pass_time(timedelta(days=8))
    page = await world.client.post(asked, data={"satisfied": "no", "again": "no"})
    assert page.status_code == 200 and "open again" in page.text
    assert (await world.note("reopened"))["data"]["through"] == "page"
    one = await world.complaint()
    assert (one["status"], one["cycle"], one["owner"]["id"]) == ("open", 2, "agent-1")


async def test_whose_complaint_was_taken_back_by_us_can_still_say_no(world: World, asked: str) -> None:
    one = await world.complaint()
    await world.post(f"{one['id']}/withdrawal", {"agent_id": "agent-1", "reason": "said so on the phone"})
    page = await world.client.get(asked)
    assert page.status_code == 200 and "Your complaint is closed" in page.text and "said so" not in page.text
    assert (await world.client.post(asked, data={"solved": "no"})).status_code == 200
    assert (await world.complaint())["status"] == "open"


async def test_the_link_of_a_merged_complaint_is_about_the_one_that_goes_on(world: World) -> None:
    await world.contact(responder_id="agent-1", locale="en-GB")
    await world.contact(responder_id="agent-2", cause="billing-error", locale="en-GB")
    first, later = await world.complaints()
    body = {"agent_id": "agent-2", "text": TEXT, "outcome": "upheld", "reasons": "fault"}
    link = (await world.post(f"{later['id']}/answer", body)).json()["confirmation_url"]
    await world.post(f"{later['id']}/merge", {"agent_id": "agent-9", "reason": "the same", "into": first["id"]})
    page = await world.client.get(link)
    assert first["reference"] in page.text and "Is it solved" in page.text
    assert (await world.client.post(link, data={"solved": "yes"})).status_code == 200
    assert (await world.get(f"/v1/complaints/{first['id']}"))["basis"] == "accepted"
    assert (await world.get(f"/v1/complaints/{later['id']}"))["basis"] == "merged"
