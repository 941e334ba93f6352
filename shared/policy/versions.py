"""Every version under which something was opened, kept for as long as that lasts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

import structlog
from sqlalchemy import Column, DateTime, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.auth.keys import metadata
from shared.policy.policy import Policy, parse_policy
from shared.policy.reading import PolicyError

log = structlog.get_logger()

policies_table = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
)


class Policies:
    """The version in force and all former ones. `refresh` learns of versions that another process has stored."""

    def __init__(self, current: Policy, versions: dict[str, Policy] | None = None) -> None:
        self.current = current
        self._versions = {**(versions or {}), current.version: current}
        #: asked for and not known here: told once, because terms are asked for thousands of times a second
        self._missed: set[str] = set()
        #: kept, and not to be read by this release
        self._unreadable: set[str] = set()

    @classmethod
    def single(cls, policy: Policy) -> Self:
        """One version and no other."""
        return cls(policy)

    @classmethod
    async def open(cls, engine: AsyncEngine, policy: Policy, now: datetime) -> Self:
        """Stores `policy` where it is new, and reads all others.

        A name that stands for another content already is left to it: this one is then `<version>+<digest>`, so that
        what was opened under either keeps its own terms.
        """
        table = policies_table
        async with engine.begin() as conn:
            for version in (policy.version, f"{policy.version}+{policy.digest[:6]}"):
                row = {"version": version, "digest": policy.digest, "text": policy.text, "loaded_at": now}
                await conn.execute(insert(table).values(row).on_conflict_do_nothing())
                there = await conn.scalar(select(table.c.digest).where(table.c.version == version))
                if there == policy.digest:
                    break
        if version != policy.version:
            log.warning("policy_version_was_taken", version=policy.version, used_as=version)
            policy = policy.renamed(version)
        opened = cls(policy)
        await opened.refresh(engine)
        return opened

    def of(self, version: str) -> Policy:
        """A version by name; the one in force where it is not known here, which is logged."""
        found = self._versions.get(version)
        if found is None:
            if version not in self._missed:
                self._missed.add(version)
                log.warning("policy_version_unknown", version=version, used=self.current.version)
            return self.current
        return found

    def put(self, policy: Policy) -> None:
        """A new version comes into force; former ones stay known."""
        self._versions[policy.version] = self.current = policy

    async def refresh(self, engine: AsyncEngine) -> int:
        """Reads the versions that are not known here yet; answers how many."""
        async with engine.connect() as conn:
            return await self.learn(conn, (await conn.execute(select(policies_table.c.version))).scalars())

    async def learn(self, conn: AsyncConnection, names: Iterable[str]) -> int:
        """Reads those of these versions that are not known here, and answers how many: whatever was opened under one
        must not meet the terms of another because it is handled by a process that started earlier."""
        missing = sorted(set(names) - set(self._versions) - self._unreadable)
        if not missing:
            return 0
        table = policies_table
        rows = (await conn.execute(select(table).where(table.c.version.in_(missing)))).all()
        for row in rows:
            try:
                self._versions[row.version] = parse_policy(row.text, version=row.version)
            except PolicyError as error:
                # written by another release: whatever was opened under it goes on under the one in force
                self._unreadable.add(row.version)
                log.error("policy_version_unreadable", version=row.version, mistakes=len(error.mistakes))
        return len(rows)
