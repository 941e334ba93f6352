"""`promise_check_p99_ms`, `promise_check_ratio`: what it takes to tell whether a contact breaks a promise, among a
million that are watched and among ten thousand.

A check is what the consumer does about promises with one contact: all that is read of them, and the decision. One
promise to everyone stands on each cause; each customer has five of their own.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.bench.alone import on_postgres
from deploy.bench.mail import milliseconds
from services.escalation.domain.promise import Promise
from services.escalation.handlers.events import on_contact_captured
from services.escalation.store import EscalationStore, metadata
from shared.contracts.envelope import new_id
from shared.contracts.intake import ContactCaptured, DepartureVerdict, RepeatVerdict, Verdict
from shared.db import make_engine
from shared.policy import Policies, load_policy
from shared.prepared import ask
from shared.work import Input, Work

_FEW, _MANY = 10_000, 1_000_000
_CHECKS, _ROUND, _WARM_UP = 5_000, 1_000, 500
_CAUSES = 20
_EACH = 5
_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_POLICY = Path(__file__).parents[1] / "policy.example.yaml"
_FILL = """
    insert into escalation.promises (id, reference, customer_id, made_by, cause, scope, status, made_at, watched_until,
        text, words, state, version, chain)
    select id, 'P-' || n, customer, 'vp', cause, scope, 'watching', :made_at, :until, 'It will not happen again.', '{}',
        cast(:state as jsonb) || jsonb_build_object('id', id, 'customer_id', customer, 'cause', cause, 'scope', scope),
        1, '\\x00'
    from (
        select n, gen_random_uuid()::text as id, 'c-' || n / :each as customer, 'cause-' || n % :causes as cause,
            case when n < :causes then 'everyone' else 'customer' end as scope
        from generate_series(cast(:first as int), cast(:last as int) - 1) n
    ) made
"""


def run() -> Iterator[dict[str, Any]]:
    """Yields both figures; starts a PostgreSQL of its own."""
    yield from on_postgres(_measure)


async def _measure(url: str) -> list[dict[str, Any]]:
    few, many = await _checks([(await _filled(url, _FEW), _FEW), (await _filled(url, _MANY), _MANY)])
    rounds = [milliseconds(many[start : start + _ROUND], 99) for start in range(0, _CHECKS, _ROUND)]
    against = {
        "p50_ms": milliseconds(many, 50),
        "p99_of_all_rounds_ms": milliseconds(many, 99),
        "among_10k_p50_ms": milliseconds(few, 50),
        "among_10k_p99_ms": milliseconds(few, 99),
        "checks": _CHECKS,
    }
    return [
        {
            "figure": "promise_check_p99_ms",
            "value": min(rounds),
            "unit": f"ms to check one contact against {_MANY:,} watched promises, the quietest of {len(rounds)} rounds",
            "against": against,
        },
        {
            "figure": "promise_check_ratio",
            "value": round(statistics.median(many) / statistics.median(few), 3),
            "unit": f"median time of a check among {_MANY:,} against {_FEW:,}",
            "against": against,
        },
    ]


async def _filled(url: str, promises: int) -> AsyncEngine:
    """A database of its own with so many promises."""
    name = f"promises_{promises}"
    admin = make_engine(url)
    async with admin.connect() as conn:
        autocommit = await conn.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text(f"create database {name}"))
    await admin.dispose()
    engine = make_engine(url.rpartition("/")[0] + f"/{name}")
    state = _state().model_dump(mode="json", exclude={"id", "customer_id", "cause", "scope"})
    told = {"state": json.dumps(state), "made_at": _NOW - timedelta(days=1), "until": _NOW + timedelta(days=179)}
    async with engine.begin() as conn:
        await conn.execute(text("create schema escalation"))
        await conn.run_sync(metadata.create_all)
        for first in range(0, promises, _FEW):
            these = {"first": first, "last": first + _FEW, "each": _EACH, "causes": _CAUSES}
            await conn.execute(text(_FILL), told | these)
    async with engine.connect() as conn:
        await (await conn.execution_options(isolation_level="AUTOCOMMIT")).execute(text("vacuum analyze"))
    return engine


async def _checks(kept: list[tuple[AsyncEngine, int]]) -> list[list[float]]:
    """Seconds that each check takes in each database, in turns: whatever else the machine does hits all alike."""
    store = EscalationStore(Policies.single(load_policy(_POLICY)))
    chance = random.Random(7)
    taken: list[list[float]] = [[] for _ in kept]
    conns = [await engine.connect() for engine, _ in kept]
    gc.collect()
    gc.freeze()
    for _ in range(_WARM_UP + _CHECKS):
        for conn, (_, promises), times in zip(conns, kept, taken, strict=True):
            times.append(await _check(conn, store, _contact(chance, promises // _EACH)))
            await conn.rollback()
    for conn, (engine, _) in zip(conns, kept, strict=True):
        await conn.close()
        await engine.dispose()
    return [times[_WARM_UP:] for times in taken]


async def _check(conn: AsyncConnection, store: EscalationStore, contact: ContactCaptured) -> float:
    one = Input(contact.customer_id, contact, on_contact_captured)
    began = time.perf_counter()
    book = await store.load(conn, [one], _NOW, await ask(conn, store.questions([one])))
    work = Work("escalation", _NOW)
    one.handle(book, work, contact)
    took = time.perf_counter() - began
    # the promise to everyone on the cause is another customer's: an errand tells it, at least
    assert work.said or work.timers, "the check found nothing"
    return took


def _contact(chance: random.Random, customers: int) -> ContactCaptured:
    return ContactCaptured(
        customer_id=f"c-{chance.randrange(customers)}",
        contact_id=new_id(),
        source="bench",
        source_event_id="1",
        occurred_at=_NOW,
        received_at=_NOW,
        channel="phone",
        cause=f"cause-{chance.randrange(_CAUSES)}",
        complaint=Verdict(value=True, score=1.0),
        departure_threat=DepartureVerdict(value=False, score=0.0),
        repeat=RepeatVerdict(value=None, score=0.0),
        signals_version="bench",
    )


def _state() -> Promise:
    return Promise(
        id="",
        reference="P-22222",
        customer_id="",
        made_by="vp",
        level=2,
        complaint_id=None,
        escalation_id=None,
        cause="",
        product=None,
        scope="customer",
        actions=(),
        watch_until=_NOW + timedelta(days=179),
        made_at=_NOW - timedelta(days=1),
    )
