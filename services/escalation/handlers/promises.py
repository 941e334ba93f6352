"""Promises: made, and their actions done."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.escalation import canned
from services.escalation.domain.acts import ActionDone, PromiseGiven
from services.escalation.domain.answering import unknown_executive
from services.escalation.domain.ladder import Ladder, known
from services.escalation.domain.promise import Promise
from services.escalation.domain.promising import PromiseWanted, decide_done, decide_promise
from services.escalation.handlers.watching import tend
from services.escalation.store import Book
from services.escalation.store.book import Words
from shared.contracts.envelope import new_id
from shared.contracts.escalation import PromiseEvent
from shared.refusal import Refusal
from shared.work import Kept, Work

#: longer than any transaction may take
LOOK_BACK = timedelta(seconds=60)
#: what is asked of a promise that repeats a broken one
NEW_WORDS = "must not repeat a promise that was broken"
#: no letters or digits that are read for one another
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise after an act."""

    promise: Promise


def new_reference() -> str:
    """`P-` and five signs; the database refuses one that is taken, and the work is then done again with another."""
    return "P-" + "".join(secrets.choice(_LETTERS) for _ in range(5))


def lay_down(
    book: Book,
    work: Work,
    promise_id: str,
    customer_id: str,
    wanted: PromiseWanted,
    events: Sequence[PromiseEvent],
    *,
    by: str,
) -> Kept[Promise]:
    """Announces a promise, keeps its words, and begins its watch."""
    kept: Kept[Promise] = Kept(promise_id, customer_id)
    actions = {
        str(n): {"what": one.what, "owner": one.owner, "evidence": None}
        for n, one in enumerate(wanted.actions, start=1)
    }
    book.open_promise(kept, wanted.cause, Words(wanted.text, actions))
    for event in events:
        book.say_promise(work, kept, event, by=by, note={"text": wanted.text, "actions": actions})
    if wanted.scope == "everyone":
        # a contact taken in by now, under its customer's own lock, did not see this promise yet
        work.set_timer("look_back", kept.id, customer_id, work.now + LOOK_BACK)
    tend(book, work, kept)
    return kept


def said_before(book: Book, customer_id: str, made_by: str, wanted: PromiseWanted) -> Refusal | None:
    """A promise that was broken is not made again in the same words: not to whom it was made, nor by who made it."""
    broken = [
        one.text
        for one in book.broken
        if one.cause == wanted.cause
        and (one.customer_id in book.kin.of(customer_id) or one.scope == "everyone" or one.made_by == made_by)
    ]
    found = canned.alike(wanted.text, broken)
    if found.acceptable:
        return None
    return Refusal(
        "canned-answer",
        "This was promised before in nearly these words, and did not hold.",
        422,
        {"likeness": round(found.value, 3), "because": list(found.because)},
    )


def promise(book: Book, work: Work, given: PromiseGiven) -> Promised | Refusal:
    """A promise by itself: made to a customer, about one of their complaints or none."""
    policy = book.policies.current
    if not known(policy, given.made_by):
        return unknown_executive("/made_by")
    complaint = book.complaints.get(given.complaint_id) if given.complaint_id else None
    if given.complaint_id and (complaint is None or complaint.customer_id not in book.kin.of(given.customer_id)):
        return Refusal("unknown-complaint", "This customer has no such complaint.", 422).at(
            "/complaint_id", "must be a complaint of this customer"
        )
    if (refusal := said_before(book, given.customer_id, given.made_by, given.wanted)) is not None:
        return refusal.at("/text", NEW_WORDS)
    promise_id = new_id()
    decided = decide_promise(
        promise_id,
        new_reference(),
        given.made_by,
        given.customer_id,
        given.wanted,
        work.now,
        policy,
        region=complaint.region if complaint else None,
        level=Ladder(policy, policy).level_of(given.made_by) or 1,
        complaint_id=given.complaint_id,
    )
    if isinstance(decided, Refusal):
        return decided.at("/cause", "must be a cause of the policy")
    kept = lay_down(book, work, promise_id, given.customer_id, given.wanted, decided, by=given.made_by)
    return Promised(kept.now)


def action_done(book: Book, work: Work, act: ActionDone) -> Promised | Refusal:
    """An action is done, with its evidence; the last one may let the promise be kept."""
    kept = book.promises.get(act.promise_id)
    if kept is None:
        return Refusal("not-found", "There is no such promise.", 404)
    decided = decide_done(kept.now, act.n, act.by, work.now)
    if isinstance(decided, Refusal):
        return decided
    for event in decided:
        book.say_promise(work, kept, event, by=act.by, note={"evidence": act.evidence})
    words = book.words[kept.id]
    words.actions = {**words.actions, str(act.n): {**words.actions.get(str(act.n), {}), "evidence": act.evidence}}
    words.changed = True
    tend(book, work, kept)
    return Promised(kept.now)
