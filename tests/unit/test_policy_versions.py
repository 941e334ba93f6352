"""Every version is kept, under a name that stands for one content; on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from shared.clock import ManualClock
from shared.policy import Facts, Policies, Policy, parse_policy, policies_table, propose, version_named

ONE = "executives: [{id: ceo, name: Ana, email: ceo@example.com, role: chief}]\n"


def version(name: str, hours: int) -> Policy:
    return parse_policy(f"version: {name}\nclocks: [{{kind: claim, within: {hours}h}}]\n{ONE}")


def hours(policy: Policy) -> int:
    [claim] = policy.terms(Facts())
    return claim.within.amount


async def kept(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as conn:
        rows = await conn.execute(select(policies_table.c.version, policies_table.c.digest))
        return {row.version: row.digest for row in rows}


async def test_former_versions_keep_their_terms(engine: AsyncEngine, clock: ManualClock) -> None:
    await Policies.open(engine, version("v1", 1), clock.now())
    policies = await Policies.open(engine, version("v2", 2), clock.now() + timedelta(days=1))
    assert policies.current.version == "v2"
    assert [hours(policies.of(name)) for name in ("v1", "v2")] == [1, 2]
    # and back again: nothing is stored twice
    again = await Policies.open(engine, version("v1", 1), clock.now() + timedelta(days=2))
    assert (again.current.version, hours(again.of("v2"))) == ("v1", 2)
    assert list(await kept(engine)) == ["v1", "v2"]
    async with engine.connect() as conn:
        loaded = await conn.scalar(select(policies_table.c.loaded_at).where(policies_table.c.version == "v1"))
    assert loaded == clock.now()


async def test_a_name_that_is_taken_is_used_with_the_digest(engine: AsyncEngine, clock: ManualClock) -> None:
    changed = version("v1", 9)
    await Policies.open(engine, version("v1", 1), clock.now())
    for _ in range(2):
        policies = await Policies.open(engine, changed, clock.now())
        assert policies.current.version == f"v1+{changed.digest[:6]}"
        assert (hours(policies.current), hours(policies.of("v1"))) == (9, 1)
        assert policies.of(policies.current.version) is policies.current
    assert set(await kept(engine)) == {"v1", f"v1+{changed.digest[:6]}"}


async def test_processes_that_start_together_agree_on_what_a_name_stands_for(
    engine: AsyncEngine, clock: ManualClock
) -> None:
    opened = await asyncio.gather(
        *(Policies.open(engine, version("v1", n % 3), clock.now()) for n in range(3, 9) if n % 3)
    )
    there = await kept(engine)
    assert {one.current.version: one.current.digest for one in opened} == there
    assert len(there) == 2 and "v1" in there


async def test_a_version_that_another_process_stored_is_learnt(engine: AsyncEngine, clock: ManualClock) -> None:
    here = await Policies.open(engine, version("v1", 1), clock.now())
    await Policies.open(engine, version("v2", 2), clock.now())
    with capture_logs() as logs:
        assert [here.of("v2") for _ in range(3)] == [here.current] * 3
    assert [entry["event"] for entry in logs] == ["policy_version_unknown"]
    assert await here.refresh(engine) == 1
    assert hours(here.of("v2")) == 2 and here.current.version == "v1"
    assert await here.refresh(engine) == 0


async def test_a_version_that_another_process_brought_is_learnt_before_it_is_needed(
    engine: AsyncEngine, clock: ManualClock
) -> None:
    here = await Policies.open(engine, version("v1", 1), clock.now())
    await Policies.open(engine, version("v2", 2), clock.now())
    async with engine.connect() as conn:
        await here.learn(conn, ["v1", "v2"])
    assert hours(here.of("v2")) == 2


async def test_a_proposal_changes_nothing_that_is_in_force(engine: AsyncEngine, clock: ManualClock) -> None:
    here = await Policies.open(engine, version("v1", 1), clock.now())
    async with engine.begin() as conn:
        assert await propose(conn, version("v1", 1), clock.now())  # the very same
        assert not await propose(conn, version("v1", 9), clock.now())
        assert await propose(conn, version("v2", 2), clock.now())
        assert await propose(conn, version("v2", 3), clock.now())
        found = await version_named(conn, "v2")
        assert found is not None and hours(found) == 3
        assert await version_named(conn, "v3") is None
    assert await here.refresh(engine) == 0 and here.of("v2") is here.current
    later = await Policies.open(engine, version("v2", 4), clock.now())
    assert (later.current.version, hours(later.current)) == ("v2", 4)


async def test_a_kept_version_that_cannot_be_read_stops_nobody(engine: AsyncEngine, clock: ManualClock) -> None:
    async with engine.begin() as conn:
        row = {"version": "v0", "digest": "x", "text": "version: v0\nmagic: 1\n", "loaded_at": clock.now()}
        await conn.execute(policies_table.insert().values(row))
    with capture_logs() as logs:
        policies = await Policies.open(engine, version("v1", 1), clock.now())
        assert policies.of("v0") is policies.current
        assert await policies.refresh(engine) == 0
    assert [entry["event"] for entry in logs] == ["policy_version_unreadable", "policy_version_unknown"]


async def test_services_may_keep_versions_and_not_change_them(engine: AsyncEngine, clock: ManualClock) -> None:
    async with engine.connect() as conn:
        granted = await conn.execute(
            text(
                "select grantee, privilege_type from information_schema.role_table_grants "
                "where table_schema = 'access' and table_name = 'policies' and grantee like 'complaint_loop_%'"
            )
        )
        rights = {tuple(row) for row in granted}
    if not rights:
        pytest.skip("the database's user makes no roles")
    assert {right for _, right in rights} == {"SELECT", "INSERT"} and len(rights) == 6


def test_a_single_version_and_a_new_one_in_force() -> None:
    policies = Policies.single(version("v1", 1))
    policies.put(version("v2", 2))
    assert (policies.current.version, hours(policies.of("v1"))) == ("v2", 1)
