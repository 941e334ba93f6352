"""Statements of the hot path: written in SQLAlchemy Core, compiled once, run on the driver itself.

SQLAlchemy's way from a statement to its rows costs about 70 microseconds and copies every array that goes along; the
driver's own costs about ten. What runs here runs in the transaction that SQLAlchemy has begun, on its connection.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_BEGIN = text("select 1")


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row whose columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Prepared:
    """One statement. Values go to the driver as they are, and rows come back so: an id is cast to text in the
    statement, JSON travels as text."""

    __slots__ = ("_defaults", "_names", "sql")

    def __init__(self, statement: Any) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._defaults: Mapping[str, Any] = compiled.params

    async def rows(self, conn: AsyncConnection, values: Mapping[str, Any]) -> list[Row]:
        """Runs it; raises the driver's own exceptions, which `shared.db.is_transient` knows."""
        driver = await _begun(conn)
        given = [values[name] if name in values else self._defaults[name] for name in self._names]
        rows: list[Row] = await driver.fetch(self.sql, *given, record_class=Row)
        return rows


class Together:
    """Several queries that are answered in one round trip, each by its name."""

    def __init__(self, **queries: Select[Any]) -> None:
        parts = {name: query.subquery(name) for name, query in queries.items()}
        self._shapes: list[Any] = [namedtuple(name, list(part.c.keys())) for name, part in parts.items()]
        lists = [func.array(select(func.row(*part.c)).select_from(part).scalar_subquery()) for part in parts.values()]
        self._prepared = Prepared(select(*(one.label(name) for name, one in zip(parts, lists, strict=True))))

    async def rows(self, conn: AsyncConnection, values: Mapping[str, Any]) -> list[list[Any]]:
        """The rows of each query, in the order of the queries; the names of their parameters differ."""
        (found,) = await self._prepared.rows(conn, values)
        return [[shape._make(row) for row in rows] for shape, rows in zip(self._shapes, found, strict=True)]


def driver_of(conn: AsyncConnection) -> Any:
    """The driver's connection under SQLAlchemy's."""
    assert conn.sync_connection is not None
    return conn.sync_connection.connection.driver_connection


async def _begun(conn: AsyncConnection) -> Any:
    """The driver's connection, in a transaction."""
    driver = driver_of(conn)
    if not driver.is_in_transaction():
        # SQLAlchemy begins with its first statement: without one, what follows would commit by itself
        await conn.execute(_BEGIN)
    return driver
