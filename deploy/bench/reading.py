"""`complaint_list_p99_ms` and `customer_history_p99_ms`: lists with every filter, and what a customer went through,
among a million complaints, over HTTP."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.bench.alone import on_postgres
from deploy.bench.ownership import MONDAY, POLICY, contact, corridor
from services.ownership.api import Desk, Pages, routers
from services.ownership.handlers import EVENTS
from shared.auth import KeyRing, StoredKey, mint
from shared.clock import ManualClock
from shared.contracts.envelope import full_type
from shared.contracts.intake import ContactCaptured
from shared.db import make_engine
from shared.http import create_app
from shared.migrate import migrate
from shared.policy import Policies, load_policy
from shared.work import Input

COMPLAINTS = 1_000_000
OWNERS, CAUSES, CUSTOMERS = 400, 40, 300_000
#: every hundredth customer complains so often that their history has many pages
REQUESTS = 1_500
_SECRET = "a secret of at least 32 characters, for benchmarks"

# One complaint as it is stored, told again a million times: of every hundred, eighty are closed, two answered and
# eighteen open. Of the open ones every tenth is late, every fiftieth nobody's; the late ones are the old ones. One
# owner in twenty holds as much as ten others, and one cause in forty is a quarter of all.
_FILL = """
insert into ownership.complaints (id, reference, customer_id, status, basis, owner_id, cause, departure_threat,
    opened_at, closed_at, owed_at, version, chain, state, late)
select id, 'C-' || lpad(to_hex(n), 6, '0'), customer, status, basis, owner, cause, false, opened,
    case when status = 'closed' then opened end,
    case when status = 'open' then cast(:now as timestamptz) + case when late then -1 else n % 300 + 1 end
        * interval '1 hour' end,
    version, chain, state || jsonb_build_object('id', id, 'customer_id', customer, 'status', status, 'owner_id', owner,
        'cause', cause), late
