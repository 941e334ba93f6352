"""What became of a mail, and what follows from it."""

from __future__ import annotations

from services.escalation.domain.ladder import written_to
from services.escalation.domain.mail import MailOrder, MailOutcome
from services.escalation.handlers.delivering import given_up, on_answer_mail, on_confirm_mail, on_tell_mail
from services.escalation.handlers.reaching import cannot_reach, learn
from services.escalation.handlers.watching import chase_order
from services.escalation.store import Book
from shared.work import Work


def on_mail_outcome(book: Book, work: Work, outcome: MailOutcome) -> None:
    """One attempt is over. What is to be tried again changes nothing here: the ladder goes on meanwhile."""
    order = book.ordered.get(outcome.mail_id)
    if order is not None and order.kind == "answer":
        outcome = given_up(book, work, order, outcome)
    book.outcomes.append(outcome)
    if order is None or outcome.state not in ("accepted", "permanent"):
        return
    if order.recipient_kind == "executive":
        learn(book, work, order, outcome)
    if order.kind in ("ask", "breach", "refused") and order.recipient_kind == "executive":
        _executive(book, work, order, outcome)
    elif order.kind == "answer":
        on_answer_mail(book, work, order, outcome)
    elif order.kind == "confirm":
        on_confirm_mail(book, work, order, outcome)
    elif order.kind == "tell":
        on_tell_mail(book, work, order, outcome)
    elif order.kind == "chase" and outcome.state == "permanent":
        _through_promiser(book, work, order)


def _executive(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    kept = book.escalations.get(order.escalation_id or "")
    if kept is None:
        return
    if outcome.state == "accepted":
        if order.step:
            present = {str(step.n) for step in kept.now.steps}
            mailed = book.delivery.get(kept.id, {}).get("mailed", {})
            mailed = {n: at for n, at in mailed.items() if n in present}
            book.note_delivery(kept.id, mailed={**mailed, str(order.step): outcome.at})
        return
    cannot_reach(book, work, kept, order)


def _through_promiser(book: Book, work: Work, order: MailOrder) -> None:
    kept = book.promises.get(order.promise_id or "")
    by = written_to(book.policies.current, kept.now.made_by) if kept else None
    if kept is None or by is None or order.recipient_id == by:
        return
    action = kept.now.action(order.step)
    if action is not None and action.done_at is None:
        book.order(chase_order(kept.now, action.n, order.ordered_at, "executive", by, action.due_at, work.now))
