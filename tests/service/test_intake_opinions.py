"""A second opinion: asked afterwards, where it may matter, of what may be sent; it lifts by one step or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from services.command.line import app
from services.intake.store.tables import contacts, opinions
from tests.service.intake_world import world_at
from tests.service.opinion_world import KEY, THREAT, Asking, asking_at, completed, saying, settings

_QUOTE = "Considering other options"
_AGREES = saying(departure_threat=True, quote=_QUOTE)
_NEAR = "Where is my parcel, it was meant to be here on Monday?"
_GERMAN = "Das Internet fällt jeden Abend aus, Anna Weiß hat es versprochen, ich kündige meinen Vertrag bei Ihnen."


@pytest.fixture
async def asking(database_url: str) -> AsyncIterator[Asking]:
    async with asking_at(database_url) as made:
        yield made


async def test_nobody_is_asked_where_there_is_nobody_to_ask(database_url: str) -> None:
    async with world_at(database_url) as world:
        await world.take(text=THREAT)
        async with world.engine.connect() as conn:
            assert await conn.scalar(select(func.count()).select_from(opinions)) == 0


async def test_a_threat_that_is_half_heard_counts_where_somebody_else_hears_it_too(asking: Asking) -> None:
    told = await asking.world.take(text=THREAT)
    assert told["signals"]["departure_threat"]["tier"] == "possible", "answered by what is heard here"
    assert not asking.endpoint.asked
    asking.endpoint.body = _AGREES
    assert await asking.ask() == 1
    heard = await asking.signals(told["contact_id"])
    threat = heard["departure_threat"]
    assert (threat["value"], threat["tier"], threat["because"][-1]) == (True, "likely", "a second opinion says so")
    assert threat["quote"] == told["signals"]["departure_threat"]["quote"]
    assert heard["second_opinion"]["model"] == "small-1"
    begin, end = heard["second_opinion"]["quote"]
    assert THREAT[begin:end] == _QUOTE
    events = await asking.world.told()
    assert [name for name, _ in events][-2:] == ["contact.captured", "contact.heard_again"]
    first, second = events[-2][1], events[-1][1]
    assert second["changed"] == ["departure_threat"]
    assert second["departure_threat"] == {**first["departure_threat"], "value": True, "tier": "likely"}
    rest = {"changed", "departure_threat"}
    assert {k: v for k, v in second.items() if k not in rest} == {k: v for k, v in first.items() if k not in rest}
    assert await asking.ask() == 0, "once"
    assert await asking.counted() == {"calls": 1, "lifted": 1}
    assert not await asking.world.findings()


async def test_what_is_heard_here_is_never_less_for_what_somebody_else_says(asking: Asking) -> None:
    contact_id = (await asking.world.take(text=THREAT))["contact_id"]
    before = await asking.signals(contact_id)
    await asking.ask()
    after = await asking.signals(contact_id)
    assert after.pop("second_opinion")["departure_threat"] is False
    assert after == before
    assert await asking.world.names() == ["contact.captured"]


async def test_an_opinion_alone_puts_it_before_a_person(asking: Asking) -> None:
    near = await asking.world.take(text=_NEAR)
    assert near["signals"]["complaint"]["value"] is False
    asking.endpoint.body = saying(complaint=True, departure_threat=True, quote=_NEAR[:15])
    await asking.ask()
    heard = await asking.signals(near["contact_id"])
    assert (heard["complaint"]["value"], heard["departure_threat"]["tier"]) == (None, "possible")
    assert heard["departure_threat"]["value"] is None
    assert (await asking.world.told())[-1][1]["changed"] == ["complaint", "departure_threat"]


async def test_other_languages_are_heard_by_somebody_else_alone(asking: Asking) -> None:
    told = await asking.world.take(text=_GERMAN, customer={"id": "c-1", "name": "Anna Weiß"})
    asking.endpoint.body = saying(complaint=True, departure_threat=True, quote="<name> hat es versprochen, ich kündige")
    await asking.ask()
    heard = await asking.signals(told["contact_id"])
    assert (heard["complaint"]["value"], heard["departure_threat"]["tier"]) == (True, "possible")
    begin, end = heard["departure_threat"]["quote"]
    assert _GERMAN[begin:end] == "Anna Weiß hat es versprochen, ich kündige"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Thank you, all is well now."},
        {"text": "This is a disgrace. I cancel my contract today, goodbye."},
        {"text": THREAT, "departure_threat": False, "complaint": True},
        {"text": THREAT, "occurred_at": "2026-02-20T09:00:00Z"},
        {"text": ""},
    ],
)
async def test_nobody_is_asked_where_it_does_not_matter(asking: Asking, fields: dict[str, Any]) -> None:
    await asking.world.take(**fields)
    assert (await asking.ask(), asking.endpoint.asked) == (0, [])


_PROFILE: dict[str, Any] = {
    "id": "cust-kx81",
    "name": "Mirabel O'Toole-Ñandú",
    "email": "mirabel.ot@mail.example",
    "phone": "+49 (151) 2345-6789",
    "tier": "platinum-elite",
    "region": "schwaben",
    "lifetime_value": {"amount": "98765.43", "currency": "EUR"},
}
_STAFF = {"id": "agent-77", "name": "Thorvald Quist", "email": "t.quist@company.example"}
_TOLD = (
    "Hi, this is Mirabel O'Toole Nandu, MIRABEL\u200b OTOOLE, customer cust kx81, mirabel.ot@mail.example or mirabel.ot"
    " at mail dot example, 0151 2345 6789, card 4111-1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00. I live at 12"
    " Elm Park Road, Ulm. Order AZ-90017-X and booking 7QK2LM, see https://shop.example/o?id=90017 note Blue Heron 9."
    " Platinum-Elite in Schwaben, spent 98,765.43! Thorvald and Sunniva knew."
    " Considering other options at this point."
)
_CANARIES = """
    mirabel toole otoole nandu ñandú kx81 mail.example 2345 6789 4111 1111 de89 3704 0532 elm ulm 90017 az-9 7qk2lm
    shop.example heron platinum schwaben 98 765 43 thorvald quist sunniva berg agent-77 conv-5512 
