"""Webhooks: endpoints, deliveries, messages that wait for their turn.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates them."""
    op.create_table(
        "endpoints",
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="encrypted with a key derived from SECRET_KEY"),
        sa.Column("url", sa.Text(), nullable=True, comment="replaces scheme, host and path in what is verified"),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tool", "id", name=op.f("pk_endpoints")),
        schema="intake",
    )
    op.create_table(
        "deliveries",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False, comment="the tool's own id of it: a repeat is the same"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "request",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="method, addresses, query, headers; gone once it is understood",
        ),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="the raw bytes; gone once they are understood"),
        sa.Column(
            "state", sa.Text(), server_default="new", nullable=False, comment="new, taken, nothing, thin or parked"
        ),
        sa.Column("why", sa.Text(), nullable=True, comment="for people; never what was sent"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="of asking the tool's API"),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="when the tool's API is asked again"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_deliveries")),
        schema="intake",
    )
    op.create_index(
        "ix_deliveries_tool_endpoint_identity",
        "deliveries",
        ["tool", "endpoint", "identity"],
        unique=True,
        schema="intake",
    )
    op.create_index(
        "ix_deliveries_new",
        "deliveries",
        ["position"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_deliveries_thin",
        "deliveries",
        ["next_at", "position"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("state = 'thin'"),
    )
    op.create_index("ix_deliveries_received_at", "deliveries", ["received_at"], unique=False, schema="intake")
    op.create_table(
        "messages",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column(
            "conversation", sa.Text(), nullable=False, comment="or the message's own id, where it belongs to none"
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="contact or response"),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order", sa.Text(), nullable=False, comment="the tool's order within one moment"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("staff_id", sa.Text(), nullable=True, comment="who answered"),
        sa.Column(
            "body",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="as it will be posted; the row goes when it is",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default="waiting",
            nullable=False,
            comment="waiting, or early: before its contact",
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_messages")),
        schema="intake",
    )
    op.create_index(
        "ix_messages_tool_conversation_kind_event_id",
        "messages",
        ["tool", "conversation", "kind", "event_id"],
        unique=True,
        schema="intake",
    )
    op.create_index(
        "ix_messages_waiting",
        "messages",
        ["received_at"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_messages_customer_id",
        "messages",
        ["customer_id"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drops them, with all they hold."""
    for name in ("messages", "deliveries", "endpoints"):
        op.drop_table(name, schema="intake")
