"""The tables of schema `ownership`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import service_metadata
from shared.idempotency import idempotency_table
from shared.inbox import inbox_table, parked_table
from shared.kin import Asked, kin_table
from shared.outbox import journal_tables
from shared.timers import timers_table

metadata: Final = service_metadata("ownership")

events, unsent = journal_tables(metadata)
inbox = inbox_table(metadata)
parked = parked_table(metadata)
idempotency = idempotency_table(metadata)
timers_rows = timers_table(metadata)
kin = kin_table(metadata)
kin_of: Final = Asked(kin)

complaints: Final = Table(
    "complaints",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, comment="UUIDv7: later ones are greater"),
    Column("reference", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("basis", Text, comment="of a closing"),
    Column("owner_id", Text),
    Column("cause", Text),
    Column("departure_threat", Boolean, nullable=False),
    Column("deputy_id", Text),
    Column("succession_asked", Boolean, nullable=False, server_default="false", comment="who follows is undecided"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("owed_at", DateTime(timezone=True), comment="earliest due time of what is still owed; past: overdue"),
    Column("late", Boolean, nullable=False, server_default="false", comment="a breach of what is still owed was told"),
    Column(
        "worded", Boolean, nullable=False, server_default="true", comment="false: its words were as old as they get"
    ),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False, comment="head of the audit chain"),
    Column("state", JSONB, nullable=False, comment="the fold of its events"),
    Index("ix_complaints_reference", "reference", unique=True),
    Index("ix_complaints_customer_id_id", "customer_id", "id"),
    Index("ix_complaints_owner_id_id", "owner_id", "id"),
    Index("ix_complaints_status_id", "status", "id"),
    Index("ix_complaints_cause_id", "cause", "id"),
)
# What is late is found in two parts: what was told to be, in the order of lists, and what has come due just now.
Index(
    "ix_complaints_owed_at",
    complaints.c.owed_at,
    postgresql_where=complaints.c.owed_at.is_not(None) & ~complaints.c.late,
)
Index("ix_complaints_late_id", complaints.c.id, postgresql_where=complaints.c.late)
Index("ix_complaints_late_owner_id_id", complaints.c.owner_id, complaints.c.id, postgresql_where=complaints.c.late)
Index("ix_complaints_late_cause_id", complaints.c.cause, complaints.c.id, postgresql_where=complaints.c.late)
# what people hold is counted from this one alone
Index(
    "ix_complaints_live_owner_id_id",
    complaints.c.owner_id,
    complaints.c.id,
    postgresql_where=complaints.c.status != "closed",
    postgresql_include=["status", "owed_at", "deputy_id", "departure_threat"],
)
Index(
    "ix_complaints_live_cause_id",
    complaints.c.cause,
    complaints.c.id,
    postgresql_where=complaints.c.status != "closed",
)
Index(
    "ix_complaints_deputy_id_id",
    complaints.c.deputy_id,
    complaints.c.id,
    postgresql_where=complaints.c.deputy_id.is_not(None),
)
Index(
    "ix_complaints_succession_asked_id",
    complaints.c.id,
    postgresql_where=complaints.c.succession_asked,
)
Index(
    "ix_complaints_basis_id",
    complaints.c.basis,
    complaints.c.id,
    postgresql_where=complaints.c.basis.is_not(None),
)
# closed ones of which something is left to let go of, the oldest first
Index(
    "ix_complaints_worded_closed_at",
    complaints.c.closed_at,
    postgresql_where=complaints.c.worded & (complaints.c.status == "closed"),
)
Index(
    "ix_complaints_unowned_id",
    complaints.c.id,
    postgresql_where=complaints.c.owner_id.is_(None) & (complaints.c.status != "closed"),
)

pauses: Final = Table(
    "pauses",
    metadata,
    Column("complaint_id", Uuid(as_uuid=False), primary_key=True),
    Column("sequence", Integer, primary_key=True, comment="of the event that told it"),
    Column("owner_id", Text, comment="who owned it then"),
    Column("paused_at", DateTime(timezone=True), nullable=False),
    Index("ix_pauses_owner_id_paused_at", "owner_id", "paused_at"),
)

early_responses: Final = Table(
    "early_responses",
    metadata,
    Column("contact_id", Text, primary_key=True),
    Column("response_id", Text, primary_key=True),
    Column("told", LargeBinary, nullable=False, comment="the event's data"),
    Column("kept_at", DateTime(timezone=True), nullable=False),
    Index("ix_early_responses_kept_at", "kept_at"),
)

agents: Final = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("asked_at", DateTime(timezone=True), comment="when intake was last asked for the name"),
    Column("details", JSONB, nullable=False, server_default="{}", comment="superior, languages, hours, absences"),
    Index("ix_agents_asked_at", "asked_at"),
)
