"""Loads what a set of inputs concerns and saves what became of it: one statement per table, whatever the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, DateTime, Text, Uuid, any_, bindparam, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.domain import Complaint, from_json, to_json
from services.ownership.domain.acts import MAY_OPEN, Act, Classify, Merge, Split
from services.ownership.domain.agents import People
from services.ownership.domain.clocks import FOLLOW_UP, late, owed_at
from services.ownership.domain.reference import candidates
from services.ownership.domain.story import Heard
from shared.contracts.envelope import new_id
from shared.contracts.escalation import EscalationEvent
from shared.contracts.intake import ContactCaptured, ContactResponded
from shared.contracts.ownership import Paused
from shared.kin import Kin, read
from shared.policy import Policies
from shared.prepared import Question
from shared.sets import insert_many
from shared.timers import Due, Timers
from shared.work import Input, Kept, Work, concerned

from . import agents, early, reading, tables

#: rung when somebody owns a complaint for the first time
AGENTS_BELL: Final = "ownership_agents"


@dataclass(slots=True)
class Book:
    """The complaints of the customers that a set of inputs is about."""

    policies: Policies
    complaints: dict[str, Kept[Complaint]] = field(default_factory=dict)
    by_customer: dict[str, list[Kept[Complaint]]] = field(default_factory=dict)
    #: those whom the inputs are about, and who might stand in for them
    people: People = field(default_factory=People)
    #: (id, customer_id) of complaints that an agent owns or stands in for, by the agent's id
    held: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: when the contacts of a complaint that is to be merged or split were made, by id
    heard: dict[str, Heard] = field(default_factory=dict)
    #: agents that were named as somebody who acts or owns
    agents: set[str] = field(default_factory=set)
    #: customers whose words are to be forgotten
    erased: set[str] = field(default_factory=set)
    #: which ids are one person's
    kin: Kin = field(default_factory=Kin)
    #: what was said of agents
    told_of: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    #: pauses that were told, as rows
    pauses: list[dict[str, Any]] = field(default_factory=list)
    #: responses that came before the contact which they answer, by contact: kept, and to be kept
    waiting: dict[str, list[ContactResponded]] = field(default_factory=dict)
    too_early: list[ContactResponded] = field(default_factory=list)
    #: contacts to which none waits any more
    answered_early: set[str] = field(default_factory=set)
    #: ids and references for complaints to be opened
    fresh: list[tuple[str, str]] = field(default_factory=list)

    def of_customer(self, customer_id: str) -> list[Kept[Complaint]]:
        """All complaints under a customer's id that may matter, oldest first."""
        return self.by_customer.setdefault(customer_id, [])

    def of_person(self, customer_id: str) -> list[Kept[Complaint]]:
        """The same under all ids of whoever has this one."""
        ids = self.kin.of(customer_id)
        if len(ids) == 1:
            return self.of_customer(customer_id)
        return sorted((kept for one in ids for kept in self.of_customer(one)), key=lambda kept: kept.id)

    def keep_response(self, response: ContactResponded) -> None:
        """Keeps a response until its contact comes."""
        self.too_early.append(response)

    def responses_to(self, contact_id: str) -> list[ContactResponded]:
        """What came before this contact, in the order in which it was said; it waits no more."""
        early = [*self.waiting.get(contact_id, ()), *(one for one in self.too_early if one.contact_id == contact_id)]
        self.too_early = [one for one in self.too_early if one.contact_id != contact_id]
        if self.waiting.pop(contact_id, None):
            self.answered_early.add(contact_id)
        once = {one.response_id: one for one in early}
        return sorted(once.values(), key=lambda one: (one.occurred_at, one.response_id))

    def add(self, kept: Kept[Complaint]) -> None:
        """Takes a complaint in."""
        self.complaints[kept.id] = kept
        self.of_customer(kept.customer_id).append(kept)


