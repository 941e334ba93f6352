"""One unit of work: an input comes in by HTTP, Kafka or the clock; what follows from it commits as one transaction.

The corridor takes a set of inputs: it locks their customers, drops what was received before, loads all that the
inputs concern, hands each to its handler in order, and saves state, events and deadlines together. Handlers decide;
they do no I/O and never commit. When a set fails, each input is taken alone, so that one bad input fails alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import structlog
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.contracts.envelope import Envelope, Event, dump, full_type, new_id
from shared.db import is_transient, sqlstate_of
from shared.faults import fault
from shared.idempotency import Stored, Ticket, answers_to, kept_rows, stored_answers
from shared.inbox import receive
from shared.outbox import Journal, chained
from shared.prepared import Question, ask
from shared.sets import Rows
from shared.timers import Due, Timers, customer_lock
from shared.transaction import by_hand, transaction

log = structlog.get_logger()

S = TypeVar("S")
B = TypeVar("B", bound="Book")


@dataclass(slots=True)
class Kept(Generic[S]):
    """One thing a service keeps: its state (None before the first event) and the head of its audit chain."""

    id: str
    customer_id: str
    state: S | None = None
    version: int = 0
    chain: bytes = b""
    changed: bool = False

    @property
    def now(self) -> S:
        """The state of a thing that exists."""
        assert self.state is not None
        return self.state


@dataclass(slots=True)
class Said:
    """An event on its way into the journal, with the words that stay home."""

    envelope: Envelope
    chain: bytes
    by: str | None
    why: str | None
    note: dict[str, Any] | None


@dataclass(slots=True)
class Work:
    """What one transaction will say and set when it commits."""

    service: str
    now: datetime
    correlation_id: str = ""
    causation_id: str | None = None
    said: list[Said] = field(default_factory=list)
    timers: dict[tuple[str, str], tuple[str, datetime | None]] = field(default_factory=dict)
    bells: set[str] = field(default_factory=set)
    rows: list[Rows] = field(default_factory=list)

    def announce(
        self,
        kept: Kept[S],
        event: Event,
        evolve: Callable[[S | None, Any], S],
        *,
        by: str | None = None,
        why: str | None = None,
        note: dict[str, Any] | None = None,
    ) -> S:
        """Says `event` of `kept` and folds it into the state: the only way that state changes."""
        kept.version += 1
        envelope = Envelope(
            id=new_id(),
            source=f"urn:complaint-loop:{self.service}",
            type=full_type(type(event)),
            time=self.now,
            subject=kept.id,
            customer_id=event.customer_id,
            sequence=kept.version,
            correlation_id=self.correlation_id or kept.id,
            causation_id=self.causation_id,
            data=dump(event),
        )
        kept.chain = chained(kept.chain, envelope)
        self.said.append(Said(envelope, kept.chain, by, why, note))
        kept.state = evolve(kept.state, event)
        kept.changed = True
        return kept.state

    def set_timer(self, kind: str, subject_id: str, customer_id: str, due_at: datetime | None) -> None:
        """Sets the one deadline of this kind and subject; None cancels it."""
        self.timers[(kind, subject_id)] = (customer_id, due_at)

    def ring(self, channel: str) -> None:
        """Wakes a loop of another process once this has committed."""
        self.bells.add(channel)

    def write(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        conflict: tuple[str, ...] | None = None,
        update: bool = False,
    ) -> None:
        """For stores: inserts rows, as `insert_many` does, but in the one statement that writes the journal."""
        self.rows.append(Rows(table, rows, conflict, update))


class Wider(Exception):
    """What is to be done concerns more customers than those whose locks were taken: it is done again with all."""

    def __init__(self, customers: Set[str]) -> None:
        super().__init__("more customers are concerned")
        self.customers = customers


class Book(Protocol):
    """All state that one set of inputs concerns; made by the store, worked on by the handlers."""


@dataclass(slots=True)
class Input(Generic[B]):
    """One thing that happened: a command, an event or a deadline, with the function that takes it.

    `render` makes the stored answer of a request that carries an idempotency ticket.
    """

    customer_id: str
    payload: Any
    handle: Callable[[B, Work, Any], Any]
    envelope: Envelope | None = None
    ticket: Ticket | None = None
    render: Callable[[Any], tuple[int, bytes] | None] | None = None
    correlation_id: str = ""
    #: other customers whom it concerns
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """The input had its effect before; `stored` is the answer that was given then, where one is kept."""

    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """This input alone could not be handled: a bug or bad data, to be parked or answered with an error."""

    error: Exception


class Store(Protocol[B]):
    """A service's tables, as the corridor needs them."""

    events: Table
    unsent: Table
    inbox: Table
    idempotency: Table
    timers: Timers

    @property
    def load(self) -> Callable[..., Awaitable[B]]:
        """(conn, inputs, now), and what was answered where the store has `questions`."""
        ...

    async def save(self, conn: AsyncConnection, book: B, work: Work) -> None: ...


