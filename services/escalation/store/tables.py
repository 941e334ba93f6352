"""Tables of this schema, but for mails and links: those stand beside their SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    any_,
    bindparam,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import service_metadata
from shared.idempotency import idempotency_table
from shared.inbox import inbox_table, parked_table
from shared.kin import Asked, kin_table
from shared.outbox import journal_tables
from shared.timers import timers_table

metadata = service_metadata("escalation")
events, unsent = journal_tables(metadata)
inbox = inbox_table(metadata)
parked = parked_table(metadata)
idempotency = idempotency_table(metadata)
timers = timers_table(metadata)
kin = kin_table(metadata)
kin_of = Asked(kin)


def among(name: str, values: Collection[str]) -> Any:
    """One of these texts, whatever their number: they travel as one array, so that the statement stays the same."""
    return any_(bindparam(name, sorted(values), type_=ARRAY(Text)))


def _kept() -> list[Column[Any]]:
    """What every table of states has: the fold of the journal, and the head of its chain."""
    return [
        Column("state", JSONB, nullable=False),
        Column("worded", Boolean, nullable=False, server_default="true", comment="false: its words are let go of"),
        Column("version", Integer, nullable=False),
        Column("chain", LargeBinary, nullable=False),
    ]


complaints = Table(
    "complaints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="what ownership told of it, folded"),
    Index("ix_complaints_customer_id", "customer_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("complaint_id", Text, comment="null until ownership says so"),
    Column("heard_at", DateTime(timezone=True), comment="null until intake says so"),
    Column("cause", Text, comment="as judged now"),
    Column("facts", JSONB, nullable=False, comment="what was heard in it, and what agents said of it"),
    Index("ix_contacts_complaint_id", "complaint_id"),
    Index("ix_contacts_cause_heard_at", "cause", "heard_at"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("complaint_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("executive_id", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("delivery", JSONB, nullable=False, comment="when each step was mailed, what became of the answer's mail"),
    *_kept(),
    Index("ix_escalations_complaint_id", "complaint_id"),
    Index("ix_escalations_customer_id", "customer_id"),
    Index("ix_escalations_status_id", "status", "id"),
    Index("ix_escalations_executive_id_id", "executive_id", "id"),
)
#: the rule itself: one escalation of a complaint waits at a time
Index(
    "ix_escalations_waiting",
    escalations.c.complaint_id,
    unique=True,
    postgresql_where=escalations.c.status == "waiting",
)

#: those of which something may be left to let go of
Index(
    "ix_escalations_worded_due_at",
    escalations.c.due_at,
    postgresql_where=escalations.c.worded & (escalations.c.status == "ended"),
)

answers = Table(
    "answers",
    metadata,
    Column("number", BigInteger, Identity(always=False), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("escalation_id", Text, nullable=False),
    Column("complaint_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("executive_id", Text, nullable=False),
    Column("delegate_of", Text),
    Column("text", Text, comment="the executive's words; null once the customer is erased"),
    Column("apology", Boolean, nullable=False),
    Column("stay_asked", Boolean, nullable=False),
    Column("stay", Text, comment="what would make the customer stay"),
    Column("redress", Text, comment="what the customer gets besides words"),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("sketch", JSONB, comment="by which likeness to a later answer is found, whatever its age"),
    Index("ix_answers_escalation_id", "escalation_id"),
    Index("ix_answers_sketch", "sketch", postgresql_using="gin"),
    Index("ix_answers_complaint_id", "complaint_id"),
    Index("ix_answers_customer_id", "customer_id"),
)

promises = Table(
    "promises",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("customer_id", Text, nullable=False),
    Column("complaint_id", Text),
    Column("made_by", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column(
        "watched_until",
        DateTime(timezone=True),
        nullable=False,
        server_default="infinity",
        comment="no contact after it matters; far away while an action is undone",
    ),
    Column("text", Text, comment="the promise in words; null once the customer is erased"),
    Column("words", JSONB, nullable=False, comment="of each action by n: what, owner, evidence"),
    *_kept(),
    Index("ix_promises_customer_id_cause", "customer_id", "cause"),
    Index("ix_promises_complaint_id", "complaint_id"),
    Index("ix_promises_status_id", "status", "id"),
    Index("ix_promises_cause_id", "cause", "id"),
    Index("ix_promises_made_by_id", "made_by", "id"),
)
#: promises to everyone are looked up by cause alone, those whose watch is over left out
Index(
    "ix_promises_everyone",
    promises.c.cause,
    promises.c.watched_until,
    postgresql_where=promises.c.scope == "everyone",
)
#: what a new promise on the same cause is compared with
Index("ix_promises_broken", promises.c.cause, promises.c.id, postgresql_where=promises.c.status == "broken")
#: those of which something may be left to let go of
Index("ix_promises_worded_watched_until", promises.c.watched_until, postgresql_where=promises.c.worded)

breaches = Table(
    "breaches",
    metadata,
    Column("promise_id", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("hurt_id", Text, nullable=False, comment="the customer whom it hit"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("taken_back", JSONB, comment="at, by, why"),
    Index("ix_breaches_contact_id", "contact_id"),
)

feed = Table(
    "feed",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("position", BigInteger, unique=True, comment="null until the one writer has numbered it"),
    Column("type", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("level", Integer),
    Column("owner_id", Text),
    Column("region", Text),
    Column("reference", Text),
    Column("complaint_id", Text),
    Column("data", JSONB, nullable=False),
)
#: pages that want little of much
for _name in ("type", "owner_id", "region"):
    Index(f"ix_feed_{_name}_position", feed.c[_name], feed.c.position, postgresql_where=feed.c.position.is_not(None))
Index("ix_feed_unnumbered", feed.c.id, postgresql_where=feed.c.position.is_(None))
