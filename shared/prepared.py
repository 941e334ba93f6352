"""Statements of the hot path: written in SQLAlchemy Core, compiled once, run on the driver itself.

SQLAlchemy's way from a statement to its rows costs about 70 microseconds and copies every array that goes along; the
driver's own costs about ten. What runs here runs in the transaction that SQLAlchemy has begun, on its connection.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its values, to be asked together with others: the names of all their parameters differ."""

    query: Select[Any]
    values: Mapping[str, Any]


async def ask(conn: AsyncConnection, questions: Mapping[str, Question]) -> dict[str, list[Any]]:
    """The rows of several queries, in one round trip."""
    if not questions:
        return {}
    key = tuple((name, id(one.query)) for name, one in questions.items())
    together = _together.get(key)
    if together is None:
        together = _together[key] = _Together({name: one.query for name, one in questions.items()})
    values: dict[str, Any] = {}
    for one in questions.values():
        values |= one.values
    return await together.rows(conn, values)


class _Together:
    def __init__(self, queries: Mapping[str, Select[Any]]) -> None:
        self._queries = queries  # kept, so that no other query can have the id of one of them
        parts = {name: query.subquery(name) for name, query in queries.items()}
        self._shapes: list[Any] = [namedtuple(name, list(part.c.keys())) for name, part in parts.items()]
        lists = [func.array(select(func.row(*part.c)).select_from(part).scalar_subquery()) for part in parts.values()]
        self._prepared = Prepared(select(*(one.label(name) for name, one in zip(parts, lists, strict=True))))

    async def rows(self, conn: AsyncConnection, values: Mapping[str, Any]) -> dict[str, list[Any]]:
        (found,) = await self._prepared.rows(conn, values)
        return {
            name: [shape._make(row) for row in rows]
            for name, shape, rows in zip(self._queries, self._shapes, found, strict=True)
        }


_together: dict[tuple[tuple[str, int], ...], _Together] = {}


def driver_of(conn: AsyncConnection) -> Any:
    """The driver's connection under SQLAlchemy's."""
    assert conn.sync_connection is not None
    return conn.sync_connection.connection.driver_connection


async def _begun(conn: AsyncConnection) -> Any:
    """The driver's connection, in a transaction, unless its engine is one `by_hand`: then the statement is its own."""
    driver = driver_of(conn)
    if not driver.is_in_transaction() and not _by_hand(conn):
        # SQLAlchemy begins with its first statement: without one, what follows would commit by itself
        await conn.execute(_BEGIN)
    return driver


def _by_hand(conn: AsyncConnection) -> bool:
    assert conn.sync_connection is not None
    return conn.sync_connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