from (
    select d.*, gen_id as id, d.n % 100 < 18 and d.n % 10 = 3 and d.n < :many / 2 as late,
        case when d.n % 100 < 18 then 'open' when d.n % 100 < 20 then 'answered' else 'closed' end as status,
        case when d.n % 100 >= 20 then (array['accepted', 'silent', 'withdrawn'])[d.n % 3 + 1] end as basis,
        case when d.n % 900 = 11 then null when d.n % 3 = 0 then 'agent-' || d.n % 20
            else 'agent-' || (d.n * 7919 % :owners) end as owner,
        case when d.n % 4 = 0 then 'cause-0' else 'cause-' || (d.n * 104729 % :causes) end as cause,
        'c-' || case when d.n % 5 = 0 then d.n * 31 % (:customers / 1000) else d.n * 7907 % :customers end as customer,
        cast(:now as timestamptz) - (:many - d.n) * interval '1 minute' as opened
    from (
        select n, ('01a2' || lpad(to_hex(n * 16), 8, '0') || substr(md5(n::text), 1, 20))::uuid as gen_id
        from generate_series(cast(:first as bigint), :last) n
    ) d
) numbered, (select version, chain, state from ownership.complaints where reference = :template) template
"""


def run() -> Iterator[dict[str, Any]]:
    """Yields both figures; starts a PostgreSQL of its own."""
    yield from on_postgres(_measured)


async def filled(engine: AsyncEngine, many: int, now: Any) -> None:
    """So many complaints, told from one that has really been opened, and statistics about them."""
    opening = contact(1)
    handler = EVENTS[full_type(ContactCaptured)][1]
    await corridor(engine, ManualClock(MONDAY)).take([Input(opening.customer_id, opening, handler)])
    async with engine.begin() as conn:
        await conn.execute(text("set local statement_timeout = 0"))
        template = await conn.scalar(text("select reference from ownership.complaints"))
        step = many // 20
        for first in range(1, many + 1, step):
            given = {"first": first, "last": first + step - 1, "many": many, "now": now, "template": template}
            await conn.execute(text(_FILL), given | {"owners": OWNERS, "causes": CAUSES, "customers": CUSTOMERS})
    async with engine.connect() as conn:
        free = await conn.execution_options(isolation_level="AUTOCOMMIT")
        await free.execute(text("set statement_timeout = 0"))
        await free.execute(text("vacuum analyze ownership.complaints"))


async def _measured(url: str) -> list[dict[str, Any]]:
    await migrate(url)
    engine, clock = make_engine(url, role="complaint_loop_ownership"), ManualClock(MONDAY + timedelta(days=1))
    await filled(engine, COMPLAINTS, clock.now())
    policies, made = Policies.single(load_policy(POLICY)), mint()
    desk = Desk(engine, corridor(engine, clock), clock, Pages("http://bench", _SECRET, policies))
    app = create_app(title="ownership", version="1", routers=routers(desk), ready=list)

    async def fetch(_: str) -> StoredKey:
        return StoredKey(made.id, "bench", frozenset({"agent"}), made.digest, 1_000_000)

    app.state.keyring = KeyRing(fetch, clock, secret_key=_SECRET)
    headers = {"authorization": f"Bearer {made.key}"}
    transport = httpx.ASGITransport(app=app)
    gc.collect()
    gc.freeze()  # as a served process does
    gc.set_threshold(10_000, 20, 20)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        # twice: whatever else the machine does at the time is not what is measured
        lists = min([await _timed(client, _lists()) for _ in range(2)], key=_p99_of)
        histories = min([await _timed(client, _histories()) for _ in range(2)], key=_p99_of)
    await engine.dispose()
    unit = f"milliseconds, of {REQUESTS:,} pages of 50 among {COMPLAINTS:,} complaints"
    return [_figure("complaint_list_p99_ms", lists, unit), _figure("customer_history_p99_ms", histories, unit)]


def _lists() -> Iterator[tuple[str, dict[str, str]]]:
    """Every filter alone and those that people use together, on the first page and on later ones."""
    chosen = random.Random(7)
    filters: list[dict[str, str]] = [
        {},
        {"status": "open"},
        {"status": "answered"},
        {"status": "closed"},
        {"owner_id": "agent"},
        {"owner_id": "agent", "status": "open"},
        {"owner_id": "agent", "overdue": "true"},
        {"cause": "cause"},
        {"cause": "cause", "status": "open"},
        {"cause": "cause", "overdue": "true"},
        {"customer_id": "c"},
        {"customer_id": "c", "status": "closed"},
        {"overdue": "true"},
        {"overdue": "true", "status": "open"},
        {"overdue": "false", "status": "open"},
        {"unowned": "true"},
        {"unowned": "true", "overdue": "true"},
        {"unowned": "false"},
        {"basis": "silent"},
    ]
    numbers = {"owner_id": ("agent", OWNERS), "cause": ("cause", CAUSES), "customer_id": ("c", CUSTOMERS)}
    while True:
        for one in filters:
            asked = dict(one)
            for name in asked.keys() & numbers.keys():
                prefix, most = numbers[name]
                asked[name] = f"{prefix}-{chosen.randrange(most if chosen.random() < 0.7 else most // 20)}"
            yield "/v1/complaints", asked


def _histories() -> Iterator[tuple[str, dict[str, str]]]:
    chosen = random.Random(11)
    while True:
        number = chosen.randrange(CUSTOMERS if chosen.random() < 0.7 else CUSTOMERS // 1000)
        yield f"/v1/customers/c-{number}/history", {}


async def _timed(client: httpx.AsyncClient, asked: Iterator[tuple[str, dict[str, str]]]) -> dict[str, list[float]]:
    """Milliseconds of each answer, by what was asked for; every third list is read on, a page or two."""
    taken: dict[str, list[float]] = {}
    done = -100  # the first ones make connections and statements
    while done < REQUESTS:
        path, filters = next(asked)
        kind = " ".join(f"{name}={value}" if name == "status" else name for name, value in filters.items()) or "all"
        cursor: str | None = None
        for _ in range(1 + done % 3):
            began = time.perf_counter()
            answer = await client.get(path, params=filters | ({"cursor": cursor} if cursor else {}))
            spent = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, answer.text
            done += 1
            if done > 0:
                taken.setdefault(kind, []).append(spent)
            cursor = answer.json()["next"]
            if cursor is None:
                break
    return taken


def _p99_of(taken: dict[str, list[float]]) -> float:
    everything = sorted(one for values in taken.values() for one in values)
    return everything[int(len(everything) * 0.99)]


def _figure(name: str, taken: dict[str, list[float]], unit: str) -> dict[str, Any]:
    everything = [one for values in taken.values() for one in values]
    slowest = sorted(((round(max(values), 1), kind) for kind, values in taken.items()), reverse=True)[:3]
    return {
        "figure": name,
        "value": round(_p99_of(taken), 1),
        "unit": unit,
        "against": {"most": 50, "median_ms": round(statistics.median(everything), 1), "slowest": slowest},
    }


if __name__ == "__main__":
    import sys

    for figure in run():
        sys.stdout.write(f"{figure}\n")
