"""What the acts are asked with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.contracts.intake import Need
from shared.contracts.ownership import Outcome
from shared.fields import Body, Id, Instant, Invalid, Text

Words = Annotated[str, Text(20_000)]
Code = Annotated[str, Text(100, line=True)]
#: a count of something small
Number = Annotated[int, Field(ge=1, le=1_000_000)]


class ByAgent(Body):
    """`agent_id` is who acts."""

    agent_id: Id


class UpdateBody(ByAgent):
    text: Words
    next_update_by: Instant | None = None


_NO_CHANGE = frozenset({"agent_id", "reason"})


class ClassificationBody(ByAgent):
    """Only what is given is changed; null takes a cause, need or product away. `reason` is told to whoever asks why,
    above all why it is no complaint."""

    cause: Code | None = None
    need: Need | None = None
    product: Code | None = None
    complaint: bool | None = None
    departure_threat: bool | None = None
    reason: Words | None = None

    @model_validator(mode="after")
    def _something(self) -> ClassificationBody:
        if self.model_fields_set <= _NO_CHANGE:
            raise Invalid("needs at least one of cause, need, product, complaint, departure_threat")
        return self

    def changes(self) -> dict[str, object]:
        """What was given."""
        given = {name: getattr(self, name) for name in self.model_fields_set - _NO_CHANGE}
        if given.get("departure_threat", True) is None:
            del given["departure_threat"]
        return given


class AnswerBody(ByAgent):
    text: Words
    outcome: Outcome
    reasons: Words
    redress: Words | None = None


class ConfirmationBody(Body):
    solved: bool
    comment: Annotated[str, Text(5_000, blank=True)] | None = None


class FollowUpBody(ByAgent):
    """`agent_id` is who asked the customer; both questions are asked."""

    satisfied: bool
    would_choose_again: bool
    comment: Annotated[str, Text(5_000, blank=True)] | None = None


class ReasonBody(ByAgent):
    reason: Words


class EscalationBody(Body):
    """`agent_id` is who asks, or who reports that the customer asks."""

    by: Literal["customer", "agent", "supervisor"]
    reason: Words
    agent_id: Id | None = None


class MergeBody(ReasonBody):
    """`into`: id or reference of the complaint that goes on, the one whose contact came first."""

    into: Annotated[str, Text(100, line=True)]


class SplitBody(ReasonBody):
    """`contacts` go on as a complaint of their own, which is what the other fields say."""

    contacts: Annotated[list[Id], Field(min_length=1, max_length=2_000)]
    cause: Code | None = None
    product: Code | None = None
    need: Need | None = None


class PauseBody(ReasonBody):
    until: Instant


class HelperBody(ByAgent):
    helper: Id
    question: Words


class ReplyBody(ByAgent):
    text: Words


class DeputyBody(Body):
    """`by` is the supervisor; left out, the name of the key."""

    agent: Id
    until: Instant
    reason: Words
    by: Id | None = None


class BySupervisor(Body):
    """`by` is the supervisor; left out, the name of the key."""

    reason: Words
    by: Id | None = None


class SuccessionBody(Body):
    to: Id
    reason: Literal["left_company", "role_ended", "conflict_of_interest", "customer_asked"]
    note: Words
    accepted_by: Id | None = None
    by: Id | None = None