_c = tables.complaints.c
_columns = (_c.id, _c.customer_id, _c.version, _c.chain, _c.state)
_first_contact = select(func.min(cast(_c.state["first_contact_at"].astext, DateTime(timezone=True)))).where(
    _c.id == any_(bindparam("ids", type_=ARRAY(Uuid(as_uuid=False))))
)
_of_customers = (
    select(*_columns)
    .where(
        _c.customer_id == any_(bindparam("customers", type_=ARRAY(Text))),
        or_(
            _c.status != "closed",
            _c.closed_at >= bindparam("since"),
            _c.id == any_(bindparam("ids", type_=ARRAY(Uuid(as_uuid=False)))),
        ),
    )
    .order_by(_c.id)
)
_taken = select(_c.reference).where(_c.reference == any_(bindparam("references", type_=ARRAY(Text))))
_forget = (
    update(tables.events)
    .where(tables.events.c.customer_id == any_(bindparam("customers", type_=ARRAY(Text))))
    .values(why=None, note=None)
)


def pause_row(complaint_id: str, sequence: int, told: Paused) -> dict[str, Any]:
    """What is kept of a pause beside its event."""
    return {"complaint_id": complaint_id, "sequence": sequence, "owner_id": told.owner_id, "paused_at": told.at}


#: where acts, contacts and responses name somebody
_NAMED: Final = ("agent_id", "agent", "helper", "to", "responder_id")


class OwnershipStore:
    """The tables of ownership, as the corridor needs them."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.events, self.unsent = tables.events, tables.unsent
        self.inbox, self.parked, self.idempotency = tables.inbox, tables.parked, tables.idempotency
        self.timers = Timers(tables.timers_rows, "ownership")

    def questions(self, inputs: Sequence[Input[Book]]) -> Mapping[str, Question]:
        """Under which other ids the customers of these inputs are known."""
        return {"kin": tables.kin_of(concerned(inputs))}

    async def load(
        self, conn: AsyncConnection, inputs: Sequence[Input[Book]], now: datetime, told: Mapping[str, Sequence[Any]]
    ) -> Book:
        """All complaints of these inputs' customers that are not closed, or closed so lately that they may matter."""
        book = Book(self.policies, kin=read(told["kin"]))
        ids = [i.payload.complaint_id for i in inputs if isinstance(i.payload, Act)]
        ids += [i.payload.complaint_id for i in inputs if isinstance(i.payload, EscalationEvent)]
        due = [i.payload for i in inputs if isinstance(i.payload, Due)]
        ids += [i.payload.into for i in inputs if isinstance(i.payload, Merge)]
        ids += [one.subject_id for one in due if reading.is_id(one.subject_id)]
        rows = await conn.execute(
            _of_customers,
            {
                "customers": list(book.kin.all_of(concerned(inputs))),
                "since": await self._since(conn, inputs, now),
                "ids": ids,
            },
        )
        for row in rows:
            book.add(Kept(row.id, row.customer_id, from_json(row.state), row.version, row.chain))
        await self.policies.learn(conn, {kept.now.policy_version for kept in book.complaints.values()})
        moved = [i.payload.complaint_id for i in inputs if isinstance(i.payload, (Merge, Split))]
        if moved:
            book.heard = await reading.heard(conn, moved)
        wanted = sum(isinstance(i.payload, (ContactCaptured, *MAY_OPEN)) for i in inputs)
        contacts = {i.payload.contact_id for i in inputs if isinstance(i.payload, ContactCaptured)}
        if contacts:
            book.waiting = await early.found(conn, contacts)
        if wanted:
            book.fresh = await self._free(conn, wanted)
        zone = self.policies.current.calendar("default").time_zone
        visited = _visited(book, now)
        book.people = await agents.people(conn, _agents_of(book, inputs), zone, now, visited)
        for one in due:
            if not reading.is_id(one.subject_id):
                book.held[one.subject_id[36:]] = await agents.held(conn, one.subject_id[36:], one.subject_id[:36])
        return book

    async def _since(self, conn: AsyncConnection, inputs: Sequence[Input[Book]], now: datetime) -> datetime:
        """What was closed before this does not matter to any of the inputs."""
        policy = self.policies.current
        # a contact may be told of so much later than it was made
        window = max(policy.repeat_within.delta, policy.reopen_within.delta) + policy.accept_late.delta
        classified = [i.payload.complaint_id for i in inputs if isinstance(i.payload, Classify)]
        if not classified:
            return now - window
        # what is classified may repeat what was closed long ago: the window counts from its own first contact
        first: datetime | None = await conn.scalar(_first_contact, {"ids": classified})
        return min(now, first or now) - window

    async def _free(self, conn: AsyncConnection, wanted: int) -> list[tuple[str, str]]:
        """New ids with a reference that nobody has. What another transaction takes meanwhile fails on the unique
        index, and the corridor does the set again with new ids."""
        offered = {complaint_id: candidates(complaint_id) for complaint_id in (new_id() for _ in range(wanted))}
        asked = [reference for references in offered.values() for reference in references]
        taken = set((await conn.execute(_taken, {"references": asked})).scalars())
        found: list[tuple[str, str]] = []
        for complaint_id, references in offered.items():
            reference = next((one for one in references if one not in taken), None)
            if reference is None:
                raise RuntimeError("every reference that this complaint may have is taken")
            taken.add(reference)
            found.append((complaint_id, reference))
        return found[::-1]  # taken from the end: ids are handed out in order

    async def save(self, conn: AsyncConnection, book: Book, work: Work) -> None:
        """Writes the complaints that changed, notes agents that are new, forgets the words of erased customers."""
        rows = [row_of(kept) for kept in book.complaints.values() if kept.changed]
        await insert_many(conn, tables.complaints, rows, conflict=("id",), update=True)
        for agent_id, given in book.told_of:
            await agents.put(conn, agent_id, given)
        work.write(tables.pauses, book.pauses)
        kept = [early.row_of(one, work.now) for one in book.too_early]
        await insert_many(conn, tables.early_responses, kept, conflict=("contact_id", "response_id"))
        if book.answered_early:
            await early.forget(conn, book.answered_early)
        if book.agents:
            named = [{"id": agent_id} for agent_id in sorted(book.agents)]
            if await insert_many(conn, tables.agents, named, conflict=("id",), returning=("id",)):
                work.ring(AGENTS_BELL)
        await book.kin.save(conn, tables.kin)
        if book.erased:
            await conn.execute(_forget, {"customers": sorted(book.erased)})


