"""Answers, and forwarding to somebody else who answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.escalation import canned
from services.escalation.domain.acts import Checked, Forwarded, LinksRevoked
from services.escalation.domain.answering import Alike, AnswerGiven, decide_answer, told
from services.escalation.domain.climbing import decide_forward
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.ladder import delegator
from services.escalation.domain.mail import MailOrder, mail_id
from services.escalation.domain.promising import decide_promise
from services.escalation.handlers.promises import NEW_WORDS, lay_down, new_reference, said_before
from services.escalation.handlers.raising import ladder_of, on_time, stand
from services.escalation.store import Book
from services.escalation.store.book import Said
from shared.contracts.envelope import new_id
from shared.contracts.escalation import PromiseEvent
from shared.refusal import Refusal
from shared.work import Kept, Work


@dataclass(frozen=True, slots=True)
class Done:
    """An escalation after an act, its complaint, and what its mails came to."""

    escalation: Escalation
    complaint: Complaint
    delivery: dict[str, Any]


def done(book: Book, kept: Kept[Escalation]) -> Done:
    """What an act has made of an escalation."""
    state = kept.now
    return Done(state, book.complaint(state.complaint_id, state.customer_id), book.delivery.get(kept.id, {}))


def answer(book: Book, work: Work, given: AnswerGiven) -> Done | Refusal:
    """Takes an executive's own words: they go to the customer, and the promise in them is watched."""
    kept = book.escalations.get(given.escalation_id)
    if kept is None:
        return not_found()
    on_time(book, work, kept)
    state, policy = kept.now, book.policies.current
    complaint = book.complaint(state.complaint_id, state.customer_id)
    promise_id = new_id() if given.promise else None
    answer_id = new_id()
    decided = decide_answer(
        state,
        complaint,
        given,
        _alike(book, given, state),
        work.now,
        policy,
        answer_id=answer_id,
        promise_id=promise_id,
    )
    if isinstance(decided, Refusal):
        return decided
    promised: list[PromiseEvent] = []
    if given.promise and promise_id:
        # who answers for somebody promises for them: a breach goes back to where that person stands
        voice = delegator(policy, given.executive_id, state.meant) or given.executive_id
        made = decide_promise(
            promise_id,
            new_reference(),
            given.executive_id,
            state.customer_id,
            given.promise,
            work.now,
            policy,
            region=complaint.region,
            level=ladder_of(book, state).level_of(voice) or state.level,
            complaint_id=state.complaint_id,
            escalation_id=state.id,
        )
        if isinstance(made, Refusal):
            return made.at("/promise/cause", "must be a cause of the policy")
        if (refusal := said_before(book, state.customer_id, given.executive_id, given.promise)) is not None:
            return refusal.at("/promise/text", NEW_WORDS)
        promised = made
    for event in decided:
        book.say_escalation(work, kept, event, by=given.by or given.executive_id, note={"text": given.text})
    delegate_of = kept.now.answer.delegate_of if kept.now.answer else None
    book.answers.append(
        Said(
            answer_id,
            state.id,
            state.complaint_id,
            state.customer_id,
            given.executive_id,
            delegate_of,
            given.text,
            given.apology,
            given.stay_asked,
            given.stay,
            given.redress,
            work.now,
            canned.sketch(given.text),
        )
    )
    if given.promise and promise_id:
        lay_down(book, work, promise_id, state.customer_id, given.promise, promised, by=given.executive_id)
    book.withdraw(state.id)
    stand(book, work, kept, state.steps_made)
    book.order(_to_customer(kept.now, answer_id, work))
    return done(book, kept)


def _alike(book: Book, given: AnswerGiven, state: Escalation) -> Alike:
    """What the comparison with earlier answers gave, and with those that came while it was made."""
    alike = given.alike or Alike()
    if not alike.acceptable or not given.text.strip():
        return alike
    newer = [words for of, words in book.newer if of != state.complaint_id]
    newer += [said.text for said in book.answers if said.complaint_id != state.complaint_id]
    if given.alike is not None and not newer:
        return alike
    found = canned.likeness(given.text, newer)
    like = canned.refused_for(found, newer)
    return Alike(found.acceptable, max(found.value, alike.likeness), found.because, earlier=like)


def _to_customer(state: Escalation, answer_id: str, work: Work) -> MailOrder:
    return MailOrder(
        id=mail_id("answer", state.id, answer_id),
        kind="answer",
        customer_id=state.customer_id,
        recipient_kind="customer",
        recipient_id=state.customer_id,
        ordered_at=work.now,
        complaint_id=state.complaint_id,
        escalation_id=state.id,
        promise_id=state.answer.promise_id if state.answer else None,
        level=state.level,
        answer_id=answer_id,
    )


def checked(book: Book, work: Work, act: Checked) -> Alike:
    """Words that are only looked at, under a key by which the same question gets the same answer."""
    return act.alike


def forward(book: Book, work: Work, act: Forwarded) -> Done | Refusal:
    """Another executive is asked; the clock goes on."""
    kept = book.escalations.get(act.escalation_id)
    if kept is None:
        return not_found()
    on_time(book, work, kept)
    before = kept.now.steps_made
    decided = decide_forward(kept.now, act.to, act.by, work.now, book.policies.current, book.reach.marked)
    if isinstance(decided, Refusal):
        return Refusal(decided.slug, decided.detail, decided.status, {**decided.members, "state": told(kept.now)})
    book.withdraw(kept.id)
    book.revoked.append((kept.id, kept.now.executive_id))
    for event in decided:
        book.say_escalation(work, kept, event, by=act.by)
    stand(book, work, kept, before)
    return done(book, kept)


def revoke_links(book: Book, work: Work, act: LinksRevoked) -> Done | Refusal:
    """A mailbox is in wrong hands, or a mail was passed on: what was sent there opens nothing any more."""
    kept = book.escalations.get(act.escalation_id)
    if kept is None:
        return not_found()
    book.revoked.append((kept.id, act.executive_id))
    return done(book, kept)


def not_found() -> Refusal:
    """There is no such escalation."""
    return Refusal("not-found", "There is no such escalation.", 404)
