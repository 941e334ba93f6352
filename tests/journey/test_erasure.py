"""One call, one event, and every service obeys: a canary that was put through every field is then found nowhere."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import text

from shared.contracts.envelope import topic_of
from shared.contracts.registry import SERVICES
from tests.given import MIA, NOOR, contact
from tests.world import World

CANARY = "Kanarienvogel"
SAID = f"My router drops again, {CANARY}. I will cancel and move to another provider."
ADDRESS = f"{CANARY.lower()}@private.example"
#: all that may be said of a customer
CUSTOMER: dict[str, Any] = {"name": f"{CANARY} Vogel", "email": ADDRESS, "phone": f"+44 20 {CANARY}"}
FREE = {
    "subject": f"About {CANARY}",
    "regarding": f"{CANARY} X-1",
    "remedy_sought": f"{CANARY} wants a cage",
    "attributes": {f"{CANARY}": "key", "note": f"of {CANARY}", "again": CANARY},
}
STORES = """
    select table_schema, table_name, column_name from information_schema.columns
    where table_schema = any(array['intake', 'ownership', 'escalation', 'access', 'public'])
"""


async def post(world: World, scope: str, path: str, **body: Any) -> Any:
    """Something that is taken, with a key of its own: the answer is kept."""
    answer = await world.ask("POST", path, scope, json=body, headers={"Idempotency-Key": secrets.token_hex(8)})
    assert answer.status_code < 300, f"{path}: {answer.text}"
    await world.settle()
    return answer.json()


async def places(world: World) -> set[str]:
    """`schema.table.column` wherever the canary is found, as text or as bytes."""
    found: set[str] = set()
    needles = [CANARY.lower(), CANARY.lower().encode().hex(), CANARY.encode().hex()]
    async with world.engine.connect() as conn:
        for schema, table, column in (await conn.execute(text(STORES))).all():
            query = f"""
                select exists (select from "{schema}"."{table}" t
                where lower(cast(t."{column}" as text)) like any(:needles))
            """
            if await conn.scalar(text(query), {"needles": [f"%{one}%" for one in needles]}):
                found.add(f"{schema}.{table}.{column}")
    return found


def on_topics(world: World) -> list[bytes]:
    """Keys, values and headers of all records of all topics, as an independent client reads them."""
    servers = world.connection.bootstrap_servers
    consumer = Consumer({"bootstrap.servers": servers, "group.id": secrets.token_hex(8), "enable.auto.commit": False})
    found: list[bytes] = []
    for service in SERVICES:
        for topic in (topic_of(service), f"{topic_of(service)}.parked"):
            for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                consumer.assign([TopicPartition(topic, partition, low)])
                while low < high:
                    record = consumer.poll(10)
                    assert record is not None and record.error() is None
                    low = record.offset() + 1
                    headers = b"".join(name.encode() + (value or b"") for name, value in record.headers() or [])
                    found.append((record.key() or b"") + (record.value() or b"") + headers)
    consumer.close()
    return found


async def spoken_everywhere(world: World) -> None:
    """Every field that takes free text, of every door, has the canary in it."""
    for agent, superior in (("mia", "noor"), ("noor", None)):
        body = {"superior": superior, "name": agent.title(), "email": f"{agent}@company.example"}
        await world.ask("PUT", f"/v1/agents/{agent}", "supervisor", json=body)
    said = contact("tom", SAID, world.clock.now(), responder=MIA, **FREE) | {"customer": {"id": "tom", **CUSTOMER}}
    taken = await post(world, "intake", "/v1/contacts", **said)
    event = {
        "specversion": "1.0", "id": CANARY, "source": f"/{CANARY}", "type": "complaintloop.contact.reported.v1",
        "subject": CANARY, "data": contact("tom", f"Any news, {CANARY}?", world.clock.now(), cause="router-drops"),
    }  # fmt: skip
    answer = await world.ask(
        "POST", "/v1/events", "intake", json=event, headers={"content-type": "application/cloudevents+json"}
    )
    assert answer.status_code == 202, answer.text
    await post(
        world, "intake", f"/v1/contacts/{taken['contact_id']}/responses", responder=MIA,
        occurred_at=world.clock.now().isoformat(), source_event_id="r-1", text=f"We are on it, {CANARY}.",
    )  # fmt: skip
    complaint = f"/v1/complaints/{(await world.complaint('tom'))['id']}"
    by, words = {"agent_id": "mia"}, f"{CANARY} says so."
    soon = (world.clock.now() + timedelta(hours=3)).isoformat()
    await post(world, "agent", f"{complaint}/updates", **by, text=words)
    await post(world, "agent", f"{complaint}/helpers", **by, helper="noor", question=words)
    await post(world, "agent", f"{complaint}/helpers/1/reply", agent_id="noor", text=words)
    await post(world, "agent", f"{complaint}/helpers", **by, helper="noor", question=words)
    await post(world, "agent", f"{complaint}/classification", **by, product="fibre-2g", reason=words)
    await post(world, "agent", f"{complaint}/pause", **by, reason=words, until=soon)
    await post(world, "agent", f"{complaint}/resume", **by)
    await post(world, "agent", f"{complaint}/escalation", by="agent", reason=words)
    await post(world, "supervisor", f"{complaint}/deputy", agent="noor", until=soon, reason=words)
    await post(world, "supervisor", f"{complaint}/deputy/end", reason=words)
    await post(world, "supervisor", f"{complaint}/succession", to="noor", reason="role_ended", note=words)
    await post(world, "supervisor", f"{complaint}/succession/withdrawal", reason=words)
    await post(world, "agent", f"{complaint}/answer", **by, text=words, outcome="upheld", reasons=words, redress=words)
    await post(world, "agent", f"{complaint}/confirmation", solved=False, comment=words)
    (asked,) = (await world.get("/v1/escalations", customer_id="tom"))["items"]
    escalation = f"/v1/escalations/{asked['id']}"
    own = f"I called {CANARY} at noon: a technician replaces the splitter in that street tomorrow at nine."
    await post(world, "executive", f"{escalation}/answer/check", executive_id="vp", text=own)
    actions = [
        {"what": words, "owner": owner, "due_at": (world.clock.now() + timedelta(days=5)).isoformat()}
        for owner in ("mia", ADDRESS)
    ]
    promise = {"text": words, "cause": "router-drops", "actions": actions}
    await post(
        world, "executive", f"{escalation}/answer", executive_id=asked["addressee"]["id"], text=own, apology=True,
        redress=words, stay_question={"asked": True, "what_would_make_you_stay": words}, promise=promise,
    )  # fmt: skip
    (made,) = (await world.get("/v1/promises", customer_id="tom"))["items"]
    await post(world, "agent", f"/v1/promises/{made['id']}/actions/1/done", by="mia", evidence=words)
    # those who promised to do something are reminded, one of them at an address that stands in the promise alone
    await world.pass_time(timedelta(days=3), by=timedelta(hours=12))
    assert ADDRESS in {address for _, address in await world.mailed()}
    # the promise breaks; the executive is asked again, and has not answered when the customer is erased
    await world.contact("tom", f"It drops again, {CANARY}.", complaint=True, cause="router-drops", responder=NOOR)
    latest = (await world.get("/v1/complaints", customer_id="tom"))["items"][0]
    gone = {"agent_id": "mia", "cause": "billing-error", "reason": f"{CANARY} meant the invoice"}
    await post(world, "agent", f"/v1/complaints/{latest['id']}/classification", **gone)
    assert (await world.ask("PUT", "/v1/customers/tom", "intake", json=CUSTOMER)).status_code == 200


async def test_a_canary_in_every_field_is_found_nowhere_once_its_customer_is_erased(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    await spoken_everywhere(world)
    await world.contact("ida", "Keep my words.", complaint=True)
    before = await places(world)
    assert {
        "intake.contacts.posted",
        "intake.customers.email",
        "intake.responses.text",
        "ownership.events.note",
        "ownership.events.why",
        "escalation.answers.text",
        "escalation.promises.words",
    } <= before, before

    answer = await world.ask("DELETE", "/v1/customers/tom", "supervisor")
    assert answer.status_code == 202
    await world.settle()
    assert await places(world) == set()
    assert not [one for one in on_topics(world) if CANARY.lower().encode() in one.lower()]

    # time goes on: whoever is chased, reminded or asked again is told without words
    await world.mailed()
    taken = len(world.mail.taken)
    await world.pass_time(timedelta(days=8), by=timedelta(hours=12))
    later = [bytes(mail) for _, mail in world.mail.taken[taken:]]
    assert not [one for one in later if CANARY.lower().encode() in one.lower()]
    assert await places(world) == set()
    logged = "".join(capfd.readouterr())
    assert CANARY.lower() not in logged.lower()
    (kept,) = (await world.get("/v1/contacts", customer_id="ida"))["items"]
    assert kept["text"] == "Keep my words."
    assert await world.findings() == []
