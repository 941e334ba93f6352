"""Responses that are heard of before the contact that they answer.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "early_responses",
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("response_id", sa.Text(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False, comment="the event's data"),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "response_id", name=op.f("pk_early_responses")),
        schema="ownership",
    )
    op.create_index("ix_early_responses_kept_at", "early_responses", ["kept_at"], schema="ownership")


def downgrade() -> None:
    """Drops it."""
    op.drop_table("early_responses", schema="ownership")
