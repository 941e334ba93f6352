"""Reading without locks: lists, single things, and what mail and page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Select, Text, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.promise import Promise
from services.escalation.store import mails, shapes
from services.escalation.store.tables import (
    among,
    answers,
    breaches,
    complaints,
    contacts,
    escalations,
    kin_of,
    promises,
)
from shared.policy import Policies

#: earlier answers that a new one is compared with: those that share most with it
MOST_EARLIER = 60
#: breaches of one promise that are shown, the latest
MOST_BREACHES = 200


@dataclass(frozen=True, slots=True)
class EscalationView:
    """All of this service that mail and page show of an escalation."""

    escalation: dict[str, Any]
    complaint: Complaint
    #: answers to this complaint, the oldest first
    answers: list[dict[str, Any]]
    #: promises on the complaint's cause: to this customer or everyone, and the one it is about; the newest first
    promises: list[dict[str, Any]]


async def escalation_list(
    conn: AsyncConnection,
    policies: Policies,
    *,
    limit: int,
    after: str | None = None,
    status: str | None = None,
    level: int | None = None,
    executive_id: str | None = None,
    customer_id: str | None = None,
    complaint_id: str | None = None,
) -> list[dict[str, Any]]:
    """Escalations, the newest first, older than `after`; `executive_id` is whoever is being asked."""
    statement = select(escalations).order_by(escalations.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(escalations.c.id < after)
    given = {"status": status, "level": level, "executive_id": executive_id, "complaint_id": complaint_id}
    statement = await _whose(conn, _matching(statement, escalations, given), escalations, customer_id)
    return await _escalations(conn, statement, policies)


async def escalation_of(conn: AsyncConnection, policies: Policies, escalation_id: str) -> dict[str, Any] | None:
    """One escalation, None if there is none."""
    found = await _escalations(conn, select(escalations).where(escalations.c.id == escalation_id), policies)
    return found[0] if found else None


async def statuses(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """The status of each of these escalations."""
    found = await conn.execute(
        select(escalations.c.id, escalations.c.status).where(escalations.c.id == among("i", ids))
    )
    return {row.id: row.status for row in found}


def _matching(statement: Select[Any], table: Any, given: dict[str, Any]) -> Select[Any]:
    for name, value in given.items():
        if value is not None:
            statement = statement.where(table.c[name] == value)
    return statement


async def _whose(conn: AsyncConnection, statement: Select[Any], table: Any, customer_id: str | None) -> Select[Any]:
    """Only what is under one of the ids of whoever has this one."""
    if customer_id is None:
        return statement
    ids = await kin_of.of(conn, customer_id)
    # most have one id: then it is found as ever
    return statement.where(
        table.c.customer_id == ids[0] if len(ids) == 1 else table.c.customer_id == among("whose", ids)
    )


async def _escalations(conn: AsyncConnection, statement: Select[Any], policies: Policies) -> list[dict[str, Any]]:
    rows = (await conn.execute(statement)).all()
    states = [Escalation.model_validate(row.state) for row in rows]
    if not states:
        return []
    known = await _complaints(conn, [state.complaint_id for state in states])
    given = [state.answer.id for state in states if state.answer]
    words: dict[str, Any] = {}
    carried: dict[str, Any] = {}
    if given:
        found = await conn.execute(
            select(answers.c.id, answers.c.text, answers.c.stay, answers.c.redress).where(
                answers.c.id == among("ids", given)
            )
        )
        words = {row.id: {"text": row.text, "stay": row.stay, "redress": row.redress} for row in found}
        carried = await mails.carried(conn, [state.id for state in states if state.answer])
    return [
        shapes.escalation(
            state,
            row.delivery,
            policies,
            complaint=known.get(state.complaint_id),
            words=words.get(state.answer.id) if state.answer else None,
            carried=carried.get(state.answer.id) if state.answer else None,
        )
        for state, row in zip(states, rows, strict=True)
    ]


async def _complaints(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Complaint]:
    rows = await conn.execute(select(complaints.c.id, complaints.c.facts).where(complaints.c.id == among("ids", ids)))
    return {row.id: Complaint.model_validate(row.facts) for row in rows}


async def promise_list(
    conn: AsyncConnection,
    *,
    limit: int,
    after: str | None = None,
    status: str | None = None,
    cause: str | None = None,
    customer_id: str | None = None,
    made_by: str | None = None,
    complaint_id: str | None = None,
) -> list[dict[str, Any]]:
    """Promises, the newest first, older than `after`."""
    statement = select(promises).order_by(promises.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(promises.c.id < after)
    given = {"status": status, "cause": cause, "made_by": made_by, "complaint_id": complaint_id}
    return await _promises(conn, await _whose(conn, _matching(statement, promises, given), promises, customer_id))


async def promise_of(conn: AsyncConnection, promise_id: str) -> dict[str, Any] | None:
    """One promise by its id or reference, None if there is none."""
    same = (promises.c.id == promise_id) | (promises.c.reference == promise_id)
    found = await _promises(conn, select(promises).where(same))
    return found[0] if found else None


async def _promises(conn: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    rows = (await conn.execute(statement)).all()
    if not rows:
        return []
    found = await breaches_of(conn, [row.id for row in rows])
    return [
        shapes.promise(Promise.model_validate(row.state), row.text, row.words, found.get(row.id, [])) for row in rows
    ]


async def breaches_of(conn: AsyncConnection, promise_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What broke these promises, the latest of each, in order."""
    place = func.row_number().over(partition_by=breaches.c.promise_id, order_by=breaches.c.at.desc()).label("place")
    ranked = (
        select(breaches, contacts.c.complaint_id, place)
        .outerjoin(contacts, contacts.c.id == breaches.c.contact_id)
        .where(breaches.c.promise_id == among("ids", promise_ids))
        .subquery()
    )
    statement = select(ranked).where(ranked.c.place <= MOST_BREACHES).order_by(ranked.c.at, ranked.c.contact_id)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await conn.execute(statement):
        found.setdefault(row.promise_id, []).append(
            {
                "contact_id": row.contact_id,
                "complaint_id": row.complaint_id,
                "customer_id": row.hurt_id,
                "at": row.at,
                "taken_back": _taken_back(row.taken_back),
            }
        )
    return found


