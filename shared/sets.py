"""Sets of rows written in one statement, whatever their number: a round trip costs as much as dozens of rows.

Columns travel as arrays, and where that is safe as one text that PostgreSQL takes apart: the driver looks at each item
of an array several times, which would cost as much as all the rest of writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from shared.prepared import Prepared

#: what arrays carry as they are; every other type travels as text and is cast by PostgreSQL
_NATIVE: tuple[type[TypeEngine[Any]], ...] = (BigInteger, Integer, Boolean, DateTime, Double, LargeBinary)

_statements: dict[tuple[Any, ...], Prepared] = {}


def _carried_as(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind if isinstance(kind, _NATIVE) else Text()


def _set_insert(table: Table, shape: _Shape, conflict: tuple[str, ...] | None, update: bool, start: str = "p") -> Any:
    names = [name for name, _ in shape]
    columns: list[Column[Any]] = [table.c[name] for name in names]
    several = [(c, form) for c, (_, form) in zip(columns, shape, strict=True) if form != "same"]
    arrays = [
        bindparam(f"{start}_{c.name}", type_=ARRAY(_carried_as(c.type)))
        if form == "array"
        else func.string_to_array(bindparam(f"{start}_{c.name}", type_=Text), _BETWEEN, _NULL)
        for c, form in several
    ]
    rows = (
        func.unnest(*arrays)
        .table_valued(*[column(c.name, _carried_as(c.type) if form == "array" else Text) for c, form in several])
        .render_derived(name=f"{start}_rows" if start != "p" else "rows")
    )
    given = {c.name: _as_sent(form, rows.c[c.name]) for c, form in several}
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


def _as_sent(form: _Form, value: Any) -> Any:
    if form == "hex":
        return func.decode(value, "hex")
    return func.convert_to(value, "UTF8") if form == "utf8" else value


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


#: how a column travels: as an array, once where all rows have the same, or as one text: of texts, of bytes in
#: hexadecimal digits, or of bytes that are UTF-8
_Form = Literal["array", "same", "joined", "hex", "utf8"]
_Shape = tuple[tuple[str, _Form], ...]
# control characters that no identifier has and that JSON escapes; where a value has one, the column is an array
_BETWEEN, _NULL = "\x1f", "\x1e"


def texts(name: str) -> Any:
    """A parameter of a query: a set of texts that `one_text` has joined."""
    return func.string_to_array(bindparam(name, type_=Text), _BETWEEN)


def one_text(values: Sequence[str]) -> str:
    """Identifiers as one text for `texts`: they have no control characters."""
    whole = _BETWEEN.join(values)
    if whole.count(_BETWEEN) != len(values) - 1 or not whole:
        raise ValueError("an identifier has a control character, or there is none")
    return whole


def _joined(values: Sequence[str | None]) -> str | None:
    """Texts as one, to be taken apart by PostgreSQL: the driver would look at each of an array several times."""
    nulls = values.count(None)
    whole = _BETWEEN.join(values if not nulls else [_NULL if one is None else one for one in values])  # type: ignore[arg-type]
    return whole if whole and whole.count(_BETWEEN) == len(values) - 1 and whole.count(_NULL) == nulls else None


def _joined_bytes(values: Sequence[bytes | None]) -> tuple[_Form, Any]:
    """The same for bytes: digests are all of one length, and other bytes of ours are mostly JSON."""
    if None in values:
        return "array", values
    length = len(values[0])  # type: ignore[arg-type]
    if length and all(len(one) == length for one in values):  # type: ignore[arg-type]
        return "hex", b"".join(values).hex(_BETWEEN, length)  # type: ignore[arg-type]
    try:
        whole = _BETWEEN.encode().join(values).decode()  # type: ignore[arg-type]
    except UnicodeDecodeError:
        return "array", values
    plain = whole != "" and whole.count(_BETWEEN) == len(values) - 1 and _NULL not in whole and "\x00" not in whole
    return ("utf8", whole) if plain else ("array", values)


@cache
def _described(table: Table, names: tuple[str, ...], start: str) -> tuple[tuple[str, str, str], ...]:
    """(name, kind of its values, parameter) of columns: asking the table costs more than sending a row."""
    kinds: list[tuple[str, str, str]] = []
    for name in names:
        kind = table.c[name].type
        which = (
            "json"
            if isinstance(kind, JSONB)
            else "bytes"
            if isinstance(kind, LargeBinary)
            else "plain"
            if isinstance(kind, _NATIVE)
            else "text"
        )
        kinds.append((name, which, f"{start}_{name}"))
    return tuple(kinds)


def _columns(
    table: Table, rows: Sequence[Mapping[str, Any]], update: bool, start: str
) -> tuple[_Shape, dict[str, Any]]:
    """The rows by column, as parameters; without the columns that are null in all of them, unless null is to be set."""
    shape: list[tuple[str, _Form]] = []
    given: dict[str, Any] = {}
    number = len(rows)
    for name, kind, parameter in _described(table, tuple(rows[0]), start):
        values: list[Any] = [row[name] for row in rows]
        if not update and values.count(None) == number:
            continue
        form: _Form = "array"
        sent: Any = values
        if kind == "plain":
            # the first column says how many rows there are
            if shape and values.count(values[0]) == number:
                form, sent = "same", values[0]
        elif kind == "bytes":
            form, sent = _joined_bytes(values)
        else:
            if kind == "json":
                sent = [v if v is None else (v if isinstance(v, bytes) else orjson.dumps(v)).decode() for v in values]
            joined = _joined(sent)
            if joined is not None:
                form, sent = "joined", joined
        shape.append((name, form))
        given[parameter] = sent
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