def _agents_of(book: Book, inputs: Sequence[Input[Book]]) -> set[str]:
    """Everybody whom a decision on these inputs may be about."""
    ids: set[str | None] = set()
    for one in inputs:
        ids.update(getattr(one.payload, name, None) for name in _NAMED)
    acted = {one.payload.complaint_id for one in inputs if isinstance(one.payload, Act)}
    for kept in book.complaints.values():
        state = kept.now
        # an act may open a closed one again: its owner must be known to be there
        if state.status != "closed" or state.running(FOLLOW_UP) or kept.id in acted:
            ids.update((state.owner_id, state.deputy.agent_id if state.deputy else None))
            ids.update(helper.helper_id for helper in state.helpers)
            ids.add(state.follow_up.agent_id if state.follow_up else None)
    return {one for one in ids if one}


def _visited(book: Book, now: datetime) -> set[str]:
    """Owners of complaints after whose closing a visit has come due: their superiors may have to make it."""
    states = [kept.now for kept in book.complaints.values()]
    due = [one for one in states if (clock := one.running(FOLLOW_UP)) is not None and clock.due_at <= now]
    return {one.owner_id for one in due if one.owner_id is not None}


def row_of(kept: Kept[Complaint]) -> dict[str, Any]:
    """The row of a complaint: its state, and what lists are asked by."""
    state = kept.now
    return {
        "id": state.id,
        "reference": state.reference,
        "customer_id": state.customer_id,
        "status": state.status,
        "basis": state.basis,
        "owner_id": state.owner_id,
        "cause": state.cause,
        "departure_threat": state.departure_threat,
        "deputy_id": state.deputy and state.deputy.agent_id,
        "succession_asked": state.succession is not None and state.status != "closed",
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "owed_at": owed_at(state),
        "late": late(state),
        "worded": True,
        "version": kept.version,
        "chain": kept.chain,
        "state": to_json(state),
    }
