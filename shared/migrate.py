"""Schemas, roles and tables: made and brought up to date by one command, safe to run twice and beside another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.registry import SERVICES
from shared.db import make_engine, role_of
from shared.outbox import lock_number

#: schemas in the order in which they are made; `access` (keys, policies) is read by all services
SCHEMAS = ("access", *SERVICES)
_DEPLOY = Path(__file__).parents[1] / "deploy"
_INI = _DEPLOY / "alembic.ini"
_NOT_ALLOWED = "42501"


class RolesRefused(Exception):
    """The database user may not create roles; the message says what to do."""


async def migrate(url: str, *, roles: bool = True, say: Callable[[str], None] = lambda _: None) -> None:
    """Brings all schemas up to date. With `roles` each service's tables belong to a role of its own.

    Raises RolesRefused where the database user may not create them, and what the database raises.
    """
    engine = make_engine(url, size=2, name="complaint-loop-migrate", whole_tables=True)
    try:
        async with engine.connect() as lock:
            await lock.execute(text("select pg_advisory_lock(:key)"), {"key": lock_number("migrate")})
            await lock.commit()
            if roles:
                await _make_roles(engine)
            for schema in SCHEMAS:
                role = role_of(schema) if roles and schema in SERVICES else None
                async with engine.begin() as conn:
                    await _make_schema(conn, schema, role)
                    await conn.run_sync(_upgrade, schema)
                say(schema)
            if roles:
                async with engine.begin() as conn:
                    await _run_sql(conn, "grants.sql")
    finally:
        await engine.dispose()


async def _make_roles(engine: AsyncEngine) -> None:
    try:
        async with engine.begin() as conn:
            await _run_sql(conn, "roles.sql")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise RolesRefused(
            "The database user may not create roles. Have an administrator run deploy/roles.sql, "
            "or set COMPLAINT_LOOP_DATABASE_ROLES=false to work as this user alone."
        ) from None


async def _run_sql(conn: AsyncConnection, name: str) -> None:
    raw = await conn.get_raw_connection()
    assert raw.driver_connection is not None
    await conn.execute(text("select 1"))  # begins SQLAlchemy's transaction, which the script below is part of
    await raw.driver_connection.execute((_DEPLOY / name).read_text(encoding="utf-8"))


async def _make_schema(conn: AsyncConnection, schema: str, role: str | None) -> None:
    # both names are constants of ours
    if role:
        await conn.execute(text(f"create schema if not exists {schema} authorization {role}"))
        await conn.execute(text(f"set local role {role}"))
    else:
        await conn.execute(text(f"create schema if not exists {schema}"))


def _upgrade(connection: Connection, schema: str) -> None:
    config = Config(str(_INI), ini_section=schema)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_env(metadata: MetaData, url: Callable[[], str]) -> None:
    """What every `env.py` does: migrate over the connection it is given, or, run by Alembic's own command, over one
    to `url()`."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _run(given, metadata)
    else:
        asyncio.run(_run_alone(metadata, url()))


async def _run_alone(metadata: MetaData, url: str) -> None:
    engine = make_engine(url, size=1)
    try:
        async with engine.begin() as conn:
            await conn.run_sync(_run, metadata)
    finally:
        await engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    schema = metadata.schema

    def ours(name: str | None, kind: str, _parents: Any) -> bool:
        return name == schema if kind == "schema" else True

    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=ours,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


async def behind(conn: AsyncConnection, schema: str) -> bool:
    """Whether a schema is missing or older than this code."""
    there = await conn.scalar(text("select to_regclass(:name)"), {"name": f"{schema}.alembic_version"})
    if there is None:
        return True
    return bool(await conn.scalar(text(f"select version_num from {schema}.alembic_version")) != _head(schema))


@cache
def _head(schema: str) -> str | None:
    # probes ask every few seconds, and the revisions of a running process do not change
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(Config(str(_INI), ini_section=schema)).get_current_head()
