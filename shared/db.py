"""PostgreSQL: engines, one schema per service, and inserts of whole sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeEngine

from shared.prepared import Prepared

#: constraint names that migrations and errors can rely on
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: what arrays carry as they are; every other type travels as text and is cast by PostgreSQL
_NATIVE: tuple[type[TypeEngine[Any]], ...] = (BigInteger, Integer, Boolean, DateTime, Double, LargeBinary)

# SQLSTATE classes and codes after which the same work may succeed: connection, resources, operator intervention,
# deadlock, serialization
_TRANSIENT_CLASSES = ("08", "53", "57P")
_TRANSIENT_CODES = ("40001", "40P01", "55P03")


def service_metadata(schema: str) -> MetaData:
    """Metadata of one service's schema."""
    return MetaData(schema=schema, naming_convention=NAMING)


def role_of(service: str) -> str:
    """The database role that a service works as."""
    return f"complaint_loop_{service}"


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def make_engine(
    url: str,
    *,
    role: str | None = None,
    size: int = 8,
    name: str = "complaint-loop",
    whole_tables: bool = False,
) -> AsyncEngine:
    """An engine whose every connection works as `role`.

    Just-in-time compilation is off: it costs more than it gives for short statements. Services look things up by key:
    their plans must not depend on statistics that say a table is empty when it has just been filled (a batch then read
    a table of 20,000 rows from end to end for each set: 800 instead of 160 microseconds a contact). `whole_tables` is
    for those who count and compare everything. A statement that runs for half a minute is a bug, and is ended.
    """
    settings = {"jit": "off", "application_name": name, "statement_timeout": "30s", "timezone": "UTC"}
    if not whole_tables:
        settings |= dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off")
    if role:
        settings["role"] = role
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"server_settings": settings, "timeout": 5, "command_timeout": 35},
    )


def sqlstate_of(error: BaseException | None) -> str:
    """PostgreSQL's code of what went wrong, in SQLAlchemy's exception or the driver's own; empty if it has none."""
    for one in (error, getattr(error, "orig", None)):
        code = getattr(one, "sqlstate", None) or getattr(one, "pgcode", None)
        if code:
            return str(code)
    return ""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed when done again: the connection, not the work, was at fault."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _passes(sqlstate_of(error)) or is_transient_cause(error.orig)
    return is_transient_cause(error)


def _passes(code: str) -> bool:
    return code.startswith(_TRANSIENT_CLASSES) or code in _TRANSIENT_CODES


def is_transient_cause(error: BaseException | None) -> bool:
    """The same of what lies under SQLAlchemy's own exceptions."""
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    if isinstance(error, (OSError, TimeoutError, PoolTimeoutError, ConnectionError)):
        return True
    lost = ("ConnectionDoesNotExistError", "InterfaceError", "InternalClientError")
    return _passes(sqlstate_of(error)) or type(error).__name__ in lost


_statements: dict[tuple[Any, ...], Prepared] = {}


