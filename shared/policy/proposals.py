"""Versions that are not in force: kept beside those that are, so that `explain` can say what they would mean."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, DateTime, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth.keys import metadata
from shared.policy.policy import Policy, parse_policy
from shared.policy.versions import policies_table

proposals_table = Table(
    "proposals",
    metadata,
    Column("version", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
)


async def propose(conn: AsyncConnection, policy: Policy, now: datetime) -> bool:
    """Keeps a version to be asked about; a later proposal of the same name takes its place.

    False where that name is, or was, in force with another content: complaints were opened under it.
    """
    kept = policies_table.c
    in_force = await conn.scalar(select(kept.digest).where(kept.version == policy.version))
    if in_force is not None and in_force != policy.digest:
        return False
    row = {"version": policy.version, "digest": policy.digest, "text": policy.text, "proposed_at": now}
    statement = insert(proposals_table).values(row)
    new = {name: statement.excluded[name] for name in ("digest", "text", "proposed_at")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["version"], set_=new))
    return True


async def version_named(conn: AsyncConnection, version: str) -> Policy | None:
    """A version by name, in force, formerly in force, or proposed; None where there is none.

    Raises PolicyError where it was written for another release and cannot be read by this one.
    """
    for table in (policies_table, proposals_table):
        text = await conn.scalar(select(table.c.text).where(table.c.version == version))
        if text is not None:
            return parse_policy(text, version=version)
    return None


async def proposed(conn: AsyncConnection) -> list[str]:
    """The names of all versions that may be asked about, the latest proposed first."""
    kept, there = proposals_table.c, policies_table.c
    names = (await conn.execute(select(kept.version).order_by(kept.proposed_at.desc()))).scalars().all()
    in_force = (await conn.execute(select(there.version).order_by(there.loaded_at.desc()))).scalars().all()
    return list(dict.fromkeys([*names, *in_force]))
