"""How trouble reaches an executive: one waiting escalation of a complaint, which reasons join and lift."""

from __future__ import annotations

from services.escalation.domain.climbing import Cause, decide_join, decide_passed_over, decide_raise, decide_time
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.ladder import Ladder, written_to
from services.escalation.domain.mail import MailOrder, RecipientKind, mail_id
from services.escalation.handlers.telling import press
from services.escalation.store import Book
from shared.contracts.envelope import new_id
from shared.work import Kept, Work


def agent_or_supervisors(book: Book, agent_id: str | None) -> list[tuple[RecipientKind, str]]:
    """To whom something goes that an agent is to do: the agent who is named, else the policy's supervisors."""
    if agent_id:
        return [("agent", agent_id)]
    return [("address", one) for one in book.policies.current.supervisors]


def ladder_of(book: Book, state: Escalation) -> Ladder:
    """The ladder of an escalation: the times it was raised under, the people of today and what reaches them."""
    return Ladder(book.policies.of(state.policy_version), book.policies.current, book.reach)


def raise_or_join(book: Book, work: Work, complaint: Complaint, cause: Cause) -> None:
    """Raises an escalation of this complaint, or lets the cause join the one that waits; the step stands."""
    kept, before = joined(book, work, complaint, cause)
    stand(book, work, kept, before)


def joined(book: Book, work: Work, complaint: Complaint, cause: Cause) -> tuple[Kept[Escalation], int]:
    """The escalation that a cause has raised or joined, and how many steps were made before: its step does not `stand`
    yet. One is open at a time: a cause joins that which waits, else that whose answer has not reached the customer."""
    kept = book.waiting(complaint.id) or book.undelivered(complaint.id)
    if kept is not None:
        on_time(book, work, kept)
    before = kept.now.steps_made if kept else 0
    if kept is None:
        kept = Kept(new_id(), complaint.customer_id)
        for event in decide_raise(kept.id, complaint, cause, work.now, book.policies.current):
            book.say_escalation(work, kept, event)
        book.open_escalation(kept, complaint.id)
    else:
        for event in decide_join(kept.now, cause, work.now, ladder_of(book, kept.now)):
            book.say_escalation(work, kept, event)
            press(book, work, kept.now)
    if kept.now.steps_made > before:
        pass_over(book, work, kept)
    return kept, before


def raise_later(book: Book, work: Work, delivered: Escalation) -> None:
    """The customer has the answer: what came after it was given is raised now. `delivered` is as it was before that."""
    complaint = book.complaint(delivered.complaint_id, delivered.customer_id)
    for one in delivered.later:
        cause = Cause(
            one.reason,
            one.level,
            contact_id=one.contact_id,
            promise_id=one.promise_id,
            executive_id=one.executive_id,
        )
        raise_or_join(book, work, complaint, cause)


def answered_back(book: Book, work: Work, complaint: Complaint, earlier: str | None = None) -> bool:
    """The customer's no to an executive's answer goes to the same executive, on the level where they stand; for a
    delegate without an address here, to whoever named them. `earlier`: the complaint that this one follows.

    False where no executive has answered.
    """
    given = book.last_answer(earlier or complaint.id)
    if given is None:
        return False
    policy = book.policies.current
    named = written_to(policy, given.executive_id)
    level = Ladder(policy, policy).level_of(named) or given.level
    raise_or_join(book, work, complaint, Cause("asked", level, executive_id=named))
    return True


def on_time(book: Book, work: Work, kept: Kept[Escalation]) -> None:
    """Takes the ladder to where time says it stands, before anything else happens to it: after an outage an act or an
    event may be earlier here than the deadline that it follows."""
    before = kept.now.steps_made
    for event in decide_time(kept.now, work.now, ladder_of(book, kept.now)):
        book.say_escalation(work, kept, event)
    if kept.now.steps_made > before:
        book.overtaken.add(kept.id)
        pass_over(book, work, kept)
        stand(book, work, kept, before)


def pass_over(book: Book, work: Work, kept: Kept[Escalation]) -> None:
    """Goes on to somebody who can be written to, where whoever is asked is known not to be; the step does not `stand`
    yet."""
    for event in decide_passed_over(kept.now, work.now, ladder_of(book, kept.now)):
        book.say_escalation(work, kept, event)


def stand(book: Book, work: Work, kept: Kept[Escalation], before: int) -> None:
    """Sets the deadline of the step that stands, and writes to whoever is newly asked.

    A step whose time is over by now (an outage) is on the record, but nobody is written to about it.
    """
    state = kept.now
    waiting = state.status == "waiting"
    work.set_timer("ladder", kept.id, kept.customer_id, state.due_at if waiting else None)
    if waiting and state.steps_made > before and state.due_at > work.now:
        book.order(ask_order(state, work))


def ask_order(state: Escalation, work: Work) -> MailOrder:
    """The mail that asks the addressee for their words."""
    step = state.step
    return MailOrder(
        id=mail_id("ask", state.id, step.n, step.executive_id),
        kind="ask",
        customer_id=state.customer_id,
        recipient_kind="executive",
        recipient_id=step.executive_id,
        ordered_at=work.now,
        complaint_id=state.complaint_id,
        escalation_id=state.id,
        promise_id=state.promise_id,
        step=step.n,
        level=step.level,
        due_at=step.due_at,
        contact_id=state.contact_id,
    )
