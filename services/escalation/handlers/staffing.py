"""Whoever is to help, stand in or follow an owner hears of it by mail; ownership decides who that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.escalation.domain.complaint import Complaint
from services.escalation.domain.mail import AGAIN, MailKind, MailOrder, RecipientKind, mail_id
from services.escalation.handlers.events import on_complaint
from services.escalation.handlers.raising import agent_or_supervisors
from services.escalation.store import Book
from shared.contracts import ownership
from shared.work import Work


def on_helper_asked(book: Book, work: Work, event: ownership.HelperAsked) -> None:
    """The helper reads the question."""
    complaint = on_complaint(book, work, event)
    book.order(_order(work, complaint, "question", "agent", event.helper_id, event, n=event.n, due_at=event.due_at))


def on_helper_reminded(book: Book, work: Work, event: ownership.HelperReminded) -> None:
    """The helper reads the question again."""
    complaint = on_complaint(book, work, event)
    order = _order(work, complaint, "question", "agent", event.helper_id, event, n=event.n, due_at=event.due_at)
    book.order(replace(order, why=AGAIN))


def on_helper_timed_out(book: Book, work: Work, event: ownership.HelperTimedOut) -> None:
    """The owner hears that nobody answered: it is theirs again to find out."""
    complaint = on_complaint(book, work, event)
    if event.owner_id is not None:
        book.order(_order(work, complaint, "unanswered", "agent", event.owner_id, event, n=event.n))


def on_deputy_started(book: Book, work: Work, event: ownership.DeputyStarted) -> None:
    """The deputy hears for whom they act, and until when."""
    complaint = on_complaint(book, work, event)
    book.order(_order(work, complaint, "deputy", "agent", event.deputy_id, event, due_at=event.until))


def on_succession_asked(book: Book, work: Work, event: ownership.SuccessionAsked) -> None:
    """Whoever is to accept is asked to; where nobody is named, the supervisors are asked to name somebody."""
    complaint = on_complaint(book, work, event)
    due_at = next((one.due_at for one in event.clocks if one.change == "started" and one.kind == "succession"), None)
    for kind, recipient in agent_or_supervisors(book, event.to_id):
        book.order(_order(work, complaint, "succession", kind, recipient, event, due_at=due_at))


def _order(
    work: Work,
    complaint: Complaint,
    kind: MailKind,
    recipient_kind: RecipientKind,
    recipient_id: str,
    event: ownership.ComplaintEvent,
    *,
    n: int = 0,
    due_at: datetime | None = None,
) -> MailOrder:
    return MailOrder(
        id=mail_id(kind, complaint.id, n, recipient_id, event.at.isoformat()),
        kind=kind,
        customer_id=complaint.customer_id,
        recipient_kind=recipient_kind,
        recipient_id=recipient_id,
        ordered_at=work.now,
        complaint_id=complaint.id,
        step=n,
        due_at=due_at,
    )
