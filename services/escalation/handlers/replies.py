"""Replies by mail go through the same door as every other answer; what is refused is told once, with why and the link.

What became of a mail that came in is written in the transaction of its effect: the same mail again does nothing.
"""

from __future__ import annotations

from typing import Any

from services.escalation.domain.mail import MailOrder, MailOutcome, mail_id
from services.escalation.domain.replying import MOST_REFUSALS, BounceCame, ReplyCame
from services.escalation.handlers.answers import answer
from services.escalation.handlers.mails import on_mail_outcome
from services.escalation.store import Book
from shared.refusal import Refusal
from shared.work import Work


def on_reply(book: Book, work: Work, came: ReplyCame) -> Any:
    """An executive replied to a mail. None where that was dealt with before."""
    arrival = book.arrivals.get(came.arrival_id)
    if arrival is None or arrival.settled:
        return None
    result = came.said if isinstance(came.said, Refusal) else answer(book, work, came.said)
    if not isinstance(result, Refusal):
        book.settle(came.arrival_id, "taken", "")
        return result
    book.settle(came.arrival_id, "refused", result.slug)
    if arrival.refused_before < MOST_REFUSALS:
        book.order(_refused(work, came, result))
    return result


def _refused(work: Work, came: ReplyCame, why: Refusal) -> MailOrder:
    """To the person who was asked, whoever the reply came from: nobody else's address is written to."""
    asked = came.order
    likeness = why.members.get("likeness")
    return MailOrder(
        id=mail_id("refused", asked.id, why.slug if came.doubtful else came.arrival_id),
        kind="refused",
        customer_id=asked.customer_id,
        recipient_kind=asked.recipient_kind,
        recipient_id=asked.recipient_id,
        ordered_at=work.now,
        complaint_id=asked.complaint_id,
        escalation_id=asked.escalation_id,
        level=asked.level,
        due_at=asked.due_at,
        about_mail_id=asked.id,
        why=why.slug,
        likeness=round(100 * likeness) if isinstance(likeness, float) else None,
    )


def on_bounce(book: Book, work: Work, came: BounceCame) -> None:
    """A mail came back: as if the server had refused it at once."""
    arrival = book.arrivals.get(came.arrival_id)
    if arrival is None or arrival.settled:
        return
    if came.last:
        book.settle(came.arrival_id, "bounced", came.status)
    detail = f"came back: {came.status}"
    on_mail_outcome(book, work, MailOutcome(came.mail_id, "permanent", work.now, detail, came_back=True))
