"""Contacts about which a second opinion is wanted, and what each day's have cost.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTED = ("calls", "lifted", "same", "refused", "failed", "unmasked", "over_budget", "dropped")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "opinions",
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_opinions")),
        schema="intake",
    )
    op.create_index("ix_opinions_due_at", "opinions", ["due_at"], schema="intake")
    op.create_index("ix_opinions_customer_id", "opinions", ["customer_id"], schema="intake")
    op.create_table(
        "opinion_days",
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("characters", sa.BigInteger(), nullable=False, server_default="0"),
        *(sa.Column(one, sa.Integer(), nullable=False, server_default="0") for one in _COUNTED),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_opinion_days")),
        schema="intake",
    )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("opinion_days", schema="intake")
    op.drop_table("opinions", schema="intake")