def _taken_back(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    # times inside JSON are text; as times they are answered in one form
    return {**kept, "at": datetime.fromisoformat(kept["at"])} if kept else None


async def view(conn: AsyncConnection, policies: Policies, escalation_id: str) -> EscalationView | None:
    """What mail and page show of an escalation, None if there is none."""
    shown = await escalation_of(conn, policies, escalation_id)
    if shown is None:
        return None
    complaint_id, customer_id = shown["complaint_id"], shown["customer_id"]
    known = await _complaints(conn, [complaint_id])
    complaint = known.get(complaint_id) or Complaint(id=complaint_id, customer_id=customer_id)
    about_it = [complaint_id, *([complaint.follows] if complaint.follows else [])]
    given = await conn.execute(
        select(answers, escalations.c.state["answer"].label("kept"))
        .join(escalations, escalations.c.id == answers.c.escalation_id)
        .where(answers.c.complaint_id == among("about", about_it))
        .order_by(answers.c.number.asc())
    )
    ids = await kin_of.of(conn, customer_id)
    theirs = (promises.c.customer_id == among("whose", ids)) | (promises.c.scope == "everyone")
    state = Escalation.model_validate(
        (await conn.execute(select(escalations.c.state).where(escalations.c.id == escalation_id))).scalar_one()
    )
    about = theirs & (promises.c.cause == complaint.cause)
    about |= promises.c.complaint_id == complaint_id
    if state.promise_id:
        about |= promises.c.id == state.promise_id
    listed = await _promises(conn, select(promises).where(about).order_by(promises.c.id.desc()).limit(20))
    return EscalationView(shown, complaint, [_answer(row) | _kept(row.kept) for row in given], listed)


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    return {"delivered": answer["delivered_at"] is not None, "promise_id": answer["promise_id"]}


def _answer(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "escalation_id": row.escalation_id,
        "executive_id": row.executive_id,
        "delegate_of": row.delegate_of,
        "text": row.text,
        "apology": row.apology,
        "stay": row.stay,
        "redress": row.redress,
        "given_at": row.given_at,
    }


async def answer_of(conn: AsyncConnection, answer_id: str) -> dict[str, Any] | None:
    """One answer in words, None if there is none."""
    row = (await conn.execute(select(answers).where(answers.c.id == answer_id))).one_or_none()
    return _answer(row) if row else None


async def complaint_of(conn: AsyncConnection, complaint_id: str) -> Complaint | None:
    """What is known here of a complaint."""
    return (await _complaints(conn, [complaint_id])).get(complaint_id)


async def references(conn: AsyncConnection, complaint_ids: Sequence[str]) -> dict[str, str]:
    """The references of complaints, where they are known here."""
    known = await _complaints(conn, list(dict.fromkeys(complaint_ids)))
    return {name: one.reference for name, one in known.items() if one.reference}


async def earlier_answers(
    conn: AsyncConnection, complaint_id: str, sketch: Sequence[str], most: int = MOST_EARLIER
) -> tuple[list[str], int]:
    """Answers to other complaints that share pieces with this one, of any age, those that share most first; and the
    number of the last answer of all: what came later is compared under the lock."""
    last = (await conn.execute(select(func.coalesce(func.max(answers.c.number), 0)))).scalar_one()
    pieces = bindparam("pieces", list(sketch), type_=ARRAY(Text))
    piece = func.jsonb_array_elements_text(answers.c.sketch).table_valued("value").render_derived(name="piece")
    count = select(func.count()).select_from(piece).where(piece.c.value == any_(pieces))
    shared = count.correlate(answers).scalar_subquery()
    others = (answers.c.complaint_id != complaint_id) & answers.c.text.is_not(None)
    statement = (
        select(answers.c.text)
        .where(answers.c.sketch.has_any(pieces), answers.c.number <= last, others)
        .order_by(shared.desc(), answers.c.number.desc())
        .limit(most)
    )
    return [row.text for row in await conn.execute(statement)], int(last)


async def place_of_escalation(conn: AsyncConnection, escalation_id: str) -> tuple[str, str] | None:
    """(customer, complaint) of an escalation: whose lock an act needs. None if there is none."""
    statement = select(escalations.c.customer_id, escalations.c.complaint_id).where(escalations.c.id == escalation_id)
    row = (await conn.execute(statement)).one_or_none()
    return (row.customer_id, row.complaint_id) if row else None


async def customer_of_promise(conn: AsyncConnection, promise_id: str) -> str | None:
    """Whom a promise was made to; None if there is none."""
    statement = select(promises.c.customer_id).where(promises.c.id == promise_id)
    found: str | None = (await conn.execute(statement)).scalar_one_or_none()
    return found
