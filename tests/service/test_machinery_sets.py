"""Sets of rows written in one statement: whatever the values, they come out as they went in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, Uuid, select, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import make_engine
from shared.sets import insert_many

_things = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("words", Text),
    Column("note", JSONB),
    Column("raw", LargeBinary),
    Column("at", DateTime(timezone=True)),
    Column("id", Uuid(as_uuid=False)),
    prefixes=["TEMPORARY"],
)
#: separators that sets are sent with, what looks like an array or a null to PostgreSQL, nothing at all
_WORDS = (
    st.none()
    | st.sampled_from(["", "\x1f", "\x1e", "a\x1fb", "NULL", '{"a","b"}', "\\", "'", "寧"])
    | st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), max_size=12)
)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "words": _WORDS,
            "note": st.none() | st.dictionaries(_WORDS.filter(lambda word: word is not None), _WORDS, max_size=2),
            "raw": st.none() | st.binary(max_size=5),
            "at": st.none() | st.just(datetime(2026, 3, 2, tzinfo=UTC)),
            "id": st.none() | st.uuids().map(str),
        }
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS)
async def test_a_set_of_rows_comes_out_as_it_went_in(database_url: str, rows: list[dict[str, Any]]) -> None:
    engine = make_engine(database_url, size=1)
    async with engine.begin() as conn:
        await conn.run_sync(_things.create)
        await insert_many(conn, _things, [{"number": number, **row} for number, row in enumerate(rows)])
        found = await conn.execute(select(_things).order_by(_things.c.number))
        kept = [{name: row[name] for name in ("words", "note", "raw", "at", "id")} for row in found.mappings()]
        await conn.execute(text("drop table things"))
    await engine.dispose()
    assert kept == rows
