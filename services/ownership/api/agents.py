"""The people who act: who they are, whom they report to, when they work."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, Field, model_validator

from services.ownership.domain.acts import PutAgent
from services.ownership.store import agents
from shared.auth import Principal, requires
from shared.calendars.week import join_spans, parse_days, parse_span, parse_week
from shared.contracts.envelope import rfc3339
from shared.fields import Body, Id, Instant, Invalid, Text, is_email
from shared.http import Answer, Paged, Problem, StrictRoute, encode_cursor, invalid
from shared.policy.values import Zone

from .asking import Filter
from .desk import Desk

Editor = Annotated[Principal, Depends(requires("supervisor", "admin"))]
Reader = Annotated[Principal, Depends(requires("agent", "supervisor", "executive", "integration", "admin", "service"))]
PathId = Annotated[Id, Path(description="id of the agent, as contacts and acts name them")]


def _email(value: str) -> str:
    if not is_email(value):
        raise Invalid("is no e-mail address")
    return value


def _days(key: str) -> str:
    try:
        parse_days(key)
    except ValueError:
        raise Invalid("has a name that is no weekday: write mon, tue, … or a range like mon-fri") from None
    return key


def _span(text: str) -> str:
    try:
        parse_span(text)
    except ValueError as error:  # our own words
        raise Invalid(str(error)) from None
    return text


def _hours(given: dict[str, list[str]]) -> dict[str, list[str]]:
    for spans in given.values():
        try:
            join_spans([parse_span(text) for text in spans])
        except ValueError:
            raise Invalid("has hours of one day that overlap") from None
    try:
        week = parse_week(given)
    except ValueError:
        raise Invalid("names a weekday twice") from None
    if not any(week):
        raise Invalid("has no hours: write at least one day with hours, or null for always")
    return given


class Absence(Body):
    """Away from `from` until `until`."""

    from_: Annotated[Instant, Field(alias="from")]
    until: Instant

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until <= self.from_:
            raise Invalid("must end after it begins: `until` is not later than `from`")
        return self


Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
Days = Annotated[str, AfterValidator(_days)]
Span = Annotated[str, Field(max_length=20), AfterValidator(_span)]
Hours = Annotated[dict[Days, Annotated[list[Span], Field(max_length=20)]], AfterValidator(_hours)]


class AgentBody(Body):
    """What is left out stays as it is; null forgets. `hours` as in the policy's regions, without holidays; without
    hours somebody counts as always on shift. `time_zone` is that of the hours, else that of the default region."""

    name: Annotated[str, Text(200, line=True)] | None = None
    email: Annotated[str, AfterValidator(_email)] | None = None
    active: bool = True
    superior: Id | None = None
    languages: Annotated[list[Language], Field(max_length=50)] = Field(default_factory=list)
    time_zone: Zone | None = None
    hours: Hours | None = None
    absences: Annotated[list[Absence], Field(max_length=200)] = Field(default_factory=list)

    def given(self) -> dict[str, Any]:
        """What was said, as it is kept."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "absences" in given:
            given["absences"] = [
                {"from": rfc3339(one.from_), "until": rfc3339(one.until)}
                for one in sorted(self.absences, key=lambda one: one.from_)
            ]
        if "languages" in given:
            given["languages"] = list(dict.fromkeys(self.languages))
        return given


def shown(row: Any) -> dict[str, Any]:
    """Somebody as the API shows them."""
    details = row.details
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "active": row.active,
        "superior": details.get("superior"),
        "languages": details.get("languages", []),
        "time_zone": details.get("time_zone"),
        "hours": details.get("hours"),
        "absences": details.get("absences", []),
    }


def agent_routes(desk: Desk) -> APIRouter:
    """`/v1/agents`."""
    router = APIRouter(prefix="/v1/agents", route_class=StrictRoute, tags=["agents"])

    async def answer(agent_id: str) -> Answer:
        async with desk.engine.connect() as conn:
            row = await agents.get(conn, agent_id)
        if row is None:
            raise Problem(404, "not-found", "Not found", "There is no such agent.")
        return Answer(shown(row))

    @router.put("/{agent_id}", summary="Who somebody is, and when they can act")
    async def put(agent_id: PathId, body: AgentBody, _: Editor) -> Answer:
        if body.superior == agent_id:
            raise invalid(("/superior", "must be somebody else"))
        await desk.take_agent(PutAgent(agent_id, body.given()))
        return await answer(agent_id)

    @router.get("/{agent_id}", summary="Somebody by id")
    async def get(agent_id: PathId, _: Reader) -> Answer:
        return await answer(agent_id)

    @router.get("", summary="Agents, by id")
    async def listed(
        _: Reader, page: Paged, active: Annotated[bool | None, Query()] = None, superior: Filter = None
    ) -> Answer:
        (after,) = page.after(str) or (None,)
        async with desk.engine.connect() as conn:
            rows = await agents.listed(conn, after, page.limit + 1, active=active, superior=superior)
        more = len(rows) > page.limit
        items = [shown(row) for row in rows[: page.limit]]
        return Answer({"items": items, "next": encode_cursor([items[-1]["id"]]) if more else None})

    return router