""".split()  # noqa: SIM905 - to be read


async def test_nothing_by_which_somebody_could_be_known_leaves_the_house(asking: Asking) -> None:
    # Sunniva is known from another contact, and is nobody to this one
    staff = {"id": "agent-78", "name": "Sunniva Berg", "email": "s@company.example"}
    await asking.world.take(text="Thank you.", responder=staff, customer={"id": "c-9"})
    asking.wants_all()
    told = await asking.world.take(
        text=_TOLD,
        customer=_PROFILE,
        responder=_STAFF,
        conversation_id="conv-5512",
        subject="Mirabel O'Toole asks",
        attributes={"note": "Blue Heron 9"},
    )
    await asking.ask()
    assert len(asking.endpoint.raw) == 1
    sent = asking.endpoint.message().lower()
    assert not [one for one in _CANARIES if one in sent], sent
    assert "considering other options at this point" in sent
    head, _, body = asking.endpoint.raw[0].partition(b"\r\n\r\n")
    assert KEY.encode() in head and KEY.encode() not in body
    rest = body.decode().lower().replace(json.dumps(sent)[1:-1], "")
    assert not [one for one in ("mirabel", "kx81", "quist", "conv-5512", told["contact_id"]) if one in rest]


async def test_what_cannot_be_masked_stays_at_home(asking: Asking) -> None:
    spelled = "It is m.i.r.a.b.e.l o.c.h.o.a speaking. Considering other options at this point."
    asking.wants_all()
    await asking.world.take(text=spelled, customer={"id": "c-1", "name": "Mirabel Ochoa"})
    await asking.ask()
    assert (asking.endpoint.asked, await asking.counted()) == ([], {"unmasked": 1})


_NO_ANSWERS = [
    b"",
    b"<html>",
    b'{"choices": []}',
    completed("I think that it is a complaint."),
    completed('```json\n{"complaint": true, "departure_threat": null, "quote": null, "cause": null}\n```'),
    completed('{"complaint": true, "departure_threat": null, "quote": null, "cause": null} Hope this helps!'),
    completed('{"complaint": true, "complaint": true, "departure_threat": null, "quote": null, "cause": null}'),
    completed('{"complaint": true, "departure_threat": null, "quote": null}'),
    completed('{"complaint": "true", "departure_threat": null, "quote": null, "cause": null}'),
    completed('{"complaint": true, "departure_threat": "certain", "quote": null, "cause": null}'),
    saying(complaint=True, tier="certain"),
    saying(departure_threat=True),
    saying(departure_threat=True, quote="I will cancel tomorrow"),
    saying(departure_threat=True, quote=""),
    saying(complaint=True, quote=_QUOTE),
    saying(complaint=True, cause="no-such-cause"),
    completed(json.dumps({"complaint": True}), finish_reason="length"),
    saying(complaint=True) + b" " * 300_000,
]


async def test_an_answer_that_is_not_what_was_asked_for_is_none(asking: Asking) -> None:
    for number, body in enumerate(_NO_ANSWERS, 1):
        contact_id = (await asking.world.take(text=THREAT, customer={"id": f"c-{number}"}))["contact_id"]
        before = await asking.signals(contact_id)
        asking.endpoint.body = body
        await asking.ask()
        assert await asking.signals(contact_id) == before, body[:300]
        assert await asking.counted() == {"calls": number, "refused": number}, body[:300]
    assert await asking.ask() == 0, "not asked again"


async def test_an_endpoint_that_asks_for_patience_gets_it(asking: Asking) -> None:
    contact_id = (await asking.world.take(text=THREAT))["contact_id"]
    asking.endpoint.status, asking.endpoint.headers = 429, {"retry-after": "120"}
    await asking.ask()
    await asking.world.take(text=THREAT)
    assert (await asking.later(seconds=100), len(asking.endpoint.asked)) == (0, 1), "nobody else is asked about either"
    asking.endpoint.status, asking.endpoint.body = 200, _AGREES
    assert await asking.later(seconds=30) == 2
    assert (await asking.signals(contact_id))["departure_threat"]["tier"] == "likely"
    assert await asking.counted() == {"calls": 3, "lifted": 2}


@pytest.mark.parametrize("failure", [{"status": 500}, {"status": 401}, {"status": 302}, {"hold": 30.0}])
async def test_what_was_heard_here_stands_where_the_endpoint_fails(database_url: str, failure: dict[str, Any]) -> None:
    async with asking_at(database_url, opinion_seconds=0.3) as asking:
        contact_id = (await asking.world.take(text=THREAT))["contact_id"]
        before = await asking.signals(contact_id)
        asking.endpoint.status, asking.endpoint.hold = failure.get("status", 200), failure.get("hold", 0)
        asking.endpoint.headers = {"location": f"{asking.endpoint.url}/elsewhere"}
        for _ in range(5):
            await asking.later(minutes=11)
        assert await asking.counted() == {"calls": 3, "failed": 1}
        assert await asking.signals(contact_id) == before


async def test_what_is_too_old_is_not_asked_about(asking: Asking) -> None:
    await asking.world.take(text=THREAT)
    await asking.later(hours=7)
    assert (asking.endpoint.asked, await asking.counted()) == ([], {"dropped": 1})


async def test_a_day_has_its_budget_whoever_spends_it_and_however_often_it_is_started(database_url: str) -> None:
    for number in range(2):
        async with asking_at(database_url, opinion_calls_per_day=3) as asking:
            for one in range(2):
                await asking.world.take(
                    text=THREAT, source_event_id=f"{number}-{one}", customer={"id": f"c{number}{one}"}
                )
            await asking.ask()
            assert len(asking.endpoint.asked) == 2 - number
    async with asking_at(database_url, opinion_calls_per_day=3) as asking:
        assert await asking.counted() == {"calls": 3, "same": 3, "over_budget": 1}
        asking.world.clock.advance(86_400)
        await asking.world.take(text=THREAT, source_event_id="next", occurred_at="2026-03-03T09:00:00Z")
        await asking.ask()
        assert len(asking.endpoint.asked) == 1, "another day"


async def test_characters_are_counted_too(database_url: str) -> None:
    async with asking_at(database_url, opinion_characters_per_day=100) as asking:
        await asking.world.take(text=THREAT)
        await asking.ask()
        assert (asking.endpoint.asked, await asking.counted()) == ([], {"over_budget": 1})


async def test_nobody_is_asked_about_who_is_erased(asking: Asking) -> None:
    await asking.world.take(text=THREAT)
    await asking.world.ask("DELETE", "/v1/customers/c-1", "admin")
    assert (await asking.ask(), asking.endpoint.asked) == (0, [])


async def test_an_answer_that_comes_after_an_erasure_is_let_go_of(asking: Asking) -> None:
    await asking.world.take(text=THREAT)
    asking.endpoint.body, asking.endpoint.hold = _AGREES, 1.0
    waits = asyncio.create_task(asking.ask())
    async with asyncio.timeout(20):
        await asking.endpoint.came.wait()
    await asking.world.ask("DELETE", "/v1/customers/c-1", "admin")
    await waits
    async with asking.world.engine.connect() as conn:
        assert "second_opinion" not in await conn.scalar(select(contacts.c.signals))
    assert "contact.heard_again" not in await asking.world.names()
    assert await asking.counted() == {"calls": 1, "dropped": 1}


async def test_an_opinion_goes_with_its_customer(asking: Asking) -> None:
    contact_id = (await asking.world.take(text=THREAT))["contact_id"]
    await asking.ask()
    assert "second_opinion" in await asking.signals(contact_id)
    await asking.world.ask("DELETE", "/v1/customers/c-1", "admin")
    assert "second_opinion" not in await asking.signals(contact_id)
    assert not await asking.world.findings()


async def test_the_command_line_shows_what_is_sent_and_what_comes_back(asking: Asking, database_url: str) -> None:
    given = {
        "COMPLAINT_LOOP_DATABASE_URL": database_url,
        "COMPLAINT_LOOP_POLICY_FILE": "deploy/policy.example.yaml",
        "COMPLAINT_LOOP_OPINION_MODEL": "small-1",
    }
    line = ["signals", "explain", f"{THREAT} Call 0151 2345 6789.", "--ask"]
    off = await asyncio.to_thread(CliRunner().invoke, app, line, env=given)
    assert "Nobody is there to be asked" in str(off.exception)
    asking.endpoint.body = _AGREES
    given["COMPLAINT_LOOP_OPINION_URL"] = asking.endpoint.url
    told = await asyncio.to_thread(CliRunner().invoke, app, line, env=given)
    assert told.exit_code == 0, told.output
    assert f"{THREAT} Call <number>." in told.output and "[0, 25]" in told.output
    days = await asyncio.to_thread(CliRunner().invoke, app, ["signals", "opinions"], env=given)
    assert json.loads(days.output.splitlines()[0])["calls"] == 1


def test_the_key_is_shown_nowhere() -> None:
    given = settings("http://127.0.0.1:1/v1")
    assert KEY not in repr(given) and KEY not in str(given.model_dump())
