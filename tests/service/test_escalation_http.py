"""Escalations and promises through their routes: scopes, refusals, lists, repeated requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts import ownership
from tests.service.escalation_house import Doors
from tests.service.escalation_world import NINE, WORDS, breached, contact, of, opened, owned, threatened

pytest_plugins = ["tests.service.escalation_house"]
PROMISE = {"text": "Your line will not drop.", "cause": "router-drops"}


@pytest.fixture
async def place(doors: Doors) -> str:
    """The path of an escalation that waits for the head of care."""
    await doors.world.tell(opened(contact()), owned(), breached())
    return f"/v1/escalations/{(await doors.world.escalation())['id']}"


async def post(doors: Doors, path: str, body: Any, scope: str = "executive", **headers: str) -> Any:
    async with doors.client(scope) as client:
        return await client.post(path, json=body, headers=headers)


async def get(doors: Doors, path: str, scope: str = "supervisor", **params: Any) -> Any:
    async with doors.client(scope) as client:
        return await client.get(path, params=params)


async def test_an_answer_with_a_promise(doors: Doors, place: str) -> None:
    action = {"what": "Replace the splitter", "owner": "field-ops", "due_at": "2026-03-03T12:00:00+01:00"}
    body = {
        "executive_id": "head",
        "text": WORDS,
        "apology": True,
        "promise": PROMISE | {"scope": "everyone", "actions": [action], "watch_for": "90d"},
    }
    answer = await post(doors, f"{place}/answer", body)
    assert answer.status_code == 202 and answer.json()["status"] == "answered"
    one = (await get(doors, place)).json()
    assert one["answer"]["text"] == WORDS and one["reference"] == "C-K-1"
    promise = (await get(doors, f"/v1/promises/{one['answer']['promise_id']}")).json()
    assert promise["reference"].startswith("P-") and len(promise["reference"]) == 7
    assert (promise["made_by"], promise["made_to"], promise["scope"]) == ("head", "c-1", "everyone")
    assert promise["actions"][0]["owner"] == "field-ops" and promise["actions"][0]["due_at"] == "2026-03-03T11:00:00Z"
    done = {"by": "agent-7", "evidence": "photo"}
    assert (await post(doors, f"/v1/promises/{promise['id']}/actions/1/done", done, "agent")).status_code == 200
    assert (await post(doors, f"/v1/promises/{promise['id']}/actions/1/done", done, "agent")).status_code == 409
    assert (await post(doors, f"/v1/promises/{promise['id']}/actions/2/done", done, "agent")).status_code == 404


async def test_twice_is_a_conflict_and_the_same_request_again_is_not(doors: Doors, place: str) -> None:
    body = {"executive_id": "head", "text": WORDS}
    first = await post(doors, f"{place}/answer", body, **{"Idempotency-Key": "one"})
    again = await post(doors, f"{place}/answer", body, **{"Idempotency-Key": "one"})
    assert first.status_code == again.status_code == 202 and first.json() == again.json()
    other = await post(doors, f"{place}/answer", body | {"text": "Other words for the same matter, by nobody else."})
    assert other.status_code == 409 and other.json()["state"]["status"] == "answered"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"executive_id": "head"}, "/text"),
        ({"executive_id": "head", "text": "x", "surprise": 1}, "/surprise"),
        ({"executive_id": "head", "text": WORDS, "promise": PROMISE | {"watch_for": "soon"}}, "/promise/watch_for"),
        ({"executive_id": "head", "text": WORDS, "promise": PROMISE | {"scope": "nobody"}}, "/promise/scope"),
        ({"executive_id": "head", "text": WORDS, "stay_question": {"asked": False}}, "/stay_question/asked"),
        ({"executive_id": "head", "text": "nul \u0000"}, "/text"),
    ],
)
async def test_what_is_not_understood_says_where(doors: Doors, place: str, body: Any, pointer: str) -> None:
    answer = await post(doors, f"{place}/answer", body)
    assert answer.status_code in (400, 422)
    assert answer.status_code == 400 or pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_canned_words_show_their_likeness_and_a_check_changes_nothing(doors: Doors, place: str) -> None:
    await doors.world.tell(opened(contact("c-2"), "k-2"), breached(complaint_id="k-2", customer="c-2"))
    (other,) = await doors.world.escalations(complaint_id="k-2")
    body = {"executive_id": "head", "text": WORDS}
    path = f"/v1/escalations/{other['id']}"
    assert (await post(doors, f"{path}/answer/check", body)).json()["acceptable"] is True
    assert (await post(doors, f"{place}/answer", body)).status_code == 202
    checked = (await post(doors, f"{path}/answer/check", body)).json()
    assert checked["acceptable"] is False and checked["likeness"] > 0.8 and checked["because"]
    refused = await post(doors, f"{path}/answer", body)
    assert refused.status_code == 422 and refused.json()["type"].endswith(":canned-answer")
    assert refused.json()["likeness"] == checked["likeness"]
    assert (await get(doors, path)).json()["status"] == "waiting"


async def test_an_answer_of_any_age_is_found_again(doors: Doors, place: str) -> None:
    assert (await post(doors, f"{place}/answer", {"executive_id": "head", "text": WORDS})).status_code == 202
    columns = "escalation_id, complaint_id, customer_id, executive_id, apology, stay_asked, given_at"
    others = (
        f"insert into escalation.answers (id, text, sketch, {columns}) select 'a-' || n, 'Other words, number ' || n,"
        f" jsonb_build_array(n::text), {columns} from escalation.answers, generate_series(1, 5000) n"
    )
    async with doors.world.engine.begin() as conn:
        await conn.execute(text(others))
    await doors.world.tell(opened(contact("c-2"), "k-2"), breached(complaint_id="k-2", customer="c-2"))
    (other,) = await doors.world.escalations(complaint_id="k-2")
    swapped = WORDS.replace("eight", "seven").replace("tomorrow", "today")
    body = {"executive_id": "head", "text": f"Dear Ms Novak,\n{swapped}\nKind regards\nHana"}
    refused = await post(doors, f"/v1/escalations/{other['id']}/answer", body)
    assert refused.json()["type"].endswith(":canned-answer") and refused.json()["likeness"] > 0.8


async def test_the_same_question_beforehand_gets_the_same_answer(doors: Doors, place: str) -> None:
    path, key = f"{place}/answer/check", {"Idempotency-Key": "look"}
    first = await post(doors, path, {"executive_id": "head", "text": WORDS}, **key)
    again = await post(doors, path, {"executive_id": "head", "text": WORDS}, **key)
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await post(doors, path, {"executive_id": "head", "text": "Something else."}, **key)
    assert other.status_code == 422 and other.json()["type"].endswith(":idempotency-key-reused")
    assert (await get(doors, place)).json()["status"] == "waiting"


@pytest.mark.parametrize("words", ["", "  ", "We value your feedback.", "感谢您的反馈，我们高度重视。"])
async def test_no_words_and_courtesy_alone_are_canned(doors: Doors, place: str, words: str) -> None:
    body = {"executive_id": "head", "text": words}
    refused = await post(doors, f"{place}/answer", body)
    assert refused.status_code == 422 and refused.json()["type"].endswith(":canned-answer")
    assert refused.json()["likeness"] == 1 and refused.json()["because"]
    checked = (await post(doors, f"{place}/answer/check", body)).json()
    told = {name: refused.json()[name] for name in ("likeness", "because")}
    assert checked == {"acceptable": False, **told} and checked["because"]


async def test_the_stay_question(doors: Doors, place: str) -> None:
    await doors.world.tell(threatened())
    body: dict[str, Any] = {"executive_id": "vp", "text": WORDS}
    refused = await post(doors, f"{place}/answer", body)
    assert refused.status_code == 422 and refused.json()["type"].endswith(":stay-question-missing")
    body["stay_question"] = {"asked": True, "what_would_make_you_stay": "A technician tomorrow."}
    assert (await post(doors, f"{place}/answer", body)).status_code == 202


async def test_scopes(doors: Doors, place: str) -> None:
    body = {"executive_id": "head", "text": WORDS}
    assert (await post(doors, f"{place}/answer", body, "supervisor")).status_code == 403
    assert (await post(doors, f"{place}/delivered", {"agent_id": "a", "how": "x"}, "intake")).status_code == 403
    assert (await get(doors, "/v1/feed", "agent")).status_code == 403
    assert (await get(doors, "/v1/escalations", "intake")).status_code == 403
    assert (await post(doors, f"{place}/delivered", {"agent_id": "a", "how": "x"}, "agent")).status_code == 409
    assert (await post(doors, f"{place}/forward", {"to": "ceo"}, "supervisor")).status_code == 202


async def test_lists_filter_and_turn_pages(doors: Doors) -> None:
    for n in range(5):
        await doors.world.tell(opened(contact(f"c-{n}"), f"k-{n}"), breached(complaint_id=f"k-{n}", customer=f"c-{n}"))
    await doors.world.tell(threatened(complaint_id="k-3", customer="c-3"))
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2, "status": "waiting"}
    while True:
        page = (await get(doors, "/v1/escalations", **params)).json()
        seen += [one["complaint_id"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen == ["k-4", "k-3", "k-2", "k-1", "k-0"]
    assert [x["complaint_id"] for x in (await get(doors, "/v1/escalations", level=2)).json()["items"]] == ["k-3"]
    assert len((await get(doors, "/v1/escalations", executive_id="head")).json()["items"]) == 4
    assert (await get(doors, "/v1/escalations", cursor="nonsense")).status_code == 422
    assert (await get(doors, "/v1/escalations", status="lost")).status_code == 422


async def test_a_promise_by_itself(doors: Doors) -> None:
    body = PROMISE | {"made_by": "vp", "customer_id": "c-9"}
    made = await post(doors, "/v1/promises", body)
    assert made.status_code == 202 and made.json()["nothing_changes"] is True
    (listed,) = (await get(doors, "/v1/promises", customer_id="c-9", cause="router-drops", status="watching")).json()[
        "items"
    ]
    assert listed["text"] == PROMISE["text"]
    assert (await post(doors, "/v1/promises", body | {"complaint_id": "nobody's"})).status_code == 422
    assert (await post(doors, "/v1/promises", body | {"made_by": "stranger"})).status_code == 422
    assert (await get(doors, "/v1/promises/none")).status_code == 404
    assert (await get(doors, "/v1/escalations/none")).status_code == 404


async def test_a_promise_about_a_complaint_that_is_not_known_here_yet_waits_for_it(doors: Doors) -> None:
    body = PROMISE | {"made_by": "vp", "customer_id": "c-1", "complaint_id": "k-1"}
    asked = asyncio.create_task(post(doors, "/v1/promises", body))
    await asyncio.sleep(0)
    await doors.world.tell(opened(contact()))
    made = await asked
    assert (made.status_code, made.json()["complaint_id"]) == (202, "k-1")


async def test_links_are_revoked_by_supervisors_and_administrators(doors: Doors, place: str) -> None:
    for scope, status in (("supervisor", 202), ("executive", 403), ("agent", 403)):
        assert (await post(doors, f"{place}/links/revoke", {}, scope)).status_code == status
    told = {"executive_id": "head", "by": "desk"}
    for _ in range(2):
        again = await post(doors, f"{place}/links/revoke", told, "supervisor", **{"Idempotency-Key": "revoked"})
        assert again.status_code == 202 and again.json()["status"] == "waiting"
    assert (await post(doors, f"{place}/links/revoke", {"who": "head"}, "supervisor")).status_code == 422
    assert (await post(doors, "/v1/escalations/none/links/revoke", {}, "supervisor")).status_code == 404


async def test_the_owner_tells_it_once_however_often_they_say_so(doors: Doors, place: str) -> None:
    assert (await post(doors, f"{place}/answer", {"executive_id": "head", "text": WORDS})).status_code == 202
    body = {"agent_id": "agent-7", "how": "by phone", "acknowledgement": "She thanked us."}
    said = await asyncio.gather(*(post(doors, f"{place}/delivered", body, "agent") for _ in range(5)))
    assert sorted(one.status_code for one in said) == [202, 409, 409, 409, 409]
    one = (await get(doors, place)).json()
    assert (one["status"], one["answer"]["acknowledged"]) == ("ended", True)
    assert one["answer"]["delivery"]["owner"]["state"] == "told"


async def test_only_who_owes_it_to_the_customer_says_that_they_know(doors: Doors, place: str) -> None:
    until = NINE + timedelta(days=2)
    await doors.world.tell(of(ownership.DeputyStarted, deputy_id="agent-8", until=until, by_id="supervisor"))
    assert (await post(doors, f"{place}/answer", {"executive_id": "head", "text": WORDS})).status_code == 202
    body = {"agent_id": "agent-9", "how": "by phone"}
    refused = await post(doors, f"{place}/delivered", body, "agent")
    assert refused.status_code == 409 and refused.json()["type"].endswith(":not-the-owner")
    assert (refused.json()["state"]["owner_id"], refused.json()["state"]["deputy_id"]) == ("agent-7", "agent-8")
    assert (await get(doors, place)).json()["status"] == "answered"
    told = await post(doors, f"{place}/delivered", body | {"agent_id": "agent-8"}, "agent")
    assert (told.status_code, told.json()["status"], told.json()["reference"]) == (202, "ended", "C-K-1")


async def test_a_deputy_of_the_past_says_it_no_more_and_a_supervisor_does(doors: Doors, place: str) -> None:
    until = NINE + timedelta(days=2)
    await doors.world.tell(
        of(ownership.DeputyStarted, deputy_id="agent-8", until=until, by_id="supervisor"),
        of(ownership.DeputyEnded, deputy_id="agent-8", because="ended", by_id="supervisor"),
    )
    assert (await post(doors, f"{place}/answer", {"executive_id": "head", "text": WORDS})).status_code == 202
    body = {"agent_id": "agent-8", "how": "by phone"}
    assert (await post(doors, f"{place}/delivered", body, "agent")).status_code == 409
    assert (await post(doors, f"{place}/delivered", body, "supervisor")).status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("answer", {"executive_id": "nobody", "text": WORDS}, "/executive_id"),
        ("answer", {"executive_id": "head", "text": "  "}, "/text"),
        ("answer", {"executive_id": "head", "text": "We value your feedback."}, "/text"),
        ("answer", {"executive_id": "head", "text": WORDS, "promise": PROMISE | {"cause": "x"}}, "/promise/cause"),
        ("answer/check", {"executive_id": "nobody", "text": WORDS}, "/executive_id"),
        ("forward", {"to": "nobody"}, "/to"),
        ("/v1/promises", PROMISE | {"made_by": "nobody", "customer_id": "c-9"}, "/made_by"),
        ("/v1/promises", PROMISE | {"made_by": "vp", "customer_id": "c-9", "cause": "x"}, "/cause"),
        ("/v1/promises", PROMISE | {"made_by": "vp", "customer_id": "c-9", "complaint_id": "k-1"}, "/complaint_id"),
    ],
)
async def test_a_refusal_says_what_it_is_about(
    doors: Doors, place: str, path: str, body: dict[str, Any], pointer: str
) -> None:
    refused = await post(doors, path if path.startswith("/") else f"{place}/{path}", body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_the_stay_question_is_named_where_it_is_missing(doors: Doors, place: str) -> None:
    await doors.world.tell(threatened())
    refused = await post(doors, f"{place}/answer", {"executive_id": "vp", "text": WORDS})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/stay_question"]


async def test_times_of_a_breach_have_one_form(doors: Doors) -> None:
    assert (await post(doors, "/v1/promises", PROMISE | {"made_by": "vp", "customer_id": "c-1"})).status_code == 202
    doors.world.clock.advance(timedelta(hours=1))
    heard = contact(at=NINE + timedelta(minutes=30))
    changed = of(
        ownership.Classified,
        contact_ids=(heard.contact_id,),
        changed=("cause",),
        cause="billing-error",
        by_id="agent-7",
    )
    await doors.world.tell(heard, opened(heard), changed)
    (promise,) = (await get(doors, "/v1/promises", customer_id="c-1")).json()["items"]
    (breach,) = promise["breaches"]
    assert breach["at"].endswith("Z") and breach["taken_back"]["at"].endswith("Z")
