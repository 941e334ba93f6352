"""What people send to escalation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from services.escalation.domain.promising import ActionWanted, PromiseWanted
from shared.calendars import Duration
from shared.fields import Body, Id, Instant, Invalid, Text

Words = Annotated[str, Text(20_000)]
#: an answer may be nothing at all: it is refused as none, like any other that is canned
Answered = Annotated[str, Text(20_000, blank=True)]


def _watch_for(value: Any) -> Any:
    if isinstance(value, str):
        try:
            duration = Duration.parse(value)
        except ValueError:
            raise Invalid("must be a duration such as 90s, 15m, 4h, 5d or 8w") from None
        if duration.amount == 0:
            raise Invalid("must be longer than nothing")
    return value


#: a duration as text
WatchFor = Annotated[str, BeforeValidator(_watch_for)]


class ActionBody(Body):
    """What will be done: `owner` is an agent id, an executive id or an e-mail address."""

    what: Annotated[str, Text(2_000)]
    owner: Id
    due_at: Instant


class PromiseBody(Body):
    """A promise, as part of an answer."""

    text: Words
    cause: Id
    product: Id | None = None
    scope: Literal["customer", "everyone"] = "customer"
    actions: Annotated[list[ActionBody], Field(max_length=50, default_factory=list)]
    watch_for: WatchFor | None = None

    def wanted(self) -> PromiseWanted:
        """The promise as the domain takes it."""
        return PromiseWanted(
            self.text,
            self.cause,
            self.product,
            self.scope,
            tuple(ActionWanted(one.what, one.owner, one.due_at) for one in self.actions),
            Duration.parse(self.watch_for) if self.watch_for else None,
        )


class NewPromise(PromiseBody):
    """A promise by itself."""

    made_by: Id
    customer_id: Id
    complaint_id: Id | None = None


class StayQuestion(Body):
    """What the customer said when asked what would make them stay."""

    asked: Literal[True]
    what_would_make_you_stay: Words


class AnswerBody(Body):
    """An executive's own words."""

    executive_id: Id
    text: Answered
    apology: bool = False
    stay_question: StayQuestion | None = None
    promise: PromiseBody | None = None
    #: what the customer gets besides words
    redress: Annotated[str, Text(2_000)] | None = None


class CheckBody(Body):
    """Words to be compared with earlier answers; nothing is kept."""

    executive_id: Id
    text: Answered


class DeliveredBody(Body):
    """The owner told the customer in person, and how; `acknowledgement` is what the customer said to it."""

    agent_id: Id
    how: Annotated[str, Text(2_000)]
    acknowledgement: Annotated[str, Text(2_000)] | None = None


class ForwardBody(Body):
    """Who is to be asked instead; `by` is who says so, else the key's name."""

    to: Id
    by: Id | None = None


class TrustedBody(Body):
    """`by` is who says so, else the key's name."""

    by: Id | None = None


class RevokeBody(Body):
    """Whose links are to end, everybody's where nobody is named; `by` is who says so, else the key's name."""

    executive_id: Id | None = None
    by: Id | None = None


class DoneBody(Body):
    """Who did a promised action, and what shows it."""

    by: Id
    evidence: Words
