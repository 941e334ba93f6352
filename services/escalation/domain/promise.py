"""A promise: the state of one, and how each event changes it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Event
from shared.contracts.escalation import (
    BreachTakenBack,
    PromiseActionDone,
    PromiseActionMissed,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
)


class Action(BaseModel):
    """Something to be done so that it cannot happen again; its words are kept apart."""

    model_config = ConfigDict(frozen=True)

    n: int
    owner_id: str | None
    due_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    missed_at: datetime | None = None


class Promise(BaseModel):
    """One promise. `standing` counts the breaches that nobody has taken back."""

    model_config = ConfigDict(frozen=True)

    id: str
    reference: str
    customer_id: str
    made_by: str
    level: int
    complaint_id: str | None
    escalation_id: str | None
    cause: str
    product: str | None
    scope: Literal["customer", "everyone"]
    actions: tuple[Action, ...]
    watch_until: datetime
    status: Literal["watching", "kept", "broken"] = "watching"
    made_at: datetime
    kept_at: datetime | None = None
    standing: int = 0

    @property
    def watched_until(self) -> datetime | None:
        """The end of the watch: an action that is late holds it open, None while one is undone."""
        done = [action.done_at for action in self.actions if action.done_at is not None]
        return max([self.watch_until, *done]) if len(done) == len(self.actions) else None

    def action(self, n: int) -> Action | None:
        """The action with this number."""
        return next((action for action in self.actions if action.n == n), None)


def evolve(state: Promise | None, event: Event) -> Promise:
    """The promise after `event`."""
    if isinstance(event, PromiseMade):
        return _made(event)
    assert state is not None
    match event:
        case PromiseActionDone():
            return _acted(state, event.n, {"done_at": event.at, "done_by": event.by_id})
        case PromiseActionMissed():
            return _acted(state, event.n, {"missed_at": event.at})
        case PromiseBroken():
            return state.model_copy(update={"standing": state.standing + 1, "status": "broken"})
        case BreachTakenBack():
            standing = state.standing - 1
            status = "broken" if standing else ("kept" if state.kept_at else "watching")
            return state.model_copy(update={"standing": standing, "status": status})
        case PromiseKept():
            return state.model_copy(update={"status": "kept", "kept_at": event.at})
    raise TypeError(f"{type(event).__name__} is no event of a promise")


def _made(event: PromiseMade) -> Promise:
    return Promise(
        id=event.promise_id,
        reference=event.reference,
        customer_id=event.customer_id,
        made_by=event.made_by,
        level=event.level,
        complaint_id=event.complaint_id,
        escalation_id=event.escalation_id,
        cause=event.cause,
        product=event.product,
        scope=event.scope,
        actions=tuple(Action(n=one.n, owner_id=one.owner_id, due_at=one.due_at) for one in event.actions),
        watch_until=event.watch_until,
        made_at=event.made_at,
    )


def _acted(state: Promise, n: int, told: dict[str, object]) -> Promise:
    actions = tuple(one.model_copy(update=told) if one.n == n else one for one in state.actions)
    return state.model_copy(update={"actions": actions})