def _carried_as(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind if isinstance(kind, _NATIVE) else Text()


def _set_insert(table: Table, shape: _Shape, conflict: tuple[str, ...] | None, update: bool, start: str = "p") -> Any:
    names = [name for name, _ in shape]
    columns: list[Column[Any]] = [table.c[name] for name in names]
    several = [(c, form) for c, (_, form) in zip(columns, shape, strict=True) if form != "same"]
    arrays = [
        func.string_to_array(bindparam(f"{start}_{c.name}", type_=Text), _BETWEEN, _NULL)
        if form == "joined"
        else bindparam(f"{start}_{c.name}", type_=ARRAY(_carried_as(c.type)))
        for c, form in several
    ]
    rows = (
        func.unnest(*arrays)
        .table_valued(*[column(c.name, _carried_as(c.type)) for c, _ in several])
        .render_derived(name=f"{start}_rows" if start != "p" else "rows")
    )
    given = {c.name: rows.c[c.name] for c, _ in several}
    values = [given.get(c.name, bindparam(f"{start}_{c.name}", type_=c.type)) for c in columns]
    picked = [
        one if isinstance(c.type, (*_NATIVE, Text)) else cast(one, c.type)
        for c, one in zip(columns, values, strict=True)
    ]
    statement = pg_insert(table).from_select(names, select(*picked))
    if conflict is None:
        return statement
    if not update:
        return statement.on_conflict_do_nothing(index_elements=list(conflict))
    return statement.on_conflict_do_update(
        index_elements=list(conflict),
        set_={name: statement.excluded[name] for name in names if name not in conflict},
    )


async def insert_many(
    conn: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    conflict: tuple[str, ...] | None = None,
    update: bool = False,
    returning: tuple[str, ...] = (),
) -> Sequence[Any]:
    """Inserts a set of rows in one statement (`unnest` of one array per column).

    All rows have the keys of the first. With `conflict` rows that exist are left (or, with `update`, replaced).
    Answers the rows of `returning` (texts and numbers), else nothing. JSON columns take anything that JSON can say, or
    ready bytes.
    """
    if not rows:
        return []
    shape, given = _columns(table, rows, update, "p")
    key = (table.fullname, shape, conflict, update, returning)
    statement = _statements.get(key)
    if statement is None:
        insert = _set_insert(table, shape, conflict, update)
        if returning:
            insert = insert.returning(*[table.c[name] for name in returning])
        statement = _statements[key] = Prepared(insert)
    return await statement.rows(conn, given)


#: the columns of a set in order, and how each travels: as an array, as one text, or once where all rows have the same
_Shape = tuple[tuple[str, Literal["array", "joined", "same"]], ...]
# control characters that no identifier has and that JSON escapes; where a value has one, the column is an array
_BETWEEN, _NULL = "\x1f", "\x1e"


def _joined(values: Sequence[str | None]) -> str | None:
    """Texts as one, to be taken apart by PostgreSQL: the driver would look at each of an array several times."""
    nulls = values.count(None)
    whole = _BETWEEN.join(values if not nulls else [_NULL if one is None else one for one in values])  # type: ignore[arg-type]
    return whole if whole and whole.count(_BETWEEN) == len(values) - 1 and whole.count(_NULL) == nulls else None


def _columns(
    table: Table, rows: Sequence[Mapping[str, Any]], update: bool, start: str
) -> tuple[_Shape, dict[str, Any]]:
    """The rows by column, as parameters; without the columns that are null in all of them, unless null is to be set."""
    shape: list[tuple[str, Literal["array", "joined", "same"]]] = []
    given: dict[str, Any] = {}
    for name in rows[0]:
        values: list[Any] = [row[name] for row in rows]
        if not update and values.count(None) == len(values):
            continue
        if isinstance(table.c[name].type, JSONB):
            values = [v if v is None else (v if isinstance(v, bytes) else orjson.dumps(v)).decode() for v in values]
        kind = table.c[name].type
        parameter = f"{start}_{name}"
        if not isinstance(kind, _NATIVE):
            joined = _joined(values)
            shape.append((name, "array" if joined is None else "joined"))
            given[parameter] = values if joined is None else joined
        elif shape and not isinstance(kind, LargeBinary) and values.count(values[0]) == len(values):
            # the first column says how many rows there are
            shape.append((name, "same"))
            given[parameter] = values[0]
        else:
            shape.append((name, "array"))
            given[parameter] = values
    return tuple(shape), given


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one table, as `insert_many` takes them."""

    table: Table
    rows: Sequence[Mapping[str, Any]]
    conflict: tuple[str, ...] | None = None
    update: bool = False


async def insert_sets(
    conn: AsyncConnection,
    sets: Sequence[Rows],
    *,
    then: Callable[[Any], Select[Any]],
    last: Rows | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Inserts rows into several tables in one statement: a round trip costs as much as dozens of rows.

    `then(inserted)` makes the query that ends the statement; `inserted` is the insert of `last`, to be used as a
    source, or None. What it selects is not answered. Statements are kept by `then` and the tables and columns that
    they are made of.
    """
    filled = [one for one in sets if one.rows]
    if last is not None:
        filled.append(last)
    given: dict[str, Any] = dict(parameters or {})
    parts: list[tuple[Rows, _Shape, str]] = []
    for number, one in enumerate(filled):
        start = f"s{number}"
        shape, columns = _columns(one.table, one.rows, one.update, start)
        given |= columns
        parts.append((one, shape, start))
    kind = getattr(then, "__func__", then)
    key = (kind, last is not None, *((one.table.fullname, shape, one.conflict, one.update) for one, shape, _ in parts))
    statement = _statements.get(key)
    if statement is None:
        made = [_set_insert(one.table, shape, one.conflict, one.update, start) for one, shape, start in parts]
        inserted = made.pop() if last is not None else None
        whole = then(inserted).add_cte(*(insert.cte(f"insert_{number}") for number, insert in enumerate(made)))
        statement = _statements[key] = Prepared(whole)
    await statement.rows(conn, given)