def concerned(inputs: Sequence[Input[Any]]) -> Set[str]:
    """The customers whom inputs name."""
    return {one.customer_id for one in inputs}.union(*(one.others for one in inputs))


class Corridor(Generic[B]):
    """The one way in: inputs become committed state and events."""

    def __init__(self, service: str, engine: AsyncEngine, clock: Clock, store: Store[B]) -> None:
        self.service, self.engine, self.clock, self.store = service, engine, clock, store
        self._engine = by_hand(engine)
        # a store may have questions about all inputs, which are asked together with that for the stored answers; its
        # `load` is then told what was answered
        self._questions: Callable[[Sequence[Input[B]]], Mapping[str, Question]] | None
        self._questions = getattr(store, "questions", None)
        self._journal = Journal(store.events, store.unsent)

    async def take(self, inputs: Sequence[Input[B]]) -> list[Any]:
        """Handles inputs in order; answers each one's result, Repeated or Failed. Raises only what is transient."""
        if not inputs:
            return []
        try:
            return await self._retrying(lambda: self._together(inputs))
        except Exception as error:
            if is_transient(error):
                raise
            if len(inputs) == 1:
                return [Failed(error)]
        results: list[Any] = []
        for one in inputs:
            results += await self.take([one])
        return results

    async def take_one(self, one: Input[B]) -> Any:
        """Handles one input; raises what it failed with."""
        result = (await self.take([one]))[0]
        if isinstance(result, Failed):
            raise result.error
        return result

    async def _retrying(self, attempt: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        # deadlock and serialization failures are PostgreSQL asking to try again; a unique violation says that somebody
        # else has just committed the same identity: done again, the work finds it
        for left in (2, 1, 0):
            try:
                return await attempt()
            except Exception as error:
                if sqlstate_of(error) not in ("40001", "40P01", "23505") or not left:
                    raise
        raise AssertionError("unreachable")

    async def _together(self, inputs: Sequence[Input[B]]) -> list[Any]:
        customers = concerned(inputs)
        while True:
            # sorted: two sets can't wait for each other in a ring
            locks = sorted({customer_lock(self.service, one) for one in customers})
            tickets = list({one.ticket.lock for one in inputs if one.ticket})
            try:
                async with transaction(self._engine, locks, tickets) as (conn, free):
                    work = Work(self.service, self.clock.now())
                    results = await self._handle(conn, work, inputs, free, customers)
                    await fault("corridor.before_commit")
            except Wider as wider:
                customers |= wider.customers
                continue
            await fault("corridor.after_commit")
            return results

    async def _handle(
        self, conn: AsyncConnection, work: Work, inputs: Sequence[Input[B]], free: Set[int], locked: Set[str]
    ) -> list[Any]:
        questions = dict(self._questions(inputs)) if self._questions is not None else {}
        if tickets := [one.ticket for one in inputs if one.ticket]:
            questions["answers"] = answers_to(self.store.idempotency, tickets)
        told = await ask(conn, questions)
        # whoever has several ids is one customer: what concerns one of them waits for all
        kin = {one for row in told.get("kin", ()) for one in (row.id, row.into_id) if one is not None}
        if not kin <= locked:
            raise Wider(kin)
        results, todo = await self._sift(
            conn, work, inputs, dict(zip(tickets, stored_answers(tickets, free, told.get("answers", ())), strict=True))
        )
        book: B | None = None
        if todo:
            wanted = [one for one, _ in todo]
            more = () if self._questions is None else (told,)
            book = await self.store.load(conn, wanted, work.now, *more)
        answers: list[tuple[Ticket, int, bytes]] = []
        for one, index in todo:
            assert book is not None
            envelope = one.envelope
            work.correlation_id = envelope.correlation_id if envelope else one.correlation_id
            work.causation_id = envelope.id if envelope else None
            results[index] = one.handle(book, work, one.payload)
            if one.ticket and one.render and (rendered := one.render(results[index])):
                answers.append((one.ticket, *rendered))
        if book is not None:
            await self.store.save(conn, book, work)
        if answers:
            work.write(self.store.idempotency, kept_rows(answers, work.now))
        await self._write(conn, work)
        return results

    async def _sift(
        self, conn: AsyncConnection, work: Work, inputs: Sequence[Input[B]], stored: Mapping[Ticket, Any]
    ) -> tuple[list[Any], list[tuple[Input[B], int]]]:
        """Sorts out what had its effect before: events by the inbox, requests by what is stored for their key."""
        results: list[Any] = [Repeated()] * len(inputs)
        envelopes = [i.envelope for i in inputs if i.envelope]
        new = await receive(conn, self.store.inbox, envelopes, work.now) if envelopes else set()
        todo: list[tuple[Input[B], int]] = []
        for index, one in enumerate(inputs):
            if one.envelope is not None:
                key = (one.envelope.source, one.envelope.id)
                if key not in new:
                    continue
                new.discard(key)  # the same event twice in one set has its effect once
            if one.ticket is not None and (answer := stored[one.ticket]) is not None:
                results[index] = Repeated(answer) if isinstance(answer, Stored) else answer
                continue
            todo.append((one, index))
        return results, todo

    async def _write(self, conn: AsyncConnection, work: Work) -> None:
        if work.timers:
            await self.store.timers.save(conn, work.timers)
        rows: list[dict[str, Any]] = []
        if work.said:
            rows = [
                {
                    "event_id": said.envelope.id,
                    "type": said.envelope.type,
                    "subject_id": said.envelope.subject,
                    "sequence": said.envelope.sequence,
                    "customer_id": said.envelope.customer_id,
                    "at": said.envelope.time,
                    "data": said.envelope.data,
                    "correlation_id": said.envelope.correlation_id,
                    "causation_id": said.envelope.causation_id,
                    "by": said.by,
                    "why": said.why,
                    "note": said.note,
                    "chain": said.chain,
                }
                for said in work.said
            ]
            work.ring(f"{self.service}_unsent")
        await self._journal.write(conn, rows, work.rows, sorted(work.bells))

    async def sweep(self, when: Callable[[Due], Input[B]], most: int = 500) -> int:
        """Handles up to `most` deadlines that have come; answers how many were found."""
        try:
            return len(await self._swept(when, most, []))
        except Exception as error:
            if is_transient(error) or most == 1:
                raise
        return await self._sweep_singly(when, most)

    async def _swept(self, when: Callable[[Due], Input[B]], most: int, found: list[Due]) -> list[Due]:
        """Handles deadlines in one transaction; `found` are those that it is about, also where it fails."""
        held: Set[str] = frozenset()
        while True:
            locks = sorted({customer_lock(self.service, one) for one in held})
            try:
                async with transaction(self._engine, locks) as (conn, _):
                    work = Work(self.service, self.clock.now())
                    found[:] = await self.store.timers.claim_due(conn, work.now, most)
                    inputs = [when(due) for due in found]
                    await self._handle(conn, work, inputs, frozenset(), concerned(inputs) | held)
                return found
            except Wider as wider:
                held |= wider.customers

    async def _sweep_singly(self, when: Callable[[Due], Input[B]], most: int) -> int:
        # one bad deadline must not hold up the others: it is postponed, loudly, and tried again
        done = 0
        for _ in range(most):
            work = Work(self.service, self.clock.now())
            due: list[Due] = []
            try:
                await self._swept(when, 1, due)
            except Exception as error:
                if is_transient(error) or not due:
                    raise
                log.error("deadline_failed", kind=due[0].kind, subject_id=due[0].subject_id, error=type(error).__name__)
                async with transaction(self._engine) as (conn, _):
                    key = (due[0].kind, due[0].subject_id)
                    postponed = work.now + timedelta(minutes=1)
                    await self.store.timers.save(conn, {key: (due[0].customer_id, postponed)})
            if not due:
                break
            done += 1
        return done
