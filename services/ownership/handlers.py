"""One function per event, act or due time: look up, decide, announce. What they decide by is in `domain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.ownership import domain
from services.ownership.domain.acts import Act, PutAgent
from services.ownership.domain.state import Complaint
from services.ownership.domain.story import Story, Told
from services.ownership.store import MOST_HELD, Book, pause_row
from shared.contracts.envelope import Event, full_type
from shared.contracts.escalation import (
    EscalationAnswered,
    EscalationClimbed,
    EscalationDelivered,
    EscalationEvent,
    EscalationForwarded,
    EscalationRaised,
    EscalationRepeated,
    ReasonJoined,
)
from shared.contracts.intake import ContactCaptured, ContactHeardAgain, ContactResponded, CustomerErased, CustomerMerged
from shared.contracts.ownership import OwnerAssigned, OwnerSucceeded, Paused
from shared.policy import Policy
from shared.refusal import Refusal
from shared.timers import Due
from shared.work import Input, Kept, Work

#: the one deadline that a complaint has: its next moment
TIMER: Final = "clock"
#: a complaint is to be looked at, because something was said of its owner or deputy
LOOK: Final = "people"
#: what an agent holds is to be looked at, from a complaint on; and once more a little later
HELD: Final = "agent"
AGAIN: Final = "agent_again"
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
#: longer than any transaction lasts: what was opened with what was known before has been committed by then
_LATER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Done:
    """A complaint after an act, with the names of the agents it concerns."""

    state: Complaint
    version: int
    at: datetime
    names: dict[str, str | None]
    #: what the agent who acted is to the complaint
    acted_as: str | None = None


def _policy(book: Book, state: Complaint) -> Policy:
    return book.policies.of(state.policy_version)


def _folded(told: Told) -> Callable[[Complaint | None, Any], Complaint]:
    # the story has folded this event already, by the same `evolve`: folding is most of the work, and not done twice
    return lambda _state, _event: told.after


def _announce(book: Book, work: Work, kept: Kept[Complaint], story: Story) -> None:
    """Says what was told, folded as it was decided, sees that somebody can act, sets the complaint's next moment."""
    current = book.policies.current
    domain.keep_manned(story, book.people, _policy(book, story.state), current, work.now)
    for told in story.told:
        work.announce(kept, told.event, _folded(told), by=told.by, why=told.why, note=told.note)
        if isinstance(told.event, OwnerAssigned):
            book.agents.add(told.event.owner_id)
        elif isinstance(told.event, OwnerSucceeded):
            book.agents.add(told.event.to_id)
        elif isinstance(told.event, Paused):
            book.pauses.append(pause_row(kept.id, kept.version, told.event))
    if story.told:
        _set_moment(book, work, kept)


def _set_moment(book: Book, work: Work, kept: Kept[Complaint]) -> None:
    moments = domain.next_moment(kept.now), domain.next_look(kept.now, book.people, book.policies.current, work.now)
    due_at = min((at for at in moments if at is not None), default=None)
    work.set_timer(TIMER, kept.id, kept.customer_id, due_at)


def _states(kept: Sequence[Kept[Complaint]]) -> list[Complaint]:
    return [one.now for one in kept]


def on_contact(book: Book, work: Work, contact: ContactCaptured) -> None:
    """A customer said something: it ends pauses, and joins a complaint or opens one. What was said in answer to it, and
    was heard of before it, counts now."""
    _take_contact(book, work, contact)
    _count_early(book, work, contact)


def _count_early(book: Book, work: Work, contact: ContactCaptured) -> None:
    """Answers that came before their contact; to one that opens nothing they wait on, for more may be heard in it."""
    if any(contact.contact_id in one.now.contacts for one in book.of_person(contact.customer_id)):
        for response in book.responses_to(contact.contact_id):
            _take_response(book, work, response)


