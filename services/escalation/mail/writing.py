"""From an order to a letter: which it is, and whether there is something to write still. Reads; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.escalation.domain.mail import MailOrder
from services.escalation.mail import letters, promises, staffing, telling
from services.escalation.mail.facts import Facts, local
from services.escalation.mail.gathering import Gathering, Reader
from services.escalation.mail.letter import Letter
from services.escalation.mail.telling import Said
from services.escalation.mail.tokens import link_of
from services.escalation.mail.words import Words
from services.escalation.store import reading, unreachable
from shared.auth import sign
from shared.policy import Policies

_CONFIRM_WITHIN = timedelta(days=90)
#: mails of a digest that are told in full
_MOST_WHOLE = 20


class NothingToSay(Exception):
    """What the mail was to bring is not there any more."""


class Overtaken(NothingToSay):
    """What the mail was to ask for was done meanwhile."""


def asks(order: MailOrder) -> bool:
    """Whether a mail carries a link by which an executive answers."""
    return order.kind in ("ask", "breach") and order.recipient_kind == "executive" and order.escalation_id is not None


class Writing:
    """Writes letters."""

    def __init__(
        self,
        engine: AsyncEngine,
        policies: Policies,
        words: Words,
        secret: str,
        base_url: str,
        *,
        by_reply: bool = False,
    ) -> None:
        self._engine, self._policies = engine, policies
        self._known = Gathering(engine, policies, words)
        self._secret, self._base_url = secret, base_url
        #: whether replies to mails are taken
        self._by_reply = by_reply

    async def write(self, orders: Sequence[MailOrder]) -> tuple[Letter, str]:
        """The letter of one order, or the digest of several, and the address it goes to.

        Raises Away where a neighbour can't be asked now, NoAddress, and NothingToSay.
        """
        order = orders[0]
        reader = await self._known.reader(order)
        if len(orders) > 1:
            return await self._digest(orders, reader), reader.address
        return await self._one(order, reader), reader.address

    async def _one(self, order: MailOrder, reader: Reader) -> Letter:
        if order.kind in staffing.KINDS:
            told = staffing.written(order, reader.language, reader.name, await self._known.facts(order, reader.zone))
            if told is None:
                raise Overtaken("what it told or asked for is over")
            return told
        write = getattr(self, f"_{order.kind}")
        letter: Letter = await write(order, reader)
        return letter

    def _address(self, mail_id: str) -> tuple[str, str]:
        link = link_of(self._secret, mail_id)
        return f"{self._base_url}/e/{link.token}", link.code

    def _confirmation(self, order: MailOrder, facts: Facts) -> str:
        complaint = facts.complaint or {}
        given: str | None = complaint.get("confirmation_url")
        if given:
            return given
        cycle = str(complaint.get("cycle") or 1)
        until = order.ordered_at + _CONFIRM_WITHIN
        return f"{self._base_url}/c/{sign(self._secret, 'confirmation', [order.complaint_id or '', cycle], until)}"

    async def _ask(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        if not facts.waiting:
            raise Overtaken("somebody has answered")
        address, code = self._address(order.id)
        due = order.due_at or order.ordered_at
        return letters.ask(reader.language, reader.name, facts, due, address, code, by_reply=self._by_reply)

    async def _answer(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        said = await self._said(order, reader.language)
        return telling.answer(reader.language, facts, said, self._confirmation(order, facts))

    async def _tell(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        if order.answer_id is None:
            return telling.came_back(reader.language, reader.name, facts, _owners_answer(facts, order.step))
        if (facts.escalation or {}).get("status") != "answered":
            raise Overtaken("the customer was told")
        write = telling.tell if order.recipient_kind == "agent" else telling.untold
        return write(reader.language, reader.name, facts, await self._said(order, reader.language), order.step)

    async def _said(self, order: MailOrder, language: str) -> Said:
        async with self._engine.connect() as conn:
            given = await reading.answer_of(conn, order.answer_id or "")
            promise = await reading.promise_of(conn, order.promise_id) if order.promise_id else None
        if given is None or not given["text"]:
            raise NothingToSay("the answer was erased")
        by, signed = self._signature(language, given)
        return Said(given["text"], by, signed, given["stay"], given["redress"], promise)

    def _signature(self, language: str, given: dict[str, Any]) -> tuple[str, str]:
        """Who wrote it, a delegate with the person they stand in for; and how they sign."""
        letter = Letter(language, "")
        name = self._known.name(given["executive_id"])
        if given["delegate_of"]:
            signed = letter.say("signed_for", name=name, other=self._known.name(given["delegate_of"]))
            return signed, signed
        person = self._policies.current.executive(given["executive_id"])
        role = person.role.replace("_", " ") if person else ""
        return name, letter.say("signed", name=name, role=role) if role else name

    async def _confirm(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        note = _owners_answer(facts, order.step)
        return telling.confirm(reader.language, facts, note, self._confirmation(order, facts))

    async def _breach(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        link = self._address(order.id) if asks(order) and facts.waiting else None
        promise, due = await self._promise(order), order.due_at if link else None
        return promises.breach(reader.language, reader.name, facts, promise, link, due, by_reply=self._by_reply)

    async def _refused(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.at_home(order, reader.zone)
        answered = order.why not in ("reply-to-several", "link-revoked") and facts.waiting
        link = self._address(order.about_mail_id) if order.about_mail_id and answered else None
        return letters.refused(reader.language, reader.name, facts, order.why or "other", order.likeness, link)

    async def _chase(self, order: MailOrder, reader: Reader) -> Letter:
        promise = await self._promise(order)
        facts = Facts(promise["reference"], reader.zone)
        owner = next((one["owner"] for one in promise["actions"] if one["n"] == order.step), None)
        return promises.chase(
            reader.language,
            reader.name,
            facts,
            promise,
            order.step,
            order.due_at,
            late=order.due_at is not None and order.ordered_at >= order.due_at,
            instead_of=owner if owner != order.recipient_id else None,
        )

    async def _visit(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        complaint = facts.complaint or {}
        visit = complaint.get("follow_up") or {}
        if complaint and (complaint["status"] != "closed" or visit.get("done_at")):
            raise Overtaken("the customer was visited, or it is open again")
        return letters.visit(reader.language, reader.name, facts, order.due_at)

    async def _undeliverable(self, order: MailOrder, reader: Reader) -> Letter:
        facts = await self._known.facts(order, reader.zone)
        async with self._engine.connect() as conn:
            marks = await unreachable.standing(conn, self._policies, order.ordered_at)
        mark = next((one for one in marks if one.executive_id == order.about_id), None)
        who = self._known.name(order.about_id) if order.about_id else "?"
        return letters.undeliverable(reader.language, reader.name, facts, who, mark)

    async def _promise(self, order: MailOrder) -> dict[str, Any]:
        async with self._engine.connect() as conn:
            found = await reading.promise_of(conn, order.promise_id or "")
        if found is None:
            raise NothingToSay("there is no such promise")
        return self._known.named(found)

    async def _digest(self, orders: Sequence[MailOrder], reader: Reader) -> Letter:
        async with self._engine.connect() as conn:
            known = await reading.references(conn, [one.complaint_id for one in orders if one.complaint_id])
            now = await reading.statuses(conn, [one.escalation_id for one in orders if one.escalation_id])
            open_still = [one for one in orders if not _over(one, now)]
            others = [one for one in open_still if not _wanted(one, now)]
            rest = [
                await self._subject(conn, one, known.get(one.complaint_id or "", "?"), reader)
                for one in others[_MOST_WHOLE:]
            ]
        wanted = [one for one in open_still if _wanted(one, now)]
        asked = [(known.get(one.complaint_id or "", "?"), *self._address(one.id)) for one in wanted]
        # what cannot be asked for by a link alone is told in full, as far as a mail may go
        whole: list[Letter] = []
        for one in others[:_MOST_WHOLE]:
            try:
                whole.append(await self._one(one, reader))
            except NothingToSay:
                continue
        if not asked and not rest and not whole:
            raise Overtaken("all that it brought is over")
        return letters.digest(reader.language, reader.name, asked, rest, whole)

    async def _subject(self, conn: AsyncConnection, order: MailOrder, reference: str, reader: Reader) -> str:
        letter = Letter(reader.language, "")
        if order.kind == "tell":
            to_owner = order.recipient_kind == "agent"
            subject = telling.tell_subject if to_owner else telling.untold_subject
            # the step of an owner's own answer that came back is its cycle: nobody was reminded of that
            return subject(letter, reference, order.step if order.answer_id else 0)
        promise = await reading.promise_of(conn, order.promise_id) if order.promise_id else None
        due = local(order.due_at or order.ordered_at, reader.zone)
        told = promise["reference"] if promise else "?"
        name = self._known.name(order.about_id) if order.about_id else "—"
        return letter.say(f"{order.kind}_subject", reference=reference, promise=told, due=due, name=name)


def _over(order: MailOrder, now: Mapping[str, str]) -> bool:
    """Whether what a mail asks for was done meanwhile, as far as the escalation alone tells."""
    status = now.get(order.escalation_id or "")
    if order.kind == "ask":
        return status != "waiting"
    return order.kind == "tell" and order.answer_id is not None and status != "answered"


def _wanted(order: MailOrder, now: Mapping[str, str]) -> bool:
    """Whether a mail still asks for an answer by its link."""
    return asks(order) and now.get(order.escalation_id or "") == "waiting"


def _owners_answer(facts: Facts, cycle: int) -> dict[str, Any]:
    """What the owner has answered in this cycle, as it was noted."""
    complaint = facts.complaint or {}
    if complaint and (complaint["status"], complaint["cycle"]) != ("answered", cycle):
        raise Overtaken("the customer has said whether it is solved")
    answered = [item for item in facts.timeline if item.get("type") == "complaint.answered"]
    note = (answered[-1].get("note") if answered else None) or {}
    if not note.get("text"):
        raise NothingToSay("ownership has no answer to bring")
    return dict(note)
