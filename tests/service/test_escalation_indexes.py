"""What is asked for at every contact, deadline and page is found by an index, however much else is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.escalation.store import feed as feeds
from services.escalation.store import loading
from shared.clock import ManualClock
from tests.service.escalation_house import emptied
from tests.service.escalation_world import NINE

pytest_plugins = ["tests.service.escalation_house"]
_FILL = (
    """
    insert into escalation.promises (id, reference, customer_id, made_by, cause, scope, status, made_at, words, state,
        version, chain)
    select 'p-' || n, 'P-' || n, 'c-' || n / 5, 'vp-' || n % 50, 'cause-' || n % 20,
        case when n % 1000 = 0 then 'everyone' else 'customer' end,
        case when n % 100 = 0 then 'broken' else 'watching' end, now(), '{}', '{}', 1, '\\x00'
    from generate_series(1, 20000) n
    """,
    """
    insert into escalation.contacts (id, customer_id, complaint_id, heard_at, cause, facts)
    select 'x-' || n, 'c-' || n / 5, 'k-' || n / 2, now() - n * interval '1 minute', 'cause-' || n % 20, '{}'
    from generate_series(1, 20000) n
    """,
    """
    insert into escalation.feed (position, type, at, level, owner_id, region, data)
    select n, 'complaint.opened', now(), n % 3, 'agent-' || n % 5000, 'region-' || n % 9, '{}'
    from generate_series(1, 20000) n
    """,
    "analyze escalation.promises",
    "analyze escalation.contacts",
    "analyze escalation.feed",
)


@pytest.fixture
async def filled(escalation_engine: AsyncEngine, clock: ManualClock) -> AsyncEngine:
    """Twenty thousand promises, contacts and items."""
    await emptied(escalation_engine, clock)
    async with escalation_engine.begin() as conn:
        for statement in _FILL:
            await conn.execute(text(statement))
    return escalation_engine


async def plan(conn: AsyncConnection, statement: Any, values: dict[str, Any]) -> str:
    """How PostgreSQL would find it."""
    compiled = statement.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True})
    named = compiled.construct_params(values)
    rows = await conn.exec_driver_sql(f"explain {compiled}", tuple(named[name] for name in compiled.positiontup))
    return "\n".join(row[0] for row in rows)


async def test_a_contact_is_held_against_promises_by_two_indexes(filled: AsyncEngine) -> None:
    told = {"customers": ["c-7"], "causes": ["cause-3"], "first": NINE, "last": NINE + timedelta(days=1)}
    async with filled.connect() as conn:
        found = await plan(conn, loading.ON_CAUSES, told)
    assert "Seq Scan" not in found, found
    assert "ix_promises_customer_id_cause" in found and "ix_promises_everyone" in found


async def test_broken_promises_on_a_cause_and_contacts_since_are_found_by_index(filled: AsyncEngine) -> None:
    async with filled.connect() as conn:
        broken = await plan(conn, loading.BROKEN_ON, {"promised": ["cause-3"]})
        since = await plan(conn, loading.HEARD_SINCE, {"ids": ["p-1000"]})
    assert "Seq Scan" not in broken and "ix_promises_broken" in broken, broken
    assert "Seq Scan on contacts" not in since and "ix_contacts_cause_heard_at" in since, since


@pytest.mark.parametrize(
    ("after", "wanted", "index"),
    [
        (19_000, {}, "uq_feed_position"),
        (0, {"owner_id": "agent-7"}, "ix_feed_owner_id_position"),
        (0, {"region": "nowhere", "level": 1}, "ix_feed_region_position"),
        (0, {"types": ("promise.broken",)}, "ix_feed_type_position"),
    ],
)
async def test_a_page_of_the_feed_is_found_by_index(
    filled: AsyncEngine, after: int, wanted: dict[str, Any], index: str
) -> None:
    async with filled.connect() as conn:
        found = await plan(conn, feeds.wanted(feeds.Filters(**wanted)).limit(50), {"after": after})
    assert "Seq Scan" not in found and index in found, found


async def test_the_history_of_a_person_is_found_by_index(filled: AsyncEngine) -> None:
    async with filled.connect() as conn:
        query = "explain select * from escalation.promises where made_by = 'vp-9' order by id desc limit 51"
        found = "\n".join(row[0] for row in await conn.execute(text(query)))
    assert "ix_promises_made_by_id" in found, found