def _take_contact(book: Book, work: Work, contact: ContactCaptured) -> None:
    theirs = book.of_person(contact.customer_id)
    if any(contact.contact_id in one.now.contacts for one in theirs):
        return  # the contact has had its effect under another event
    for kept in theirs:
        if kept.now.pause is not None:
            story = domain.decide_customer_contact(kept.now, contact, work.now, _policy(book, kept.now))
            _announce(book, work, kept, story)
    _take_in(book, work, contact)


def on_heard_again(book: Book, work: Work, contact: ContactHeardAgain) -> None:
    """More was heard in a contact: it may open a complaint now; in one that is not closed, its threat may be news."""
    theirs = book.of_person(contact.customer_id)
    held = next((kept for kept in theirs if contact.contact_id in kept.now.contacts), None)
    if held is None:
        _take_in(book, work, contact)
        _count_early(book, work, contact)
    elif held.now.status != "closed":
        _announce(book, work, held, domain.decide_heard_again(held.now, contact, work.now))


def _take_in(book: Book, work: Work, contact: ContactCaptured) -> None:
    states = _states(book.of_person(contact.customer_id))
    joined = domain.joins(contact, states)
    if joined is not None:
        state, because = joined
        kept = book.complaints[state.id]
        _announce(book, work, kept, domain.decide_joining(state, because, contact, work.now, _policy(book, state)))
        return
    complaint_id, reference = book.fresh.pop()
    opened = domain.decide_opening(
        contact, states, work.now, book.policies.current, complaint_id=complaint_id, reference=reference
    )
    if opened is not None:
        _announce_story(book, work, opened)


def on_response(book: Book, work: Work, response: ContactResponded) -> None:
    """A human answered the customer; where the contact is not known here, it may be on its way."""
    if not _take_response(book, work, response):
        book.keep_response(response)


def _take_response(book: Book, work: Work, response: ContactResponded) -> bool:
    theirs = _states(book.of_person(response.customer_id))
    state = domain.answered_by(response, theirs)
    if state is not None:
        story = domain.decide_response(state, response, work.now, _policy(book, state))
        _announce(book, work, book.complaints[state.id], story)
        return True
    late = domain.decide_response_to_closed(response, theirs, work.now)
    if late is not None:
        _announce(book, work, book.complaints[late.state.id], late)
    return late is not None


def _of_escalation(decision: Callable[[Story, Any, Policy, datetime], None]) -> Callable[..., None]:
    def handler(book: Book, work: Work, told: EscalationEvent) -> None:
        kept = book.complaints.get(told.complaint_id)
        if kept is None:
            return
        story = Story(kept.now, people=book.people)
        decision(story, told, _policy(book, kept.now), work.now)
        if story.told:
            _announce(book, work, kept, story)

    return handler


#: somebody above is asked, has answered, has been heard by the customer
on_executive_asked: Final = _of_escalation(domain.executive_asked)
on_executive_replied: Final = _of_escalation(domain.executive_replied)
on_executive_answered: Final = _of_escalation(domain.executive_answered)


def on_erased(book: Book, _work: Work, erased: CustomerErased) -> None:
    """The customer's words are forgotten: comments, reasons and texts in the journal."""
    book.erased.add(erased.customer_id)


def on_merged(book: Book, work: Work, event: CustomerMerged) -> None:
    """Two ids are one person's, or are no longer: what is open under either may repeat what came under the other, or
    does no longer."""
    if not book.kin.tell(event):
        return
    policies = book.policies
    for customer_id in event.also_concerns:
        theirs = book.of_person(customer_id)
        for story in domain.judge_person(_states(theirs), policies.of, work.now):
            _announce_story(book, work, story)


def when_due(book: Book, work: Work, due: Due) -> None:
    """A complaint's next moment has come; perhaps several have."""
    kept = book.complaints.get(due.subject_id)
    if kept is None:
        return
    story = Story(kept.now, people=book.people)
    domain.work_through(story, _policy(book, kept.now), work.now, work.now)
    _announce(book, work, kept, story)
    if not story.told:  # its deadline was taken off the list: it is put back where it belongs
        _set_moment(book, work, kept)


