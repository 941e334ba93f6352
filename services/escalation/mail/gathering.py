"""Whom a letter is for, and what is known of its case, here and with the neighbours. Reads; changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.mail import MailOrder
from services.escalation.mail.facts import Facts
from services.escalation.mail.words import MOST_ITEMS, Words
from services.escalation.store import reading
from shared.languages import language_of
from shared.policy import Policies


class NoAddress(Exception):
    """Nobody knows where to write to."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for."""

    name: str
    address: str
    language: str
    zone: str = "UTC"


class Gathering:
    """Asks for what letters and pages are made of."""

    def __init__(self, engine: AsyncEngine, policies: Policies, words: Words) -> None:
        self._engine, self._policies, self._words = engine, policies, words

    async def at_home(self, order: MailOrder, zone: str) -> Facts:
        """What this service itself keeps of all that a letter or page shows."""
        view = None
        async with self._engine.connect() as conn:
            if order.escalation_id:
                view = await reading.view(conn, self._policies, order.escalation_id)
            known = view.complaint if view else None
            if known is None and order.complaint_id:
                known = await reading.complaint_of(conn, order.complaint_id)
        escalation = view.escalation if view else None
        return Facts(
            reference=(known.reference if known else None) or "?",
            zone=zone,
            cause=known.cause if known else None,
            first_id=known.first_contact_id if known else None,
            escalation=escalation,
            promises=[self.named(one) for one in view.promises] if view else (),
            asked_before=self._asked_before(escalation, order) if escalation else (),
            answers=[self._answerer(one) for one in view.answers if one["escalation_id"] != order.escalation_id]
            if view
            else (),
        )

    async def facts(self, order: MailOrder, zone: str) -> Facts:
        """All that a letter or page about an order's complaint shows. Raises Away."""
        complaint_id = order.complaint_id
        home: Facts
        home, customer, complaint, timeline, latest = await asyncio.gather(
            self.at_home(order, zone),
            self._words.customer(order.customer_id),
            self._words.complaint(complaint_id) if complaint_id else _nothing(),
            self._words.timeline(complaint_id) if complaint_id else _no_items(),
            self._words.contact(order.contact_id) if order.contact_id else _nothing(),
        )
        first = latest
        if home.first_id != order.contact_id:
            first = await self._words.contact(home.first_id) if home.first_id else None
        version = int((complaint or {}).get("version") or 0)
        if complaint_id and version > MOST_ITEMS:
            timeline = await self._words.timeline(complaint_id, after=version - MOST_ITEMS)
        return replace(
            home,
            reference=home.reference if home.reference != "?" else (complaint or {}).get("reference") or "?",
            customer=customer,
            complaint=complaint,
            first=first,
            latest=latest,
            timeline=timeline,
        )

    async def reader(self, order: MailOrder) -> Reader:
        """Whom an order is for, and where they are written to. Raises Away, and NoAddress."""
        if order.recipient_kind == "executive":
            person = self._policies.current.executive(order.recipient_id)
            if person is None:
                raise NoAddress("the policy names no such executive")
            return Reader(person.name, person.email, language_of(person.locale), person.time_zone)
        if order.recipient_kind == "address":
            if not order.recipient_id:
                raise NoAddress("it was erased while this was being sent")
            return Reader(order.recipient_id, order.recipient_id, "en")
        who = order.recipient_id
        ask = {"customer": self._words.customer, "superior": self._words.superior}.get(order.recipient_kind)
        found = await (ask(who) if ask else self._agent(order)) or {}
        if not found.get("email"):
            raise NoAddress(f"the {order.recipient_kind} has none")
        return Reader(found.get("name") or order.recipient_id, found["email"], language_of(found.get("locale")))

    async def _agent(self, order: MailOrder) -> dict[str, Any] | None:
        """Who gets a mail to an agent: whoever stands in for them on the complaint, where they are inactive."""
        found = await self._words.agent(order.recipient_id)
        if order.complaint_id and found is not None and not found.get("active", True):
            complaint = await self._words.complaint(order.complaint_id) or {}
            if deputy := complaint.get("deputy"):
                return await self._words.agent(deputy["id"]) or found
        return found

    def named(self, promise: dict[str, Any]) -> dict[str, Any]:
        """A promise with the name of whoever gave it."""
        return promise | {"by_name": self.name(promise["made_by"])}

    def _answerer(self, given: dict[str, Any]) -> dict[str, Any]:
        other = given["delegate_of"]
        return given | {
            "by_name": self.name(given["executive_id"]),
            "for_name": self.name(other) if other else None,
        }

    def name(self, executive_id: str) -> str:
        """What an executive is called; somebody whom the policy does not name, by their id."""
        person = self._policies.current.executive(executive_id)
        return person.name if person else executive_id

    def _asked_before(self, escalation: dict[str, Any], order: MailOrder) -> list[str]:
        before = [step["executive_id"] for step in escalation["steps"] if step["n"] < order.step]
        return [self.name(one) for one in dict.fromkeys(before) if one != order.recipient_id]


async def _nothing() -> None:
    return None


async def _no_items() -> list[dict[str, Any]]:
    return []
