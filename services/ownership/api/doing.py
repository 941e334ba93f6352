"""The acts: each reads its body and hands it over."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from services.ownership.domain import acts
from shared.auth import Principal, requires
from shared.http import Answer, StrictRoute
from shared.idempotency import Ticketed

from . import bodies
from .desk import Desk

Agent = Annotated[Principal, Depends(requires("agent", "supervisor"))]
Supervisor = Annotated[Principal, Depends(requires("supervisor"))]
#: a tool passes the customer's word on
Speaker = Annotated[Principal, Depends(requires("agent", "supervisor", "intake", "integration"))]
Name = Annotated[str, Path(max_length=100, description="id or reference of the complaint")]


def acting(desk: Desk) -> APIRouter:
    """Routes of agents and of the customer's word."""
    router = APIRouter(prefix="/v1/complaints/{name}", route_class=StrictRoute, tags=["complaints"])

    @router.post("/claim", summary="Claim an unowned complaint")
    async def claim(name: Name, body: bodies.ByAgent, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.Claim(complaint_id, body.agent_id), customer_id, ticket)

    @router.post("/acknowledgement", summary="The customer was told that it has arrived")
    async def acknowledge(name: Name, body: bodies.ByAgent, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.Acknowledge(complaint_id, body.agent_id), customer_id, ticket)

    @router.post("/updates", summary="The customer was told where things stand")
    async def update(name: Name, body: bodies.UpdateBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.Update(complaint_id, body.agent_id, body.text, body.next_update_by)
        return await desk.act(act, customer_id, ticket)

    @router.post("/classification", summary="What it is")
    async def classify(name: Name, body: bodies.ClassificationBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        changes: dict[str, Any] = body.changes()
        return await desk.act(acts.Classify(complaint_id, body.agent_id, changes, body.reason), customer_id, ticket)

    @router.post("/answer", summary="The final answer")
    async def answer(name: Name, body: bodies.AnswerBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.Answer(complaint_id, body.agent_id, body.text, body.outcome, body.reasons, body.redress)
        return await desk.act(act, customer_id, ticket)

    @router.post("/confirmation", summary="The customer's word: solved or not")
    async def confirm(name: Name, body: bodies.ConfirmationBody, _: Speaker, ticket: Ticketed) -> Answer:
        """Yes closes as accepted. No reopens with the same owner, also after closing; later than the policy's
        `reopen_within` it opens another complaint, which is the answer, and which names this one as `follows`."""
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.Confirm(complaint_id, body.solved, "tool", body.comment or None)
        return await desk.act(act, customer_id, ticket)

    @router.post("/follow-up", summary="After the closing: satisfied? would you choose us again?")
    async def follow_up(name: Name, body: bodies.FollowUpBody, _: Agent, ticket: Ticketed) -> Answer:
        """Only after a closing as accepted or silent, once for each. Not satisfied is a no: the answer is the complaint
        that goes on."""
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.FollowUp(
            complaint_id, body.agent_id, body.satisfied, body.would_choose_again, comment=body.comment or None
        )
        return await desk.act(act, customer_id, ticket)

    @router.post("/withdrawal", summary="The customer takes it back")
    async def withdraw(name: Name, body: bodies.ReasonBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.Withdraw(complaint_id, body.agent_id, body.reason), customer_id, ticket)

    @router.post("/merge", summary="It is the same as an earlier complaint, which goes on")
    async def merge(name: Name, body: bodies.MergeBody, _: Agent, ticket: Ticketed) -> Answer:
        """Of two complaints of one customer the one whose contact came first goes on, with its owner, all contacts and
        the stricter of two clocks; it is the answer. This one is closed as `merged` and says where it went."""
        complaint_id, customer_id = await desk.where_is(name)
        into = await desk.other_of(complaint_id, body.into)
        return await desk.act(acts.Merge(complaint_id, into, body.agent_id, body.reason), customer_id, ticket)

    @router.post("/split", summary="Some of its contacts are a complaint of their own")
    async def split(name: Name, body: bodies.SplitBody, _: Agent, ticket: Ticketed) -> Answer:
        """The new complaint, which is the answer, has the same owner and terms; its clocks start when the customer made
        the first of its contacts. The first contact of this complaint stays."""
        complaint_id, customer_id = await desk.where_is(name)
        contacts = tuple(body.contacts)
        act = acts.Split(complaint_id, contacts, body.agent_id, body.reason, body.cause, body.product, body.need)
        return await desk.act(act, customer_id, ticket)

    @router.post("/escalation", summary="Somebody asks for an executive")
    async def escalate(name: Name, body: bodies.EscalationBody, who: Speaker, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.Escalate(complaint_id, body.by, body.agent_id or who.name, body.reason)
        return await desk.act(act, customer_id, ticket)

    @router.post("/pause", summary="Business clocks stand still")
    async def pause(name: Name, body: bodies.PauseBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.PauseClocks(complaint_id, body.agent_id, body.reason, body.until)
        return await desk.act(act, customer_id, ticket)

    @router.post("/resume", summary="Clocks go on")
    async def resume(name: Name, body: bodies.ByAgent, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.Resume(complaint_id, body.agent_id), customer_id, ticket)

    @router.post("/helpers", summary="Ask somebody something")
    async def ask_helper(name: Name, body: bodies.HelperBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.AskHelper(complaint_id, body.agent_id, body.helper, body.question)
        return await desk.act(act, customer_id, ticket)

    @router.post("/helpers/{n}/reply", summary="The helper answers")
    async def reply(name: Name, n: bodies.Number, body: bodies.ReplyBody, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.HelperReply(complaint_id, n, body.agent_id, body.text), customer_id, ticket)

    @router.post("/succession/acceptance", summary="The successor takes over")
    async def accept(name: Name, body: bodies.ByAgent, _: Agent, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.AcceptSuccession(complaint_id, body.agent_id), customer_id, ticket)

    return router


def supervising(desk: Desk) -> APIRouter:
    """Routes of supervisors."""
    router = APIRouter(prefix="/v1/complaints/{name}", route_class=StrictRoute, tags=["complaints"])

    @router.post("/deputy", summary="Somebody stands in for the owner")
    async def deputy(name: Name, body: bodies.DeputyBody, who: Supervisor, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.StartDeputy(complaint_id, body.agent, body.until, body.reason, body.by or who.name)
        return await desk.act(act, customer_id, ticket)

    @router.post("/deputy/end", summary="The deputy leaves")
    async def end_deputy(name: Name, body: bodies.BySupervisor, who: Supervisor, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        return await desk.act(acts.EndDeputy(complaint_id, body.reason, body.by or who.name), customer_id, ticket)

    @router.post("/succession", summary="Another owner, once they have accepted")
    async def succession(name: Name, body: bodies.SuccessionBody, who: Supervisor, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.Succeed(complaint_id, body.to, body.reason, body.note, body.by or who.name, body.accepted_by)
        return await desk.act(act, customer_id, ticket)

    @router.post("/succession/withdrawal", summary="What was asked is asked no more: the owner stays")
    async def withdraw_succession(name: Name, body: bodies.BySupervisor, who: Supervisor, ticket: Ticketed) -> Answer:
        complaint_id, customer_id = await desk.where_is(name)
        act = acts.WithdrawSuccession(complaint_id, body.reason, body.by or who.name)
        return await desk.act(act, customer_id, ticket)

    return router
