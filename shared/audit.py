"""The books of a service: the chain over each subject's events is whole, and what is stored is their fold.

Read in the order of subjects, a few hundred at a time, so that any number of them takes the same memory. What does not
hold is told as a sentence that names the subject, never what a person said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope, Event
from shared.contracts.registry import BY_TYPE
from shared.outbox import chained

_SUBJECTS_AT_ONCE = 500
_ROWS_AT_ONCE = 5_000

Evolve = Callable[[Any, Any], Any]
#: stored states of these subjects: id -> (version, state)
Stored = Callable[[AsyncConnection, Sequence[str]], Awaitable[Mapping[str, tuple[int, Any]]]]


async def audited(
    conn: AsyncConnection, events: Table, *, source: str, folds: Mapping[type[Event], Evolve], stored: Stored
) -> AsyncIterator[str]:
    """Findings of one service's journal, none when its books are right.

    `folds` has the `evolve` of each event whose fold is stored; subjects of other events are checked for their chain
    alone. `source` is the service's CloudEvents source.
    """
    batch: list[list[Any]] = []
    async for subject in subjects(conn, events):
        batch.append(subject)
        if len(batch) == _SUBJECTS_AT_ONCE:
            async for finding in _check(conn, batch, source, folds, stored):
                yield finding
            batch = []
    async for finding in _check(conn, batch, source, folds, stored):
        yield finding


async def subjects(conn: AsyncConnection, events: Table) -> AsyncIterator[list[Any]]:
    """The rows of a journal, subject by subject, each in the order of its sequence."""
    # by pages of the index over (subject, sequence): each page is a short statement, whatever the journal's size
    place = tuple_(events.c.subject_id, events.c.sequence)
    statement = select(events).order_by(events.c.subject_id, events.c.sequence).limit(_ROWS_AT_ONCE)
    after: tuple[str, int] = ("", 0)
    subject: list[Any] = []
    while True:
        later = statement.where(place > tuple_(bindparam("subject"), bindparam("sequence")))
        rows = (await conn.execute(later, {"subject": after[0], "sequence": after[1]})).all()
        for row in rows:
            if subject and subject[0].subject_id != row.subject_id:
                yield subject
                subject = []
            subject.append(row)
        if len(rows) < _ROWS_AT_ONCE:
            break
        after = (rows[-1].subject_id, rows[-1].sequence)
    if subject:
        yield subject


async def _check(
    conn: AsyncConnection, batch: list[list[Any]], source: str, folds: Mapping[type[Event], Evolve], stored: Stored
) -> AsyncIterator[str]:
    if not batch:
        return
    kept = await stored(conn, [rows[0].subject_id for rows in batch])
    for rows in batch:
        for finding in _subject(rows, source, folds, kept):
            yield finding


def _subject(
    rows: list[Any], source: str, folds: Mapping[type[Event], Evolve], kept: Mapping[str, tuple[int, Any]]
) -> list[str]:
    subject, chain, state, found = rows[0].subject_id, b"", None, []
    folded = False
    for expected, row in enumerate(rows, start=1):
        if row.sequence != expected:
            return [f"{subject}: event {expected} is missing, {row.sequence} comes instead"]
        chain = chained(chain, envelope_of(row, source))
        if bytes(row.chain) != chain:
            return [f"{subject}: event {expected} ({row.type}) is not what was announced: its audit chain is broken"]
        contract = BY_TYPE[row.type]
        evolve = folds.get(contract)
        if evolve is not None:
            state = evolve(state, contract.model_validate_json(row.data))
            folded = True
    if folded:
        there = kept.get(subject)
        if there is None:
            found.append(f"{subject}: announced, but not stored")
        elif there[0] != len(rows):
            found.append(f"{subject}: stored as of event {there[0]}, {len(rows)} were announced")
        elif there[1] != state:
            found.append(f"{subject}: the stored state is not the fold of its events")
    return found


def envelope_of(row: Any, source: str) -> Envelope:
    """The envelope that a row of the journal is sent in."""
    return Envelope(
        id=row.event_id,
        source=source,
        type=row.type,
        time=row.at,
        subject=row.subject_id,
        customer_id=row.customer_id,
        sequence=row.sequence,
        correlation_id=row.correlation_id,
        causation_id=row.causation_id,
        data=bytes(row.data),
    )
