"""Escalations, promises, mails, the feed, and the tables that every service has.

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
        "answers",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("executive_id", sa.Text(), nullable=False),
        sa.Column("delegate_of", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True, comment="the executive's words; null once the customer is erased"),
        sa.Column("apology", sa.Boolean(), nullable=False),
        sa.Column("stay_asked", sa.Boolean(), nullable=False),
        sa.Column("stay", sa.Text(), nullable=True, comment="what would make the customer stay"),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_answers")),
        sa.UniqueConstraint("id", name=op.f("uq_answers_id")),
        schema="escalation",
    )
    op.create_index("ix_answers_complaint_id", "answers", ["complaint_id"], unique=False, schema="escalation")
    op.create_index("ix_answers_customer_id", "answers", ["customer_id"], unique=False, schema="escalation")
    op.create_index("ix_answers_escalation_id", "answers", ["escalation_id"], unique=False, schema="escalation")
    op.create_table(
        "breaches",
        sa.Column("promise_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("hurt_id", sa.Text(), nullable=False, comment="the customer whom it hit"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back", postgresql.JSONB(), nullable=True, comment="at, by, why"),
        sa.PrimaryKeyConstraint("promise_id", "contact_id", name=op.f("pk_breaches")),
        schema="escalation",
    )
    op.create_index("ix_breaches_contact_id", "breaches", ["contact_id"], unique=False, schema="escalation")
    op.create_table(
        "complaints",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False, comment="what ownership told of it, folded"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        schema="escalation",
    )
    op.create_index("ix_complaints_customer_id", "complaints", ["customer_id"], unique=False, schema="escalation")
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Text(), nullable=True, comment="null until ownership says so"),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True, comment="null until intake says so"),
        sa.Column("cause", sa.Text(), nullable=True, comment="as judged now"),
        sa.Column(
            "facts",
            postgresql.JSONB(),
            nullable=False,
            comment="what was heard in it, and what agents said of it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        schema="escalation",
    )
    op.create_index("ix_contacts_cause_heard_at", "contacts", ["cause", "heard_at"], unique=False, schema="escalation")
    op.create_index("ix_contacts_complaint_id", "contacts", ["complaint_id"], unique=False, schema="escalation")
    op.create_table(
        "escalations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("executive_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "delivery",
            postgresql.JSONB(),
            nullable=False,
            comment="when each step was mailed, what became of the answer's mail",
        ),
        sa.Column("state", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        schema="escalation",
    )
    op.create_index("ix_escalations_complaint_id", "escalations", ["complaint_id"], unique=False, schema="escalation")
    op.create_index("ix_escalations_customer_id", "escalations", ["customer_id"], unique=False, schema="escalation")
    op.create_index(
        "ix_escalations_executive_id_id", "escalations", ["executive_id", "id"], unique=False, schema="escalation"
    )
    op.create_index("ix_escalations_status_id", "escalations", ["status", "id"], unique=False, schema="escalation")
    op.create_index(
        "ix_escalations_waiting",
        "escalations",
        ["complaint_id"],
        unique=True,
        schema="escalation",
        postgresql_where=sa.text("status = 'waiting'"),
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
            postgresql.JSONB(),
            nullable=True,
            comment="what was said; stays home, erased with the customer",
        ),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="hash over the subject's events up to this one"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_events_event_id")),
        schema="escalation",
    )
    op.create_index(
        "ix_events_customer_id_position", "events", ["customer_id", "position"], unique=False, schema="escalation"
    )
    op.create_index(
        "ix_events_subject_id_sequence", "events", ["subject_id", "sequence"], unique=True, schema="escalation"
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True, comment="null until the one writer has numbered it"),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("complaint_id", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("position", name=op.f("uq_feed_position")),
        schema="escalation",
    )
    op.create_index(
        "ix_feed_unnumbered",
        "feed",
        ["id"],
        unique=False,
        schema="escalation",
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "idempotency",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        schema="escalation",
    )
    op.create_index(op.f("ix_idempotency_kept_at"), "idempotency", ["kept_at"], unique=False, schema="escalation")
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_inbox")),
        schema="escalation",
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False, schema="escalation")
    op.create_table(
        "links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mail_id", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("executive_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong_at", sa.ARRAY(sa.DateTime(timezone=True)), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_links")),
        schema="escalation",
    )
    op.create_index("ix_links_customer_id", "links", ["customer_id"], unique=False, schema="escalation")
    op.create_index("ix_links_escalation_id", "links", ["escalation_id"], unique=False, schema="escalation")
    op.create_table(
        "mails",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "person", sa.Text(), nullable=False, comment="whom it is for, by kind and id: what a budget is counted on"
        ),
        sa.Column("order", postgresql.JSONB(), nullable=False, comment="what was ordered: ids and times"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="null when nothing is left to do"),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest_id", sa.Text(), nullable=True, comment="the digest that stands for it"),
        sa.Column("detail", sa.Text(), nullable=True, comment="what the mail server said last"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        schema="escalation",
    )
    op.create_index("ix_mails_customer_id", "mails", ["customer_id"], unique=False, schema="escalation")
    op.create_index("ix_mails_escalation_id", "mails", ["escalation_id"], unique=False, schema="escalation")
    op.create_index("ix_mails_next_at", "mails", ["next_at"], unique=False, schema="escalation")
    op.create_index("ix_mails_person_sent_at", "mails", ["person", "sent_at"], unique=False, schema="escalation")
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="topic, or the tool of a webhook"),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="parked", nullable=False, comment="parked, retried or dropped"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        schema="escalation",
    )
    op.create_index(
        "ix_parked_origin_partition_offset",
        "parked",
        ["origin", "partition", "offset"],
        unique=True,
        schema="escalation",
    )
    op.create_table(
        "promises",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=True, comment="the promise in words; null once the customer is erased"),
        sa.Column(
            "words",
            postgresql.JSONB(),
            nullable=False,
            comment="of each action by n: what, owner, evidence",
        ),
        sa.Column("state", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
        sa.UniqueConstraint("reference", name=op.f("uq_promises_reference")),
        schema="escalation",
    )
    op.create_index("ix_promises_cause_id", "promises", ["cause", "id"], unique=False, schema="escalation")
    op.create_index("ix_promises_complaint_id", "promises", ["complaint_id"], unique=False, schema="escalation")
    op.create_index(
        "ix_promises_customer_id_cause", "promises", ["customer_id", "cause"], unique=False, schema="escalation"
    )
    op.create_index(
        "ix_promises_everyone",
        "promises",
        ["cause"],
        unique=False,
        schema="escalation",
        postgresql_where=sa.text("scope = 'everyone'"),
    )
    op.create_index("ix_promises_status_id", "promises", ["status", "id"], unique=False, schema="escalation")
    op.create_table(
        "timers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("lock", sa.BigInteger(), nullable=False, comment="the customer's advisory lock"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_timers")),
        schema="escalation",
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at"], unique=False, schema="escalation")
    op.create_table(
        "unsent",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_unsent")),
        schema="escalation",
    )


def downgrade() -> None:
    """Drops them, with all they hold."""
    for name in (
        "unsent",
        "timers",
        "promises",
        "parked",
        "mails",
        "links",
        "inbox",
        "idempotency",
        "feed",
        "events",
        "escalations",
        "contacts",
        "complaints",
        "breaches",
        "answers",
    ):
        op.drop_table(name, schema="escalation")