def when_held(book: Book, work: Work, due: Due) -> None:
    """Something was said of an agent: each complaint that they hold is looked at, under its own customer's lock."""
    cursor, agent_id = due.subject_id[:36], due.subject_id[36:]
    for complaint_id, customer_id in book.held[agent_id]:
        work.set_timer(LOOK, complaint_id, customer_id, work.now)
        cursor = complaint_id
    if len(book.held[agent_id]) >= MOST_HELD:
        work.set_timer(HELD, cursor + agent_id, due.customer_id, work.now)
    if due.kind == HELD and due.subject_id.startswith(_FIRST):
        work.set_timer(AGAIN, due.subject_id, due.customer_id, work.now + _LATER)


def on_act(book: Book, work: Work, act: Act) -> Done | Refusal:
    """Somebody acts on a complaint."""
    kept = book.complaints.get(act.complaint_id)
    if kept is None:
        return Refusal("not-found", "There is no such complaint.", 404)
    others = [one.now for one in book.of_person(kept.customer_id) if one.id != kept.id]
    policies = book.policies
    around = domain.Around(others, policies.current, policies.of, book.fresh.pop, book.people, book.heard)
    story, refusal = domain.decide(kept.now, act, work.now, _policy(book, kept.now), around)
    _announce(book, work, kept, story)
    for other in story.also:
        _announce_story(book, work, other)
    names = {one.id: one.name for one in (*book.people.known.values(), *book.people.colleagues)}
    if refusal is not None:
        return _with_name(refusal, names)
    asked = book.complaints[(story.answer or story).state.id]
    return Done(asked.now, asked.version, work.now, names, domain.acted_as(act, story))


def _announce_story(book: Book, work: Work, story: Story) -> None:
    """What is told of a complaint that may be opened by it."""
    known = book.complaints.get(story.state.id)
    kept: Kept[Complaint] = known or Kept(story.state.id, story.state.customer_id)
    _announce(book, work, kept, story)
    if known is None:
        book.add(kept)


def agent_lock(agent_id: str) -> str:
    """What stands for the customer where something is about an agent: no two changes of one agent at once."""
    return f"agent:{agent_id}"


def on_agent(book: Book, work: Work, told: PutAgent) -> None:
    """Somebody is said to be active, absent, a superior's, and so on."""
    book.told_of.append((told.agent_id, told.given))
    if told.matters:
        work.set_timer(HELD, _FIRST + told.agent_id, agent_lock(told.agent_id), work.now)


def _with_name(refusal: Refusal, names: dict[str, str | None]) -> Refusal:
    state = refusal.members.get("state")
    if state is None or state["owner"] is None:
        return refusal
    owner = {"id": state["owner"]["id"], "name": names.get(state["owner"]["id"])}
    return replace(refusal, members={**refusal.members, "state": {**state, "owner": owner}})


def due_input(due: Due) -> Input[Book]:
    """What a sweep makes of a deadline."""
    return Input(due.customer_id, due, when_held if due.kind in (HELD, AGAIN) else when_due)


#: events that this service takes, from whichever topic
EVENTS: Final[dict[str, tuple[type[Event], Callable[[Any, Any, Any], Any]]]] = {
    full_type(ContactCaptured): (ContactCaptured, on_contact),
    full_type(ContactHeardAgain): (ContactHeardAgain, on_heard_again),
    full_type(ContactResponded): (ContactResponded, on_response),
    full_type(CustomerMerged): (CustomerMerged, on_merged),
    full_type(CustomerErased): (CustomerErased, on_erased),
    full_type(EscalationRaised): (EscalationRaised, on_executive_asked),
    full_type(ReasonJoined): (ReasonJoined, on_executive_asked),
    full_type(EscalationClimbed): (EscalationClimbed, on_executive_asked),
    full_type(EscalationForwarded): (EscalationForwarded, on_executive_asked),
    full_type(EscalationRepeated): (EscalationRepeated, on_executive_asked),
    full_type(EscalationAnswered): (EscalationAnswered, on_executive_replied),
    full_type(EscalationDelivered): (EscalationDelivered, on_executive_answered),
}
