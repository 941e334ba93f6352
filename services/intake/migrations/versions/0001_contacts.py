"""Contacts, responses, customers, responders, and the tables that every service has.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates them."""
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False, comment="UUIDv7: later ones are greater"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_event_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("responder_id", sa.Text(), nullable=True, comment="the first human who answered, for good"),
        sa.Column("responses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="head of the audit chain"),
        sa.Column(
            "posted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what was posted; words and names go with the customer",
        ),
        sa.Column(
            "signals",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what was heard in it, as answered",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        schema="intake",
    )
    op.create_index(
        "ix_contacts_conversation_id_id",
        "contacts",
        ["conversation_id", "id"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("conversation_id IS NOT NULL"),
    )
    op.create_index("ix_contacts_customer_id_id", "contacts", ["customer_id", "id"], unique=False, schema="intake")
    op.create_index(
        "ix_contacts_source_source_event_id", "contacts", ["source", "source_event_id"], unique=True, schema="intake"
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("lifetime_value", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "as_of",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="field -> the time as of which it was said",
        ),
        sa.Column("profiled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="head of the audit chain"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        schema="intake",
    )
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="exactly the bytes that are sent"),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("causation_id", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True, comment="who acted; stays home"),
        sa.Column(
            "why",
            sa.Text(),
            nullable=True,
            comment="a reason in a person's words; stays home, erased with the customer",
        ),
        sa.Column(
            "note",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what was said; stays home, erased with the customer",
        ),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="hash over the subject's events up to this one"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_events_event_id")),
        schema="intake",
    )
    op.create_index(
        "ix_events_customer_id_position", "events", ["customer_id", "position"], unique=False, schema="intake"
    )
    op.create_index("ix_events_subject_id_sequence", "events", ["subject_id", "sequence"], unique=True, schema="intake")
    op.create_table(
        "idempotency",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        schema="intake",
    )
    op.create_index(op.f("ix_idempotency_kept_at"), "idempotency", ["kept_at"], unique=False, schema="intake")
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_inbox")),
        schema="intake",
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False, schema="intake")
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="topic, or the tool of a webhook"),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="parked", nullable=False, comment="parked, retried or dropped"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        schema="intake",
    )
    op.create_index(
        "ix_parked_origin_partition_offset", "parked", ["origin", "partition", "offset"], unique=True, schema="intake"
    )
    op.create_table(
        "responders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column(
            "said_at", sa.DateTime(timezone=True), nullable=False, comment="as of when name and address were said"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responders")),
        schema="intake",
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False, comment="the conversation, or the contact where there is none"),
        sa.Column("source_event_id", sa.Text(), nullable=False),
        sa.Column("responder_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False, comment="it filled the responder of its contact"),
        sa.Column("text", sa.Text(), nullable=True, comment="what was answered; erased with the customer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        schema="intake",
    )
    op.create_index("ix_responses_contact_id_id", "responses", ["contact_id", "id"], unique=False, schema="intake")
    op.create_index("ix_responses_customer_id", "responses", ["customer_id"], unique=False, schema="intake")
    op.create_index(
        "ix_responses_source_scope_source_event_id",
        "responses",
        ["source", "scope", "source_event_id"],
        unique=True,
        schema="intake",
    )
    op.create_table(
        "timers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("lock", sa.BigInteger(), nullable=False, comment="the customer's advisory lock"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_timers")),
        schema="intake",
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at"], unique=False, schema="intake")
    op.create_table(
        "unsent",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_unsent")),
        schema="intake",
    )


def downgrade() -> None:
    """Drops them, with all they hold."""
    for name in (
        "unsent",
        "timers",
        "parked",
        "inbox",
        "idempotency",
        "events",
        "responses",
        "responders",
        "customers",
        "contacts",
    ):
        op.drop_table(name, schema="intake")
