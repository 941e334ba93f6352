"""The tables of schema `intake`: here, and nowhere else, are the customers' words."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import service_metadata
from shared.idempotency import idempotency_table
from shared.inbox import inbox_table, parked_table
from shared.outbox import journal_tables
from shared.timers import timers_table

metadata: Final = service_metadata("intake")
#: what becomes of a contact about which somebody else is to be asked
OUTCOMES: Final = ("lifted", "same", "refused", "failed", "unmasked", "over_budget", "dropped")

events, unsent = journal_tables(metadata)
inbox = inbox_table(metadata)
parked = parked_table(metadata)
idempotency = idempotency_table(metadata)
timers_rows = timers_table(metadata)

contacts: Final = Table(
    "contacts",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, comment="UUIDv7: later ones are greater"),
    Column("source", Text, nullable=False),
    Column("source_event_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("conversation_id", Text),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("cause", Text),
    Column("responder_id", Text, comment="the first human who answered, for good"),
    Column("responses", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False, comment="head of the audit chain"),
    Column("posted", JSONB, nullable=False, comment="what was posted; words and names go with the customer"),
    Column("signals", JSONB, nullable=False, comment="what was heard in it, as answered"),
    Index("ix_contacts_source_source_event_id", "source", "source_event_id", unique=True),
    Index("ix_contacts_customer_id_id", "customer_id", "id"),
    # of an expression, so that no look-up by identity is led astray: planned on an empty table, it would take this one
    # and read all contacts of the source
    Index("ix_contacts_listed", text("(source || '')"), "id"),
    Index(
        "ix_contacts_conversation_id_id",
        "conversation_id",
        "id",
        postgresql_where=text("conversation_id IS NOT NULL"),
    ),
)

forgotten: Final = Table(
    "forgotten",
    metadata,
    Column("name", Text, primary_key=True, comment="contacts or responses"),
    Column("up_to", Uuid(as_uuid=False), nullable=False, comment="words up to this id were as old as they may get"),
)

held_back: Final = Table(
    "held_back",
    metadata,
    Column("contact_id", Uuid(as_uuid=False), primary_key=True, comment="old, and its complaint is not over"),
    Column("asked_at", DateTime(timezone=True), nullable=False, comment="when ownership was asked last"),
    Index("ix_held_back_asked_at", "asked_at"),
)

#: the identity of an event is not that of its data: either tells a repeat
envelopes: Final = Table(
    "envelopes",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="SHA-256 of the event's source and id"),
    Column("contact_id", Uuid(as_uuid=False), nullable=False),
)

responses: Final = Table(
    "responses",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("contact_id", Uuid(as_uuid=False), nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("scope", Text, nullable=False, comment="the conversation, or the contact where there is none"),
    Column("source_event_id", Text, nullable=False),
    Column("responder_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("first", Boolean, nullable=False, comment="it filled the responder of its contact"),
    Column("text", Text, comment="what was answered; erased with the customer"),
    Index("ix_responses_source_scope_source_event_id", "source", "scope", "source_event_id", unique=True),
    Index("ix_responses_contact_id_id", "contact_id", "id"),
    Index("ix_responses_customer_id", "customer_id"),
)

customers: Final = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("tier", Text),
    Column("region", Text),
    Column("locale", Text),
    Column("lifetime_value", JSONB(none_as_null=True)),
    Column("as_of", JSONB, nullable=False, comment="field -> the time as of which it was said"),
    Column("profiled_at", DateTime(timezone=True)),
    Column("merged_into", Text, comment="the other id of the same person, whose profile is the same"),
    Column(
        "merged", Integer, nullable=False, server_default="0", comment="how often it was said where it is merged into"
    ),
    Column("erased_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False, comment="head of the audit chain"),
    Index("ix_customers_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
)

corrections: Final = Table(
    "corrections",
    metadata,
    Column("contact_id", Uuid(as_uuid=False), primary_key=True),
    Column("cause", Text),
    Column("complaint", Boolean),
    Column("departure_threat", Boolean),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_corrections_at", "at"),
)

#: contacts about which somebody else is asked
opinions: Final = Table(
    "opinions",
    metadata,
    Column("contact_id", Uuid(as_uuid=False), primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("ix_opinions_due_at", "due_at"),
    Index("ix_opinions_customer_id", "customer_id"),
)

#: what a day's second opinions have cost, and what became of them
opinion_days: Final = Table(
    "opinion_days",
    metadata,
    Column("day", Date, primary_key=True, comment="in UTC"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("characters", BigInteger, nullable=False, server_default="0"),
    *(Column(one, Integer, nullable=False, server_default="0") for one in OUTCOMES),
)

responders: Final = Table(
    "responders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("said_at", DateTime(timezone=True), nullable=False, comment="as of when name and address were said"),
)
