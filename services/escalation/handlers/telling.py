"""Who hears that a customer does not know an answer yet: the owner who is to tell it, those above them, its writer."""

from __future__ import annotations

from services.escalation.domain.escalation import Escalation
from services.escalation.domain.ladder import written_to
from services.escalation.domain.mail import MailOrder, RecipientKind, mail_id
from services.escalation.store import Book
from shared.work import Work


def ask_owner_to_tell(book: Book, work: Work, state: Escalation) -> None:
    """No mail can bring the answer: the owner is asked to; without an owner, whoever becomes it."""
    owner = owner_of(book, state)
    if owner is not None:
        _order(book, work, state, "agent", owner)


def tell_above(book: Book, work: Work, state: Escalation) -> None:
    """The supervisors of the policy; without them, the superior of whoever owns it; without an owner, the writer."""
    owner, supervisors = owner_of(book, state), book.policies.current.supervisors
    for one in supervisors:
        _order(book, work, state, "address", one)
    if not supervisors and owner is not None:
        _order(book, work, state, "superior", owner)
    if not supervisors and owner is None:
        tell_writer(book, work, state)


def tell_writer(book: Book, work: Work, state: Escalation) -> None:
    """Whoever wrote the answer hears that the customer has not."""
    if state.answer is not None:
        _order(book, work, state, "executive", written_to(book.policies.current, state.answer.executive_id))


def press(book: Book, work: Work, state: Escalation) -> None:
    """There is more trouble, which waits until the customer knows this answer, and no mail can bring it: those above
    hear of it now, and whoever wrote it."""
    if state.answer is not None and state.answer.failed is not None and state.later:
        tell_above(book, work, state)
        tell_writer(book, work, state)


def owner_of(book: Book, state: Escalation) -> str | None:
    """Who owns its complaint."""
    return book.complaint(state.complaint_id, state.customer_id).owner_id


def _order(book: Book, work: Work, state: Escalation, kind: RecipientKind, who: str) -> None:
    assert state.answer is not None
    times = state.answer.untold
    book.order(
        MailOrder(
            id=mail_id("tell", state.id, state.answer.id, kind, who, times),
            kind="tell",
            customer_id=state.customer_id,
            recipient_kind=kind,
            recipient_id=who,
            ordered_at=work.now,
            complaint_id=state.complaint_id,
            escalation_id=state.id,
            promise_id=state.answer.promise_id,
            step=times,
            level=state.level,
            answer_id=state.answer.id,
        )
    )
