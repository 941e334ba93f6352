"""Ownership made anew from what it said: complaints, their deadlines and pauses are folds of the journal alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.domain import Complaint, evolve, from_json, next_moment
from services.ownership.handlers import TIMER
from services.ownership.store import metadata, pause_row, row_of
from services.ownership.store.tables import agents, complaints, events, inbox, pauses, timers_rows
from shared.audit import envelope_of, subjects
from shared.contracts.envelope import full_type
from shared.contracts.ownership import ExecutiveAnswered, ExecutiveAsked, ExecutiveReplied, Paused
from shared.contracts.registry import BY_TYPE
from shared.outbox import chained
from shared.sets import insert_many
from shared.timers import Timers
from shared.work import Kept

__all__ = ["SOURCE", "compared", "events", "metadata", "rebuilt"]

SOURCE = "urn:complaint-loop:ownership"
_AT_ONCE = 500
_c, _e = complaints.c, events.c


async def rebuilt(conn: AsyncConnection, tables: Mapping[str, Table]) -> tuple[dict[str, int], list[str]]:
    """Folds the whole journal on this connection into the `tables` that follow from it; counts, and what has no fold.

    Of agents only ids are known then: names are asked for again, what supervisors said of them is not on a topic.
    """
    found: list[str] = []
    number, batch = 0, _Batch()
    async for rows in subjects(conn, events):
        finding = batch.take(rows)
        if finding is not None:
            found.append(finding)
            continue
        number += 1
        if len(batch.kept) == _AT_ONCE:
            await batch.write(conn, tables)
            batch = _Batch()
    await batch.write(conn, tables)
    await _receipts(conn)
    await _owners(conn)
    return {"complaints": number}, found


class _Batch:
    """Some subjects, folded, on their way into the tables."""

    def __init__(self) -> None:
        self.kept: list[Kept[Complaint]] = []
        self.chains: list[tuple[int, bytes]] = []
        self.pauses: list[dict[str, Any]] = []

    def take(self, rows: Sequence[Any]) -> str | None:
        """Folds one subject's events; a sentence where they are not whole."""
        kept = Kept[Complaint](rows[0].subject_id, rows[0].customer_id)
        chains, paused = [], []
        for expected, row in enumerate(rows, start=1):
            contract = BY_TYPE.get(row.type)
            if row.sequence != expected:
                return f"{kept.id}: event {expected} is missing, {row.sequence} comes instead"
            if contract is None:
                return f"{kept.id}: event {expected} ({row.type}) is of a type that this release does not know"
            event = contract.model_validate_json(row.data)
            kept.state = evolve(kept.state, event)
            kept.version, kept.chain = expected, chained(kept.chain, envelope_of(row, SOURCE))
            chains.append((row.position, kept.chain))
            if isinstance(event, Paused):
                paused.append(pause_row(kept.id, expected, event))
        self.kept.append(kept)
        self.chains += chains
        self.pauses += paused
        return None

    async def write(self, conn: AsyncConnection, tables: Mapping[str, Table]) -> None:
        """Into the tables; every chain beside its event."""
        await insert_many(conn, tables[complaints.name], [row_of(kept) for kept in self.kept])
        await insert_many(conn, tables[pauses.name], self.pauses)
        due = {(TIMER, kept.id): (kept.customer_id, next_moment(kept.now)) for kept in self.kept}
        await Timers(tables[timers_rows.name], "ownership").save(conn, due)
        given = func.unnest(
            bindparam("positions", [position for position, _ in self.chains], type_=ARRAY(BigInteger)),
            bindparam("chains", [chain for _, chain in self.chains], type_=ARRAY(LargeBinary)),
        )
        new = given.table_valued(column("position", BigInteger), column("chain", LargeBinary)).render_derived("new")
        await conn.execute(update(events).where(_e.position == new.c.position).values(chain=new.c.chain))


async def _receipts(conn: AsyncConnection) -> None:
    """What has had its effect is known by what it caused: delivered again, it has none."""
    cause = events.alias("cause")
    own = exists(select(cause.c.position).where(cast(cause.c.event_id, Text) == _e.causation_id))
    from_above = _e.type.in_([full_type(one) for one in (ExecutiveAsked, ExecutiveReplied, ExecutiveAnswered)])
    # clocks may be told beside it, which say nothing of where it came from
    source = case(
        (own, SOURCE), (func.bool_or(from_above), "urn:complaint-loop:escalation"), else_="urn:complaint-loop:intake"
    )
    told = (
        select(source.label("source"), _e.causation_id.label("event_id"), func.min(_e.at).label("received_at"))
        .where(_e.causation_id.is_not(None))
        .group_by(_e.causation_id)
    )
    statement = insert(inbox).from_select(["source", "event_id", "received_at"], told)
    await conn.execute(statement.on_conflict_do_nothing())


async def _owners(conn: AsyncConnection) -> None:
    """Whoever owns something is known by id."""
    there = select(_c.owner_id).where(_c.owner_id.is_not(None)).distinct()
    await conn.execute(insert(agents).from_select(["id"], there).on_conflict_do_nothing())


async def compared(live: AsyncConnection, made: AsyncConnection, *, moving: bool) -> tuple[dict[str, int], list[str]]:
    """The complaints of one connection's schema against those that were made anew on another.

    With `moving` complaints that went on meanwhile are counted and no finding.
    """
    counts, found = {"same": 0, "moved_on": 0}, []
    after = "00000000-0000-0000-0000-000000000000"
    whole = select(_c.id, _c.version, _c.chain, _c.state)
    page = whole.where(_c.id > bindparam("after", type_=Uuid(as_uuid=False))).order_by(_c.id).limit(_AT_ONCE)
    these = whole.where(_c.id == any_(bindparam("ids", type_=ARRAY(Uuid(as_uuid=False)))))
    while True:
        rows = (await live.execute(page, {"after": after})).all()
        anew = {row.id: row for row in await made.execute(these, {"ids": [row.id for row in rows]})}
        for row in rows:
            other = anew.get(row.id)
            if other is not None and other.version == row.version:
                if bytes(other.chain) == bytes(row.chain) and from_json(other.state) == from_json(row.state):
                    counts["same"] += 1
                else:
                    found.append(f"{row.id}: made anew it is another")
            elif moving and (other is None or other.version < row.version):
                counts["moved_on"] += 1
            else:
                there = "not at all" if other is None else f"as of event {other.version}"
                found.append(f"{row.id}: stored as of event {row.version}, made anew {there}")
        if len(rows) < _AT_ONCE:
            return counts, found
        after = rows[-1].id
