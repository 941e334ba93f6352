"""The executive's page: it shows on GET, acts on POST with the mail's code, and keeps what was typed."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

import pytest
from sqlalchemy import func, select

from services.escalation.domain.acts import Forwarded, LinksRevoked
from services.escalation.domain.answering import AnswerGiven
from services.escalation.store.links import links
from services.escalation.store.mails import mails
from tests.service.escalation_world import POLICY, WORDS, breached, contact, opened, policy
from tests.service.mail_house import text_of
from tests.service.page_house import STAY, Page

pytest_plugins = ("tests.service.escalation_house", "tests.service.mail_house", "tests.service.page_house")


async def test_looking_changes_nothing(page: Page) -> None:
    before = await page.house.world.events()
    for _ in range(3):
        shown = await page.get()
    assert shown.status_code == 200
    assert "My router drops every evening." in shown.text
    assert re.findall(r'name="(text|stay|code)"', shown.text) == ["text", "stay", "code"]
    assert page.code not in shown.text
    assert await page.house.world.events() == before


async def test_the_right_code_sends_the_words(page: Page) -> None:
    done = await page.post(code=page.code.lower().replace("-", " "))
    assert done.status_code == 200
    await page.house.post()
    assert WORDS in text_of(page.house.server.to("li@customer.example")[0])
    assert (await page.house.world.escalation())["status"] == "ended"
    assert "This has been answered." in (await page.get()).text


async def test_a_wrong_code_keeps_what_was_typed_and_the_sixth_in_an_hour_is_too_many(page: Page) -> None:
    for _ in range(5):
        refused = await page.post(code="0000-00")
        assert refused.status_code == 403
        assert WORDS in refused.text and STAY in refused.text
    sixth = await page.post(code="0000-00")
    assert (sixth.status_code, sixth.headers["retry-after"]) == (429, "3600")
    assert WORDS in sixth.text
    assert (await page.post()).status_code == 429
    page.house.world.clock.advance(3601)
    assert (await page.post()).status_code == 200


async def test_the_right_code_is_taken_after_five_wrong_ones_and_none_at_all_is_no_guess(page: Page) -> None:
    for code in ("", " - ", *["0000-00"] * 5):
        assert (await page.post(code=code)).status_code == 403
    assert (await page.post()).status_code == 200


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"text": "   "}, 422),
        ({"stay": ""}, 422),
        ({"text": "We value your feedback and apologise for any inconvenience."}, 422),
        ({"text": "x" * 20_001}, 422),
    ],
)
async def test_what_is_no_answer_is_refused_and_kept(page: Page, typed: dict[str, str], status: int) -> None:
    refused = await page.post(**typed)
    assert refused.status_code == status
    assert 'role="alert"' in refused.text
    assert (typed.get("stay", STAY) or STAY) in refused.text or not typed.get("stay", STAY)
    assert (await page.house.world.escalation())["status"] == "waiting"


async def test_a_form_letter_is_refused_with_its_likeness(page: Page) -> None:
    refused = await page.post(text="Thank you for your feedback. Your satisfaction is important to us.")
    assert "Likeness to an earlier answer: 100 %" in refused.text
    assert "it is courtesy alone" in refused.text


async def test_the_words_of_another_answer_are_refused_whatever_names_are_in_it(page: Page) -> None:
    world = page.house.world
    heard = contact("c-2", contact_id="contact-2")
    await world.tell(opened(heard, "k-2"), breached(complaint_id="k-2", customer="c-2"))
    (other,) = await world.escalations(complaint_id="k-2")
    before = "Dear Bo Akande, I rang you on Monday; Hana Head puts a new splitter in your street at nine on 3 March."
    await world.act("c-2", AnswerGiven(other["id"], "head", before))
    refused = await page.post(
        text="Dear Li Wei, I rang you on Friday; Victor Vice puts a new splitter in your street at six on 14 May."
    )
    assert refused.status_code == 422
    assert "names, dates and numbers do not count" in refused.text
    # the earlier answer stands next to it, without what is somebody else's
    assert "I rang you on #; # puts a new splitter in your street at nine on #." in unescape(refused.text)
    assert "Bo Akande" not in refused.text and "3 March" not in refused.text


async def test_redress_on_the_page_is_kept_through_a_refusal_and_goes_to_the_customer(page: Page) -> None:
    refused = await page.post(text="We value your feedback.", redress="Two months are free.")
    assert refused.status_code == 422 and "Two months are free." in refused.text
    assert (await page.post(redress="Two months are free.")).status_code == 200
    await page.house.post()
    assert "Two months are free." in text_of(page.house.server.to("li@customer.example")[0])


async def test_a_promise_on_the_page_is_watched(page: Page) -> None:
    assert (await page.post(promise="Your line will not drop again.")).status_code == 200
    assert (await page.house.world.promise())["status"] == "watching"


async def test_what_is_typed_is_shown_and_never_acted_on(page: Page) -> None:
    refused = await page.post(code="0000-00", text='</textarea><script>alert(1)</script>"')
    assert "<script>alert" not in refused.text
    assert refused.text.count("<script>") == 1  # ours, whose hash the browser is told


async def test_a_link_that_is_unknown_or_too_old_says_what_to_do(page: Page) -> None:
    assert (await page.http.get("/e/nobody")).status_code == 404
    page.house.world.clock.advance(91 * 86400)
    gone = await page.get()
    assert gone.status_code == 404
    assert "latest mail" in gone.text


async def test_a_link_that_was_revoked_shows_and_takes_nothing(page: Page) -> None:
    world = page.house.world
    one = await world.escalation()
    await world.act(one["customer_id"], LinksRevoked(one["id"], "somebody-else", "desk"))
    assert (await page.get()).status_code == 200
    await world.act(one["customer_id"], LinksRevoked(one["id"], None, "desk"))
    assert (await page.get()).status_code == 404
    assert (await page.post()).status_code == 404
    assert (await world.escalation())["status"] == "waiting"


async def test_whoever_passed_it_on_has_no_link_any_more_and_the_next_person_has(page: Page) -> None:
    world = page.house.world
    one = await world.escalation()
    await world.act(one["customer_id"], Forwarded(one["id"], "ceo", "desk"))
    assert (await page.get()).status_code == 404
    await page.house.post()
    path = re.search(r"http://loop\.example(/e/\S+)", text_of(page.house.server.to("ceo@example.com")[0]))
    assert path is not None
    assert (await page.http.get(path[1])).status_code == 200


async def test_what_is_over_is_shown_for_a_week(page: Page) -> None:
    assert (await page.post()).status_code == 200
    await page.house.post()
    assert (await page.house.world.escalation())["status"] == "ended"
    page.house.world.clock.advance(6 * 86400)
    assert "This has been answered." in (await page.get()).text
    page.house.world.clock.advance(2 * 86400)
    assert (await page.get()).status_code == 404


async def test_old_links_and_mails_are_forgotten(page: Page) -> None:
    await page.post()
    await page.house.post()
    for days, left in ((100, (0, 2)), (6 * 366, (0, 0))):
        page.house.world.clock.advance(days * 86400)
        await page.house.room.forget_old()
        async with page.house.world.engine.connect() as conn:
            counted = [await conn.scalar(select(func.count()).select_from(one)) for one in (links, mails)]
        assert tuple(counted) == left


async def test_while_intake_is_away_the_page_says_so(page: Page) -> None:
    page.house.neighbours.away = True
    shown = await page.get()
    assert (shown.status_code, shown.headers["retry-after"]) == (503, "10")


async def test_what_was_typed_is_kept_and_taken_while_intake_is_away(page: Page) -> None:
    page.house.neighbours.away = True
    refused = await page.post(code="0000-00")
    assert refused.status_code == 403
    assert WORDS in refused.text and STAY in refused.text
    assert "asked us to forget" not in refused.text
    assert (await page.post()).status_code == 200
    assert (await page.house.world.escalation())["status"] == "answered"


async def test_a_second_answer_finds_the_first(page: Page) -> None:
    assert (await page.post()).status_code == 200
    again = await page.post(text="Another answer: the splitter is on its way to you.")
    assert again.status_code == 409
    assert "Victor Vice" in again.text and WORDS in again.text
    assert "<form" not in again.text


async def test_whoever_leaves_the_policy_has_no_link_any_more(page: Page) -> None:
    page.house.world.policies.current = policy(POLICY.replace("id: vp,", "id: successor,").replace("[vp]", "[]"))
    assert (await page.get()).status_code == 404
    assert (await page.post()).status_code == 404


async def test_the_page_needs_nothing_from_elsewhere_and_is_kept_by_nobody(page: Page) -> None:
    shown = await page.get()
    assert not re.search(r"<(img|link|iframe)\b|url\(|@import|\bsrc=|\son\w+=", shown.text)
    (script,) = re.findall(r"<script>(.*?)</script>", shown.text, re.DOTALL)
    told = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{told}'" in shown.headers["content-security-policy"]
    assert "prefers-color-scheme: dark" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"text=%ff", "application/x-www-form-urlencoded", 400),
        (b"text=a&text=b", "application/x-www-form-urlencoded", 400),
        (b"text=%00", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"", "application/x-www-form-urlencoded", 403),
        (b"code=" + b"9" * 5000, "application/x-www-form-urlencoded", 403),
        (b"&".join(b"f%d=1" % n for n in range(90)), "application/x-www-form-urlencoded", 400),
    ],
)
async def test_garbage_is_refused(page: Page, body: bytes, kind: str, status: int) -> None:
    refused = await page.http.post(page.path, content=body, headers={"Content-Type": kind})
    assert refused.status_code == status
