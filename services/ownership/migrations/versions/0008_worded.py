"""Whether the words about a complaint are still kept.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEX = "ix_complaints_worded_closed_at"


def upgrade() -> None:
    """Adds the column, and the index by which old words are found."""
    comment = "false: its words were as old as they get"
    worded: sa.Column[bool] = sa.Column("worded", sa.Boolean(), nullable=False, server_default="true", comment=comment)
    op.add_column("complaints", worded, schema="ownership")
    there = sa.text("worded AND status = 'closed'")
    op.create_index(_INDEX, "complaints", ["closed_at"], schema="ownership", postgresql_where=there)


def downgrade() -> None:
    """Takes both away."""
    op.drop_index(_INDEX, table_name="complaints", schema="ownership")
    op.drop_column("complaints", "worded", schema="ownership")
