"""Two ids of one person share a profile.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds where an id was merged into."""
    comment = "the other id of the same person, whose profile is the same"
    merged: sa.Column[str] = sa.Column("merged_into", sa.Text(), nullable=True, comment=comment)
    op.add_column("customers", merged, schema="intake")
    there = sa.text("merged_into IS NOT NULL")
    op.create_index("ix_customers_merged_into", "customers", ["merged_into"], schema="intake", postgresql_where=there)


def downgrade() -> None:
    """Takes it away."""
    op.drop_index("ix_customers_merged_into", table_name="customers", schema="intake")
    op.drop_column("customers", "merged_into", schema="intake")
